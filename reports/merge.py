"""Makes one run of the parts that several workers judged."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

from reports.ledger import Requirement
from reports.model import Run, Target, TestResult
from reports.pages import SEVERITY
from reports.recorder import Occasion, run_of
from reports.writers import write_all


@dataclass(frozen=True, slots=True)
class Part:
    """What one worker judged of a target: its run, and the folder of its files."""

    run: Run
    folder: Path


def merge(
    parts: Iterable[Sequence[Part]],
    occasion: Occasion,
    ledger: Mapping[str, Requirement],
    folder: Path,
) -> Run:
    """Write the reports of a whole run, of the parts of each target in the order of their shards.

    The files of the parts move to the run's folder. A test that every part has is judged by the
    worst of its results.
    """
    targets: list[Target] = []
    results: list[TestResult] = []
    for of_target in parts:
        if not of_target:
            continue
        targets += of_target[0].run.targets
        kept = _in_order(of_target)
        results += [result for result, _ in kept]
        for result, part in kept:
            _move_files(result, part.folder, folder)
    run = run_of(occasion, ledger, targets, results)
    write_all(run, folder)
    return run


def _in_order(parts: Sequence[Part]) -> list[tuple[TestResult, Part]]:
    """Give the results in the order of the whole, those that all parts have at the end."""
    times = Counter(result.id for part in parts for result in part.run.results)
    own = [[(r, part) for r in part.run.results if times[r.id] == 1] for part in parts]
    found = [each for each in chain.from_iterable(zip_longest(*own)) if each is not None]
    shared: dict[str, tuple[TestResult, Part]] = {}
    for part in parts:
        for result in part.run.results:
            if times[result.id] > 1:
                before = shared.setdefault(result.id, (result, part))
                if _badness(result) < _badness(before[0]):
                    shared[result.id] = (result, part)
    return found + list(shared.values())


def _badness(result: TestResult) -> tuple[bool, int]:
    return result.known is not None, SEVERITY.index(result.verdict)


def _move_files(result: TestResult, source: Path, folder: Path) -> None:
    for file in result.files:
        place = folder / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(source / file.path, place)
