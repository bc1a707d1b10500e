"""The six verdicts: what each says about a target, and what it does to a run."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """What pytest and JUnit make of a verdict."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    ERROR = "error"


class _Row(NamedTuple):
    symbol: str
    colour: str
    outcome: Outcome
    meaning: str


class Verdict(StrEnum):
    """What one test says about one target, in the order of a report."""

    CONFORMS = "conforms"
    DEVIATES = "deviates"
    DIFFERS = "differs"
    UNSUPPORTED = "unsupported"
    ADMINISTRATIVE = "administrative"
    INCONCLUSIVE = "inconclusive"

    @property
    def meaning(self) -> str:
        """Give the verdict's meaning in one sentence."""
        return _TABLE[self].meaning

    @property
    def symbol(self) -> str:
        """Give one character that tells the verdict without colour."""
        return _TABLE[self].symbol

    @property
    def css(self) -> str:
        """Give the CSS class of everything that shows this verdict."""
        return f"v-{self.value}"

    @property
    def colour(self) -> str:
        """Give the colour of a terminal or a picture as #rrggbb, for a light background."""
        return _TABLE[self].colour

    def outcome(self, *, strict: bool = False) -> Outcome:
        """Map to pytest's outcome; with ``strict`` a SHOULD that is not followed fails."""
        if strict and self is Verdict.DIFFERS:
            return Outcome.FAILED
        return _TABLE[self].outcome


_TABLE = {
    Verdict.CONFORMS: _Row(
        "✓", "#16794f", Outcome.PASSED, "The requirement was exercised and held."
    ),
    Verdict.DEVIATES: _Row("✗", "#b42318", Outcome.FAILED, "A MUST or MUST NOT was broken."),
    Verdict.DIFFERS: _Row(
        "≠",
        "#9a5b00",
        Outcome.PASSED,
        "A SHOULD was not followed, or the right effect came with another notification.",
    ),
    Verdict.UNSUPPORTED: _Row(
        "∅",
        "#5f6773",
        Outcome.SKIPPED,
        "The target declares, and the probe confirms, that it lacks the feature.",
    ),
    Verdict.ADMINISTRATIVE: _Row(
        "§", "#1f5fa8", Outcome.PASSED, "The RFC leaves it to local policy; what was seen is told."
    ),
    Verdict.INCONCLUSIVE: _Row(
        "?",
        "#7a3e9d",
        Outcome.ERROR,
        "The lab or our script failed; nothing is said of the target.",
    ),
}
