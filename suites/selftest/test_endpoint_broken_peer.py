"""A peer whose messages verify and make no sense: it is refused, and nothing else happens."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from peers.reference.authentication import shared_key_mic
from peers.reference.message import Header
from peers.reference.negotiation import encr, selector
from peers.reference.numbers import (
    AuthMethod,
    Encr,
    ExchangeType,
    IdType,
    KeyExchangeMethod,
    NotifyType,
    PayloadType,
    ProtocolId,
    TrafficSelectorType,
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
    TSi,
    TSr,
    Unknown,
    UnknownSelector,
    VendorID,
)
from peers.reference.states import State
from suites import terms
from suites.selftest.wires import Wire, before, receives, with_octets

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
    if NotifyType.INVALID_SYNTAX in response.notifies:
        assert not wire.right.sessions, "INVALID_SYNTAX ends the IKE SA (2.21.3)"
        return
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
        auth = shared_key_mic(left.sa, another, b"a shared secret")
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
