"""Arithmetic on short Weierstrass curves of prime order, for those that OpenSSL's binding lacks.

It takes no care against timing: a test peer's private keys guard nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import gmpy2  # type: ignore[import-untyped]

Affine = tuple[int, int]
Jacobian = tuple[int, int, int]
"""X, Y, Z stand for x = X/Z^2, y = Y/Z^3; Z = 0 is the point at infinity."""

_INFINITY: Jacobian = (1, 1, 0)


@dataclass(frozen=True, slots=True)
class Curve:
    """The curve y^2 = x^3 + ax + b modulo p; the generator's order is that of the whole group."""

    prime: int
    a: int
    b: int
    generator: Affine
    order: int

    def contains(self, point: Affine) -> bool:
        """Say whether both coordinates satisfy the equation (RFC 6989, 2.3)."""
        x, y = point
        return (y * y - (x * x + self.a) * x - self.b) % self.prime == 0

    def multiply(self, scalar: int, point: Affine) -> Affine:
        """Multiply a point of the curve by a scalar of 1 .. order-1."""
        base, result = (*point, 1), _INFINITY
        for bit in bin(scalar)[2:]:
            result = self._double(result)
            if bit == "1":
                result = self._add(result, base)
        return self._affine(result)

    def _affine(self, point: Jacobian) -> Affine:
        x, y, z = point
        inverse = gmpy2.invert(z, self.prime)
        square = inverse * inverse
        return int(x * square % self.prime), int(y * square * inverse % self.prime)

    def _double(self, point: Jacobian) -> Jacobian:
        # A group of odd order has no point with y = 0, so only infinity doubles to infinity.
        x, y, z = point
        p = self.prime
        ysquare = y * y % p
        s = 4 * x * ysquare % p
        m = (3 * x * x + self.a * pow(z, 4, p)) % p
        doubled = (m * m - 2 * s) % p
        return doubled, (m * (s - doubled) - 8 * ysquare * ysquare) % p, 2 * y * z % p

    def _add(self, one: Jacobian, other: Jacobian) -> Jacobian:
        """Add two points, of which ``other`` is affine (its Z is 1)."""
        (x1, y1, z1), (x2, y2, _) = one, other
        p = self.prime
        if z1 == 0:
            return other
        zsquare = z1 * z1 % p
        h = (x2 * zsquare - x1) % p
        r = (y2 * zsquare * z1 - y1) % p
        if h == 0:
            return self._double(one) if r == 0 else _INFINITY
        hsquare = h * h % p
        hcube, v = h * hsquare % p, x1 * hsquare % p
        x3 = (r * r - hcube - 2 * v) % p
        return x3, (r * (v - x3) - y1 * hcube) % p, h * z1 % p


# RFC 5639, 3.3
BRAINPOOL_P224R1 = Curve(
    prime=0xD7C134AA264366862A18302575D1D787B09F075797DA89F57EC8C0FF,
    a=0x68A5E62CA9CE6C1C299803A6C1530B514E182AD8B0042A59CAD29F43,
    b=0x2580F63CCFE44138870713B1A92369E33E2135D266DBB372386C400B,
    generator=(
        0x0D9029AD2C7E5CF4340823B2A87DC68C9E4CE3174C1E6EFDEE12C07D,
        0x58AA56F772C0726F24C6B89E4ECDAC24354B9E99CAA3F6D3761402CD,
    ),
    order=0xD7C134AA264366862A18302575D0FB98D116BC4B6DDEBCA3A5A7939F,
)
