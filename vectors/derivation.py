"""Vectors of the key derivation of IKE SAs and Child SAs (RFC 7296, 2.13, 2.14, 2.17, 2.18)."""

from __future__ import annotations

from peers.reference.crypto import key_sizes, prf, prf_plus, prf_size, skeyseed_key
from peers.reference.errors import ScriptError
from peers.reference.keys import (
    ChildKeys,
    IkeKeys,
    derive_child_keys,
    derive_ike_keys,
    derive_rekeyed_ike_keys,
)
from peers.reference.negotiation import Suite
from peers.reference.numbers import Encr, Integ, Prf
from vectors.loader import Case

SUITES = (
    Suite(Encr.ENCR_AES_GCM_16, 128),
    Suite(Encr.ENCR_AES_GCM_16, 256),
    Suite(Encr.ENCR_3DES, None, Integ.AUTH_HMAC_SHA1_96),
    Suite(Encr.ENCR_AES_CBC, 128, Integ.AUTH_HMAC_SHA1_96),
    Suite(Encr.ENCR_AES_CBC, 256, Integ.AUTH_HMAC_SHA2_512_256),
)
"""Cut keying material in these ways; the last one takes most of it."""

_SPI = bytes(4)
"""Of Child SAs: no key depends on it."""


def longest_keymat(number: Prf) -> int:
    """Give the octets that an IKE SA with the greediest suite and that PRF takes."""
    return _ike_size(SUITES[-1], number)


def values_of(case: Case) -> dict[str, bytes]:
    """Derive what a case names, whole, from its inputs; a vector has the same octets by name.

    What SK_d and both SKEYSEEDs are, no interface of the peer tells: they are computed here from
    its PRF, and `keys_of` shows that its own derivations go the same way.
    """
    number, nonces = _prf(case), case.octets("nonce_i") + case.octets("nonce_r")
    size, child_size = (len(case.octets(name)) for name in ("ike_keymat", "child_keymat"))
    key = skeyseed_key(number, case.octets("nonce_i"), case.octets("nonce_r"))
    skeyseed = prf(number, key, case.octets("shared"))
    keymat = prf_plus(number, skeyseed, nonces + _spis(case), size)
    sk_d, new = keymat[: prf_size(number)], case.octets("new_shared")
    return {
        "skeyseed": skeyseed,
        "ike_keymat": keymat,
        "child_keymat": prf_plus(number, sk_d, nonces, child_size),
        "new_child_keymat": prf_plus(number, sk_d, new + nonces, child_size),
        "new_skeyseed": prf(number, sk_d, new + nonces),
    }


def keys_of(case: Case) -> list[tuple[str, bytes, bytes]]:
    """Derive keys by the peer's interfaces: name, its keys joined, and what the case says.

    One row for each suite whose keys the case has enough material for, and each of an IKE SA, a
    Child SA without and with a key exchange, and an IKE SA that replaces the first one. ScriptError
    when there is enough for none.
    """
    found: list[tuple[str, bytes, bytes]] = []
    for suite in _suites(case):
        exchange = {name: case.octets(name) for name in ("nonce_i", "nonce_r", "spi_i", "spi_r")}
        new = case.octets("new_shared")
        ike = derive_ike_keys(suite, shared=case.octets("shared"), **exchange)
        child = _child_keys(ike, suite, case, b"")
        new_child = _child_keys(ike, suite, case, new)
        rekeyed = derive_rekeyed_ike_keys(ike, suite, shared=new, **exchange)
        found += [
            ("keys of the IKE SA", _of_ike(ike), case.octets("ike_keymat")),
            ("keys of the Child SA", _of_child(child), case.octets("child_keymat")),
            ("keys with a key exchange", _of_child(new_child), case.octets("new_child_keymat")),
            ("keys of the new IKE SA", _of_ike(rekeyed), _expanded(case, len(_of_ike(rekeyed)))),
        ]
    if not found:
        raise ScriptError("too little keying material for any suite")
    return found


def _child_keys(ike: IkeKeys, suite: Suite, case: Case, shared: bytes) -> ChildKeys:
    return derive_child_keys(
        ike,
        suite,
        initiator_spi=_SPI,
        responder_spi=_SPI,
        nonce_i=case.octets("nonce_i"),
        nonce_r=case.octets("nonce_r"),
        shared=shared,
    )


def _prf(case: Case) -> Prf:
    return Prf(case.number("prf"))


def _spis(case: Case) -> bytes:
    return case.octets("spi_i") + case.octets("spi_r")


def _suites(case: Case) -> list[Suite]:
    number = _prf(case)
    enough = min(len(case.octets(name)) for name in ("ike_keymat", "child_keymat"))
    return [
        Suite(each.encr, each.key_bits, each.integ, number)
        for each in SUITES
        if _ike_size(each, number) <= enough
    ]


def _ike_size(suite: Suite, number: Prf) -> int:
    return 3 * prf_size(number) + 2 * sum(key_sizes(suite.encr, suite.key_bits, suite.integ))


def _expanded(case: Case, size: int) -> bytes:
    """Expand the case's SKEYSEED of the new IKE SA, which has the nonces and SPIs of the old."""
    nonces = case.octets("nonce_i") + case.octets("nonce_r")
    return prf_plus(_prf(case), case.octets("new_skeyseed"), nonces + _spis(case), size)


def _of_ike(keys: IkeKeys) -> bytes:
    authentication = keys.sk_d + keys.sk_ai + keys.sk_ar
    return authentication + keys.sk_ei + keys.sk_er + keys.sk_pi + keys.sk_pr


def _of_child(keys: ChildKeys) -> bytes:
    both = (keys.from_initiator, keys.from_responder)
    return b"".join(each.encryption + each.integrity for each in both)
