"""RFC 7296, 2.8: SAs at the end of their lifetime, which is turned down to some seconds."""

from dataclasses import replace

from peers.reference.connection import Lifetimes
from peers.reference.numbers import ExchangeType, NotifyType, ProtocolId
from peers.reference.payloads import Delete, Notify
from suites.judge import as_responder, requirement, turned_red_by
from suites.terms import arranged

CHILD_ENDS = arranged(lambda described: replace(described, lifetimes=Lifetimes(child=2.0)))
"""A Child SA of two seconds that nothing replaces."""

FOUR = 4.0
CHILD_IS_REKEYED = arranged(
    lambda described: replace(described, lifetimes=Lifetimes(child=FOUR, margin=3.0))
)
"""A Child SA of four seconds that is to be rekeyed after one."""

IKE_IS_REKEYED = arranged(
    lambda described: replace(described, lifetimes=Lifetimes(ike=FOUR, margin=3.0))
)
"""An IKE SA of four seconds that is to be rekeyed after one."""

PATIENCE = 10.0
"""Seconds that a target may take for what is due after four at most."""


@CHILD_ENDS
@requirement("rfc7296-2.8-expired-sa-not-used")
@turned_red_by("uses-expired-sas")
def test_child_sa_that_a_responder_granted_ends_with_its_lifetime(established):
    """
    peer                                        target (Child SAs last 2 s)
                                        <--     HDR, SK {D(ESP, its SPI)}
    HDR, SK {D(ESP)}                    -->
    HDR, SK {SA, Ni, TSi, TSr}          -->
                                        <--     HDR, SK {SA, Nr, TSi, TSr}
    ESP of the old SA {echo request}    -->
                                                nothing
    ESP of the new SA {echo request}    -->
                                        <--     ESP {echo reply}
    """
    _ends(established)


@CHILD_ENDS
@as_responder
@requirement("rfc7296-2.8-expired-sa-not-used")
@turned_red_by("uses-expired-sas")
def test_child_sa_that_an_initiator_asked_for_ends_with_its_lifetime(accepted):
    """
    peer                                        target (Child SAs last 2 s)
                                        <--     HDR, SK {D(ESP, its SPI)}
    HDR, SK {D(ESP)}                    -->
    HDR, SK {SA, Ni, TSi, TSr}          -->
                                        <--     HDR, SK {SA, Nr, TSi, TSr}
    ESP of the old SA {echo request}    -->
                                                nothing
    ESP of the new SA {echo request}    -->
                                        <--     ESP {echo reply}
    """
    _ends(accepted)


def _ends(peer):
    old = peer.child
    late = peer.echo_request()
    stale = peer.seal(late)
    deletion = peer.hear_request(ExchangeType.INFORMATIONAL, PATIENCE)
    peer.answer(deletion, peer.reply(deletion, *peer.deleted(deletion)))
    named = [spi for delete in deletion.all(Delete) for spi in delete.spis]
    assert named == [old.outbound.spi], f"the lifetime is over: {deletion}"
    request = peer.create_child_sa()
    peer.take_up_child(request, peer.exchange(request))

    assert not peer.delivered(late, stale, "ESP of an SA whose lifetime is over"), "delivered"


@CHILD_IS_REKEYED
@as_responder
@requirement("rfc7296-2.8-rekeyed-before-expiry")
@turned_red_by("lets-child-sas-expire")
def test_child_sa_is_rekeyed_before_its_lifetime_is_over(accepted):
    """
    peer                                        target (Child SAs last 4 s, rekeyed after 1 s)
                                        <--     HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr}
    HDR, SK {SA, Nr, TSi, TSr}          -->
    ESP of the new SA {echo request}    -->
                                        <--     ESP {echo reply}
    """
    old, made = accepted.child, accepted.events[-1].time
    request = accepted.hear_request(ExchangeType.CREATE_CHILD_SA, PATIENCE)
    asked = accepted.events[-1].time

    assert request.notify(NotifyType.REKEY_SA).spi == old.outbound.spi, f"another one: {request}"
    assert asked - made < FOUR, f"rekeyed after {asked - made:.1f} s"
    accepted.answer(request, accepted.grant_child(request))
    assert accepted.echo(), "the new Child SA carries no traffic"


@IKE_IS_REKEYED
@as_responder
@requirement("rfc7296-2.8-unrekeyed-sa-closed")
@turned_red_by("uses-expired-sas")
def test_ike_sa_that_cannot_be_rekeyed_is_closed(accepted, target):
    """
    peer                                        target (IKE SAs last 4 s, rekeyed after 1 s)
                                        <--     HDR, SK {SA, Ni, KEi}
    HDR, SK {N(NO_ADDITIONAL_SAS)}      -->     (to each attempt)
                                        <--     HDR, SK {D(IKE)}
    HDR, SK {}                          -->
    """
    attempt = accepted.hear_request(ExchangeType.CREATE_CHILD_SA, PATIENCE)
    refusal = accepted.reply(attempt, Notify(NotifyType.NO_ADDITIONAL_SAS))
    accepted.answer(attempt, refusal)

    # Further attempts are refused as they come.
    deletion = accepted.hear_request(ExchangeType.INFORMATIONAL, PATIENCE)
    accepted.answer(deletion, accepted.reply(deletion))
    assert [each.protocol for each in deletion.all(Delete)] == [ProtocolId.IKE], f"{deletion}"
    accepted.fence()
    assert not target.established(), "the target still lists the IKE SA"
