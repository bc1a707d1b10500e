"""RFC 7296, 2.23: going through a NAT, and being found again when it forgets."""

import pytest

from peers.reference.events import Carrier
from peers.reference.nat import Claim
from peers.reference.numbers import ExchangeType
from suites.judge import as_responder, differs, requirement, turned_red_by, twin_of
from suites.terms import FAMILIES, SUITES

CLAIMED = pytest.mark.parametrize("claim", [Claim.OURS], ids=["claimed"])
TARGET_NATTED = pytest.mark.parametrize("claim", [Claim.THEIRS], ids=["target-natted"])


@FAMILIES
@SUITES
@CLAIMED
@requirement("rfc7296-2.23-esp-encapsulated-through-nat", "rfc3948-2.1-ports-of-ike")
@turned_red_by("sends-plain-esp-through-nat", "detects-no-nat")
def test_responder_puts_esp_into_udp(established):
    """
    peer (its source hash is wrong)             target
    HDR, SAi1, KEi, Ni, N(NAT_DETECTION_*_IP) -->
                                        <--     HDR, SAr1, KEr, Nr, N(NAT_DETECTION_*_IP)
    marker, HDR, SK {..}  (port 4500)   -->
                                        <--     marker, HDR, SK {..}
    UDP {ESP {echo request}}            -->
                                        <--     UDP {ESP {echo reply}}
    """
    packet = established.heard_echo().packet

    assert packet.carrier is Carrier.UDP, "ESP without UDP although there is a NAT"
    ends = established.ike.remote, established.ike.local
    assert (packet.source, packet.destination) == ends, "not the ports of IKE"


@FAMILIES
@CLAIMED
@as_responder
@requirement(
    "rfc7296-2.23-initiator-goes-on-on-4500",
    "rfc7296-2-non-esp-marker",
    "rfc3948-2.2-non-esp-marker",
)
@turned_red_by("stays-on-port-500", "detects-no-nat", "sends-plain-esp-through-nat")
def test_initiator_goes_on_on_port_4500(peer, target):
    """
    peer (its source hash is wrong)             target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, SAr1, KEr, Nr, N(NAT_DETECTION_*_IP) -->
                                        <--     marker, HDR, SK {..}  (port 4500)
    marker, HDR, SK {..}                -->
    UDP {ESP {echo request}}            -->
                                        <--     UDP {ESP {echo reply}}
    """
    target.initiate()
    first = peer.hear_request(ExchangeType.IKE_SA_INIT)
    peer.answer(first, peer.ike_sa_init_response(first))
    heard = peer.hear_request_octets(ExchangeType.IKE_AUTH)

    ports = heard.packet.source.port, heard.packet.destination.port
    assert ports == (4500, 4500), f"IKE_AUTH on ports {ports} although there is a NAT"
    peer.answer(heard.message, peer.ike_auth_response(heard.message))
    assert peer.heard_echo().packet.carrier is Carrier.UDP, "ESP without UDP"


@pytest.mark.parametrize("claims_nat", [True], ids=["target-claims"])
@as_responder
@requirement("rfc7296-2.23-esp-encapsulated-through-nat")
@turned_red_by("sends-plain-esp-through-nat", "stays-on-port-500", "sends-no-nat-detection")
def test_target_that_claims_a_nat_puts_esp_into_udp(accepted):
    """
    peer                                        target (configured to encapsulate)
                                        <--     HDR, SAi1, KEi, Ni, N(NAT_DETECTION_*_IP)
    HDR, SAr1, KEr, Nr                  -->
                                        <--     marker, HDR, SK {..}  (port 4500)
    ..
    """
    assert accepted.ike.nat.theirs, "the source hash of the target is right"
    assert accepted.heard_echo().packet.carrier is Carrier.UDP, "ESP without UDP"


