"""Ciphers, integrity algorithms and pseudorandom functions, looked up by their IANA numbers."""

from __future__ import annotations

from peers.reference.crypto.ciphers import EncryptionAlgorithm, encryption, is_combined, is_for_ike
from peers.reference.crypto.integrity import integrity
from peers.reference.crypto.prf import prf, prf_plus, prf_size, skeyseed_key
from peers.reference.crypto.protection import (
    CombinedMode,
    EncryptThenMac,
    ImplicitIv,
    Protection,
)
from peers.reference.errors import ScriptError
from peers.reference.numbers import Encr, Integ

__all__ = [
    "Protection",
    "is_combined",
    "is_for_ike",
    "key_sizes",
    "prf",
    "prf_plus",
    "prf_size",
    "protection",
    "skeyseed_key",
]


def key_sizes(encr: Encr, key_bits: int | None, integ: Integ | None) -> tuple[int, int]:
    """Give the octets of keying material for encryption (salt included) and for integrity.

    Sizes of RFC 4106, 8.1, RFC 3686, 5.1, RFC 4309, 7.1, RFC 7634, 2, and RFC 4868, 2.1.1. Raises
    ScriptError for an algorithm that is not implemented, or a key length that it does not have.
    """
    cipher = encryption(encr)
    return cipher.key_size(encr, key_bits) + cipher.salt_size, integrity(integ).key_size


def protection(
    encr: Encr,
    key_bits: int | None,
    integ: Integ | None,
    encryption_key: bytes,
    integrity_key: bytes,
) -> Protection:
    """Make the protection of one direction; the salt is the end of ``encryption_key``.

    Confidentiality without integrity exists in ESP only (RFC 4303, 1), and not in counter mode
    (RFC 3686, 3.3); neither of both is forbidden (RFC 4301, 4.2). Raises ScriptError for these,
    and for keys of wrong sizes.
    """
    cipher = encryption(encr)
    sizes = (len(encryption_key), len(integrity_key))
    if sizes != key_sizes(encr, key_bits, integ):
        raise ScriptError(f"keys of {sizes} octets for {encr!r}, {key_bits} bits, and {integ!r}")
    if cipher.aead is not None:
        if integ:
            raise ScriptError(f"{encr!r} is a combined mode and takes no {integ!r}")
        make = ImplicitIv if cipher.implicit_iv else CombinedMode
        return make(cipher, cipher.aead, encryption_key)
    _check_without_integrity(cipher, encr, integ)
    end = len(encryption_key) - cipher.salt_size
    key, salt = encryption_key[:end], encryption_key[end:]
    return EncryptThenMac(cipher, integrity(integ), key, salt, integrity_key)


def _check_without_integrity(cipher: EncryptionAlgorithm, encr: Encr, integ: Integ | None) -> None:
    if not integ and cipher.block is None:
        raise ScriptError("neither encryption nor integrity (RFC 4301, 4.2)")
    if not integ and cipher.forgeable:
        raise ScriptError(f"{encr!r} without integrity (RFC 3686, 3.3)")
