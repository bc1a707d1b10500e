"""Tables of algorithms by their IANA numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from peers.reference.errors import ScriptError

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def lookup(table: Mapping[_Key, _Value], number: _Key) -> _Value:
    """Give an entry; ScriptError when there is none."""
    try:
        return table[number]
    except KeyError:
        raise ScriptError(f"{number!r} is not implemented") from None
