"""Diffie-Hellman groups behind one interface, with the recipient's tests of RFC 6989."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import gmpy2  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric import ec, x25519

from peers.reference.errors import PeerError, ScriptError
from peers.reference.numbers import KeyExchangeMethod

Random = Callable[[int], bytes]


class KeyExchange(ABC):
    """Our half of a key exchange: ``public`` is the Key Exchange Data of our KE payload."""

    method: KeyExchangeMethod
    public: bytes

    @abstractmethod
    def shared(self, peer_public: bytes) -> bytes:
        """Give g^ir, padded as RFC 7296, 2.14 wants it; PeerError on an invalid public value."""

    def _check_size(self, peer_public: bytes) -> None:
        if len(peer_public) != len(self.public):
            raise PeerError(
                f"{self.method.name}: a public value of {len(peer_public)} octets"
                f" instead of {len(self.public)}"
            )


def _modp_prime(bits: int, k: int) -> int:
    """Compute 2^n - 2^(n-64) - 1 + 2^64 * (floor(2^(n-130) * pi) + k), as RFC 3526 defines it."""
    with gmpy2.context(precision=bits):
        pi = int(gmpy2.floor(gmpy2.mul_2exp(gmpy2.const_pi(), bits - 130)))
    prime: int = 2**bits - 2 ** (bits - 64) - 1 + 2**64 * (pi + k)
    return prime


MODP_PRIMES: Mapping[KeyExchangeMethod, int] = {
    KeyExchangeMethod.MODP_2048: _modp_prime(2048, 124476),
    KeyExchangeMethod.MODP_3072: _modp_prime(3072, 1690314),
    KeyExchangeMethod.MODP_4096: _modp_prime(4096, 240904),
}
"""The primes of RFC 3526, 3 to 5; all are safe primes with generator 2."""

# At least the 220, 260 and 300 bits that RFC 3526, 8 asks for, in whole octets.
_EXPONENT_SIZES: Mapping[KeyExchangeMethod, int] = {
    KeyExchangeMethod.MODP_2048: 32,
    KeyExchangeMethod.MODP_3072: 36,
    KeyExchangeMethod.MODP_4096: 40,
}


class _Modp(KeyExchange):
    """A MODP group (RFC 3526); values are as long as the modulus (RFC 7296, 3.4)."""

    def __init__(self, method: KeyExchangeMethod, random: Random) -> None:
        self.method = method
        self._prime = MODP_PRIMES[method]
        self._size = self._prime.bit_length() // 8
        size = _EXPONENT_SIZES[method]
        # With its top bit set the exponent is large whatever was drawn, so 1 < public < p-1.
        self._private = int.from_bytes(random(size), "big") | 1 << (8 * size - 1)
        self.public = self._power(2)

    def shared(self, peer_public: bytes) -> bytes:
        self._check_size(peer_public)
        value = int.from_bytes(peer_public, "big")
        if not 1 < value < self._prime - 1:
            raise PeerError(f"{self.method.name}: a public value outside 2 .. p-2 (RFC 6989, 2.1)")
        return self._power(value)

    def _power(self, base: int) -> bytes:
        return int(gmpy2.powmod(base, self._private, self._prime)).to_bytes(self._size, "big")


@dataclass(frozen=True, slots=True)
class _Curve:
    curve: ec.EllipticCurve
    size: int
    prime: int
    order: int


# Component sizes in octets of RFC 5903, 7; primes and group orders of RFC 5903, 3.1 to 3.3.
_CURVES: Mapping[KeyExchangeMethod, _Curve] = {
    KeyExchangeMethod.ECP_256: _Curve(
        ec.SECP256R1(),
        32,
        2**256 - 2**224 + 2**192 + 2**96 - 1,
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    ),
    KeyExchangeMethod.ECP_384: _Curve(
        ec.SECP384R1(),
        48,
        2**384 - 2**128 - 2**96 + 2**32 - 1,
        int(
            "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
            "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973",
            16,
        ),
    ),
    KeyExchangeMethod.ECP_521: _Curve(
        ec.SECP521R1(),
        66,
        2**521 - 1,
        int(
            "01FF"
            "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA"
            "51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409",
            16,
        ),
    ),
}


class _Ecp(KeyExchange):
    """An ECP group (RFC 5903): the public value is x | y, the shared secret is x."""

    def __init__(self, method: KeyExchangeMethod, random: Random) -> None:
        self.method = method
        self._curve = _CURVES[method]
        self._size = self._curve.size
        # Eight octets more than the order has make the remainder's bias negligible.
        drawn = int.from_bytes(random(self._size + 8), "big")
        scalar = drawn % (self._curve.order - 1) + 1
        self._private = ec.derive_private_key(scalar, self._curve.curve)
        point = self._private.public_key().public_numbers()
        self.public = point.x.to_bytes(self._size, "big") + point.y.to_bytes(self._size, "big")

    def shared(self, peer_public: bytes) -> bytes:
        self._check_size(peer_public)
        x = int.from_bytes(peer_public[: self._size], "big")
        y = int.from_bytes(peer_public[self._size :], "big")
        if max(x, y) >= self._curve.prime:
            raise PeerError(f"{self.method.name}: a coordinate is not reduced modulo p")
        try:
            point = ec.EllipticCurvePublicNumbers(x, y, self._curve.curve).public_key()
        except ValueError:
            raise PeerError(
                f"{self.method.name}: a public value that is no point of the curve (RFC 6989, 2.3)"
            ) from None
        return self._private.exchange(ec.ECDH(), point)


class _Curve25519(KeyExchange):
    """Curve25519 (RFC 8031)."""

    def __init__(self, method: KeyExchangeMethod, random: Random) -> None:
        self.method = method
        self._private = x25519.X25519PrivateKey.from_private_bytes(random(32))
        self.public = self._private.public_key().public_bytes_raw()

    def shared(self, peer_public: bytes) -> bytes:
        self._check_size(peer_public)
        point = x25519.X25519PublicKey.from_public_bytes(peer_public)
        try:
            return self._private.exchange(point)
        except ValueError:
            raise PeerError(
                "CURVE25519: a public value of small order: the result is zero (RFC 7748, 6.1)"
            ) from None


_METHODS: Mapping[KeyExchangeMethod, Callable[[KeyExchangeMethod, Random], KeyExchange]] = {
    **dict.fromkeys(MODP_PRIMES, _Modp),
    **dict.fromkeys(_CURVES, _Ecp),
    KeyExchangeMethod.CURVE25519: _Curve25519,
}


def key_exchange(method: KeyExchangeMethod, random: Random) -> KeyExchange:
    """Draw a private key and compute its public value; ScriptError for a method we do not have.

    ``shared`` makes every recipient's test of RFC 6989, also where that RFC only recommends it,
    and refuses two things that are left open: a zero result of Curve25519 (RFC 7748, 6.1) and
    coordinates that are not reduced modulo p.
    """
    check_method(method)
    return _METHODS[method](method, random)


def check_method(method: KeyExchangeMethod) -> None:
    """Raise ScriptError for a method that we do not have."""
    if method not in _METHODS:
        raise ScriptError(f"{method!r} is not implemented")
