"""Judge the reference peer by published vectors: ``python -m vectors [--json FILE]``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from vectors.judge import Verdict, verdicts

WITHOUT: Sequence[tuple[str, str]] = (
    ("RFC 2409", "its primes of groups 1 and 2 are taken from RFC 5996"),
    ("RFC 4106, 4309, 4543", "no vectors; the documents of GCM, CCM and GMAC have them"),
    ("RFC 4196", "SEED is no algorithm of the peer"),
    ("RFC 5282, 5930, 7296, 7383", "no vectors"),
    ("RFC 6989", "rules, no values: public-values.json is made from them"),
    ("RFC 8420", "no vectors of its own; RFC 8032 has them"),
    ("RFC 8784, 9242, 9370", "no vectors"),
)
"""RFCs that an IKE or ESP implementer looks at, and why no value of theirs is here."""


_SHOWN = 5


def table(found: Sequence[Verdict]) -> Table:
    """Draw the verdicts, one subject a line."""
    drawn = Table("subject", "source", title="Vectors through the reference peer")
    for result in ("valid", "invalid", "acceptable"):
        drawn.add_column(result, justify="right")
    drawn.add_column("verdict")
    for verdict in found:
        counts = (str(number) for number in verdict.counts.values())
        drawn.add_row(verdict.subject, verdict.source, *counts, verdict.text)
    total = [str(sum(column)) for column in zip(*(v.counts.values() for v in found), strict=True)]
    drawn.add_section()
    wrong = sum(len(verdict.disagreements) for verdict in found)
    missing = sum(len(verdict.missing) for verdict in found)
    drawn.add_row("all", "", *total, f"{wrong} disagree, {missing} missing")
    return drawn


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; the exit status is 1 when the peer and a vector disagree."""
    parser = argparse.ArgumentParser(prog="python -m vectors", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the verdicts there too")
    options = parser.parse_args(arguments)
    found = list(verdicts())
    console = Console()
    console.print(table(found))
    for verdict in found:
        for line in [*verdict.disagreements[:_SHOWN], *verdict.missing[:1]]:
            console.print(f"{verdict.source}: {line}", markup=False, highlight=False)
    for document, reason in WITHOUT:
        console.print(f"none of {document}: {reason}", markup=False, highlight=False)
    if options.json:
        content = [{**asdict(verdict), "verdict": verdict.text} for verdict in found]
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 1 if any(verdict.disagreements for verdict in found) else 0


if __name__ == "__main__":
    sys.exit(main())
