"""What of the ledger is judged, and what is not: ``make ledger``."""

from __future__ import annotations

import argparse
import io
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, StringConstraints
from rich.console import Console
from rich.table import Table

from reports.ledger import Judged, Level, Requirement, load_ledger
from reports.tables import TableError, read_rows
from suites.conformance import suite_paths
from suites.paragraphs import TEXTS, NoText, paragraphs, read
from suites.sentences import MAPPED, Mapped, disagreements, map_of, read_map, summary, unknown_rows
from suites.session import LEDGER, marked

OPEN = Path(__file__).parent / "open_requirements.toml"

BINDING = (Level.MUST, Level.MUST_NOT)

JUDGEABLE = (Judged.WIRE, Judged.CONFIGURATION, Judged.FAULT)
"""What a test can judge; the other rows are only recorded, or are not visible from outside."""


class OpenRequirement(BaseModel):
    """A MUST or MUST NOT that could be judged and is not yet, with the reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def open_requirements(path: Path = OPEN) -> Mapping[str, str]:
    """Read the reasons of what is open, by id; TableError for a file with mistakes."""
    return {row.value.id: row.value.reason for row in read_rows(path, "open", OpenRequirement)}


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

    def unjudged(self) -> list[str]:
        """List the ids of MUST and MUST NOT rows that a test could judge and none does."""
        return [row.id for row in self.without_test(*JUDGEABLE) if row.level in BINDING]

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
            test = item.nodeid.partition("[")[0]
            rows = (*self.tests.get(test, ()), *marked(item, "requirement"))
            self.tests[test] = tuple(dict.fromkeys(rows))


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


def _compare(pattern: str, texts: Path) -> int:
    """Print each row of a pattern, then the paragraphs that it says in our words."""
    console = Console()
    rows = [row for row in load_ledger(LEDGER).values() if fnmatch(row.id, pattern)]
    try:
        for row in rows:
            console.rule(f"{row.id}  {row.level}  {row.role}  {row.judged}", align="left")
            console.print(row.statement, style="bold", markup=False, highlight=False)
            if row.note:
                console.print(f"note: {row.note}", markup=False, highlight=False)
            console.print(f"\n{row.reference}:")
            for each in paragraphs(read(texts, row.rfc), row):
                console.print(f"\n{each}", markup=False, highlight=False, soft_wrap=True)
    except NoText as problem:
        print(f"ikeproof: {problem}", file=sys.stderr)  # noqa: T201
        return 2
    if not rows:
        print(f"ikeproof: no row is called {pattern}", file=sys.stderr)  # noqa: T201
    return 0 if rows else 2


def _sentences(rfcs: Sequence[int], texts: Path) -> int:
    """Print which sentences of RFCs have rows, and where a map disagrees with text or ledger."""
    console, ledger = Console(), load_ledger(LEDGER)
    maps = {rfc: read_map(map_of(rfc)) for rfc in rfcs}
    wrong, unread = False, []
    for rfc, mapped in maps.items():
        console.rule(f"RFC {rfc}", align="left")
        _show_map(console, mapped)
        unknown, problems = unknown_rows(mapped, ledger), []
        try:
            problems = disagreements(mapped, read(texts, rfc), MAPPED[rfc])
        except NoText as problem:
            unread.append(str(problem))
        _list(console, "rows that the ledger does not have", unknown)
        _list(console, "map and text disagree", problems)
        wrong = wrong or bool(unknown or problems)
    console.rule()
    for rfc, mapped in maps.items():
        console.print(summary(rfc, mapped), soft_wrap=True)
    for problem in unread:
        print(f"ikeproof: {problem}", file=sys.stderr)  # noqa: T201
    return 1 if wrong else 2 if unread else 0


def _show_map(console: Console, mapped: Sequence[Mapped]) -> None:
    table = Table("section", "sentences", "with rows", "with a reason", box=None, pad_edge=False)
    for number in dict.fromkeys(each.sentence.section for each in mapped):
        here = [each for each in mapped if each.sentence.section == number]
        rows = sum(bool(each.rows) for each in here)
        table.add_row(number, str(len(here)), str(rows), str(len(here) - rows))
    console.print(table)
    reasons = [f"{each.sentence}: {each.reason}" for each in mapped if each.reason]
    _list(console, "sentences without a row, for a reason", reasons)


def main() -> int:
    """Print the coverage; 1 when a test names no row, or one that there is not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", action="store_true", help="list each row with its tests")
    parser.add_argument("--text", metavar="ID", help="show rows beside the RFC's own paragraphs: "
        "an id, or a pattern such as 'rfc7296-3.3*'")  # fmt: skip
    parser.add_argument("--sentences", type=int, nargs="*", choices=MAPPED, metavar="RFC",
        help="list which sentences with a requirement word have a row, of each RFC that has a map "
             "or of some")  # fmt: skip
    parser.add_argument("--texts", type=Path, default=TEXTS, metavar="FOLDER",
        help=f"folder of rfcNNNN.txt or rfcNNNN.txt.gz (default: {TEXTS})")  # fmt: skip
    arguments = parser.parse_args()
    if arguments.text:
        return _compare(arguments.text, arguments.texts)
    if arguments.sentences is not None:
        return _sentences(arguments.sentences or list(MAPPED), arguments.texts)
    try:
        coverage, reasons = collect(), open_requirements()
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
    _list(
        console,
        "MUST and MUST NOT among them that are open for a reason",
        [f"{id_}: {' '.join(reason.split())}" for id_, reason in reasons.items()],
    )
    _list(console, "tests without a row", coverage.nameless_tests())
    _list(console, "ids that the ledger does not have", coverage.unknown_ids())
    tested = sum(row.id in coverage.judged_by for row in coverage.rows.values())
    console.print(f"\nledger: {tested} of {len(coverage.rows)} rows are judged by "
                  f"{len(coverage.tests)} tests")  # fmt: skip
    for rfc in MAPPED:
        console.print(summary(rfc, read_map(map_of(rfc))), soft_wrap=True)
    return 1 if coverage.nameless_tests() or coverage.unknown_ids() else 0


if __name__ == "__main__":
    sys.exit(main())
