"""Evidence: from what a test recorded to its ladder, and to the folder that proves it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

from peers.reference.describe import describe
from peers.reference.events import Decoded, Event, IPAddress, Remark, Transmission
from peers.reference.message import Message
from reports import wireshark
from reports.capture import Cut, build_capture
from reports.model import CarrierName, Direction, EvidenceFile, FileKind, Note, Step, printable

CAPTURE_NAME = "capture.pcapng"
_ARROWS = {Direction.SENT: "peer --> target", Direction.RECEIVED: "peer <-- target"}


@dataclass(frozen=True, slots=True)
class Record:
    """What a test leaves behind: its events, and what the target said meanwhile.

    Times are seconds since the epoch. ``peer_addresses`` are those of the reference peer that the
    events may not show. ``configuration`` is as the target rendered it.
    """

    title: str
    target: str
    start: float
    end: float
    events: tuple[Event, ...]
    configuration: str = ""
    log: str = ""
    peer_addresses: frozenset[IPAddress] = frozenset()

    @property
    def transmissions(self) -> tuple[Transmission, ...]:
        """Give the packets alone."""
        return tuple(event for event in self.events if isinstance(event, Transmission))


def ladder(
    events: Sequence[Event], start: float, *, detail: bool = True
) -> tuple[Step | Note, ...]:
    """Give the ladder of a test that started at ``start`` (seconds since the epoch).

    Without ``detail`` the steps keep neither their full decode nor their octets.
    """
    entries: list[Step | Note] = []
    for event in events:
        if isinstance(event, Transmission):
            entries.append(_step(event, start, detail))
        elif isinstance(event, Remark):
            entries.append(Note(offset=_offset(event.time, start), text=event.text))
    return tuple(entries)


def evidence_folder(run_folder: Path, target: str, test_id: str) -> Path:
    """Give the folder of a test's evidence: readable, safe in any file system, never shared."""
    name = re.sub(r"[^A-Za-z0-9_.]+", "-", test_id.rsplit("/", 1)[-1]).strip("-.")[:100]
    digest = hashlib.sha256(test_id.encode()).hexdigest()[:8]
    return run_folder / "evidence" / re.sub(r"[^A-Za-z0-9_.@]+", "-", target) / f"{name}-{digest}"


def write_evidence(
    run_folder: Path, folder: Path, record: Record, *, captured: bool
) -> tuple[EvidenceFile, ...]:
    """Write a test's evidence below a run's folder, and list its files for the result.

    Where the lab ``captured`` the run, the capture is listed only: it is cut when the run has
    ended, by ``cut_capture`` with ``cut_of``. Else it is built from the record.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = [(FileKind.CAPTURE, folder / CAPTURE_NAME)]
    for kind, name, text in (
        (FileKind.README, "README", f"{record.title}\n\n{wireshark.HOW_TO_OPEN}"),
        (FileKind.MESSAGES, "messages.txt", messages_text(record)),
        (FileKind.CONFIGURATION, "configuration.txt", record.configuration),
        (FileKind.LOG, "target.log", record.log),
    ):
        if text:
            files.append((kind, folder / name))
            files[-1][1].write_text(text, encoding="utf-8", errors="backslashreplace")
    files += wireshark.write_profile(folder / wireshark.FOLDER, record.events)
    if not captured:
        build_capture(folder / CAPTURE_NAME, record.transmissions)
    return tuple(
        EvidenceFile(kind=kind, path=path.relative_to(run_folder).as_posix())
        for kind, path in files
    )


def cut_of(record: Record, folder: Path) -> Cut:
    """Say which packets of the run's capture are this test's."""
    addresses = {_peer_address(transmission) for transmission in record.transmissions}
    return Cut(folder / CAPTURE_NAME, record.start, record.end, record.peer_addresses | addresses)


def messages_text(record: Record) -> str:
    """Give the ladder and every packet's full decode and octets, as plain text."""
    entries = ladder(record.events, record.start)
    started = datetime.fromtimestamp(record.start, UTC).isoformat(timespec="milliseconds")
    parts = [f"{printable(record.title)}\ntarget {record.target}, started {started}\n"]
    parts += [_text_of(number, entry) for number, entry in enumerate(entries, 1)]
    parts += [
        _detail_of(number, entry)
        for number, entry in enumerate(entries, 1)
        if isinstance(entry, Step)
    ]
    return "\n".join(parts)


def hex_dump(octets: bytes) -> str:
    """Give octets as lines of offset, 16 octets in hex, and their printable ASCII."""
    lines = []
    for start in range(0, len(octets), 16):
        row = octets[start : start + 16]
        text = "".join(chr(octet) if 32 <= octet < 127 else "." for octet in row)
        lines.append(f"{start:04x}  {row.hex(' '):<47}  {text}")
    return "\n".join(lines)


def _step(event: Transmission, start: float, detail: bool) -> Step:
    packet = event.packet
    decoded = _without_faults(event.decoded) if event.decoded is not None else None
    size = len(packet.octets)
    marks = f", traffic class {packet.traffic_class:#04x}" if packet.traffic_class else ""
    return Step(
        offset=_offset(event.time, start),
        direction=Direction.SENT if event.sent else Direction.RECEIVED,
        carrier=CarrierName(packet.carrier.name),
        source=str(packet.source),
        destination=str(packet.destination),
        size=size,
        summary=(str(decoded) if decoded is not None else f"{size} octets") + marks,
        decode=_fields(decoded) if detail and decoded is not None else "",
        octets=packet.octets.hex() if detail else "",
        problem=event.problem,
        fault=event.fault,
    )


def _without_faults(decoded: Decoded) -> Decoded:
    """Give the message as it was before its deliberate errors, which a step names apart."""
    return replace(decoded, faults=()) if isinstance(decoded, Message) else decoded


def _fields(decoded: Decoded) -> str:
    """Give every field, without the line in short that a step has as its summary."""
    return dedent(describe(decoded).partition("\n")[2])


def _offset(time: float, start: float) -> float:
    return round((time - start) * 1000, 3)


def _peer_address(transmission: Transmission) -> IPAddress:
    packet = transmission.packet
    return (packet.source if transmission.sent else packet.destination).address


def _text_of(number: int, entry: Step | Note) -> str:
    if isinstance(entry, Note):
        return f"{number:4}  {entry.offset:10.3f} ms  -- {entry.text}"
    remarks = [f"deliberate fault: {entry.fault}"] if entry.fault else []
    remarks += [f"not decoded: {entry.problem}"] if entry.problem else []
    tail = f"  [{'; '.join(remarks)}]" if remarks else ""
    return f"{number:4}  {entry.offset:10.3f} ms  {_ARROWS[entry.direction]}  {entry.summary}{tail}"


def _detail_of(number: int, step: Step) -> str:
    head = f"{number}. {step.source} -> {step.destination}, {step.carrier}, {step.size} octets"
    return "\n".join(
        ["", head, step.summary, "", step.decode, "", hex_dump(bytes.fromhex(step.octets))]
    )
