"""RFC 3948, 2.3 and 4: NAT-keepalives."""

import pytest

from peers.reference.errors import NoAnswer
from peers.reference.nat import Claim
from peers.reference.numbers import ExchangeType
from suites.judge import as_responder, differs, requirement, turned_red_by
from suites.observe import is_kept

IDLE = 25.0
"""Seconds that we wait for a keepalive; one is due after 20 (RFC 3948, 4)."""

GLANCES = 40
"""A target gives a peer up within that many half seconds: its retransmissions are turned down."""


@pytest.mark.parametrize("claim", [Claim.THEIRS], ids=["target-natted"])
@requirement("rfc3948-4-keepalive-sent-when-idle", "rfc3948-2.3-keepalive-form")
@turned_red_by("sends-no-keepalives", "sends-one-keepalive")
def test_target_behind_a_nat_keeps_it_open(established):
    """
    peer (its destination hash is wrong)        target
    (nothing for a while)
                                        <--     UDP {FF}
    (nothing for a while)
                                        <--     UDP {FF}
    """
    assert established.echo(), "the Child SA carries no traffic"
    ends = established.ike.remote, established.ike.local
    for which in ("first", "second"):
        try:
            packet = established.hear_keepalive(IDLE)
        except NoAnswer as silence:
            differs(f"the {which} of two: {silence}")
        assert (packet.source, packet.destination) == ends, "not between the ports of IKE and ESP"


@requirement("rfc3948-2.3-keepalive-ignored")
@turned_red_by("follows-keepalives")
def test_keepalive_from_elsewhere_moves_nothing(nat, established, target, station):
    """
    peer                NAT                     target
    UDP {FF}            -->  (another address) -->
                                                nothing
    (back at the old mapping)
                             <--           <--  UDP {ESP {echo request of the target}}
    """
    with nat.elsewhere(station.addresses.of(4)[1]):
        established.say_keepalive()
    established.fence()

    target.echo()
    established.hear_esp()

    assert not nat.lost, "the target sent to where a keepalive came from"


@requirement("rfc3948-2.3-keepalive-ignored")
@turned_red_by("closes-on-keepalive")
def test_keepalive_of_the_peer_is_ignored(nat, established):
    """
    peer                NAT                     target
    UDP {FF}            -->                -->
                                                nothing
    HDR, SK {} (fence)  -->                -->
                             <--           <--  HDR, SK {}
    """
    established.say_keepalive()

    assert established.reactions_so_far() == [], "a keepalive is answered"
    assert established.echo(), "the Child SA carries no more traffic"


@pytest.mark.parametrize("claim", [Claim.OURS], ids=["claimed"])
@pytest.mark.parametrize("liveness_delay", [1.0], ids=[""])
@as_responder
@requirement("rfc3948-4-keepalive-is-no-sign-of-life")
@turned_red_by("takes-keepalives-for-life")
def test_keepalives_do_not_keep_a_peer_that_answers_nothing(accepted, target):
    """
    peer (its source hash is wrong)             target (checks liveness after a second)
                                        <--     HDR(ID n), SK {}
    UDP {FF}                            -->
                                        <--     HDR(ID n), SK {}, again and again
    UDP {FF}, again and again           -->
                                                no IKE SA
    PREVENTS: an SA that anybody on the way keeps alive after its peer has gone.
    """
    check = accepted.hear_request(ExchangeType.INFORMATIONAL)
    accepted.remark("no answer from now on, but keepalives")
    for _ in range(GLANCES):
        if not is_kept(target, accepted.ike):
            break
        accepted.say_keepalive()
        accepted.hears_again(check, 0.5)

    kept = is_kept(target, accepted.ike)
    assert not kept, "the IKE SA of a peer that sends nothing but keepalives is still there"
