"""What protects one direction of an IKE SA or of an ESP SA."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from hmac import compare_digest
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher

from peers.reference.crypto.aead import Aead
from peers.reference.crypto.ciphers import EncryptionAlgorithm
from peers.reference.crypto.integrity import Integrity
from peers.reference.errors import IntegrityFailure, MalformedMessage, ScriptError


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


class CombinedMode(Protection):
    """A combined mode with its IV in front; the nonce is salt | IV (RFC 5282, 4; RFC 7634, 2).

    ``key`` ends with the salt. The cipher's context takes 2.5 kB, so it is made when it is first
    needed: an SA that carries nothing has none.
    """

    __slots__ = ("_decrypt", "_encrypt", "_key", "_least", "_make", "_salt")
    combined = True
    _decrypt: Callable[[bytes, bytes, bytes], bytes]
    _encrypt: Callable[[bytes, bytes, bytes], bytes]

    def __init__(
        self, cipher: EncryptionAlgorithm, make: Callable[[bytes], Aead], key: bytes
    ) -> None:
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
        """Give iv | ciphertext | icv."""
        if implicit or len(iv) != self.iv_size:
            self._check_implicit(implicit)
            self._check_seal(plaintext, iv)
        return iv + self._encrypt(self._salt + iv, plaintext, associated)

    def open(self, associated: bytes, octets: bytes, implicit: bytes = b"") -> bytes:
        """Give the plaintext of iv | ciphertext | icv."""
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


class ImplicitIv(CombinedMode):
    """A combined mode whose IV is the sequence number and is not sent (RFC 8750, 4).

    It is for ESP only: ``associated`` is SPI | sequence number, of 32 or of 64 bits.
    """

    __slots__ = ()

    def seal(self, associated: bytes, plaintext: bytes, iv: bytes, implicit: bytes = b"") -> bytes:
        """Give ciphertext | icv; there is no IV to give."""
        self._check_seal(plaintext, iv)
        self._check_implicit(implicit)
        return self._encrypt(self._nonce(associated), plaintext, associated)

    def open(self, associated: bytes, octets: bytes, implicit: bytes = b"") -> bytes:
        """Give the plaintext of ciphertext | icv."""
        self._check_open(octets)
        self._check_implicit(implicit)
        try:
            return self._decrypt(self._nonce(associated), octets, associated)
        except InvalidTag:
            raise IntegrityFailure(f"wrong ICV {octets[-self.icv_size :].hex()}") from None

    def _nonce(self, associated: bytes) -> bytes:
        sequence = associated[4:]
        if len(sequence) not in (4, 8):
            raise ScriptError(f"no sequence number in associated data {associated.hex()}")
        return self._salt + sequence.rjust(8, b"\0")


class EncryptThenMac(Protection):
    """A cipher and a separate integrity algorithm, either of which may be absent."""

    __slots__ = ("_block", "_mac", "_mode", "_salt")
    combined = False

    def __init__(
        self,
        cipher: EncryptionAlgorithm,
        integrity: Integrity,
        key: bytes,
        salt: bytes,
        integrity_key: bytes,
    ) -> None:
        super().__init__(cipher.iv_size, cipher.block_size, integrity.icv_size)
        self._block = cipher.block(key) if cipher.block else None
        self._mode = cipher.mode
        self._salt = salt
        self._mac = integrity.keyed(integrity_key)

    def seal(self, associated: bytes, plaintext: bytes, iv: bytes, implicit: bytes = b"") -> bytes:
        """Give iv | ciphertext | icv."""
        self._check_seal(plaintext, iv)
        sealed = iv + self._encrypt(plaintext, iv)
        return sealed + self._icv(associated + sealed + implicit)

    def open(self, associated: bytes, octets: bytes, implicit: bytes = b"") -> bytes:
        """Give the plaintext of iv | ciphertext | icv."""
        self._check_open(octets)
        end = len(octets) - self.icv_size
        sealed, icv = octets[:end], octets[end:]
        if not compare_digest(icv, self._icv(associated + sealed + implicit)):
            raise IntegrityFailure(f"wrong ICV {icv.hex()}")
        ciphertext = sealed[self.iv_size :]
        if len(ciphertext) % self.block_size:
            raise MalformedMessage(
                self.iv_size,
                f"a ciphertext of {len(ciphertext)} octets is no multiple of {self.block_size}",
            )
        return self._decrypt(ciphertext, sealed[: self.iv_size])

    def _icv(self, octets: bytes) -> bytes:
        return self._mac(octets)[: self.icv_size]

    def _encrypt(self, plaintext: bytes, iv: bytes) -> bytes:
        if self._block is None:
            return plaintext
        context = Cipher(self._block, self._mode(self._salt, iv)).encryptor()
        return context.update(plaintext) + context.finalize()

    def _decrypt(self, ciphertext: bytes, iv: bytes) -> bytes:
        if self._block is None:
            return ciphertext
        context = Cipher(self._block, self._mode(self._salt, iv)).decryptor()
        return context.update(ciphertext) + context.finalize()
