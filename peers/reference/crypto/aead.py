"""Combined modes that `cryptography` does not offer as IPsec wants them."""

from __future__ import annotations

from typing import Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class Aead(Protocol):
    """A keyed combined mode; the ICV ends the ciphertext. InvalidTag when it is wrong."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes:
        """Give ciphertext | ICV."""

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes:
        """Give the plaintext."""


class TruncatedGcm:
    """AES-GCM with an ICV of 8 or 12 octets (RFC 4106, 6)."""

    def __init__(self, key: bytes, icv_size: int) -> None:
        self._algorithm = algorithms.AES(key)
        self._full = AESGCM(key)
        self._icv_size = icv_size

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """Encrypt, and cut the ICV."""
        return self._full.encrypt(nonce, data, associated_data)[: self._icv_size - 16]

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """Verify a cut ICV, and decrypt."""
        mode = modes.GCM(nonce, data[-self._icv_size :], min_tag_length=self._icv_size)
        decryptor = Cipher(self._algorithm, mode).decryptor()
        decryptor.authenticate_additional_data(associated_data)
        return decryptor.update(data[: -self._icv_size]) + decryptor.finalize()


class Gmac:
    """AES-GMAC as a combined mode that encrypts nothing (RFC 4543, 3).

    It covers the payload, with the IV that the nonce ends with, as associated data.
    """

    def __init__(self, key: bytes) -> None:
        self._gcm = AESGCM(key)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """Give data | ICV."""
        return data + self._gcm.encrypt(nonce, b"", associated_data + nonce[4:] + data)

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """Verify the ICV, and give the data."""
        covered, icv = data[:-16], data[-16:]
        self._gcm.decrypt(nonce, icv, associated_data + nonce[4:] + covered)
        return covered
