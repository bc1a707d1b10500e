"""A second witness that the tests can fail: a real daemon that is told to misbehave.

``python -m suites.witness`` judges Libreswan as it is, then with each impairment of
`peers.targets.impairments` in turn, and says which tests turned red that were not red before. The
core tier and the rules for every message go first; where they see nothing, all tests are run. An
impairment that no test sees is a missing test.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from peers.lab import engine
from peers.lab.errors import SetupError
from peers.targets.impairments import IMPAIRMENTS
from reports.model import Run, TestResult
from reports.verdicts import Verdict
from suites.conformance import suite_paths

ROOT = Path(__file__).parent.parent
RED = (Verdict.DEVIATES, Verdict.DIFFERS)
FEW = ("-m", "core or looks_back")
"""The core tier, and the rules for every message that it heard."""

PATIENCE = 1200
"""Seconds that a run may take; a daemon that answers nothing takes the longest."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """The tests that saw an impairment, and the ledger rows that they judge."""

    impairment: str
    red: tuple[str, ...]
    rows: tuple[str, ...]


def red_cases(results: Iterable[TestResult]) -> set[str]:
    """Give the ids of the tests, with their parameters, that say deviates or differs."""
    return {each.id for each in results if each.verdict in RED}


def sighting(
    impairment: str, results: Sequence[TestResult], red_before: Collection[str]
) -> Sighting:
    """Say who saw an impairment: red now, and not with the daemon as it is."""
    seen = [each for each in results if each.verdict in RED and each.id not in red_before]
    tests = dict.fromkeys(each.id.partition("[")[0] for each in seen)
    rows = dict.fromkeys(row for each in seen for row in each.requirements[:1])
    return Sighting(impairment, tuple(tests), tuple(rows))


def _judge(target: str, suites: Sequence[str], more: Sequence[str]) -> Sequence[TestResult]:
    with tempfile.TemporaryDirectory(prefix="ikeproof-witness-") as folder:
        command = [sys.executable, "-m", "pytest", "-q", *suite_paths(suites), "--target", target]
        said = _run([*command, "--out", folder, "--seed", "1", *more])
        results = Path(folder) / "results.json"
        if not results.exists():
            raise SetupError(f"{target} was not judged; the end of its run:", said[-2000:])
        return Run.load(results).results


def _run(command: Sequence[str]) -> str:
    """Run to the end, or for as long as our patience lasts; a run that is cut reports, too."""
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as run:
        try:
            return run.communicate(timeout=PATIENCE)[0]
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGINT)
            return run.communicate(timeout=PATIENCE)[0]


def _seen(
    impairment: str, suites: Sequence[str], more: Sequence[str], red_before: Collection[str]
) -> tuple[Sighting, int]:
    """Say who saw an impairment, few tests or all of them, and how many cases were judged."""
    judged = 0
    for choice in (FEW, ()):
        results = _judge(f"libreswan!{impairment}", suites, [*choice, *more])
        found = sighting(impairment, results, red_before)
        judged += len(results)
        if found.red:
            break
    return found, judged


def _print(found: Sequence[Sighting], console: Console) -> None:
    table = Table("impairment", "breaks", "tests that turned red", "rows", box=None, pad_edge=False)
    for each in found:
        tests = [test.partition("::")[2].removeprefix("test_") for test in each.red]
        few = "\n".join([*tests[:3], *([f"and {len(tests) - 3} more"] if len(tests) > 3 else [])])
        style = "" if tests else "bold red"
        breaks = IMPAIRMENTS[each.impairment].breaks
        table.add_row(each.impairment, breaks, few or "none", str(len(each.rows)), style=style)
    console.print(table)


def main() -> int:
    """Judge, print the table and the score; 1 when an impairment was not seen, 2 for no lab."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suites", default="rfc7296 rfc4303")
    parser.add_argument("--only", default="", help="names of impairments")
    parser.add_argument("--json", type=Path, help="write what was seen to a file, too")
    parser.add_argument("more", nargs="*", help="options for pytest")
    arguments = parser.parse_args()
    suites, wanted = arguments.suites.split(), arguments.only.split() or list(IMPAIRMENTS)
    console, found = Console(), list[Sighting]()
    try:
        unknown = [each for each in wanted if each not in IMPAIRMENTS]
        if unknown:
            raise SetupError(f"unknown impairment {unknown[0]!r}: {', '.join(IMPAIRMENTS)}")
        engine.ensure(lambda line: console.print(f"ikeproof: {line}"))
        before = red_cases(_judge("libreswan", suites, arguments.more))
        console.print(f"as it is: {len(before)} cases are red")
        for name in wanted:
            try:
                seen, judged = _seen(name, suites, arguments.more, before)
            except SetupError as error:
                seen, judged = Sighting(name, (), ()), 0
                console.print(f"{error}", style="red", markup=False)
            found.append(seen)
            console.print(f"{name}: {len(seen.red)} tests turned red, {judged} cases judged")
    except SetupError as error:
        console.print(f"ikeproof: {error}", style="red", markup=False)
        return 2
    _print(found, console)
    if arguments.json:
        written = {each.impairment: {"red": each.red, "rows": each.rows} for each in found}
        arguments.json.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    score = sum(bool(each.red) for each in found)
    console.print(f"second witness: {score} of {len(found)} impairments seen")
    return 0 if score == len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
