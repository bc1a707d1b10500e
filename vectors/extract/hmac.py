"""HMAC: RFC 2202, RFC 4231 and RFC 4868."""

from __future__ import annotations

import re
from collections.abc import Iterator

from peers.reference.numbers import Integ, Prf
from vectors.extract.files import Content, VectorFile, case
from vectors.extract.text import Record, Text, records, split

_SHA2 = {
    "256": (Prf.PRF_HMAC_SHA2_256, Integ.AUTH_HMAC_SHA2_256_128),
    "384": (Prf.PRF_HMAC_SHA2_384, Integ.AUTH_HMAC_SHA2_384_192),
    "512": (Prf.PRF_HMAC_SHA2_512, Integ.AUTH_HMAC_SHA2_512_256),
}


def rfc2202(text: Text) -> Iterator[VectorFile]:
    """HMAC-MD5 and HMAC-SHA-1 as PRFs; case 5 of each also with 96 bits, as integrity algorithm."""
    prfs: list[Content] = []
    integs: list[Content] = []
    label = r"(test_case|key|data|digest-96|digest)(?=[ =])\s*=?"
    for section, prf, integ, size in (
        ("2", Prf.PRF_HMAC_MD5, Integ.AUTH_HMAC_MD5_96, 16),
        ("3", Prf.PRF_HMAC_SHA1, Integ.AUTH_HMAC_SHA1_96, 20),
    ):
        # Section 3 prints the end of case 5, and cases 6 and 7, once more after case 7.
        for found in records(text.section(section), label, "test_case")[:7]:
            name = f"{'MD5' if size == 16 else 'SHA1'}-{found.number('test_case')}"
            values = {"key": found.hex("key"), "data": _joined(found, "data").hex()}
            output = found.hex("digest")
            prfs.append(
                case(name, section, found.page, {"prf": prf.value, **values, "output": output})
            )
            if found.number("test_case") == 5:
                numbers = {"integ": integ.value, "prf": prf.value}
                icv = found.hex("digest-96")
                integs.append(
                    case(
                        name,
                        section,
                        found.page,
                        {**numbers, **values, "output": output, "icv": icv},
                    )
                )
    yield VectorFile("rfc2202-prf", "HMAC-MD5 and HMAC-SHA-1 as PRFs", "prf", 2202, "2 and 3", prfs)
    yield VectorFile(
        "rfc2202-integrity",
        "HMAC-MD5 and HMAC-SHA-1 as integrity algorithms, truncated",
        "integrity",
        2202,
        "2 and 3",
        integs,
    )


def _joined(found: Record, label: str) -> bytes:
    """Read a value whose quotation may have been broken between two lines."""
    value = re.sub(r"\s+", " ", found.text(label)) if '"' in found.text(label) else None
    return value.strip('"').encode("ascii") if value else found.octets(label)


def rfc4231(text: Text) -> Iterator[VectorFile]:
    """HMAC-SHA-256, -384 and -512; case 5 gives only the first 128 bits of each."""
    cases = []
    label = r"(Key|Data|HMAC-SHA-\d{3})(?=[ =])\s*=?"
    for number in range(1, 8):
        section = f"4.{number + 1}"
        (found,) = records(text.section(section), label, "Key")
        for bits, (prf, _) in _SHA2.items():
            values = {
                "prf": prf.value,
                "key": found.hex("Key"),
                "data": found.hex("Data"),
                "output": found.hex(f"HMAC-SHA-{bits}"),
            }
            flags = ["TRUNCATED"] if number == 5 else []
            cases.append(case(f"{number}-SHA{bits}", section, found.page, values, flags=flags))
    yield VectorFile(
        "rfc4231-prf",
        "HMAC-SHA-2",
        "prf",
        4231,
        "4",
        cases,
        "HMAC-SHA-224 is no PRF of IKEv2; its seven values are left out.",
    )


def rfc4868(text: Text) -> Iterator[VectorFile]:
    """PRFs and, truncated, integrity algorithms; two slips of the text are mended."""
    label = r"(Key|Data|PRF-HMAC-SHA-\d{3}|HMAC-SHA-\d{3}-\d{3})(?=[ =])\s*=?"
    prfs = []
    for name, lines in split(text.section("2.7.1"), r"Test Case (PRF-\d):"):
        (found,) = records(lines, label, "Key")
        for bits, (prf, _) in _SHA2.items():
            values = {
                "prf": prf.value,
                "key": found.hex("Key"),
                "data": found.hex("Data"),
                "output": found.hex(f"PRF-HMAC-SHA-{bits}"),
            }
            prfs.append(case(f"{name}-{bits}", "2.7.1", found.page, values))
    yield VectorFile("rfc4868-prf", "PRF-HMAC-SHA2", "prf", 4868, "2.7.1", prfs)
    yield VectorFile(
        "rfc4868-integrity",
        "HMAC-SHA2 as integrity algorithm, truncated",
        "integrity",
        4868,
        "2.7.2",
        [
            _authenticator(bits, f"2.7.2.{number}", name, records(lines, label, "Key")[0])
            for number, bits in enumerate(_SHA2, start=1)
            for name, lines in split(text.section(f"2.7.2.{number}"), r"Test Case (AUTH\d{3}-\d):")
        ],
    )


def _authenticator(bits: str, section: str, name: str, found: Record) -> Content:
    prf, integ = _SHA2[bits]
    key, truncated, comment = found.octets("Key"), f"HMAC-SHA-{bits}-{int(bits) // 2}", ""
    if name == "AUTH512-4":
        surplus, key = key[:16], key[16:]
        comment = (
            "The RFC says that the key has 64 octets and prints 80: the first line,"
            f" {surplus.hex()}, does not belong to it. The value is that of HMAC-SHA-512 with the"
            " other 64 octets, computed with Python's hmac, and of no other 64 of them."
        )
    elif name == "AUTH384-1":
        truncated = "HMAC-SHA-384-128"
        comment = (
            "The RFC labels the value HMAC-SHA-384-128; it has 192 bits, and is the beginning of"
            " HMAC-SHA-384 computed with Python's hmac."
        )
    values = {
        "integ": integ.value,
        "prf": prf.value,
        "key": key.hex(),
        "data": found.hex("Data"),
        "output": found.hex(f"PRF-HMAC-SHA-{bits}"),
        "icv": found.hex(truncated),
    }
    flags = ["ERRATUM"] if comment else []
    return case(name, section, found.page, values, comment=comment, flags=flags)
