"""The result model: its schema is current, a dumped run satisfies it and loads back equal."""

from __future__ import annotations

import json

import jsonschema
import pytest

from peers.reference.errors import ScriptError
from reports.model import SCHEMA_PATH, EvidenceFile, FileKind, Run, schema_text
from reports.verdicts import Outcome, Verdict
from suites.selftest.reports_sample import CASES, result, sample_run, with_deviations


def test_the_schema_that_is_checked_in_is_current():
    assert SCHEMA_PATH.read_text(encoding="utf-8") == schema_text(), (
        "write it anew: python -m reports.model"
    )


def test_a_dumped_run_satisfies_the_schema_and_loads_back_equal(tmp_path):
    run = with_deviations(sample_run())

    run.dump(tmp_path / "results.json")

    data = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(json.loads(SCHEMA_PATH.read_text())).validate(data)
    assert Run.load(tmp_path / "results.json") == run
    assert list(tmp_path.iterdir()) == [tmp_path / "results.json"]


BROKEN = [
    ("[]", "schema version None, this is 1"),
    ("{", "no results of a run"),
    ('{"schema_version": 2}', "schema version 2, this is 1"),
    ('{"schema_version": 1}', "id: Field required"),
]


@pytest.mark.parametrize(("text", "told"), BROKEN)
def test_what_is_no_run_is_told_in_one_line(tmp_path, text, told):
    path = tmp_path / "results.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ScriptError, match=told) as caught:
        Run.load(path)
    assert "\n" not in str(caught.value)


def test_a_result_of_an_unknown_target_or_requirement_or_twice_is_refused():
    run = sample_run(2)
    for spoilt in (
        run.results[0].model_copy(update={"target": "other"}),
        run.results[0].model_copy(update={"requirements": ("rfc1-1-none",)}),
        run.results[1],
    ):
        with pytest.raises(ValueError, match=r"unknown|two results"):
            Run.model_validate(run.model_dump() | {"results": (run.results[1], spoilt)})


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../secrets", "a/../../b", "a\\b"])
def test_a_file_of_the_evidence_lies_inside_the_run(path):
    with pytest.raises(ValueError, match="not a path inside"):
        EvidenceFile(kind=FileKind.LOG, path=path)


def test_verdicts_map_to_outcomes_and_a_known_deviation_is_none_of_the_runs_failures():
    outcomes = [verdict.outcome() for verdict in Verdict]

    assert outcomes == ["passed", "failed", "passed", "skipped", "passed", "error"]
    assert Verdict.DIFFERS.outcome(strict=True) is Outcome.FAILED
    assert len({verdict.symbol for verdict in Verdict}) == len(Verdict)
    assert all(verdict.meaning.endswith(".") for verdict in Verdict)


FAILING = [
    ("conforms", False, False),
    ("deviates", False, True),
    ("differs", False, False),
    ("differs", True, True),
    ("unsupported", True, False),
    ("administrative", True, False),
    ("inconclusive", False, True),
]


@pytest.mark.parametrize(("verdict", "strict", "fails"), FAILING)
def test_what_fails_a_run(verdict, strict, fails):
    reason = dict(CASES)[Verdict(verdict)]
    outcome = result(0, "strongswan", Verdict(verdict), reason)
    run = sample_run(1).model_copy(update={"results": (outcome,), "strict": strict})

    assert run.failed is fails


def test_a_known_deviation_does_not_fail_a_run_and_a_stale_line_does():
    run = with_deviations(sample_run(2))
    known = tuple(each for each in run.results if each.known or each.verdict is Verdict.CONFORMS)

    assert any(each.known for each in known)
    assert run.model_copy(update={"results": known}).failed
    assert not run.model_copy(update={"results": known, "stale_deviations": ()}).failed


def test_totals_are_derived_and_a_replay_names_target_seed_and_test():
    run = sample_run()

    assert run.totals().total() == 24
    assert run.totals("strongswan") + run.totals("libreswan") == run.totals()
    assert run.replay(run.results[0]) == (
        "pytest --target strongswan@trixie --seed 271828 "
        "'suites/rfc7296/test_s2_1.py::test_retransmission_identical_response[strongswan]'"
    )
