"""The coverage of the ledger: counted by row, and told when a test names what there is not."""

import pytest

from reports.ledger import Judged, Level, Requirement
from suites.ledger import JUDGEABLE, Coverage, collect, open_requirements


def _row(id_, level="MUST", judged="fault"):
    return Requirement(
        id=f"rfc7296-2.5-{id_}",
        rfc=7296,
        section="2.5",
        level=level,
        role="either",
        statement="Something holds.",
        judged=judged,
    )


ROWS = {
    row.id: row
    for row in (
        _row("tested"),
        _row("untested"),
        _row("invisible", judged="not visible"),
        _row("should", level="SHOULD"),
    )
}


@pytest.fixture
def coverage():
    tests = {"test_a": ("rfc7296-2.5-tested",), "test_b": (), "test_c": ("rfc7296-2.5-strange",)}
    return Coverage.of(ROWS, tests)


def test_a_row_counts_as_judged_when_a_test_names_it(coverage):
    assert coverage.count(7296, Level.MUST, JUDGEABLE) == (1, 2)
    assert coverage.count(7296, Level.SHOULD, JUDGEABLE) == (0, 1)
    assert coverage.count(7296, Level.MUST, [Judged.NOT_VISIBLE]) == (0, 1)


def test_judgeable_rows_without_a_test_are_listed(coverage):
    missing = [row.id for row in coverage.without_test(*JUDGEABLE)]

    assert missing == ["rfc7296-2.5-untested", "rfc7296-2.5-should"]


def test_tests_without_a_row_and_rows_that_there_are_not_are_listed(coverage):
    assert coverage.nameless_tests() == ["test_b"]
    assert coverage.unknown_ids() == ["rfc7296-2.5-strange"]


def test_every_conformance_test_names_rows_that_there_are():
    coverage = collect()

    assert len(coverage.tests) > 80
    assert not coverage.nameless_tests()
    assert not coverage.unknown_ids()


def test_a_binding_row_without_a_test_is_told_from_one_that_need_not_have_one(coverage):
    assert coverage.unjudged() == ["rfc7296-2.5-untested"]


def test_every_judgeable_must_has_a_test_or_is_open_for_a_reason():
    """Strict both ways: what has got a test is not open any more."""
    assert collect().unjudged() == list(open_requirements())
