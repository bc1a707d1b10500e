"""``make decoders``: what a run heard and said, as our codec, scapy and tshark read it."""

from __future__ import annotations

import argparse
import sys
import tempfile
from itertools import chain
from pathlib import Path

from rich.console import Console
from rich.table import Table

from peers.reference.errors import Inconclusive, ScriptError
from reports.second_decoder import by_tshark
from reports.second_decoder.captured import batches
from reports.second_decoder.comparison import DECODERS, Comparison


def compare(folder: Path) -> Comparison:
    """Compare everything that a run's captures hold.

    ScriptError where the folder holds no run with captures; Inconclusive where tshark fails.
    """
    comparison = Comparison()
    for batch in batches(folder):
        with tempfile.TemporaryDirectory() as scratch:
            shown = by_tshark.read(*batch.write(Path(scratch)))
        comparison.add(batch, shown)
    return comparison


def show(comparison: Comparison, console: Console) -> None:
    """Print what agreed, what is known, and every other disagreement with both readings."""
    table = Table("exchange", box=None, pad_edge=False)
    of_each = [(f"{name}: agreed", "known", "unknown") for name in DECODERS]
    for heading in ("messages", "payloads", *chain.from_iterable(of_each)):
        table.add_column(heading, justify="right", no_wrap=True)
    for kind, row in sorted(comparison.rows.items()):
        cells = [row.messages, row.payloads]
        for decoder in DECODERS:
            tally = row.tallies[decoder]
            cells += [tally.agreed, tally.known.total(), len(tally.unknown)]
        table.add_row(kind, *map(str, cells))
    console.print(table)
    console.print("Agreed, known and unknown count fields.")
    for (decoder, reason), count in sorted(comparison.closed.items()):
        console.print(f"{decoder}: {count} read on the outside only: {reason}")
    console.print(f"{comparison.faulty} packets are malformed, or sealed wrongly, on purpose")
    for known, count in comparison.known.most_common():
        console.print(f"{known.decoder}: {count} fields: {known.reason}")
    for line in (*comparison.refused, *map(str, comparison.unknown)):
        console.print(line, soft_wrap=True, markup=False, highlight=False)


def main() -> int:
    """Compare a run; 1 when something disagrees for no known reason, 2 without a comparison."""
    parser = argparse.ArgumentParser(prog="make decoders", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="of a run, as in reports/out/<run>")
    folder = parser.parse_args().folder
    try:
        if folder is None:
            raise ScriptError("which run? Give FOLDER=reports/out/<run>")
        if not by_tshark.available():
            raise ScriptError("tshark is not installed: apt-get install tshark")
        comparison = compare(folder)
    except (ScriptError, Inconclusive) as error:
        print(f"ikeproof: {error}", file=sys.stderr)  # noqa: T201
        return 2
    show(comparison, Console(width=max(Console().width, 120)))
    return 1 if comparison.refused or any(comparison.unknown) else 0


if __name__ == "__main__":
    sys.exit(main())
