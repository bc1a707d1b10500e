"""The ledger: a good row loads, and every way of spoiling one is told with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.ledger import Judged, Level, Role, load_ledger
from reports.tables import TableError

ROW = """
[[requirement]]
id = "rfc7296-2.5-unknown-critical-rejected"
rfc = 7296
section = "2.5"
level = "MUST"
role = "either"
statement = "A message with an unknown payload whose critical bit is set is rejected whole."
judged = "wire"
"""


def load(folder: Path, text: str, name: str = "rfc7296.toml"):
    (folder / name).write_text(text, encoding="utf-8")
    return load_ledger(folder)


def problems_of(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(TableError) as caught:
        load(folder, text)
    return tuple(problem.removeprefix(f"{folder}/") for problem in caught.value.problems)


def test_a_row_loads(tmp_path):
    row = load(tmp_path, ROW)["rfc7296-2.5-unknown-critical-rejected"]

    assert (row.level, row.role, row.judged) == (Level.MUST, Role.EITHER, Judged.WIRE)
    assert row.reference == "RFC 7296, 2.5"
    assert row.link == "https://www.rfc-editor.org/rfc/rfc7296#section-2.5"


SPOILT = [
    ("MUST", "MUSTY", "rfc7296.toml:6", "level"),
    ('"either"', '"both"', "rfc7296.toml:7", "role"),
    ('"wire"', '"guess"', "rfc7296.toml:9", "judged"),
    ("judged", "jugded", "rfc7296.toml:9", "jugded: Extra inputs"),
    ("rfc = 7296", "rfc = 4303", "rfc7296.toml:2", "does not name RFC 4303, section 2.5"),
    ('section = "2.5"', 'section = "2.6"', "rfc7296.toml:2", "does not name RFC 7296, section 2.6"),
    ('section = "2.5"', "section = 2.5", "rfc7296.toml:5", "section: Input should be a valid st"),
    ("-unknown-critical-rejected", "", "rfc7296.toml:2", "is not of the form"),
    ("[[requirement]]", "[[requirment]]", "rfc7296.toml", "unknown table or key 'requirment'"),
    ('statement = "A', 'statement = "', "rfc7296.toml:8", None),
    ('role = "either"', "role = either", "rfc7296.toml:7:8", "no valid TOML"),
]


@pytest.mark.parametrize(("old", "new", "place", "said"), SPOILT)
def test_a_spoilt_row_is_told_with_its_place(tmp_path, old, new, place, said):
    text = ROW.replace(old, new)
    if said is None:
        text, said = ROW.replace(ROW.split('statement = "')[1].split('"')[0], " "), "statement"

    told = problems_of(tmp_path, text)

    assert any(problem.startswith(f"{place}:") and said in problem for problem in told), told


def test_the_row_of_a_problem_is_named(tmp_path):
    second = ROW.replace("critical", "noncritical").replace('"MUST"', '"OUGHT"')

    (told,) = problems_of(tmp_path, ROW + second)

    assert "row 2 (rfc7296-2.5-unknown-noncritical-rejected): level" in told
    assert told.startswith("rfc7296.toml:15:")


def test_the_same_id_in_two_files_is_an_error(tmp_path):
    load(tmp_path, ROW, "one.toml")
    with pytest.raises(TableError, match=r"two\.toml:2: id .* stands already in .*one\.toml:2"):
        load(tmp_path, ROW, "two.toml")


def test_rows_are_sorted_as_the_table_of_contents(tmp_path):
    rows = [ROW.replace("2.5", section) for section in ("2.10", "A", "2.9", "2.5.1")]

    loaded = load(tmp_path, "".join(rows))

    assert [row.section for row in loaded.values()] == ["2.5.1", "2.9", "2.10", "A"]


def test_prose_of_several_lines_becomes_one(tmp_path):
    note = 'note = """\n  Read   so,\n  and judged so."""\n'

    (row,) = load(tmp_path, ROW + note).values()

    assert row.note == "Read so, and judged so."


def test_the_projects_own_ledger_loads():
    assert load_ledger(Path(__file__).parents[1] / "requirements")
