"""What the captures of a run hold: IKE messages and ESP packets, with the keys beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from peers.reference.errors import MalformedMessage, ScriptError
from peers.reference.ip import IpPacket, size
from peers.reference.numbers import IpProtocol
from reports.capture import frames, ip_offset
from reports.model import FileKind, Run, Step, TestResult
from reports.second_decoder.streams import Streams
from reports.wireshark import ESP_TABLE, FOLDER, IKE_TABLE, PREFERENCES

IKE_PORT, NAT_TRAVERSAL_PORT = 500, 4500
_NON_ESP_MARKER = bytes(4)
_KEEPALIVE = b"\xff"
_UDP_HEADER = 8
Lines = tuple[str, ...]
"""The lines of a key table for one SA: an IKE SA has one for each of its keys."""

_FRAGMENTED = 0x3FFF
"""More Fragments and the fragment offset (RFC 791, 3.1)."""


@dataclass(frozen=True, slots=True)
class Captured:
    """An IKE message or an ESP packet. ``number`` counts the frames of its test's capture from 1.

    ``fault`` names the deliberate error of a packet of ours; ``sequence`` is the full number of
    an ESP packet, where the run wrote it down.
    """

    test: str
    number: int
    is_esp: bool
    octets: bytes
    fault: str = ""
    sequence: int | None = None

    def __str__(self) -> str:
        return f"{self.test} frame {self.number}"


@dataclass(slots=True)
class Batch:
    """Captures that one run of a decoder can read: one link type, the keys of one test for an SA.

    ``captured`` is what is compared of what the ``frames`` carry, by their number from 1.
    ``tables`` have whole lines of Wireshark's tables, by SPIs, for ESP with addresses.
    """

    link: int
    frames: list[bytes] = field(default_factory=list)
    captured: dict[int, Captured] = field(default_factory=dict)
    tables: dict[str, dict[str, Lines]] = field(
        default_factory=lambda: {IKE_TABLE: {}, ESP_TABLE: {}}
    )

    def takes(self, link: int, tables: Mapping[str, Mapping[str, Lines]]) -> bool:
        """Say whether these keys contradict none that are here."""
        return self.link == link and all(
            self.tables[name].get(key, lines) == lines
            for name, table in tables.items()
            for key, lines in table.items()
        )

    def add(
        self, test: str, number: int, frame: bytes, said: Mapping[bytes, tuple[str, int | None]]
    ) -> None:
        """Add a frame; ``said`` are fault and sequence number by what follows UDP or IP."""
        self.frames.append(frame)
        carried = _carried(self.link, frame)
        if carried is not None and (found := _ike_or_esp(*carried)) is not None:
            known = said.get(carried[1], ("", None))
            self.captured[len(self.frames)] = Captured(test, number, *found, *known)

    def lines(self, name: str) -> list[str]:
        """List the lines of a table, in the order that Wireshark is given them."""
        return [line for lines in self.tables[name].values() for line in lines]

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write a capture and a Wireshark profile; give the paths of both."""
        from scapy.utils import RawPcapNgWriter

        capture, profile = folder / "capture.pcapng", folder / FOLDER
        profile.mkdir(parents=True)
        (profile / "preferences").write_text(PREFERENCES, encoding="utf-8")
        for name in self.tables:
            text = "".join(f"{line}\n" for line in self.lines(name))
            (profile / name).write_text(text, encoding="utf-8")
        writer: Any = RawPcapNgWriter(str(capture))
        try:
            writer.linktype = self.link
            writer.write_header(None)
            for frame in self.frames:
                writer.write_packet(frame, sec=0)
        finally:
            writer.close()
        return capture, profile


def batches(folder: Path) -> list[Batch]:
    """Collect the captures of a run.

    ScriptError in one line where the folder holds no run, or a run that kept no capture.
    """
    run = Run.load(folder / "results.json")
    found: list[Batch] = []
    for result in run.results:
        for file in result.files:
            if file.kind is FileKind.CAPTURE and (folder / file.path).exists():
                _collect(found, result, folder / file.path)
    if not found:
        raise ScriptError(f'{folder}: the run kept no capture: give ARGS="--evidence all"')
    return found


def _collect(found: list[Batch], result: TestResult, capture: Path) -> None:
    """Put a test's capture where its keys contradict no other's."""
    tables = {name: _table(capture.parent / FOLDER / name) for name in (IKE_TABLE, ESP_TABLE)}
    steps = {
        bytes.fromhex(step.octets): (step.fault, _sequence(step))
        for step in result.ladder
        if isinstance(step, Step)
    }
    test = f"{result.target} {result.id.rpartition('/')[2]}"
    batch, streams = None, Streams()
    for number, (link, _, frame) in enumerate(frames(capture), 1):
        if batch is None:
            batch = next((each for each in found if each.takes(link, tables)), None)
        if batch is None:
            batch = Batch(link)
            found.append(batch)
        for name, table in tables.items():
            batch.tables[name].update(table)
        for each in streams.datagrams(link, frame):
            batch.add(test, number, each, steps)


def _sequence(step: Step) -> int | None:
    """Give the full sequence number of an ESP packet that the run opened."""
    found = re.search(r"^sequence: (\d+)$", step.decode, re.MULTILINE)
    return int(found[1]) if found else None


def _table(path: Path) -> dict[str, Lines]:
    """Read the lines of a key table by what Wireshark finds them by."""
    table: dict[str, Lines] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        columns = line.removeprefix("# ").split(",")
        key = ",".join(columns[: 4 if path.name == ESP_TABLE else 2])
        table[key] = (*table.get(key, ()), line)
    return table


def _carried(link: int, frame: bytes) -> tuple[int, bytes] | None:
    """Give what follows the UDP or IP header of a frame, with IPsec's UDP port or 0 for ESP."""
    start = ip_offset(link, frame)
    if start is None:
        return None
    try:
        packet = IpPacket.decode(frame[start : start + size(frame[start:])])
    except MalformedMessage:
        return None
    octets = packet.payload
    if packet.fragmentation & _FRAGMENTED or len(octets) < _UDP_HEADER:
        return None
    if packet.protocol == IpProtocol.ESP:
        return 0, octets
    ports = {int.from_bytes(octets[:2], "big"), int.from_bytes(octets[2:4], "big")}
    known = ports & {IKE_PORT, NAT_TRAVERSAL_PORT}
    if packet.protocol != IpProtocol.UDP or not known:
        return None
    return max(known), octets[_UDP_HEADER:]


def _ike_or_esp(port: int, octets: bytes) -> tuple[bool, bytes] | None:
    """Say whether octets are ESP, and give them without a marker; None for a keepalive."""
    if port == IKE_PORT:
        return False, octets
    if port == 0:
        return True, octets
    if octets.startswith(_NON_ESP_MARKER):
        return False, octets[len(_NON_ESP_MARKER) :]
    return None if octets == _KEEPALIVE else (True, octets)
