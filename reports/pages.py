"""What the page shows, worked out from a run: the wall, what needs a reader, the tests."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import quote

from reports.evidence import hex_dump
from reports.ledger import Requirement
from reports.model import Note, Run, StaleDeviation, Step, Target, TestResult
from reports.verdicts import Verdict

SEVERITY = (
    Verdict.DEVIATES,
    Verdict.INCONCLUSIVE,
    Verdict.DIFFERS,
    Verdict.ADMINISTRATIVE,
    Verdict.CONFORMS,
    Verdict.UNSUPPORTED,
)
_NARROWEST = 1.5


@dataclass(frozen=True, slots=True)
class Segment:
    """A verdict's part of a target's bar; ``x`` and ``width`` are in percent."""

    verdict: Verdict
    count: int
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class TargetView:
    """A target with its counts."""

    target: Target
    total: int
    known: int
    counts: tuple[tuple[Verdict, int], ...]
    bar: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class StepView:
    """A line of a drawn ladder; ``ends`` only where they differ from the head's."""

    number: int
    entry: Step | Note
    ends: str
    dump: str


@dataclass(frozen=True, slots=True)
class ResultView:
    """One test against one target."""

    anchor: str
    result: TestResult
    target: Target
    replay: str
    files: tuple[tuple[str, str], ...]
    head: tuple[str, str]
    steps: tuple[StepView, ...]

    @property
    def verdict(self) -> Verdict:
        """Give the verdict."""
        return self.result.verdict

    @property
    def known(self) -> bool:
        """Say whether a known deviation accounts for the verdict."""
        return self.result.known is not None


@dataclass(frozen=True, slots=True)
class TestView:
    """One test with its requirements and its result against each target."""

    __test__ = False

    anchor: str
    first: TestResult
    requirements: tuple[Requirement, ...]
    results: tuple[ResultView, ...]
    twin: TestView | None = None

    @property
    def open(self) -> bool:
        """Say whether the test needs a reader; else it is folded."""
        return any(not view.result.plain for view in self.results)

    @property
    def verdicts(self) -> str:
        """Give the distinct verdicts, for the page's filter."""
        return " ".join(dict.fromkeys(view.verdict.value for view in self.results))


@dataclass(frozen=True, slots=True)
class Mark:
    """A verdict in a cell of the wall: how often, and where the first of them stands."""

    verdict: Verdict
    known: bool
    count: int
    anchor: str


@dataclass(frozen=True, slots=True)
class WallRow:
    """A requirement, and a cell of marks for each target."""

    requirement: Requirement
    cells: tuple[tuple[Mark, ...], ...]

    @property
    def verdicts(self) -> str:
        """Give the distinct verdicts, for the page's filter."""
        return " ".join(dict.fromkeys(mark.verdict.value for cell in self.cells for mark in cell))


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of one section of an RFC."""

    title: str
    link: str
    rows: tuple[WallRow, ...]


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """An algorithm; for each target a cell where it responds and a cell where it initiates."""

    algorithm: str
    cells: tuple[tuple[Mark, ...], ...]

    @property
    def verdicts(self) -> str:
        """Give the distinct verdicts, for the page's filter."""
        return " ".join(dict.fromkeys(mark.verdict.value for cell in self.cells for mark in cell))


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the template shows."""

    run: Run
    title: str
    targets: tuple[TargetView, ...]
    stale: tuple[StaleDeviation, ...]
    attention: tuple[ResultView, ...]
    known: tuple[ResultView, ...]
    wall: tuple[Section, ...]
    matrix: tuple[tuple[str, tuple[MatrixRow, ...]], ...]
    tests: tuple[TestView, ...]


def page(run: Run) -> Page:
    """Work out the page of a run."""
    tests = _tests(run)
    views = [view for test in tests for view in test.results]
    loud = sorted(
        (view for view in views if not view.result.plain),
        key=lambda view: SEVERITY.index(view.verdict),
    )
    return Page(
        run=run,
        title=_title(run.targets),
        targets=tuple(_target(run, target) for target in run.targets),
        stale=run.stale_deviations,
        attention=tuple(view for view in loud if not view.known),
        known=tuple(view for view in loud if view.known),
        wall=_wall(run, views),
        matrix=_matrix(run, views),
        tests=tests,
    )


def _title(targets: Sequence[Target]) -> str:
    few = len(targets) <= 3
    names = [_full_name(target) if few else target.name for target in targets]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _full_name(target: Target) -> str:
    """Give name and version; many versions say the name themselves."""
    named = target.version.lower().startswith(target.name.partition("@")[0].lower())
    return target.version if named else f"{target.name} {target.version}"


def _target(run: Run, target: Target) -> TargetView:
    counts = run.totals(target.name)
    return TargetView(
        target,
        counts.total(),
        sum(result.known is not None for result in run.of_target(target.name)),
        tuple((verdict, counts[verdict]) for verdict in Verdict),
        _bar(counts),
    )


def _bar(counts: Counter[Verdict]) -> tuple[Segment, ...]:
    """Share out 100 percent, so that a single deviation among a thousand tests can be seen."""
    present = [verdict for verdict in Verdict if counts[verdict]]
    weights = [max(counts[each] / counts.total(), _NARROWEST / 100) for each in present]
    segments, x = [], 0.0
    for verdict, weight in zip(present, weights, strict=True):
        width = 100 * weight / sum(weights)
        segments.append(Segment(verdict, counts[verdict], round(x, 2), round(width, 2)))
        x += width
    return tuple(segments)


def _tests(run: Run) -> tuple[TestView, ...]:
    rows = {requirement.id: requirement for requirement in run.requirements}
    by_test: dict[str, list[TestResult]] = {}
    for result in run.results:
        by_test.setdefault(result.id, []).append(result)
    ordered = sorted(by_test, key=lambda test: _order(by_test[test][0], rows))
    anchors = _anchors(ordered)
    views = {test: _test(run, anchors[test], by_test[test], rows) for test in ordered}
    return tuple(_with_twin(view, views) for view in views.values())


def _order(result: TestResult, rows: Mapping[str, Requirement]) -> tuple[bool, object, str]:
    """Sort by the first requirement's place in its RFC; tests without any come last."""
    first = rows[result.requirements[0]].order[:2] if result.requirements else None
    return (first is None, first or (), result.id)


