"""Prove that the tests can fail: plant each fault in the embedded target and see who notices.

``python -m suites.mutants`` runs each fault against the tests that name it; with ``--all`` against
every test, so that a test which turns red without naming the fault is seen too.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from peers.reference.planted import CATALOGUE, FUNDAMENTAL
from peers.targets.reference import FORBIDDEN
from reports.model import Run, TestResult
from reports.verdicts import Verdict
from suites.conformance import suite_paths

ROOT = Path(__file__).parent.parent
RED = (Verdict.DEVIATES, Verdict.DIFFERS)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted fault: the tests that name it, and those that turned red."""

    fault: str
    named: frozenset[str]
    red: frozenset[str]

    @property
    def caught(self) -> bool:
        """Say whether every test that names the fault turned red, and there is one."""
        return bool(self.named) and self.named <= self.red

    @property
    def strays(self) -> frozenset[str]:
        """Give the tests that turned red without naming the fault, where that is not to be."""
        return frozenset() if self.fault in FUNDAMENTAL else self.red - self.named


def evaluate(results: Iterable[TestResult]) -> list[Mutant]:
    """Sort a run with planted faults by fault; tests count by function, whatever the parameters."""
    named, red = defaultdict(set), defaultdict(set)
    for result in results:
        test = result.id.partition("[")[0]
        for fault in result.faults:
            named[fault].add(test)
        planted = result.target.partition("!")[2]
        if planted and result.verdict in RED:
            red[planted].add(test)
    return [Mutant(each, frozenset(named[each]), frozenset(red[each])) for each in CATALOGUE]


def unfaulted_failures(results: Iterable[TestResult]) -> list[str]:
    """List what is wrong without any fault: there must be nothing."""
    faultless = [each for each in results if "!" not in each.target]
    return [f"{each.id}: {each.reason}" for each in faultless if not _is_right(each)]


def _is_right(result: TestResult) -> bool:
    """Say whether a verdict may come without a fault: what is forbidden is lacked by right."""
    lacked = result.verdict is Verdict.UNSUPPORTED and result.reason.endswith(FORBIDDEN)
    return lacked or result.verdict in (Verdict.CONFORMS, Verdict.ADMINISTRATIVE)


def faultless_tests(results: Iterable[TestResult]) -> list[str]:
    """List tests that name no fault: nothing shows that they can fail."""
    return sorted({result.id.partition("[")[0] for result in results if not result.faults})


def _run(whole: bool) -> Run:
    with tempfile.TemporaryDirectory(prefix="ikeproof-mutants-") as folder:
        choice = "all" if whole else "named"
        command = [sys.executable, "-m", "pytest", "-q", *suite_paths([]), "--mutants", choice]
        done = subprocess.run(
            [*command, "--out", folder, "--seed", "1"], cwd=ROOT, capture_output=True, text=True
        )
        results = Path(folder) / "results.json"
        if not results.exists():
            raise SystemExit(f"the tests did not run:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return Run.load(results)


def _print(mutants: list[Mutant], console: Console) -> None:
    table = Table("planted fault", "says", "tests that name it", box=None, pad_edge=False)
    for mutant in mutants:
        says = (CATALOGUE[mutant.fault].__doc__ or "").strip()
        tests = "\n".join(sorted(test.partition("::")[2] for test in mutant.named))
        style = "" if mutant.caught else "bold red"
        table.add_row(mutant.fault, says, tests, style=style)
    console.print(table)


def main() -> int:
    """Run, print the table (``--all`` only) and the score; 1 when anything escaped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="each fault against every test")
    whole = parser.parse_args().all
    run = _run(whole)
    mutants = evaluate(run.results)
    console = Console()
    if whole:
        _print(mutants, console)
    problems = [f"without a fault: {each}" for each in unfaulted_failures(run.results)]
    problems += [f"names no fault: {each}" for each in faultless_tests(run.results)]
    for mutant in mutants:
        if not mutant.caught:
            missed = ", ".join(sorted(mutant.named - mutant.red)) or "no test names it"
            problems.append(f"{mutant.fault} is not seen: {missed}")
        if whole and mutant.strays:
            problems.append(f"{mutant.fault} is seen by others: {', '.join(sorted(mutant.strays))}")
    for problem in problems:
        console.print(problem, style="red", soft_wrap=True, markup=False)
    caught = sum(mutant.caught for mutant in mutants)
    tests = len({result.id.partition("[")[0] for result in run.results})
    console.print(f"mutation score: {caught} of {len(mutants)} planted faults seen, {tests} tests")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
