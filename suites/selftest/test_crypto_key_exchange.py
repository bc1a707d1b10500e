"""Key exchange methods against published vectors, and the public values that they refuse."""

import os

import pytest

from peers.reference.errors import PeerError, ScriptError
from peers.reference.key_exchange import MODP_PRIMES, key_exchange
from peers.reference.numbers import KeyExchangeMethod
from vectors.loader import load

PUBLISHED = [*load("rfc5903-ecp").cases, *load("rfc8031-curve25519").cases]
PUBLIC_VALUES = load("public-values").cases
# Octets of the public value and of the shared secret (RFC 3526; RFC 5903, 7; RFC 8031).
SIZES = {
    KeyExchangeMethod.MODP_2048: (256, 256),
    KeyExchangeMethod.MODP_3072: (384, 384),
    KeyExchangeMethod.MODP_4096: (512, 512),
    KeyExchangeMethod.ECP_256: (64, 32),
    KeyExchangeMethod.ECP_384: (96, 48),
    KeyExchangeMethod.ECP_521: (132, 66),
    KeyExchangeMethod.CURVE25519: (32, 32),
}
METHODS = pytest.mark.parametrize("method", SIZES, ids=str)


def drawing(number):
    """A source of randomness that gives one number, big-endian, in as many octets as asked for."""
    return lambda size: number.to_bytes(size, "big")


def with_private(method, private):
    """Our half with a given private key; an ECP group adds one to what it draws."""
    if method == KeyExchangeMethod.CURVE25519:
        return key_exchange(method, lambda _: private)
    return key_exchange(method, drawing(int.from_bytes(private, "big") - 1))


@pytest.mark.parametrize("case", PUBLISHED, ids=str)
def test_published_exchange(case):
    method = KeyExchangeMethod(case.number("method"))
    initiator = with_private(method, case.octets("private_i"))
    responder = with_private(method, case.octets("private_r"))

    assert initiator.public == case.octets("public_i")
    assert responder.public == case.octets("public_r")
    assert initiator.shared(responder.public) == case.octets("shared")
    assert responder.shared(initiator.public) == case.octets("shared")


@pytest.mark.parametrize("case", load("rfc3526-modp").cases, ids=str)
def test_prime_computed_from_pi_is_the_printed_one(case):
    method = KeyExchangeMethod(case.number("method"))

    assert MODP_PRIMES[method] == int.from_bytes(case.octets("prime"), "big")


@pytest.mark.parametrize("method", MODP_PRIMES, ids=str)
def test_modp_against_plain_arithmetic(method):
    """The exponent is what was drawn with its top bit set; everything else is RFC 2631, 2.1.1."""
    prime, drawn = MODP_PRIMES[method], int.from_bytes(os.urandom(20), "big")
    size = {2048: 32, 3072: 36, 4096: 40}[prime.bit_length()]
    exponent = drawn | 1 << 8 * size - 1
    other = pow(2, int.from_bytes(os.urandom(40), "big"), prime)
    ours = key_exchange(method, drawing(drawn))
    octets = prime.bit_length() // 8

    assert ours.public == pow(2, exponent, prime).to_bytes(octets, "big")
    assert ours.shared(other.to_bytes(octets, "big")) == pow(other, exponent, prime).to_bytes(
        octets, "big"
    )


def test_modp_shared_secret_keeps_its_leading_zeros():
    """RFC 7296, 2.14: padded to the length of the modulus. The public value 2 meets exponent e."""
    method = KeyExchangeMethod.MODP_2048
    prime = MODP_PRIMES[method]
    exponent = 1 << 255
    # The inverse exponent makes a public value whose shared secret is small.
    order = (prime - 1) // 2
    public = pow(4, pow(exponent, -1, order), prime)

    shared = key_exchange(method, drawing(0)).shared(public.to_bytes(256, "big"))

    assert shared == (4).to_bytes(256, "big")


