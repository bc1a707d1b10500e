"""RFC 4555, 3.8 to 3.10: NAT detection later on, and paths that are only tried."""

import pytest

from peers.reference.nat import Claim, Detected, detect
from peers.reference.numbers import ExchangeType
from suites.judge import as_responder, requirement, turned_red_by
from suites.terms import FAMILIES, arranged, lets_the_peer_move, may_move

MOBILE = arranged(lets_the_peer_move)


@pytest.fixture
def elsewhere(station, family):
    """Give another address of the peer."""
    return station.addresses.of(family)[1]


@FAMILIES
@MOBILE
@requirement("rfc4555-3.8-nat-detection-answered")
@turned_red_by("answers-no-nat-detection", "answers-nat-detection-for-old-way")
def test_nat_detection_is_answered_for_the_way_it_came(established, elsewhere):
    """
    peer                                        target
    HDR, SK {N(NAT_DETECTION_*_IP)}  (from another address) -->
                                        <--     HDR, SK {N(NAT_DETECTION_*_IP)}  (to it)
    """
    with established.elsewhere(elsewhere):
        ends = established.ike.remote, established.ike.local
        heard = established.exchange_heard(established.probe())

    assert heard.packet.destination == ends[1], "the response goes elsewhere"
    assert detect(heard.message, *ends) == Detected(supported=True), "not the hashes of that way"


@arranged(may_move)
@as_responder
@requirement("rfc4555-3.8-nat-detection-answered")
@turned_red_by("answers-no-nat-detection")
def test_initiator_answers_nat_detection(accepted):
    """
    peer (responder)                            target
    HDR, SK {N(NAT_DETECTION_*_IP)}     -->
                                        <--     HDR, SK {N(NAT_DETECTION_*_IP)}
    """
    ends = accepted.ike.remote, accepted.ike.local

    response = accepted.exchange(accepted.probe())

    assert detect(response, *ends) == Detected(supported=True), "no hashes, or wrong ones"


@pytest.mark.parametrize("claim", [Claim.NOTHING, Claim.OURS], ids=["no-nat", "claimed"])
@MOBILE
@requirement("rfc4555-3.8-no-dynamic-update-by-ike")
@turned_red_by("follows-without-update")
def test_trying_a_path_moves_no_esp(established, target, elsewhere):
    """
    peer                                        target
    HDR, SK {N(NAT_DETECTION_*_IP)}  (from another address) -->
                                        <--     HDR, SK {N(NAT_DETECTION_*_IP)}  (to it)
                                        <--     ESP {echo request of the target}  (to the first one)
    """
    with established.elsewhere(elsewhere):
        established.exchange(established.probe())

    target.echo()

    home = established.ike.local.address
    assert established.hear_esp().packet.destination.address == home, "moved without an update"


@MOBILE
@requirement("rfc4555-3.8-no-dynamic-update-by-ike")
@turned_red_by("follows-without-update")
def test_trying_a_path_moves_no_ike_sa(established, target, elsewhere):
    """
    peer                                        target
    HDR, SK {N(NAT_DETECTION_*_IP)}  (from another address) -->
                                        <--     HDR, SK {N(NAT_DETECTION_*_IP)}  (to it)
                                        <--     HDR, SK {N(REKEY_SA), ..}  (to the first one)
    """
    with established.elsewhere(elsewhere):
        established.exchange(established.probe())

    target.rekey_child()

    request = established.hear_request_octets(ExchangeType.CREATE_CHILD_SA)
    home = established.ike.local.address
    assert request.packet.destination.address == home, "moved without an update"
