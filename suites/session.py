"""One pytest session: its settings, its targets, its results."""

from __future__ import annotations

import argparse
import os
import platform
import random
import shlex
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from peers.lab.errors import SetupError
from peers.lab.lab import KERNELS
from peers.reference.planted import CATALOGUE
from peers.reference.sa import Random
from peers.stations import EMBEDDED, Station, Stations, check_spec
from reports.deviations import load_deviations
from reports.evidence import Record
from reports.ledger import load_ledger
from reports.model import Target, TestResult, Tried
from reports.recorder import Case, Occasion, Recorder, deviations_file
from reports.tables import TableError
from reports.terminal import LiveProgress, print_summary
from reports.verdicts import Verdict
from suites.shards import Shard, ToldProgress

ROOT = Path(__file__).parent.parent
LEDGER = Path(__file__).parent / "requirements"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line asked for; SetupError where it asks for what there is not."""

    specs: tuple[str, ...]
    kernel: str
    subnet: str | None
    folder: Path
    all_evidence: bool
    strict: bool
    strict_silence: float
    only_named_faults: bool
    shard: Shard | None
    seed: int
    command: str

    @classmethod
    def of(cls, option: argparse.Namespace, arguments: Sequence[str]) -> Settings:
        """Read pytest's options."""
        specs = tuple(dict.fromkeys(option.target)) or (EMBEDDED,)
        if option.mutants not in (None, "named", "all"):
            raise SetupError(f"unknown --mutants {option.mutants!r}: give named or all")
        if option.mutants:
            specs = (EMBEDDED, *(f"{EMBEDDED}!{fault}" for fault in CATALOGUE))
        for spec in specs:
            check_spec(spec)
        if option.evidence not in ("failed", "all"):
            raise SetupError(f"unknown --evidence {option.evidence!r}: give failed or all")
        if option.kernel not in KERNELS:
            raise SetupError(
                f"unknown --kernel {option.kernel!r}: give one of {', '.join(KERNELS)}"
            )
        # Runs that start within the same second are told apart by their process.
        stamp = f"{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}"
        return cls(
            specs,
            option.kernel,
            option.subnet,
            option.out or ROOT / "reports" / "out" / stamp,
            option.evidence == "all",
            option.strict_should,
            option.strict_silence,
            option.mutants == "named",
            Shard.parse(option.shard) if option.shard else None,
            random.SystemRandom().getrandbits(32) if option.seed is None else option.seed,
            shlex.join(["pytest", *map(str, arguments)]),
        )


