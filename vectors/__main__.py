"""Judge by published vectors: ``python -m vectors [--targets TARGETS] [--json FILE]``.

The reference peer is judged always, and the primitives of targets that bring a runner along.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from peers.lab.errors import SetupError
from vectors.judge import REFERENCE, Verdict, verdicts
from vectors.runners import libreswan, runners, specs
from vectors.runners.libreswan import Cavp

WITHOUT: Sequence[tuple[str, str]] = (
    ("RFC 2409", "its primes of groups 1 and 2 are taken from RFC 5996"),
    ("RFC 4106, 4543", "no vectors of their own; draft-mcgrew-gcm-test-01 has them"),
    ("RFC 4309", "no vectors; NIST has them of AES-CCM, ICVs of 8 and 12 octets second-hand"),
    ("RFC 4196", "SEED is no algorithm of the peer"),
    ("RFC 5282, 5930, 7296, 7383", "no vectors"),
    ("RFC 6989", "rules, no values: public-values.json is made from them"),
    ("RFC 8420", "no vectors of its own; RFC 8032 has them"),
    ("RFC 8784, 9242, 9370", "no vectors"),
)
"""RFCs that an IKE or ESP implementer looks at, and why no value of theirs is here."""


_SHOWN = 5


def table(found: Sequence[Verdict], through: str = REFERENCE) -> Table:
    """Draw the verdicts, one subject a line."""
    drawn = Table("subject", "source", title=f"Vectors through the {through}")
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
    left_out = sum(verdict.unasked for verdict in found)
    more = f", {left_out} left out" if left_out else ""
    drawn.add_row("all", "", *total, f"{wrong} disagree, {missing} missing{more}")
    return drawn


def through_runner(found: Sequence[Verdict], agreement: Verdict) -> Iterator[Table | str]:
    """Tell what a runner's verdicts are: a table, what it cannot be asked, where both agree."""
    judged = [verdict for verdict in found if sum(verdict.counts.values())]
    yield table(judged, agreement.through)
    for verdict in judged:
        for reason, count in verdict.left_out.items():
            yield f"left out of {verdict.subject} ({verdict.source}): {count}; it {reason}"
        for reason, count in verdict.deviating.items():
            yield f"known of {verdict.subject} ({verdict.source}): {count}; it {reason}"
    unasked: dict[str, list[str]] = {}
    for verdict in found:
        if verdict not in judged:
            for reason, count in verdict.left_out.items():
                unasked.setdefault(reason, []).append(
                    f"{verdict.subject} ({verdict.source}; {count})"
                )
    for reason, subjects in unasked.items():
        yield f"not through {agreement.through}, which {reason}: {'; '.join(subjects)}"
    count = sum(agreement.counts.values())
    yield (
        f"no vectors, two implementations: {agreement.subject} of the reference peer and of "
        f"{agreement.through}, {count} sets of inputs: {agreement.text}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; the exit status is 1 when the peer or a runner and a vector disagree.

    It is 2 for what the user can mend: an unknown target, or no Docker Engine.
    """
    parser = argparse.ArgumentParser(prog="python -m vectors", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the verdicts there too")
    parser.add_argument(
        "--targets", default="", help="through the runners of these too: libreswan@bookworm"
    )
    options = parser.parse_args(arguments)
    try:
        with runners(specs(options.targets.split()), _say) as several:
            found = _report(several)
    except SetupError as error:
        print(f"ikeproof: {error}", file=sys.stderr)  # noqa: T201
        return 2
    if options.json:
        content = [{**asdict(verdict), "verdict": verdict.text} for verdict in found]
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 1 if any(verdict.disagreements for verdict in found) else 0


def _report(several: Sequence[Cavp]) -> list[Verdict]:
    """Judge the reference peer, then each runner, and print what comes of it."""
    found = list(verdicts())
    console = Console()
    console.print(table(found))
    _print_wrong(console, found)
    for document, reason in WITHOUT:
        console.print(f"none of {document}: {reason}", markup=False, highlight=False)
    for runner in several:
        theirs, agreement = list(libreswan.verdicts(runner)), libreswan.agreement_of(runner)
        for part in through_runner(theirs, agreement):
            console.print(part, markup=False, highlight=False)
        _print_wrong(console, [*theirs, agreement])
        found += [*theirs, agreement]
    return found


def _print_wrong(console: Console, found: Sequence[Verdict]) -> None:
    for verdict in found:
        for line in [*verdict.disagreements[:_SHOWN], *verdict.missing[:1]]:
            console.print(f"{verdict.source}: {line}", markup=False, highlight=False)


def _say(line: str) -> None:
    print(f"ikeproof: {line}", flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
