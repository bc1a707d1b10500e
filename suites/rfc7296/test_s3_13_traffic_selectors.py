"""RFC 7296, 3.13.1: how traffic selectors are written."""

from dataclasses import replace

from peers.reference.negotiation import selectors
from peers.reference.numbers import IpProtocol
from peers.reference.payloads import SA, TSi, TSr
from peers.reference.traffic_selectors import ANY_PORT, OPAQUE
from peers.targets.base import Capability
from suites.judge import as_responder, requirement, turned_red_by
from suites.terms import FAMILIES, arranged


def _for_opaque_ports(described):
    return replace(
        described,
        local_selectors=_of_udp(described.local_selectors, OPAQUE),
        remote_selectors=_of_udp(described.remote_selectors, ANY_PORT),
    )


def _of_udp(traffic, ports):
    start, end = ports
    return tuple(
        replace(each, ip_protocol=IpProtocol.UDP, start_port=start, end_port=end)
        for each in selectors(traffic)
    )


def _ports(payload):
    return [(each.start_port, each.end_port) for each in payload.ranges]


OPAQUE_PORTS = arranged(_for_opaque_ports, Capability.OPAQUE_PORTS)


@FAMILIES
@OPAQUE_PORTS
@requirement("rfc7296-3.13.1-opaque-ports")
@turned_red_by("writes-opaque-ports-as-any")
def test_opaque_ports_are_granted_as_such(peer):
    """
    peer                                        target (UDP, its ports OPAQUE)
    HDR, SK {.., TSi(UDP, 0-65535), TSr(UDP, 65535-0)} -->
                                        <--     HDR, SK {.., TSi(UDP, 0-65535), TSr(UDP, 65535-0)}
    """
    peer.open_ike_sa()
    response = peer.exchange(peer.ike_auth())

    assert response.has(SA), f"no Child SA for OPAQUE ports: {response}"
    _check(ours=response.get(TSi), targets=response.get(TSr))


@FAMILIES
@OPAQUE_PORTS
@as_responder
@requirement("rfc7296-3.13.1-opaque-ports")
@turned_red_by("writes-opaque-ports-as-any")
def test_opaque_ports_are_asked_for_as_such(peer, target):
    """
    peer                                        target (UDP, its ports OPAQUE)
                                        <--     HDR, SK {.., TSi(UDP, 65535-0), TSr(UDP, 0-65535)}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()

    _check(ours=request.get(TSr), targets=request.get(TSi))


def _check(*, ours, targets):
    assert _ports(targets) == [OPAQUE], f"OPAQUE ports as {_ports(targets)}"
    assert _ports(ours) == [ANY_PORT], f"all ports as {_ports(ours)}"
