"""TOML files that are lists of checked rows, with errors that name file, line and row."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from peers.reference.errors import ScriptError

RowModel = TypeVar("RowModel", bound=BaseModel)


class TableError(ScriptError):
    """A file of rows that breaks its own rules; ``problems`` holds one line for each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class Row(Generic[RowModel]):
    """One checked row, with the place that it was read from (lines count from 1)."""

    value: RowModel
    path: Path
    line: int

    def problem(self, text: str) -> str:
        """Word a problem of this row as ``file:line: text``."""
        return f"{self.path}:{self.line}: {text}"


def read_rows(path: Path, table: str, model: type[RowModel]) -> list[Row[RowModel]]:
    """Read every ``[[table]]`` of a TOML file as a ``model``; TableError has all problems."""
    text = _read(path)
    document = _parse(path, text)
    unknown = sorted(set(document) - {table})
    if unknown:
        raise TableError(f"{path}: unknown table or key {name!r}" for name in unknown)
    found = document.get(table, [])
    if not isinstance(found, list):
        raise TableError([f"{path}: write [[{table}]], one table for each row"])
    return _checked(path, table, model, text.splitlines(), found)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TableError([f"{path}: cannot be read: {error}"]) from error


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+), column (\d+)", str(error))
        where = f":{place[1]}:{place[2]}" if place else ""
        raise TableError([f"{path}{where}: no valid TOML: {error}"]) from error


def _checked(
    path: Path, table: str, model: type[RowModel], lines: list[str], found: list[Any]
) -> list[Row[RowModel]]:
    heads = _heads(lines, table)
    rows: list[Row[RowModel]] = []
    problems: list[str] = []
    for index, data in enumerate(found):
        line = heads[index] if index < len(heads) else 1
        try:
            rows.append(Row(model.model_validate(data), path, line))
        except ValidationError as error:
            problems += _problems(path, lines, line, index, data, error)
    if problems:
        raise TableError(problems)
    return rows


def _heads(lines: list[str], table: str) -> list[int]:
    head = re.compile(rf"\s*\[\[\s*{re.escape(table)}\s*\]\]")
    return [number for number, line in enumerate(lines, 1) if head.match(line)]


def _problems(
    path: Path, lines: list[str], head: int, index: int, data: Any, error: ValidationError
) -> list[str]:
    name = data.get("id") or data.get("requirement") if isinstance(data, dict) else None
    row = f"row {index + 1}" + (f" ({name})" if name else "")
    problems = []
    for detail in error.errors():
        key = str(detail["loc"][0]) if detail["loc"] else ""
        line = _line_of_key(lines, head, key)
        reason = detail["msg"].removeprefix("Value error, ")
        problems.append(f"{path}:{line}: {row}: {key + ': ' if key else ''}{reason}")
    return problems


def _line_of_key(lines: list[str], head: int, key: str) -> int:
    """Find the line of ``key`` in the row that starts at line ``head``; else give ``head``."""
    assignment = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=")
    for number in range(head, len(lines)):
        if lines[number].lstrip().startswith("[["):
            break
        if key and assignment.match(lines[number]):
            return number + 1
    return head
