"""The sentences of an RFC that hold a requirement word, and the rows that say them in our words.

The RFC's sentences are not kept here: a map names each by its section, its number there, its
requirement words and a digest, so that a text or a splitter that changes is noticed.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from suites.paragraphs import section, section_numbers

FOLDER = Path(__file__).parent / "requirements"

MAPPED: Mapping[int, Sequence[int]] = {
    3948: range(1, 6),
    6989: range(2, 6),
    7296: range(1, 4),
    7383: range(2, 6),
    7427: range(3, 7),
    8247: range(1, 6),
}
"""The RFCs that have a map, each with the sections that it is of.

What comes before only tells what is to follow, and what the requirement words mean; what comes
after is for the IANA, or lists what was read.
"""

_WORD = re.compile(
    r"\b(?:(?:MUST|SHALL|SHOULD)(?: NOT)?|REQUIRED|(?:NOT )?RECOMMENDED|MAY|OPTIONAL)\b"
)
_END = re.compile(
    r"(?:(?<=[.!?:])|(?<=[.!?:]\)))\s+(?=[A-Z\"(\[])"  # the end of a sentence
    r"|\n\s*(?:o|\*|-|\d+\.)\s+"  # the beginning of an item
)
_NO_END = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|cf|al|No|Sec|Fig)|\b[A-Z])\.$")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with requirement words: the ``number``-th of its section, counted from 1.

    ``digest`` are eight hexadecimal digits of the SHA-256 of its words.
    """

    section: str
    number: int
    words: tuple[str, ...]
    digest: str

    def __str__(self) -> str:
        return f"{self.section}, sentence {self.number} ({', '.join(self.words)})"


@dataclass(frozen=True, slots=True)
class Mapped:
    """A sentence with the rows that say it, or the reason why there is none."""

    sentence: Sentence
    rows: tuple[str, ...]
    reason: str


def sentences(text: str, within: Container[int]) -> list[tuple[Sentence, str]]:
    """Give the sentences with requirement words of some sections, each with its text."""
    found = []
    for number in section_numbers(text):
        if int(number.partition(".")[0]) in within:
            found += list(_of_section(text, number))
    return found


def _of_section(text: str, number: str) -> Iterator[tuple[Sentence, str]]:
    count = 0
    for paragraph in section(text, number):
        for said in split(paragraph):
            words = tuple(_WORD.findall(said))
            if words:
                count += 1
                digest = hashlib.sha256(said.encode()).hexdigest()[:8]
                yield Sentence(number, count, words, digest), said


def split(paragraph: str) -> list[str]:
    """Split a paragraph into sentences, with single spaces; an item of a list is one at least."""
    parts, rest = [], ""
    position = 0
    for end in _END.finditer(paragraph):
        rest += paragraph[position : end.start()]
        position = end.end()
        if _NO_END.search(rest.rstrip()):
            rest += " "
            continue
        parts.append(rest)
        rest = ""
    parts.append(rest + paragraph[position:])
    return [" ".join(part.split()) for part in parts if part.strip()]


def map_of(rfc: int) -> Path:
    """Say where the map of an RFC is."""
    return FOLDER / f"rfc{rfc}-sentences.csv"


def read_map(path: Path) -> list[Mapped]:
    """Read a map; ValueError for a line that has neither rows nor a reason, or both."""
    with path.open(encoding="utf-8", newline="") as file:
        found = [_mapped(line) for line in csv.DictReader(file)]
    for each in found:
        if bool(each.rows) == bool(each.reason):
            raise ValueError(f"{path.name}: {each.sentence} needs rows, or a reason")
    return found


def _mapped(line: dict[str, str]) -> Mapped:
    sentence = Sentence(
        line["section"], int(line["number"]), tuple(line["words"].split("/")), line["digest"]
    )
    return Mapped(sentence, tuple(line["rows"].split()), line["reason"])


def unknown_rows(mapped: Iterable[Mapped], ledger: Container[str]) -> list[str]:
    """List the ids that a map names and the ledger does not have."""
    return sorted({row for each in mapped for row in each.rows if row not in ledger})


def disagreements(mapped: Iterable[Mapped], text: str, within: Container[int]) -> list[str]:
    """Say where a map and some sections of the RFC's text are not of the same sentences."""
    ours = {each.sentence for each in mapped}
    theirs = {each for each, _ in sentences(text, within)}
    return [
        f"{each}: not in the {'text' if each in ours else 'map'}"
        for each in sorted(ours ^ theirs, key=_place)
    ]


def _place(sentence: Sentence) -> tuple[list[int], int]:
    return [int(part) for part in sentence.section.split(".")], sentence.number


def summary(rfc: int, mapped: Sequence[Mapped]) -> str:
    """Say in a line how much of an RFC has rows."""
    within, rows = MAPPED[rfc], sum(bool(each.rows) for each in mapped)
    return (
        f"RFC {rfc}, sections {within[0]} to {within[-1]}: "
        f"{len(mapped)} sentences with a requirement word, {rows} with rows, "
        f"{len(mapped) - rows} with a reason why not"
    )
