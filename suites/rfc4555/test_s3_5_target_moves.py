"""RFC 4555, 3.5 and 3.7: the target loses its address and moves, as the initiator that it was."""

from dataclasses import replace

import pytest

from peers.reference.nat import Detected, detect
from peers.reference.numbers import NotifyType
from peers.targets.base import Capability
from suites.judge import as_responder, needs, requirement, turned_red_by
from suites.terms import FAMILIES

MOVED = 20.0
"""Seconds that a target may take to see that it has lost its address, and to find a way."""


@pytest.fixture
def connection(connection, station, family):
    """Have the target begin at a second address, which it is to lose."""
    there = replace(connection, local=station.target.second_address(family), mobike=True)
    yield there
    station.target.leave(there)


@FAMILIES
@needs(Capability.MOVES)
@as_responder
@requirement("rfc4555-3.5-initiator-updates")
@turned_red_by("moves-silently", "announces-no-mobike")
def test_target_that_moves_says_so(accepted, target):
    """
    peer (responder)                            target
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
                                                (at another address)
                                        <--     HDR, SK {N(UPDATE_SA_ADDRESSES), ..}
    HDR, SK {N(NAT_DETECTION_*_IP), ..} -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    assert accepted.echo(), "the Child SA carries no traffic before the target moves"
    left = accepted.ike.remote.address
    target.leave()

    request = accepted.follow_update(MOVED)

    there = accepted.ike.remote
    assert there.address != left, "an update from the address that was lost"
    found = detect(request, there, accepted.ike.local)
    assert found == Detected(supported=True), "no NAT detection, or not of that way"
    accepted.answer(request, accepted.answer_check(request))
    assert accepted.heard_echo().packet.source.address == there.address


@needs(Capability.MOVES)
@as_responder
@requirement("rfc4555-3.7-other-cookie2-closes")
@turned_red_by("accepts-any-cookie2", "moves-silently")
def test_wrong_cookie2_in_the_response_to_an_update_ends_the_ike_sa(
    accepted, target, administrative
):
    """
    peer (responder)                            target
                                        <--     HDR, SK {N(UPDATE_SA_ADDRESSES), N(COOKIE2), ..}
    HDR, SK {N(COOKIE2)  (another one), ..} -->
                                                (the IKE SA is gone)
    """
    target.leave()
    request = accepted.follow_update(MOVED)
    if NotifyType.COOKIE2 not in request.notifies:
        accepted.answer(request, accepted.answer_check(request))
        administrative("sends no COOKIE2 of its own")
        return

    accepted.spoils_cookies = True
    accepted.answer(request, accepted.answer_check(request), "another COOKIE2")

    assert not accepted.is_answered(accepted.informational()), "the IKE SA lives on"
