"""Capture files: cut from a run's capture for each test, or built from what a test recorded."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peers.reference.errors import Inconclusive
from peers.reference.events import Carrier, Ends, IPAddress, Packet, Transmission
from peers.reference.nat import NAT_TRAVERSAL_PORT
from peers.reference.stream import STREAM_PREFIX, framed

if TYPE_CHECKING:
    from scapy.utils import RawPcapNgWriter

_ETHERNET, _RAW_IP, _LINUX_SLL, _LINUX_SLL2 = 1, 101, 113, 276
_ETHERTYPE_AT = {_ETHERNET: 12, _LINUX_SLL: 14, _LINUX_SLL2: 0}
_IP_AT = {_ETHERNET: 14, _LINUX_SLL: 16, _LINUX_SLL2: 20, _RAW_IP: 0, 12: 0, 228: 0, 229: 0}
_VLAN_TAGS = (b"\x81\x00", b"\x88\xa8")
_SLACK = 0.01


@dataclass(frozen=True, slots=True)
class Cut:
    """The packets of one test: from or to ``addresses``, between two times (seconds, epoch)."""

    path: Path
    start: float
    end: float
    addresses: frozenset[IPAddress]


def cut_capture(capture: Path, cuts: Sequence[Cut]) -> dict[Path, int]:
    """Cut a run's capture (pcap or pcapng) in one pass; give the number of packets of each file.

    Frames are kept as they were captured. A packet up to 10 ms outside of the window still counts,
    for the clock of the capture is not the peer's. Raises Inconclusive where the file is no
    capture, or has a link layer that is not known here.
    """
    from scapy.error import Scapy_Exception

    files = _CutFiles(cuts)
    try:
        for link, time, frame in frames(capture):
            files.add(link, time, frame)
    except (OSError, Scapy_Exception, struct.error) as error:
        raise Inconclusive(f"{capture}: cannot be cut: {error}") from error
    finally:
        counts = files.close()
    return counts


def build_capture(path: Path, transmissions: Iterable[Transmission]) -> None:
    """Write what a test recorded as IP packets of a pcapng file, where no link was captured.

    Messages over TCP are written whole, each behind the other, however the script wrote them.
    """
    from scapy.utils import RawPcapNgWriter

    writer: Any = RawPcapNgWriter(str(path))
    written: Counter[Ends] = Counter()
    try:
        writer.linktype = _RAW_IP
        writer.write_header(None)
        for transmission in transmissions:
            octets = _ip_packet(transmission, written)
            writer.write_packet(octets, sec=_to_write(transmission.time))
    finally:
        writer.close()


class _CutFiles:
    """The files that are being cut, found by address."""

    def __init__(self, cuts: Sequence[Cut]) -> None:
        self._counts = {cut.path: 0 for cut in cuts}
        self._writers: dict[Path, RawPcapNgWriter] = {}
        self._by_address: dict[IPAddress, list[Cut]] = {}
        for cut in cuts:
            for address in cut.addresses:
                self._by_address.setdefault(address, []).append(cut)

    def add(self, link: int, time: float, frame: bytes) -> None:
        """Write a frame to the file of every test that it belongs to."""
        paths = {
            cut.path
            for address in outer_addresses(link, frame)
            for cut in self._by_address.get(address, ())
            if cut.start - _SLACK <= time <= cut.end + _SLACK
        }
        for path in paths:
            self._writer(path, link).write_packet(frame, sec=_to_write(time))
            self._counts[path] += 1

    def _writer(self, path: Path, link: int) -> Any:
        from scapy.utils import RawPcapNgWriter

        writer: Any = self._writers.get(path)
        if writer is None:
            writer = self._writers[path] = RawPcapNgWriter(str(path))
            writer.linktype = link
            writer.write_header(None)
        elif writer.linktype != link:
            raise Inconclusive(f"{path}: the capture has link types {writer.linktype} and {link}")
        return writer

    def close(self) -> dict[Path, int]:
        """Close every file, with an empty capture for a test that sent and heard nothing."""
        for path in self._counts:
            if path not in self._writers:
                self._writer(path, _RAW_IP)
        for writer in self._writers.values():
            writer.close()
        return self._counts


def outer_addresses(link: int, frame: bytes) -> frozenset[IPAddress]:
    """Give source and destination of a frame's outer IP header; none where it has no IP header."""
    at = ip_offset(link, frame)
    if at is None:
        return frozenset()
    version = frame[at] >> 4 if len(frame) > at else 0
    first, size = {4: (at + 12, 4), 6: (at + 8, 16)}.get(version, (0, 0))
    pair = frame[first : first + 2 * size]
    if not size or len(pair) < 2 * size:
        return frozenset()
    return frozenset((ip_address(pair[:size]), ip_address(pair[size:])))


