"""ECP and brainpool groups and their public values, and ML-KEM."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from peers.reference.numbers import KeyExchangeMethod
from vectors.loader import Case, Result, Value, Vectors
from vectors.primitives.responses import Block, blocks

P256, P384, P521 = (
    KeyExchangeMethod.ECP_256,
    KeyExchangeMethod.ECP_384,
    KeyExchangeMethod.ECP_521,
)
SIZES = {P256: 32, P384: 48, P521: 66}
"""Octets of a coordinate."""

BY_CURVE = {"P-256": P256, "P-384": P384, "P-521": P521}
BY_PARAMETERS = {"EC": P256, "ED": P384, "EE": P521}
"""The names that the key agreement tests have for curves."""

BRAINPOOL = {
    "brainpoolP224r1": KeyExchangeMethod.BRAINPOOL_P224R1,
    "brainpoolP256r1": KeyExchangeMethod.BRAINPOOL_P256R1,
    "brainpoolP384r1": KeyExchangeMethod.BRAINPOOL_P384R1,
    "brainpoolP512r1": KeyExchangeMethod.BRAINPOOL_P512R1,
}

ML_KEM = {
    512: KeyExchangeMethod.ML_KEM_512,
    768: KeyExchangeMethod.ML_KEM_768,
    1024: KeyExchangeMethod.ML_KEM_1024,
}
ML_KEM_TESTS = 20
"""Of the thousand of each parameter set: Python takes its time for one."""


def _point(block: Block, x: str, y: str, size: int) -> str:
    """Write a public value: two coordinates of ``size`` octets each (RFC 5903, 7)."""
    return "".join(f"{block.number_of(name):0{2 * size}x}" for name in (x, y))


def _fits(block: Block, x: str, y: str, size: int) -> bool:
    """Say whether both coordinates have that many octets: longer ones cannot be sent."""
    return all(block.number_of(name) < 1 << 8 * size for name in (x, y))


def _exchange(
    block: Block, method: KeyExchangeMethod, publics: tuple[str, str], *names: str
) -> Case:
    """Make a case of a whole exchange: ``names`` are the private values and the shared one."""
    private_i, private_r, shared = (block[name] for name in names)
    return block.case(
        {
            "method": int(method),
            "private_i": private_i,
            "private_r": private_r,
            "public_i": publics[0],
            "public_r": publics[1],
            "shared": shared,
        }
    )


def _agreements(role: str) -> Iterator[Case]:
    file = f"asymmetric/ECDH/KASValidityTest_ECCStaticUnified_NOKC_ZZOnly_{role}.fax"
    for block in blocks(file, "Z", "RESULT"):
        method = BY_PARAMETERS.get(block.section.partition(" ")[0])
        if method is None or not block.passes:
            continue
        size = SIZES[method]
        theirs = _point(block, "QSCAVSX", "QSCAVSY", size)
        ours = _point(block, "QSIUTX", "QSIUTY", size)
        yield _exchange(block, method, (theirs, ours), "DSCAVS", "DSIUT", "Z")


def read_agreements() -> Vectors:
    """Read exchanges whose shared secret is right."""
    cases = (*_agreements("init"), *_agreements("resp"))
    return Vectors("ECP exchanges", "key-exchange", "NIST CAVP, KASVS", "", cases)


def _points() -> Iterator[Case]:
    for block in blocks("asymmetric/ECDSA/FIPS_186-3/PKV.rsp", "QX", "QY", "RESULT"):
        method = BY_CURVE.get(block.section)
        if method is not None and _fits(block, "QX", "QY", SIZES[method]):
            public = _point(block, "QX", "QY", SIZES[method])
            result: Result = "valid" if block.passes else "invalid"
            yield block.case({"method": int(method), "public": public}, result)


def read_points() -> Vectors:
    """Read public values: points of the curve, points beside it, coordinates out of range."""
    return Vectors("ECP public values", "public-value", "NIST CAVP, PKV", "", tuple(_points()))


def _brainpool() -> Iterator[Case]:
    for block in blocks("asymmetric/ECDH/brainpool.txt", "CURVE", "X_Z"):
        size = len(block["X_Z"]) // 2
        publics = (_point(block, "X_QA", "Y_QA", size), _point(block, "X_QB", "Y_QB", size))
        yield _exchange(block, BRAINPOOL[block["CURVE"]], publics, "DA", "DB", "X_Z")


def read_brainpool() -> Vectors:
    """Read exchanges with brainpool groups."""
    return Vectors("brainpool exchanges", "key-exchange", "RFC 7027, A", "", tuple(_brainpool()))


def _encapsulations(bits: int) -> Iterator[Case]:
    file = f"asymmetric/MLKEM/kat_MLKEM_{bits}.rsp"
    for block in islice(blocks(file, "PK", "CT", "SS"), ML_KEM_TESTS):
        values: dict[str, Value] = {
            "method": int(ML_KEM[bits]),
            "seeds": block["D"] + block["Z"],
            "message": block["MSG"],
            "public": block["PK"],
            "ciphertext": block["CT"],
            "shared": block["SS"],
            "wrong_ciphertext": block["CT_N"],
            "secret_of_nobody": block["SS_N"],
        }
        yield block.case(values)


def read_encapsulations() -> Vectors:
    """Read ML-KEM, with a wrong ciphertext each, which is rejected without a word."""
    cases = tuple(case for bits in ML_KEM for case in _encapsulations(bits))
    return Vectors("ML-KEM", "key-encapsulation", "cryptography-vectors, kat_MLKEM", "", cases)


SUBJECTS: Mapping[str, Callable[[], Vectors]] = {
    "ecp-exchanges": read_agreements,
    "ecp-public-values": read_points,
    "brainpool-exchanges": read_brainpool,
    "ml-kem": read_encapsulations,
}
