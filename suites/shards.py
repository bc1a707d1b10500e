"""A part of a run: which of its tests a worker judges, and how it tells the results."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self, TypeVar

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from peers.lab.errors import SetupError
from reports.model import TestResult

RECORD_SEPARATOR = "\x1e"
"""Begins each JSON text among other lines (RFC 7464)."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shard:
    """The ``index``-th (from 1) of ``count`` parts of a run."""

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read the value of --shard, as in ``2/4``; SetupError for what is none."""
        index, _, count = text.partition("/")
        if not (index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
            raise SetupError(f"--shard {text}: give one like 2/4, the second of four parts")
        return cls(int(index), int(count))

    def of(self, items: Iterable[T], is_shared: Callable[[T], bool]) -> list[T]:
        """Choose the part: every ``count``-th item, and all that each part has to have."""
        chosen, position = [], 0
        for item in items:
            if is_shared(item):
                chosen.append(item)
                continue
            if position % self.count == self.index - 1:
                chosen.append(item)
            position += 1
        return chosen


def looks_back(item: pytest.Item) -> bool:
    """Say whether a test judges what earlier ones heard too: each part has it, for its own."""
    return item.get_closest_marker("looks_back") is not None


class OneShard:
    """A plugin that leaves the other parts to other workers, of the tests that are chosen."""

    def __init__(self, shard: Shard) -> None:
        self._shard = shard

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Keep our part."""
        part = self._shard.of(items, looks_back)
        kept = set(part)
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = part


class Told(BaseModel):
    """What a worker tells: how many tests it has, that one starts, or how one ended."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["total", "starts", "ends"]
    total: int = 0
    target: str = ""
    title: str = ""
    result: TestResult | None = None


def read_told(line: str) -> Told | None:
    """Read a line of a worker; None for one that is no message to us."""
    if not line.startswith(RECORD_SEPARATOR):
        return None
    try:
        return Told.model_validate_json(line[1:])
    except ValidationError:
        return None


class ToldProgress:
    """Tells each result on standard output, for who has started this worker."""

    def __init__(self, total: int) -> None:
        self._total = total

    def __enter__(self) -> Self:
        self._tell(Told(kind="total", total=self._total))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Have nothing to put away."""

    def starts(self, target: str, title: str) -> None:
        """Tell which test runs now."""
        self._tell(Told(kind="starts", target=target, title=title))

    def ends(self, result: TestResult) -> None:
        """Tell a result, without what was said and heard."""
        self._tell(Told(kind="ends", result=result.model_copy(update={"ladder": (), "files": ()})))

    def _tell(self, told: Told) -> None:
        sys.stdout.write(f"{RECORD_SEPARATOR}{told.model_dump_json()}\n")
        sys.stdout.flush()
