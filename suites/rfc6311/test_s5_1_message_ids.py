"""RFC 6311, 5 and 5.1: Message IDs are set anew when a cluster's standby has taken over.

The peer is the cluster: what it says it will send and expects next is made up.
"""

from dataclasses import replace

import pytest

from peers.reference.message_id_sync import SUPPORTED, MessageIdSync
from peers.reference.numbers import ExchangeType, NotifyType
from peers.targets.base import Capability
from suites.judge import as_responder, needs, requirement, turned_red_by, twin_of
from suites.terms import arranged

NONCE = bytes.fromhex("c1057e12")
TAKING_PART = arranged(lambda described: replace(described, message_id_sync=True))
"""Have a target that begins say that it supports it."""

SYNCHRONIZES = needs(Capability.MESSAGE_ID_SYNC)


def _with_support(message):
    return replace(message, payloads=(*message.payloads, SUPPORTED))


def _establish(peer, *, supporting=True):
    """Do the initial exchanges; give the response to IKE_AUTH."""
    peer.open_ike_sa()
    request = peer.ike_auth()
    response = peer.exchange(_with_support(request) if supporting else request)
    peer.take_up(request, response)
    return response


def _accept(peer, target):
    """Answer a target's initial exchanges, and say that we support it."""
    target.initiate()
    request = peer.accept_ike_sa_init()
    response = peer.ike_auth_response(request)
    peer.answer(request, _with_support(response))
    peer.settle()
    return request


def _taking_over(peer, sends, expects):
    """Build what a member says that has taken over."""
    sync = MessageIdSync(NONCE, sends, expects)
    return replace(peer.informational(sync.notify()), message_id=0)


def _synchronized(peer, sends, expects):
    """Take over; check the form of the answer, go on with it and give what it says."""
    response = peer.exchange(_taking_over(peer, sends, expects))
    agreed = MessageIdSync.of(response)
    assert agreed is not None, f"the request to synchronize is not answered by one: {response}"
    assert response.message_id == 0, f"Message ID {response.message_id} instead of zero"
    assert len(response.payloads) == 1, f"more than one payload: {response}"
    assert agreed.nonce == NONCE, "the nonce does not come back"
    peer.ike.next_request_id = agreed.expects
    return agreed


