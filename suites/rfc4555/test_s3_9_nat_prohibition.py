"""RFC 4555, 3.9: without NAT traversal no NAT may change addresses."""

import pytest

from peers.reference.mobike import no_nats_allowed
from peers.reference.numbers import NotifyType
from suites.judge import requirement, turned_red_by, twin_of
from suites.terms import FAMILIES, arranged, lets_the_peer_move

MOBILE = arranged(lets_the_peer_move)


@pytest.fixture
def untraversing(peer):
    """Give a peer that has set up an IKE SA without NAT detection, and so without NAT traversal."""
    peer.traverses_nats = False
    peer.establish()
    return peer


@FAMILIES
@MOBILE
@requirement("rfc4555-3.9-no-nats-allowed-verified")
@turned_red_by("allows-nats")
def test_changed_address_is_refused(untraversing, station, family):
    """
    peer                                        target
    (at another address; N(NO_NATS_ALLOWED) has the first one)
    HDR, SK {N(UPDATE_SA_ADDRESSES), N(NO_NATS_ALLOWED)} -->
                                        <--     HDR, SK {N(UNEXPECTED_NAT_DETECTED)}
    """
    wrong = no_nats_allowed(untraversing.ike.local, untraversing.ike.remote)
    untraversing.move(station.addresses.of(family)[1])
    request = untraversing.update_addresses().replacing(wrong)

    response = untraversing.exchange(request, "another source address in NO_NATS_ALLOWED")

    refused = NotifyType.UNEXPECTED_NAT_DETECTED in response.notifies
    assert refused, "an address that is not the one that was sent from is taken"


@twin_of(test_changed_address_is_refused)
@FAMILIES
@MOBILE
@requirement("rfc4555-3.9-no-nats-allowed-verified")
@turned_red_by("moves-by-no-update")
def test_unchanged_address_is_taken(untraversing, station, family):
    """
    peer                                        target
    (at another address)
    HDR, SK {N(UPDATE_SA_ADDRESSES), N(NO_NATS_ALLOWED)} -->
                                        <--     HDR, SK {}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    elsewhere = station.addresses.of(family)[1]

    response = untraversing.relocate(elsewhere)

    assert NotifyType.UNEXPECTED_NAT_DETECTED not in response.notifies
    assert untraversing.heard_echo().packet.destination.address == elsewhere
