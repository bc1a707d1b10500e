"""Invalid vectors made from valid ones: one thing is wrong, and the peer must refuse it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from peers.reference.crypto import Protection, protection
from peers.reference.crypto.ciphers import encryption
from peers.reference.esp import covered
from peers.reference.key_exchange import METHODS
from peers.reference.key_exchange.ecp import Ecp
from peers.reference.key_exchange.interface import Method
from peers.reference.key_exchange.modp import Modp
from peers.reference.key_exchange.montgomery import Montgomery
from peers.reference.numbers import Encr, KeyExchangeMethod
from vectors.loader import Case, Value

Spoiled = Iterator[tuple[str, Case]]

SHORTER_ICVS = (0, 4, 8, 12)
"""Octets: none at all, NIST's shortest tag, and those of ESP's other variants (RFC 4106, 6)."""

_Q = 3329
"""The modulus of ML-KEM's coefficients, which have twelve bits each (FIPS 203, 8 and 4.2.1)."""


def spoiled(kind: str, case: Case) -> Spoiled:
    """Give the kinds and cases that come of one valid case; none of kinds without a refusal."""
    if case.result == "valid" and kind in _WAYS:
        yield from _WAYS[kind](case)


def _worse(case: Case, what: str, **values: str) -> Case:
    return replace(
        case,
        id=f"{case.id}-{what}",
        comment=f"{case.id} with one thing wrong.",
        result="invalid",
        values={**case.values, **values},
    )


def _end_of(kind: str, name: str) -> Callable[[Case], Spoiled]:
    """Spoil the ICV or signature that ends a value: first and last bit, one octet less or more."""

    def ways(case: Case) -> Spoiled:
        octets = case.octets(name)
        for what, changed in (
            ("last-bit", octets[:-1] + bytes([octets[-1] ^ 1])),
            ("first-bit-of-last-octet", octets[:-1] + bytes([octets[-1] ^ 0x80])),
            ("octet-less", octets[:-1]),
            ("octet-more", octets + b"\x00"),
        ):
            yield kind, _worse(case, what, **{name: changed.hex()})

    return ways


def _icv_of(kind: str, name: str) -> Callable[[Case], Spoiled]:
    """Spoil the ICV that ends a value, if it has one: as ``_end_of``, and cut to other sizes."""

    def ways(case: Case) -> Spoiled:
        size = _icv_size(case)
        if not size:
            return
        yield from _end_of(kind, name)(case)
        octets = case.octets(name)
        for kept in SHORTER_ICVS:
            if kept < size:
                changed = octets[: len(octets) - size + kept]
                yield kind, _worse(case, f"icv-of-{kept}", **{name: changed.hex()})

    return ways


def _icv_size(case: Case) -> int:
    """Give the octets of an ICV; the published packets of a cipher without one have none at all."""
    if "icv" in case.values:
        return len(case.octets("icv"))
    return encryption(Encr(case.number("encr"))).icv_size


def _esp(case: Case) -> Spoiled:
    """Spoil the ICV, then seal trailers anew that are wrong under an ICV that is right."""
    yield from _icv_of("esp", "packet")(case)
    suite = protection(
        Encr(case.number("encr")), case.optional_number("key_bits"), None, case.octets("key"), b""
    )
    for what, plaintext in _trailers(case, max(suite.block_size, 4)).items():
        if len(plaintext) % suite.block_size == 0:
            packet = _sealed_again(case, suite, plaintext)
            yield "esp-trailer", _worse(case, what, packet=packet.hex())


def _trailers(case: Case, alignment: int) -> dict[str, bytes]:
    """Give plaintexts that end in a wrong padding, Pad Length or Next Header (RFC 4303, 2.4).

    The padding is longer than the case's, so that it has four octets or more to be wrong in.
    """
    payload, size = case.octets("payload"), len(case.octets("padding")) + alignment
    padding, last = bytes(range(1, size + 1)), bytes([case.number("next_header")])
    body = payload + padding
    return {
        "padding-of-zeros": payload + bytes(size) + bytes([size]) + last,
        "padding-from-0": payload + bytes(range(size)) + bytes([size]) + last,
        "padding-last-bit": body[:-1] + bytes([size ^ 1, size]) + last,
        "pad-length-less": body + bytes([size - 1]) + last,
        "pad-length-exceeds-by-1": body + bytes([len(body) + 1]) + last,
        "pad-length-255": body + b"\xff" + last,
        "trailer-not-aligned": body[:-1] + bytes([size - 1]) + last,
        "trailer-cut-off": last,
    }


def _sealed_again(case: Case, suite: Protection, plaintext: bytes) -> bytes:
    sequence = case.number("sequence")
    header = case.octets("spi") + (sequence & 0xFFFFFFFF).to_bytes(4, "big")
    associated, implicit = header, b""
    if case.number("extended"):
        associated, implicit = covered(suite, header, sequence)
    return header + suite.seal(associated, plaintext, case.octets("iv"), implicit)


