"""IPv4 (RFC 791), IPv6 (RFC 8200), and the echoes of ICMP (RFC 792) and ICMPv6 (RFC 4443)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address

from peers.reference.errors import MalformedMessage, ScriptError
from peers.reference.events import IPAddress
from peers.reference.numbers import IpProtocol

_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_IPV6 = struct.Struct("!IHBB16s16s")
_ECHO = struct.Struct("!BBHHH")
_V4_PSEUDO = struct.Struct("!4s4sxBH")
_V6_PSEUDO = struct.Struct("!16s16sI3xB")
_V4_CHECKSUM_AT = 10

DONT_FRAGMENT = 0x4000
"""The flag DF in ``IpPacket.fragmentation``."""

MORE_FRAGMENTS = 0x2000
"""The flag MF in ``IpPacket.fragmentation``."""

FRAGMENT_OFFSET = 0x1FFF
"""The bits of the Fragment Offset in ``IpPacket.fragmentation``, in units of 8 octets."""


def checksum(octets: bytes) -> int:
    """Compute the Internet checksum (RFC 1071); over octets that hold a correct one it is 0."""
    if len(octets) % 2:
        octets += b"\0"
    total: int = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


@dataclass(frozen=True, slots=True)
class IpPacket:
    """An IP packet; its version is that of its addresses, and lengths and checksum are derived.

    ``protocol`` is IPv4's Protocol or the Next Header of IPv6's fixed header: extension headers
    stand at the front of ``payload``. ``identification``, ``fragmentation`` (16 bits: flags and
    fragment offset) and ``options`` (a multiple of 4 octets) are IPv4's, ``flow_label`` is IPv6's.
    """

    source: IPAddress
    destination: IPAddress
    protocol: int
    payload: bytes
    hop_limit: int = 64
    traffic_class: int = 0
    identification: int = 0
    fragmentation: int = 0
    options: bytes = b""
    flow_label: int = 0

    @property
    def is_fragment(self) -> bool:
        """Whether this is one of several fragments of an IPv4 packet (RFC 791, 3.1)."""
        return bool(self.fragmentation & (MORE_FRAGMENTS | FRAGMENT_OFFSET))

    def encode(self) -> bytes:
        """Give the packet's octets; ScriptError when the addresses are of different versions."""
        if self.source.version != self.destination.version:
            raise ScriptError(f"{self.source} and {self.destination} in one packet")
        return self._encode4() if self.source.version == 4 else self._encode6()

    def _encode4(self) -> bytes:
        header = _IPV4.pack(
            0x45 + len(self.options) // 4,
            self.traffic_class,
            _IPV4.size + len(self.options) + len(self.payload),
            self.identification,
            self.fragmentation,
            self.hop_limit,
            self.protocol,
            0,
            self.source.packed,
            self.destination.packed,
        )
        header += self.options
        sum_ = checksum(header).to_bytes(2, "big")
        return header[:_V4_CHECKSUM_AT] + sum_ + header[_V4_CHECKSUM_AT + 2 :] + self.payload

    def _encode6(self) -> bytes:
        header = _IPV6.pack(
            6 << 28 | self.traffic_class << 20 | self.flow_label,
            len(self.payload),
            self.protocol,
            self.hop_limit,
            self.source.packed,
            self.destination.packed,
        )
        return header + self.payload

    @classmethod
    def decode(cls, octets: bytes) -> IpPacket:
        """Read exactly one packet; MalformedMessage says what is wrong with the octets.

        Octets after the packet (TFC padding, RFC 4303, 2.7) are malformed here: see ``size``.
        """
        expected = size(octets)
        if len(octets) != expected:
            raise MalformedMessage(
                min(len(octets), expected),
                f"the header says {expected} octets, there are {len(octets)}",
            )
        return cls._decode4(octets) if octets[0] >> 4 == 4 else cls._decode6(octets)

    @classmethod
    def _decode4(cls, octets: bytes) -> IpPacket:
        (
            first,
            traffic_class,
            _,
            identification,
            fragmentation,
            hop_limit,
            protocol,
            _,
            src,
            dst,
        ) = _IPV4.unpack_from(octets)
        end = 4 * (first & 0x0F)
        if not _IPV4.size <= end <= len(octets):
            raise MalformedMessage(0, f"an IPv4 header length of {end} octets")
        if checksum(octets[:end]):
            raise MalformedMessage(_V4_CHECKSUM_AT, "wrong IPv4 header checksum")
        return cls(
            IPv4Address(src),
            IPv4Address(dst),
            IpProtocol(protocol),
            octets[end:],
            hop_limit,
            traffic_class,
            identification,
            fragmentation,
            octets[_IPV4.size : end],
        )

    @classmethod
    def _decode6(cls, octets: bytes) -> IpPacket:
        first, _, protocol, hop_limit, src, dst = _IPV6.unpack_from(octets)
        return cls(
            IPv6Address(src),
            IPv6Address(dst),
            IpProtocol(protocol),
            octets[_IPV6.size :],
            hop_limit,
            traffic_class=first >> 20 & 0xFF,
            flow_label=first & 0xFFFFF,
        )

    def __str__(self) -> str:
        return f"{self.source} > {self.destination} {describe(self.protocol, self.payload)}"


