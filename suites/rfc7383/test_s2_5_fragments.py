"""RFC 7383, 2.5: the fragments that a target sends, seen one by one."""

from peers.reference.numbers import ExchangeType
from suites.fragmentation import FRAGMENTED, LARGE, assert_well_made
from suites.judge import as_responder, requirement, turned_red_by

ROWS = (
    "rfc7383-2.5-fragments-are-numbered",
    "rfc7383-2.5-first-payload-in-first-fragment",
    "rfc7383-2.5-header-is-that-of-the-message",
    "rfc7383-2.5-fragment-payload-is-last",
    "rfc7383-2.4-used-where-ip-would-fragment",
)
FAULTS = (
    "names-the-first-payload-in-each-fragment",
    "counts-fragments-of-a-larger-total",
    "sets-a-flag-in-later-fragments",
    "puts-a-payload-before-later-fragments",
)


@FRAGMENTED
@LARGE
@requirement(*ROWS)
@turned_red_by(*FAULTS)
def test_fragments_of_a_response(peer):
    """
    peer                                        target
    HDR, SK {IDi, CERT+, .., AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SKF(1 of n) {..}, .. HDR, SKF(n of n) {..}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    response = peer.exchange(request)

    assert_well_made(peer.fragments_heard(response), response)
    peer.take_up(request, response)
    assert peer.echo(), "the Child SA carries no traffic"


@FRAGMENTED
@LARGE
@as_responder
@requirement(*ROWS)
@turned_red_by(*FAULTS)
def test_fragments_of_a_request(peer, target):
    """
    peer                                        target
                                        <--     HDR, SKF(1 of n) {..}, .. HDR, SKF(n of n) {..}
    HDR, SK {IDr, CERT+, AUTH, SAr2, TSi, TSr} -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()

    assert_well_made(peer.fragments_heard(request), request)
    peer.answer(request, peer.ike_auth_response(request))
    assert peer.exchange(peer.informational()).exchange == ExchangeType.INFORMATIONAL
    assert peer.echo(), "the Child SA carries no traffic"
