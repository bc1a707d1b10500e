"""The text of an RFC: its lines with their pages, its sections, and the values with labels."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_FOOTER = re.compile(r".*\[Page (\d+)\]$")
_HEADING = re.compile(r"(?:Appendix [A-Z]\.|\d+\. |\d+(?:\.\d+)+\.? |[A-Z](?:\.\d+)+\.? )")
# Sixteen octets at most behind a decimal offset, and what they are in ASCII.
_DUMP = re.compile(r"\d{3}  ([0-9a-f]{2}(?: [0-9a-f]{2}){0,15})(?:  .*)?$")
# A line that is nothing but octets, apart from a colon in front and a remark at the end.
_OCTETS = re.compile(r":?\s*(?:[0-9A-Fa-f]{2}[\s:-]*)+(?:\(.*\)?)?$")
_REPEATED = re.compile(r"0x([0-9a-f]{2}) repeated (\d+) times$")


class NotFound(Exception):
    """A text is missing, or is not what an extractor was written for."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line, without the spaces around it; ``column`` says how many stood in front."""

    page: int
    column: int
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """Values that belong together, by their labels, and the page of the first one."""

    page: int
    values: dict[str, str]

    def octets(self, label: str) -> bytes:
        """Give a value as octets."""
        return octets(self.text(label))

    def hex(self, label: str) -> str:
        """Give a value as lower-case hexadecimal."""
        return self.octets(label).hex()

    def text(self, label: str) -> str:
        """Give a value as it is printed."""
        try:
            return self.values[label]
        except KeyError:
            raise NotFound(f"no {label!r} among {sorted(self.values)}") from None

    def number(self, label: str) -> int:
        """Give a decimal number."""
        return int(self.text(label).split()[0])


class Text:
    """One RFC; an empty line or a page break is no line of it."""

    def __init__(self, number: int, text: str) -> None:
        self.number = number
        self.lines = tuple(_lines(text))

    @classmethod
    def read(cls, folder: Path, number: int) -> Text:
        """Read rfcNNNN.txt or rfcNNNN.txt.gz in that folder."""
        path = folder / f"rfc{number}.txt"
        packed = path.with_suffix(".txt.gz")
        if path.exists():
            return cls(number, path.read_text(encoding="utf-8", errors="replace"))
        if packed.exists():
            return cls(number, gzip.decompress(packed.read_bytes()).decode("utf-8", "replace"))
        raise NotFound(f"neither {path} nor {packed.name}: `make rfc-texts` installs the texts")

    def section(self, number: str) -> Sequence[Line]:
        """Give the lines of a section or appendix, its subsections too, without the heading."""
        heading = re.compile(rf"(?:Appendix )?{re.escape(number)}(?:\.(?!\d)| )")
        inside = re.compile(rf"{re.escape(number)}\.\d")
        starts = [
            index
            for index, line in enumerate(self.lines)
            if not line.column and heading.match(line.text)
        ]
        if not starts:
            raise NotFound(f"RFC {self.number} has no section {number}")
        start = starts[-1] + 1
        for end in range(start, len(self.lines)):
            line = self.lines[end]
            if not line.column and _HEADING.match(line.text) and not inside.match(line.text):
                return self.lines[start:end]
        return self.lines[start:]


def records(
    lines: Iterable[Line], label: str, first: str, *, missing: bool = False
) -> Sequence[Record]:
    """Collect labelled values; each value whose label is ``first`` begins a new record.

    ``label`` is a pattern whose groups together are the label; the value is what follows on that
    line and every line after it that is nothing but octets or goes on with a quotation. Unless
    they may be ``missing``, NotFound is raised when there are none.
    """
    found: list[Record] = []
    for page, name, value in _fields(lines, re.compile(label)):
        if name == first:
            found.append(Record(page, {}))
        if found:
            found[-1].values.setdefault(name, value)
    if not found and not missing:
        raise NotFound(f"nothing is labelled {first!r}")
    return found


def record(lines: Iterable[Line], label: str) -> Record:
    """Collect labelled values into one record."""
    fields = list(_fields(lines, re.compile(label)))
    if not fields:
        raise NotFound(f"nothing is labelled {label!r}")
    return Record(fields[0][0], {name: value for _, name, value in reversed(fields)})


def split(lines: Iterable[Line], heading: str) -> Sequence[tuple[str, Sequence[Line]]]:
    """Cut lines before each one that matches ``heading``; give its group 1 and what follows it."""
    parts: list[tuple[str, list[Line]]] = []
    pattern = re.compile(heading)
    for line in lines:
        match = pattern.match(line.text)
        if match:
            parts.append((match[1], [line]))
        elif parts:
            parts[-1][1].append(line)
    if not parts:
        raise NotFound(f"no line is like {heading!r}")
    return parts


def octets(text: str) -> bytes:
    """Read octets as RFCs print them: in hexadecimal, as a quotation, or as one, repeated."""
    text = text.strip()
    if match := _REPEATED.match(text):
        return bytes.fromhex(match[1]) * int(match[2])
    if text[:1] in ("'", '"'):
        return text[1 : text.index(text[0], 1)].encode("ascii")
    if text.startswith("<empty string>"):
        return b""
    digits = re.sub(r"\([^)]*\)?|0x|[\s:-]", "", text)
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise NotFound(f"no octets: {text!r}") from None


def _lines(text: str) -> Iterator[Line]:
    pages = text.split("\f")
    number = 1
    for index, page in enumerate(pages):
        lines = [line.rstrip() for line in page.splitlines() if line.strip()]
        if index and lines:
            del lines[0]
        if lines and (footer := _FOOTER.match(lines[-1])):
            number = int(footer[1])
            del lines[-1]
        for line in lines:
            stripped = line.lstrip()
            yield Line(number, len(line) - len(stripped), stripped)


def _fields(lines: Iterable[Line], label: re.Pattern[str]) -> Iterator[tuple[int, str, str]]:
    page, name, value = 0, "", ""
    for line in lines:
        match = label.match(line.text)
        if match:
            if name:
                yield page, name, value
            name = "".join(match.groups(""))
            page, value = line.page, line.text[match.end() :].strip()
        elif name and _continues(value, line.text):
            value = f"{value} {_line_octets(line.text)}".strip()
        elif name:
            yield page, name, value
            name = ""
    if name:
        yield page, name, value


def _continues(value: str, text: str) -> bool:
    if value[:1] == '"':
        return value.count('"') == 1
    return bool(_DUMP.match(text) or _OCTETS.match(text))


def _line_octets(text: str) -> str:
    dump = _DUMP.match(text)
    return dump[1] if dump else text