class Session:
    """Gives tests their stations, and takes their results.

    ``records`` are what was said and heard with each target so far, a record for each test.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        try:
            self.ledger = load_ledger(LEDGER)
            for spec in settings.specs:
                load_deviations(deviations_file(spec), self.ledger)
        except TableError as error:
            raise SetupError(str(error)) from error
        self.is_open = False
        self.records: dict[str, list[Record]] = {}
        self._recorder: Recorder | None = None
        self._stations: Stations | None = None
        self._progress: LiveProgress | ToldProgress | None = None
        self._capture: Path | None = None

    @property
    def specs(self) -> tuple[str, ...]:
        """The targets, as they were asked for."""
        return self.settings.specs

    def specs_for(self, faults: Sequence[str]) -> list[str]:
        """Give the targets that a test runs against which names these faults."""
        if not self.settings.only_named_faults:
            return list(self.specs)
        return [EMBEDDED, *(f"{EMBEDDED}!{fault}" for fault in faults)]

    @contextmanager
    def open(self, total: int) -> Iterator[None]:
        """Hold targets and record open around ``total`` tests."""
        settings = self.settings
        try:
            settings.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SetupError(f"{settings.folder}: the report cannot be written: {error.strerror}; "
                             "give another folder with --out") from error  # fmt: skip
        self._recorder = Recorder(
            occasion_of(settings), settings.folder, self.ledger, all_evidence=settings.all_evidence
        )
        stations = Stations(
            settings.specs,
            version=ikeproof_version(),
            kernel=settings.kernel,
            subnet=settings.subnet,
            output=settings.folder,
            peers=total,
            start=time.time(),
            say=lambda line: print(f"ikeproof: {line}", flush=True),  # noqa: T201
        )
        with stations, self._while_open():
            self._stations = stations
            for spec in settings.specs:
                self._recorder.targets[spec] = _described(stations, spec)
            self._capture = stations.lab.capture if stations.lab else None
            with ToldProgress(total) if settings.shard else LiveProgress(total) as self._progress:
                yield

    @contextmanager
    def _while_open(self) -> Iterator[None]:
        self.is_open = True
        try:
            yield
        finally:
            self.is_open = False

    def station(self, spec: str, random: Random) -> Station:
        """Give a test its station."""
        assert self._stations is not None
        return self._stations.station(spec, random)

    def case(self, item: pytest.Item, spec: str, stable_id: str) -> Case:
        """Describe a test about to run; ScriptError when it names an unknown requirement."""
        document = (getattr(item, "obj", None).__doc__ or "").rstrip()
        ids = marked(item, "requirement")
        unknown = [each for each in ids if each not in self.ledger]
        if unknown:
            pytest.exit(f"{item.nodeid}: no requirement {unknown[0]!r} in the ledger", returncode=2)
        callspec = item.callspec.id.replace(spec, "").strip("-")  # type: ignore[attr-defined]
        name = item.originalname.removeprefix("test_").replace("_", " ")  # type: ignore[attr-defined]
        subject, algorithm = marked(item, "tries") or ("", "")
        return Case(
            id=stable_id,
            node_id=item.nodeid,
            target=spec,
            title=f"{name} [{callspec}]" if callspec else name,
            expected=document,
            requirements=tuple(self.ledger[each] for each in ids),
            role="responder" if item.get_closest_marker("as_responder") else "initiator",
            twin_of="".join(marked(item, "twin_of")),
            faults=marked(item, "turned_red_by"),
            tried=Tried(subject=subject, algorithm=algorithm or callspec) if subject else None,
        )

    def starts(self, case: Case) -> None:
        """Show that a test starts."""
        assert self._progress is not None
        self._progress.starts(case.target, case.title)

    def ends(
        self, case: Case, verdict: Verdict, reason: str, started: float, duration: float
    ) -> TestResult:
        """Take up a test's result and show it."""
        assert self._recorder is not None
        assert self._progress is not None
        result = self._recorder.add(case, verdict, reason, started, duration)
        self._progress.ends(result)
        return result

    def finish(self) -> int:
        """Write the reports of whatever was judged; give the number of stale deviations.

        Of a part of a run that is left to who puts the parts together.
        """
        if self._recorder is None or not self._recorder.targets:
            return 0
        try:
            run = self._recorder.finish(self._capture)
        except OSError as error:
            judged = len(self._recorder.results)
            raise SetupError(
                f"{self.settings.folder}: the report on {judged} results cannot be written: "
                f"{error.strerror}; mend that, or give another folder with --out"
            ) from error
        if self.settings.shard:
            return 0
        print_summary(run)
        print(f"\nreport: {self.settings.folder / 'index.html'}")  # noqa: T201
        return len(run.stale_deviations)


def marked(item: pytest.Item, name: str) -> tuple[str, ...]:
    """Give the arguments of a test's marks of that name, outermost mark last."""
    marks = reversed(list(item.iter_markers(name)))
    return tuple(dict.fromkeys(each for mark in marks for each in mark.args))


def _described(stations: Stations, spec: str) -> Target:
    info = stations.info(spec)
    return Target(
        name=spec,
        spec=spec,
        version=info.version,
        kernel=info.kernel,
        image=info.image,
        notes=info.notes,
    )


def ikeproof_version() -> str:
    """Give ikeproof's own version, from its project file when it is not installed."""
    try:
        return version("ikeproof")
    except PackageNotFoundError:
        import tomllib

        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        return str(project["version"])


def occasion_of(settings: Settings) -> Occasion:
    """Say what is known of a run when it starts."""
    host = {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "processors": str(os.cpu_count()),
    }
    return Occasion(
        settings.folder.name,
        datetime.now(UTC),
        settings.command,
        ikeproof_version(),
        settings.seed,
        settings.strict,
        host,
    )
