"""What an attacker or a broken peer sends: no exception escapes, and what is up stays up."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peers.reference.errors import ScriptError
from peers.reference.events import Carrier, Packet
from peers.reference.events import Endpoint as At
from peers.reference.message import Header, Message
from peers.reference.negotiation import encr, integ, ke, prf
from peers.reference.numbers import (
    Encr,
    ExchangeType,
    Integ,
    KeyExchangeMethod,
    NotifyType,
    PayloadType,
    Prf,
    ProtocolId,
    TransformType,
)
from peers.reference.payloads import (
    KE,
    SA,
    Nonce,
    Notify,
    Transform,
    Unknown,
)
from peers.reference.states import State
from suites.selftest.wires import Wire, before, connection, receives, snapshot, with_octets

# A busy machine is no finding, so no example has a deadline.
RELAXED = settings(deadline=None, max_examples=60)

# What is recorded once and then spoilt: a handshake, packet by packet.

HANDSHAKE = 4

NUMBERS = pytest.mark.parametrize("number", range(HANDSHAKE))


@NUMBERS
def test_a_truncated_message_changes_nothing(number):
    wire, packet = before(number)
    untouched = snapshot(wire.at(packet))

    for size in range(len(packet.octets)):
        assert receives(wire, with_octets(packet, packet.octets[:size])) == [], size

    assert snapshot(wire.at(packet)) == untouched
    wire.carry([packet])
    assert wire.up()


@NUMBERS
def test_a_message_cut_short_with_its_length_made_right_changes_nothing(number):
    wire, packet = before(number)
    untouched = snapshot(wire.at(packet))

    for size in range(28, len(packet.octets)):
        octets = packet.octets[:24] + size.to_bytes(4, "big") + packet.octets[28:size]
        receives(wire, with_octets(packet, octets))

    assert snapshot(wire.at(packet)) == untouched
    wire.carry([packet])
    assert wire.up()


@pytest.mark.parametrize("number", [2, 3])
def test_a_protected_message_with_a_flipped_octet_changes_nothing(number):
    wire, packet = before(number)
    untouched = snapshot(wire.at(packet))

    for at in range(len(packet.octets)):
        octets = bytearray(packet.octets)
        octets[at] ^= 1 << at % 8
        receives(wire, with_octets(packet, bytes(octets)))

    assert snapshot(wire.at(packet)) == untouched
    wire.carry([packet])
    assert wire.up()


@pytest.mark.parametrize("at", [*range(28), *range(28, 200, 9)])
@pytest.mark.parametrize("number", [0, 1])
def test_after_an_unprotected_message_with_a_flipped_octet_a_handshake_works(number, at):
    wire, packet = before(number)
    octets = bytearray(packet.octets)
    octets[at] ^= 0xFF

    receives(wire, with_octets(packet, bytes(octets)))

    wire.left.sessions.clear()
    wire.establish()
    assert wire.left.sessions[-1].sa.state is State.ESTABLISHED
    assert wire.echoes()


def test_a_response_that_cannot_be_used_leaves_the_initiator_waiting_for_a_better_one():
    """RFC 7296, 2.21.1: nothing is authenticated yet, so the initiator goes on for a while."""
    wire, packet = before(1)
    good = Message.decode(packet.octets)
    offered = good.get(SA).proposals[0]
    spoilt = [
        good.without(SA, KE, Nonce) + Notify(NotifyType.NO_PROPOSAL_CHOSEN),
        good.without(KE),
        good.without(Nonce),
        good.replacing(SA(())),
        good.replacing(SA((replace(offered, number=2),))),
        good.replacing(SA((replace(offered, protocol=ProtocolId.ESP),))),
        good.replacing(SA((replace(offered, transforms=()),))),
        good.replacing(SA((offered, offered))),
        good.replacing(KE(KeyExchangeMethod.ECP_256, good.get(KE).data)),
        good.replacing(KE(KeyExchangeMethod.CURVE25519, bytes(32))),
        good.replacing(KE(KeyExchangeMethod.CURVE25519, b"short")),
        replace(good, spi_r=bytes(8)),
        replace(good, exchange=ExchangeType.IKE_AUTH),
        good + Unknown(PayloadType(200), b"", critical=True),
    ]
    untouched = snapshot(wire.left)

    for message in spoilt:
        assert receives(wire, with_octets(packet, message.encode())) == [], str(message)
        assert snapshot(wire.left) == untouched, str(message)

    wire.carry([packet])
    assert wire.up()


# Octets that are nothing.

PORTS = st.sampled_from([(Carrier.UDP, 500), (Carrier.UDP, 4500), (Carrier.ESP, 0)])


@RELAXED
@given(st.integers(0, HANDSHAKE), PORTS, st.binary(max_size=300), st.booleans())
def test_random_octets_at_every_state_change_nothing(number, port, octets, rightwards):
    wire = before(number)[0] if number < HANDSHAKE else Wire()
    if number == HANDSHAKE:
        wire.establish()
    carrier, at = port
    ends = wire.left_connection.local, wire.left_connection.remote
    source, destination = ends if rightwards else reversed(ends)
    untouched = [snapshot(endpoint) for endpoint in wire.both]

    receives(wire, Packet(carrier, At(source, at), At(destination, at), octets))

    assert [snapshot(endpoint) for endpoint in wire.both] == untouched


HEADERS = st.tuples(
    st.booleans(),
    st.booleans(),
    st.integers(0, 255),
    st.sampled_from([0x20, 0x10, 0x2F, 0x30]),
    st.one_of(st.sampled_from([34, 35, 36, 37]), st.integers(0, 255)),
    st.integers(0, 255),
    st.one_of(st.integers(0, 3), st.just(0xFFFFFFFF)),
    st.binary(max_size=100),
)


@RELAXED
@given(st.integers(0, HANDSHAKE), HEADERS)
def test_random_bodies_behind_the_right_spis_change_no_established_ike_sa(number, header):
    wire = before(number)[0] if number < HANDSHAKE else Wire()
    if number == HANDSHAKE:
        wire.establish()
    with_spi_i, with_spi_r, first, version, exchange, flags, message_id, body = header
    for endpoint, source, destination in (
        (wire.left, wire.right_connection.local, wire.left_connection.local),
        (wire.right, wire.left_connection.local, wire.right_connection.local),
    ):
        sa = endpoint.sessions[0].sa if endpoint.sessions else wire.left.sessions[0].sa
        octets = (sa.spi_i if with_spi_i else b"x" * 8) + (sa.spi_r if with_spi_r else bytes(8))
        octets += bytes([first, version, exchange, flags]) + message_id.to_bytes(4, "big")
        octets += (28 + len(body)).to_bytes(4, "big") + body
        untouched = snapshot(endpoint)
        endpoint.receive(Packet(Carrier.UDP, At(source, 500), At(destination, 500), octets), 1.0)
        assert snapshot(endpoint) == untouched


# Numbers that nobody implements, and groups that nobody asked for.


@pytest.mark.parametrize(
    "transform",
    [
        encr(Encr.ENCR_BLOWFISH, 128),
        encr(Encr.ENCR_AES_CBC, 160),
        encr(Encr.ENCR_AES_CBC),
        encr(Encr(999), 128),
        prf(Prf.PRF_HMAC_TIGER),
        integ(Integ.AUTH_DES_MAC),
        ke(KeyExchangeMethod(999)),
        Transform(TransformType.ESN, 7),
        Transform(TransformType(200), 1),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["ike_proposals", "esp_proposals"])
def test_what_is_not_implemented_is_refused_when_it_is_configured(kind, transform):
    described = connection()
    proposal = getattr(described, kind)[0]
    odd = replace(proposal, transforms=(*proposal.transforms, transform))

    with pytest.raises(ScriptError, match=r"implemented|key length"):
        Wire(replace(described, **{kind: (proposal, odd)}))


@pytest.mark.parametrize("data", [b"", b"\x13", b"\x00\x00\x13", bytes(70)])
def test_an_invalid_ke_payload_of_odd_size_is_not_followed(data):
    wire = Wire()
    packet = wire.left.initiate(wire.left_connection, wire.now)[0]
    refusal = Message.decode(packet.octets).reply(Notify(NotifyType.INVALID_KE_PAYLOAD, data))
    back = Packet(Carrier.UDP, packet.destination, packet.source, refusal.encode())

    assert wire.left.receive(back, wire.now) == []


def test_endless_cookies_end_in_silence():
    wire = Wire()
    packet = wire.left.initiate(wire.left_connection, wire.now)[0]
    asked = 0
    packets = [packet]
    while packets and asked < 50:
        asked += 1
        request_ = Message.decode(packets[0].octets)
        answer = request_.reply(Notify(NotifyType.COOKIE, bytes([asked])))
        back = Packet(Carrier.UDP, packet.destination, packet.source, answer.encode())
        packets = wire.left.receive(back, wire.now)

    assert asked < 10


# The header.


def test_a_first_message_without_the_initiator_flag_opens_nothing():
    wire, packet = before(0)
    message = replace(Message.decode(packet.octets), initiator=False)

    assert receives(wire, with_octets(packet, message.encode())) == []
    assert wire.right.sessions == []


@pytest.mark.parametrize(("major", "answered"), [(1, False), (0, False), (3, True), (15, True)])
def test_only_a_higher_major_version_is_told_ours(major, answered):
    wire, packet = before(0)
    octets = bytearray(packet.octets)
    octets[17] = major << 4

    answers = receives(wire, with_octets(packet, bytes(octets)))

    assert [Message.decode(a.octets).notifies for a in answers] == (
        [(NotifyType.INVALID_MAJOR_VERSION,)] if answered else []
    )
    assert all(Header.decode(a.octets).major == 2 for a in answers)


# ESP.


@pytest.fixture
def wire():
    wire = Wire()
    wire.establish()
    return wire


@pytest.mark.parametrize("size", range(0, 60, 3))
def test_a_truncated_esp_packet_changes_nothing(wire, size):
    packet = wire.left.echo(wire.left_connection, wire.now)[0]
    untouched = snapshot(wire.right)

    assert receives(wire, with_octets(packet, packet.octets[:size])) == []

    assert snapshot(wire.right) == untouched
    assert sum(wire.right.drops.values()) == 1
    wire.carry([packet])
    assert wire.right.sessions[0].sa.children[0].packets_in == 1


def test_esp_that_verifies_and_holds_anything_raises_nothing(wire):
    child = wire.left.sessions[0].sa.children[0]
    draw = random.Random(3)
    sample = wire.left.echo(wire.left_connection, wire.now)[0]
    for next_header in (0, 1, 4, 6, 17, 41, 50, 58, 59, 255):
        for size in (0, 1, 19, 20, 39, 40, 60):
            first = bytes([draw.choice([0x45, 0x60, 0x40, 0xFF])])
            body = (first + draw.randbytes(size))[:size]
            octets = child.outbound.seal(next_header, body, draw.randbytes(8))
            receives(wire, with_octets(sample, octets))

    assert wire.echoes()


@pytest.mark.parametrize("octets", [b"", b"\xff", b"\x00\x00\x00", bytes(4), bytes(8)])
def test_little_things_on_port_4500_change_nothing(wire, octets):
    ends = At(wire.left_connection.local, 4500), At(wire.left_connection.remote, 4500)
    untouched = snapshot(wire.right)

    assert wire.right.receive(Packet(Carrier.UDP, *ends, octets), wire.now) == []
    assert snapshot(wire.right) == untouched
