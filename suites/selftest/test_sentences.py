"""The maps of the RFCs' sentences to the rows of the ledger."""

import pytest

from reports.ledger import Level, load_ledger
from suites.paragraphs import TEXTS, NoText, read
from suites.sentences import (
    FOLDER,
    MAPPED,
    disagreements,
    map_of,
    read_map,
    sentences,
    split,
    summary,
    unknown_rows,
)
from suites.session import LEDGER

EACH_RFC = pytest.mark.parametrize("rfc", MAPPED)

WITHIN = range(1, 4)

TEXT = """
1.  First

   A node MUST do this (e.g., in Section 2.4.1) and SHOULD NOT
   do that.  It does something.  It MAY rest.

   o  an item that is REQUIRED
   o  an item that is not

1.1.  Second

   Here nothing is said.

2.  Third

   In the case of A. B. Smith a node MUST NOT act.

4.  Fourth

   This MUST be elsewhere.
"""


@pytest.mark.parametrize(
    ("paragraph", "parts"),
    [
        ("One. Two.", ["One.", "Two."]),
        ("One, e.g. Two. Three", ["One, e.g. Two.", "Three"]),
        ("See Section 2.4. (Or not.) So", ["See Section 2.4.", "(Or not.)", "So"]),
        ("Two things:\n\n   o  a thing\n   o  another", ["Two things:", "a thing", "another"]),
        ("a\n   line   break", ["a line break"]),
        ("", []),
    ],
)
def test_a_paragraph_is_split_into_sentences(paragraph, parts):
    assert split(paragraph) == parts


def test_sentences_with_requirement_words_are_found_by_section():
    found = [(each.section, each.number, each.words) for each, _ in sentences(TEXT, WITHIN)]

    assert found == [
        ("1", 1, ("MUST", "SHOULD NOT")),
        ("1", 2, ("MAY",)),
        ("1", 3, ("REQUIRED",)),
        ("2", 1, ("MUST NOT",)),
    ]


def test_a_digest_is_of_the_words_and_not_of_the_lines():
    other = TEXT.replace("SHOULD NOT\n   do", "SHOULD NOT do")
    changed = TEXT.replace("do this", "do these")

    assert sentences(other, WITHIN) == sentences(TEXT, WITHIN)
    assert sentences(changed, WITHIN)[0][0].digest != sentences(TEXT, WITHIN)[0][0].digest


def test_each_map_is_of_an_rfc_of_which_it_is_known_what_is_mapped():
    assert sorted(FOLDER.glob("*-sentences.csv")) == [map_of(rfc) for rfc in MAPPED]


@EACH_RFC
def test_every_row_that_a_map_names_is_in_the_ledger(rfc):
    assert unknown_rows(read_map(map_of(rfc)), load_ledger(LEDGER)) == []


@EACH_RFC
def test_a_map_stays_within_its_sections_and_names_no_sentence_twice(rfc):
    mapped = read_map(map_of(rfc))
    chapters = {int(each.sentence.section.partition(".")[0]) for each in mapped}

    assert chapters <= set(MAPPED[rfc])
    assert len({each.sentence for each in mapped}) == len(mapped)
    assert "sentences with a requirement word" in summary(rfc, mapped)


@EACH_RFC
def test_every_binding_row_of_what_is_mapped_is_named_by_a_map(rfc):
    """The other way round: a row with a requirement word has the sentence that it is taken from."""
    named = {row for each in read_map(map_of(rfc)) for row in each.rows}
    missing = [
        row.id
        for row in load_ledger(LEDGER).values()
        if row.rfc == rfc
        and row.level not in (Level.FORMAT, Level.IMPLEMENTATION)
        and row.section.partition(".")[0] in map(str, MAPPED[rfc])
        and row.id not in named
    ]

    assert missing == []


@pytest.mark.parametrize(("rows", "reason"), [("", ""), ("rfc7296-2-x", "and a reason")])
def test_a_line_has_rows_or_a_reason(tmp_path, rows, reason):
    path = tmp_path / "map.csv"
    path.write_text(f"section,number,words,digest,rows,reason\n2,1,MUST,0,{rows},{reason}\n")

    with pytest.raises(ValueError, match="needs rows, or a reason"):
        read_map(path)


def test_map_and_text_that_differ_are_told_apart(tmp_path):
    found = [each for each, _ in sentences(TEXT, WITHIN)]
    lines = [f"{s.section},{s.number},{'/'.join(s.words)},{s.digest},row,\n" for s in found[1:]]
    path = tmp_path / "map.csv"
    path.write_text("section,number,words,digest,rows,reason\n3,1,MAY,0,row,\n" + "".join(lines))

    assert disagreements(read_map(path), TEXT, WITHIN) == [
        "1, sentence 1 (MUST, SHOULD NOT): not in the map",
        "3, sentence 1 (MAY): not in the text",
    ]


@EACH_RFC
def test_a_map_is_of_the_sentences_of_its_rfc(rfc):
    try:
        text = read(TEXTS, rfc)
    except NoText:
        pytest.skip("make rfc-texts installs the text that the map is compared with")

    assert disagreements(read_map(map_of(rfc)), text, MAPPED[rfc]) == []
