"""Several key exchanges between two endpoints: IKE_INTERMEDIATE and what comes of it."""

from __future__ import annotations

from dataclasses import replace
from hmac import digest

import pytest

from peers.reference.additional import addke, repeats
from peers.reference.crypto import protection
from peers.reference.errors import ScriptError
from peers.reference.faults import ReservedBits
from peers.reference.message import Header, Message
from peers.reference.negotiation import Suite as Chosen
from peers.reference.negotiation import choose, ke
from peers.reference.numbers import Encr, ExchangeType, Integ, KeyExchangeMethod, PayloadType
from peers.reference.payloads import KE, SA, SK, Nonce, Unknown, write_payloads
from suites.selftest.wires import LEFT, RIGHT, Wire, connection
from suites.terms import AES_GCM_256, CURVE25519, DEFAULT, Suite, ike

NONE, CURVE448, ECP_256, ML_KEM_768, MODP_2048 = (
    KeyExchangeMethod.NONE,
    KeyExchangeMethod.CURVE448,
    KeyExchangeMethod.ECP_256,
    KeyExchangeMethod.ML_KEM_768,
    KeyExchangeMethod.MODP_2048,
)


def described(*additional, **more):
    suite = Suite((ike(AES_GCM_256, CURVE25519, *additional),), DEFAULT.esp)
    return replace(connection(suite), **more)


COMBINATIONS = [
    pytest.param((addke(1, ML_KEM_768),), id="hybrid"),
    pytest.param((addke(1, ECP_256), addke(2, ML_KEM_768), addke(3, MODP_2048)), id="three"),
    pytest.param((addke(2, ECP_256), addke(7, CURVE448)), id="with-gaps"),
]


def exchanges(wire):
    return [
        Header.decode(packet.octets[4 * (packet.source.port == 4500) :]) for packet in wire.sent
    ]


@pytest.mark.parametrize("additional", COMBINATIONS)
def test_each_agreed_method_is_one_exchange_before_authentication(additional):
    wire = Wire(described(*additional))

    wire.establish()

    kinds = [each.exchange for each in exchanges(wire) if not each.response]
    between = [ExchangeType.IKE_INTERMEDIATE] * len(additional)
    assert kinds == [ExchangeType.IKE_SA_INIT, *between, ExchangeType.IKE_AUTH]
    assert [each.message_id for each in exchanges(wire) if each.response] == list(range(len(kinds)))
    assert wire.up()
    assert wire.echoes(LEFT)
    assert wire.echoes(RIGHT)


def test_no_exchange_takes_place_for_what_is_none():
    offers = described(addke(1, ML_KEM_768), addke(1, NONE), addke(4, NONE))
    answers = described(intermediate=True).mirrored()
    wire = Wire(offers, right=answers)

    wire.establish()

    assert wire.up()
    assert len(wire.sent) == 4


def test_a_side_without_additional_key_exchanges_refuses_those_that_are_not_optional():
    wire = Wire(described(addke(1, ML_KEM_768)), right=connection().mirrored())

    wire.establish()

    assert not wire.up()


@pytest.mark.parametrize("number", range(2, 8))
def test_any_message_may_be_lost(number):
    lost = []

    def lose(count, packet):
        if count == number and not lost:
            lost.append(packet)
            return []
        return [packet]

    wire = Wire(described(addke(1, ECP_256), addke(2, CURVE448)), lose)
    wire.establish()
    wire.wait(30)

    assert lost
    assert wire.up()
    assert wire.echoes(LEFT)


@pytest.mark.parametrize("number", range(2, 8))
def test_any_message_may_come_twice(number):
    def repeat(count, packet):
        return [packet, packet] if count == number else [packet]

    wire = Wire(described(addke(1, ECP_256), addke(2, CURVE448)), repeat)
    wire.establish()

    assert wire.up()


@pytest.mark.parametrize("number", range(2, 6))
def test_any_octet_of_an_exchange_that_changes_is_noticed(number):
    def falsify(count, packet):
        changed = packet.octets[:-1] + bytes([packet.octets[-1] ^ 1])
        return [replace(packet, octets=changed)] if count == number else [packet]

    wire = Wire(described(addke(1, ECP_256), addke(2, CURVE448)), falsify)
    wire.establish()
    assert not wire.up()
    wire.wait(30)
    assert wire.up()


# Choosing (RFC 9370, 2.2.1).

