"""JUnit, Allure and the terminal say the same as the model, and survive what a peer chose."""

from __future__ import annotations

import io
import json
from collections import Counter

import pytest
from junitparser import JUnitXml
from rich.console import Console

from reports.evidence import evidence_folder, write_evidence
from reports.model import Run
from reports.terminal import LiveProgress, print_summary
from reports.verdicts import Verdict
from reports.writers import write_all
from suites.selftest.reports_sample import (
    CASES,
    EVIL,
    record,
    result,
    sample_run,
    with_deviations,
)


@pytest.fixture
def written(tmp_path):
    run = with_deviations(sample_run())
    kept = record()
    files = write_evidence(
        tmp_path, evidence_folder(tmp_path, "strongswan", "test"), kept, captured=False
    )
    first = run.results[0].model_copy(update={"files": files, "reason": "odd \\x1b text & <b>"})
    run = run.model_copy(update={"results": (first, *run.results[1:])})
    return run, tmp_path, write_all(run, tmp_path)


def test_every_format_is_written_into_the_runs_folder(written):
    run, folder, paths = written

    assert [path.relative_to(folder).as_posix() for path in paths] == [
        "results.json",
        "index.html",
        "junit.xml",
        "allure-results",
    ]
    assert Run.load(paths[0]) == run


def test_junit_reads_back_with_the_right_counts(written):
    run, folder, _ = written

    xml = JUnitXml.fromfile(str(folder / "junit.xml"))
    suites = {suite.name: suite for suite in xml}

    assert list(suites) == ["strongswan", "libreswan", "deviations"]
    counts = {name: (s.tests, s.failures, s.errors, s.skipped) for name, s in suites.items()}
    # strongSwan's one deviation is known, so it is skipped beside the one that is unsupported.
    assert counts == {
        "strongswan": (12, 0, 1, 2),
        "libreswan": (12, 1, 0, 0),
        "deviations": (1, 1, 0, 0),
    }
    assert (xml.tests, xml.failures, xml.errors, xml.skipped) == (25, 2, 1, 2)
    assert run.failed


def test_junit_of_a_strict_run_fails_where_a_should_is_not_followed(tmp_path):
    run = sample_run(1).model_copy(
        update={"strict": True, "results": (result(0, "strongswan", Verdict.DIFFERS, "why"),)}
    )

    write_all(run, tmp_path)

    (case,) = next(iter(JUnitXml.fromfile(str(tmp_path / "junit.xml"))))
    assert case.is_failure
    assert case.result[0].message == "differs: why"


def test_what_xml_forbids_does_not_break_junit(tmp_path):
    evil = result(0, "strongswan", Verdict.DEVIATES, EVIL + "\x00\x08\ud800", title=EVIL)
    write_all(sample_run(1).model_copy(update={"results": (evil,)}), tmp_path)

    (case,) = next(iter(JUnitXml.fromfile(str(tmp_path / "junit.xml"))))
    assert "\\x00\\x08\\ud800" in case.result[0].message


def test_allure_has_one_result_for_each_and_its_attachments(written):
    run, folder, _ = written
    allure = folder / "allure-results"

    items = [json.loads(path.read_text()) for path in allure.glob("*-result.json")]

    assert Counter(item["status"] for item in items) == {
        "passed": 20,
        "skipped": 2,
        "failed": 1,
        "broken": 1,
    }
    assert len({item["historyId"] for item in items}) == len(run.results)
    assert all(item["start"] <= item["stop"] for item in items)
    names = {each["source"] for item in items for each in item.get("attachments", ())}
    assert len(names) == len(run.results[0].files)
    assert all((allure / name).stat().st_size for name in names)
    assert any(item.get("statusDetails", {}).get("known") for item in items)
    assert len(json.loads((allure / "categories.json").read_text())) == 3
    assert "target_strongswan=strongSwan 6.0.1" in (allure / "environment.properties").read_text()


def test_writing_twice_leaves_no_old_allure_result(written):
    run, folder, _ = written

    write_all(run, folder)

    assert len(list((folder / "allure-results").glob("*-result.json"))) == len(run.results)


def console(*, terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), width=160, force_terminal=terminal, color_system=None)


def said(into: Console) -> str:
    return into.file.getvalue()


def test_the_summary_counts_and_tells_why():
    into = console()

    print_summary(with_deviations(sample_run()), into)

    lines = said(into).splitlines()
    assert [line.split()[1:] for line in lines[3:9]] == [
        ["conforms", "7", "11"],
        ["deviates", "1", "1"],
        ["differs", "1", "0"],
        ["unsupported", "1", "0"],
        ["administrative", "1", "0"],
        ["inconclusive", "1", "0"],
    ]
    assert lines[9].split() == ["of", "these,", "known", "1", "0"]
    told = [line.split()[1].strip(",") for line in lines[10:] if line and line[0] in "✗≠?"]
    assert told == ["deviates", "inconclusive", "differs", "deviates"]
    assert "✗ deviates, known strongswan" in said(into)
    assert "stale line libreswan rfc7296-2.9-selectors-narrowed: not seen" in said(into)


def test_square_brackets_of_a_peer_are_no_style_of_the_terminal():
    into = console()
    odd = result(0, "strongswan", Verdict.DEVIATES, "[red]no markup[/red] [/] \x1b[31m")

    print_summary(sample_run(1).model_copy(update={"results": (odd,)}), into)

    assert "[red]no markup[/red] [/] \\x1b[31m" in said(into)


@pytest.mark.parametrize("terminal", [False, True])
def test_progress_tells_findings_at_once_and_the_rest_shortly(terminal):
    into = console(terminal=terminal)
    with LiveProgress(6, into) as progress:
        progress.says("building the image of strongswan")
        for verdict, reason in CASES:
            progress.starts("strongswan", "one [test]")
            progress.ends(result(0, "strongswan", verdict, reason))

    text = said(into)
    assert "building the image of strongswan" in text
    assert "✗ deviates strongswan" in text
    assert "the control interface did not answer within 5 s" in text
    assert "TS_UNACCEPTABLE" not in text
    assert terminal or text.endswith(" 6/6\n")


def test_plain_progress_keeps_lines_short():
    into = console()
    with LiveProgress(130, into) as progress:
        for _ in range(130):
            progress.ends(result(0, "strongswan", Verdict.CONFORMS, ""))

    assert [len(line) for line in said(into).splitlines()] == [67, 68, 18]
