"""JUnit XML: one suite for each target, and one for lines of deviations files that are stale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from junitparser import Error, Failure, JUnitXml, Properties, Property, Skipped, TestCase, TestSuite

from reports.model import Run, StaleDeviation, TestResult
from reports.verdicts import Outcome

_ELEMENTS = {Outcome.FAILED: Failure, Outcome.ERROR: Error, Outcome.SKIPPED: Skipped}


def write_junit(run: Run, path: Path) -> None:
    """Write a run as JUnit XML; a known deviation is skipped, as an expected failure is."""
    xml: Any = JUnitXml("ikeproof")
    for target in run.targets:
        cases = [_case(result, strict=run.strict) for result in run.of_target(target.name)]
        facts = {"version": target.version, "kernel": target.kernel, "image": target.image}
        xml.append(_suite(run, target.name, cases, facts))
    if run.stale_deviations:
        xml.append(_suite(run, "deviations", [_stale(each) for each in run.stale_deviations], {}))
    xml.update_statistics()
    xml.write(str(path), pretty=True)


def _suite(run: Run, name: str, cases: list[Any], facts: dict[str, str]) -> Any:
    suite: Any = TestSuite(name)
    suite.timestamp = run.started.isoformat(timespec="seconds")
    for fact, value in facts.items():
        if value:
            suite.add_property(fact, value)
    suite.add_testcases(cases)
    return suite


def _case(result: TestResult, *, strict: bool) -> Any:
    path, _, name = result.id.partition("::")
    classname = path.removesuffix(".py").replace("/", ".")
    case: Any = TestCase(name or path, classname, result.duration)
    make_properties: Any = Properties
    properties = make_properties()
    properties.add_property(Property("verdict", result.verdict.value))
    for requirement in result.requirements:
        properties.add_property(Property("requirement", requirement))
    case.append(properties)
    element = _ELEMENTS.get(result.outcome(strict=strict))
    if element:
        kind = "known deviation" if result.known else result.verdict.value
        case.append(_told(element, result, kind))
    return case


def _told(element: Any, result: TestResult, kind: str) -> Any:
    told = element(f"{kind}: {result.reason}", f"ikeproof.{kind.replace(' ', '-')}")
    if result.known:
        told.text = f"{result.known.reason} {result.known.link}"
    return told


def _stale(line: StaleDeviation) -> Any:
    case: Any = TestCase(f"{line.requirement} {line.test}".strip(), f"deviations.{line.target}", 0)
    case.append(Failure(f"stale deviation: {line.problem}", "ikeproof.stale-deviation"))
    return case
