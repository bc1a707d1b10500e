"""RFC 4555, 3.3, 3.5 and 3.6: the initiator moves its IKE SA and Child SAs."""

import pytest

from peers.reference.events import Carrier
from peers.reference.mobike import address_list
from peers.reference.nat import Claim
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import Notify
from peers.targets.base import Capability
from suites.judge import needs, requirement, turned_red_by
from suites.terms import FAMILIES, arranged, lets_the_peer_move

MOBILE = arranged(lets_the_peer_move)


@pytest.fixture
def elsewhere(station, family):
    """Give another address of the peer."""
    return station.addresses.of(family)[1]


@FAMILIES
@MOBILE
@requirement("rfc4555-3.5-update-moves-ipsec-sas")
@turned_red_by("moves-by-no-update", "moves-ike-only", "announces-no-mobike")
def test_update_moves_the_child_sa(established, target, elsewhere):
    """
    peer                                        target
    UDP or ESP {echo request}           -->
                                        <--     UDP or ESP {echo reply}
    (at another address)
    HDR, SK {N(UPDATE_SA_ADDRESSES), N(NAT_DETECTION_*_IP), N(COOKIE2)} -->
                                        <--     HDR, SK {N(NAT_DETECTION_*_IP), N(COOKIE2)}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
                                        <--     ESP {echo request of the target}
    """
    assert established.echo(), "the Child SA carries no traffic before the peer moves"
    established.relocate(elsewhere)

    reply = established.heard_echo()
    target.echo()

    assert reply.packet.destination.address == elsewhere, "ESP goes to the address that was left"
    assert established.hear_esp().packet.destination.address == elsewhere


@FAMILIES
@MOBILE
@requirement("rfc4555-3.5-update-moves-ike-sa")
@turned_red_by("moves-by-no-update", "answers-update-where-it-was")
def test_update_moves_the_ike_sa(established, target, elsewhere):
    """
    peer                                        target
    (at another address)
    HDR, SK {N(UPDATE_SA_ADDRESSES), ..} -->
                                        <--     HDR, SK {..}
                                        <--     HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr}
    """
    established.move(elsewhere)
    heard = established.exchange_heard(established.update_addresses())
    assert heard.packet.destination.address == elsewhere, "the response goes elsewhere"

    target.rekey_child()

    request = established.hear_request_octets(ExchangeType.CREATE_CHILD_SA)
    assert request.packet.destination.address == elsewhere, "a request to the address that was left"


@MOBILE
@requirement("rfc4555-3.5-update-moves-ipsec-sas")
@turned_red_by("forgets-mobike-on-rekey")
def test_update_moves_what_a_rekey_made(established, target, elsewhere):
    """
    peer                                        target
    HDR, SK {SA, Ni, KEi}               -->
                                        <--     HDR, SK {SA, Nr, KEr}
    HDR, SK {D(IKE)}  (the old IKE SA)  -->
                                        <--     HDR, SK {}
    (at another address, on the new IKE SA)
    HDR, SK {N(UPDATE_SA_ADDRESSES), ..} -->
                                        <--     HDR, SK {..}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    old = established.ike
    new, request = established.rekey_ike()
    established.take_up_ike(new, request, established.exchange(request))
    established.close_ike(old)
    established.relocate(elsewhere)

    reply = established.heard_echo()

    assert reply.packet.destination.address == elsewhere, "ESP goes to the address that was left"


@MOBILE
@requirement("rfc4555-3.5-update-moves-ipsec-sas")
@turned_red_by("moves-by-no-update", "moves-ike-only")
def test_peer_that_comes_back_is_found_again(established, target, elsewhere):
    """
    peer                                        target
    HDR, SK {N(UPDATE_SA_ADDRESSES), ..}  (from another address) -->
                                        <--     HDR, SK {..}
    HDR, SK {N(UPDATE_SA_ADDRESSES), ..}  (from the first one again) -->
                                        <--     HDR, SK {..}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    home = established.ike.local.address
    established.relocate(elsewhere)
    assert established.heard_echo().packet.destination.address == elsewhere
    established.relocate(home)

    assert established.heard_echo().packet.destination.address == home