@requirement("rfc6311-5-not-announced-unasked")
@turned_red_by("announces-sync-unasked")
def test_support_is_not_announced_unasked(peer):
    """
    peer                                        target
    HDR, SK {IDi, .., AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    response = _establish(peer, supporting=False)

    announced = NotifyType.IKEV2_MESSAGE_ID_SYNC_SUPPORTED in response.notifies
    assert not announced, "IKEV2_MESSAGE_ID_SYNC_SUPPORTED, unasked"


@SYNCHRONIZES
@twin_of(test_support_is_not_announced_unasked)
@requirement("rfc6311-5-request-answered")
@turned_red_by("announces-no-sync")
def test_support_is_announced_to_who_has_it(peer):
    """
    peer                                        target
    HDR, SK {IDi, .., N(IKEV2_MESSAGE_ID_SYNC_SUPPORTED)} -->
                                        <--     HDR, SK {.., N(IKEV2_MESSAGE_ID_SYNC_SUPPORTED)}
    """
    response = _establish(peer)

    announced = response.find_notify(NotifyType.IKEV2_MESSAGE_ID_SYNC_SUPPORTED)
    assert announced is not None, "it has it, and does not say so"
    assert (announced.protocol, announced.spi, announced.data) == (0, b"", b""), f"{announced}"


FORM = (
    "rfc6311-5-request-answered",
    "rfc6311-5.1-message-id-zero",
    "rfc6311-5.1-no-other-payloads",
    "rfc6311-5.1-nonce-returned",
)
BREAKS_FORM = ("numbers-sync-answer", "adds-to-sync-answer", "changes-sync-nonce")


@SYNCHRONIZES
@requirement(
    *FORM,
    "rfc6311-5.1-receive-value-high-enough",
    "rfc6311-5.1-send-value-is-the-higher-one",
    "rfc6311-9-agreed-values-used",
)
@turned_red_by(
    *BREAKS_FORM,
    "says-its-own-next-message-id",
    "says-its-own-expected-message-id",
    "forgets-what-it-synchronized",
)
def test_responder_goes_on_with_higher_numbers(peer, target):
    """
    peer (has taken over)                       target
    HDR(0), SK {N(IKEV2_MESSAGE_ID_SYNC: nonce, 10, 5)} -->
                                        <--     HDR(0), SK {N(IKEV2_MESSAGE_ID_SYNC: nonce, 5, 10)}
    HDR(10), SK {}                      -->
                                        <--     HDR(10), SK {}
                                        <--     HDR(5), SK {N(REKEY_SA), SA, Ni, TSi, TSr}
    """
    _establish(peer)

    agreed = _synchronized(peer, 10, 5)

    assert agreed.expects >= 10, f"it expects {agreed.expects}, below the 10 that it was told"
    assert agreed.sends == 5, f"it goes on with {agreed.sends} instead of 5"
    peer.exchange(peer.informational())
    target.rekey_child()
    request = peer.hear_request(ExchangeType.CREATE_CHILD_SA)
    assert request.message_id == agreed.sends, f"it said {agreed.sends}: {request}"


@SYNCHRONIZES
@TAKING_PART
@as_responder
@requirement(
    *FORM,
    "rfc6311-5.1-receive-value-high-enough",
    "rfc6311-5.1-send-value-is-the-higher-one",
    "rfc6311-9-agreed-values-used",
)
@turned_red_by(*BREAKS_FORM, "says-the-send-value-told", "forgets-what-it-synchronized")
def test_initiator_goes_on_with_its_own_number_where_it_is_higher(peer, target):
    """
    peer (has taken over)                       target
                                        <--     HDR(1), SK {.., N(IKEV2_MESSAGE_ID_SYNC_SUPPORTED)}
    HDR(1), SK {.., N(IKEV2_MESSAGE_ID_SYNC_SUPPORTED)} -->
    HDR(0), SK {N(IKEV2_MESSAGE_ID_SYNC: nonce, 10, 1)} -->
                                        <--     HDR(0), SK {N(IKEV2_MESSAGE_ID_SYNC: nonce, 2, 10)}
    HDR(10), SK {}                      -->
                                        <--     HDR(10), SK {}
                                        <--     HDR(2), SK {N(REKEY_SA), SA, Ni, TSi, TSr}
    """
    request = _accept(peer, target)
    said = NotifyType.IKEV2_MESSAGE_ID_SYNC_SUPPORTED in request.notifies
    assert said, "an initiator that has it does not say so"

    agreed = _synchronized(peer, 10, 1)

    assert agreed.expects >= 10, f"it expects {agreed.expects}, below the 10 that it was told"
    assert agreed.sends == 2, f"it goes on with {agreed.sends} instead of 2, its next one"
    peer.exchange(peer.informational())
    target.rekey_child()
    request = peer.hear_request(ExchangeType.CREATE_CHILD_SA)
    assert request.message_id == agreed.sends, f"it said {agreed.sends}: {request}"


@SYNCHRONIZES
@pytest.mark.parametrize("sends", [0, 1], ids=["below", "equal"])
@requirement("rfc6311-5.1-old-request-dropped")
@turned_red_by("takes-replayed-sync")
def test_request_with_a_number_that_was_used_is_dropped(peer, sends):
    """
    peer (has used Message ID 1)                target
    HDR(0), SK {N(IKEV2_MESSAGE_ID_SYNC: nonce, 1, 5)} -->
                                                nothing
    HDR(2), SK {} (fence)               -->
                                        <--     HDR(2), SK {}
    """
    _establish(peer)

    answers = peer.reactions(_taking_over(peer, sends, 5), f"send value {sends}")

    assert not answers, f"answered: {answers[0]}"


@SYNCHRONIZES
@requirement("rfc6311-5.1-old-request-dropped")
@turned_red_by("takes-replayed-sync")
def test_request_that_comes_again_is_dropped(peer):
    """
    peer                                        target
    HDR(0), SK {N(IKEV2_MESSAGE_ID_SYNC: nonce, 10, 5)} -->
                                        <--     HDR(0), SK {N(IKEV2_MESSAGE_ID_SYNC: nonce, 5, 10)}
    the same again                      -->
                                                nothing
    HDR(10), SK {} (fence)              -->
                                        <--     HDR(10), SK {}
    PREVENTS: a replay that takes effect while other requests are under way.
    """
    _establish(peer)
    request = _taking_over(peer, 10, 5)
    _synchronized(peer, 10, 5)

    answers = peer.reactions(request, "a request to synchronize that was answered")

    assert not answers, f"answered again: {answers[0]}"


@requirement("rfc6311-5-used-where-both-support-it")
@turned_red_by("synchronizes-unasked")
def test_request_is_not_obeyed_where_it_was_not_agreed_on(peer):
    """
    peer (has not said that it supports it)     target
    HDR(0), SK {N(IKEV2_MESSAGE_ID_SYNC: nonce, 10, 5)} -->
                                                no answer to that
    HDR(2), SK {} (fence)               -->
                                        <--     HDR(2), SK {}
    """
    _establish(peer, supporting=False)

    answers = peer.reactions(_taking_over(peer, 10, 5), "IKEV2_MESSAGE_ID_SYNC, not agreed on")

    agreed = [each for each in answers if MessageIdSync.of(each)]
    assert not agreed, f"synchronized, though nobody agreed on that: {agreed[0]}"
