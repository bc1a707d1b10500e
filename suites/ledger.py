"""What of the ledger is judged, and what is not: ``make ledger``."""

from __future__ import annotations

import argparse
import io
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass

import pytest
from rich.console import Console
from rich.table import Table

from reports.ledger import Judged, Level, Requirement, load_ledger
from reports.tables import TableError
from suites.conformance import suite_paths
from suites.session import LEDGER, marked

JUDGEABLE = (Judged.WIRE, Judged.CONFIGURATION, Judged.FAULT)
"""What a test can judge; the other rows are only recorded, or are not visible from outside."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """The rows of the ledger, and by id the tests that name each; ``tests`` are all tests."""

    rows: Mapping[str, Requirement]
    judged_by: Mapping[str, frozenset[str]]
    tests: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, rows: Mapping[str, Requirement], tests: Mapping[str, tuple[str, ...]]) -> Coverage:
        """Turn round which test (by function) names which ids."""
        judged_by = defaultdict(set)
        for test, ids in tests.items():
            for each in ids:
                judged_by[each].add(test)
        return cls(rows, {each: frozenset(found) for each, found in judged_by.items()}, tests)

    def without_test(self, *judged: Judged) -> list[Requirement]:
        """List the rows, judged in one of these ways, that no test names."""
        return [
            row
            for row in self.rows.values()
            if row.judged in judged and row.id not in self.judged_by
        ]

    def nameless_tests(self) -> list[str]:
        """List the tests that name no row."""
        return sorted(test for test, ids in self.tests.items() if not ids)

    def unknown_ids(self) -> list[str]:
        """List the ids that tests name and the ledger does not have."""
        return sorted(set(self.judged_by) - set(self.rows))

    def count(self, rfc: int, level: Level, judged: Iterable[Judged]) -> tuple[int, int]:
        """Count the rows of an RFC and a level that a test names, and all of them."""
        kinds = tuple(judged)
        rows = [
            row
            for row in self.rows.values()
            if (row.rfc, row.level) == (rfc, level) and row.judged in kinds
        ]
        return sum(row.id in self.judged_by for row in rows), len(rows)


class _Collector:
    """A plugin that notes each collected test's rows, by function whatever its parameters."""

    def __init__(self) -> None:
        self.tests: dict[str, tuple[str, ...]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Take the tests down."""
        for item in items:
            self.tests[item.nodeid.partition("[")[0]] = marked(item, "requirement")


def collect() -> Coverage:
    """Collect every suite's tests without running any; TableError for a ledger with mistakes."""
    collector = _Collector()
    quiet = ["--collect-only", "-qqq", "--no-summary"]
    with redirect_stdout(io.StringIO()) as said:
        code = pytest.main([*quiet, *suite_paths([])], plugins=[collector])
    if code != pytest.ExitCode.OK:
        raise SystemExit(f"{said.getvalue()}\nikeproof: the suites cannot be collected")
    return Coverage.of(load_ledger(LEDGER), collector.tests)


def _shares(coverage: Coverage) -> Table:
    table = Table("RFC", "level", box=None, pad_edge=False)
    for judged in JUDGEABLE:
        table.add_column(str(judged), justify="right")
    for name in ("share", "observed", "not visible"):
        table.add_column(name, justify="right")
    for rfc in sorted({row.rfc for row in coverage.rows.values()}):
        for level in Level:
            tested, judgeable = coverage.count(rfc, level, JUDGEABLE)
            others = [
                coverage.count(rfc, level, (each,))[1]
                for each in (Judged.OBSERVATION, Judged.NOT_VISIBLE)
            ]
            if not judgeable + sum(others):
                continue
            cells = ["{}/{}".format(*coverage.count(rfc, level, (each,))) for each in JUDGEABLE]
            share = f"{tested / judgeable:.0%}" if judgeable else ""
            table.add_row(str(rfc), str(level), *cells, share, *map(str, others))
    return table


def _list(console: Console, title: str, lines: list[str]) -> None:
    if lines:
        console.print(f"\n{title}: {len(lines)}", style="bold")
    for line in lines:
        console.print(f"  {line}", soft_wrap=True, markup=False, highlight=False)


def main() -> int:
    """Print the coverage; 1 when a test names no row, or one that there is not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", action="store_true", help="list each row with its tests")
    arguments = parser.parse_args()
    try:
        coverage = collect()
    except TableError as error:
        print(f"ikeproof: {error}", file=sys.stderr)  # noqa: T201
        return 2
    console = Console()
    console.print(_shares(coverage))
    if arguments.rows:
        for row in coverage.rows.values():
            tests = sorted(coverage.judged_by.get(row.id, ()))
            _list(console, f"{row.id} ({row.level})", tests or ["no test"])
    _list(
        console,
        "judgeable rows without a test",
        [f"{row.level:10} {row.id}" for row in coverage.without_test(*JUDGEABLE)],
    )
    _list(console, "tests without a row", coverage.nameless_tests())
    _list(console, "ids that the ledger does not have", coverage.unknown_ids())
    tested = sum(row.id in coverage.judged_by for row in coverage.rows.values())
    console.print(f"\nledger: {tested} of {len(coverage.rows)} rows are judged by "
                  f"{len(coverage.tests)} tests")  # fmt: skip
    return 1 if coverage.nameless_tests() or coverage.unknown_ids() else 0


if __name__ == "__main__":
    sys.exit(main())
