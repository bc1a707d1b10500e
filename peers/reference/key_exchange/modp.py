"""MODP groups (RFC 7296, B; RFC 3526; RFC 5114) with the recipient's tests of RFC 6989."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import gmpy2  # type: ignore[import-untyped]

from peers.reference.errors import InvalidPublicValue
from peers.reference.key_exchange.interface import DiffieHellman, KeyExchange, Random, check_size
from peers.reference.key_exchange.subgroups import SUBGROUPS
from peers.reference.numbers import KeyExchangeMethod


class _SafePrime(NamedTuple):
    """A prime by its size and its k (RFC 3526), and the octets of an exponent.

    The exponents have at least the larger of the two estimates of RFC 3526, 8, in whole octets.
    """

    bits: int
    k: int
    exponent_size: int


_SAFE_PRIMES: Mapping[KeyExchangeMethod, _SafePrime] = {
    # RFC 7296, B.1 and B.2
    KeyExchangeMethod.MODP_768: _SafePrime(768, 149686, 20),
    KeyExchangeMethod.MODP_1024: _SafePrime(1024, 129093, 20),
    # RFC 3526, 2 to 7
    KeyExchangeMethod.MODP_1536: _SafePrime(1536, 741804, 25),
    KeyExchangeMethod.MODP_2048: _SafePrime(2048, 124476, 32),
    KeyExchangeMethod.MODP_3072: _SafePrime(3072, 1690314, 36),
    KeyExchangeMethod.MODP_4096: _SafePrime(4096, 240904, 40),
    KeyExchangeMethod.MODP_6144: _SafePrime(6144, 929484, 50),
    KeyExchangeMethod.MODP_8192: _SafePrime(8192, 4743158, 60),
}


def _safe_prime(bits: int, k: int) -> int:
    """Compute 2^n - 2^(n-64) - 1 + 2^64 * (floor(2^(n-130) * pi) + k), as RFC 3526 defines it."""
    with gmpy2.context(precision=bits):
        pi = int(gmpy2.floor(gmpy2.mul_2exp(gmpy2.const_pi(), bits - 130)))
    prime: int = 2**bits - 2 ** (bits - 64) - 1 + 2**64 * (pi + k)
    return prime


class Modp(DiffieHellman):
    """A MODP group; ``subgroup_order`` is None where the prime is a safe one and g is 2.

    Values are as long as the modulus (RFC 7296, 3.4).
    """

    def __init__(
        self,
        number: KeyExchangeMethod,
        prime: int,
        generator: int = 2,
        *,
        exponent_size: int = 0,
        subgroup_order: int | None = None,
    ) -> None:
        self.number = number
        self.prime = prime
        self.size = prime.bit_length() // 8
        self._generator = generator
        self._exponent_size = exponent_size
        self._order = subgroup_order

    def initiate(self, random: Random) -> KeyExchange:
        """Draw an exponent."""
        return _ModpHalf(self, self._exponent(random))

    def _exponent(self, random: Random) -> int:
        if self._order is None:
            # With its top bit set the exponent is large whatever was drawn: 1 < public < p-1.
            size = self._exponent_size
            return int.from_bytes(random(size), "big") | 1 << (8 * size - 1)
        # Eight octets more than the order has make the remainder's bias negligible.
        size = -(-self._order.bit_length() // 8) + 8
        return int.from_bytes(random(size), "big") % (self._order - 1) + 1

    def power(self, exponent: int, base: int | None = None) -> bytes:
        """Raise ``base``, by default the generator, to an exponent."""
        result = gmpy2.powmod(self._generator if base is None else base, exponent, self.prime)
        return int(result).to_bytes(self.size, "big")

    def check(self, peer_public: bytes) -> int:
        """Make the tests of RFC 6989, 2.1 and 2.2, and give the value."""
        check_size(self.number, peer_public, self.size)
        value = int.from_bytes(peer_public, "big")
        if not 1 < value < self.prime - 1:
            raise InvalidPublicValue(
                f"{self.number.name}: a public value outside 2 .. p-2 (RFC 6989, 2.1)"
            )
        if self._order is not None and gmpy2.powmod(value, self._order, self.prime) != 1:
            raise InvalidPublicValue(
                f"{self.number.name}: a public value outside the subgroup (RFC 6989, 2.2)"
            )
        return value


class _ModpHalf(KeyExchange):
    def __init__(self, group: Modp, exponent: int) -> None:
        self.method = group.number
        self.public = group.power(exponent)
        self._group = group
        self._exponent = exponent

    def shared(self, peer_public: bytes) -> bytes:
        return self._group.power(self._exponent, self._group.check(peer_public))


def _groups() -> dict[KeyExchangeMethod, Modp]:
    safe = {
        number: Modp(number, _safe_prime(group.bits, group.k), exponent_size=group.exponent_size)
        for number, group in _SAFE_PRIMES.items()
    }
    small = {
        number: Modp(number, group.prime, group.generator, subgroup_order=group.order)
        for number, group in SUBGROUPS.items()
    }
    return {**safe, **small}


GROUPS: Mapping[KeyExchangeMethod, Modp] = _groups()