def _anchors(tests: Iterable[str]) -> dict[str, str]:
    """Give each test id an anchor that stays the same from run to run and is never shared."""
    anchors: dict[str, str] = {}
    used: Counter[str] = Counter()
    for test in tests:
        name = re.sub(r"[^a-z0-9]+", "-", test.rsplit("/", 1)[-1].lower()).strip("-")
        used[name] += 1
        anchors[test] = f"{name}--{used[name]}" if used[name] > 1 else name
    return anchors


def _test(
    run: Run, anchor: str, results: Sequence[TestResult], rows: Mapping[str, Requirement]
) -> TestView:
    order = [target.name for target in run.targets]
    targets = {target.name: target for target in run.targets}
    views = [
        _result(run, f"{anchor}.{order.index(result.target)}", result, targets[result.target])
        for result in sorted(results, key=lambda result: order.index(result.target))
    ]
    wanted = dict.fromkeys(row for result in results for row in result.requirements)
    return TestView(anchor, results[0], tuple(rows[row] for row in wanted), tuple(views))


def _with_twin(view: TestView, views: Mapping[str, TestView]) -> TestView:
    twin = views.get(view.first.twin_of)
    return TestView(view.anchor, view.first, view.requirements, view.results, twin)


def _result(run: Run, anchor: str, result: TestResult, target: Target) -> ResultView:
    files = tuple((file.kind.value, quote(file.path)) for file in result.files)
    steps = [entry for entry in result.ladder if isinstance(entry, Step)]
    head = _ends(steps[0]) if steps else ("", "")
    return ResultView(
        anchor, result, target, run.replay(result), files, head, _steps(result.ladder, head)
    )


def _ends(step: Step) -> tuple[str, str]:
    """Give the peer's end and the target's end of a packet."""
    pair = (step.source, step.destination)
    return pair if step.direction == "sent" else (pair[1], pair[0])


def _steps(entries: Sequence[Step | Note], head: tuple[str, str]) -> tuple[StepView, ...]:
    views = []
    for number, entry in enumerate(entries, 1):
        ends, dump = "", ""
        if isinstance(entry, Step):
            moved = _hosts(_ends(entry)) != _hosts(head) or (
                entry.carrier in ("UDP", "TCP") and _ends(entry) != head
            )
            ends = f"{entry.source} → {entry.destination}" if moved else ""
            dump = hex_dump(bytes.fromhex(entry.octets))
        views.append(StepView(number, entry, ends, dump))
    return tuple(views)


def _hosts(ends: tuple[str, str]) -> tuple[str, ...]:
    """Strip the ports, which ESP does not have."""
    return tuple(
        re.sub(r"^\[(.*)\]:\d+(?:/tcp)?$|^([0-9.]+):\d+(?:/tcp)?$", r"\1\2", end) for end in ends
    )


def _wall(run: Run, views: Sequence[ResultView]) -> tuple[Section, ...]:
    by_cell: dict[tuple[str, str], list[ResultView]] = {}
    for view in views:
        for row in view.result.requirements:
            by_cell.setdefault((row, view.result.target), []).append(view)
    rows = [
        WallRow(
            requirement,
            tuple(_marks(by_cell.get((requirement.id, target.name), ())) for target in run.targets),
        )
        for requirement in sorted(run.requirements, key=lambda row: row.order)
    ]
    return tuple(
        Section(title, found[0].requirement.link, tuple(found))
        for title, group in groupby(rows, key=lambda row: row.requirement.reference)
        if (found := list(group))
    )


def _matrix(run: Run, views: Sequence[ResultView]) -> tuple[tuple[str, tuple[MatrixRow, ...]], ...]:
    """Give the rows of each subject, in the order of the run."""
    columns = [(each.name, role) for each in run.targets for role in ("initiator", "responder")]
    subjects: dict[str, dict[str, dict[tuple[str, str], list[ResultView]]]] = {}
    for view in views:
        if tried := view.result.tried:
            row = subjects.setdefault(tried.subject, {}).setdefault(tried.algorithm, {})
            row.setdefault((view.result.target, view.result.role), []).append(view)
    return tuple(
        (
            subject,
            tuple(
                MatrixRow(algorithm, tuple(_marks(cells.get(each, ())) for each in columns))
                for algorithm, cells in rows.items()
            ),
        )
        for subject, rows in subjects.items()
    )


def _marks(views: Sequence[ResultView]) -> tuple[Mark, ...]:
    """Count one cell's verdicts, the worst first; a known deviation comes after a new one."""
    kinds: dict[tuple[int, bool], list[ResultView]] = {}
    for view in views:
        kinds.setdefault((SEVERITY.index(view.verdict), view.known), []).append(view)
    return tuple(
        Mark(SEVERITY[rank], known, len(found), found[0].anchor)
        for (rank, known), found in sorted(kinds.items(), key=lambda item: item[0])
    )
