"""The paragraphs that a reviewer compares a row with: cut out of a text with pages."""

import gzip

import pytest

from reports.ledger import Requirement
from suites.paragraphs import NoText, paragraphs, read, section

TEXT = """\
Table of Contents

   1. Introduction ..............................................3
   1.1. Details ................................................4

1.  Introduction

   A peer MUST ignore octets that it does not know, and it
   goes on as if

Kaufman                     Standards Track                     [Page 3]
\f
RFC 9999                       Example                     October 2014

   there was nothing.

   A peer SHOULD write a line about that to its log.

   Cookies MUST NOT be eaten.

1.1.  Details

   There are none.
"""


@pytest.fixture
def text(tmp_path):
    (tmp_path / "rfc9999.txt").write_text(TEXT)
    return read(tmp_path, 9999)


def _row(level, statement, number="1"):
    return Requirement(
        id=f"rfc9999-{number}-something",
        rfc=9999,
        section=number,
        level=level,
        role="either",
        statement=statement,
        judged="fault",
    )


def test_a_paragraph_goes_on_over_the_end_of_a_page(text):
    first, second, _ = section(text, "1")

    assert first.splitlines()[-1] == "there was nothing."
    assert second.startswith("A peer SHOULD")


def test_a_section_ends_where_its_subsection_begins(text):
    assert section(text, "1.1") == ["There are none."]


def test_the_paragraph_with_the_word_of_the_row_is_given(text):
    [must] = paragraphs(text, _row("MUST", "Unknown octets are ignored."), most=1)
    [must_not] = paragraphs(text, _row("MUST NOT", "Unknown octets are ignored."))

    assert must.startswith("A peer MUST")
    assert must_not == "Cookies MUST NOT be eaten."


def test_without_such_a_word_the_section_is_searched(text):
    [found] = paragraphs(text, _row("FMT", "There are no details, none.", "1.1"))

    assert found == "There are none."


def test_packed_texts_are_read_and_missing_ones_are_named(tmp_path):
    (tmp_path / "rfc9998.txt.gz").write_bytes(gzip.compress(TEXT.encode()))

    assert section(read(tmp_path, 9998), "1.1") == ["There are none."]
    with pytest.raises(NoText, match="make rfc-texts"):
        read(tmp_path, 9997)
    with pytest.raises(NoText, match="no section 7"):
        section(TEXT, "7")
