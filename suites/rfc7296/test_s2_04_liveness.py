"""RFC 7296, 2.4: when a peer counts as dead, how often it is asked, and what is told of an end."""

from dataclasses import replace
from itertools import pairwise

import pytest

from peers.reference.events import Transmission
from peers.reference.message import Message
from peers.reference.numbers import ExchangeType, NotifyType, ProtocolId
from peers.reference.payloads import Delete, Notify
from suites.judge import as_responder, requirement, turned_red_by, twin_of

CHECKING = pytest.mark.parametrize("liveness_delay", [1.0], ids=[""])

GLANCES = 40
"""A target gives a peer up within that many half seconds: its retransmissions are turned down."""

JITTER = 0.3
"""Seconds by which a copy may be heard late: one wait seems longer then, the next one shorter."""

COPIES = 4
"""So many of a request show two waits and how they grew, and then how they went on."""


@CHECKING
@as_responder
@requirement("rfc7296-2.4-dead-peer-after-repeated-attempts")
@turned_red_by("takes-peer-for-dead-at-once", "fills-its-liveness-checks")
def test_one_lost_liveness_check_ends_nothing(accepted, target):
    """
    peer                                        target (checks liveness after a second)
                                        <--     HDR(ID n), SK {}
    (lost)
                                        <--     HDR(ID n), SK {} (the same octets)
    HDR(ID n), SK {}                    -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    lost = accepted.hear_request_octets(ExchangeType.INFORMATIONAL)
    assert not lost.message.payloads, f"no liveness check: {lost.message}"
    again = accepted.hear_request_octets(ExchangeType.INFORMATIONAL)

    assert again.octets == lost.octets, "a second request in the place of a retransmission"
    accepted.answer(again.message, accepted.reply(again.message))
    assert accepted.echo(), "the Child SA carries no more traffic"
    assert len(target.established()) == 1, "the IKE SA is not what it was"


@CHECKING
@as_responder
@twin_of(test_one_lost_liveness_check_ends_nothing)
@requirement("rfc7296-2.4-unanswered-ike-sa-given-up")
@turned_red_by("keeps-ike-sa-of-dead-peer")
def test_peer_that_never_answers_is_given_up(accepted, target):
    """
    peer                                        target (checks liveness after a second)
                                        <--     HDR(ID n), SK {}
    (silence)                           <--     HDR(ID n), SK {}, again and again
                                                no IKE SA, no Child SA
    PREVENTS: packets that go into a black hole for ever.
    """
    check = accepted.hear_request(ExchangeType.INFORMATIONAL)
    accepted.remark("no answer from now on")
    for _ in range(GLANCES):
        if not _kept(target, accepted.ike):
            break
        accepted.hears_again(check, 0.5)

    kept = _kept(target, accepted.ike)
    assert not kept, "the IKE SA of a peer that does not answer is still there"
    children = [child for state in target.sas() for child in state.children]
    assert not children, "a Child SA of a peer that does not answer is still there"


@as_responder
@requirement("rfc7296-2.4-retransmission-intervals-grow")
@turned_red_by("retransmits-at-even-intervals", "never-retransmits")
def test_waits_between_retransmissions_grow(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    (silence)                           <--     the same octets, three times or more
    """
    target.initiate()
    first = peer.hear_request(ExchangeType.IKE_SA_INIT)
    copies = 1
    while copies < COPIES and peer.hears_again(first):
        copies += 1

    times = [each.time for each in peer.events if _is_copy(each, first)]
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert len(waits) >= 2, f"{len(waits)} retransmissions, at least 2 are needed to judge"
    shown = ", ".join(f"{wait:.2f}" for wait in waits)
    grown = all(after > 0.9 * before - JITTER for before, after in pairwise(waits))
    assert grown, f"a shorter wait after a longer one, in seconds: {shown}"
    assert waits[-1] > 1.1 * waits[-2], f"the waits do not grow, in seconds: {shown}"


