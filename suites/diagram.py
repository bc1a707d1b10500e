"""Draw ``docs/states.svg`` from the tables of states: ``python -m suites.diagram``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from peers.reference.states import CHILD_SA, IKE_SA, ChildState, Row, State

PATH = Path(__file__).parent.parent / "docs" / "states.svg"

WIDTH, HEIGHT = 170, 44
"""Size of a box, in pixels."""

GAP_X, GAP_Y = 90, 36
MARGIN, TITLE = 24, 40
LINE = 18
"""Height of a line of the legend."""


@dataclass(frozen=True, slots=True)
class Box:
    """A state, at the place of its left upper corner."""

    name: str
    says: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Arrow:
    """The events that lead from one state to another, by their numbers in the legend."""

    path: str
    label: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Chart:
    """One table: boxes by their distance from the new state, arrows, and a legend."""

    title: str
    top: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    legend: tuple[str, ...]
    legend_top: int
    bottom: int


def distances(start: Enum, table: Mapping[Any, Row[Any]]) -> dict[Enum, int]:
    """Say by how many events at most each state is away from the first one."""
    found = {start: 0}
    steps = [pair for row in table.values() for pair in row.leads.items() if pair[0] is not pair[1]]
    for _ in type(start):
        for begin, end in steps:
            if begin in found:
                found[end] = max(found.get(end, 0), found[begin] + 1)
    return found


def chart(title: str, start: Enum, table: Mapping[Any, Row[Any]], top: int) -> Chart:
    """Lay one table out, from ``top`` pixels on."""
    columns: dict[int, list[Enum]] = {}
    for state, column in distances(start, table).items():
        columns.setdefault(column, []).append(state)
    corners = {
        # Columns stand a little lower in turn, so that an arrow past a box is seen.
        state: (
            MARGIN + column * (WIDTH + GAP_X),
            top + TITLE + row * (HEIGHT + GAP_Y) + column % 2 * GAP_Y,
        )
        for column, states in columns.items()
        for row, state in enumerate(states)
    }
    boxes = tuple(Box(s.name, s.value, *corner) for s, corner in corners.items())
    legend_top = top + TITLE + max(map(len, columns.values())) * (HEIGHT + GAP_Y) + GAP_Y + LINE
    legend = tuple(
        f"{number}  {event.name}: {event.value} ({row.because})"
        for number, (event, row) in enumerate(table.items(), 1)
    )
    bottom = legend_top + len(legend) * LINE
    return Chart(title, top, boxes, _arrows(table, corners), legend, legend_top, bottom)


def _arrows(
    table: Mapping[Any, Row[Any]], corners: Mapping[Enum, tuple[int, int]]
) -> tuple[Arrow, ...]:
    numbers: dict[tuple[Enum, Enum], list[int]] = {}
    for number, row in enumerate(table.values(), 1):
        for pair in row.leads.items():
            numbers.setdefault(pair, []).append(number)
    return tuple(
        _arrow(corners[begin], corners[end], ", ".join(map(str, events)))
        for (begin, end), events in numbers.items()
    )


def _arrow(begin: tuple[int, int], end: tuple[int, int], label: str) -> Arrow:
    if begin == end:
        x, y = begin[0] + WIDTH // 2, begin[1]
        return Arrow(f"M{x - 18},{y} C{x - 30},{y - 26} {x + 30},{y - 26} {x + 18},{y}",
                     label, x, y - 22)  # fmt: skip
    if begin[0] == end[0]:
        x = begin[0] + WIDTH // 2
        down = begin[1] < end[1]
        start, stop = (begin[1] + HEIGHT, end[1]) if down else (begin[1], end[1] + HEIGHT)
        return Arrow(f"M{x},{start} L{x},{stop}", label, x + 10, (start + stop) // 2 + 4)
    x1, y1 = begin[0] + WIDTH, begin[1] + HEIGHT // 2
    x2, y2 = end[0], end[1] + HEIGHT // 2
    reach = max((x2 - x1) // 2, 30)
    path = f"M{x1},{y1} C{x1 + reach},{y1} {x2 - reach},{y2} {x2},{y2}"
    return Arrow(path, label, (x1 + x2) // 2, (y1 + y2) // 2 - 5)


def draw() -> str:
    """Give the drawing of both tables."""
    ike = chart("An IKE SA", State.NEW, IKE_SA, 0)
    child = chart("A Child SA", ChildState.NEW, CHILD_SA, ike.bottom + MARGIN)
    charts = (ike, child)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    right = max(box.x for each in charts for box in each.boxes) + WIDTH + MARGIN
    return environment.get_template("states.svg.j2").render(
        charts=charts,
        width=right,
        height=child.bottom + MARGIN,
        box=(WIDTH, HEIGHT),
        line=LINE,
        margin=MARGIN,
    )


if __name__ == "__main__":
    PATH.write_text(draw())
