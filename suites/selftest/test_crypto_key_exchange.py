"""Key exchange methods against published vectors, and the public values that they refuse."""

import os

import pytest
from cryptography.hazmat.primitives.asymmetric import mlkem

from peers.reference.errors import PeerError, ScriptError
from peers.reference.key_exchange import METHODS as IMPLEMENTED
from peers.reference.key_exchange import ecp, key_exchange, respond
from peers.reference.key_exchange.modp import GROUPS
from peers.reference.key_exchange.subgroups import SUBGROUPS
from peers.reference.numbers import KeyExchangeMethod
from vectors.loader import load

PUBLISHED = [*load("rfc5903-ecp").cases, *load("rfc8031-curve25519").cases]
MODP_PRIMES = {number: group.prime for number, group in GROUPS.items()}
PUBLIC_VALUES = load("public-values").cases
# Octets of the initiator's and the responder's data and of the shared secret (RFC 7296, 3.4;
# RFC 3526; RFC 5114; RFC 5903, 7; RFC 6954, 2.3; RFC 8031; FIPS 203, 8).
K = KeyExchangeMethod
SIZES = {
    K.MODP_768: (96, 96, 96),
    K.MODP_1024: (128, 128, 128),
    K.MODP_1536: (192, 192, 192),
    K.MODP_2048: (256, 256, 256),
    K.MODP_3072: (384, 384, 384),
    K.MODP_4096: (512, 512, 512),
    K.MODP_6144: (768, 768, 768),
    K.MODP_8192: (1024, 1024, 1024),
    K.ECP_256: (64, 64, 32),
    K.ECP_384: (96, 96, 48),
    K.ECP_521: (132, 132, 66),
    K.MODP_1024_S160: (128, 128, 128),
    K.MODP_2048_S224: (256, 256, 256),
    K.MODP_2048_S256: (256, 256, 256),
    K.ECP_192: (48, 48, 24),
    K.ECP_224: (56, 56, 28),
    K.BRAINPOOL_P224R1: (56, 56, 28),
    K.BRAINPOOL_P256R1: (64, 64, 32),
    K.BRAINPOOL_P384R1: (96, 96, 48),
    K.BRAINPOOL_P512R1: (128, 128, 64),
    K.CURVE25519: (32, 32, 32),
    K.CURVE448: (56, 56, 56),
    K.ML_KEM_512: (800, 768, 32),
    K.ML_KEM_768: (1184, 1088, 32),
    K.ML_KEM_1024: (1568, 1568, 32),
}
SAFE_PRIMES = [method for method in MODP_PRIMES if method not in SUBGROUPS]
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


@pytest.mark.parametrize("method", SAFE_PRIMES, ids=str)
def test_modp_against_plain_arithmetic(method):
    """The exponent is what was drawn with its top bit set; everything else is RFC 2631, 2.1.1."""
    prime, drawn = MODP_PRIMES[method], int.from_bytes(os.urandom(20), "big")
    sizes = {768: 20, 1024: 20, 1536: 25, 2048: 32, 3072: 36, 4096: 40, 6144: 50, 8192: 60}
    size = sizes[prime.bit_length()]
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


def test_every_method_is_tested_here():
    assert list(IMPLEMENTED) == sorted(SIZES, key=list(IMPLEMENTED).index)


@METHODS
def test_both_sides_agree(method):
    ours = key_exchange(method, os.urandom)
    response = respond(method, ours.public, os.urandom)

    assert ours.method == method
    assert ours.public != response.public
    assert ours.shared(response.public) == response.shared
    assert (len(ours.public), len(response.public), len(response.shared)) == SIZES[method]


@METHODS
@pytest.mark.parametrize("octet", [0, 255])
def test_every_draw_gives_data_that_the_other_side_takes(method, octet):
    """Also the smallest and the largest draw, on either side."""

    def extreme(size):
        return bytes([octet]) * size

    ours = key_exchange(method, extreme)
    response = respond(method, ours.public, extreme)

    assert respond(method, ours.public, os.urandom).shared
    assert ours.shared(response.public) == response.shared


@METHODS
@pytest.mark.parametrize("change", [-1, 1, None], ids=["short", "long", "empty"])
def test_data_of_a_wrong_size_are_refused_by_both_sides(method, change):
    ours = key_exchange(method, os.urandom)
    response = respond(method, ours.public, os.urandom).public

    def resized(data):
        return b"" if change is None else (data + bytes(2))[: len(data) + change]

    with pytest.raises(PeerError, match=f"{method.name}: .* instead of"):
        ours.shared(resized(response))
    with pytest.raises(PeerError, match=f"{method.name}: .* instead of"):
        respond(method, resized(ours.public), os.urandom)


@METHODS
def test_the_same_draw_gives_the_same_value(method):
    a, b = (key_exchange(method, drawing(7)) for _ in range(2))

    assert a.public == b.public
    assert respond(method, a.public, drawing(9)) == respond(method, a.public, drawing(9))


@pytest.mark.parametrize(
    "case", [case for case in PUBLIC_VALUES if case.result == "valid"], ids=str
)
def test_valid_public_value_is_accepted(case):
    ours = key_exchange(KeyExchangeMethod(case.number("method")), os.urandom)

    shared = ours.shared(case.octets("public"))

    assert len(shared) == SIZES[ours.method][2]
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
    for value in (2, prime - 2) if method in SAFE_PRIMES else ():
        assert len(ours.shared(value.to_bytes(size, "big"))) == size


