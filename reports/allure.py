"""Allure results: one file for each result, with its evidence attached."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import (
    Attachment,
    Label,
    Link,
    Parameter,
    Status,
    StatusDetails,
    TestStepResult,
)
from allure_commons.model2 import TestResult as AllureResult

from reports.ledger import Requirement
from reports.model import Direction, EvidenceFile, FileKind, Note, Run, Step, TestResult
from reports.verdicts import Outcome, Verdict

_STATUS = {
    Outcome.PASSED: Status.PASSED,
    Outcome.FAILED: Status.FAILED,
    Outcome.SKIPPED: Status.SKIPPED,
    Outcome.ERROR: Status.BROKEN,
}
_TYPES = {FileKind.CAPTURE: ("application/vnd.tcpdump.pcap", "pcapng")}


def write_allure(run: Run, folder: Path, evidence: Path) -> None:
    """Write Allure results anew into ``folder``; ``evidence`` is the folder of the run's files."""
    if folder.exists():
        shutil.rmtree(folder)
    make_logger: Any = AllureFileLogger
    logger = make_logger(folder)
    rows = {requirement.id: requirement for requirement in run.requirements}
    for result in run.results:
        item = _result(run, result, [rows[name] for name in result.requirements])
        present = [file for file in result.files if (evidence / file.path).is_file()]
        item.attachments = [_attached(logger, file, evidence) for file in present]
        logger.report_result(item)
    (folder / "environment.properties").write_text(_environment(run), encoding="utf-8")
    (folder / "categories.json").write_text(json.dumps(_categories()), encoding="utf-8")


def _result(run: Run, result: TestResult, rows: list[Requirement]) -> Any:
    start = round(result.started.timestamp() * 1000)
    return AllureResult(
        uuid=_digest(run.id, result.target, result.id),
        name=result.title,
        fullName=result.id,
        testCaseId=_digest(result.id),
        historyId=_digest(result.target, result.id),
        description=result.expected,
        status=_STATUS[result.outcome(strict=run.strict)],
        statusDetails=_details(run, result),
        stage="finished",
        start=start,
        stop=start + round(result.duration * 1000),
        labels=_labels(result, rows),
        links=[Link(type="link", url=row.link, name=row.reference) for row in rows],
        parameters=[Parameter(name="target", value=result.target)],
        steps=[_step(entry, start) for entry in result.ladder],
    )


def _details(run: Run, result: TestResult) -> Any:
    parts = [f"{result.verdict.value}: {result.reason}" if result.reason else result.verdict.value]
    if result.known:
        parts.append(f"known: {result.known.reason} {result.known.link}")
    known = result.known is not None
    return StatusDetails(known=known, message="\n".join(parts), trace=run.replay(result))


def _labels(result: TestResult, rows: list[Requirement]) -> list[Any]:
    pairs = [
        ("framework", "ikeproof"),
        ("parentSuite", result.target),
        ("tag", result.verdict.value),
    ]
    if rows:
        pairs += [("suite", f"RFC {rows[0].rfc}"), ("subSuite", rows[0].section)]
    pairs += [("story", row.id) for row in rows]
    return [Label(name=name, value=value) for name, value in pairs]


def _step(entry: Step | Note, start: int) -> Any:
    time = start + round(entry.offset)
    if isinstance(entry, Note):
        name = entry.text
    else:
        name = ("peer --> " if entry.direction is Direction.SENT else "peer <-- ") + entry.summary
        name += f" [deliberate fault: {entry.fault}]" if entry.fault else ""
        name += f" [not decoded: {entry.problem}]" if entry.problem else ""
    return TestStepResult(name=name, status=Status.PASSED, stage="finished", start=time, stop=time)


def _attached(logger: Any, file: EvidenceFile, evidence: Path) -> Any:
    kind, extension = _TYPES.get(file.kind, ("text/plain", "txt"))
    name = f"{_digest(file.path)}-attachment.{extension}"
    logger.report_attached_file(evidence / file.path, name)
    return Attachment(name=file.kind.value, source=name, type=kind)


def _environment(run: Run) -> str:
    facts = {
        f"target {target.name}": f"{target.version}, {target.kernel}" for target in run.targets
    }
    facts |= {"ikeproof": run.version, "command": run.command, "seed": str(run.seed)} | run.host
    lines = (f"{name.replace(' ', '_')}={value}" for name, value in facts.items())
    return "".join(f"{line.replace(chr(10), ' ')}\n" for line in lines)


def _categories() -> list[dict[str, object]]:
    return [
        {
            "name": f"{verdict.value}: {verdict.meaning}",
            "messageRegex": f"(?s){verdict.value}.*",
            "matchedStatuses": [_STATUS[verdict.outcome()], _STATUS[verdict.outcome(strict=True)]],
        }
        for verdict in (Verdict.DEVIATES, Verdict.DIFFERS, Verdict.INCONCLUSIVE)
    ]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
