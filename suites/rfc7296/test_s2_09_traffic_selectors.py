"""RFC 7296, 2.9: traffic selectors are narrowed, or refused."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from peers.reference.negotiation import selectors, within
from peers.reference.numbers import ExchangeType, IpProtocol, NotifyType, TrafficSelectorType
from peers.reference.payloads import AUTH, SA, Delete, IDr, TSi, TSr
from peers.reference.substructures import UnknownSelector
from suites.judge import as_responder, differs, requirement, turned_red_by, twin_of

EVERYWHERE = TSr(selectors([ip_network("0.0.0.0/0")]))
SHAPES = pytest.mark.parametrize(
    "shape",
    [
        pytest.param(lambda net, at: [_range(net, at + 1, at + 1)], id="one-host"),
        pytest.param(lambda net, at: [_range(net, at, at + 127)], id="half-of-it"),
        pytest.param(lambda net, at: [_range(net, at, at + 100)], id="no-prefix"),
        pytest.param(
            lambda net, at: [_range(net, at + 1, at + 1), _range(net, at + 7, at + 7)], id="two"
        ),
        pytest.param(lambda net, _: [replace(net, ip_protocol=IpProtocol.ICMP)], id="one-protocol"),
    ],
)
"""Selectors within a network, of which its first host is one."""

ELSEWHERE = TSr(selectors([ip_network("203.0.113.0/24")]))


@requirement("rfc7296-2.9-narrowed-to-subset")
@turned_red_by("does-not-narrow", "wants-single-pairs-of-wide-offers")
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


@requirement("rfc7296-2.9-first-selector-kept")
@turned_red_by("narrows-to-the-last-selector", "refuses-less-than-it-is-configured-for")
def test_first_selectors_are_in_what_is_granted(peer):
    """
    peer                                        target (TSr = its network)
    HDR, SK {.., TSi(host a, host b), TSr(host c, host d, all)} -->
                                        <--     HDR, SK {.., TSi(a is in it), TSr(c is in it)}
    PREVENTS: an SA that is not for the packet for which it was asked.
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    asked = TSi(_hosts(request.get(TSi), 5, 9)), TSr(_hosts(request.get(TSr), 1, 7))
    request = request.replacing(asked[0])
    request = request.replacing(TSr((*asked[1].ranges, *EVERYWHERE.ranges)))
    response = peer.exchange(request)

    for each in asked:
        granted = response.get(type(each)).ranges
        first = each.ranges[:1]
        assert within(first, granted), f"the first selector is not in {response.get(type(each))}"
    peer.take_up(request, response)
    assert peer.echo(), "the Child SA carries no traffic"


@SHAPES
@requirement("rfc7296-2.9-first-selector-kept", "rfc7296-2.9-narrowed-to-subset")
@turned_red_by("refuses-less-than-it-is-configured-for")
def test_selectors_within_the_configuration_are_granted(peer, shape):
    """
    peer                                        target (TSr = its network)
    HDR, SK {.., TSi, TSr(some of its network)} -->
                                        <--     HDR, SK {.., TSi, TSr(the first of it, at least)}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    PREVENTS: selectors that are refused, or an SA for others, because they are no whole network.
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    [network] = request.get(TSr).ranges
    asked = TSr(tuple(shape(network, network.start_address)))
    request = request.replacing(asked)
    response = peer.exchange(request)

    assert response.has(TSr), f"refused, though it is within the configuration: {response}"
    granted = response.get(TSr).ranges
    assert within(asked.ranges[:1], granted), f"the first selector is not in {response.get(TSr)}"
    assert within(granted, asked.ranges), f"more than was asked for: {response.get(TSr)}"
    peer.take_up(request, response)
    assert peer.echo(), "the Child SA carries no traffic"


@requirement("rfc7296-2.9-narrow-rather-than-single-pair")
@turned_red_by("wants-single-pairs-of-wide-offers")
def test_partly_acceptable_selectors_are_narrowed(peer):
    """
    peer                                        target (TSr = its network)
    HDR, SK {.., TSi, TSr(its network, another network)} -->
                                        <--     HDR, SK {.., TSi, TSr(its network)}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    own = request.get(TSr).ranges
    request = request.replacing(TSr((*own, *ELSEWHERE.ranges)))
    response = peer.exchange(request)

    if NotifyType.SINGLE_PAIR_REQUIRED in response.notifies:
        differs("SINGLE_PAIR_REQUIRED for what could be narrowed")
    assert within(response.get(TSr).ranges, own), "more was granted than is configured"
    peer.take_up(request, response)
    assert peer.echo(), "the Child SA carries no traffic"


STRANGE = UnknownSelector(TrafficSelectorType(200), 0, bytes(range(12)))


