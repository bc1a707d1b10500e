"""RFC 7296, 2.23.1: transport mode through a NAT."""

import pytest

from peers.reference.nat import Claim
from peers.reference.numbers import NotifyType
from peers.reference.payloads import TSi, TSr
from peers.targets.base import Capability
from suites.judge import as_responder, needs, requirement, turned_red_by
from suites.terms import FAMILIES, TRANSPORT

pytestmark = needs(Capability.TRANSPORT_MODE)


@FAMILIES
@TRANSPORT
@requirement("rfc7296-2.23.1-responder-substitutes-selectors")
@turned_red_by("takes-inner-address-for-selector", "mends-no-checksum")
def test_responder_grants_transport_mode_through_a_nat(nat, peer, administrative):
    """
    peer (IP1)          NAT (IPN1)              target (IP2)
    HDR, SK {.., N(USE_TRANSPORT_MODE), SAi2, TSi = IP1, TSr = IP2} -->
                             <--           <--  HDR, SK {.., TSi = IPN1, TSr = IP2}
    UDP {ESP {ICMP}}    -->                -->
                             <--           <--  UDP {ESP {ICMP}}
    PREVENTS: selectors of an address that nobody outside of the NAT has.
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    response = peer.exchange(request)
    if NotifyType.NO_PROPOSAL_CHOSEN in response.notifies:
        administrative("transport mode through a NAT is refused")
        return

    peer.take_up(request, response)
    assert NotifyType.USE_TRANSPORT_MODE in response.notifies, "tunnel mode was granted"
    assert peer.echo(), "the Child SA carries no traffic in transport mode"


@FAMILIES
@TRANSPORT
@pytest.mark.parametrize("claim", [Claim.OURS], ids=["claimed"])
@as_responder
@requirement("rfc7296-2.23-esp-encapsulated-through-nat")
@turned_red_by("sends-plain-esp-through-nat", "detects-no-nat", "stays-on-port-500")
def test_initiator_uses_transport_mode_through_a_nat(accepted):
    """
    peer (its source hash is wrong)             target
                                        <--     HDR, SK {.., N(USE_TRANSPORT_MODE), SAi2, TSi, TSr}
    HDR, SK {.., N(USE_TRANSPORT_MODE), SAr2, TSi, TSr} -->
    UDP {ESP {ICMP}}                    -->
                                        <--     UDP {ESP {ICMP}}
    """
    packet = accepted.heard_echo().packet

    assert packet.carrier.name == "UDP", "ESP without UDP although there is a NAT"


@FAMILIES
@TRANSPORT
@pytest.mark.parametrize("claim", [Claim.OURS], ids=["claimed"])
@as_responder
@requirement("rfc7296-2.23.1-initiator-selectors-of-one-address")
@turned_red_by("asks-for-two-addresses-in-transport-mode")
def test_initiator_asks_with_its_address_and_that_of_the_peer(peer, target):
    """
    peer (its source hash is wrong)             target
                                        <--     HDR, SK {.., N(USE_TRANSPORT_MODE), SAi2,
                                                TSi = its address, TSr = that of the peer}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()

    assert NotifyType.USE_TRANSPORT_MODE in request.notifies, f"tunnel mode is asked for: {request}"
    for kind, address in ((TSi, target.connection.local), (TSr, target.connection.remote)):
        ends = {(each.start_address, each.end_address) for each in request.get(kind).ranges}
        assert ends == {(address, address)}, f"{kind.__name__} is not of {address} alone: {request}"
