"""RFC 7296, 2.9: traffic selectors are narrowed, or refused."""

from ipaddress import ip_network

from peers.reference.negotiation import selectors, within
from peers.reference.numbers import NotifyType
from peers.reference.payloads import AUTH, SA, IDr, TSi, TSr
from suites.judge import requirement, turned_red_by, twin_of

EVERYWHERE = TSr(selectors([ip_network("0.0.0.0/0")]))
ELSEWHERE = TSr(selectors([ip_network("203.0.113.0/24")]))


@requirement("rfc7296-2.9-narrowed-to-subset")
@turned_red_by("does-not-narrow")
def test_wide_selectors_are_narrowed_to_the_configuration(peer):
    """
    peer                                        target (TSr = its network)
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr(0.0.0.0/0)} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr(its network)}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    peer.open_ike_sa()
    request = peer.ike_auth().replacing(EVERYWHERE)
    response = peer.exchange(request)

    allowed = selectors(peer.connection.remote_selectors)
    assert within(response.get(TSr).ranges, allowed), "more was granted than is configured"
    peer.take_up(request, response)
    assert peer.echo(), "the Child SA carries no traffic"


@requirement("rfc7296-2.9-ts-unacceptable")
@turned_red_by("calls-selectors-a-proposal", "closes-ike-sa-without-child")
def test_foreign_selectors_are_refused_and_the_ike_sa_stays(peer):
    """
    peer                                        target (TSr = its network)
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr(another network)} -->
                                        <--     HDR, SK {IDr, AUTH, N(TS_UNACCEPTABLE)}
    HDR, SK {}                          -->
                                        <--     HDR, SK {}
    """
    peer.open_ike_sa()

    response = peer.exchange(peer.ike_auth().replacing(ELSEWHERE))

    assert response.has(IDr, AUTH), "the responder does not authenticate itself"
    assert not response.has(SA), "a Child SA for a network that is not configured"
    assert NotifyType.TS_UNACCEPTABLE in response.notifies, f"refused otherwise: {response}"
    peer.exchange(peer.informational())


@twin_of(test_foreign_selectors_are_refused_and_the_ike_sa_stays)
@requirement("rfc7296-2.9-whole-offer-kept")
@turned_red_by("narrows-to-one-host")
def test_configured_selectors_are_granted_whole(peer):
    """
    peer                                        target (TSr = its network)
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr(its network)} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr(its network)}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()

    response = peer.exchange(request)

    for kind in (TSi, TSr):
        asked, got = request.get(kind), response.get(kind)
        assert got.selectors == asked.selectors, f"{asked} was narrowed to {got}"
