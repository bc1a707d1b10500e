"""Fuzz for a bounded time, from our own messages on: ``make fuzz SECONDS=60``.

What a harness does not survive is printed with its octets in hexadecimal, and the exit code is 1.
``--replay HARNESS HEX`` runs one input again, without a fuzzer. Corpora live in a temporary folder.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from suites.fuzz.harnesses import HARNESSES, seeds

ROOT = Path(__file__).parent.parent.parent
SLOW = 10
"""Seconds for one input that count as a hang."""
LONGEST = 1024
"""Octets of the longest input that is tried."""
GRACE = 60
"""Seconds beyond its time after which a fuzzer itself hangs."""
_RUNS = re.compile(r"Done (\d+) runs")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one fuzzer ended: ``runs`` inputs were tried; ``crash`` is one that was not survived."""

    name: str
    runs: int
    crash: bytes | None
    output: str
    failed: bool


def fuzz(name: str, seconds: int, seed: int) -> Outcome:
    """Fuzz one harness in a process of its own."""
    with tempfile.TemporaryDirectory(prefix=f"ikeproof-fuzz-{name}-") as folder:
        corpus, artefacts = Path(folder) / "corpus", Path(folder) / "artefacts"
        corpus.mkdir()
        artefacts.mkdir()
        for number, octets in enumerate(seeds(name)):
            (corpus / f"seed-{number:04}").write_bytes(octets)
        options = [
            f"-max_total_time={seconds}",
            f"-seed={seed}",
            f"-timeout={SLOW}",
            f"-max_len={LONGEST}",
            f"-artifact_prefix={artefacts}/",
            str(corpus),
        ]
        done = subprocess.run(
            [sys.executable, "-m", "suites.fuzz.run", name, *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds + GRACE,
        )
        crashes = sorted(artefacts.iterdir())
        crash = crashes[0].read_bytes() if crashes else None
    runs = _RUNS.search(done.stdout)
    tried = int(runs[1]) if runs else 0
    return Outcome(name, tried, crash, done.stdout, bool(done.returncode))


def report(outcome: Outcome) -> str:
    """Say how a fuzzer ended; of a crash, its traceback and how to replay it."""
    if not outcome.failed:
        return f"{outcome.name}: {outcome.runs} inputs, nothing escaped"
    if outcome.crash is None:
        return f"{outcome.name}: the fuzzer ended with an error\n{outcome.output[-3000:]}"
    start = outcome.output.find("=== Uncaught Python exception")
    told = outcome.output[start:][:4000] if start >= 0 else outcome.output[-3000:]
    return (
        f"{outcome.name}: an input that is not survived\n{told}\n"
        f"replay: .venv/bin/python -m suites.fuzz --replay {outcome.name} {outcome.crash.hex()}\n"
        f"keep:   a line {outcome.name} = {outcome.crash.hex()!r} in "
        "suites/fuzz/regressions.toml makes it a self-test"
    )


def main() -> int:
    """Fuzz or replay; 1 when something escaped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for all harnesses together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replay", nargs=2, metavar=("HARNESS", "HEX"))
    parser.add_argument("harnesses", nargs="*", help=f"by default all of {', '.join(HARNESSES)}")
    arguments = parser.parse_args()
    if arguments.replay:
        name, octets = arguments.replay
        HARNESSES[name](bytes.fromhex(octets))
        print("survived")  # noqa: T201
        return 0
    names = arguments.harnesses or list(HARNESSES)
    share = max(1, arguments.seconds // len(names))
    failed = False
    for name in names:
        outcome = fuzz(name, share, arguments.seed)
        print(report(outcome), flush=True)  # noqa: T201
        failed = failed or outcome.failed
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
