"""What ``cavp`` can be asked of a vector, by the vector's kind; what it cannot, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from peers.reference.numbers import Encr, HashAlgorithm, Integ, Prf
from vectors.loader import Case
from vectors.runners.cavp import (
    GCM,
    HMAC,
    IKEV2,
    SHA,
    SHA_CHAIN,
    Question,
    Record,
    gives,
    holds,
    refuses,
)

HASH_OF_PRF = {
    Prf.PRF_HMAC_SHA1: HashAlgorithm.SHA1,
    Prf.PRF_HMAC_SHA2_256: HashAlgorithm.SHA2_256,
    Prf.PRF_HMAC_SHA2_384: HashAlgorithm.SHA2_384,
    Prf.PRF_HMAC_SHA2_512: HashAlgorithm.SHA2_512,
}
_HASH_OF_INTEG = {
    Integ.AUTH_HMAC_SHA1_96: HashAlgorithm.SHA1,
    Integ.AUTH_HMAC_SHA1_160: HashAlgorithm.SHA1,
    Integ.AUTH_HMAC_SHA2_256_128: HashAlgorithm.SHA2_256,
    Integ.AUTH_HMAC_SHA2_384_192: HashAlgorithm.SHA2_384,
    Integ.AUTH_HMAC_SHA2_512_256: HashAlgorithm.SHA2_512,
}
_SIZES = {
    HashAlgorithm.SHA1: 20,
    HashAlgorithm.SHA2_256: 32,
    HashAlgorithm.SHA2_384: 48,
    HashAlgorithm.SHA2_512: 64,
}
"""Octets of a digest, by which ``cavp`` is told the hash (L)."""

_NAMES = {
    HashAlgorithm.SHA1: "SHA-1",
    HashAlgorithm.SHA2_256: "SHA-256",
    HashAlgorithm.SHA2_384: "SHA-384",
    HashAlgorithm.SHA2_512: "SHA-512",
}
_ICVS = {
    Encr.ENCR_AES_GCM_8: 8,
    Encr.ENCR_AES_GCM_12: 12,
    Encr.ENCR_AES_GCM_16: 16,
}
"""Octets of the ICV (RFC 4106, 6)."""

_SALT = 4
"""Octets of the salt (RFC 4106, 8.1)."""

INPUTS = {
    "Ni": "nonce_i",
    "Nr": "nonce_r",
    "g^ir": "shared",
    "g^ir (new)": "new_shared",
    "SPIi": "spi_i",
    "SPIr": "spi_r",
}
OUTPUTS = {
    "SKEYSEED": "skeyseed",
    "DKM": "ike_keymat",
    "DKM(Child SA)": "child_keymat",
    "DKM(Child SA D-H)": "new_child_keymat",
    "SKEYSEED(Rekey)": "new_skeyseed",
}
"""The names that CAVS has for what a case names."""


class NotTaken(Exception):
    """``cavp`` cannot be asked this; the text says why, and is the same for all of its kind."""


def questions(kind: str, case: Case) -> Iterator[Question]:
    """Give what to ask of a case; NotTaken when there is nothing."""
    if kind not in _ASKS:
        raise NotTaken(_NO_TEST.get(kind, "has no test of that kind"))
    yield from _ASKS[kind](case)


def _prf(case: Case) -> Iterator[Question]:
    number = Prf(case.number("prf"))
    if number not in HASH_OF_PRF:
        raise NotTaken("has HMAC with SHA-1 and SHA-2, no other PRF or MAC")
    yield _hmac(HASH_OF_PRF[number], case, case.octets("output"))


def _integrity(case: Case) -> Iterator[Question]:
    number = Integ(case.number("integ"))
    if number not in _HASH_OF_INTEG:
        raise NotTaken("has HMAC with SHA-1 and SHA-2, no other PRF or MAC")
    if case.result != "valid":
        raise NotTaken("computes HMACs and verifies none, so it refuses none")
    yield _hmac(_HASH_OF_INTEG[number], case, case.octets("icv"))
    if case.values["output"] is not None:
        yield _hmac(_HASH_OF_INTEG[number], case, case.octets("output"))


def _hmac(algorithm: HashAlgorithm, case: Case, mac: bytes) -> Question:
    """Ask for as many octets of an HMAC as there are to compare."""
    key = case.octets("key")
    values = (
        ("Klen", str(len(key))),
        ("Tlen", str(len(mac))),
        ("Key", key.hex()),
        ("Msg", case.octets("data").hex()),
    )
    return Question(HMAC, (("L", _SIZES[algorithm]),), values, gives(Mac=mac.hex()))


def _cipher(case: Case) -> Iterator[Question]:
    yield _gcm(
        case,
        associated=case.octets("associated"),
        ciphertext=case.octets("ciphertext"),
        icv=case.octets("icv"),
        plaintext=case.octets("plaintext"),
    )


def _esp(case: Case) -> Iterator[Question]:
    """Take a packet apart: SPI, sequence number, IV, ciphertext, ICV (RFC 4106, 3 and 5)."""
    packet, iv, padding = case.octets("packet"), case.octets("iv"), case.octets("padding")
    trailer = padding + bytes([len(padding), case.number("next_header")])
    plaintext = case.octets("payload") + trailer
    start = 8 + len(iv)
    end = start + len(plaintext)
    sequence = case.number("sequence").to_bytes(8 if case.number("extended") else 4, "big")
    yield _gcm(
        case,
        associated=case.octets("spi") + sequence,
        ciphertext=packet[start:end],
        icv=packet[end:],
        plaintext=plaintext,
    )


def _gcm(
    case: Case, *, associated: bytes, ciphertext: bytes, icv: bytes, plaintext: bytes
) -> Question:
    """Ask to decrypt; the salt that ends the key begins the nonce (RFC 4106, 4).

    Taglen chooses the algorithm, so it is told whatever size the ICV comes in.
    """
    encr = Encr(case.number("encr"))
    if encr not in _ICVS:
        raise NotTaken("has AES-GCM, no other cipher")
    key, salt = case.octets("key")[:-_SALT], case.octets("key")[-_SALT:]
    nonce = salt + case.octets("iv")
    sizes = {"Key": len(key), "IV": len(nonce), "PT": len(plaintext), "AAD": len(associated)}
    sizes["Tag"] = _ICVS[encr]
    section = tuple((f"{name}len", 8 * size) for name, size in sizes.items())
    values = {"Key": key, "IV": nonce, "CT": ciphertext, "AAD": associated, "Tag": icv}
    judge = refuses if case.result == "invalid" else gives(PT=plaintext.hex())
    return Question(
        GCM, section, tuple((name, octets.hex()) for name, octets in values.items()), judge
    )


def _digest(case: Case) -> Iterator[Question]:
    data = case.octets("data")
    values = (("Len", str(8 * len(data))), ("Msg", data.hex() or "00"))
    yield Question(SHA, _section(case), values, gives(MD=case.octets("output").hex()))


def _chain(case: Case) -> Iterator[Question]:
    values = (("Seed", case.octets("seed").hex()),)
    yield Question(SHA_CHAIN, _section(case), values, gives(MD=case.octets("output").hex()))


def _section(case: Case) -> tuple[tuple[str, int], ...]:
    return (("L", _SIZES[HashAlgorithm(case.number("hash"))]),)


def _derivation(case: Case) -> Iterator[Question]:
    if Prf(case.number("prf")) not in HASH_OF_PRF:
        raise NotTaken("has HMAC with SHA-1 and SHA-2, no other PRF or MAC")
    expected = {name: case.octets(ours).hex() for name, ours in OUTPUTS.items()}
    yield derivation(case, holds(expected))


def derivation(case: Case, judge: Callable[[Record], str]) -> Question:
    """Ask for all that comes of one exchange; as much keying material as the case has octets."""
    sizes = {name: 8 * len(case.octets(ours)) for name, ours in {**INPUTS, **OUTPUTS}.items()}
    section = (
        ("g^ir length", sizes["g^ir"]),
        (_NAMES[HASH_OF_PRF[Prf(case.number("prf"))]], None),
        ("Ni length", sizes["Ni"]),
        ("Nr length", sizes["Nr"]),
        ("DKM length", sizes["DKM"]),
        ("Child SA DKM length", sizes["DKM(Child SA)"]),
    )
    values = tuple((name, case.octets(ours).hex()) for name, ours in INPUTS.items())
    return Question(IKEV2, section, values, judge)


_NO_TEST = {"esp-trailer": "decrypts, and looks at no trailer of ESP"}
_ASKS: Mapping[str, Callable[[Case], Iterator[Question]]] = {
    "cipher": _cipher,
    "esp": _esp,
    "hash": _digest,
    "hash-chain": _chain,
    "integrity": _integrity,
    "key-derivation": _derivation,
    "prf": _prf,
}
