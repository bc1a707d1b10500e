"""The RFC's own paragraphs for a row of the ledger, from a local copy of the texts."""

from __future__ import annotations

import gzip
import re
import textwrap
from pathlib import Path

from reports.ledger import Level, Requirement

TEXTS = Path("/usr/share/doc/RFC/links")
"""Where Debian's doc-rfc packages put the texts: ``make rfc-texts`` installs them."""

_PAGE = re.compile(r"\n+[^\n]*\[Page \d+\]\n\f?\n*[^\n]*\n+")
_HEADING = re.compile(r"^(?:Appendix )?((?:\d+|[A-Z])(?:\.\d+)*)\.?\s+\S", re.MULTILINE)
_WORD = re.compile(r"[a-z_0-9]{4,}")


class NoText(Exception):
    """The text of an RFC, or the section of a row in it, is not there."""


def read(folder: Path, rfc: int) -> str:
    """Read rfcNNNN.txt or rfcNNNN.txt.gz of a folder, without what is only there for the page."""
    path = folder / f"rfc{rfc}.txt"
    packed = path.with_suffix(".txt.gz")
    if path.exists():
        text = path.read_text(encoding="utf-8", errors="replace")
    elif packed.exists():
        text = gzip.decompress(packed.read_bytes()).decode("utf-8", "replace")
    else:
        raise NoText(f"neither {path} nor {packed.name}: make rfc-texts, or --texts FOLDER")
    return _PAGE.sub(_join, text.replace("\r\n", "\n"))


def _join(page: re.Match[str]) -> str:
    """Join what a page break has cut in two: a paragraph ends with a stop or a colon."""
    before = page.string[: page.start()].rstrip()
    return "\n\n" if before.endswith((".", ":")) else "\n"


def section_numbers(text: str) -> list[str]:
    """List the numbers of a text's sections that have a body, each once, in their order."""
    found = dict.fromkeys(heading[1] for heading in _HEADING.finditer(text))
    return [number for number in found if number[0].isdigit()]


def section(text: str, number: str) -> list[str]:
    """Give the paragraphs of a section without its subsections; NoText when it is not there."""
    headings = list(_HEADING.finditer(text))
    for index, heading in enumerate(headings):
        if heading[1] == number:
            following = headings[index + 1 : index + 2]
            body = text[heading.end() : following[0].start() if following else len(text)]
            body = body.partition("\n")[2]
            parts = (textwrap.dedent(part).strip("\n") for part in re.split(r"\n\s*\n", body))
            return [part for part in parts if part.strip()]
    raise NoText(f"there is no section {number}")


def paragraphs(text: str, row: Requirement, most: int = 3) -> list[str]:
    """Give the paragraphs of a row's section that are most likely its source, in their order.

    Those count that hold the requirement word of the row's level, where it has one; of them, those
    that share most words with the statement.
    """
    found = section(text, row.section)
    word = re.compile(rf"\b{re.escape(row.level)}\b" if row.level in _WORDS else "")
    bound = [each for each in found if word.search(" ".join(each.split()))] or found
    wanted = set(_WORD.findall(row.statement.lower()))

    def shared(paragraph: str) -> int:
        return len(wanted & set(_WORD.findall(paragraph.lower())))

    best = sorted(bound, key=shared, reverse=True)[:most]
    return [each for each in found if each in best]


_WORDS = (Level.MUST, Level.MUST_NOT, Level.SHOULD, Level.SHOULD_NOT, Level.MAY)
