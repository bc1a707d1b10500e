"""Traffic selectors as people write them, and the packets that they are for (RFC 7296, 3.13.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from peers.reference import ip
from peers.reference.errors import ScriptError
from peers.reference.events import IPAddress
from peers.reference.numbers import IpProtocol, TrafficSelectorType
from peers.reference.payloads import TrafficSelector

_TEXT = re.compile(
    r"(?P<start>[^-\[\]]+?)(-(?P<end>[^\[\]]+))?"
    r"(\[(?P<protocol>\w+)(/(?P<first>\d+|opaque)(-(?P<last>\d+))?)?\])?"
)

ANY_PORT = (0, 65535)
OPAQUE = (65535, 0)
"""Start and end of a selector for packets whose ports are not known, as fragments (3.13.1)."""

_ICMP = (IpProtocol.ICMP, IpProtocol.ICMPV6)

_WITH_PORTS = frozenset({IpProtocol.TCP, IpProtocol.UDP, 132, 33, 136})
"""TCP, UDP, SCTP, DCCP and UDP-Lite begin with the source port and the destination port."""


def traffic_selector(text: str) -> TrafficSelector:
    """Read ``10.1.0.0/24``, ``10.1.0.5-10.1.0.9`` or either with ``[tcp/80]`` behind it.

    In the brackets stands a protocol, by name or number, and where wanted ``/`` and a port, a
    range of ports or ``opaque``; of ICMP the port is 256 times the type, plus the code (3.13.1).
    ScriptError for any other text.
    """
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        raise ScriptError(f"no traffic selector: {text!r}")
    try:
        start, end = _addresses(match["start"], match["end"])
        protocol = _protocol(match["protocol"])
    except (ValueError, KeyError) as error:
        raise ScriptError(f"no traffic selector: {text!r}: {error}") from None
    if start.version != end.version or int(start) > int(end):
        raise ScriptError(f"no range of addresses: {text!r}")
    kind = (
        TrafficSelectorType.TS_IPV4_ADDR_RANGE
        if start.version == 4
        else TrafficSelectorType.TS_IPV6_ADDR_RANGE
    )
    first, last = _ports(match["first"], match["last"])
    return TrafficSelector(kind, protocol, first, last, start, end)


def _addresses(start: str, end: str | None) -> tuple[IPAddress, IPAddress]:
    if end is not None:
        return ip_address(start), ip_address(end)
    network = ip_network(start)
    return network[0], network[-1]


def _protocol(word: str | None) -> IpProtocol:
    if word is None:
        return IpProtocol.ANY
    return IpProtocol(int(word)) if word.isdigit() else IpProtocol[word.upper()]


def _ports(first: str | None, last: str | None) -> tuple[int, int]:
    if first is None:
        return ANY_PORT
    if first == "opaque":
        return OPAQUE
    ports = int(first), int(last or first)
    if not 0 <= ports[0] <= ports[1] <= 65535:
        raise ScriptError(f"no range of ports: {first}-{last}")
    return ports


def ports(packet: ip.IpPacket) -> tuple[int, int] | None:
    """Give source and destination port of a packet; of ICMP type and code, twice (3.13.1).

    None where the packet does not tell them: it has none, or is a fragment but not the first.
    """
    fragment = packet.fragmentation & 0x1FFF
    if fragment or len(packet.payload) < 4:
        return None
    if packet.protocol in _ICMP:
        number = int.from_bytes(packet.payload[:2], "big")
        return number, number
    if packet.protocol not in _WITH_PORTS:
        return None
    return int.from_bytes(packet.payload[:2], "big"), int.from_bytes(packet.payload[2:4], "big")


def admits(
    ranges: Iterable[TrafficSelector], address: IPAddress, protocol: int, port: int | None
) -> bool:
    """Say whether one of the selectors is for this end of a packet."""
    number, version = int(address), type(address)
    return any(
        isinstance(entry.start_address, version)
        and int(entry.start_address) <= number <= int(entry.end_address)
        and _admits_port(entry, protocol, port)
        for entry in ranges
    )


def _admits_port(entry: TrafficSelector, protocol: int, port: int | None) -> bool:
    if entry.ip_protocol not in (IpProtocol.ANY, protocol):
        return False
    range_ = entry.start_port, entry.end_port
    if range_ == ANY_PORT:
        return True
    if port is None:
        return range_ == OPAQUE
    return range_[0] <= port <= range_[1]
