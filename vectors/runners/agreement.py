"""Key derivation without a vector: do the reference peer and a runner come to the same octets?

Two implementations that agree may still be wrong together: this is no published value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from hashlib import shake_256
from itertools import product

from peers.reference.crypto import prf_size
from peers.reference.errors import IkeproofError
from peers.reference.numbers import Prf
from vectors.checks import CHECKS, Disagreement
from vectors.derivation import longest_keymat
from vectors.loader import Case, Value
from vectors.runners.cavp import FAIL, Question, Record
from vectors.runners.questions import HASH_OF_PRF, OUTPUTS, derivation

SUBJECT = "IKEv2 key derivation"

NONCES = ((16, 16), (16, 32), (32, 20), (33, 31), (64, 64), (65, 128), (128, 16), (256, 256))
"""Octets of Ni and Nr: the least and the most (RFC 7296, 2.10), around the hashes' blocks."""

SECRETS = (32, 48, 56, 66, 128, 256, 1024)
"""Octets of g^ir: Curve25519, P-384, Curve448, P-521, and MODP of 1024, 2048 and 8192 bits."""


def inputs() -> Iterator[Case]:
    """Give each PRF with each pair of nonces and each size of a secret, octets made of the names.

    As outputs they have zeros, as many as there are to be.
    """
    for number, (ni, nr), secret in product(HASH_OF_PRF, NONCES, SECRETS):
        name = f"{Prf(number).name}-{ni}-{nr}-{secret}"
        keymat = longest_keymat(number)
        sizes = {"nonce_i": ni, "nonce_r": nr, "shared": secret, "new_shared": secret}
        octets = {
            each: shake_256(f"{name} {each}".encode()).hexdigest(size)
            for each, size in {**sizes, "spi_i": 8, "spi_r": 8}.items()
        }
        seeds = dict.fromkeys(("skeyseed", "new_skeyseed"), "00" * prf_size(number))
        keys = dict.fromkeys(("ike_keymat", "child_keymat", "new_child_keymat"), "00" * keymat)
        values: Mapping[str, Value] = {"prf": int(number), **octets, **seeds, **keys}
        yield Case(name, "", None, "", "valid", (), values)


def question(case: Case) -> Question:
    """Ask a runner for all outputs; the reference peer then judges them like a vector's."""
    return derivation(case, partial(_agrees, case))


def _agrees(case: Case, record: Record) -> str:
    if FAIL in record or not set(OUTPUTS) <= set(record):
        return "not computed"
    theirs = {ours: record[name] for name, ours in OUTPUTS.items()}
    for name, octets in theirs.items():
        if len(octets) != len(case.octets(name).hex()):
            return f"{name} is of another size: {octets}"
    answered = Case(case.id, "", None, "", "valid", (), {**case.values, **theirs})
    try:
        CHECKS["key-derivation"](answered)
    except (Disagreement, IkeproofError, ValueError) as error:
        return str(error)
    return ""
