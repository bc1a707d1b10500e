"""Invalid vectors made from valid ones: one thing is wrong, and the peer must refuse it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from peers.reference.key_exchange import METHODS
from peers.reference.key_exchange.ecp import Ecp
from peers.reference.key_exchange.interface import Method
from peers.reference.key_exchange.modp import Modp
from peers.reference.key_exchange.montgomery import Montgomery
from peers.reference.numbers import Encr, KeyExchangeMethod
from vectors.loader import Case, Value

Spoiled = Iterator[tuple[str, Case]]

_COMBINED = frozenset(
    {
        Encr.ENCR_AES_CCM_8,
        Encr.ENCR_AES_CCM_12,
        Encr.ENCR_AES_CCM_16,
        Encr.ENCR_AES_GCM_8,
        Encr.ENCR_AES_GCM_12,
        Encr.ENCR_AES_GCM_16,
        Encr.ENCR_NULL_AUTH_AES_GMAC,
        Encr.ENCR_CHACHA20_POLY1305,
    }
)
"""The published packets of any other cipher have no ICV at all."""


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
        if "encr" in case.values and not _has_icv(case):
            return
        octets = case.octets(name)
        for what, changed in (
            ("last-bit", octets[:-1] + bytes([octets[-1] ^ 1])),
            ("first-bit-of-last-octet", octets[:-1] + bytes([octets[-1] ^ 0x80])),
            ("octet-less", octets[:-1]),
            ("octet-more", octets + b"\x00"),
        ):
            yield kind, _worse(case, what, **{name: changed.hex()})

    return ways


def _has_icv(case: Case) -> bool:
    return bool(case.values["icv"]) if "icv" in case.values else case.values["encr"] in _COMBINED


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
    "cipher": _end_of("cipher", "icv"),
    "esp": _end_of("esp", "packet"),
    "ike-message": _end_of("ike-message", "message"),
    "integrity": _integrity,
    "key-exchange": _exchange,
    "signature": _end_of("signature", "signature"),
}
