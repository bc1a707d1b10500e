"""Read response files in NIST's format: ``[section]``, ``name = value``, a paragraph a test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography_vectors import open_vector_file

from vectors.loader import Case, Result, Value


@dataclass(frozen=True, slots=True)
class Block:
    """One test, the ``number``-th of its file; names of fields are in capitals."""

    file: str
    number: int
    section: str
    fields: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.fields[name]

    @property
    def passes(self) -> bool:
        """Say whether ``Result`` is P."""
        return self["RESULT"].startswith("P")

    def number_of(self, name: str) -> int:
        """Read a value as a number in hexadecimal."""
        return int(self[name], 16)

    def case(self, values: dict[str, Value], result: Result = "valid", what: str = "") -> Case:
        """Make it a case of ours."""
        stem = self.file.rpartition("/")[2].partition(".")[0]
        name = re.sub(r"\W+", "-", f"{stem} {self.section} {self.number} {what}".strip()).lower()
        return Case(name, self.file, None, "", result, (), values)


def blocks(file: str, *fields: str) -> Iterator[Block]:
    """Give the paragraphs that tell all of some fields, with those told before and not since.

    A line of one word is a field without a value; ``[name = value]`` is told of what follows.
    """
    section, told = "", dict[str, str]()
    number = 0
    for paragraph in _paragraphs(file):
        here: dict[str, str] = {}
        for line in paragraph:
            name, is_told, value = line.strip("[]").partition("=")
            if line.startswith("[") and not is_told:
                section = name.strip()
            else:
                here[name.strip().upper()] = value.strip()
        if all(field in here for field in fields):
            number += 1
            yield Block(file, number, section, told | here)
        else:
            told |= here


def _paragraphs(file: str) -> Iterator[list[str]]:
    """Split a file at empty lines, and where the first field of a paragraph is told again."""
    with open_vector_file(file, "r") as lines:
        paragraph: list[str] = []
        for line in map(str.strip, lines):
            ends = not line or (paragraph and _name(line) == _name(paragraph[0]))
            if ends and paragraph:
                yield paragraph
                paragraph = []
            if line and not line.startswith("#"):
                paragraph.append(line)
        if paragraph:
            yield paragraph


def _name(line: str) -> str:
    return line.partition("=")[0]