@FAMILIES
@requirement("rfc7296-2.23-esp-encapsulated-through-nat", "rfc3948-2.1-spi-not-zero")
@turned_red_by("sends-plain-esp-through-nat", "detects-no-nat")
def test_peer_behind_a_nat_is_served_after_rekeys_too(nat, established, target):
    """
    peer                NAT                     target
    HDR, SAi1, ..       -->                -->
    ..  (port 4500 from IKE_AUTH on, IKE SA and Child SA rekeyed by the peer)
    UDP {ESP {echo request}} -->           -->
                             <--           <--  UDP {ESP {echo reply}}
    """
    assert established.heard_echo().packet.carrier is Carrier.UDP
    new, request = established.rekey_ike()
    established.take_up_ike(new, request, established.exchange(request))
    request = established.create_child_sa(established.rekeys_child())
    established.take_up_child(request, established.exchange(request))

    packet = established.heard_echo().packet

    assert packet.carrier is Carrier.UDP, "ESP without UDP after a rekey"
    assert packet.source == established.ike.remote
    assert not nat.lost


@pytest.mark.parametrize("moves", ["port", "address"])
@requirement("rfc7296-2.23-address-follows-authenticated-packet")
@turned_red_by("follows-with-ike-only", "follows-nobody")
def test_esp_follows_an_ike_packet_from_a_new_mapping(nat, established, target, station, moves):
    """
    peer                NAT                     target
    UDP {ESP {echo request}} -->            -->
                             <--           <--  UDP {ESP {echo reply}}
    HDR, SK {}          -->  (a new mapping) -->
                             <--           <--  HDR, SK {}
                             <--  (to it)  <--  UDP {ESP {echo request of the target}}
    PREVENTS: F40, IKE moves and ESP does not.
    """
    assert established.echo(), "the Child SA carries no traffic before the NAT is rebooted"
    nat.rebind(station.addresses.of(4)[1] if moves == "address" else None)
    established.exchange(established.informational())

    target.echo()

    packet = established.hear_esp().packet
    assert packet.source == established.ike.remote
    assert not nat.lost, "ESP goes to the old mapping"


@pytest.mark.parametrize("moves", ["port", "address"])
@requirement("rfc7296-2.23-address-follows-authenticated-packet")
@turned_red_by("follows-nobody")
def test_ike_follows_an_esp_packet_from_a_new_mapping(nat, established, target, station, moves):
    """
    peer                NAT                     target
    UDP {ESP {echo request}} --> (a new mapping) -->
                             <--           <--  UDP {ESP {echo reply}}
                             <--  (to it)  <--  HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr}
    """
    nat.rebind(station.addresses.of(4)[1] if moves == "address" else None)
    assert established.echo(), "ESP from a new mapping is not answered"
    target.rekey_child()

    request = established.hear_request(ExchangeType.CREATE_CHILD_SA)

    established.answer(request, established.grant_child(request))
    assert established.echo(), "the Child SA that was made carries no traffic"


@TARGET_NATTED
@requirement("rfc7296-2.23-natted-host-does-not-follow")
@turned_red_by("follows-behind-nat")
def test_target_behind_a_nat_follows_nobody(nat, established, target, station):
    """
    peer                NAT                     target (told that it is behind a NAT)
    HDR, SK {}          -->  (another address) -->
                             <--           <--  HDR, SK {}
    (back at the old mapping)
                             <--           <--  UDP {ESP {echo request of the target}}
    PREVENTS: one captured and resent packet that takes an SA away.
    """
    with nat.elsewhere(station.addresses.of(4)[1]):
        established.exchange(established.informational())

    target.echo()
    established.hear_esp()

    if nat.lost:
        differs("the target followed although it is behind a NAT itself")


@twin_of(test_responder_puts_esp_into_udp)
@FAMILIES
@requirement("rfc7296-2.23-both-forms-of-esp-processed", "rfc3948-2.1-any-checksum-taken")
@turned_red_by("wants-plain-esp")
def test_esp_in_udp_is_processed_without_a_nat(established):
    """
    peer                                        target (no NAT detected)
    UDP {ESP {echo request}}  (port 4500) -->
                                        <--     ESP or UDP {ESP {echo reply}}
    """
    request = established.echo_request()

    assert established.delivered_in_udp(request), "ESP in UDP is not processed without a NAT"


@CLAIMED
@requirement("rfc7296-2.23-both-forms-of-esp-processed")
@turned_red_by("wants-esp-in-udp")
def test_plain_esp_is_processed_behind_a_nat(established):
    """
    peer (its source hash is wrong)             target
    ESP {echo request}                  -->
                                        <--     UDP {ESP {echo reply}}
    """
    request = established.echo_request()

    assert established.delivered_plain(request), "plain ESP is not processed where a NAT is"
