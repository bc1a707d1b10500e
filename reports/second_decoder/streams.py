"""Messages in TCP streams of a capture, as datagrams: no decoder reads them there (RFC 9329)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from peers.reference.errors import Inconclusive, MalformedMessage
from peers.reference.ip import size
from peers.reference.nat import NAT_TRAVERSAL_PORT
from peers.reference.stream import StreamReader
from reports.capture import ip_offset


@dataclass(slots=True)
class _Direction:
    """One direction of a connection; ``due`` is the sequence number that comes next."""

    reader: StreamReader
    due: int


class Streams:
    """The connections of one capture, which is whole, and in order but for what comes again.

    A stream that cannot be read any more, by a test's intention, is left alone from there on.
    """

    def __init__(self) -> None:
        self._directions: dict[tuple[str, int, str, int], _Direction | None] = {}

    def datagrams(self, link: int, frame: bytes) -> list[bytes]:
        """Give a frame as it is; for a segment the messages that it completes, each in UDP."""
        from scapy.layers.inet import IP, TCP
        from scapy.layers.inet6 import IPv6

        start = ip_offset(link, frame)
        if start is None or len(frame) <= start:
            return [frame]
        layer = IP if frame[start] >> 4 == 4 else IPv6
        # Behind a short packet an Ethernet frame is padded.
        packet = layer(frame[start : start + size(frame[start:])])
        if TCP not in packet or NAT_TRAVERSAL_PORT not in (packet[TCP].sport, packet[TCP].dport):
            return [frame]
        head = frame[:start]
        return [head + _datagram(packet, each) for each in self._messages(packet, packet[TCP])]

    def _messages(self, packet: Any, segment: Any) -> list[bytes]:
        key = packet.src, segment.sport, packet.dst, segment.dport
        if segment.flags.S or key not in self._directions:
            reader = StreamReader(expects_prefix=segment.dport == NAT_TRAVERSAL_PORT)
            self._directions[key] = _Direction(reader, segment.seq + int(segment.flags.S))
        direction, octets = self._directions.get(key), bytes(segment.payload)
        if direction is None or not octets:
            return []
        if segment.seq != direction.due:
            return self._again(segment.seq, direction, octets)
        direction.due = (direction.due + len(octets)) % (1 << 32)
        found: list[bytes] = []
        try:
            found.extend(direction.reader.feed(octets))
        except MalformedMessage:
            self._directions[key] = None
        return found

    def _again(self, sequence: int, direction: _Direction, octets: bytes) -> list[bytes]:
        """Pass over what comes again; Inconclusive where the capture lacks what came before."""
        behind = (direction.due - sequence) % (1 << 32)
        if behind < len(octets) or behind >= 1 << 31:
            raise Inconclusive("the capture lacks segments of a TCP stream")
        return []


def _datagram(packet: Any, message: bytes) -> bytes:
    """Put a message between the same addresses, in UDP on the port of NAT traversal."""
    from scapy.layers.inet import UDP
    from scapy.packet import Raw

    outer = type(packet)(src=packet.src, dst=packet.dst)
    ports = UDP(sport=NAT_TRAVERSAL_PORT, dport=NAT_TRAVERSAL_PORT)
    return bytes(outer / ports / Raw(message))
