"""A value in full, for evidence: every field on a line of its own, octets in hexadecimal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

_WIDTH = 32
"""Octets to a line; so many or fewer stand on the line of their name."""


def describe(value: Any) -> str:
    """Give a dataclass as text: in short, then its fields, what is deeper indented by two."""
    return "\n".join(_lines(value))


def _lines(value: Any) -> Iterator[str]:
    yield str(value)
    for each in fields(value):
        yield from _field(each.name, getattr(value, each.name))


def _field(name: str, value: Any) -> Iterator[str]:
    if is_dataclass(value):
        lines = _lines(value)
        yield f"  {name}: {next(lines)}"
        yield from (f"  {line}" for line in lines)
    elif isinstance(value, tuple):
        yield f"  {name}: {len(value) or 'none'}"
        for index, entry in enumerate(value, 1):
            yield from (f"  {line}" for line in _field(str(index), entry))
    elif isinstance(value, bytes):
        yield from _octets(name, value)
    else:
        yield f"  {name}: {_number(value)}"


def _octets(name: str, value: bytes) -> Iterator[str]:
    if len(value) <= _WIDTH:
        yield f"  {name}: {value.hex() or 'none'} ({len(value)} octets)"
        return
    yield f"  {name}: {len(value)} octets"
    for start in range(0, len(value), _WIDTH):
        yield f"    {value[start : start + _WIDTH].hex()}"


def _number(value: Any) -> str:
    named = isinstance(value, int) and not isinstance(value, bool) and str(value) != f"{value:d}"
    return f"{value} ({value:d})" if named else str(value)
