"""The register of planted faults."""

from __future__ import annotations

from collections.abc import Callable

from peers.reference.decisions import Decisions
from peers.reference.errors import ScriptError

CATALOGUE: dict[str, type[Decisions]] = {}

FUNDAMENTAL: set[str] = set()
"""Faults that break what many tests stand on: tests that do not name them turn red too."""


def fault(name: str, *, fundamental: bool = False) -> Callable[[type[Decisions]], type[Decisions]]:
    """Enter a fault into the catalogue."""

    def enter(cls: type[Decisions]) -> type[Decisions]:
        CATALOGUE[name] = cls
        if fundamental:
            FUNDAMENTAL.add(name)
        return cls

    return enter


def find(name: str) -> type[Decisions]:
    """Look a fault up; ScriptError names those that there are."""
    try:
        return CATALOGUE[name]
    except KeyError:
        known = ", ".join(sorted(CATALOGUE))
        raise ScriptError(f"no fault is called {name!r}; there are {known}") from None
