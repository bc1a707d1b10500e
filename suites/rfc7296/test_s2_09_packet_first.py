"""RFC 7296, 2.9 and 2.9.2: the selectors of the packet that a Child SA is asked for because of."""

from dataclasses import replace

from peers.reference.numbers import ExchangeType
from peers.reference.payloads import TSi, TSr
from peers.targets.base import Capability
from suites.judge import as_responder, differs, requirement, turned_red_by
from suites.terms import arranged

pytestmark = arranged(lambda described: replace(described, on_demand=True), Capability.ON_DEMAND)


@as_responder
@requirement("rfc7296-2.9-selectors-of-the-packet-first")
@turned_red_by("forgets-the-packet-that-it-begins-for")
def test_selectors_of_the_packet_come_first(peer, target):
    """
    peer                                        target (a packet of its network wants to go)
                                        <--     HDR, SAi1, KEi, Ni
    HDR, SAr1, KEr, Nr                  -->
                                        <--     HDR, SK {.., TSi(the packet's source, network),
                                                     TSr(the packet's destination, network)}
    PREVENTS: a responder that has to narrow, and cannot know to what.
    """
    target.echo()
    request = peer.accept_ike_sa_init()

    if not _begin_with_one_address(request):
        differs(f"the selectors of the packet do not come first: {request}")


@as_responder
@requirement("rfc7296-2.9.2-no-packet-selectors-in-rekey")
@turned_red_by("puts-a-packet-first-in-rekeys")
def test_rekey_does_not_begin_with_a_packet(peer, target):
    """
    peer                                        target (a packet of its network wants to go)
                                        <--     HDR, SK {.., SAi2, TSi, TSr}
    HDR, SK {.., SAr2, TSi, TSr}        -->
                                        <--     HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr}
    """
    target.echo()
    peer.accept()
    peer.settle()
    target.rekey_child()

    request = peer.hear_request(ExchangeType.CREATE_CHILD_SA)
    if _begin_with_one_address(request):
        differs(f"a rekey begins with the selectors of one packet: {request}")


def _begin_with_one_address(request):
    """Say whether both payloads begin with one address, and something larger follows."""
    firsts = [request.get(kind).ranges for kind in (TSi, TSr)]
    return all(len(each) > 1 and each[0].start_address == each[0].end_address for each in firsts)
