"""What an attacker or a broken peer sends: no exception escapes, and what is up stays up."""

from __future__ import annotations

import random
from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peers.reference import initial
from peers.reference.errors import ScriptError
from peers.reference.events import Carrier, Packet
from peers.reference.events import Endpoint as At
from peers.reference.message import Header, Message
from peers.reference.negotiation import encr, esn, integ, ke, prf, selector
from peers.reference.numbers import (
    AuthMethod,
    Encr,
    Esn,
    ExchangeType,
    IdType,
    Integ,
    KeyExchangeMethod,
    NotifyType,
    PayloadType,
    Prf,
    ProtocolId,
    TrafficSelectorType,
    TransformType,
)
from peers.reference.payloads import (
    AUTH,
    CP,
    KE,
    SA,
    Delete,
    IDi,
    IDr,
    Nonce,
    Notify,
    Proposal,
    Transform,
    TSi,
    TSr,
    Unknown,
    UnknownSelector,
    VendorID,
)
from peers.reference.states import State
from suites import terms
from suites.selftest.wires import Wire, connection, snapshot, with_octets

# A busy machine is no finding, so no example has a deadline.
RELAXED = settings(deadline=None, max_examples=60)

# What is recorded once and then spoilt: a handshake, packet by packet.

HANDSHAKE = 4


def before(number, seed=1):
    """Give a wire on which the packet of that number has not arrived, and the packet."""
    held = []

    def hold(index, packet):
        if index == number:
            held.append(packet)
            return []
        return [packet]

    wire = Wire(meddler=hold, seed=seed)
    wire.establish()
    wire.meddler = lambda index, packet: [packet]
    return wire, held[0]


def receives(wire, packet):
    """Let the packet's receiver take it, and give what it answers."""
    return wire.at(packet).receive(packet, wire.now)


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


# An authentic peer that is broken: its messages verify, their contents make no sense.


@pytest.fixture
def wire():
    wire = Wire()
    wire.establish()
    return wire


def request(wire, *payloads, exchange=ExchangeType.INFORMATIONAL):
    """Let the left endpoint's keys protect a request to the right one; give the response."""
    session = wire.left.sessions[0]
    message = session.sa.request(exchange, *payloads)
    template = wire.sent[0]
    answers = receives(wire, with_octets(template, session.sa.encode(message)))
    session.sa.next_request_id += 1
    return session.sa.decode(answers[0].octets) if answers else None


def child_offer(wire, proposal=None, nonce=True):
    described = wire.left_connection
    proposal = proposal or replace(described.esp_proposals[0], spi=b"\x01\x02\x03\x04")
    ends = described.local_selectors[0], described.remote_selectors[0]
    both = (selector(ends[0][0], ends[0][-1]),), (selector(ends[1][0], ends[1][-1]),)
    more = (Nonce(bytes(32)),) if nonce else ()
    return (SA((proposal,)), *more, TSi(both[0]), TSr(both[1]))


ESP = terms.DEFAULT.esp[0]
UNKNOWN_SELECTORS = (UnknownSelector(TrafficSelectorType(9), 0, b"1234"),)

BROKEN_CHILDREN = {
    "no nonce": lambda wire: child_offer(wire, nonce=False),
    "no selectors": lambda wire: child_offer(wire)[:2],
    "no proposals": lambda wire: (SA(()), *child_offer(wire)[1:]),
    "no transforms": lambda wire: child_offer(wire, Proposal(1, ProtocolId.ESP, (), b"1234")),
    "an IKE proposal": lambda wire: child_offer(wire, replace(terms.DEFAULT.ike[0], spi=b"1234")),
    "no SPI": lambda wire: child_offer(wire, replace(ESP, spi=b"")),
    "SPI of eight octets": lambda wire: child_offer(wire, replace(ESP, spi=b"12345678")),
    "unknown selectors": lambda wire: (
        *child_offer(wire)[:2],
        TSi(UNKNOWN_SELECTORS),
        TSr(UNKNOWN_SELECTORS),
    ),
    "empty selectors": lambda wire: (*child_offer(wire)[:2], TSi(()), TSr(())),
    "group nobody wants": lambda wire: (
        *child_offer(wire),
        KE(KeyExchangeMethod.MODP_2048, bytes(256)),
    ),
    "unknown group": lambda wire: (*child_offer(wire), KE(KeyExchangeMethod(999), b"")),
    "IKE rekey without SPI": lambda wire: (
        SA((terms.DEFAULT.ike[0],)),
        Nonce(bytes(32)),
        KE(KeyExchangeMethod.CURVE25519, b"\x09" + bytes(31)),
    ),
    "IKE rekey with a bad value": lambda wire: (
        SA((replace(terms.DEFAULT.ike[0], spi=b"12345678"),)),
        Nonce(bytes(32)),
        KE(KeyExchangeMethod.CURVE25519, bytes(32)),
    ),
    "IKE rekey without anything": lambda wire: (),
}


