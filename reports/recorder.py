"""Collects what each test leaves behind and turns a whole run into its reports."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from reports.capture import cut_capture
from reports.deviations import load_deviations, mark_known, stale
from reports.evidence import Record, cut_of, evidence_folder, ladder, write_evidence
from reports.ledger import Requirement
from reports.model import EvidenceFile, FileKind, Run, StaleDeviation, Target, TestResult, Tried
from reports.verdicts import Verdict
from reports.writers import write_all

DEVIATIONS = Path(__file__).parent.parent / "peers" / "targets" / "deviations"


@dataclass(slots=True)
class Case:
    """One test against one target as it is run.

    ``log`` cuts the target's log when asked. ``administrative`` collects what was seen where the
    RFC leaves what is judged to local policy, ``observed`` what was seen beside a rule that held.
    ``daemon_died`` says that the target's process ended meanwhile.
    """

    id: str
    node_id: str
    target: str
    title: str
    expected: str
    requirements: tuple[Requirement, ...]
    role: Literal["initiator", "responder"]
    twin_of: str
    faults: tuple[str, ...]
    tried: Tried | None = None
    record: Record | None = None
    log: Callable[[float, float], str] = field(default=lambda start, end: "")
    administrative: list[str] = field(default_factory=list)
    observed: list[str] = field(default_factory=list)
    daemon_died: bool = False


@dataclass(frozen=True, slots=True)
class Occasion:
    """The facts of a run that are known when it starts."""

    id: str
    started: datetime
    command: str
    version: str
    seed: int
    strict: bool
    host: Mapping[str, str]


def deviations_file(spec: str) -> Path:
    """Give the file of a target's known deviations, of all of its releases; it need not exist."""
    name = spec.partition("@")[0].partition("!")[0]
    return DEVIATIONS / f"{name}.toml"


def run_of(
    occasion: Occasion,
    ledger: Mapping[str, Requirement],
    targets: Sequence[Target],
    results: Sequence[TestResult],
) -> Run:
    """Give a run as the model has it, with the lines of deviations that nobody saw."""
    used = {name for result in results for name in result.requirements}
    return Run(
        id=occasion.id,
        started=occasion.started,
        finished=datetime.now(UTC),
        command=occasion.command,
        version=occasion.version,
        seed=occasion.seed,
        strict=occasion.strict,
        host=dict(occasion.host),
        targets=tuple(targets),
        requirements=tuple(row for row in ledger.values() if row.id in used),
        results=tuple(results),
        stale_deviations=tuple(_stale(targets, results, ledger)),
    )


def _stale(
    targets: Iterable[Target], results: Sequence[TestResult], ledger: Mapping[str, Requirement]
) -> Iterable[StaleDeviation]:
    for target in targets:
        lines = load_deviations(deviations_file(target.name), ledger)
        own = [result for result in results if result.target == target.name]
        yield from stale(target.name, own, lines, target.version, date.today())


class Recorder:
    """The results of one run; ``all_evidence`` keeps it for tests that plainly conform too."""

    def __init__(
        self,
        occasion: Occasion,
        folder: Path,
        ledger: Mapping[str, Requirement],
        *,
        all_evidence: bool,
    ) -> None:
        self.folder = folder
        self.targets: dict[str, Target] = {}
        self.results: list[TestResult] = []
        self._occasion = occasion
        self._ledger = ledger
        self._all_evidence = all_evidence
        self._records: dict[str, Record] = {}

    def add(
        self, case: Case, verdict: Verdict, reason: str, started: float, duration: float
    ) -> TestResult:
        """Take up a finished test; give its result, known deviations marked."""
        if verdict is Verdict.CONFORMS and case.administrative:
            verdict, reason = Verdict.ADMINISTRATIVE, "; ".join(case.administrative)
        elif verdict is Verdict.CONFORMS:
            reason = "; ".join(case.observed)
        result = TestResult(
            id=case.id,
            node_id=case.node_id,
            target=case.target,
            title=case.title,
            expected=case.expected,
            requirements=tuple(requirement.id for requirement in case.requirements),
            verdict=verdict,
            reason=reason,
            started=datetime.fromtimestamp(started, UTC),
            duration=duration,
            role=case.role,
            twin_of=case.twin_of,
            faults=case.faults,
            tried=case.tried,
        )
        result = self._marked(result)
        if case.record is not None:
            result = self._with_ladder(result, case.record, case.log)
        self.results.append(result)
        return result

    def _marked(self, result: TestResult) -> TestResult:
        target = self.targets[result.target]
        lines = load_deviations(deviations_file(target.name), self._ledger)
        return mark_known([result], lines, target.version, date.today())[0]

    def _with_ladder(
        self, result: TestResult, record: Record, log: Callable[[float, float], str]
    ) -> TestResult:
        wanted = self._all_evidence or not result.plain
        if wanted:
            record = dataclasses.replace(record, log=log(record.start, record.end))
            self._records[result.node_id] = record
        steps = ladder(record.events, record.start, detail=wanted)
        return result.model_copy(update={"ladder": steps})

    def finish(self, capture: Path | None) -> Run:
        """Write the evidence and every report; ``capture`` is that of the lab, if there was one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        results = [self._with_evidence(result, capture is not None) for result in self.results]
        if capture is not None:
            results = self._cut(capture, results)
        run = run_of(self._occasion, self._ledger, tuple(self.targets.values()), results)
        write_all(run, self.folder)
        return run

    def _folder(self, result: TestResult) -> Path:
        return evidence_folder(self.folder, result.target, result.id)

    def _with_evidence(self, result: TestResult, captured: bool) -> TestResult:
        record = self._records.get(result.node_id)
        if record is None:
            return result
        files = write_evidence(self.folder, self._folder(result), record, captured=captured)
        return result.model_copy(update={"files": files})

    def _cut(self, capture: Path, results: list[TestResult]) -> list[TestResult]:
        cuts = [
            cut_of(self._records[result.node_id], self._folder(result))
            for result in results
            if result.node_id in self._records
        ]
        counts = cut_capture(capture, cuts)
        there = {path.relative_to(self.folder).as_posix() for path, n in counts.items() if n}
        return [
            result.model_copy(update={"files": tuple(_present(result.files, there))})
            for result in results
        ]


def _present(files: Iterable[EvidenceFile], captures: set[str]) -> Iterable[EvidenceFile]:
    """Leave out captures in which there was no packet, for those files do not exist."""
    return (file for file in files if file.kind is not FileKind.CAPTURE or file.path in captures)
