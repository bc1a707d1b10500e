"""RFC 4301, 5.2: packets in the clear, where the policy is to protect."""

from peers.reference.errors import Inconclusive
from peers.reference.ip import Echo
from peers.targets.base import Capability
from suites.judge import esp_alone, needs, requirement, turned_red_by
from suites.terms import FAMILIES, TRANSPORT

pytestmark = esp_alone


@FAMILIES
@TRANSPORT
@needs(Capability.TRANSPORT_MODE)
@requirement("rfc4301-5.2-unprotected-packet-discarded")
@turned_red_by("lets-clear-traffic-in")
def test_packet_in_the_clear_is_discarded(established, station, family):
    """
    peer                                        target
    (echo request of an address without an SA) -->
                                        <--     (echo reply)
    (echo request, without ESP)         -->
                                                nothing
    ESP {echo request} (fence)          -->
                                        <--     ESP {echo reply}
    PREVENTS: a peer's address is enough to be taken for that peer.
    """
    request = established.echo_request()
    stranger = station.addresses.of(family)[1]
    control = Echo.find(request).between(stranger, request.destination)
    if not established.passes_in_the_clear(control):
        raise Inconclusive("an echo request passes in the clear from nowhere: nothing is shown")

    assert not established.passes_in_the_clear(request), "it was taken, and replied to"