def _integrity(case: Case) -> Spoiled:
    """Every bit of the ICV, every shorter ICV, and the output's next octet after it."""
    icv = case.octets("icv")
    for bit in range(8 * len(icv)):
        changed = bytearray(icv)
        changed[bit // 8] ^= 0x80 >> bit % 8
        yield "integrity", _worse(case, f"bit-{bit}", icv=changed.hex())
    for size in range(len(icv)):
        yield "integrity", _worse(case, f"{size}-octets", icv=icv[:size].hex())
    yield "integrity", _worse(case, "octet-more", icv=(icv + b"\x00").hex())


def _exchange(case: Case) -> Spoiled:
    """The responder's public value, made worse in the ways of its kind of group."""
    method = METHODS.get(KeyExchangeMethod(case.number("method")))
    if method is None:
        return
    public = case.octets("public_r")
    for what, octets in {**_sizes(public), **_values(method, public)}.items():
        values: dict[str, Value] = {"method": case.number("method"), "public": octets.hex()}
        yield "public-value", replace(_worse(case, what), values=values)


def _encapsulation(case: Case) -> Spoiled:
    """Sizes of ML-KEM's encapsulation key and ciphertext, and coefficients that are not reduced."""
    method, public = case.number("method"), case.octets("public")
    for what, octets in {**_sizes(public), **_unreduced(public)}.items():
        values: dict[str, Value] = {"method": method, "public": octets.hex()}
        yield "encapsulation-key", replace(_worse(case, what), values=values)
    for what, octets in _sizes(case.octets("ciphertext")).items():
        yield "ciphertext", _worse(case, f"ciphertext-{what}", ciphertext=octets.hex())


def _unreduced(public: bytes) -> dict[str, bytes]:
    """Give keys that the modulus check has to find (FIPS 203, 7.2)."""
    count = (len(public) - 32) * 8 // 12
    same = next(index for index in range(count) if coefficient(public, index) < (1 << 12) - _Q)
    return {
        "first-is-q": with_coefficient(public, 0, _Q),
        "first-is-4095": with_coefficient(public, 0, 4095),
        "last-is-q": with_coefficient(public, count - 1, _Q),
        "same-modulo-q": with_coefficient(public, same, coefficient(public, same) + _Q),
    }


def coefficient(public: bytes, index: int) -> int:
    """Read one coefficient of an encapsulation key: twelve bits, the lower ones first."""
    start = index * 12 // 8
    return int.from_bytes(public[start : start + 2], "little") >> 4 * (index % 2) & 0xFFF


def with_coefficient(public: bytes, index: int, value: int) -> bytes:
    """Give an encapsulation key with another coefficient of twelve bits."""
    start, shift = index * 12 // 8, 4 * (index % 2)
    both = int.from_bytes(public[start : start + 2], "little") & ~(0xFFF << shift)
    return public[:start] + (both | value << shift).to_bytes(2, "little") + public[start + 2 :]


def _sizes(public: bytes) -> dict[str, bytes]:
    return {
        "empty": b"",
        "octet-less": public[:-1],
        "octet-more": public + b"\x00",
        "zero-in-front": b"\x00" + public,
        "twice": 2 * public,
    }


def _values(method: Method, public: bytes) -> dict[str, bytes]:
    if isinstance(method, Montgomery):
        return {"0": bytes(len(public)), "1": b"\x01" + bytes(len(public) - 1)}
    if isinstance(method, Modp):
        p, size = method.prime, method.size
        numbers = {"0": 0, "1": 1, "p-1": p - 1, "p": p, "p+1": p + 1, "outside-subgroup": p - 4}
        return {name: number.to_bytes(size, "big") for name, number in numbers.items()}
    assert isinstance(method, Ecp)
    size, p = method.size, method.curve.prime
    x, y = public[:size], public[size:]
    return {
        "0": bytes(2 * size),
        "off-curve": public[:-1] + bytes([public[-1] ^ 1]),
        "swapped": y + x,
        "x-is-p": p.to_bytes(size, "big") + y,
        "y-is-p": x + p.to_bytes(size, "big"),
        "compressed": bytes([2 + y[-1] % 2]) + x,
        "uncompressed": b"\x04" + public,
    }


_WAYS: Mapping[str, Callable[[Case], Spoiled]] = {
    "cipher": _icv_of("cipher", "icv"),
    "esp": _esp,
    "ike-message": _icv_of("ike-message", "message"),
    "integrity": _integrity,
    "key-encapsulation": _encapsulation,
    "key-exchange": _exchange,
    "signature": _end_of("signature", "signature"),
}
