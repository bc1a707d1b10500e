"""The files that Libreswan's ``cavp`` reads and prints, in the format of NIST's CAVS.

A file has sections of ``[name = value]`` and, after an empty line, paragraphs of ``name = value``.
``cavp`` prints each paragraph as it read it, with what it computed at the end, or the line FAIL for
what it refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

FAIL = "FAIL"
TAKEN = "taken, though invalid"
"""What is wrong with an answer to what had to be refused."""

Record = Mapping[str, str]
"""What a paragraph tells by name; a line without a value is there with an empty one."""


@dataclass(frozen=True, slots=True)
class Test:
    """A test of ``cavp``: its option, or a header line that it knows the test by, and a number.

    ``number`` names the value that is counted up, empty where the test has none.
    """

    name: str
    options: tuple[str, ...]
    header: str = ""
    number: str = ""


HMAC = Test("hmac", ("-hmac",), number="Count")
GCM = Test("gcm", ("-gcm",), number="Count")
SHA = Test("sha", ("-sha",))
SHA_CHAIN = Test("sha-chain", (), header='#  "SHA Monte"')
IKEV2 = Test("v2", ("-v2",), number="COUNT")


@dataclass(frozen=True, slots=True)
class Question:
    """A paragraph of a file.

    ``section`` has what stands in brackets, a name alone or with a number; ``judge`` takes the
    record that answers it and says what is wrong with that, nothing when all is right.
    """

    test: Test
    section: tuple[tuple[str, int | None], ...]
    values: tuple[tuple[str, str], ...]
    judge: Callable[[Record], str]


def write(questions: Sequence[Question]) -> bytes:
    """Write a file of the questions of one test, numbered in their order."""
    return "".join(f"{line}\n" for line in _lines(questions)).encode("ascii")


def _lines(questions: Sequence[Question]) -> Iterator[str]:
    test = questions[0].test
    if test.header:
        yield test.header
    count = 0
    for section, asked in groupby(questions, key=lambda question: question.section):
        for name, value in section:
            yield f"[{name}]" if value is None else f"[{name} = {value}]"
        yield ""
        for question in asked:
            if test.number:
                yield f"{test.number} = {count}"
            yield from (f"{name} = {value}" for name, value in question.values)
            yield ""
            count += 1


def read(output: bytes) -> list[Record]:
    """Read the paragraphs of an output that have values; sections and comments are left out."""
    found: list[Record] = []
    here: dict[str, str] = {}
    for line in [*output.decode("ascii", errors="replace").splitlines(), ""]:
        name, _, value = line.partition("=")
        if line and line[0] not in "[#":
            here[name.strip()] = value.strip()
        elif not line and here:
            found.append(here)
            here = {}
    return found


def read_chain(output: bytes) -> list[Record]:
    """Read the output of one chain of hashes as one record: the seed, and all digests joined."""
    records = read(output)
    if not records:
        return []
    return [{**records[0], "MD": "".join(record.get("MD", "") for record in records)}]


def answers(questions: Sequence[Question], output: bytes, why: str) -> list[str]:
    """Say of each question what is wrong with its answer, nothing when all is right.

    ``why`` is told where there is no answer. A paragraph that repeats other values than those
    asked for answers nothing.
    """
    test = questions[0].test
    records = read_chain(output) if test is SHA_CHAIN else read(output)
    found = []
    for count, question in enumerate(questions):
        asked = dict(question.values)
        if test.number:
            asked[test.number] = str(count)
        if count >= len(records):
            found.append(f"no answer: {why}")
        elif any(records[count].get(name) != value for name, value in asked.items()):
            found.append("the paragraph in the answer's place is another one's")
        else:
            found.append(question.judge(records[count]))
    if len(records) > len(questions):
        found[-1] = found[-1] or f"{len(records) - len(questions)} answers too many"
    return found


def gives(**expected: str) -> Callable[[Record], str]:
    """Judge an answer that has to hold those octets, as hexadecimal by name."""
    return holds(expected)


def holds(expected: Mapping[str, str]) -> Callable[[Record], str]:
    """Judge an answer that has to hold those octets, as hexadecimal by any names."""

    def judge(record: Record) -> str:
        if FAIL in record:
            return "refused"
        for name, value in expected.items():
            if name not in record:
                return f"{name} is not in the answer"
            if record[name] != value:
                return f"{name}: its {record[name]}, the vector's {value}"
        return ""

    return judge


def refuses(record: Record) -> str:
    """Judge an answer that has to be a refusal."""
    if FAIL in record:
        return ""
    return TAKEN if "PT" in record else "neither taken nor refused"
