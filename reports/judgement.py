"""From how a test ended to what that says about the target."""

from __future__ import annotations

from collections.abc import Sequence

from peers.reference.errors import Inconclusive, PeerError, ScriptError
from reports.ledger import Level, Requirement
from reports.verdicts import Verdict

BINDING = (Level.MUST, Level.MUST_NOT, Level.FORMAT)
"""Levels whose breach is a deviation; a breach of the others is a difference."""

LONGEST_REASON = 800


class Differs(AssertionError):
    """A SHOULD that was not followed, or the right effect with another notify."""


class Unsupported(Exception):
    """The target declares, and its probe confirms, that it lacks what a test needs."""


def judge(
    error: BaseException | None, requirements: Sequence[Requirement], *, in_test: bool
) -> tuple[Verdict, str]:
    """Judge a test by the error that ended it; the first requirement says how grave a breach is.

    A target that fails outside the test proper (``in_test`` is false), while it is set up or
    cleared away, makes it inconclusive: what it was to judge has not been exercised, and the tests
    of what failed say so themselves.
    """
    if error is None:
        return Verdict.CONFORMS, ""
    reason = _reason(error)
    if isinstance(error, Unsupported):
        return Verdict.UNSUPPORTED, reason
    if not in_test:
        return Verdict.INCONCLUSIVE, f"outside the test proper: {reason}"
    if isinstance(error, Differs):
        return Verdict.DIFFERS, reason
    if isinstance(error, Inconclusive | ScriptError):
        return Verdict.INCONCLUSIVE, reason
    if isinstance(error, PeerError | AssertionError):
        binding = not requirements or requirements[0].level in BINDING
        return Verdict.DEVIATES if binding else Verdict.DIFFERS, reason
    return Verdict.INCONCLUSIVE, f"{type(error).__name__}: {reason}"


def _reason(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    if isinstance(error, AssertionError):
        # What the test says comes first; the expression that pytest adds is for a test's author.
        said, _, _expression = text.partition("\nassert ")
        text = said
    return text if len(text) <= LONGEST_REASON else text[:LONGEST_REASON] + " ..."