def ip_offset(link: int, frame: bytes) -> int | None:
    """Say where a frame's outer IP header starts; None where it has none.

    Raises Inconclusive for a link type that is not known.
    """
    if link not in _IP_AT:
        raise Inconclusive(f"link type {link} of a capture is not known")
    at = _IP_AT[link]
    if link in _ETHERTYPE_AT:
        ethertype = _ETHERTYPE_AT[link]
        while frame[ethertype : ethertype + 2] in _VLAN_TAGS:
            ethertype, at = ethertype + 4, at + 4
        if frame[ethertype : ethertype + 2] not in (b"\x08\x00", b"\x86\xdd"):
            return None
    return at


def frames(capture: Path) -> Iterator[tuple[int, float, bytes]]:
    """Read link type, time (seconds since the epoch) and octets of every frame."""
    from scapy.utils import RawPcapReader

    reader: Any = RawPcapReader(str(capture))
    with reader:
        for frame, about in reader:
            if hasattr(about, "tshigh"):
                ticks = (about.tshigh << 32) + about.tslow
                yield about.linktype, ticks / about.tsresol, frame
            else:
                fraction = about.usec / (1_000_000_000 if reader.nano else 1_000_000)
                yield reader.linktype, about.sec + fraction, frame


def _to_write(time: float) -> float:
    """Round to the middle of a microsecond, for the writer cuts off what is below one."""
    return (int(time * 1_000_000 + 0.5) + 0.5) / 1_000_000


def _ip_packet(transmission: Transmission, written: Counter[Ends]) -> bytes:
    """Build the packet; ``written`` counts the octets of each direction of a TCP connection."""
    from scapy.layers.inet import IP, UDP
    from scapy.layers.inet6 import IPv6
    from scapy.packet import Raw

    packet = transmission.packet
    source, destination = packet.source, packet.destination
    number = packet.carrier.value
    addresses: dict[str, Any] = {"src": str(source.address), "dst": str(destination.address)}
    if isinstance(source.address, IPv6Address):
        outer: Any = IPv6(nh=number, tc=packet.traffic_class, **addresses)
    else:
        outer = IP(proto=number, tos=packet.traffic_class, **addresses)
    if packet.carrier is Carrier.UDP:
        outer = outer / UDP(sport=source.port, dport=destination.port)
    if packet.carrier is Carrier.TCP:
        return bytes(outer / _segment(packet, written))
    return bytes(outer / Raw(packet.octets))


def _segment(packet: Packet, written: Counter[Ends]) -> Any:
    """Write a message into its stream, as one segment; the Originator's begins with the prefix."""
    from scapy.layers.inet import TCP
    from scapy.packet import Raw

    ends = packet.source, packet.destination
    first = not written[ends] and packet.destination.port == NAT_TRAVERSAL_PORT
    octets = (STREAM_PREFIX if first else b"") + framed(packet.octets)
    header = TCP(
        sport=packet.source.port,
        dport=packet.destination.port,
        flags="PA",
        seq=1 + written[ends],
        ack=1 + written[ends[::-1]],
    )
    written[ends] += len(octets)
    return header / Raw(octets)
