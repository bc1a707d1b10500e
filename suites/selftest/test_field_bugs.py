"""Bugs from the field: the page that tells which fault stands for which."""

import re
from pathlib import Path

import pytest

from peers.reference.planted import CATALOGUE

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "field-bugs.md"
NUMBER = re.compile(r"\bF\d\d\b")


def _rows():
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [line.strip("| ").split(" | ") for line in lines if line.startswith("| F")]


ROWS = {cells[0]: cells for cells in _rows()}


def _faults(cells):
    return re.findall(r"`([^`]+)`", cells[3])


@pytest.fixture(scope="module")
def named():
    """The faults that tests name."""
    text = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("suites/rfc*/*.py"))
    return set(re.findall(r'"([a-z0-9-]+)"', text))


def test_every_bug_has_one_row():
    assert [cells[0] for cells in _rows()] == [f"F{number:02}" for number in range(1, 74)]


@pytest.mark.parametrize("bug", ROWS)
def test_a_bug_has_its_thread_and_faults_or_a_reason(bug, named):
    cells = ROWS[bug]
    assert len(cells) == 4
    assert re.fullmatch(r"\[[^]]+\]\(https://\S+\)", cells[1])
    faults = _faults(cells)
    assert bool(faults) != cells[3].startswith("open: "), "faults, or a reason"
    assert set(faults) <= set(CATALOGUE)
    assert set(faults) <= named, "no test names it"


@pytest.mark.parametrize("fault", CATALOGUE)
def test_a_fault_that_cites_a_bug_stands_in_its_row(fault):
    for bug in NUMBER.findall(CATALOGUE[fault].__doc__ or ""):
        assert fault in _faults(ROWS[bug])
