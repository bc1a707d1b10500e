"""Extraction of vectors from RFC texts: what a text's values look like, and the committed files."""

import gzip

import pytest

from vectors.extract.__main__ import EXTRACTORS, PACKAGED, differing, main
from vectors.extract.text import NotFound, Text, octets, record, records, split

# Two pages with a footer and a header, a section within a section, and values in every shape.
TEXT = """\
1.  Introduction

   Key = no value of section 2

2.  Vectors

2.1.  First

   Key   = 0x0b0b0b0b
           0c0c         (6 bytes)
   Data  = "Hi There"

Somebody                     Informational                      [Page 1]
\f
RFC 1                           Vectors                        July 2026

   Data  = 'again'
   Key:
   000  01 02 03 04                                         ....
   004  05                                                  .

2.2.  Second

   Key   = 0xaa repeated 3 times

3.  End
"""


@pytest.fixture
def text():
    return Text(1, TEXT)


def test_section_has_its_subsections_and_ends_at_the_next(text):
    lines = [line.text for line in text.section("2")]

    assert lines[0] == "2.1.  First"
    assert lines[-1] == "Key   = 0xaa repeated 3 times"
    assert not any("Page" in line or "July" in line for line in lines)


def test_records_begin_at_their_first_label_and_know_their_page(text):
    first, second = records(text.section("2.1"), r"(Key|Data)\s*[=:]", "Key")

    assert (first.page, first.octets("Key")) == (1, bytes.fromhex("0b0b0b0b0c0c"))
    assert first.octets("Data") == b"Hi There"
    assert second.octets("Key") == bytes([1, 2, 3, 4, 5])


def test_record_takes_the_first_value_of_a_label(text):
    assert record(text.section("2"), r"(Key)\s*[=:]").hex("Key") == "0b0b0b0b0c0c"
    assert record(text.section("2.2"), r"(Key)\s*[=:]").octets("Key") == b"\xaa" * 3


def test_split_names_its_parts(text):
    assert [name for name, _ in split(text.section("2"), r"(2\.\d)\.")] == ["2.1", "2.2"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda text: text.section("4"),
        lambda text: records(text.section("2"), r"(Nonce) =", "Nonce"),
        lambda text: record(text.section("2"), r"(Nonce) ="),
        lambda text: record(text.section("2.2"), r"(Key)\s*=").octets("Nonce"),
        lambda text: split(text.section("2"), r"(Case \d)"),
        lambda text: octets("no octets"),
    ],
    ids=["section", "records", "record", "label", "part", "octets"],
)
def test_what_is_not_there_is_said(text, ask):
    with pytest.raises(NotFound):
        ask(text)


def test_packed_text_is_read(tmp_path):
    (tmp_path / "rfc1.txt.gz").write_bytes(gzip.compress(TEXT.encode()))

    assert Text.read(tmp_path, 1).lines == Text(1, TEXT).lines


def test_missing_texts_are_told_in_one_line(tmp_path, capsys):
    assert main(["--texts", str(tmp_path), "--check"]) == 2

    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.skipif(
    not all((PACKAGED / f"rfc{number}.txt.gz").exists() for number, _ in EXTRACTORS),
    reason="the RFC texts are not installed (make rfc-texts)",
)
def test_committed_files_are_what_the_texts_give():
    assert list(differing(PACKAGED)) == []
