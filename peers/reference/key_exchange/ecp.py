"""Elliptic curve groups modulo a prime (RFC 5903, RFC 5114, RFC 6954)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from peers.reference.errors import InvalidPublicValue
from peers.reference.key_exchange import weierstrass
from peers.reference.key_exchange.interface import DiffieHellman, KeyExchange, Random, check_size
from peers.reference.numbers import KeyExchangeMethod

Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Curve(ABC):
    """A curve with its prime and the order of its generator."""

    prime: int
    order: int

    @abstractmethod
    def base_times(self, scalar: int) -> Point:
        """Multiply the generator."""

    @abstractmethod
    def times(self, scalar: int, point: Point) -> int:
        """Give x of a multiple of a point; ValueError when it is not on the curve."""


@dataclass(frozen=True, slots=True)
class _OpenSsl(_Curve):
    curve: ec.EllipticCurve

    def base_times(self, scalar: int) -> Point:
        public = ec.derive_private_key(scalar, self.curve).public_key().public_numbers()
        return public.x, public.y

    def times(self, scalar: int, point: Point) -> int:
        public = ec.EllipticCurvePublicNumbers(*point, self.curve).public_key()
        shared = ec.derive_private_key(scalar, self.curve).exchange(ec.ECDH(), public)
        return int.from_bytes(shared, "big")


@dataclass(frozen=True, slots=True)
class _Own(_Curve):
    """A curve that OpenSSL's Python binding does not have."""

    curve: weierstrass.Curve

    def base_times(self, scalar: int) -> Point:
        return self.curve.multiply(scalar, self.curve.generator)

    def times(self, scalar: int, point: Point) -> int:
        if not self.curve.contains(point):
            raise ValueError("not on the curve")
        return self.curve.multiply(scalar, point)[0]


def _own(curve: weierstrass.Curve) -> _Own:
    return _Own(curve.prime, curve.order, curve)


_CURVES: Mapping[KeyExchangeMethod, _Curve] = {
    # RFC 5903, 3
    KeyExchangeMethod.ECP_256: _OpenSsl(
        2**256 - 2**224 + 2**192 + 2**96 - 1,
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        ec.SECP256R1(),
    ),
    KeyExchangeMethod.ECP_384: _OpenSsl(
        2**384 - 2**128 - 2**96 + 2**32 - 1,
        2**384 - 0x389CB27E0BC8D220A7E5F24DB74F58851313E695333AD68D,
        ec.SECP384R1(),
    ),
    KeyExchangeMethod.ECP_521: _OpenSsl(
        2**521 - 1,
        2**521 - 0x5AE79787C40D069948033FEB708F65A2FC44A36477663B851449048E16EC79BF7,
        ec.SECP521R1(),
    ),
    # RFC 5114, 2.4 and 2.5
    KeyExchangeMethod.ECP_192: _OpenSsl(
        2**192 - 2**64 - 1,
        0xFFFFFFFFFFFFFFFFFFFFFFFF99DEF836146BC9B1B4D22831,
        ec.SECP192R1(),
    ),
    KeyExchangeMethod.ECP_224: _OpenSsl(
        2**224 - 2**96 + 1,
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFF16A2E0B8F03E13DD29455C5C2A3D,
        ec.SECP224R1(),
    ),
    # RFC 6954, 2.1, with the parameters of RFC 5639, 3.4 to 3.7
    KeyExchangeMethod.BRAINPOOL_P224R1: _own(weierstrass.BRAINPOOL_P224R1),
    KeyExchangeMethod.BRAINPOOL_P256R1: _OpenSsl(
        0xA9FB57DBA1EEA9BC3E660A909D838D726E3BF623D52620282013481D1F6E5377,
        0xA9FB57DBA1EEA9BC3E660A909D838D718C397AA3B561A6F7901E0E82974856A7,
        ec.BrainpoolP256R1(),
    ),
    KeyExchangeMethod.BRAINPOOL_P384R1: _OpenSsl(
        int(
            "8CB91E82A3386D280F5D6F7E50E641DF152F7109ED5456B4"
            "12B1DA197FB71123ACD3A729901D1A71874700133107EC53",
            16,
        ),
        int(
            "8CB91E82A3386D280F5D6F7E50E641DF152F7109ED5456B3"
            "1F166E6CAC0425A7CF3AB6AF6B7FC3103B883202E9046565",
            16,
        ),
        ec.BrainpoolP384R1(),
    ),
    KeyExchangeMethod.BRAINPOOL_P512R1: _OpenSsl(
        int(
            "AADD9DB8DBE9C48B3FD4E6AE33C9FC07CB308DB3B3C9D20ED6639CCA70330871"
            "7D4D9B009BC66842AECDA12AE6A380E62881FF2F2D82C68528AA6056583A48F3",
            16,
        ),
        int(
            "AADD9DB8DBE9C48B3FD4E6AE33C9FC07CB308DB3B3C9D20ED6639CCA70330870"
            "553E5C414CA92619418661197FAC10471DB1D381085DDADDB58796829CA90069",
            16,
        ),
        ec.BrainpoolP512R1(),
    ),
}


class Ecp(DiffieHellman):
    """A group of a curve: the public value is x | y, the shared secret is x (RFC 5903, 7)."""

    def __init__(self, number: KeyExchangeMethod, curve: _Curve) -> None:
        self.number = number
        self.curve = curve
        self.size = -(-curve.prime.bit_length() // 8)

    def initiate(self, random: Random) -> KeyExchange:
        """Draw a scalar between 1 and the order less one."""
        # Eight octets more than the order has make the remainder's bias negligible.
        drawn = int.from_bytes(random(self.size + 8), "big")
        return _EcpHalf(self, drawn % (self.curve.order - 1) + 1)

    def read(self, peer_public: bytes) -> Point:
        """Split a public value; PeerError when its coordinates are none."""
        check_size(self.number, peer_public, 2 * self.size)
        x = int.from_bytes(peer_public[: self.size], "big")
        y = int.from_bytes(peer_public[self.size :], "big")
        if max(x, y) >= self.curve.prime:
            raise InvalidPublicValue(f"{self.number.name}: a coordinate is not reduced modulo p")
        return x, y

    def write(self, coordinate: int) -> bytes:
        """Give a coordinate in as many octets as the prime has."""
        return coordinate.to_bytes(self.size, "big")


class _EcpHalf(KeyExchange):
    def __init__(self, group: Ecp, scalar: int) -> None:
        self.method = group.number
        self._group = group
        self._scalar = scalar
        self.public = b"".join(map(group.write, group.curve.base_times(scalar)))

    def shared(self, peer_public: bytes) -> bytes:
        point = self._group.read(peer_public)
        try:
            return self._group.write(self._group.curve.times(self._scalar, point))
        except ValueError:
            raise InvalidPublicValue(
                f"{self.method.name}: a public value that is no point of the curve (RFC 6989, 2.3)"
            ) from None


GROUPS: Mapping[KeyExchangeMethod, Ecp] = {
    number: Ecp(number, curve) for number, curve in _CURVES.items()
}