@as_responder
@requirement("rfc7296-2.4-deleted-child-announced")
@turned_red_by("closes-child-silently")
def test_target_announces_that_it_deletes_its_child_sa(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {D(ESP, SPI of the target)}
    HDR, SK {D(ESP, SPI of the peer)}   -->
    """
    child = accepted.child
    target.delete_child()

    request = accepted.hear_request(ExchangeType.INFORMATIONAL)

    named = [spi for each in request.all(Delete) for spi in each.spis]
    accepted.answer(request, accepted.reply(request, *accepted.deleted(request)))
    assert child.outbound.spi in named, f"the Delete does not name the Child SA: {request}"
    accepted.exchange(accepted.informational())


@as_responder
@requirement("rfc7296-2.4-closed-ike-sa-announced")
@turned_red_by("closes-ike-sa-silently")
def test_target_announces_that_it_closes_its_ike_sa(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {D(IKE)}
    HDR, SK {}                          -->
    """
    target.delete_ike()

    request = accepted.hear_request(ExchangeType.INFORMATIONAL)

    protocols = [each.protocol for each in request.all(Delete)]
    accepted.answer(request, accepted.reply(request))
    assert ProtocolId.IKE in protocols, f"the IKE SA is closed otherwise: {request}"


def _kept(target, ike):
    # Libreswan tells no SPIs: each test has an address of its own.
    return [each for each in target.established() if each.initiator_spi in (b"", ike.spi_i)]


def _is_copy(event, message):
    heard = isinstance(event, Transmission) and not event.sent
    return heard and isinstance(event.decoded, Message) and event.decoded == message


HINTS = 20


@requirement("rfc7296-2.4-unprotected-reactions-limited")
@turned_red_by("checks-liveness-at-every-hint", "believes-unprotected-notify")
def test_reactions_to_messages_in_clear_are_limited(established, target, observed):
    """
    peer                                        target
    HDR(response), N(INVALID_IKE_SPI) in clear, 20 times -->
                                        <--     [HDR, SK {}], fewer than 20 times
    HDR, SK {} (fence)                  -->
                                        <--     HDR, SK {}
    PREVENTS: a flood of checks, raised by whoever can send a packet from that address.
    """
    hint = established.informational(Notify(NotifyType.INVALID_IKE_SPI))
    hint = replace(hint, protected=False, response=True, message_id=0)
    checks = 0
    for _ in range(HINTS):
        heard = established.reactions(hint, "in clear")
        checks += sum(not each.response for each in heard)

    observed(f"{checks} liveness checks because of {HINTS} messages in clear")
    assert checks < HINTS, f"{checks} liveness checks because of {HINTS} messages in clear"
    assert len(target.established()) == 1, "the IKE SA is gone because of messages in clear"


@pytest.mark.parametrize(
    "error",
    [
        NotifyType.AUTHENTICATION_FAILED,
        NotifyType.INVALID_SYNTAX,
        NotifyType.INVALID_IKE_SPI,
        NotifyType.NO_PROPOSAL_CHOSEN,
    ],
    ids=lambda each: each.name.lower(),
)
@as_responder
@requirement("rfc7296-2.4-unprotected-message-not-failure")
@turned_red_by("believes-unprotected-notify")
def test_error_in_clear_in_answer_to_ike_auth_ends_nothing(peer, target, error):
    """
    peer                                        target
                                        <--     HDR(ID 1), SK {IDi, [IDr,] AUTH, SAi2, TSi, TSr}
    HDR(response, ID 1), N(an error) in clear -->
    HDR(response, ID 1), SK {IDr, AUTH, SAr2, TSi, TSr} -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    PREVENTS: anybody who sees IKE_AUTH ends it, or has it done again with less.
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    forged = replace(peer.reply(request, Notify(error)), protected=False)
    peer.say(forged, "in clear")
    peer.fence()

    peer.answer(request, peer.ike_auth_response(request))

    assert peer.echo(), "the Child SA carries no traffic"
    assert len(target.established()) == 1, "the IKE SA is not set up"
