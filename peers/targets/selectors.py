"""Traffic selectors as the daemons' configurations write them."""

from __future__ import annotations

from ipaddress import summarize_address_range

from peers.reference.connection import Traffic
from peers.reference.errors import ScriptError
from peers.reference.numbers import IpProtocol
from peers.reference.payloads import TrafficSelector
from peers.reference.traffic_selectors import ANY_PORT, OPAQUE


def strongswan_text(traffic: Traffic) -> str:
    """Write ``10.1.0.0/24``, ``10.1.0.5-10.1.0.9``, either with ``[tcp/80-90]`` behind it."""
    if not isinstance(traffic, TrafficSelector):
        return str(traffic)
    addresses = _prefix(traffic) or f"{traffic.start_address}-{traffic.end_address}"
    if traffic.ip_protocol == IpProtocol.ANY:
        return addresses
    return f"{addresses}[{int(traffic.ip_protocol)}{_ports(traffic)}]"


def _ports(selector: TrafficSelector) -> str:
    ports = selector.start_port, selector.end_port
    if ports == ANY_PORT:
        return ""
    if ports == OPAQUE:
        return "/opaque"
    return f"/{ports[0]}" if ports[0] == ports[1] else f"/{ports[0]}-{ports[1]}"


def libreswan_settings(side: str, traffic: tuple[Traffic, ...]) -> dict[str, str]:
    """Write the settings of one side (``left`` or ``right``): its subnet, its protocol and port.

    ScriptError for what Libreswan has no words for: ranges that are no prefix, ranges of ports, and
    OPAQUE (its reader of connections refuses ``%opaque``).
    """
    if len(traffic) != 1:
        raise ScriptError(f"Libreswan takes one selector a side, not {traffic}")
    [selector] = traffic
    if not isinstance(selector, TrafficSelector):
        return {f"{side}subnet": str(selector)}
    prefix = _prefix(selector)
    if prefix is None:
        raise ScriptError(f"Libreswan has no word for a range of addresses: {selector}")
    settings = {f"{side}subnet": prefix}
    if selector.ip_protocol != IpProtocol.ANY:
        settings[f"{side}protoport"] = f"{int(selector.ip_protocol)}/{_libreswan_port(selector)}"
    return settings


def _libreswan_port(selector: TrafficSelector) -> str:
    ports = selector.start_port, selector.end_port
    if ports == ANY_PORT:
        return "%any"
    if ports == OPAQUE:
        raise ScriptError(f"Libreswan has no word for OPAQUE ports: {selector}")
    if ports[0] != ports[1]:
        raise ScriptError(f"Libreswan has no word for a range of ports: {selector}")
    return str(ports[0])


def _prefix(selector: TrafficSelector) -> str | None:
    """Give the network that a selector's addresses make; None when they are no network."""
    start, end = selector.start_address, selector.end_address
    networks = [*summarize_address_range(start, end)]
    return str(networks[0]) if len(networks) == 1 else None