@pytest.mark.parametrize(
    "method", [KeyExchangeMethod.NONE, KeyExchangeMethod(3), KeyExchangeMethod(999)], ids=str
)
def test_unknown_method_is_our_error(method):
    with pytest.raises(ScriptError, match="not implemented"):
        key_exchange(method, os.urandom)


@pytest.mark.parametrize("method", SUBGROUPS, ids=str)
def test_subgroup_of_rfc_5114(method):
    """RFC 6989, 2.2: r^q = 1. An element of another order is refused; the generator is taken."""
    group, ours = SUBGROUPS[method], key_exchange(method, os.urandom)
    size, cofactor = len(ours.public), (group.prime - 1) // group.order
    assert pow(group.generator, group.order, group.prime) == 1
    assert cofactor * group.order + 1 == group.prime

    outside = next(r for r in range(2, 100) if pow(r, group.order, group.prime) != 1)
    with pytest.raises(PeerError, match="outside the subgroup"):
        ours.shared(outside.to_bytes(size, "big"))
    inside = pow(outside, cofactor, group.prime)
    assert len(ours.shared(inside.to_bytes(size, "big"))) == size


@pytest.mark.parametrize("method", SUBGROUPS, ids=str)
def test_exponents_run_from_one_to_the_order_less_one(method):
    group = SUBGROUPS[method]
    size = group.prime.bit_length() // 8

    publics = [key_exchange(method, drawing(n)).public for n in (0, group.order - 2)]

    inverse = pow(group.generator, -1, group.prime)
    assert publics == [group.generator.to_bytes(size, "big"), inverse.to_bytes(size, "big")]


@pytest.mark.parametrize("method", ecp.GROUPS, ids=str)
def test_order_less_one_gives_the_inverse_of_the_generator(method):
    """The prime and the order of every curve, also of those whose RFC prints no vectors."""
    curve = ecp.GROUPS[method].curve
    generator, inverse = curve.base_times(1), curve.base_times(curve.order - 1)

    assert inverse == (generator[0], curve.prime - generator[1])
    assert curve.times(curve.order - 1, generator) == generator[0]


@pytest.mark.parametrize("method", ecp.GROUPS, ids=str)
def test_point_beside_the_curve_is_refused(method):
    ours = key_exchange(method, os.urandom)
    changed = bytearray(respond(method, ours.public, os.urandom).public)
    changed[-1] ^= 1

    with pytest.raises(PeerError, match="no point of the curve"):
        ours.shared(bytes(changed))
    with pytest.raises(PeerError, match="no point of the curve"):
        respond(method, bytes(changed), os.urandom)


@pytest.mark.parametrize("method", [K.CURVE25519, K.CURVE448], ids=str)
@pytest.mark.parametrize("value", [0, 1])
def test_zero_result_is_refused(method, value):
    """0 and 1 are of small order on both curves (RFC 7748, 6.1 and 6.2)."""
    size = SIZES[method][0]

    with pytest.raises(PeerError, match="the result is zero"):
        respond(method, value.to_bytes(size, "little"), os.urandom)


# ML-KEM: `cryptography` (OpenSSL or AWS-LC) is the second implementation.

KEMS = [K.ML_KEM_512, K.ML_KEM_768, K.ML_KEM_1024]
SECOND = {
    K.ML_KEM_768: (mlkem.MLKEM768PrivateKey, mlkem.MLKEM768PublicKey),
    K.ML_KEM_1024: (mlkem.MLKEM1024PrivateKey, mlkem.MLKEM1024PublicKey),
}


@pytest.mark.parametrize("method", SECOND, ids=str)
def test_ml_kem_agrees_with_a_second_implementation(method):
    """Same key from the same seed d | z, and each decapsulates what the other encapsulates."""
    private, public = SECOND[method]
    seed = os.urandom(64)
    drawn = iter((seed[:32], seed[32:]))
    ours, theirs = key_exchange(method, lambda _: next(drawn)), private.from_seed_bytes(seed)
    secret, ciphertext = public.from_public_bytes(ours.public).encapsulate()
    response = respond(method, ours.public, os.urandom)

    assert ours.public == theirs.public_key().public_bytes_raw()
    assert ours.shared(ciphertext) == secret
    assert theirs.decapsulate(response.public) == response.shared


@pytest.mark.parametrize("method", KEMS, ids=str)
def test_encapsulation_key_that_is_not_reduced_is_refused(method):
    """The modulus check of FIPS 203, 7.2: q-1 = 3328 is the largest coefficient."""
    key = key_exchange(method, os.urandom).public
    nibble = key[1] & 0xF0
    largest = bytes([0x00, nibble | 0x0D]) + key[2:]
    beyond = bytes([0x01, nibble | 0x0D]) + key[2:]

    assert respond(method, largest, os.urandom)
    with pytest.raises(PeerError, match="not reduced modulo q"):
        respond(method, beyond, os.urandom)


@pytest.mark.parametrize("method", KEMS, ids=str)
def test_wrong_ciphertext_gives_another_secret(method):
    """Implicit rejection (FIPS 203, 6.3): nothing tells, but the secret is not shared."""
    ours = key_exchange(method, os.urandom)
    response = respond(method, ours.public, os.urandom)
    changed = bytes([response.public[0] ^ 1]) + response.public[1:]

    assert ours.shared(changed) != response.shared
    assert len(ours.shared(changed)) == 32
