"""Measure the reference peer: ``make bench`` prints a table and writes it as JSON too."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from suites.bench import codec, esp, handshake, memory
from suites.bench.measure import Row

SUBJECTS = {"codec": codec, "handshake": handshake, "esp": esp, "memory": memory}


def table(rows: Sequence[Row]) -> Table:
    """Lay the rows out."""
    shown = Table("what", box=None, pad_edge=False)
    for name in ("ours", "unit", "against", "theirs", "ours / theirs", "goal", ""):
        shown.add_column(name, justify="left" if name in ("unit", "against", "") else "right")
    for row in rows:
        ratio = (
            ""
            if row.ratio is None
            else f"{row.ratio:.2f}"
            if row.ratio > 0.1
            else (f"1 / {1 / row.ratio:.0f}")
        )
        met = {None: "", True: "met", False: "[bold red]missed[/]"}[row.met]
        shown.add_row(
            row.subject,
            _number(row.ours),
            row.unit,
            row.versus,
            "" if row.theirs is None else _number(row.theirs),
            ratio,
            _goal(row),
            met,
        )
    return shown


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _goal(row: Row) -> str:
    if row.limit is None:
        return ""
    return f"ratio <= {row.limit:g}" if row.limits_ratio else f"<= {row.limit:g}"


def main() -> int:
    """Measure what is asked for; the exit code says nothing of the goals, for machines differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("subjects", nargs="*", help=f"of {', '.join(SUBJECTS)}; by default all")
    parser.add_argument("--json", type=Path, default=Path("reports/out/bench.json"))
    arguments = parser.parse_args()
    names = arguments.subjects or list(SUBJECTS)
    rows = [row for name in names for row in SUBJECTS[name].rows()]
    packages = {name: version(name) for name in ("cryptography", "scapy")}
    host = {"python": platform.python_version(), "machine": platform.machine(), **packages}
    Console(width=140 if not sys.stdout.isatty() else None).print(table(rows))
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"host": host, "rows": [row.plain() for row in rows]}, indent=2)
    arguments.json.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