@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
@requirement("rfc7296-2.9-unknown-selector-type-ignored")
@turned_red_by("refuses-unknown-selector-types")
def test_selector_of_an_unknown_type_is_passed_over(peer, first):
    """
    peer                                        target
    HDR, SK {.., TSi(type 200, network), TSr(type 200, network)} -->
                                        <--     HDR, SK {.., TSi(network), TSr(network)}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    for kind in (TSi, TSr):
        known = request.get(kind).selectors
        request = request.replacing(kind((STRANGE, *known) if first else (*known, STRANGE)))
    response = peer.exchange(request)

    assert response.has(TSi, TSr), f"no Child SA: {response}"
    for kind in (TSi, TSr):
        returned = response.get(kind)
        assert returned.ranges == returned.selectors, f"it comes back: {returned}"
    peer.take_up(request, response)
    assert peer.echo(), "the Child SA carries no traffic"


@requirement("rfc7296-2.9.2-rekey-not-narrowed")
@turned_red_by("narrows-on-rekey")
def test_rekeyed_child_sa_is_not_narrower(established):
    """
    peer                                        target
    HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr} -->
                                        <--     HDR, SK {SA, Nr, TSi(the same), TSr(the same)}
    """
    old = established.child.terms
    request = established.rekey_child_sa()
    response = established.exchange(request)

    assert response.has(TSi, TSr), f"no rekey: {response}"
    assert within(old.local_selectors, response.get(TSi).ranges), "TSi is narrower than it was"
    assert within(old.remote_selectors, response.get(TSr).ranges), "TSr is narrower than it was"
    established.take_up_child(request, response)
    assert established.echo(), "the Child SA carries no traffic"


@requirement("rfc7296-2.9.2-rekey-not-narrowed")
@turned_red_by("narrows-on-rekey", "wants-single-pairs-of-wide-offers")
def test_wider_offer_on_a_rekey_is_narrowed_to_no_less_than_there_was(established):
    """
    peer                                        target (TSr = its network)
    HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr(0.0.0.0/0)} -->
                                        <--     HDR, SK {SA, Nr, TSi, TSr(its network)}
    """
    old = established.child.terms
    request = established.rekey_child_sa().replacing(EVERYWHERE)
    response = established.exchange(request)

    assert response.has(TSi, TSr), f"no rekey: {response}"
    granted = response.get(TSr).ranges
    allowed = selectors(established.connection.remote_selectors)
    assert within(old.remote_selectors, granted), "TSr is narrower than it was"
    assert within(granted, allowed), "more was granted than is configured"


@as_responder
@requirement("rfc7296-2.9.2-rekey-offers-the-same", "rfc7296-2.8-rekey-keeps-terms")
@turned_red_by("asks-for-less-on-rekey")
def test_target_offers_the_same_selectors_when_it_rekeys(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr}
                                                with TSi and TSr of the old one, or wider
    """
    old = accepted.child.terms
    target.rekey_child()
    request = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)

    accepted.answer(request, accepted.grant_child(request))
    offered = request.get(TSi).ranges, request.get(TSr).ranges
    same = within(old.remote_selectors, offered[0]) and within(old.local_selectors, offered[1])
    assert accepted.echo(), "the Child SA carries no traffic"
    if not same:
        differs(f"less is offered than there was: {request}")


@requirement("rfc7296-2.8-no-deletion-of-duplicates")
@turned_red_by("closes-child-with-the-same-selectors", "drops-first-packet-of-a-child")
def test_child_sas_for_the_same_traffic_stand_side_by_side(established, target):
    """
    peer                                        target
    HDR, SK {SA, Ni, TSi, TSr}          -->
                                        <--     HDR, SK {SA, Nr, TSi, TSr}
    ESP of the first {echo request}     -->
                                        <--     ESP {echo reply}
    PREVENTS: SAs that are deleted because others have the same selectors.
    """
    first = established.child
    request = established.create_child_sa()
    second = established.take_up_child(request, established.exchange(request))
    assert established.echo(), "the second Child SA carries no traffic"

    with established.using(first):
        late = established.echo_request()
        stale = established.seal(late)
    with established.using(second):
        still = established.delivered(late, stale)

    deleted = [each for each in established.reactions_so_far() if each.has(Delete)]
    if deleted:
        differs(f"a Child SA is deleted because there is another: {deleted[0]}")
    assert still, "the first Child SA carries no more traffic"


def _range(network, start, end):
    return replace(network, start_address=start, end_address=end)


def _hosts(payload, *numbers):
    [network] = payload.ranges
    hosts = (network.start_address + number for number in numbers)
    return tuple(replace(network, start_address=host, end_address=host) for host in hosts)