@MOBILE
@needs(Capability.IPV6)
@requirement("rfc4555-3.5-update-moves-ipsec-sas")
@turned_red_by("moves-by-no-update", "moves-ike-only")
def test_update_moves_to_the_other_ip_version(established, station, administrative):
    """
    peer                                        target
    (over IPv6; the IKE SA was made over IPv4)
    HDR, SK {N(UPDATE_SA_ADDRESSES), ..} -->
                                        <--     HDR, SK {..} or HDR, SK {N(UNACCEPTABLE_ADDRESSES)}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    assert established.echo(), "the Child SA carries no traffic before the peer moves"
    theirs = next(each for each in station.target.addresses() if each.version == 6)
    before = established.ike.local.address, established.ike.remote.address

    response = established.relocate(station.addresses.ipv6, theirs)

    if NotifyType.UNACCEPTABLE_ADDRESSES in response.notifies:
        administrative("another IP version is not acceptable")
        established.move(*before)
        assert established.echo(), "the Child SA carries nothing any more"
        return
    assert established.heard_echo().packet.destination.address == station.addresses.ipv6


@MOBILE
@requirement("rfc4555-3.5-update-changes-nat-traversal")
@turned_red_by("keeps-encapsulation")
def test_update_turns_encapsulation_on_and_off(established, elsewhere):
    """
    peer                                        target
    HDR, SK {N(UPDATE_SA_ADDRESSES), N(NAT_DETECTION_*_IP)  (its source hash is wrong)} -->
                                        <--     HDR, SK {..}
    UDP {ESP {echo request}}            -->
                                        <--     UDP {ESP {echo reply}}
    HDR, SK {N(UPDATE_SA_ADDRESSES), N(NAT_DETECTION_*_IP)} -->
                                        <--     HDR, SK {..}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    home = established.ike.local.address
    established.ike.claim = Claim.OURS
    established.relocate(elsewhere)
    assert established.heard_echo().packet.carrier is Carrier.UDP, "ESP without UDP behind a NAT"
    established.ike.claim = Claim.NOTHING
    established.relocate(home)

    assert established.heard_echo().packet.carrier is Carrier.ESP, "ESP in UDP without a NAT"


@MOBILE
@requirement("rfc4555-3.3-child-takes-addresses-of-ike-sa")
@turned_red_by("takes-child-address-from-packet")
def test_child_sa_takes_the_addresses_of_the_ike_sa(established, target, elsewhere):
    """
    peer                                        target
    HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr}  (from another address) -->
                                        <--     HDR, SK {SA, Nr, TSi, TSr}  (to it)
                                        <--     ESP {echo request of the target}  (to the first one)
    """
    old = established.child
    with established.elsewhere(elsewhere):
        request = established.rekey_child_sa()
        established.take_up_child(request, established.exchange(request))
        established.close_child(old)

    target.echo()

    first = established.ike.local.address
    assert established.hear_esp().packet.destination.address == first, "ESP follows the request"


@MOBILE
@pytest.mark.parametrize("listed", ["one", "none", "many"])
@requirement("rfc4555-3.6-address-list-answered")
@turned_red_by("closes-on-address-list")
def test_list_of_addresses_is_answered(established, elsewhere, station, listed, administrative):
    """
    peer                                        target
    HDR, SK {N(ADDITIONAL_*_ADDRESS).. or N(NO_ADDITIONAL_ADDRESSES)} -->
                                        <--     HDR, SK {}
    """
    one, many = (elsewhere,), (elsewhere, station.addresses.ipv6, *[elsewhere] * 20)
    payloads = address_list({"one": one, "none": (), "many": many}[listed])

    response = established.exchange(established.informational(*payloads))

    if listed == "many" and NotifyType.INVALID_SYNTAX in response.notifies:
        administrative("a message of 22 notifies is too much")
        return
    assert not [each for each in response.all(Notify) if each.notify_type < 16384]
    home = established.ike.local.address
    assert established.heard_echo().packet.destination.address == home, "a list moves nothing"
