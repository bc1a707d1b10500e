"""Encryption algorithms (transform type 1), looked up by their IANA numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cryptography.hazmat.decrepit.ciphers.algorithms import Camellia, TripleDES
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

from peers.reference.crypto.aead import Aead, Gmac, TruncatedGcm
from peers.reference.crypto.lookup import lookup
from peers.reference.errors import ScriptError
from peers.reference.numbers import Encr

ModeMaker = Callable[[bytes, bytes], modes.CBC | modes.CTR]
"""Makes a mode of operation of salt and IV."""


def _cbc(salt: bytes, iv: bytes) -> modes.CBC:
    return modes.CBC(iv)


def _ctr(salt: bytes, iv: bytes) -> modes.CTR:
    """Start from the counter block nonce | IV | 1 (RFC 3686, 4)."""
    return modes.CTR(salt + iv + b"\0\0\0\1")


@dataclass(frozen=True, slots=True)
class EncryptionAlgorithm:
    """An encryption algorithm: sizes in octets, key lengths in bits as in the Key Length attribute.

    ``fixed_key_size`` is that of an algorithm which takes no Key Length attribute. Either ``aead``
    makes a combined mode of a key, or ``block`` a block cipher, whose mode is ``mode``; ENCR_NULL
    has neither. ``implicit_iv`` means that the IV is the sequence number (RFC 8750);
    ``forgeable`` that the algorithm must not do without integrity; ``for_ike`` is False for what
    is defined in ESP only.
    """

    iv_size: int
    block_size: int
    salt_size: int = 0
    icv_size: int = 0
    key_bits: tuple[int, ...] = ()
    fixed_key_size: int = 0
    aead: Callable[[bytes], Aead] | None = None
    block: Callable[[bytes], BlockCipherAlgorithm] | None = None
    mode: ModeMaker = _cbc
    implicit_iv: bool = False
    forgeable: bool = False
    for_ike: bool = True

    def key_size(self, name: Encr, key_bits: int | None) -> int:
        """Give the key's size in octets, without the salt."""
        if key_bits is None and not self.key_bits:
            return self.fixed_key_size
        if key_bits in self.key_bits:
            return key_bits // 8
        raise ScriptError(f"{name!r} with a key length of {key_bits} bits")


_BITS = (128, 192, 256)


def _gcm(icv_size: int, aead: Callable[[bytes], Aead]) -> EncryptionAlgorithm:
    return EncryptionAlgorithm(8, 1, 4, icv_size, _BITS, aead=aead)


def _ccm(icv_size: int) -> EncryptionAlgorithm:
    """With a salt of 3 octets the nonce has 11, so that L is 4 (RFC 4309, 2 and 4)."""
    return EncryptionAlgorithm(
        8, 1, 3, icv_size, _BITS, aead=lambda key: AESCCM(key, tag_length=icv_size)
    )


def _with_implicit_iv(algorithm: EncryptionAlgorithm) -> EncryptionAlgorithm:
    return replace(algorithm, iv_size=0, implicit_iv=True, for_ike=False)


_AES_CCM_8 = _ccm(8)
_AES_GCM_16 = _gcm(16, AESGCM)
_CHACHA20_POLY1305 = EncryptionAlgorithm(8, 1, 4, 16, fixed_key_size=32, aead=ChaCha20Poly1305)


def _des(key: bytes) -> TripleDES:
    """DES is 3DES by one key three times."""
    return TripleDES(3 * key)


_TABLE: Mapping[Encr, EncryptionAlgorithm] = {
    # RFC 2405
    Encr.ENCR_DES: EncryptionAlgorithm(8, 8, fixed_key_size=8, block=_des),
    # RFC 2451
    Encr.ENCR_3DES: EncryptionAlgorithm(8, 8, fixed_key_size=24, block=TripleDES),
    # RFC 2410; forbidden for IKE (RFC 7296, 5)
    Encr.ENCR_NULL: EncryptionAlgorithm(0, 1),
    # RFC 3602
    Encr.ENCR_AES_CBC: EncryptionAlgorithm(16, 16, key_bits=_BITS, block=algorithms.AES),
    # RFC 3686 and RFC 5930
    Encr.ENCR_AES_CTR: EncryptionAlgorithm(
        8, 1, 4, key_bits=_BITS, block=algorithms.AES, mode=_ctr, forgeable=True
    ),
    # RFC 4309 and RFC 5282
    Encr.ENCR_AES_CCM_8: _AES_CCM_8,
    Encr.ENCR_AES_CCM_12: _ccm(12),
    Encr.ENCR_AES_CCM_16: _ccm(16),
    # RFC 4106 and RFC 5282
    Encr.ENCR_AES_GCM_8: _gcm(8, lambda key: TruncatedGcm(key, 8)),
    Encr.ENCR_AES_GCM_12: _gcm(12, lambda key: TruncatedGcm(key, 12)),
    Encr.ENCR_AES_GCM_16: _AES_GCM_16,
    # RFC 4543
    Encr.ENCR_NULL_AUTH_AES_GMAC: EncryptionAlgorithm(8, 1, 4, 16, _BITS, aead=Gmac, for_ike=False),
    # RFC 4312 and RFC 5529
    Encr.ENCR_CAMELLIA_CBC: EncryptionAlgorithm(16, 16, key_bits=_BITS, block=Camellia),
    # RFC 7634
    Encr.ENCR_CHACHA20_POLY1305: _CHACHA20_POLY1305,
    # RFC 8750
    Encr.ENCR_AES_CCM_8_IIV: _with_implicit_iv(_AES_CCM_8),
    Encr.ENCR_AES_GCM_16_IIV: _with_implicit_iv(_AES_GCM_16),
    Encr.ENCR_CHACHA20_POLY1305_IIV: _with_implicit_iv(_CHACHA20_POLY1305),
}


def encryption(number: Encr) -> EncryptionAlgorithm:
    """Look an algorithm up; ScriptError for one that is not implemented."""
    return lookup(_TABLE, number)


def is_combined(encr: Encr) -> bool:
    """Say whether an encryption algorithm also gives integrity (RFC 7296, 3.3: no INTEG)."""
    return encryption(encr).aead is not None


def is_for_ike(encr: Encr) -> bool:
    """Say whether an encryption algorithm can protect an IKE SA, beside an integrity algorithm.

    Whether it may is another question: `implemented.FORBIDDEN_FOR_IKE`.
    """
    return encryption(encr).for_ike
