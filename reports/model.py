"""The one model of a run's results: versioned, checked, and what every format is written from."""

from __future__ import annotations

import json
import os
import shlex
from collections import Counter
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from peers.reference.errors import ScriptError
from reports.ledger import Requirement
from reports.verdicts import Outcome, Verdict

SCHEMA_VERSION: Literal[1] = 1
SCHEMA_PATH = Path(__file__).with_name("results.schema.json")


def printable(text: str) -> str:
    """Escape what a terminal, a page or XML would act on: control and direction characters."""
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or character in "\n\t"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def _printable_if_text(value: object) -> object:
    return printable(value) if isinstance(value, str) else value


def _inside_the_run(path: str) -> str:
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or "\\" in path:
        raise ValueError(f"{path!r} is not a path inside the run's folder")
    return path


Hex = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2})*$")]
RelativePath = Annotated[str, AfterValidator(_inside_the_run)]
PrintableText = Annotated[str, BeforeValidator(_printable_if_text)]
Seconds = Annotated[float, Field(ge=0)]


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CarrierName(StrEnum):
    """What an IP packet carries, as `peers.reference.events.Carrier` names it."""

    UDP = "UDP"
    TCP = "TCP"
    ESP = "ESP"
    ICMP = "ICMP"
    ICMPV6 = "ICMPV6"


class Direction(StrEnum):
    """Who sent a packet, seen from the reference peer."""

    SENT = "sent"
    RECEIVED = "received"


class Step(_Value):
    """A packet on the ladder.

    ``offset`` is in milliseconds after the test's start. ``decode`` and ``octets`` (what follows
    the UDP or IP header) may be empty where a test plainly conforms. ``problem`` says why a packet
    was not decoded; ``fault`` names the deliberate error in a packet of ours.
    """

    kind: Literal["packet"] = "packet"
    offset: float
    direction: Direction
    carrier: CarrierName
    source: PrintableText
    destination: PrintableText
    size: Annotated[int, Field(ge=0)]
    summary: PrintableText
    decode: PrintableText = ""
    octets: Hex = ""
    problem: PrintableText = ""
    fault: PrintableText = ""


class Note(_Value):
    """A sentence between two packets of the ladder: what was done, what is judged next."""

    kind: Literal["note"] = "note"
    offset: float
    text: PrintableText


LadderEntry = Annotated[Step | Note, Field(discriminator="kind")]


class FileKind(StrEnum):
    """What a file of the evidence holds."""

    MESSAGES = "messages"
    CAPTURE = "capture"
    IKE_KEYS = "IKE keys"
    ESP_KEYS = "ESP keys"
    CONFIGURATION = "configuration"
    LOG = "target log"
    README = "how to open"


class EvidenceFile(_Value):
    """A file of the evidence; the path is relative to the run's folder, with slashes."""

    kind: FileKind
    path: RelativePath


class KnownDeviation(_Value):
    """The line of a target's deviations file that accounts for a verdict."""

    reason: PrintableText
    link: PrintableText


class StaleDeviation(_Value):
    """A line of a deviations file that this run contradicts; it fails the run."""

    target: PrintableText
    requirement: PrintableText
    test: PrintableText = ""
    reason: PrintableText
    link: PrintableText
    problem: PrintableText


class Target(_Value):
    """A target as it was in this run. ``kernel`` names who does its ESP."""

    name: PrintableText
    spec: PrintableText
    version: PrintableText
    kernel: PrintableText
    image: PrintableText = ""
    notes: tuple[PrintableText, ...] = ()


class Tried(_Value):
    """What a test of the matrix tries: a subject (encryption, PRF), and one algorithm of it."""

    subject: PrintableText
    algorithm: PrintableText


