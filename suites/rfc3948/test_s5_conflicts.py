"""RFC 3948, 5: two peers behind NATs whose traffic cannot be told apart by its addresses."""

import pytest

from suites.judge import requirement, turned_red_by
from suites.observe import sets_up_child_sa
from suites.terms import TRANSPORT

ONE_NAT = pytest.mark.parametrize("behind_one_nat", [True], ids=["one-nat"])


def _are_kept_apart(peer, neighbour, administrative, observed):
    """Have both set up Child SAs; neither may get what the other one has asked for."""
    peer.remark("the first peer sets up its Child SA")
    if not sets_up_child_sa(peer):
        administrative("the first peer is refused: there is nothing to be mixed up")
        return
    assert peer.echo(), "the first peer's Child SA carries no traffic"
    peer.remark("the second peer sets up its own; what comes under its SPI is for that one")
    if not sets_up_child_sa(neighbour):
        observed("the second peer is refused")
        return
    asked = []
    for asking, other, whose in ((peer, neighbour, "first"), (neighbour, peer, "second")):
        peer.remark(f"the {whose} peer asks")
        request = asking.echo_request(f"the {whose} peer's".encode().ljust(56))
        asking.say_esp(asking.seal(request))
        asked.append((request, other, whose))
        if not asking.has_reply_of(request):
            observed(f"the {whose} peer gets no replies")
    # A kernel may be slower than the daemon that answers the fences: so all are looked for last.
    for request, other, whose in asked:
        assert not other.has_reply_of(request), f"the other one gets the {whose} peer's reply"


@requirement("rfc3948-5.1-equal-inner-addresses-kept-apart")
@turned_red_by("answers-the-newest-peer")
def test_peers_with_equal_inner_addresses_are_kept_apart(peer, neighbour, administrative, observed):
    """
    peer and neighbour (behind a NAT each)      target
    peer: HDR, SAi1, ..                 -->
                                        <--     .., SAr2, TSi(10.x.y.0/24), TSr
    neighbour: HDR, SAi1, ..            -->
                                        <--     .., SAr2, TSi(10.x.y.0/24), TSr, or a refusal
    either: UDP {ESP {echo request from 10.x.y.1}} -->
                                                no reply to the other one
    PREVENTS: what is meant for one laptop reaches another one.
    """
    _are_kept_apart(peer, neighbour, administrative, observed)


@ONE_NAT
@TRANSPORT
@requirement("rfc3948-5.2-overlapping-clients-kept-apart")
@turned_red_by("answers-the-newest-peer")
def test_clients_behind_one_nat_are_kept_apart(peer, neighbour, administrative, observed):
    """
    peer and neighbour (behind one NAT)         target
    peer: HDR, SAi1, ..                 -->
                                        <--     .., N(USE_TRANSPORT_MODE), SAr2, TSi(NAT), TSr
    neighbour: HDR, SAi1, ..            -->
                                        <--     the same, or a refusal
    either: UDP {ESP {echo request}}    -->
                                                no reply to the other one
    """
    _are_kept_apart(peer, neighbour, administrative, observed)
