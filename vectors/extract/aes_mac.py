"""AES-XCBC and AES-CMAC: RFC 3566, RFC 4434, RFC 4494 and RFC 4615."""

from __future__ import annotations

import re
from collections.abc import Iterator

from peers.reference.numbers import Integ, Prf
from vectors.extract.files import Content, VectorFile, case
from vectors.extract.text import Record, Text, record, records
from vectors.loader import Value


def rfc3566(text: Text) -> Iterator[VectorFile]:
    """AES-XCBC-MAC-96 and the value before truncation, which is that of the PRF."""
    label = r"(Test Case #|Key \(K\)|Message \(M\)|AES-XCBC-MAC-96|AES-XCBC-MAC)\s*:?"
    cases = []
    for found in records(text.section("4.6"), label, "Test Case #"):
        name = f"case-{found.text('Test Case #').split()[0]}"
        values: dict[str, Value] = {
            "integ": Integ.AUTH_AES_XCBC_96.value,
            "prf": Prf.PRF_AES128_XCBC.value,
            "key": found.hex("Key (K)"),
            "data": _message(found).hex(),
            "output": found.hex("AES-XCBC-MAC"),
            "icv": found.hex("AES-XCBC-MAC-96"),
        }
        cases.append(case(name, "4.6", found.page, values))
    yield VectorFile(
        "rfc3566-aes-xcbc", "AES-XCBC-96 as integrity algorithm", "integrity", 3566, "4.6", cases
    )


def _message(found: Record) -> bytes:
    """The message of case 7 is abbreviated: 1000 octets of zero."""
    value = found.text("Message (M)")
    if " ... " not in value:
        return found.octets("Message (M)")
    size = re.search(r"(\d+)-byte input", found.text("Test Case #"))
    return bytes(int(size[1])) if size else b""


def rfc4434(text: Text) -> Iterator[VectorFile]:
    """AES-XCBC-PRF-128 with keys of 16, 10 and 18 octets."""
    yield _prf_file(
        "rfc4434-aes-xcbc-prf", "AES-XCBC as PRF", 4434, "2.1", text, Prf.PRF_AES128_XCBC
    )


def rfc4615(text: Text) -> Iterator[VectorFile]:
    """AES-CMAC-PRF-128 with keys of 18, 16 and 10 octets."""
    yield _prf_file("rfc4615-aes-cmac-prf", "AES-CMAC as PRF", 4615, "4", text, Prf.PRF_AES128_CMAC)


def _prf_file(name: str, subject: str, rfc: int, section: str, text: Text, prf: Prf) -> VectorFile:
    label = r"(Key Length|Key|Message|PRF Output)\s*:"
    cases = [
        case(
            f"key-of-{found.number('Key Length')}",
            section,
            found.page,
            {
                "prf": prf.value,
                "key": found.hex("Key"),
                "data": found.hex("Message"),
                "output": found.hex("PRF Output"),
            },
        )
        for found in records(text.section(section), label, "Key")
    ]
    return VectorFile(name, subject, "prf", rfc, section, cases)


def rfc4494(text: Text) -> Iterator[VectorFile]:
    """AES-CMAC-96; the RFC prints one key, and no values before truncation."""
    label = r"(Test Case|M|AES_CMAC_96)(?= )"
    key = record(text.section("5"), r"(K)\s").hex("K")
    cases: list[Content] = []
    for found in records(text.section("5"), label, "Test Case"):
        values = {
            "integ": Integ.AUTH_AES_CMAC_96.value,
            "prf": None,
            "key": key,
            "data": found.hex("M"),
            "output": None,
            "icv": found.hex("AES_CMAC_96"),
        }
        name = f"case-{found.text('Test Case').split(':')[0]}"
        cases.append(case(name, "5", found.page, values))
    yield VectorFile(
        "rfc4494-aes-cmac", "AES-CMAC-96 as integrity algorithm", "integrity", 4494, "5", cases
    )
