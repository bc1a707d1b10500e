"""RFC 3948, 3.1.2: checksums of what comes out of ESP that a NAT has carried."""

import pytest

from peers.reference import tcp
from peers.reference.nat import Claim
from peers.targets.base import Capability
from suites.judge import needs, requirement, turned_red_by, twin_of
from suites.observe import sets_up_child_sa
from suites.terms import FAMILIES, TRANSPORT

CLAIMED = pytest.mark.parametrize("claim", [Claim.OURS], ids=["claimed"])


@FAMILIES
@TRANSPORT
@needs(Capability.TRANSPORT_MODE)
@pytest.mark.usefixtures("nat")
@requirement("rfc3948-3.1.2-checksums-mended")
@turned_red_by("mends-no-checksum")
def test_tcp_in_transport_mode_through_a_nat_is_taken(peer, administrative):
    """
    peer                NAT                     target
    UDP {ESP {TCP SYN}} -->                -->         its checksum covers the address inside
                             <--           <--  UDP {ESP {TCP RST}}
    PREVENTS: a Child SA through which an echo goes, and nothing that anybody needs.
    """
    if not sets_up_child_sa(peer):
        administrative("transport mode through a NAT is refused")
        return

    assert peer.is_refused(peer.syn()), "a TCP segment did not get through"


@FAMILIES
@CLAIMED
@requirement("rfc3948-3.1.2-tunnel-checksums-verified")
@turned_red_by("looks-at-no-tcp-checksum")
def test_tcp_of_a_wrong_checksum_in_tunnel_mode_is_not_taken(established):
    """
    peer (its source hash is wrong)             target
    UDP {ESP {TCP SYN}} (checksum wrong) -->
                                                nothing
    UDP {ESP {echo request}} (fence)    -->
                                        <--     UDP {ESP {echo reply}}
    PREVENTS: what was broken before it was protected is taken for sound.
    """
    broken = tcp.with_wrong_checksum(established.syn())

    assert not established.is_refused(broken, "TCP checksum"), "a broken TCP segment was taken"


@FAMILIES
@CLAIMED
@twin_of(test_tcp_of_a_wrong_checksum_in_tunnel_mode_is_not_taken)
@requirement("rfc3948-3.1.2-tunnel-checksums-verified")
@turned_red_by("finds-every-tcp-checksum-wrong")
def test_tcp_in_tunnel_mode_is_taken(established):
    """
    peer (its source hash is wrong)             target
    UDP {ESP {TCP SYN}}                 -->
                                        <--     UDP {ESP {TCP RST}}
    """
    assert established.is_refused(established.syn()), "a TCP segment did not get through"
