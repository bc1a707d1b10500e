"""Ciphers, integrity algorithms and pseudorandom functions, looked up by their IANA numbers."""

from __future__ import annotations

import hmac
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from peers.reference.errors import IntegrityFailure, MalformedMessage, ScriptError
from peers.reference.numbers import Encr, Integ, Prf

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Protection(ABC):
    """One direction of an SK payload (RFC 7296, 3.14) or of an ESP SA (RFC 4303).

    Sizes are in octets; ``block_size`` is the multiple that a plaintext's size must have.
    ``combined`` says that one algorithm gives confidentiality and integrity (RFC 4303, 3.2.3).
    """

    __slots__ = ("block_size", "icv_size", "iv_size")
    combined: bool

    def __init__(self, iv_size: int, block_size: int, icv_size: int) -> None:
        self.iv_size = iv_size
        self.block_size = block_size
        self.icv_size = icv_size

    @abstractmethod
    def seal(self, associated: bytes, plaintext: bytes, iv: bytes, implicit: bytes = b"") -> bytes:
        """Give iv | ciphertext | icv; ScriptError when the IV or the plaintext has a wrong size.

        A separate integrity algorithm covers associated | iv | ciphertext | implicit, a combined
        mode covers ``associated`` and takes no ``implicit``.
        """

    @abstractmethod
    def open(self, associated: bytes, octets: bytes, implicit: bytes = b"") -> bytes:
        """Give the plaintext of iv | ciphertext | icv.

        Raises IntegrityFailure when the ICV is wrong or the octets are too few to hold it,
        MalformedMessage when a correct ICV covers what is no whole number of blocks.
        """

    def _check_seal(self, plaintext: bytes, iv: bytes) -> None:
        if len(iv) != self.iv_size:
            raise ScriptError(f"an IV of {len(iv)} octets instead of {self.iv_size}")
        if len(plaintext) % self.block_size:
            raise ScriptError(
                f"a plaintext of {len(plaintext)} octets is no multiple of {self.block_size}"
            )

    def _check_open(self, octets: bytes) -> None:
        if len(octets) < self.iv_size + self.icv_size:
            raise IntegrityFailure(
                f"{len(octets)} octets cannot hold an IV of {self.iv_size}"
                f" and an ICV of {self.icv_size}"
            )


