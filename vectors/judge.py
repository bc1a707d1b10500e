"""Run vectors through the reference peer, and what each of them spoiled must come to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from peers.reference.errors import PeerError, ScriptError
from vectors import loader, primitives
from vectors.checks import CHECKS, Disagreement
from vectors.loader import Case, Result, Vectors
from vectors.spoiled import spoiled

REFERENCE = "reference peer"


class NotImplementedYet(Exception):
    """The peer does not have the algorithm; its vectors stay visibly unjudged."""


def judge(kind: str, case: Case) -> None:
    """Raise Disagreement unless the peer computes, takes and refuses what the case says.

    A PeerError is a refusal: wrong of a valid case, right of an invalid one. Raises
    NotImplementedYet for an algorithm that the peer does not have.
    """
    try:
        CHECKS[kind](case)
    except PeerError as error:
        if case.result == "valid":
            raise Disagreement(f"refused: {error}") from error
    except ScriptError as error:
        if "is not implemented" not in str(error):
            raise Disagreement(f"could not be computed: {error}") from error
        raise NotImplementedYet(str(error)) from error
    else:
        if case.result == "invalid":
            raise Disagreement("taken, though invalid")


@dataclass(slots=True)
class Verdict:
    """What came of one subject: how many cases of each result, and which went wrong.

    ``missing`` holds the reasons for which cases could not be judged; ``left_out`` counts by the
    reason those that a target's runner cannot be asked, ``deviating`` those that it is known to get
    wrong, and did.
    """

    subject: str
    source: str
    through: str = REFERENCE
    counts: dict[Result, int] = field(
        default_factory=lambda: {"valid": 0, "invalid": 0, "acceptable": 0}
    )
    disagreements: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    deviating: dict[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The verdict in a word or two."""
        if self.disagreements:
            return f"{len(self.disagreements)} disagree"
        judged = sum(self.counts.values())
        if self.missing:
            return "not implemented" if not judged else f"agrees, {len(self.missing)} missing"
        if self.left_out and not judged:
            return "cannot be asked"
        deviating = sum(self.deviating.values())
        more = f", {deviating} known to deviate" if deviating else ""
        return f"agrees{more}" + (f", {self.unasked} left out" if self.left_out else "")

    @property
    def unasked(self) -> int:
        """How many cases are left out."""
        return sum(self.left_out.values())

    def add(self, kind: str, case: Case) -> None:
        """Judge one case more, and when the peer has the algorithm what comes of spoiling it."""
        try:
            judge(kind, case)
        except NotImplementedYet as reason:
            self.missing.append(f"{case}: {reason}")
            return
        except Disagreement as error:
            self.disagreements.append(f"{case}: {error}")
        self.counts[case.result] += 1
        for its_kind, worse in spoiled(kind, case):
            self.add(its_kind, worse)


def verdict(vectors: Vectors) -> Verdict:
    """Judge one subject, each case as it stands and spoiled in every way that its kind has."""
    found = Verdict(vectors.subject, vectors.source)
    for case in vectors.cases:
        found.add(vectors.kind, case)
    return found


def verdicts() -> Iterator[Verdict]:
    """Judge every vector file, and what the package of primitives' vectors has."""
    return map(verdict, chain(map(loader.load, loader.names()), primitives.subjects()))
