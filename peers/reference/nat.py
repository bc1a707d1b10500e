"""NAT traversal: what is detected, and what follows from it (RFC 7296, 2.23; RFC 3948)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, Flag
from hashlib import sha1
from typing import TYPE_CHECKING

from peers.reference.errors import MalformedMessage, PeerError
from peers.reference.events import Carrier, Endpoint, IPAddress, Packet
from peers.reference.ip import IpPacket
from peers.reference.numbers import IpProtocol, NotifyType
from peers.reference.payloads import Notify, Payload, TrafficSelector

if TYPE_CHECKING:
    from peers.reference.message import Message
    from peers.reference.sa import IkeSa

IKE_PORT, NAT_TRAVERSAL_PORT = 500, 4500

NON_ESP_MARKER = bytes(4)
"""Stands before an IKE message on UDP port 4500 (RFC 3948, 2.2)."""

KEEPALIVE = b"\xff"
"""The whole payload of a NAT-keepalive packet (RFC 3948, 2.3)."""

KEEPALIVE_INTERVAL = 20.0
"""Seconds without any packet to the peer after which a keepalive is due (RFC 3948, 4)."""


DETECTION = (NotifyType.NAT_DETECTION_SOURCE_IP, NotifyType.NAT_DETECTION_DESTINATION_IP)


class Claim(Flag):
    """Which NAT detection hashes a side makes wrong on purpose, to have a NAT where none is."""

    NOTHING = 0
    OURS = 1
    THEIRS = 2


@dataclass(frozen=True, slots=True)
class Detected:
    """What NAT detection said: which side is behind a NAT, if both sides take part at all.

    ``seen`` is the hash of what the other side sees of us.
    """

    supported: bool = False
    ours: bool = False
    theirs: bool = False
    seen: bytes = field(default=b"", compare=False)

    @property
    def found(self) -> bool:
        """Say whether there is a NAT at all."""
        return self.ours or self.theirs


NOT_DETECTED = Detected()


def detection_hash(spis: tuple[bytes, bytes], end: Endpoint) -> bytes:
    """Hash SPIs, address and port as NAT_DETECTION_*_IP wants it (RFC 7296, 2.23)."""
    return sha1(b"".join(spis) + end.address.packed + end.port.to_bytes(2, "big")).digest()


def detection_payloads(
    spis: tuple[bytes, bytes],
    source: Endpoint,
    destination: Endpoint,
    claim: Claim = Claim.NOTHING,
) -> tuple[Notify, Notify]:
    """Build both NAT detection notifies of a message that goes that way.

    What is claimed is hashed with port 0, which no packet has.
    """
    ours = replace(source, port=0) if Claim.OURS in claim else source
    theirs = replace(destination, port=0) if Claim.THEIRS in claim else destination
    return (
        Notify(NotifyType.NAT_DETECTION_SOURCE_IP, detection_hash(spis, ours)),
        Notify(NotifyType.NAT_DETECTION_DESTINATION_IP, detection_hash(spis, theirs)),
    )


def is_detection(payload: Payload) -> bool:
    """Say whether a payload is a NAT detection notify."""
    return isinstance(payload, Notify) and payload.notify_type in DETECTION


def detect(message: Message, source: Endpoint, destination: Endpoint) -> Detected:
    """Compare the hashes of a message with where it came from and where it came to.

    Several source notifies are allowed, and one match is enough; without both kinds the sender
    takes no part in NAT traversal (RFC 7296, 2.23).
    """
    spis = (message.spi_i, message.spi_r)
    sources = _data(message, NotifyType.NAT_DETECTION_SOURCE_IP)
    destinations = _data(message, NotifyType.NAT_DETECTION_DESTINATION_IP)
    if not sources or not destinations:
        return NOT_DETECTED
    return Detected(
        supported=True,
        ours=detection_hash(spis, destination) not in destinations,
        theirs=detection_hash(spis, source) not in sources,
        seen=destinations[0],
    )


def _data(message: Message, kind: NotifyType) -> list[bytes]:
    return [notify.data for notify in message.all(Notify) if notify.notify_type == kind]


def floated(end: Endpoint) -> Endpoint:
    """Give the same address with the port of NAT traversal."""
    return replace(end, port=NAT_TRAVERSAL_PORT)


def goes_on_port_4500(sa: IkeSa) -> bool:
    """Say whether an initiator goes on on port 4500 after IKE_SA_INIT.

    With a NAT it does (RFC 7296, 2.23), and for MOBIKE where both sides traverse NATs, so that no
    port has to change when one appears (RFC 4555, 3.3). TCP stays where it is (RFC 9329, 6.5).
    """
    if sa.local.transport is Carrier.TCP:
        return False
    return sa.traverses_nat or (sa.connection.mobike and sa.nat.supported)


# What a datagram is (RFC 3948, 2 and 3.3).


class Kind(Enum):
    """What a packet carries."""

    IKE = "IKE"
    ESP = "ESP"
    KEEPALIVE = "NAT-keepalive"
    CLEAR = "a packet in the clear"


def demultiplex(packet: Packet) -> tuple[Kind, bytes]:
    """Say what a packet carries, and give it without a non-ESP marker.

    A stream's messages look like datagrams on port 4500 (RFC 9329, 3). MalformedMessage for one
    that is neither IKE, ESP nor a keepalive.
    """
    octets = packet.octets
    if packet.carrier is Carrier.ESP:
        return Kind.ESP, octets
    if packet.carrier not in (Carrier.UDP, Carrier.TCP):
        return Kind.CLEAR, octets
    if packet.carrier is Carrier.UDP and packet.destination.port == IKE_PORT:
        return Kind.IKE, octets
    if octets == KEEPALIVE:
        return Kind.KEEPALIVE, octets
    if len(octets) < len(NON_ESP_MARKER):
        raise MalformedMessage(len(octets), "neither an SPI nor a non-ESP marker fits in")
    if octets.startswith(NON_ESP_MARKER):
        return Kind.IKE, octets[len(NON_ESP_MARKER) :]
    return Kind.ESP, octets


def ike_packet(source: Endpoint, destination: Endpoint, octets: bytes) -> Packet:
    """Put an IKE message into a datagram, behind a marker where the port or TCP wants it."""
    marked = source.port == NAT_TRAVERSAL_PORT or source.transport is Carrier.TCP
    marker = NON_ESP_MARKER if marked else b""
    return Packet(source.transport, source, destination, marker + octets)


def esp_packet(
    source: Endpoint,
    destination: Endpoint,
    octets: bytes,
    *,
    encapsulated: bool,
    traffic_class: int = 0,
) -> Packet:
    """Send an ESP packet between two addresses, or between two ports where it is encapsulated."""
    if encapsulated:
        return Packet(source.transport, source, destination, octets, traffic_class)
    ends = Endpoint(source.address), Endpoint(destination.address)
    return Packet(Carrier.ESP, *ends, octets, traffic_class)


def clear_packet(inner: IpPacket) -> Packet:
    """Send an ICMP packet as it is, without ESP."""
    carrier, ends = Carrier(inner.protocol), (Endpoint(inner.source), Endpoint(inner.destination))
    return Packet(carrier, *ends, inner.payload, inner.traffic_class)


def in_the_clear(packet: Packet) -> IpPacket:
    """Give an ICMP packet that came without ESP."""
    ends = packet.source.address, packet.destination.address
    protocol = packet.carrier.value
    return IpPacket(*ends, protocol, packet.octets, traffic_class=packet.traffic_class)


def keepalive_packet(source: Endpoint, destination: Endpoint) -> Packet:
    """Build a NAT-keepalive."""
    return Packet(source.transport, source, destination, KEEPALIVE)


# Transport mode (RFC 7296, 2.23.1): selectors carry addresses that a NAT has changed meanwhile.


@dataclass(frozen=True, slots=True)
class Localized:
    """Selectors with the addresses that this side sees, and those that the other side sent.

    ``original`` are source and destination of the other side's packets as it has them, which its
    checksums cover; None where nothing has to be mended.
    """

    tsi: tuple[TrafficSelector, ...]
    tsr: tuple[TrafficSelector, ...]
    original: tuple[IPAddress, IPAddress] | None = None


def localize(
    sa: IkeSa, tsi: Sequence[TrafficSelector], tsr: Sequence[TrafficSelector]
) -> Localized:
    """Put the addresses of the IKE SA into transport mode selectors that came through a NAT.

    PeerError when they have not exactly one address each.
    """
    if not sa.nat.found or not tsi or not tsr:
        return Localized(tuple(tsi), tuple(tsr))
    initiator, responder = (sa.local, sa.remote) if sa.initiator else (sa.remote, sa.local)
    of_initiator, of_responder = (
        (sa.nat.ours, sa.nat.theirs) if sa.initiator else (sa.nat.theirs, sa.nat.ours)
    )
    ends = _only_address(tsi), _only_address(tsr)
    original = ends[::-1] if sa.initiator else ends
    return Localized(
        _moved(tsi, initiator.address) if of_initiator else tuple(tsi),
        _moved(tsr, responder.address) if of_responder else tuple(tsr),
        original,
    )


def _only_address(ranges: Sequence[TrafficSelector]) -> IPAddress:
    addresses = {end for each in ranges for end in (each.start_address, each.end_address)}
    if len(addresses) != 1:
        raise PeerError(f"{len(addresses)} addresses in a selector of transport mode behind a NAT")
    return addresses.pop()


def _moved(ranges: Sequence[TrafficSelector], address: IPAddress) -> tuple[TrafficSelector, ...]:
    return tuple(replace(each, start_address=address, end_address=address) for each in ranges)


_CHECKSUM_AT = {IpProtocol.TCP: 16, IpProtocol.UDP: 6, IpProtocol.ICMPV6: 2}
"""Where checksums lie that cover the addresses too: in the pseudo-header."""


def mended(packet: IpPacket, original: tuple[IPAddress, IPAddress]) -> IpPacket:
    """Let a checksum over the original addresses cover those of the packet (RFC 3948, 3.1.2).

    The update is incremental (RFC 1624, eqn. 3), so that a wrong checksum stays wrong. A UDP
    checksum of zero is none, and stays (RFC 768).
    """
    at = _CHECKSUM_AT.get(IpProtocol(packet.protocol))
    if at is None or len(packet.payload) < at + 2:
        return packet
    old = int.from_bytes(packet.payload[at : at + 2], "big")
    if packet.protocol == IpProtocol.UDP and not old:
        return packet
    total = old ^ 0xFFFF
    total += sum(0xFFFF - word for word in _words(*original))
    total += sum(_words(packet.source, packet.destination))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    new = total ^ 0xFFFF
    if packet.protocol == IpProtocol.UDP and not new:
        new = 0xFFFF
    payload = packet.payload[:at] + new.to_bytes(2, "big") + packet.payload[at + 2 :]
    return replace(packet, payload=payload)


def _words(*addresses: IPAddress) -> list[int]:
    octets = b"".join(each.packed for each in addresses)
    return [int.from_bytes(octets[i : i + 2], "big") for i in range(0, len(octets), 2)]
