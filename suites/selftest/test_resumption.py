"""RFC 5723: tickets on the wire, and what an endpoint makes of one."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peers.reference import resumption
from peers.reference.errors import MalformedMessage, PeerError
from peers.reference.message import Message
from peers.reference.nat import ike_packet
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import Nonce, Notify
from peers.reference.resumption import Suspended, Ticket
from peers.reference.resumptions import LIFETIME
from peers.reference.sa import IkeSa
from suites.selftest.wires import Wire, connection, receives

EMPTY = Message(bytes(8), bytes(8), ExchangeType.INFORMATIONAL, True, False, 0)


def carrying(notify):
    return replace(EMPTY, payloads=(notify,))


@given(st.binary(max_size=300), st.integers(0, 2**32 - 1))
def test_a_ticket_comes_back(octets, lifetime):
    ticket = Ticket(octets, lifetime)

    assert Ticket.of(carrying(ticket.granted())) == ticket
    assert ticket.presented().data == octets


@pytest.mark.parametrize("size", range(4))
def test_a_ticket_without_its_lifetime_is_malformed(size):
    with pytest.raises(MalformedMessage):
        Ticket.of(carrying(Notify(NotifyType.TICKET_LT_OPAQUE, bytes(size))))


def test_a_message_without_ticket_has_none():
    assert Ticket.of(EMPTY) is None


def granted():
    """Give a wire, and the ticket that the right endpoint grants the left one's IKE SA."""
    wire = Wire(replace(connection(), session_resumption=True))
    wire.establish()
    session = wire.right.sessions[0]
    [notify] = wire.right.resumptions.grant(session, carrying(resumption.REQUEST))
    return wire, Ticket.of(carrying(notify))


def presented(wire, ticket):
    """Present a ticket to the right endpoint; give the IKE SA begun with it, and the response."""
    sa = wire.left.sessions[0].sa
    new = IkeSa(sa.connection, initiator=True, local=sa.local, remote=sa.remote, random=bytes)
    new.nonce = b"n" * 32
    new.spi_i = b"i" * 8
    octets = new.encode(resumption.ike_session_resume(new, ticket))
    [packet] = receives(wire, ike_packet(sa.local, sa.remote, octets))
    return new, Message.decode(packet.octets)


def test_both_sides_derive_the_same_keys():
    wire, ticket = granted()
    kept = Suspended.of(wire.left.sessions[0].sa)

    new, response = presented(wire, ticket)
    resumption.hear_response(new, kept, response)

    theirs = wire.right.sessions[-1].sa
    assert new.keys == theirs.keys
    assert new.keys.sk_d != kept.sk_d
    assert theirs.resumed


def test_a_ticket_is_over_after_its_lifetime():
    wire, ticket = granted()
    wire.now += LIFETIME

    _, response = presented(wire, ticket)

    assert response.notifies == (NotifyType.TICKET_NACK,)


@pytest.mark.parametrize(
    "change",
    [
        lambda response: response.without(Nonce),
        lambda response: replace(response, spi_r=bytes(8)),
    ],
    ids=["no-nonce", "no-spi"],
)
def test_a_response_that_makes_no_ike_sa_is_refused(change):
    wire, ticket = granted()
    new, response = presented(wire, ticket)

    with pytest.raises(PeerError):
        resumption.hear_response(new, Suspended.of(wire.left.sessions[0].sa), change(response))


def test_no_ticket_is_granted_where_it_is_not_configured():
    wire = Wire()
    wire.establish()
    session = wire.right.sessions[0]

    assert wire.right.resumptions.grant(session, carrying(resumption.REQUEST)) == ()
