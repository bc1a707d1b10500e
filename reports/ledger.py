"""The ledger: every requirement that a test judges, in our words, as rows of TOML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from reports.tables import Row, TableError, read_rows

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_OneLine = AfterValidator(lambda text: " ".join(text.split()))
_ID = re.compile(r"rfc(?P<rfc>\d+)-(?P<section>[0-9A-Z]+(?:\.\d+)*)-[a-z0-9]+(?:-[a-z0-9]+)*")


class Level(StrEnum):
    """How binding a requirement is: RFC 2119's words, a message format, or an implementation's."""

    MUST = "MUST"
    MUST_NOT = "MUST NOT"
    SHOULD = "SHOULD"
    SHOULD_NOT = "SHOULD NOT"
    MAY = "MAY"
    FORMAT = "FMT"
    IMPLEMENTATION = "IMPL"


class Role(StrEnum):
    """Whom a requirement binds."""

    INITIATOR = "initiator"
    RESPONDER = "responder"
    EITHER = "either"
    SENDER = "sender"
    RECEIVER = "receiver"


class Judged(StrEnum):
    """How a requirement can be judged from outside."""

    WIRE = "wire"
    CONFIGURATION = "configuration"
    FAULT = "fault"
    OBSERVATION = "observation"
    NOT_VISIBLE = "not visible"


class Requirement(BaseModel):
    """One requirement of one RFC section; the statement is ours, its polarity is the RFC's.

    ``note`` says how it is read and judged where the RFC leaves that open.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Text
    rfc: Annotated[int, Field(strict=True, ge=1)]
    section: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]+(\.\d+)*$")]
    level: Level
    role: Role
    statement: Annotated[Text, _OneLine]
    judged: Judged
    note: Annotated[str, _OneLine] = ""

    @model_validator(mode="after")
    def _id_names_rfc_and_section(self) -> Self:
        match = _ID.fullmatch(self.id)
        if not match:
            raise ValueError(f"id {self.id!r} is not of the form rfc7296-2.5-what-is-required")
        if (int(match["rfc"]), match["section"]) != (self.rfc, self.section):
            raise ValueError(f"id {self.id!r} does not name RFC {self.rfc}, section {self.section}")
        return self

    @property
    def reference(self) -> str:
        """Give the requirement's place as ``RFC 7296, 2.5``."""
        return f"RFC {self.rfc}, {self.section}"

    @property
    def link(self) -> str:
        """Give the address of the section at the RFC Editor."""
        kind = "section" if self.section[0].isdigit() else "appendix"
        return f"https://www.rfc-editor.org/rfc/rfc{self.rfc}#{kind}-{self.section}"

    @property
    def order(self) -> tuple[int, tuple[tuple[int, str], ...], str]:
        """Give a key that sorts as the RFC's table of contents (2.9 before 2.10)."""
        parts = tuple(
            (int(part), "") if part.isdigit() else (10**6, part) for part in self.section.split(".")
        )
        return (self.rfc, parts, self.id)


def load_ledger(folder: Path) -> Mapping[str, Requirement]:
    """Load every ``*.toml`` of a folder; raise TableError naming file and line of each problem."""
    rows: list[Row[Requirement]] = []
    problems: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            rows += read_rows(path, "requirement", Requirement)
        except TableError as error:
            problems += error.problems
    problems += _duplicates(rows)
    if problems:
        raise TableError(problems)
    return {row.value.id: row.value for row in sorted(rows, key=lambda row: row.value.order)}


def _duplicates(rows: list[Row[Requirement]]) -> list[str]:
    first: dict[str, Row[Requirement]] = {}
    problems = []
    for row in rows:
        other = first.setdefault(row.value.id, row)
        if other is not row:
            problems.append(
                row.problem(f"id {row.value.id!r} stands already in {other.path}:{other.line}")
            )
    return problems
