"""Integrity algorithms (transform type 3), looked up by their IANA numbers."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from peers.reference.crypto.aes_mac import KEY_SIZE, Cmac, Xcbc
from peers.reference.crypto.lookup import lookup
from peers.reference.numbers import Integ

Mac = Callable[[bytes], bytes]
"""A keyed algorithm; its output is not truncated yet."""


@dataclass(frozen=True, slots=True)
class Integrity:
    """An integrity algorithm: sizes in octets, and how a key makes it compute."""

    key_size: int
    icv_size: int
    keyed: Callable[[bytes], Mac]


def _hmac(hash_name: str) -> Callable[[bytes], Mac]:
    return lambda key: partial(_digest, key, hash_name)


def _digest(key: bytes, hash_name: str, data: bytes) -> bytes:
    return hmac.digest(key, data, hash_name)


_TABLE: Mapping[Integ, Integrity] = {
    # RFC 2403 and RFC 2404
    Integ.AUTH_HMAC_MD5_96: Integrity(16, 12, _hmac("md5")),
    Integ.AUTH_HMAC_SHA1_96: Integrity(20, 12, _hmac("sha1")),
    # RFC 3566 and RFC 4494
    Integ.AUTH_AES_XCBC_96: Integrity(KEY_SIZE, 12, Xcbc),
    Integ.AUTH_AES_CMAC_96: Integrity(KEY_SIZE, 12, Cmac),
    # RFC 4868, 2.1.1
    Integ.AUTH_HMAC_SHA2_256_128: Integrity(32, 16, _hmac("sha256")),
    Integ.AUTH_HMAC_SHA2_384_192: Integrity(48, 24, _hmac("sha384")),
    Integ.AUTH_HMAC_SHA2_512_256: Integrity(64, 32, _hmac("sha512")),
}
_NONE = Integrity(0, 0, lambda key: lambda data: b"")


def integrity(number: Integ | None) -> Integrity:
    """Look an algorithm up; ``None`` and the transform ID 0, NONE, both mean there is none.

    Raises ScriptError for one that is not implemented.
    """
    return lookup(_TABLE, number) if number else _NONE
