"""What a target is known to do otherwise: lines with a reason and a link, strict both ways."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from reports.ledger import Text
from reports.model import KnownDeviation, StaleDeviation, TestResult
from reports.tables import TableError, read_rows
from reports.verdicts import Verdict

_JUDGED = (Verdict.CONFORMS, Verdict.DEVIATES, Verdict.DIFFERS, Verdict.ADMINISTRATIVE)
_OTHERWISE = (Verdict.DEVIATES, Verdict.DIFFERS)


def _regular_expression(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from error
    return pattern


def _link(address: str) -> str:
    if not re.match(r"https?://\S+$", address):
        raise ValueError("not the address of a page (https://...)")
    return address


class Deviation(BaseModel):
    """One line of a deviations file.

    ``match`` is a regular expression that must be found in the reason of the verdict. ``test`` and
    ``versions`` narrow the line to test ids and target versions; ``*`` stands for any text, every
    other character for itself. From ``expires`` on the line no longer counts. What the target does
    is ``intermittent`` where it hangs on a race of its own: a run that does not show it is fine.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    requirement: Text
    reason: Text
    link: Annotated[Text, AfterValidator(_link)]
    match: Annotated[Text, AfterValidator(_regular_expression)]
    test: Text | None = None
    versions: tuple[Text, ...] = ()
    expires: date | None = None
    intermittent: bool = False

    def applies_to(self, version: str) -> bool:
        """Say whether the line speaks about this version of the target."""
        return not self.versions or any(_glob(pattern, version) for pattern in self.versions)

    def covers(self, result: TestResult) -> bool:
        """Say whether the line speaks about this test."""
        named = self.test is None or _glob(self.test, result.id)
        return named and self.requirement in result.requirements

    def explains(self, result: TestResult) -> bool:
        """Say whether the test went wrong in the very way that the line describes."""
        wrong = result.verdict in _OTHERWISE
        return wrong and self.covers(result) and bool(re.search(self.match, result.reason))

    def expired(self, today: date) -> bool:
        """Say whether the line no longer counts."""
        return self.expires is not None and today >= self.expires


def load_deviations(path: Path, ledger: Container[str]) -> tuple[Deviation, ...]:
    """Load a target's file; a target without one has no deviations.

    Raise TableError, also where a line names a requirement that the ledger does not have.
    """
    if not path.exists():
        return ()
    rows = read_rows(path, "deviation", Deviation)
    strangers = [row for row in rows if row.value.requirement not in ledger]
    if strangers:
        raise TableError(
            row.problem(f"requirement {row.value.requirement!r} is not in the ledger")
            for row in strangers
        )
    return tuple(row.value for row in rows)


def mark_known(
    results: Iterable[TestResult], deviations: Sequence[Deviation], version: str, today: date
) -> list[TestResult]:
    """Give one target's results, each that a line explains carrying the line. Verdicts stay."""
    valid = [line for line in deviations if line.applies_to(version) and not line.expired(today)]
    return [_marked(result, valid) for result in results]


def _marked(result: TestResult, deviations: Sequence[Deviation]) -> TestResult:
    line = next((line for line in deviations if line.explains(result)), None)
    known = KnownDeviation(reason=line.reason, link=line.link) if line else None
    return result.model_copy(update={"known": known})


def stale(
    target: str,
    results: Sequence[TestResult],
    deviations: Sequence[Deviation],
    version: str,
    today: date,
) -> list[StaleDeviation]:
    """Give the lines that one target's results contradict; each fails the run.

    A line is stale when its tests ran and none went wrong as it says, or when it has expired. It
    stays open while none of its tests was judged, or one of them was inconclusive.
    """
    found = []
    for line in deviations:
        covered = [result for result in results if line.covers(result)]
        if line.applies_to(version) and (problem := _problem(line, covered, today)):
            found.append(
                StaleDeviation(
                    target=target,
                    requirement=line.requirement,
                    test=line.test or "",
                    reason=line.reason,
                    link=line.link,
                    problem=problem,
                )
            )
    return found


def _problem(line: Deviation, covered: Sequence[TestResult], today: date) -> str:
    judged = [result for result in covered if result.verdict in _JUDGED]
    if any(line.explains(result) for result in judged):
        return f"expired on {line.expires}, and still seen" if line.expired(today) else ""
    if not judged or any(result.verdict is Verdict.INCONCLUSIVE for result in covered):
        return ""
    others = sum(result.verdict in _OTHERWISE for result in judged)
    if others:
        return f"not seen: {others} of {len(judged)} tests went wrong, for another reason"
    return "" if line.intermittent else f"not seen: none of its {len(judged)} tests went wrong"


def _glob(pattern: str, text: str) -> bool:
    parts = (re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(".*".join(parts), text, re.DOTALL) is not None
