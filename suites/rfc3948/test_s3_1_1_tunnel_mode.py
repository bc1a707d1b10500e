"""RFC 3948, 3.1.1: what comes out of tunnel mode through a NAT."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from peers.reference import ip
from peers.reference.nat import Claim
from suites.judge import requirement, turned_red_by, twin_of

CLAIMED = pytest.mark.parametrize("claim", [Claim.OURS], ids=["claimed"])


def _from(established, source):
    genuine = established.echo_request()
    return replace(ip.Echo.find(genuine), data=bytes(56)).between(source, genuine.destination)


@CLAIMED
@requirement("rfc3948-3.1.1-inner-source-suits")
@turned_red_by("ignores-selectors-of-inbound-packets")
def test_inner_source_that_was_not_agreed_on_is_not_delivered(established):
    """
    peer (its source hash is wrong)             target
    UDP {ESP {echo request from 203.0.113.7}} -->
                                                nothing
    UDP {ESP {echo request}} (fence)    -->
                                        <--     UDP {ESP {echo reply}}
    PREVENTS: a host behind a NAT that speaks for whomever it likes.
    """
    inside = _from(established, ip_address("203.0.113.7"))

    seen = established.delivered(inside, established.seal(inside), "inner source not in TSi")

    assert not seen, "a packet from an inner address that was not agreed on was delivered"


@CLAIMED
@twin_of(test_inner_source_that_was_not_agreed_on_is_not_delivered)
@requirement("rfc3948-3.1.1-inner-source-suits")
@turned_red_by("admits-first-host-only", "narrows-to-one-host")
def test_inner_source_that_was_agreed_on_is_delivered(established):
    """
    peer (its source hash is wrong)             target
    UDP {ESP {echo request from the last address of TSi}} -->
                                        <--     UDP {ESP {echo reply}}
    """
    last = ip_address(int(established.child.terms.local_selectors[0].end_address) - 1)
    neighbour = _from(established, last)

    assert established.delivered(neighbour, established.seal(neighbour))
