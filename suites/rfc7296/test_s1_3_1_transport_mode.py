"""RFC 7296, 1.3.1: transport mode is asked for, granted, or declined."""

from dataclasses import replace
from ipaddress import ip_network

from peers.reference.child import USE_TRANSPORT_MODE
from peers.reference.connection import Mode
from peers.reference.numbers import ExchangeType, NotifyType, ProtocolId
from peers.reference.payloads import SA, Delete
from peers.targets.base import Capability
from suites.judge import as_responder, needs, requirement, turned_red_by, twin_of
from suites.terms import FAMILIES, SUITES, TRANSPORT, arranged

pytestmark = needs(Capability.TRANSPORT_MODE)


@FAMILIES
@SUITES
@TRANSPORT
@requirement("rfc7296-1.3.1-transport-mode-accepted-by-echo")
@turned_red_by("grants-transport-mode-silently", "swaps-child-keys")
def test_responder_grants_transport_mode_and_uses_it(peer):
    """
    peer                                        target (transport mode)
    HDR, SK {IDi, IDr, AUTH, N(USE_TRANSPORT_MODE), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, N(USE_TRANSPORT_MODE), SAr2, ..}
    ESP {ICMP}                          -->
                                        <--     ESP {ICMP}
    PREVENTS: a granted mode that the initiator is not told of.
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    response = peer.exchange(request)

    granted = NotifyType.USE_TRANSPORT_MODE in response.notifies
    assert granted, f"transport mode is not granted: {response}"
    peer.take_up(request, response)
    assert peer.echo(), "the Child SA carries no traffic in transport mode"


@FAMILIES
@SUITES
@TRANSPORT
@as_responder
@requirement("rfc7296-1.3.1-transport-mode-request")
@turned_red_by("does-not-ask-for-transport-mode", "swaps-child-keys")
def test_initiator_asks_for_transport_mode_and_uses_it(peer, target):
    """
    peer                                        target (transport mode)
                                        <--     HDR, SK {.., N(USE_TRANSPORT_MODE), SAi2, TSi, TSr}
    HDR, SK {IDr, AUTH, N(USE_TRANSPORT_MODE), SAr2, TSi, TSr} -->
    ESP {ICMP}                          -->
                                        <--     ESP {ICMP}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()

    asked = NotifyType.USE_TRANSPORT_MODE in request.notifies
    assert asked, f"transport mode is not asked for: {request}"
    peer.answer(request, peer.ike_auth_response(request))
    assert peer.echo(), "the Child SA carries no traffic in transport mode"


@TRANSPORT
@as_responder
@requirement("rfc7296-1.3.1-tunnel-unacceptable-deleted")
@turned_red_by("uses-ungranted-transport-mode")
def test_initiator_does_not_use_transport_mode_that_was_not_granted(peer, target, administrative):
    """
    peer                                        target (transport mode only)
                                        <--     HDR, SK {.., N(USE_TRANSPORT_MODE), SAi2, TSi, TSr}
    HDR, SK {IDr, AUTH, SAr2, TSi, TSr} -->
                                        <--     HDR, SK {D(ESP or IKE)}, or ESP in tunnel mode
    PREVENTS: a Child SA of which each side thinks another mode.
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    response = peer.ike_auth_response(request)
    kept = tuple(payload for payload in response.payloads if payload != USE_TRANSPORT_MODE)
    peer.answer(request, peer.reply(request, *kept))
    heard = peer.reactions_so_far()
    children = [child for state in target.sas() for child in state.children]
    if children and all(child.mode is Mode.TUNNEL for child in children):
        administrative("the initiator goes on in tunnel mode")
        return
    if not any(message.has(Delete) for message in heard):
        heard = [peer.hear_request(ExchangeType.INFORMATIONAL)]

    protocols = [delete.protocol for message in heard for delete in message.all(Delete)]
    assert protocols in ([ProtocolId.ESP], [ProtocolId.IKE]), "the Child SA is not given up"


@twin_of(test_responder_grants_transport_mode_and_uses_it)
@requirement("rfc7296-1.3.1-transport-mode-unrequested")
@turned_red_by("grants-transport-mode-unasked")
def test_tunnel_mode_is_granted_without_the_notify(peer):
    """
    peer                                        target (tunnel mode)
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    response = peer.exchange(request)

    granted = NotifyType.USE_TRANSPORT_MODE in response.notifies
    assert not granted, f"transport mode was not asked for: {response}"
    peer.take_up(request, response)
    assert peer.echo(), "the Child SA carries no traffic"


def _between_hosts(described):
    ends = (ip_network(str(described.local)),), (ip_network(str(described.remote)),)
    return replace(described, local_selectors=ends[0], remote_selectors=ends[1])


@arranged(_between_hosts)
@requirement("rfc7296-1.3.1-transport-mode-declined")
@turned_red_by("uses-transport-mode-that-it-declined")
def test_declined_transport_mode_leaves_tunnel_mode(peer, administrative):
    """
    peer                                        target (tunnel mode between the hosts)
    HDR, SK {IDi, IDr, AUTH, N(USE_TRANSPORT_MODE), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    ESP {IP {echo request}}             -->
                                        <--     ESP {IP {echo reply}}
    PREVENTS: a Child SA of which each side thinks another mode.
    """
    peer.open_ike_sa()
    request = peer.ike_auth() + USE_TRANSPORT_MODE
    response = peer.exchange(request)

    if not response.has(SA):
        refused = {NotifyType.NO_PROPOSAL_CHOSEN, NotifyType.TS_UNACCEPTABLE}
        assert refused & set(response.notifies), f"refused otherwise: {response}"
        administrative("the Child SA is refused")
        return
    if NotifyType.USE_TRANSPORT_MODE in response.notifies:
        administrative("transport mode is granted though tunnel mode is configured")
    peer.take_up(request, response)
    assert peer.echo(), f"no traffic in {peer.child.terms.mode.value} mode"
