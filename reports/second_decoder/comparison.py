"""Field by field: where a second decoder reads something else than our codec does."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from reports.second_decoder import by_scapy
from reports.second_decoder.captured import Batch, Captured
from reports.second_decoder.fields import Fields, Value
from reports.second_decoder.keys import NO_ALGORITHM, Keys
from reports.second_decoder.known import SCAPY, TSHARK, Known, explanation
from reports.second_decoder.ours import MIXED, WRONG_ICV, IkeReader, Reading, read_esp
from reports.wireshark import ESP_TABLE, IKE_TABLE

DECODERS = (SCAPY, TSHARK)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A field that was read differently: None for a decoder that shows no such field."""

    where: str
    decoder: str
    path: str
    ours: Value | None
    theirs: Value | None

    def __str__(self) -> str:
        return (
            f"{self.where}: {self.path}: we read {_shown(self.ours)},"
            f" {self.decoder} reads {_shown(self.theirs)}"
        )


def _shown(value: Value | None) -> str:
    if value is None:
        return "nothing"
    return (value.hex() or "no octets") if isinstance(value, bytes) else str(value)


@dataclass(slots=True)
class Tally:
    """What one decoder agreed on and not, in fields; ``known`` counts by reason."""

    agreed: int = 0
    known: Counter[Known] = field(default_factory=Counter)
    unknown: list[Disagreement] = field(default_factory=list)

    def compare(self, where: str, decoder: str, ours: Fields, theirs: Fields) -> None:
        """Compare two readings of the same octets, and count."""
        for path in dict.fromkeys((*ours, *theirs)):
            one, other = ours.get(path), theirs.get(path)
            if one == other:
                self.agreed += 1
                continue
            reason = explanation(decoder, path, ours, other)
            if reason is None:
                self.unknown.append(Disagreement(where, decoder, path, one, other))
            else:
                self.known[reason] += 1


@dataclass(slots=True)
class Row:
    """What was compared of one exchange, or of ESP; ``payloads`` are IKE payloads."""

    messages: int = 0
    payloads: int = 0
    tallies: dict[str, Tally] = field(default_factory=lambda: {name: Tally() for name in DECODERS})


@dataclass(slots=True)
class Comparison:
    """Everything that was compared.

    ``closed`` counts by decoder and reason what was compared on the outside only. ``faulty``
    counts packets of ours that are malformed, or sealed wrongly, on purpose; ``refused`` are
    those that our codec does not read and that have no such excuse.
    """

    rows: dict[str, Row] = field(default_factory=lambda: defaultdict(Row))
    closed: Counter[tuple[str, str]] = field(default_factory=Counter)
    faulty: int = 0
    refused: list[str] = field(default_factory=list)

    def add(self, batch: Batch, shown: dict[int, Fields]) -> None:
        """Compare what a batch holds; ``shown`` is tshark's reading by number of the frame."""
        keys = Keys(batch.lines(IKE_TABLE), batch.lines(ESP_TABLE))
        reader = IkeReader(keys)
        for number, captured in batch.captured.items():
            reading = (
                read_esp(captured.octets, keys, captured.sequence)
                if captured.is_esp
                else reader.read(captured.octets)
            )
            problem = reading.refused or (reading.closed if reading.closed == WRONG_ICV else "")
            if problem and not captured.fault:
                self.refused.append(f"{captured}: {problem}")
            self.faulty += bool(problem and captured.fault)
            if not reading.refused:
                self._compare(captured, reading, shown.get(number, {}))

    def _compare(self, captured: Captured, reading: Reading, shown: Fields) -> None:
        row = self.rows[reading.kind]
        row.messages += 1
        row.payloads += reading.payloads
        scapys = _by_scapy(captured, reading)
        for decoder, theirs, closed in (
            (SCAPY, scapys, _closed_to_scapy(captured, reading)),
            (TSHARK, shown, _closed_to_tshark(reading)),
        ):
            ours = reading.fields
            if closed:
                self.closed[decoder, closed] += 1
                is_outside = _IN_CLEAR_OF_ESP if captured.is_esp else _in_clear_of_ike
                ours, theirs = _only(is_outside, ours), _only(is_outside, theirs)
            row.tallies[decoder].compare(str(captured), decoder, ours, theirs)

    @property
    def unknown(self) -> Iterator[Disagreement]:
        """Give the disagreements that nothing is known about."""
        for row in self.rows.values():
            for tally in row.tallies.values():
                yield from tally.unknown

    @property
    def known(self) -> Counter[Known]:
        """Count the fields by what is known about them."""
        tallies = (tally for row in self.rows.values() for tally in row.tallies.values())
        return sum((tally.known for tally in tallies), Counter())


def _closed_to_scapy(captured: Captured, reading: Reading) -> str:
    if captured.is_esp and reading.key is not None and not by_scapy.has_algorithms_of(reading.key):
        return NO_ALGORITHM
    return reading.closed


def _closed_to_tshark(reading: Reading) -> str:
    if reading.key is not None and reading.key.unreadable:
        return reading.key.unreadable
    if reading.mixed:
        return MIXED
    return reading.closed


def _by_scapy(captured: Captured, reading: Reading) -> Fields:
    if not captured.is_esp:
        fields = by_scapy.read(captured.octets)
        if reading.plaintext:
            fields |= by_scapy.read_inside(reading.first, reading.plaintext)
        return fields
    if reading.key is None or _closed_to_scapy(captured, reading):
        return by_scapy.read_esp(captured.octets)
    return by_scapy.open_esp(captured.octets, reading.key, reading.high)


_IN_CLEAR_OF_ESP = {"spi", "sequence"}.__contains__


def _in_clear_of_ike(path: str) -> bool:
    return not path.startswith(("inner", "sk."))


def _only(wanted: Callable[[str], bool], fields: Fields) -> Fields:
    return {path: value for path, value in fields.items() if wanted(path)}
