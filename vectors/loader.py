"""Read the vector files of this folder; ``schema.json`` says what they hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

FOLDER = Path(__file__).parent
SCHEMA = FOLDER / "schema.json"

Result = Literal["valid", "invalid", "acceptable"]
Value = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Case:
    """One vector; ``section`` and ``page`` (None when unknown) say where it stands."""

    id: str
    section: str
    page: int | None
    comment: str
    result: Result
    flags: tuple[str, ...]
    values: Mapping[str, Value]

    def octets(self, name: str) -> bytes:
        """Give a value that the file holds in hexadecimal."""
        value = self.values[name]
        if not isinstance(value, str):
            raise TypeError(f"{name} of {self.id} is no string of octets: {value!r}")
        return bytes.fromhex(value)

    def number(self, name: str) -> int:
        """Give a number."""
        value = self.values[name]
        if not isinstance(value, int):
            raise TypeError(f"{name} of {self.id} is no number: {value!r}")
        return value

    def optional_number(self, name: str) -> int | None:
        """Give a number, or None where the file says null."""
        return None if self.values[name] is None else self.number(name)

    def __str__(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class Vectors:
    """One vector file; ``source`` is "RFC 5903, 8", or the name of another document and section."""

    subject: str
    kind: str
    source: str
    notes: str
    cases: tuple[Case, ...]


def names() -> tuple[str, ...]:
    """List the vector files, without ``.json``."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json") if path != SCHEMA))


def load(name: str) -> Vectors:
    """Read the vector file of that name, without ``.json``."""
    content = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    source = content["source"]
    document = f"RFC {source['rfc']}" if "rfc" in source else source.get("draft")
    return Vectors(
        content["subject"],
        content["kind"],
        f"{document or source['document']}, {source['section']}",
        content.get("notes", ""),
        tuple(_case(case) for case in content["cases"]),
    )


def _case(content: dict[str, Any]) -> Case:
    return Case(
        content["id"],
        content["section"],
        content.get("page"),
        content.get("comment", ""),
        content["result"],
        tuple(content["flags"]),
        content["values"],
    )
