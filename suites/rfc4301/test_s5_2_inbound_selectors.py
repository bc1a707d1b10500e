"""RFC 4301, 5.2: what comes out of ESP must match the selectors of its SA."""

from dataclasses import replace
from ipaddress import ip_address

from peers.reference import ip
from suites.judge import esp_alone, requirement, turned_red_by, twin_of

pytestmark = esp_alone


def _from(established, source):
    genuine = established.echo_request()
    echo = ip.Echo.find(genuine)
    return replace(echo, data=bytes(56)).between(source, genuine.destination)


@requirement("rfc4301-5.2-inner-packet-matched-to-selectors")
@turned_red_by("ignores-selectors-of-inbound-packets")
def test_inner_source_outside_the_selectors_is_discarded(established):
    """
    peer                                        target
    ESP {echo request from 203.0.113.7} -->
                                                nothing
    ESP {echo request} (fence)          -->
                                        <--     ESP {echo reply}
    PREVENTS: a peer that speaks for networks which are not its own.
    """
    stranger = _from(established, ip_address("203.0.113.7"))

    seen = established.delivered(stranger, established.seal(stranger), "inner source not in TSi")

    assert not seen, "a packet outside the selectors was delivered and answered"


@twin_of(test_inner_source_outside_the_selectors_is_discarded)
@requirement("rfc4301-5.2-inner-packet-matched-to-selectors")
@turned_red_by("admits-first-host-only", "narrows-to-one-host")
def test_inner_source_inside_the_selectors_is_delivered(established):
    """
    peer                                        target
    ESP {echo request from the last address of TSi} -->
                                        <--     ESP {echo reply}
    """
    last = ip_address(int(established.child.terms.local_selectors[0].end_address) - 1)
    neighbour = _from(established, last)

    assert established.delivered(neighbour, established.seal(neighbour))
