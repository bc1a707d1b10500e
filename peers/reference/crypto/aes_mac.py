"""MACs made of AES with a key of 128 bits: XCBC (RFC 3566) and CMAC (RFC 4493).

XCBC is our own, from AES itself: `cryptography` does not have it.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

KEY_SIZE = 16
"""Octets of a key, of a block and of an untruncated output."""


class Xcbc:
    """AES-XCBC-MAC under one key, not truncated (RFC 3566, 4)."""

    def __init__(self, key: bytes) -> None:
        encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
        k1, self._whole, self._padded = (
            encryptor.update(bytes([number]) * KEY_SIZE) for number in (1, 2, 3)
        )
        self._algorithm = algorithms.AES(k1)

    def __call__(self, data: bytes) -> bytes:
        """Compute the MAC: the last block of a CBC encryption that starts from zero.

        The last block of ``data`` is masked with K2 when it is whole; otherwise, also when it is
        empty, it is padded with a one bit and zeros and masked with K3.
        """
        end = max(len(data) - 1, 0) // KEY_SIZE * KEY_SIZE
        last, mask = data[end:], self._whole
        if len(last) < KEY_SIZE:
            last, mask = (last + b"\x80").ljust(KEY_SIZE, b"\0"), self._padded
        masked = bytes(a ^ b for a, b in zip(last, mask, strict=True))
        encryptor = Cipher(self._algorithm, modes.CBC(bytes(KEY_SIZE))).encryptor()
        return encryptor.update(data[:end] + masked)[-KEY_SIZE:]


class Cmac:
    """AES-CMAC under one key, not truncated (RFC 4493, 2.4)."""

    def __init__(self, key: bytes) -> None:
        self._fresh = CMAC(algorithms.AES(key))

    def __call__(self, data: bytes) -> bytes:
        """Compute the MAC."""
        context = self._fresh.copy()
        context.update(data)
        return context.finalize()
