"""Known deviations are strict both ways: what they do not explain fails, and so do they unseen."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from reports.deviations import Deviation, load_deviations, mark_known, stale
from reports.ledger import load_ledger
from reports.model import TestResult
from reports.recorder import DEVIATIONS
from reports.tables import TableError
from reports.verdicts import Outcome, Verdict
from suites.session import LEDGER

REQUIREMENT = "rfc7296-2.21-error-echoed"
TODAY = date(2026, 3, 1)
LINE = Deviation(
    requirement=REQUIREMENT,
    reason="Answers with another notification.",
    link="https://example.org/issues/1",
    match="expected INVALID_SYNTAX, got [A-Z_]+",
)


def result(verdict=Verdict.DEVIATES, reason="", test="suites/test_a.py::test_one[16-bit]", **more):
    return TestResult(
        id=test,
        node_id=test,
        target="strongswan",
        title="one",
        requirements=more.pop("requirements", (REQUIREMENT,)),
        verdict=verdict,
        reason=reason or "expected INVALID_SYNTAX, got NO_PROPOSAL_CHOSEN",
        started=datetime(2026, 3, 1, tzinfo=UTC),
        duration=0.1,
        role="initiator",
        **more,
    )


def line(**changes):
    return Deviation.model_validate(LINE.model_dump() | changes)


def known(outcome, *lines, version="6.0.1"):
    (marked,) = mark_known([outcome], lines or (LINE,), version, TODAY)
    return marked.known is not None


def problems(results, *lines, version="6.0.1"):
    return [
        found.problem for found in stale("strongswan", results, lines or (LINE,), version, TODAY)
    ]


@pytest.mark.parametrize("verdict", [Verdict.DEVIATES, Verdict.DIFFERS])
def test_a_deviation_that_a_line_explains_does_not_fail_the_run(verdict):
    (marked,) = mark_known([result(verdict)], [LINE], "6.0.1", TODAY)

    assert marked.known is not None
    assert marked.known.link == LINE.link
    assert (marked.verdict, marked.outcome(strict=True)) == (verdict, Outcome.SKIPPED)
    assert problems([marked]) == []


@pytest.mark.parametrize("verdict", [Verdict.CONFORMS, Verdict.INCONCLUSIVE, Verdict.UNSUPPORTED])
def test_no_other_verdict_is_ever_a_known_deviation(verdict):
    assert not known(result(verdict))


def test_another_reason_is_not_known_and_the_line_is_stale():
    other = result(reason="no answer at all")

    assert not known(other)
    assert problems([other]) == ["not seen: 1 of 1 tests went wrong, for another reason"]


def test_an_unexpected_pass_makes_the_line_stale():
    assert problems([result(Verdict.CONFORMS)]) == ["not seen: none of its 1 tests went wrong"]


def test_what_is_intermittent_may_stay_out_but_not_go_wrong_otherwise():
    now_and_then = line(intermittent=True)

    assert problems([result(Verdict.CONFORMS)], now_and_then) == []
    assert problems([result()], now_and_then) == []
    assert known(result(), now_and_then)
    assert problems([result(reason="no answer at all")], now_and_then) == [
        "not seen: 1 of 1 tests went wrong, for another reason"
    ]


@pytest.mark.parametrize("verdict", [Verdict.INCONCLUSIVE, Verdict.UNSUPPORTED])
def test_a_line_whose_tests_were_not_judged_stays_open(verdict):
    assert problems([result(verdict)]) == []


def test_a_line_whose_tests_did_not_run_stays_open():
    assert problems([]) == []
    assert problems([result(Verdict.CONFORMS, requirements=("other",))]) == []


NARROW = [
    ({"test": "suites/test_a.py::test_one[16-bit]"}, True),
    ({"test": "*::test_one[*]"}, True),
    ({"test": "*::test_one[1]"}, False),
    ({"test": "*::test_two*"}, False),
    ({"requirement": "rfc7296-2.21-another"}, False),
    ({"versions": ["6.0.*"]}, True),
    ({"versions": ["5.*", "6.0.1"]}, True),
    ({"versions": ["6.0"]}, False),
    ({"expires": date(2026, 3, 2)}, True),
    ({"expires": date(2026, 3, 1)}, False),
]


@pytest.mark.parametrize(("changes", "expected"), NARROW)
def test_a_line_speaks_only_for_what_it_names(changes, expected):
    assert known(result(), line(**changes)) is expected


def test_a_line_of_another_version_is_not_stale():
    assert problems([result(Verdict.CONFORMS)], line(versions=["5.*"])) == []


def test_an_expired_line_is_stale_though_it_is_seen():
    assert problems([result()], line(expires=date(2026, 2, 1))) == [
        "expired on 2026-02-01, and still seen"
    ]


TOML = """
[[deviation]]
requirement = "rfc7296-2.21-error-echoed"
reason = "Answers with another notification."
link = "https://example.org/issues/1"
match = "got [A-Z_]+"
versions = ["6.0.*"]
expires = 2027-01-01
"""


def load(tmp_path, text):
    path = tmp_path / "strongswan.toml"
    path.write_text(text, encoding="utf-8")
    return load_deviations(path, {REQUIREMENT})


def test_a_file_loads(tmp_path):
    (loaded,) = load(tmp_path, TOML)

    assert loaded.expires == date(2027, 1, 1)
    assert loaded.applies_to("6.0.1")


def test_a_target_without_a_file_has_no_deviations(tmp_path):
    assert load_deviations(tmp_path / "none.toml", {REQUIREMENT}) == ()


SPOILT = [
    ("got [A-Z_]+", "got [A-Z_", r"strongswan\.toml:6: .*no regular expression"),
    ("https://example.org/issues/1", "see the wiki", r"strongswan\.toml:5: .*not the address"),
    ("reason =", "why =", r"strongswan\.toml:4: .*why: Extra"),
    ("2.21-error-echoed", "2.21-unheard-of", r"strongswan\.toml:2: .*not in the ledger"),
    ("2027-01-01", '"soon"', r"strongswan\.toml:8: .*expires"),
]


@pytest.mark.parametrize(("old", "new", "told"), SPOILT)
def test_a_spoilt_line_is_told_with_its_place(tmp_path, old, new, told):
    with pytest.raises(TableError, match=told):
        load(tmp_path, TOML.replace(old, new))


@pytest.mark.parametrize("path", sorted(DEVIATIONS.glob("*.toml")), ids=lambda path: path.name)
def test_our_own_files_name_rows_of_the_ledger_and_read_as_expressions(path):
    assert load_deviations(path, load_ledger(LEDGER))
