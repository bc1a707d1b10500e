"""Groups: the primes of RFC 3526 and RFC 5996, the curves of RFC 5903."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from peers.reference.numbers import KeyExchangeMethod
from vectors.extract.files import Content, VectorFile, case
from vectors.extract.text import Text, record

_RFC3526 = {
    "2": KeyExchangeMethod.MODP_1536,
    "3": KeyExchangeMethod.MODP_2048,
    "4": KeyExchangeMethod.MODP_3072,
    "5": KeyExchangeMethod.MODP_4096,
    "6": KeyExchangeMethod.MODP_6144,
    "7": KeyExchangeMethod.MODP_8192,
}
_RFC5996 = {"B.1": KeyExchangeMethod.MODP_768, "B.2": KeyExchangeMethod.MODP_1024}
_RFC5903 = {
    "3.1": KeyExchangeMethod.ECP_256,
    "3.2": KeyExchangeMethod.ECP_384,
    "3.3": KeyExchangeMethod.ECP_521,
}


def rfc3526(text: Text) -> Iterator[VectorFile]:
    """The primes of groups 5 and 14 to 18."""
    subject = "MODP groups 5 and 14 to 18: primes and generator"
    yield VectorFile("rfc3526-modp", subject, "modp-group", 3526, "2 to 7", _primes(text, _RFC3526))


def rfc5996(text: Text) -> Iterator[VectorFile]:
    """The primes of groups 1 and 2, which are also those of RFC 2409, 6.1 and 6.2."""
    subject = "MODP groups 1 and 2: primes and generator"
    yield VectorFile(
        "rfc5996-modp", subject, "modp-group", 5996, "B.1 and B.2", _primes(text, _RFC5996)
    )


def _primes(text: Text, groups: Mapping[str, KeyExchangeMethod]) -> list[Content]:
    cases = []
    for section, method in groups.items():
        found = record(text.section(section), r"(Its hexadecimal value) is:")
        prime = found.hex("Its hexadecimal value")
        values = {"method": method.value, "prime": prime, "generator": 2}
        cases.append(case(f"group-{method.value}", section, found.page, values))
    return cases


def rfc5903(text: Text) -> Iterator[VectorFile]:
    """The parameters of the curves."""
    cases = []
    label = r"(Group Prime|Group Curve b|Group Order|gx|gy)[^:]*:$"
    for section, method in _RFC5903.items():
        found = record(text.section(section), label)
        values = {
            "method": method.value,
            "prime": found.hex("Group Prime"),
            "b": found.hex("Group Curve b"),
            "order": found.hex("Group Order"),
            "generator_x": found.hex("gx"),
            "generator_y": found.hex("gy"),
        }
        cases.append(case(f"group-{method.value}", section, found.page, values))
    subject = "ECP groups 19 to 21: y^2 = x^3 - 3x + b, generator and its order"
    yield VectorFile("rfc5903-groups", subject, "ecp-group", 5903, "3", cases)
