"""Fragments of IPv4 packets (RFC 791, 3.2): splitting, and putting together again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from peers.reference.errors import ScriptError
from peers.reference.events import IPAddress
from peers.reference.ip import DONT_FRAGMENT, FRAGMENT_OFFSET, MORE_FRAGMENTS, IpPacket

MOST_KEPT = 16
"""Packets that are waited for at a time; the oldest goes first."""

LARGEST = 0xFFFF - 20
"""Octets that a packet can hold behind its header."""

_UNIT = 8
_Key = tuple[IPAddress, IPAddress, int, int]


def split(packet: IpPacket, size: int) -> tuple[IpPacket, ...]:
    """Split an IPv4 packet into fragments with at most ``size`` octets of payload each.

    ScriptError for IPv6, a packet that must not be or is fragmented, and less than 8 octets, and
    for a packet that holds nothing.
    """
    step = size // _UNIT * _UNIT
    if packet.source.version != 4 or packet.fragmentation or not step or not packet.payload:
        raise ScriptError(f"{packet} cannot be split into fragments of {size} octets")
    parts = range(0, len(packet.payload), step)
    return tuple(
        replace(
            packet,
            payload=packet.payload[at : at + step],
            fragmentation=at // _UNIT | (MORE_FRAGMENTS if at != parts[-1] else 0),
        )
        for at in parts
    )


@dataclass(slots=True)
class _Kept:
    """The octets of a packet that came so far, by offset, and its size once that is known."""

    parts: dict[int, bytes] = field(default_factory=dict)
    size: int | None = None

    def whole(self) -> bytes | None:
        payload = b""
        for at in sorted(self.parts):
            if at > len(payload):
                return None
            part = self.parts[at]
            payload = payload[:at] + part + payload[at + len(part) :]
        return payload if len(payload) == self.size else None


class Fragments:
    """Puts the fragments together that one host receives, in whatever order they come."""

    def __init__(self) -> None:
        self._kept: dict[_Key, _Kept] = {}

    def whole(self, packet: IpPacket) -> IpPacket | None:
        """Take a packet; give it, or what its fragments make, or None while some are missing."""
        if not packet.is_fragment:
            return packet
        key = (packet.source, packet.destination, packet.protocol, packet.identification)
        kept = self._kept.setdefault(key, _Kept())
        if len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        at = (packet.fragmentation & FRAGMENT_OFFSET) * _UNIT
        if at + len(packet.payload) > LARGEST:
            return None
        kept.parts[at] = packet.payload
        if not packet.fragmentation & MORE_FRAGMENTS:
            kept.size = at + len(packet.payload)
        payload = kept.whole()
        if payload is None:
            return None
        del self._kept[key]
        flags = packet.fragmentation & DONT_FRAGMENT
        return replace(packet, payload=payload, fragmentation=flags)
