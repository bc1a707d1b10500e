"""Curve25519 and Curve448 (RFC 8031 with RFC 7748)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import x448, x25519

from peers.reference.errors import InvalidPublicValue
from peers.reference.key_exchange.interface import DiffieHellman, KeyExchange, Random, check_size
from peers.reference.numbers import KeyExchangeMethod


class Montgomery(DiffieHellman):
    """A function of RFC 7748: private keys, public values and results have ``size`` octets."""

    def __init__(
        self,
        number: KeyExchangeMethod,
        size: int,
        private: Callable[[bytes], Any],
        public: Callable[[bytes], Any],
    ) -> None:
        self.number = number
        self.size = size
        self.read_public = public
        self._read_private = private

    def initiate(self, random: Random) -> KeyExchange:
        """Draw a private key."""
        return _MontgomeryHalf(self, self._read_private(random(self.size)))


class _MontgomeryHalf(KeyExchange):
    def __init__(self, function: Montgomery, private: Any) -> None:
        self.method = function.number
        self.public = private.public_key().public_bytes_raw()
        self._function = function
        self._private = private

    def shared(self, peer_public: bytes) -> bytes:
        check_size(self.method, peer_public, self._function.size)
        point = self._function.read_public(peer_public)
        try:
            result: bytes = self._private.exchange(point)
        except ValueError:
            raise InvalidPublicValue(
                f"{self.method.name}: a public value of small order: the result is zero"
                " (RFC 7748, 6.1 and 6.2)"
            ) from None
        return result


_25519, _448 = KeyExchangeMethod.CURVE25519, KeyExchangeMethod.CURVE448

GROUPS: Mapping[KeyExchangeMethod, Montgomery] = {
    _25519: Montgomery(
        _25519,
        32,
        x25519.X25519PrivateKey.from_private_bytes,
        x25519.X25519PublicKey.from_public_bytes,
    ),
    _448: Montgomery(
        _448,
        56,
        x448.X448PrivateKey.from_private_bytes,
        x448.X448PublicKey.from_public_bytes,
    ),
}