OFFERS = [
    # offered, acceptable, chosen additional methods in order; None: nothing is chosen
    ([(1, ECP_256)], [(1, ECP_256)], (ECP_256,)),
    ([(1, ECP_256), (1, CURVE448)], [(1, CURVE448), (1, ECP_256)], (CURVE448,)),
    ([(1, ECP_256)], [], None),
    ([], [(1, ECP_256)], None),
    ([], [(1, ECP_256), (1, NONE)], ()),
    ([(1, ECP_256), (1, NONE)], [], ()),
    ([(1, ECP_256)], [(2, ECP_256)], None),
    # No method is chosen twice, also where the first choice has to be another for that.
    ([(1, ECP_256), (2, ECP_256)], [(1, ECP_256), (2, ECP_256)], None),
    (
        [(1, ECP_256), (1, CURVE448), (2, ECP_256)],
        [(1, ECP_256), (1, CURVE448), (2, ECP_256)],
        (CURVE448, ECP_256),
    ),
    ([(1, NONE), (2, NONE)], [(1, NONE), (2, NONE)], ()),
    # The example of 2.2.1: two of three, in the order of the types.
    (
        [(2, ECP_256), (2, CURVE448), (3, ECP_256), (3, CURVE448), (5, MODP_2048), (5, NONE)],
        [(2, CURVE448), (3, ECP_256), (3, CURVE448)],
        (CURVE448, ECP_256),
    ),
]


@pytest.mark.parametrize(("offered", "acceptable", "expected"), OFFERS)
def test_the_choice(offered, acceptable, expected):
    theirs, ours = (
        ike(AES_GCM_256, CURVE25519, *(addke(*each) for each in some))
        for some in (offered, acceptable)
    )

    chosen = choose(SA((theirs,)), [ours])

    assert (Chosen.of(chosen).additional if chosen else None) == expected


def test_the_first_key_exchange_may_use_the_method_of_an_additional_one():
    assert not repeats([ke(ECP_256), addke(1, ECP_256)])
    assert repeats([addke(1, ECP_256), addke(2, ECP_256)])


# The keys and IntAuth, computed here once more from the text of the RFCs.


def test_keys_and_auth_are_what_the_rfcs_say():
    wire = Wire(described(addke(1, ECP_256)))
    seen = {}
    complete = type(wire.right.decide).next_keys

    class Watching(type(wire.right.decide)):
        def next_keys(self, keys, suite, shared, nonces):
            seen.update(before=keys, shared=shared, nonces=nonces)
            return complete(self, keys, suite, shared, nonces)

    wire = Wire(described(addke(1, ECP_256)), decisions=(Watching(), None))
    wire.establish()

    keys, before = wire.left.sessions[0].sa.keys, seen["before"]
    nonces = b"".join(seen["nonces"])
    skeyseed = digest(before.sk_d, seen["shared"] + nonces, "sha256")
    seed = nonces + before.spi_i + before.spi_r
    stream, block, count = b"", b"", 0
    while len(stream) < 32 * 7 + 8:
        count += 1
        block = digest(skeyseed, block + seed + bytes([count]), "sha256")
        stream += block
    assert keys.sk_d == stream[:32]
    assert keys.sk_ei == stream[32 : 32 + 36]
    assert keys.sk_pr == stream[32 + 72 + 32 : 32 + 72 + 64]


PROTECTIONS = [
    protection(Encr.ENCR_AES_GCM_16, 256, None, bytes(36), b""),
    protection(Encr.ENCR_AES_CBC, 256, Integ.AUTH_HMAC_SHA2_256_128, bytes(32), bytes(32)),
]


@pytest.mark.parametrize("sealing", PROTECTIONS)
@pytest.mark.parametrize("bits", [0, 0x55])
def test_a_message_in_clear_is_the_sealed_one_without_iv_padding_and_icv(sealing, bits):
    """What IntAuth covers, made here of the octets on the wire and of those inside."""
    inside = (KE(ECP_256, bytes(range(64))), Nonce(bytes(16)))
    first = Unknown(PayloadType(200), b"in clear")
    message = Message(
        b"i" * 8,
        b"r" * 8,
        ExchangeType.IKE_INTERMEDIATE,
        initiator=True,
        response=False,
        message_id=1,
        payloads=inside,
        protected=True,
        unprotected=(first,),
    )
    if bits:
        message = message.with_fault(ReservedBits(SK))
    sealed = message.seal(sealing, bytes(sealing.iv_size))
    content = b"".join(write_payloads(inside))
    total = (28 + 12 + 4 + len(content)).to_bytes(4, "big")
    clear = sealed[:24] + total + sealed[28:42] + (4 + len(content)).to_bytes(2, "big") + content

    assert Message.open(sealed, sealing).unsealed() == clear
    if not bits:
        assert message.unsealed() == clear


def test_a_message_that_is_not_protected_is_none_for_int_auth():
    message = Message(b"i" * 8, bytes(8), ExchangeType.IKE_SA_INIT, True, False, 0)

    with pytest.raises(ScriptError, match="not protected"):
        message.unsealed()