class TestResult(_Value):
    """What one test said about one target.

    ``id`` is the pytest node id without the target's parameter, stable between targets and runs;
    ``node_id`` is pytest's own. ``target`` is a target's ``name``. ``expected`` is the test's
    docstring, with its ladder. ``role`` is the role of the reference peer. ``twin_of`` is the id of
    the refusal that this test is the accepted twin of. ``faults`` names the planted faults that
    turn the test red. ``tried`` is the place in the matrix. ``duration`` is in seconds.
    """

    __test__ = False

    id: PrintableText
    node_id: PrintableText
    target: PrintableText
    title: PrintableText
    expected: PrintableText = ""
    requirements: tuple[str, ...] = ()
    verdict: Verdict
    reason: PrintableText = ""
    known: KnownDeviation | None = None
    started: AwareDatetime
    duration: Seconds
    role: Literal["initiator", "responder"]
    twin_of: PrintableText = ""
    faults: tuple[PrintableText, ...] = ()
    tried: Tried | None = None
    ladder: tuple[LadderEntry, ...] = ()
    files: tuple[EvidenceFile, ...] = ()

    @property
    def plain(self) -> bool:
        """Say whether nothing of this result needs a reader's attention."""
        return self.verdict in (Verdict.CONFORMS, Verdict.UNSUPPORTED, Verdict.ADMINISTRATIVE)

    def outcome(self, *, strict: bool = False) -> Outcome:
        """Map to pytest's outcome; a known deviation is skipped, as an expected failure is."""
        return Outcome.SKIPPED if self.known else self.verdict.outcome(strict=strict)


class Run(_Value):
    """One run: targets, the requirements that its tests judged, and every result.

    ``command`` is what was typed; ``host`` are facts of the machine, name to value. ``strict``
    means that a SHOULD that is not followed fails the run.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    id: PrintableText
    started: AwareDatetime
    finished: AwareDatetime
    command: PrintableText
    version: PrintableText
    seed: int
    strict: bool = False
    host: dict[PrintableText, PrintableText] = Field(default_factory=dict)
    targets: tuple[Target, ...]
    requirements: tuple[Requirement, ...] = ()
    results: tuple[TestResult, ...] = ()
    stale_deviations: tuple[StaleDeviation, ...] = ()

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        targets = {target.name for target in self.targets}
        requirements = {requirement.id for requirement in self.requirements}
        seen: set[tuple[str, str]] = set()
        for result in self.results:
            if result.target not in targets:
                raise ValueError(f"{result.id}: unknown target {result.target!r}")
            if missing := set(result.requirements) - requirements:
                raise ValueError(f"{result.id}: unknown requirements {sorted(missing)}")
            if (result.target, result.id) in seen:
                raise ValueError(f"{result.id}: two results for target {result.target!r}")
            seen.add((result.target, result.id))
        return self

    @property
    def duration(self) -> float:
        """Give the run's length in seconds."""
        return (self.finished - self.started).total_seconds()

    @property
    def failed(self) -> bool:
        """Say whether this run must end with a failure."""
        bad = (Outcome.FAILED, Outcome.ERROR)
        return bool(self.stale_deviations) or any(
            result.outcome(strict=self.strict) in bad for result in self.results
        )

    def of_target(self, name: str) -> tuple[TestResult, ...]:
        """Give the results of one target, in the order of the run."""
        return tuple(result for result in self.results if result.target == name)

    def totals(self, target: str | None = None) -> Counter[Verdict]:
        """Count verdicts, of one target or of the whole run."""
        return Counter(result.verdict for result in self.results if target in (None, result.target))

    def replay(self, result: TestResult) -> str:
        """Give the one-line command that runs one test against one target again."""
        spec = next(target.spec for target in self.targets if target.name == result.target)
        words = ["pytest", "--target", spec, "--seed", str(self.seed), result.node_id]
        return shlex.join(words)

    def dump(self, path: Path) -> None:
        """Write the run as JSON; the file appears whole or not at all."""
        temporary = path.with_name(path.name + ".part")
        temporary.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")
        os.replace(temporary, path)

    @classmethod
    def load(cls, path: Path) -> Run:
        """Read a run; raise ScriptError in one line where it is none, or of another version."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ScriptError(f"{path}: no results of a run: {error}") from error
        version = data.get("schema_version") if isinstance(data, dict) else None
        if version != SCHEMA_VERSION:
            raise ScriptError(f"{path}: schema version {version}, this is {SCHEMA_VERSION}")
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise ScriptError(f"{path}: {place}: {first['msg']}") from error


def schema() -> dict[str, Any]:
    """Give the JSON Schema of a run as it is written, as ``results.schema.json`` keeps it."""
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return draft | Run.model_json_schema(mode="serialization")


def schema_text() -> str:
    """Give the text of ``results.schema.json``."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write ``results.schema.json`` anew: ``python -m reports.model``."""
    SCHEMA_PATH.write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