@pytest.mark.parametrize("name", BROKEN_CHILDREN)
def test_a_request_for_a_child_sa_that_makes_no_sense_is_refused(wire, name):
    response = request(wire, *BROKEN_CHILDREN[name](wire), exchange=ExchangeType.CREATE_CHILD_SA)

    assert response.types == [Notify], str(response)
    assert len(wire.right.sessions) == 1
    assert len(wire.right.sessions[0].sa.children) == 1
    assert wire.echoes()


def test_a_request_for_a_child_sa_that_makes_sense_is_granted(wire):
    """The twin of those above."""
    response = request(wire, *child_offer(wire), exchange=ExchangeType.CREATE_CHILD_SA)

    assert response.has(SA, Nonce, TSi, TSr)
    assert len(wire.right.sessions[0].sa.children) == 2


def test_deletes_that_name_a_child_sa_twice_delete_it_once(wire):
    spi = wire.left.sessions[0].sa.children[0].inbound.spi
    own = wire.right.sessions[0].sa.children[0].inbound.spi
    delete = Delete(ProtocolId.ESP, (spi, spi))

    response = request(wire, delete, delete)

    assert response.payloads == (Delete(ProtocolId.ESP, (own,)),)
    assert wire.right.sessions[0].sa.children == []


@pytest.mark.parametrize(
    "payloads",
    [
        (Delete(ProtocolId.ESP, (b"1234",)),),
        (Delete(ProtocolId.AH, (b"1234",)),),
        (Delete(ProtocolId(200), (b"12",)),),
        (Notify(NotifyType(65000), b"?", ProtocolId(77), b"spi"),),
        (CP(1),),
        (Unknown(PayloadType(200), b"critical", critical=True),),
        (KE(KeyExchangeMethod(999), b""), IDi(IdType(99), b""), VendorID(b"")),
    ],
    ids=str,
)
def test_an_informational_request_of_odd_contents_is_answered(wire, payloads):
    assert request(wire, *payloads) is not None
    assert wire.up()
    assert wire.echoes()


@pytest.mark.parametrize("exchange", [ExchangeType.IKE_AUTH, ExchangeType.IKE_SA_INIT])
def test_a_protected_exchange_out_of_place_is_dropped(wire, exchange):
    assert request(wire, exchange=exchange) is None
    wire.left.sessions[0].sa.next_request_id -= 1
    assert request(wire).payloads == (), "the Message ID was used up"


# An authentic initiator that is broken in IKE_AUTH.


def authenticated(change):
    """Let IKE_AUTH's request be changed before it is protected; give the wire and the response."""
    wire, packet = before(2)
    left = wire.left.sessions[0].sa
    message = change(wire.left.sessions[0].pending.message)
    answers = receives(wire, with_octets(packet, left.encode(message)))
    return wire, left.decode(answers[0].octets)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.without(IDi),
        lambda m: m.without(AUTH),
        lambda m: m.without(SA),
        lambda m: m.without(TSi),
        lambda m: m.without(TSr),
        lambda m: m.replacing(AUTH(AuthMethod.RSA_DIGITAL_SIGNATURE, m.get(AUTH).data)),
        lambda m: m.replacing(AUTH(AuthMethod.SHARED_KEY_MIC, b"")),
        lambda m: m.replacing(IDi(IdType.ID_FQDN, b"another.test")),
        lambda m: m + Unknown(PayloadType(200), b"", critical=True),
    ],
    ids=["IDi", "AUTH", "SA", "TSi", "TSr", "method", "empty AUTH", "identity", "critical"],
)
def test_an_ike_auth_request_that_is_refused_leaves_no_ike_sa(change):
    wire, response = authenticated(change)

    assert response.types == [Notify], str(response)
    assert wire.right.sessions == []


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.replacing(SA((replace(m.get(SA).proposals[0], spi=b""),))),
        lambda m: m.replacing(SA(())),
        lambda m: m.replacing(TSi(())),
    ],
    ids=["no SPI", "no proposal", "no selector"],
)
def test_an_ike_auth_request_whose_child_sa_is_refused_leaves_the_ike_sa(change):
    wire, response = authenticated(change)

    assert response.has(IDr, AUTH, Notify), str(response)
    assert [s.sa.children for s in wire.right.sessions] == [[]]
    assert wire.right.sessions[0].sa.state is State.ESTABLISHED