class _Aead(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...


class _CombinedMode(Protection):
    """AES-GCM (RFC 4106, RFC 5282) and ChaCha20-Poly1305 (RFC 7634): the nonce is salt | IV.

    The cipher's context takes 2.5 kB, so it is made when it is first needed: an SA that carries
    nothing has none.
    """

    __slots__ = ("_decrypt", "_encrypt", "_key", "_least", "_make", "_salt")
    combined = True
    _decrypt: Callable[[bytes, bytes, bytes], bytes]
    _encrypt: Callable[[bytes, bytes, bytes], bytes]

    def __init__(self, cipher: _Cipher, make: Callable[[bytes], _Aead], key: bytes) -> None:
        super().__init__(cipher.iv_size, cipher.block_size, cipher.icv_size)
        self._make = make
        self._key = key
        self._salt = key[len(key) - cipher.salt_size :]
        self._least = cipher.iv_size + cipher.icv_size

    def __getattr__(self, name: str) -> Any:
        # Python asks here for a slot that is empty: before the first packet.
        aead = self._make(self._key[: len(self._key) - len(self._salt)])
        self._encrypt, self._decrypt = aead.encrypt, aead.decrypt
        return object.__getattribute__(self, name)

    def seal(self, associated: bytes, plaintext: bytes, iv: bytes, implicit: bytes = b"") -> bytes:
        if implicit or len(iv) != self.iv_size:
            self._check_implicit(implicit)
            self._check_seal(plaintext, iv)
        return iv + self._encrypt(self._salt + iv, plaintext, associated)

    def open(self, associated: bytes, octets: bytes, implicit: bytes = b"") -> bytes:
        if implicit or len(octets) < self._least:
            self._check_implicit(implicit)
            self._check_open(octets)
        iv_size = self.iv_size
        try:
            return self._decrypt(self._salt + octets[:iv_size], octets[iv_size:], associated)
        except InvalidTag:
            raise IntegrityFailure(f"wrong ICV {octets[-self.icv_size :].hex()}") from None

    def _check_implicit(self, implicit: bytes) -> None:
        if implicit:
            raise ScriptError("a combined mode takes everything it covers as associated data")


class _TruncatedGcm:
    """AES-GCM with an ICV of 8 or 12 octets (RFC 4106, 6), which AESGCM does not offer."""

    def __init__(self, key: bytes, icv_size: int) -> None:
        self._algorithm = algorithms.AES(key)
        self._full = AESGCM(key)
        self._icv_size = icv_size

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        return self._full.encrypt(nonce, data, associated_data)[: self._icv_size - 16]

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        mode = modes.GCM(nonce, data[-self._icv_size :], min_tag_length=self._icv_size)
        decryptor = Cipher(self._algorithm, mode).decryptor()
        decryptor.authenticate_additional_data(associated_data)
        return decryptor.update(data[: -self._icv_size]) + decryptor.finalize()


class _EncryptThenMac(Protection):
    """A cipher and a separate integrity algorithm, either of which may be absent."""

    __slots__ = ("_algorithm", "_hash", "_integrity_key")
    combined = False

    def __init__(
        self, cipher: _Cipher, mac: _Mac, encryption_key: bytes, integrity_key: bytes
    ) -> None:
        super().__init__(cipher.iv_size, cipher.block_size, mac.icv_size)
        self._algorithm = algorithms.AES(encryption_key) if encryption_key else None
        self._hash = mac.hash
        self._integrity_key = integrity_key

    def seal(self, associated: bytes, plaintext: bytes, iv: bytes, implicit: bytes = b"") -> bytes:
        self._check_seal(plaintext, iv)
        sealed = iv + self._encrypt(plaintext, iv)
        return sealed + self._icv(associated + sealed + implicit)

    def open(self, associated: bytes, octets: bytes, implicit: bytes = b"") -> bytes:
        self._check_open(octets)
        end = len(octets) - self.icv_size
        sealed, icv = octets[:end], octets[end:]
        if not hmac.compare_digest(icv, self._icv(associated + sealed + implicit)):
            raise IntegrityFailure(f"wrong ICV {icv.hex()}")
        ciphertext = sealed[self.iv_size :]
        if len(ciphertext) % self.block_size:
            raise MalformedMessage(
                self.iv_size,
                f"a ciphertext of {len(ciphertext)} octets is no multiple of {self.block_size}",
            )
        return self._decrypt(ciphertext, sealed[: self.iv_size])

    def _icv(self, octets: bytes) -> bytes:
        if not self.icv_size:
            return b""
        return hmac.digest(self._integrity_key, octets, self._hash)[: self.icv_size]

    def _encrypt(self, plaintext: bytes, iv: bytes) -> bytes:
        if self._algorithm is None:
            return plaintext
        context = Cipher(self._algorithm, modes.CBC(iv)).encryptor()
        return context.update(plaintext) + context.finalize()

    def _decrypt(self, ciphertext: bytes, iv: bytes) -> bytes:
        if self._algorithm is None:
            return ciphertext
        context = Cipher(self._algorithm, modes.CBC(iv)).decryptor()
        return context.update(ciphertext) + context.finalize()


@dataclass(frozen=True, slots=True)
class _Cipher:
    """An encryption algorithm: sizes in octets, key lengths in bits as in the Key Length attribute.

    ``fixed_key_size`` is that of an algorithm which takes no Key Length attribute.
    """

    iv_size: int
    block_size: int
    salt_size: int = 0
    icv_size: int = 0
    key_bits: tuple[int, ...] = ()
    fixed_key_size: int = 0
    aead: Callable[[bytes], _Aead] | None = None

    def key_size(self, name: Encr, key_bits: int | None) -> int:
        """Give the key's size in octets, without the salt."""
        if key_bits is None and not self.key_bits:
            return self.fixed_key_size
        if key_bits in self.key_bits:
            return key_bits // 8
        raise ScriptError(f"{name!r} with a key length of {key_bits} bits")


class _Mac(NamedTuple):
    hash: str
    key_size: int
    icv_size: int


class _PrfHash(NamedTuple):
    hash: str
    size: int


_AES_BITS = (128, 192, 256)
_CIPHERS: Mapping[Encr, _Cipher] = {
    # RFC 3602
    Encr.ENCR_AES_CBC: _Cipher(iv_size=16, block_size=16, key_bits=_AES_BITS),
    # RFC 4106 and RFC 5282
    Encr.ENCR_AES_GCM_8: _Cipher(8, 1, 4, 8, _AES_BITS, aead=lambda key: _TruncatedGcm(key, 8)),
    Encr.ENCR_AES_GCM_12: _Cipher(8, 1, 4, 12, _AES_BITS, aead=lambda key: _TruncatedGcm(key, 12)),
    Encr.ENCR_AES_GCM_16: _Cipher(8, 1, 4, 16, _AES_BITS, aead=AESGCM),
    # RFC 7634
    Encr.ENCR_CHACHA20_POLY1305: _Cipher(8, 1, 4, 16, fixed_key_size=32, aead=ChaCha20Poly1305),
    # RFC 2410
    Encr.ENCR_NULL: _Cipher(iv_size=0, block_size=1),
}
_NO_MAC = _Mac("", 0, 0)
_MACS: Mapping[Integ, _Mac] = {
    # RFC 2404, then RFC 4868
    Integ.AUTH_HMAC_SHA1_96: _Mac("sha1", 20, 12),
    Integ.AUTH_HMAC_SHA2_256_128: _Mac("sha256", 32, 16),
    Integ.AUTH_HMAC_SHA2_384_192: _Mac("sha384", 48, 24),
    Integ.AUTH_HMAC_SHA2_512_256: _Mac("sha512", 64, 32),
}
_PRFS: Mapping[Prf, _PrfHash] = {
    # RFC 2104, then RFC 4868
    Prf.PRF_HMAC_SHA1: _PrfHash("sha1", 20),
    Prf.PRF_HMAC_SHA2_256: _PrfHash("sha256", 32),
    Prf.PRF_HMAC_SHA2_384: _PrfHash("sha384", 48),
    Prf.PRF_HMAC_SHA2_512: _PrfHash("sha512", 64),
}


def _lookup(table: Mapping[_Key, _Value], number: _Key) -> _Value:
    try:
        return table[number]
    except KeyError:
        raise ScriptError(f"{number!r} is not implemented") from None


def _mac(integ: Integ | None) -> _Mac:
    """``None`` and the transform ID 0, NONE, both mean no separate integrity algorithm."""
    return _lookup(_MACS, integ) if integ else _NO_MAC


def is_combined(encr: Encr) -> bool:
    """Say whether an encryption algorithm also gives integrity (RFC 7296, 3.3: no INTEG)."""
    return _lookup(_CIPHERS, encr).aead is not None


def key_sizes(encr: Encr, key_bits: int | None, integ: Integ | None) -> tuple[int, int]:
    """Give the octets of keying material for encryption (salt included) and for integrity.

    Sizes of RFC 4106, 8.1, RFC 7634, 2, and RFC 4868, 2.1.1. Raises ScriptError for an algorithm
    that is not implemented, or a key length that it does not have.
    """
    cipher = _lookup(_CIPHERS, encr)
    return cipher.key_size(encr, key_bits) + cipher.salt_size, _mac(integ).key_size


def protection(
    encr: Encr,
    key_bits: int | None,
    integ: Integ | None,
    encryption_key: bytes,
    integrity_key: bytes,
) -> Protection:
    """Make the protection of one direction; the salt is the end of ``encryption_key``.

    Confidentiality without integrity exists in ESP only (RFC 4303, 1); neither of both is
    forbidden (RFC 4301, 4.2). Raises ScriptError for that, and for keys of wrong sizes.
    """
    cipher, mac = _lookup(_CIPHERS, encr), _mac(integ)
    sizes = (len(encryption_key), len(integrity_key))
    if sizes != key_sizes(encr, key_bits, integ):
        raise ScriptError(f"keys of {sizes} octets for {encr!r}, {key_bits} bits, and {integ!r}")
    if cipher.aead is not None:
        if integ:
            raise ScriptError(f"{encr!r} is a combined mode and takes no {integ!r}")
        return _CombinedMode(cipher, cipher.aead, encryption_key)
    if not encryption_key and mac is _NO_MAC:
        raise ScriptError("neither encryption nor integrity (RFC 4301, 4.2)")
    return _EncryptThenMac(cipher, mac, encryption_key, integrity_key)


def prf_size(number: Prf) -> int:
    """Give the octets of a PRF's output, which is its preferred key size (RFC 7296, 2.13)."""
    return _lookup(_PRFS, number).size


def prf(number: Prf, key: bytes, data: bytes) -> bytes:
    """Compute prf(key, data) with the PRF of that number (RFC 7296, 2.13)."""
    return hmac.digest(key, data, _lookup(_PRFS, number).hash)


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