def size(octets: bytes) -> int:
    """Give the octets that an IP packet's header claims for the whole packet.

    MalformedMessage when there is no complete IPv4 or IPv6 header.
    """
    version, length = octets[0] >> 4 if octets else 0, len(octets)
    if version == 4 and length >= _IPV4.size:
        return octets[2] << 8 | octets[3]
    if version == 6 and length >= _IPV6.size:
        return _IPV6.size + (octets[4] << 8 | octets[5])
    if version in (4, 6):
        raise MalformedMessage(length, f"an IPv{version} header is cut off")
    raise MalformedMessage(0, f"IP version {version}" if octets else "no octets")


@dataclass(frozen=True, slots=True)
class _EchoTypes:
    protocol: IpProtocol
    request: int
    reply: int


_ECHO_TYPES = {
    4: _EchoTypes(IpProtocol.ICMP, 8, 0),
    6: _EchoTypes(IpProtocol.ICMPV6, 128, 129),
}


@dataclass(frozen=True, slots=True)
class Echo:
    """An echo request or reply of ICMP or ICMPv6; numbers have 16 bits."""

    request: bool
    identifier: int
    sequence: int
    data: bytes

    def between(self, source: IPAddress, destination: IPAddress) -> IpPacket:
        """Put the echo into a packet, with the addresses' version of ICMP."""
        types = _ECHO_TYPES[source.version]
        kind = types.request if self.request else types.reply
        unsummed = _ECHO.pack(kind, 0, 0, self.identifier, self.sequence) + self.data
        packet = IpPacket(source, destination, types.protocol, unsummed)
        sum_ = checksum(_of_echo(packet) + unsummed).to_bytes(2, "big")
        return replace(packet, payload=unsummed[:2] + sum_ + unsummed[4:])

    @classmethod
    def find(cls, packet: IpPacket) -> Echo | None:
        """Read the echo in a packet; None when it carries something else, or a fragment.

        MalformedMessage (offsets from the start of the payload) when an echo is cut off, has a
        wrong checksum or a Code other than 0.
        """
        types, payload = _ECHO_TYPES[packet.source.version], packet.payload
        if packet.protocol != types.protocol or packet.is_fragment:
            return None
        if payload[:1] not in (bytes([types.request]), bytes([types.reply])):
            return None
        if len(payload) < _ECHO.size:
            raise MalformedMessage(len(payload), "an echo is cut off")
        if checksum(_of_echo(packet) + payload):
            raise MalformedMessage(2, f"wrong {types.protocol.name} checksum")
        kind, code, _, identifier, sequence = _ECHO.unpack_from(payload)
        if code:
            raise MalformedMessage(1, f"an echo of code {code}")
        return cls(kind == types.request, identifier, sequence, payload[_ECHO.size :])


def pseudo_header(packet: IpPacket) -> bytes:
    """Give what the checksums of TCP and UDP cover besides (RFC 9293, 3.1; RFC 8200, 8.1)."""
    ends, size_ = (packet.source.packed, packet.destination.packed), len(packet.payload)
    if packet.source.version == 4:
        return _V4_PSEUDO.pack(*ends, packet.protocol, size_)
    return _V6_PSEUDO.pack(*ends, size_, packet.protocol)


def _of_echo(packet: IpPacket) -> bytes:
    """Give what the checksum of an echo covers besides: of ICMP for IPv4 there is nothing."""
    return pseudo_header(packet) if packet.source.version == 6 else b""


def echo_request(
    source: IPAddress, destination: IPAddress, identifier: int, sequence: int, data: bytes = b""
) -> IpPacket:
    """Build a packet with an echo request."""
    return Echo(True, identifier, sequence, data).between(source, destination)


def echo_reply(packet: IpPacket) -> IpPacket | None:
    """Build a host's reply to a packet with an echo request, of the same traffic class.

    None for anything else, and for a broken echo, which a host discards.
    """
    try:
        echo = Echo.find(packet)
    except MalformedMessage:
        return None
    if echo is None or not echo.request:
        return None
    reply = replace(echo, request=False).between(packet.destination, packet.source)
    return replace(reply, traffic_class=packet.traffic_class)


_ECHO_NAMES = {
    (IpProtocol.ICMP, 8): "ICMP echo request",
    (IpProtocol.ICMP, 0): "ICMP echo reply",
    (IpProtocol.ICMPV6, 128): "ICMPv6 echo request",
    (IpProtocol.ICMPV6, 129): "ICMPv6 echo reply",
}


def describe(protocol: int, payload: bytes) -> str:
    """Say in a few words what a header of that protocol number and its payload are."""
    if protocol in (IpProtocol.IPV4, IpProtocol.IPV6):
        try:
            return str(IpPacket.decode(payload))
        except MalformedMessage as problem:
            return f"malformed IP packet of {len(payload)} octets ({problem})"
    name = _ECHO_NAMES.get((IpProtocol(protocol), payload[0] if payload else -1))
    if name and len(payload) >= _ECHO.size:
        _, _, _, identifier, sequence = _ECHO.unpack_from(payload)
        return f"{name} {identifier:#06x}/{sequence}, {len(payload) - _ECHO.size} octets"
    if protocol == IpProtocol.TCP and len(payload) >= _TCP_HEADER:
        return _describe_segment(payload)
    return f"{IpProtocol(protocol).name}, {len(payload)} octets"


_TCP_HEADER = 20
_CONTROL_BITS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG")


def _describe_segment(payload: bytes) -> str:
    source, destination = struct.unpack_from("!HH", payload)
    control = [name for bit, name in enumerate(_CONTROL_BITS) if payload[13] >> bit & 1]
    return f"TCP {source} > {destination} {' '.join(control)}, {len(payload)} octets"
