"""Pseudorandom functions (transform type 2), and prf+ (RFC 7296, 2.13)."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from peers.reference.crypto.aes_mac import KEY_SIZE, Cmac, Xcbc
from peers.reference.crypto.lookup import lookup
from peers.reference.errors import ScriptError
from peers.reference.numbers import Prf


@dataclass(frozen=True, slots=True)
class _Function:
    """``size`` is that of the output and the preferred key size, in octets.

    ``nonce_size`` is what each nonce gives at most to the key of SKEYSEED (RFC 7296, 2.14).
    """

    size: int
    compute: Callable[[bytes, bytes], bytes]
    nonce_size: int | None = None


def _hmac(hash_name: str, key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, hash_name)


def _xcbc(key: bytes, data: bytes) -> bytes:
    """Compute AES-XCBC-PRF-128: short keys are padded, long ones shortened (RFC 4434, 2)."""
    if len(key) > KEY_SIZE:
        key = Xcbc(bytes(KEY_SIZE))(key)
    return Xcbc(key.ljust(KEY_SIZE, b"\0"))(data)


def _cmac(key: bytes, data: bytes) -> bytes:
    """Compute AES-CMAC-PRF-128: keys of any other size are replaced by their MAC (RFC 4615, 3)."""
    if len(key) != KEY_SIZE:
        key = Cmac(bytes(KEY_SIZE))(key)
    return Cmac(key)(data)


_TABLE: Mapping[Prf, _Function] = {
    # RFC 2104
    Prf.PRF_HMAC_MD5: _Function(16, partial(_hmac, "md5")),
    Prf.PRF_HMAC_SHA1: _Function(20, partial(_hmac, "sha1")),
    # RFC 4434 and RFC 4615
    Prf.PRF_AES128_XCBC: _Function(KEY_SIZE, _xcbc, nonce_size=8),
    Prf.PRF_AES128_CMAC: _Function(KEY_SIZE, _cmac, nonce_size=8),
    # RFC 4868, 2.1.2
    Prf.PRF_HMAC_SHA2_256: _Function(32, partial(_hmac, "sha256")),
    Prf.PRF_HMAC_SHA2_384: _Function(48, partial(_hmac, "sha384")),
    Prf.PRF_HMAC_SHA2_512: _Function(64, partial(_hmac, "sha512")),
}


def prf_size(number: Prf) -> int:
    """Give the octets of a PRF's output, which is its preferred key size (RFC 7296, 2.13)."""
    return lookup(_TABLE, number).size


def prf(number: Prf, key: bytes, data: bytes) -> bytes:
    """Compute prf(key, data) with the PRF of that number (RFC 7296, 2.13)."""
    return lookup(_TABLE, number).compute(key, data)


def prf_plus(number: Prf, key: bytes, seed: bytes, size: int) -> bytes:
    """Compute the first ``size`` octets of prf+ (key, seed) (RFC 7296, 2.13)."""
    blocks = -(-size // prf_size(number))
    if blocks > 255:
        raise ScriptError(f"prf+ is not defined for {size} octets (RFC 7296, 2.13)")
    block, stream = b"", b""
    for counter in range(1, blocks + 1):
        block = prf(number, key, block + seed + bytes([counter]))
        stream += block
    return stream[:size]


def skeyseed_key(number: Prf, nonce_i: bytes, nonce_r: bytes) -> bytes:
    """Make the key of SKEYSEED of both nonces.

    AES-XCBC and AES-CMAC take the first 64 bits of each only (RFC 7296, 2.14).
    """
    size = lookup(_TABLE, number).nonce_size
    return nonce_i[:size] + nonce_r[:size]