def test_the_same_identity_of_another_type_is_another_identity():
    """The AUTH payload verifies: it is the identity that the secret does not belong to (2.15)."""

    def change(message):
        another = IDi(IdType.ID_KEY_ID, b"left.test")
        auth = initial.expected_auth(left.sa, another, left.sa.connection.psk)
        proof = AUTH(AuthMethod.SHARED_KEY_MIC, auth)
        return message.replacing(another).replacing(proof)

    wire, packet = before(2)
    left = wire.left.sessions[0]

    answers = receives(wire, with_octets(packet, left.sa.encode(change(left.pending.message))))

    assert left.sa.decode(answers[0].octets).notifies == (NotifyType.AUTHENTICATION_FAILED,)
    assert wire.right.sessions == []


# A responder that is broken: what it grants makes no sense.


def granted(change, number=3):
    """Let a response to the left endpoint be changed before it is protected."""
    wire, packet = before(number)
    right = wire.right.sessions[0]
    response = change(right.answered)
    answers = receives(wire, with_octets(packet, right.sa.encode(response)))
    wire.carry(answers)
    return wire


UNIMPLEMENTED = Proposal(
    1, ProtocolId.ESP, (encr(Encr.ENCR_CAMELLIA_CBC, 128), *ESP.transforms[1:]), b"1234"
)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.replacing(SA(())),
        lambda m: m.replacing(SA((replace(m.get(SA).proposals[0], spi=b""),))),
        lambda m: m.replacing(SA((replace(m.get(SA).proposals[0], transforms=()),))),
        lambda m: m.replacing(SA((replace(m.get(SA).proposals[0], protocol=ProtocolId.AH),))),
        lambda m: m.replacing(SA((replace(m.get(SA).proposals[0], number=9),))),
        lambda m: m.replacing(SA((UNIMPLEMENTED,))),
        lambda m: m.replacing(TSi(())),
        lambda m: m.replacing(TSr(UNKNOWN_SELECTORS)),
        lambda m: m.replacing(TSr((selector(ip_address("0.0.0.0"), ip_address("9.0.0.0")),))),
    ],
    ids=["SA", "SPI", "transforms", "AH", "number", "cipher", "no TSi", "unknown TSr", "wide TSr"],
)
def test_a_child_sa_that_was_not_asked_for_is_not_taken_up(change):
    wire = granted(change)

    assert [len(s.sa.children) for s in wire.left.sessions] in ([], [0])
    assert wire.left.echo(wire.left_connection, wire.now) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.without(IDr),
        lambda m: m.without(AUTH),
        lambda m: m.replacing(AUTH(AuthMethod(200), m.get(AUTH).data)),
        lambda m: m.replacing(IDr(IdType.ID_KEY_ID, b"right.test")),
        lambda m: replace(m, payloads=()),
    ],
    ids=["IDr", "AUTH", "method", "ID type", "empty"],
)
def test_a_responder_that_is_not_authenticated_gets_no_traffic(change):
    wire = granted(change)
    wire.wait()

    assert wire.left.sessions == []


def test_a_child_sa_deleted_while_its_rekey_is_under_way_is_not_missed(wire):
    requests = wire.left.rekey_child(wire.left_connection, wire.now)
    wire.carry(wire.right.delete(wire.right_connection, wire.now, child_only=True))

    wire.carry(requests)

    assert wire.up()
    last = Header.decode(wire.sent[-2].octets)
    assert last.exchange == ExchangeType.CREATE_CHILD_SA, "what is gone is deleted once more"


# Numbers that nobody implements, and groups that nobody asked for.


@pytest.mark.parametrize(
    "transform",
    [
        encr(Encr.ENCR_CAMELLIA_CBC, 128),
        encr(Encr.ENCR_AES_CBC, 160),
        encr(Encr.ENCR_AES_CBC),
        encr(Encr(999), 128),
        prf(Prf.PRF_AES128_XCBC),
        integ(Integ.AUTH_AES_XCBC_96),
        ke(KeyExchangeMethod.MODP_8192),
        ke(KeyExchangeMethod(999)),
        esn(Esn.ESN),
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
