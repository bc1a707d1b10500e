"""From the error that ended a test to its verdict."""

from __future__ import annotations

import pytest

from peers.reference.errors import (
    Inconclusive,
    IntegrityFailure,
    MalformedMessage,
    NoAnswer,
    PeerError,
    Replayed,
    ScriptError,
)
from reports.judgement import LONGEST_REASON, Differs, Unsupported, judge
from reports.ledger import Level, load_ledger
from reports.verdicts import Verdict
from suites.session import LEDGER

SAMPLE = next(iter(load_ledger(LEDGER).values()))

BINDING = [Level.MUST, Level.MUST_NOT, Level.FORMAT]
OTHERS = [level for level in Level if level not in BINDING]

THEIRS = [
    PeerError("x"),
    NoAnswer("x"),
    MalformedMessage(3, "x"),
    IntegrityFailure("x"),
    Replayed("x"),
    AssertionError("x"),
]
NOBODYS = [
    Inconclusive("x"),
    ScriptError("x"),
    KeyError("x"),
    OSError("x"),
    RuntimeError("x"),
    KeyboardInterrupt("x"),
]


def verdict(error, *levels, in_test=True):
    rows = [SAMPLE.model_copy(update={"level": level}) for level in levels]
    return judge(error, rows, in_test=in_test)[0]


def kind(value):
    return value.name if isinstance(value, Level) else type(value).__name__


def test_no_error_conforms():
    assert judge(None, [], in_test=True) == (Verdict.CONFORMS, "")


@pytest.mark.parametrize("error", THEIRS, ids=kind)
@pytest.mark.parametrize("level", BINDING, ids=kind)
def test_a_binding_rule_that_is_broken_deviates(error, level):
    assert verdict(error, level) is Verdict.DEVIATES


@pytest.mark.parametrize("error", THEIRS, ids=kind)
@pytest.mark.parametrize("level", OTHERS, ids=kind)
def test_another_rule_that_is_broken_differs(error, level):
    assert verdict(error, level) is Verdict.DIFFERS


@pytest.mark.parametrize("level", Level, ids=kind)
def test_what_a_test_calls_a_difference_is_one_at_any_level(level):
    assert verdict(Differs("x"), level) is Verdict.DIFFERS


@pytest.mark.parametrize("error", NOBODYS, ids=kind)
@pytest.mark.parametrize("level", [Level.MUST, Level.SHOULD], ids=kind)
def test_trouble_of_ours_or_of_the_lab_says_nothing_of_the_target(error, level):
    assert verdict(error, level) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("error", [*THEIRS, *NOBODYS, Differs("x")], ids=kind)
def test_outside_the_test_proper_everything_is_inconclusive(error):
    assert verdict(error, Level.MUST, in_test=False) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("in_test", [False, True])
def test_what_is_unsupported_is_so_wherever_it_is_found(in_test):
    assert verdict(Unsupported("x"), Level.MUST, in_test=in_test) is Verdict.UNSUPPORTED


def test_the_first_requirement_decides():
    assert verdict(PeerError("x"), Level.SHOULD, Level.MUST) is Verdict.DIFFERS
    assert verdict(PeerError("x"), Level.MUST, Level.SHOULD) is Verdict.DEVIATES


def test_without_requirements_a_breach_deviates():
    assert verdict(PeerError("x")) is Verdict.DEVIATES


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PeerError("the ICV is wrong"), "the ICV is wrong"),
        (NoAnswer(), "NoAnswer"),
        (KeyError("spi"), "KeyError: 'spi'"),
        (PeerError("x" * 2000), "x" * LONGEST_REASON + " ..."),
        (AssertionError("no KE\nassert 1 == 2"), "no KE"),
    ],
)
def test_the_reason_says_what_was_wrong(error, reason):
    assert judge(error, [], in_test=True)[1] == reason
