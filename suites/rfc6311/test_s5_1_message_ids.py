"""RFC 6311, 5 and 5.1: Message IDs are set anew when a cluster's standby has taken over.

The target is the cluster's client, which begins; the peer is the cluster. What it says that it
will send and expects next is made up.
"""

from dataclasses import replace

import pytest

from peers.reference.message_id_sync import SUPPORTED, MessageIdSync
from peers.reference.numbers import ExchangeType, NotifyType
from peers.targets.base import Capability
from suites.judge import as_responder, needs, requirement, turned_red_by, twin_of
from suites.terms import CBC, SUITES, arranged, configured

NONCE = bytes.fromhex("c1057e12")
SYNCHRONIZES = needs(Capability.MESSAGE_ID_SYNC)
TAKES_PART = arranged(lambda described: replace(described, message_id_sync=True))
"""Have the target say that it supports this."""


def _with_support(message):
    return replace(message, payloads=(*message.payloads, SUPPORTED))


def _accept(peer, target, *, supporting=True):
    """Do the initial exchanges; give the target's IKE_AUTH request."""
    target.initiate()
    request = peer.accept_ike_sa_init()
    response = peer.ike_auth_response(request)
    peer.answer(request, _with_support(response) if supporting else response)
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
    assert agreed.expects >= sends, f"it expects {agreed.expects}, below {sends} that it was told"
    peer.ike.next_request_id = agreed.expects
    return agreed


def _goes_on(peer, target, agreed):
    """Look at the next request of each side."""
    peer.exchange(peer.informational())
    target.rekey_child()
    request = peer.hear_request(ExchangeType.CREATE_CHILD_SA)
    assert request.message_id == agreed.sends, f"it said {agreed.sends}: {request}"