@pytest.mark.parametrize("case", load("rfc5903-groups").cases, ids=str)
def test_scalars_of_ecp_groups_run_from_one_to_the_order_less_one(case):
    """1 gives the generator, the order less one its inverse, and then it starts again."""
    method, order = KeyExchangeMethod(case.number("method")), number(case, "order")
    x, y = case.octets("generator_x"), case.octets("generator_y")
    inverse_y = (number(case, "prime") - number(case, "generator_y")).to_bytes(len(y), "big")

    publics = [key_exchange(method, drawing(drawn)).public for drawn in (0, order - 2, order - 1)]

    assert publics == [x + y, x + inverse_y, x + y]


@pytest.mark.parametrize("case", load("rfc5903-groups").cases, ids=str)
def test_coordinates_are_less_than_the_prime(case):
    """p-1 is a coordinate, though perhaps not of a point; p is none."""
    ours = key_exchange(KeyExchangeMethod(case.number("method")), os.urandom)
    prime, size = number(case, "prime"), len(ours.public) // 2
    largest, least = (prime - 1).to_bytes(size, "big"), (1).to_bytes(size, "big")

    for refused in (case.octets("prime") + least, least + case.octets("prime")):
        with pytest.raises(PeerError, match="not reduced"):
            ours.shared(refused)
    for strange in (largest + least, least + largest):
        with pytest.raises(PeerError, match="no point of the curve"):
            ours.shared(strange)


def number(case, name):
    return int.from_bytes(case.octets(name), "big")


@METHODS
def test_both_sides_agree(method):
    a, b = key_exchange(method, os.urandom), key_exchange(method, os.urandom)

    assert a.method == method
    assert a.public != b.public
    assert a.shared(b.public) == b.shared(a.public)
    assert (len(a.public), len(a.shared(b.public))) == SIZES[method]


@METHODS
@pytest.mark.parametrize("octet", [0, 255])
def test_every_draw_gives_a_valid_public_value(method, octet):
    """Also the smallest and the largest: our own value passes the other side's tests."""
    extreme = key_exchange(method, lambda size: bytes([octet]) * size)

    assert key_exchange(method, os.urandom).shared(extreme.public)


@METHODS
def test_the_same_draw_gives_the_same_value(method):
    a, b = (key_exchange(method, drawing(7)) for _ in range(2))

    assert a.public == b.public


@pytest.mark.parametrize(
    "case", [case for case in PUBLIC_VALUES if case.result == "valid"], ids=str
)
def test_valid_public_value_is_accepted(case):
    ours = key_exchange(KeyExchangeMethod(case.number("method")), os.urandom)

    shared = ours.shared(case.octets("public"))

    assert len(shared) == SIZES[ours.method][1]
    if "same_as" in case.values:
        assert shared == ours.shared(case.octets("same_as"))


@pytest.mark.parametrize(
    "case", [case for case in PUBLIC_VALUES if case.result != "valid"], ids=str
)
def test_invalid_public_value_is_refused(case):
    """RFC 6989, 2; what RFC 7748, 6.1 leaves open is refused as well."""
    ours = key_exchange(KeyExchangeMethod(case.number("method")), os.urandom)

    with pytest.raises(PeerError, match=ours.method.name):
        ours.shared(case.octets("public"))


@pytest.mark.parametrize("method", MODP_PRIMES, ids=str)
def test_range_of_every_modp_group(method):
    """RFC 6989, 2.1: 1 < r < p-1."""
    prime, ours = MODP_PRIMES[method], key_exchange(method, os.urandom)
    size = len(ours.public)

    for value in (0, 1, prime - 1, prime, prime + 1):
        with pytest.raises(PeerError, match="outside"):
            ours.shared(value.to_bytes(size, "big"))
    for value in (2, prime - 2):
        assert len(ours.shared(value.to_bytes(size, "big"))) == size


@pytest.mark.parametrize(
    "method", [KeyExchangeMethod.MODP_1024, KeyExchangeMethod.NONE, KeyExchangeMethod(999)], ids=str
)
def test_unknown_method_is_our_error(method):
    with pytest.raises(ScriptError, match="not implemented"):
        key_exchange(method, os.urandom)
