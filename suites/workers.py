"""Judges targets by several workers side by side: each a pytest with a lab of its own.

Nearly all of a run's time is waiting, for daemons that do not answer. Each worker judges a shard of
the tests of one target; what they judged makes one run, with one report.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import pytest

from peers.lab import ownership
from peers.lab.capture import FILE as CAPTURE
from peers.lab.engine import connect
from peers.lab.lab import Spec, ensure_images
from peers.reference.errors import ScriptError
from peers.stations import embedded_name
from reports.ledger import load_ledger
from reports.merge import Part, merge
from reports.model import Run
from reports.terminal import LiveProgress, print_summary
from suites.session import LEDGER, ROOT, Settings, occasion_of
from suites.shards import Shard, read_told

TESTS_PER_WORKER = 150
"""Fewer are judged sooner by one worker than a second lab comes up."""

PATIENCE = 60.0
"""Seconds that an interrupted worker has to take its lab down and to write its report."""


@dataclass(slots=True)
class Worker:
    """A pytest that judges a shard of one target's tests; ``said`` is what else it printed."""

    target: str
    shard: Shard
    folder: Path
    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What its files are called by."""
        return f"{self.target}-{self.shard.index}"

    def part(self) -> Part | None:
        """Give what it judged, if it came so far; an error of the user's is told by the worker."""
        try:
            return Part(Run.load(self.folder / "results.json"), self.folder)
        except ScriptError:
            return None


def judge(settings: Settings, workers: int, words: Sequence[str]) -> int:
    """Judge the targets of ``settings`` by so many workers each, at most; give pytest's exit code.

    ``words`` are what each pytest is told besides its target, shard, folder and seed.
    """
    folder, occasion = settings.folder, occasion_of(settings)
    folder.mkdir(parents=True, exist_ok=True)
    with _collecting(settings.specs[0], words) as collecting:
        _prepare(settings)
        workers = min(workers, worth_having(_count(collecting)))
    with LiveProgress(0) as progress, _interruptible():
        started = [
            _start(settings, target, Shard(index, count), words)
            for target in settings.specs
            for count in [1 if embedded_name(target)[0] else workers]
            for index in range(1, count + 1)
        ]
        _follow(started, progress)
    found = {
        target: [part for each in started if each.target == target and (part := each.part())]
        for target in settings.specs
    }
    if not any(found.values()):
        _complain(started)
        return max(each.process.returncode for each in started)
    run = merge(found.values(), occasion, load_ledger(LEDGER), folder)
    _put_away(started, folder)
    print_summary(run)
    print(f"\nreport: {folder / 'index.html'}")  # noqa: T201
    return _exit_code(started, run)


def worth_having(tests: int) -> int:
    """Say how many workers of a target are worth their labs, for so many tests."""
    return max(1, -(-tests // TESTS_PER_WORKER))


def _collecting(target: str, words: Sequence[str]) -> subprocess.Popen[str]:
    """Have pytest list the tests of one target; what is wrong with the words, the workers say."""
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "--collect-only", *words, "--target", target],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _count(collecting: subprocess.Popen[str]) -> int:
    listed, _ = collecting.communicate()
    return sum("::" in line for line in listed.splitlines())


def _prepare(settings: Settings) -> None:
    """Have the images before all workers look for them at once."""
    daemons = [Spec.parse(each) for each in settings.specs if not embedded_name(each)[0]]
    if not daemons:
        return
    client = connect()
    try:
        ownership.clear_dead(client, _say)
        ensure_images(client, daemons, settings.folder, _say, settings.kernel)
    finally:
        client.close()


def _say(line: str) -> None:
    print(f"ikeproof: {line}", flush=True)  # noqa: T201


def _start(settings: Settings, target: str, shard: Shard, words: Sequence[str]) -> Worker:
    folder = settings.folder / "workers" / f"{target}-{shard.index}"
    own = ["--target", target, "--shard", f"{shard.index}/{shard.count}", "--out", str(folder)]
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", *words, *own, "--seed", str(settings.seed)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        # Ctrl-C is passed on, once.
        start_new_session=True,
    )
    return Worker(target, shard, folder, process)


def _follow(workers: Sequence[Worker], progress: LiveProgress) -> None:
    """Show what the workers tell, to their end; an interruption is passed on to them."""
    lock = threading.Lock()
    readers = [
        threading.Thread(target=_read, args=(each, progress, lock), daemon=True) for each in workers
    ]
    for reader in readers:
        reader.start()
    try:
        for each in workers:
            each.process.wait()
    except KeyboardInterrupt:
        for each in workers:
            each.process.send_signal(signal.SIGINT)
        for each in workers:
            each.process.wait(PATIENCE)
    finally:
        for each in workers:
            each.process.kill()
        for reader in readers:
            reader.join(PATIENCE)


def _read(worker: Worker, progress: LiveProgress, lock: threading.Lock) -> None:
    assert worker.process.stdout is not None
    for line in worker.process.stdout:
        told = read_told(line)
        with lock:
            if told is None:
                worker.said.append(line)
                if worker.shard.index == 1 and line.startswith("ikeproof: "):
                    progress.says(line.rstrip())
            elif told.kind == "total":
                progress.expects(told.total)
            elif told.kind == "starts":
                progress.starts(told.target, told.title)
            elif told.result is not None:
                progress.ends(told.result)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt(f"signal {number}")

    before = {each: signal.signal(each, interrupt) for each in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _complain(workers: Sequence[Worker]) -> None:
    """Tell what the workers said that judged nothing, each thing once."""
    for said in dict.fromkeys("".join(each.said).strip() for each in workers):
        print(said, file=sys.stderr)  # noqa: T201


def _put_away(workers: Sequence[Worker], folder: Path) -> None:
    """Keep the captures, and what a worker said that judged nothing; remove the parts."""
    for each in workers:
        if each.part() is None:
            (folder / f"worker-{each.name}.txt").write_text("".join(each.said), encoding="utf-8")
        if (each.folder / CAPTURE).exists():
            shutil.move(each.folder / CAPTURE, folder / f"run-{each.name}.pcap")
    shutil.rmtree(folder / "workers")


def _exit_code(workers: Sequence[Worker], run: Run) -> int:
    """Give pytest's exit code for the whole; a worker that could not end its part tells its own."""
    ended = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)
    cut = [each for each in workers if each.process.returncode not in ended]
    for each in cut:
        last = "".join(each.said[-5:]).strip()
        print(f"ikeproof: worker {each.name} did not end: {last}", file=sys.stderr)  # noqa: T201
    if cut:
        return max(each.process.returncode for each in cut)
    return int(run.failed)
