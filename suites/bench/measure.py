"""Measuring side by side: actions take turns, and the median of each is kept.

Machines are noisy, and what disturbs one action should disturb the one that it is compared with.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter

Action = Callable[[], object]


def medians(actions: Mapping[str, Action], *, number: int, rounds: int = 15) -> dict[str, float]:
    """Give seconds of one call of each action: the median over rounds of ``number`` calls."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, action in actions.items():
                times[name].append(_time(action, number))
    finally:
        gc.enable()
    return {name: median(each) for name, each in times.items()}


def _time(action: Action, number: int) -> float:
    start = perf_counter()
    for _ in range(number):
        action()
    return (perf_counter() - start) / number


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: ``ours`` and ``theirs`` in ``unit``; ``versus`` says what theirs is.

    The goal is a limit of what we take, or of the ratio of ours to theirs.
    """

    subject: str
    unit: str
    ours: float
    versus: str = ""
    theirs: float | None = None
    limit: float | None = None
    limits_ratio: bool = False

    @property
    def ratio(self) -> float | None:
        """Give ours in parts of theirs."""
        return self.ours / self.theirs if self.theirs else None

    @property
    def met(self) -> bool | None:
        """Say whether the goal is met; None where there is none."""
        value = self.ratio if self.limits_ratio else self.ours
        return None if self.limit is None or value is None else value <= self.limit

    def plain(self) -> dict[str, object]:
        """Give the row for JSON."""
        return asdict(self) | {"ratio": self.ratio, "met": self.met}
