"""What a run says on the terminal: its progress while it runs, and a summary at the end."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from reports.model import Run, TestResult
from reports.pages import SEVERITY
from reports.verdicts import Verdict

_STYLE = {
    Verdict.CONFORMS: "green",
    Verdict.DEVIATES: "bold red",
    Verdict.DIFFERS: "yellow",
    Verdict.UNSUPPORTED: "dim",
    Verdict.ADMINISTRATIVE: "blue",
    Verdict.INCONCLUSIVE: "bold magenta",
}
_LOUD = (Verdict.DEVIATES, Verdict.INCONCLUSIVE)
_PER_LINE = 60


class LiveProgress:
    """Tells each result as it comes: a bar on a terminal, else one character each and lines.

    A new deviation and an inconclusive test are told at once, with their reason. Use it as a
    context manager around the run; ``total`` counts the results to come.
    """

    def __init__(self, total: int, console: Console | None = None) -> None:
        self.console = console or Console()
        self._total = total
        self._done = 0
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._task = self._progress.add_task("starting", total=total)

    def __enter__(self) -> LiveProgress:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()
        if not self.console.is_terminal and self._done % _PER_LINE:
            self._count()

    def expects(self, more: int) -> None:
        """Count on more results than were known of."""
        self._total += more
        self._progress.update(self._task, total=self._total)

    def starts(self, target: str, title: str) -> None:
        """Say which test runs now."""
        self._progress.update(self._task, description=f"{target}: {title}"[:60])

    def says(self, line: str) -> None:
        """Print a line above the bar: a step of the set-up, a remark of the lab."""
        self.console.print(Text(line))

    def ends(self, result: TestResult) -> None:
        """Count a result, and tell it where it is a finding or the lab's trouble."""
        self._done += 1
        self._progress.advance(self._task)
        loud = result.verdict in _LOUD and result.known is None
        if self.console.is_terminal:
            if loud:
                self.console.print(_line(result))
            return
        if loud:
            if self._done % _PER_LINE != 1:
                self.console.print()
            self.console.print(_line(result), soft_wrap=True)
        else:
            self.console.print(Text(result.verdict.symbol), end="")
        if self._done % _PER_LINE == 0:
            self._count()

    def _count(self) -> None:
        self.console.print(f" {self._done}/{self._total}")


def print_summary(run: Run, console: Console | None = None) -> None:
    """Print targets by verdict counts, then what deviates, differs or is inconclusive, and why."""
    console = console or Console()
    console.print()
    console.print(_table(run))
    loud = [result for result in run.results if not result.plain]
    loud.sort(key=lambda result: (result.known is not None, SEVERITY.index(result.verdict)))
    for result in loud:
        console.print(_line(result), soft_wrap=True)
    for line in run.stale_deviations:
        text = Text("stale line ", "bold red").append(f"{line.target} {line.requirement}: ", "bold")
        console.print(text.append(f"{line.problem} ({line.reason})", ""), soft_wrap=True)


def _table(run: Run) -> Table:
    """Give verdicts by targets: so it fits 80 columns even with several targets."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column()
    for target in run.targets:
        table.add_column(Text(target.name), justify="right", overflow="fold")
    table.add_row("", *(Text(target.version, "dim") for target in run.targets))
    totals = [run.totals(target.name) for target in run.targets]
    for verdict in Verdict:
        cells = [_count(counts[verdict], _STYLE[verdict]) for counts in totals]
        table.add_row(Text(f"{verdict.symbol} {verdict.value}"), *cells)
    known = [
        sum(result.known is not None for result in run.of_target(target.name))
        for target in run.targets
    ]
    if any(known):
        table.add_row(Text("of these, known"), *(_count(number, "dim") for number in known))
    return table


def _count(number: int, style: str) -> Text:
    return Text(str(number), style if number else "dim")


def _line(result: TestResult) -> Text:
    line = Text(f"{result.verdict.symbol} {result.verdict.value} ", _STYLE[result.verdict])
    if result.known:
        line = Text(f"{result.verdict.symbol} {result.verdict.value}, known ", "dim")
    line.append(f"{result.target} ", "bold").append(result.title, "")
    if result.reason:
        line.append(f"\n    {result.reason}", "")
    if result.known:
        line.append(f"\n    {result.known.reason} {result.known.link}", "dim")
    return line