@requirement("rfc6311-5-not-announced-unasked")
@turned_red_by("announces-sync-unasked")
def test_responder_does_not_announce_support_unasked(peer):
    """
    peer                                        target
    HDR, SK {IDi, .., AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    peer.open_ike_sa()
    response = peer.exchange(peer.ike_auth())

    announced = NotifyType.IKEV2_MESSAGE_ID_SYNC_SUPPORTED in response.notifies
    assert not announced, "IKEV2_MESSAGE_ID_SYNC_SUPPORTED, unasked"


FORM = (
    "rfc6311-5-request-answered",
    "rfc6311-5.1-message-id-zero",
    "rfc6311-5.1-no-other-payloads",
    "rfc6311-5.1-nonce-returned",
    "rfc6311-5.1-receive-value-high-enough",
    "rfc6311-5.1-send-value-is-the-higher-one",
    "rfc6311-9-agreed-values-used",
)
BREAKS_FORM = (
    "adds-to-sync-answer",
    "changes-sync-nonce",
    "says-its-own-expected-message-id",
    "forgets-what-it-synchronized",
)


@SYNCHRONIZES
@TAKES_PART
@as_responder
@requirement(*FORM)
@turned_red_by(*BREAKS_FORM, "drops-each-sync", "says-its-own-next-message-id")
def test_numbers_that_are_higher_are_taken(peer, target):
    """
    peer (has taken over)                       target
                                        <--     HDR(1), SK {.., N(IKEV2_MESSAGE_ID_SYNC_SUPPORTED)}
    HDR(1), SK {.., N(IKEV2_MESSAGE_ID_SYNC_SUPPORTED)} -->
    HDR(0), SK {N(IKEV2_MESSAGE_ID_SYNC: nonce, 10, 5)} -->
                                        <--     HDR(0), SK {N(IKEV2_MESSAGE_ID_SYNC: nonce, 5, 10)}
    HDR(10), SK {}                      -->
                                        <--     HDR(10), SK {}
                                        <--     HDR(5), SK {N(REKEY_SA), SA, Ni, TSi, TSr}
    """
    request = _accept(peer, target)
    said = NotifyType.IKEV2_MESSAGE_ID_SYNC_SUPPORTED in request.notifies
    assert said, "a client that has it does not say so"

    agreed = _synchronized(peer, 10, 5)

    assert agreed.sends == 5, f"it goes on with {agreed.sends} instead of 5"
    _goes_on(peer, target, agreed)


@SUITES
@SYNCHRONIZES
@TAKES_PART
@as_responder
@requirement(*FORM)
@turned_red_by(*BREAKS_FORM, "drops-each-sync", "numbers-sync-answer", "says-the-send-value-told")
def test_own_number_is_kept_where_it_is_higher(peer, target):
    """
    peer                                        target
    HDR(0), SK {}, HDR(1), SK {}        -->
                                        <--     HDR(0), SK {}, HDR(1), SK {}
    (has taken over)
    HDR(0), SK {N(IKEV2_MESSAGE_ID_SYNC: nonce, 10, 1)} -->
                                        <--     HDR(0), SK {N(IKEV2_MESSAGE_ID_SYNC: nonce, 2, 10)}
    HDR(10), SK {}                      -->
                                        <--     HDR(10), SK {}
                                        <--     HDR(2), SK {N(REKEY_SA), SA, Ni, TSi, TSr}
    PREVENTS: a cluster that cannot be answered once it has asked for anything with Message ID 0.
    """
    _accept(peer, target)
    peer.settle()

    agreed = _synchronized(peer, 10, 1)

    assert agreed.sends == 2, f"it goes on with {agreed.sends} instead of 2, its next one"
    _goes_on(peer, target, agreed)


@SYNCHRONIZES
@TAKES_PART
@as_responder
@pytest.mark.parametrize("sends", [0, 1], ids=["below", "equal"])
@requirement("rfc6311-5.1-old-request-dropped")
@turned_red_by("takes-replayed-sync")
def test_number_that_was_used_is_dropped(peer, target, sends):
    """
    peer (has used Message ID 1)                target
    HDR(0), SK {N(IKEV2_MESSAGE_ID_SYNC: nonce, 1, 5)} -->
                                                nothing
    HDR(2), SK {} (fence)               -->
                                        <--     HDR(2), SK {}
    """
    _accept(peer, target)
    peer.settle()

    answers = peer.reactions(_taking_over(peer, sends, 5), f"send value {sends}")

    assert not answers, f"answered: {answers[0]}"


@configured(CBC)
@SYNCHRONIZES
@TAKES_PART
@as_responder
@twin_of(test_numbers_that_are_higher_are_taken)
@requirement("rfc6311-5.1-old-request-dropped")
@turned_red_by("takes-replayed-sync")
def test_request_that_comes_again_is_dropped(peer, target):
    """
    peer                                        target
    HDR(0), SK {N(IKEV2_MESSAGE_ID_SYNC: nonce, 10, 5)} -->
                                        <--     HDR(0), SK {N(IKEV2_MESSAGE_ID_SYNC: nonce, 5, 10)}
    another IKE_SA_INIT (fence)         -->
                                        <--     its response
    the same again                      -->
                                                nothing
    another IKE_SA_INIT (fence)         -->
                                        <--     its response
    HDR(10), SK {} (fence)              -->
                                        <--     HDR(10), SK {}
    PREVENTS: a replay that takes effect while other requests are under way.
    """
    _accept(peer, target)
    request = _taking_over(peer, 10, 5)
    _synchronized(peer, 10, 5)
    peer.fence()  # The first one's thread has let go of the IKE SA: what comes earlier is dropped.

    peer.say(request, "a request to synchronize that was answered")
    # Were Message ID 10 processed first, the request would be too old for charon too, and its
    # threads take their time: what comes of three IKE_SA_INIT requests it is through with.
    for _ in range(3):
        peer.fence()
    answers = peer.reactions_so_far()

    assert not answers, f"answered again: {answers[0]}"


@as_responder
@requirement("rfc6311-5-used-where-both-support-it")
@turned_red_by("synchronizes-unasked")
def test_request_is_not_obeyed_where_it_was_not_agreed_on(peer, target):
    """
    peer (has not said that it supports it)     target
    HDR(0), SK {N(IKEV2_MESSAGE_ID_SYNC: nonce, 10, 5)} -->
                                                no answer to that
    HDR(2), SK {} (fence)               -->
                                        <--     HDR(2), SK {}
    """
    _accept(peer, target, supporting=False)
    peer.settle()

    answers = peer.reactions(_taking_over(peer, 10, 5), "IKEV2_MESSAGE_ID_SYNC, not agreed on")

    agreed = [each for each in answers if MessageIdSync.of(each)]
    assert not agreed, f"synchronized, though nobody agreed on that: {agreed[0]}"
