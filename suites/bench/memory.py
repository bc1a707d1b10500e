"""Memory of an established SA: ``python -m suites.bench.memory`` prints octets of one side's.

It is what the process grew by (RSS) while endpoints in memory set 10,000 of them up, so what
OpenSSL holds counts too. It runs in a process of its own, so that nothing is left of others' work.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from suites.bench.measure import Row
from suites.selftest.wires import Wire

SAS = 10_000
A_PAIR = 100
"""SAs that one pair of endpoints holds."""
LIMIT = 4096.0
ROOT = Path(__file__).parent.parent.parent


def resident() -> int:
    """Give the octets of this process that are in memory."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def established(number: int) -> Wire:
    """Give two endpoints that hold so many IKE SAs, each with a Child SA."""
    wire = Wire()
    for _ in range(number):
        wire.establish()
        wire.sent.clear()
        for endpoint in wire.both:
            endpoint.log.clear()
    assert [len(endpoint.sessions) for endpoint in wire.both] == [number, number]
    return wire


def measure() -> float:
    """Give the octets of one SA: an IKE SA with its Child SA as one side holds them."""
    kept = [established(5)]
    gc.collect()
    before = resident()
    kept += [established(A_PAIR) for _ in range(SAS // A_PAIR // 2)]
    gc.collect()
    return (resident() - before) / SAS


def rows() -> Iterator[Row]:
    """Measure in a fresh process."""
    command = [sys.executable, "-m", "suites.bench.memory"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    yield Row(f"memory of one of {SAS:,} SAs (RSS)", "octets", float(done.stdout), limit=LIMIT)


if __name__ == "__main__":
    sys.stdout.write(f"{measure()}\n")
