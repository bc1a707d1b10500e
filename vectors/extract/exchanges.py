"""Key exchanges: RFC 5114, RFC 5903, RFC 6932, RFC 7748 and RFC 8031."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from peers.reference.numbers import KeyExchangeMethod
from vectors.extract.files import Content, VectorFile, case
from vectors.extract.text import Record, Text, record, records, split
from vectors.loader import Value

_RFC5114_MODP = {
    "A.1": KeyExchangeMethod.MODP_1024_S160,
    "A.2": KeyExchangeMethod.MODP_2048_S224,
    "A.3": KeyExchangeMethod.MODP_2048_S256,
}
_RFC5114_ECP = {
    "A.4": KeyExchangeMethod.ECP_192,
    "A.5": KeyExchangeMethod.ECP_224,
    "A.6": KeyExchangeMethod.ECP_256,
    "A.7": KeyExchangeMethod.ECP_384,
    "A.8": KeyExchangeMethod.ECP_521,
}
_RFC6932 = {
    "A.1": KeyExchangeMethod.BRAINPOOL_P224R1,
    "A.2": KeyExchangeMethod.BRAINPOOL_P256R1,
    "A.3": KeyExchangeMethod.BRAINPOOL_P384R1,
    "A.4": KeyExchangeMethod.BRAINPOOL_P512R1,
}
_RFC5903 = {
    "8.1": KeyExchangeMethod.ECP_256,
    "8.2": KeyExchangeMethod.ECP_384,
    "8.3": KeyExchangeMethod.ECP_521,
}
_CURVES = {"X25519": KeyExchangeMethod.CURVE25519, "X448": KeyExchangeMethod.CURVE448}
_ECP_LABEL = r"(dA|x_qA|y_qA|dB|x_qB|y_qB|x_Z|y_Z)\s*="


def rfc5114(text: Text) -> Iterator[VectorFile]:
    """MODP groups 22 to 24, and ECP groups 19 to 21, 25 and 26."""
    cases = []
    for section, method in _RFC5114_MODP.items():
        found = record(text.section(section), r"(xA|yA|xB|yB|Z)\s*=")
        names = ("xA", "xB", "yA", "yB", "Z")
        cases.append(_exchange(section, method, found.page, map(found.hex, names)))
    cases += _ecp(text, _RFC5114_ECP)
    yield VectorFile(
        "rfc5114-groups",
        "MODP groups 22 to 24, ECP groups 19 to 21, 25 and 26",
        "key-exchange",
        5114,
        "A",
        cases,
    )


def rfc6932(text: Text) -> Iterator[VectorFile]:
    """The Brainpool curves, groups 27 to 30 of RFC 6954."""
    cases = _ecp(text, _RFC6932)
    subject = "Brainpool groups 27 to 30"
    yield VectorFile("rfc6932-brainpool", subject, "key-exchange", 6932, "A", cases)


def _ecp(text: Text, groups: Mapping[str, KeyExchangeMethod]) -> list[Content]:
    cases = []
    for section, method in groups.items():
        found = record(text.section(section), _ECP_LABEL)
        publics = (found.hex(f"x_q{end}") + found.hex(f"y_q{end}") for end in "AB")
        private_i, private_r, shared = found.hex("dA"), found.hex("dB"), found.hex("x_Z")
        cases.append(
            _exchange(section, method, found.page, (private_i, private_r, *publics, shared))
        )
    return cases


def _exchange(
    section: str,
    method: KeyExchangeMethod,
    page: int,
    octets: Iterable[str],
    payloads: Sequence[str] = (),
) -> Content:
    """Make a case of both private keys, both public values and the secret, in that order."""
    names = ("private_i", "private_r", "public_i", "public_r", "shared")
    values: dict[str, Value] = {"method": method.value, **dict(zip(names, octets, strict=True))}
    values.update(zip(("payload_i", "payload_r"), payloads, strict=False))
    return case(f"group-{method.value}", section, page, values)


def rfc5903(text: Text) -> Iterator[VectorFile]:
    """Groups 19 to 21, with the KE payloads."""
    cases = []
    label = r"(gix|giy|grx|gry|girx|giry|i|r|The KE[ir] payload)(?::| is as follows)[.]?$"
    for section, method in _RFC5903.items():
        found = record(text.section(section), label)
        names = ("i", "r")
        privates = (found.hex(name) for name in names)
        publics = (found.hex(f"g{name}x") + found.hex(f"g{name}y") for name in names)
        payloads = tuple(found.hex(f"The KE{name} payload") for name in names)
        shared = found.hex("girx")
        cases.append(
            _exchange(section, method, found.page, (*privates, *publics, shared), payloads)
        )
    yield VectorFile("rfc5903-ecp", "ECP groups 19 to 21", "key-exchange", 5903, "8", cases)


def rfc7748(text: Text) -> Iterator[VectorFile]:
    """X25519 and X448: exchanges, and the functions alone, once and a thousand times."""
    exchanges, products = [], []
    label = r"(Alice's private key|Alice's public key|Bob's private key|Bob's public key|Their)"
    for section, method in (("6.1", _CURVES["X25519"]), ("6.2", _CURVES["X448"])):
        found = record(text.section(section), label + r"\b.*:$")
        names = [f"{name}'s {kind} key" for kind in ("private", "public") for name in _ENDS]
        octets = map(found.hex, (*names, "Their"))
        exchanges.append(_exchange(section, method, found.page, octets))
    for name, lines in split(text.section("5.2"), r"(X25519|X448):$"):
        label = r"(Input scalar|Input u-coordinate|Output u-coordinate|After [^:]*):$"
        for number, found in enumerate(records(lines, label, "Input scalar", missing=True), 1):
            products.append(_product(f"{name}-{number}", _CURVES[name], found))
        once_and_often = record(lines, label)
        if "After one iteration" in once_and_often.values:
            products += _iterated(name, _CURVES[name], once_and_often)
    yield VectorFile(
        "rfc7748-exchanges", "Curve25519 and Curve448", "key-exchange", 7748, "6", exchanges
    )
    yield VectorFile(
        "rfc7748-functions",
        "X25519 and X448",
        "scalar-multiplication",
        7748,
        "5.2",
        products,
        "A million iterations take too long here: those two values are left out. The functions are"
        " reached as a key exchange with the scalar as our private key and u as the public value.",
    )


_ENDS = ("Alice", "Bob")


def _product(name: str, method: KeyExchangeMethod, found: Record) -> Content:
    values = {
        "method": method.value,
        "scalar": found.hex("Input scalar"),
        "u": found.hex("Input u-coordinate"),
        "iterations": 1,
        "output": found.hex("Output u-coordinate"),
    }
    return case(name, "5.2", found.page, values)


def _iterated(name: str, method: KeyExchangeMethod, found: Record) -> Iterator[Content]:
    start = {"X25519": "09" + "00" * 31, "X448": "05" + "00" * 55}[name]
    for label, times in (("After one iteration", 1), ("After 1,000 iterations", 1000)):
        values = {
            "method": method.value,
            "scalar": start,
            "u": start,
            "iterations": times,
            "output": found.hex(label),
        }
        yield case(f"{name}-{times}-times", "5.2", found.page, values)


def rfc8031(text: Text) -> Iterator[VectorFile]:
    """Curve25519, with the private keys as drawn and as RFC 7748, 5, fixes them."""
    found = record(text.section("A"), r"(random_|fixed_|pub_|SHARED_SECRET)([ir]?) = ")
    publics = (re.sub(r"^.*= ?", "", found.text(f"pub_{end}")) for end in "ir")
    i, r = (bytes.fromhex(public).hex() for public in publics)
    shared = re.sub(r"^.*=|[\s-]", "", found.text("SHARED_SECRET"))
    cases = []
    for name, comment in (
        ("random", "Private keys as drawn: the group clears and sets their bits."),
        ("fixed", "Private keys after RFC 7748, 5."),
    ):
        values: dict[str, Value] = {
            "method": KeyExchangeMethod.CURVE25519.value,
            "private_i": found.hex(f"{name}_i"),
            "private_r": found.hex(f"{name}_r"),
            "public_i": i,
            "public_r": r,
            "shared": shared,
        }
        cases.append(case(name, "A", found.page, values, comment=comment))
    yield VectorFile("rfc8031-curve25519", "Curve25519", "key-exchange", 8031, "A", cases)
