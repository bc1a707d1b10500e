"""TCP (RFC 9293), as far as a segment to a port that nobody listens on, and what answers it."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Self

from peers.reference.errors import MalformedMessage
from peers.reference.events import IPAddress
from peers.reference.ip import IpPacket, checksum, pseudo_header
from peers.reference.numbers import IpProtocol

SYN, RST, ACK = 0x02, 0x04, 0x10
"""Control bits (3.1)."""

_HEADER = struct.Struct("!HHIIBBHHH")
_CHECKSUM_AT = 16
_WINDOW = 0xFFFF


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment without options or data; ``control`` are its control bits."""

    source_port: int
    destination_port: int
    sequence: int
    acknowledgment: int
    control: int

    def between(self, source: IPAddress, destination: IPAddress) -> IpPacket:
        """Put the segment into a packet; its checksum covers both addresses."""
        unsummed = _HEADER.pack(
            self.source_port,
            self.destination_port,
            self.sequence,
            self.acknowledgment,
            _HEADER.size // 4 << 4,
            self.control,
            _WINDOW,
            0,
            0,
        )
        packet = IpPacket(source, destination, IpProtocol.TCP, unsummed)
        sum_ = checksum(pseudo_header(packet) + unsummed)
        return _with_checksum(packet, sum_)

    @classmethod
    def find(cls, packet: IpPacket) -> Self | None:
        """Read the segment in a packet; None when it carries something else, or a fragment.

        Its checksum is not looked at: see `is_sound`. MalformedMessage when it is cut off.
        """
        if packet.protocol != IpProtocol.TCP or packet.is_fragment:
            return None
        if len(packet.payload) < _HEADER.size:
            raise MalformedMessage(len(packet.payload), "a TCP header is cut off")
        source, destination, sequence, acknowledgment, _, control, *_ = _HEADER.unpack_from(
            packet.payload
        )
        return cls(source, destination, sequence, acknowledgment, control)


def is_sound(packet: IpPacket) -> bool:
    """Say whether the checksum of a packet's segment is right (3.1)."""
    return not checksum(pseudo_header(packet) + packet.payload)


def with_wrong_checksum(packet: IpPacket) -> IpPacket:
    """Give a packet with a segment whose checksum is off by one bit."""
    octets = packet.payload[_CHECKSUM_AT : _CHECKSUM_AT + 2]
    return _with_checksum(packet, int.from_bytes(octets, "big") ^ 1)


def refusal(packet: IpPacket) -> IpPacket | None:
    """Build a host's answer to a SYN for a port that nobody listens on: a reset (3.10.7.1)."""
    try:
        segment = Segment.find(packet)
    except MalformedMessage:
        return None
    if segment is None or segment.control & (SYN | RST | ACK) != SYN:
        return None
    reset = Segment(
        segment.destination_port,
        segment.source_port,
        0,
        (segment.sequence + 1) % 2**32,
        RST | ACK,
    )
    return reset.between(packet.destination, packet.source)


def _with_checksum(packet: IpPacket, sum_: int) -> IpPacket:
    payload = packet.payload
    summed = payload[:_CHECKSUM_AT] + sum_.to_bytes(2, "big") + payload[_CHECKSUM_AT + 2 :]
    return replace(packet, payload=summed)
