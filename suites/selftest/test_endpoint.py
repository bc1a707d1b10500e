"""Two endpoints against each other: every exchange, in either role, over a good and a bad wire."""

from __future__ import annotations

from dataclasses import replace

import pytest

from peers.reference.connection import Mode
from peers.reference.credentials import Psk
from peers.reference.identity import fqdn
from peers.reference.message import Header, Message
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import KE, SA, Notify
from peers.reference.states import State
from suites import terms
from suites.selftest.wires import LEFT, RIGHT, Wire, connection, snapshot

SUITES = pytest.mark.parametrize("suite", [terms.DEFAULT, terms.CBC, terms.CHACHA])
SIDES = pytest.mark.parametrize("side", [LEFT, RIGHT], ids=["left", "right"])


@pytest.fixture
def wire():
    wire = Wire()
    wire.establish()
    assert wire.up()
    return wire


def described(wire, side):
    return (wire.left_connection, wire.right_connection)[side]


def exchanges(wire):
    return [(Header.decode(p.octets).exchange, Header.decode(p.octets).response) for p in wire.sent]


@SUITES
@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("mode", Mode)
def test_both_initial_exchanges_end_with_a_child_sa_that_carries_echoes(suite, family, mode):
    wire = Wire(connection(suite, family, mode))

    wire.establish()

    assert wire.up()
    assert len(wire.sent) == 4
    assert [s.sa.children[0].terms.mode for e in wire.both for s in e.sessions] == [mode, mode]
    assert wire.echoes(LEFT)
    assert wire.echoes(RIGHT)
    assert not wire.left.drops + wire.right.drops


def test_a_wrong_secret_leaves_nothing_behind():
    described = connection()
    wire = Wire(described, right=replace(described.mirrored(), local_credential=Psk(b"another")))

    wire.establish()

    assert wire.left.sessions == wire.right.sessions == []


def test_a_responder_that_does_not_authenticate_itself_is_left():
    wire = Wire(right=replace(connection().mirrored(), local_identity=fqdn("somebody.test")))

    wire.establish()

    assert wire.left.sessions == []
    assert (ExchangeType.INFORMATIONAL, False) in exchanges(wire), "the responder is not told"


@SIDES
def test_a_rekeyed_child_sa_replaces_the_old_one(wire, side):
    old = {child.spis() for e in wire.both for s in e.sessions for child in s.sa.children}

    wire.carry(wire.both[side].rekey_child(described(wire, side), wire.now))

    new = {child.spis() for e in wire.both for s in e.sessions for child in s.sa.children}
    assert len(new) == 2
    assert not new & old
    assert wire.echoes(LEFT)
    assert wire.echoes(RIGHT)


@SIDES
def test_a_deleted_child_sa_is_gone_on_both_sides(wire, side):
    wire.carry(wire.both[side].delete(described(wire, side), wire.now, child_only=True))

    assert wire.up()
    assert [s.sa.children for e in wire.both for s in e.sessions] == [[], []]


@SIDES
def test_a_deleted_ike_sa_is_gone_on_both_sides(wire, side):
    wire.carry(wire.both[side].delete(described(wire, side), wire.now, child_only=False))

    assert wire.left.sessions == wire.right.sessions == []
    wire.establish()
    assert wire.up()


@SIDES
def test_what_needs_a_child_sa_does_nothing_without_one(wire, side):
    endpoint, own = wire.both[side], described(wire, side)
    wire.carry(endpoint.delete(own, wire.now, child_only=True))

    assert endpoint.echo(own, wire.now) == []
    assert endpoint.rekey_child(own, wire.now) == []
    assert endpoint.delete(own, wire.now, child_only=True) == []


@SIDES
def test_silence_is_ended_by_an_empty_request_that_counts_ids_of_its_own_side(side):
    sides = [connection(), connection().mirrored()]
    sides[side] = replace(sides[side], liveness_delay=10.0)
    wire = Wire(sides[LEFT], right=sides[RIGHT])
    wire.establish()

    wire.wait(35.0)

    first = 2 if side == LEFT else 0
    requests = [Header.decode(p.octets) for p in wire.sent[4:]]
    asked = [h for h in requests if not h.response]
    assert [h.message_id for h in asked] == [first, first + 1, first + 2]
    assert {h.initiator for h in asked} == {side == LEFT}
    assert wire.up()


def test_a_peer_that_is_gone_is_found_out_by_liveness_checks():
    wire = Wire(replace(connection(), liveness_delay=10.0))
    wire.establish()
    wire.right.sessions.clear()

    wire.wait(60.0)

    assert wire.left.sessions == []


@SIDES
def test_a_rekeyed_ike_sa_takes_the_child_sa_along(wire, side):
    before = [(s.sa.spi_i, s.sa.spi_r) for s in wire.left.sessions]

    wire.carry(wire.both[side].rekey_ike(described(wire, side), wire.now))

    assert wire.up()
    assert [(s.sa.spi_i, s.sa.spi_r) for s in wire.left.sessions] != before
    assert wire.echoes(LEFT)
    assert wire.echoes(RIGHT)
    wire.carry(wire.both[1 - side].rekey_child(described(wire, 1 - side), wire.now))
    assert wire.echoes(LEFT)


def test_a_request_waits_until_the_one_before_it_is_answered(wire):
    own = described(wire, LEFT)
    packets = [
        *wire.left.rekey_child(own, wire.now),
        *wire.left.rekey_child(own, wire.now),
        *wire.left.delete(own, wire.now, child_only=False),
    ]

    wire.carry(packets)

    asked = [Header.decode(p.octets) for p in wire.sent[4:]]
    ids = [header.message_id for header in asked if not header.response]
    assert len(packets) == 1, "more than one request within a window of one"
    assert ids == sorted(set(ids)), "a Message ID was used twice"
    rekeys = [h for h in asked if h.exchange == ExchangeType.CREATE_CHILD_SA and not h.response]
    assert len(rekeys) == 2
    assert wire.left.sessions == wire.right.sessions == []


def test_a_cookie_is_asked_for_and_returned():
    wire = Wire()
    wire.right.challenging = True

    wire.establish()

    first, asked, second = (Message.decode(p.octets) for p in wire.sent[:3])
    cookie = asked.notify(NotifyType.COOKIE)
    assert second == replace(first, payloads=(cookie, *first.payloads))
    assert wire.up()


def two_groups():
    ike = terms.ike(terms.AES_GCM_256, terms.CURVE25519, terms.ECP_256)
    left = connection(terms.Suite((ike,), terms.DEFAULT.esp))
    only = (terms.ike(terms.AES_GCM_256, terms.ECP_256),)
    return left, replace(left.mirrored(), ike_proposals=only)


@pytest.mark.parametrize("challenging", [False, True], ids=["", "and a cookie"])
def test_another_group_is_asked_for_and_taken(challenging):
    left, right = two_groups()
    wire = Wire(left, right=right)
    wire.right.challenging = challenging

    wire.establish()

    retries = [Message.decode(p.octets) for p in wire.sent[:-2:2]]
    assert retries[-1].get(KE).group == terms.ECP_256.id
    assert len({message.get(SA) for message in retries}) == 1, "the offer changed"
    assert wire.up()


def test_a_group_that_was_not_offered_is_not_followed():
    wire = Wire()
    wire.carry([])
    packet = wire.left.initiate(wire.left_connection, wire.now)[0]
    request = Message.decode(packet.octets)
    refusal = request.reply(Notify(NotifyType.INVALID_KE_PAYLOAD, b"\x00\x13"))
    back = replace(
        packet,
        source=packet.destination,
        destination=packet.source,
        octets=refusal.encode(),
    )

    assert wire.left.receive(back, wire.now) == []


def test_nothing_common_leaves_nothing_behind():
    wire = Wire(right=connection(terms.CBC).mirrored())

    wire.establish()
    wire.wait()

    assert wire.left.sessions == wire.right.sessions == []


def test_the_ike_sa_outlives_a_refused_first_child_sa():
    right = replace(connection().mirrored(), esp_proposals=terms.CBC.esp)
    wire = Wire(right=right)

    wire.establish()

    assert wire.up()
    assert [s.sa.children for e in wire.both for s in e.sessions] == [[], []]
    assert wire.left.echo(wire.left_connection, wire.now) == []


def test_an_unanswered_request_is_given_up():
    wire = Wire(meddler=lambda number, packet: [])

    wire.establish()
    wire.wait()

    assert wire.left.sessions == []
    assert len(wire.sent) == 4
    assert len(set(wire.sent)) == 1, "a retransmission differs"
    assert wire.left.next_timer() is None


def test_nothing_is_sent_again_before_its_time():
    wire = Wire(meddler=lambda number, packet: [])
    wire.establish()
    due = wire.left.next_timer()

    assert wire.left.tick(due - 0.01) == []
    assert wire.left.tick(due) == wire.sent


# A bad wire. Both initial exchanges, then three rekeys, each with the deletion of the old SA.


def life(meddler):
    """Live a whole life over a wire; give it before its IKE SA is deleted."""
    wire = Wire(meddler=meddler)
    wire.establish()
    wire.wait()
    wire.carry(wire.right.rekey_child(wire.right_connection, wire.now))
    wire.wait()
    wire.carry(wire.left.rekey_ike(wire.left_connection, wire.now))
    wire.wait()
    wire.carry(wire.left.rekey_child(wire.left_connection, wire.now))
    wire.wait()
    return wire


GOOD = 4 + 4 + 4 + 4
"""Packets of a life over a good wire."""


def assert_lived(wire):
    assert wire.up()
    children = [s.sa.children for e in wire.both for s in e.sessions]
    assert [len(each) for each in children] == [1, 1]
    assert wire.echoes(LEFT)
    assert wire.echoes(RIGHT)
    wire.carry(wire.left.delete(wire.left_connection, wire.now, child_only=False))
    wire.wait()
    assert wire.left.sessions == wire.right.sessions == []


def test_a_life_over_a_good_wire_has_that_many_packets():
    wire = life(lambda number, packet: [packet])

    assert len(wire.sent) == GOOD
    assert_lived(wire)


@pytest.mark.parametrize("lost", range(GOOD))
def test_a_lost_packet_is_made_good_by_retransmission(lost):
    wire = life(lambda number, packet: [] if number == lost else [packet])

    assert len(wire.sent) > GOOD, "nothing was retransmitted"
    assert_lived(wire)


IKE_SA_IS_DELETED = 11
"""The response after which an IKE SA is gone, so that it cannot be sent again."""


@pytest.mark.parametrize("lost", sorted({*range(1, GOOD, 2)} - {IKE_SA_IS_DELETED}))
def test_a_lost_response_is_sent_again_octet_for_octet(lost):
    wire = life(lambda number, packet: [] if number == lost else [packet])

    assert wire.sent.count(wire.sent[lost]) == 2


def test_packets_that_arrive_twice_change_nothing():
    plain = life(lambda number, packet: [packet])
    doubled = life(lambda number, packet: [packet, packet])

    assert [snapshot(e) for e in plain.both] == [snapshot(e) for e in doubled.both]
    assert_lived(doubled)


def test_old_packets_that_come_once_more_change_nothing(wire):
    for side in (LEFT, RIGHT):
        wire.carry(wire.both[side].rekey_child(described(wire, side), wire.now))
    before = [snapshot(e) for e in wire.both]

    for packet in (*wire.sent, *reversed(wire.sent)):
        answers = wire.at(packet).receive(packet, wire.now)
        assert all(answer in wire.sent for answer in answers)

    assert [snapshot(e) for e in wire.both] == before


def test_a_late_copy_of_the_first_request_is_not_answered_with_a_later_response(wire):
    answers = wire.right.receive(wire.sent[0], wire.now)

    assert wire.sent[3] not in answers


def test_another_first_request_with_the_same_spi_is_another_ike_sa():
    """RFC 7296, 2.1: a repetition is known by the whole message, not by its SPI."""
    first = Wire(seed=1).left.initiate(connection(), 0.0)[0]
    spi = first.octets[:8]
    other = Wire(seed=2).left.initiate(connection(), 0.0)[0]
    other = replace(other, octets=spi + other.octets[8:])
    right = Wire().right

    answers = [right.receive(packet, 0.0) for packet in (first, other, first)]

    assert [len(each) for each in answers] == [1, 1, 1]
    assert answers[0] == answers[2] != answers[1]
    assert len(right.sessions) == 2


def test_reordered_packets_are_sorted_out():
    """Each packet arrives with its predecessor's copy behind it."""
    last = []

    def swap(number, packet):
        held, last[:] = list(last), [packet]
        return [packet, *held]

    wire = life(swap)

    assert_lived(wire)


def test_simultaneous_requests_of_both_sides_are_both_answered(wire):
    packets = [
        *wire.left.delete(wire.left_connection, wire.now, child_only=True),
        *wire.right.rekey_ike(wire.right_connection, wire.now),
    ]

    wire.carry(packets)

    assert wire.up()
    assert not wire.left.drops + wire.right.drops


def test_simultaneous_deletes_of_the_ike_sa_leave_nothing_behind(wire):
    packets = [
        packet
        for side in (LEFT, RIGHT)
        for packet in wire.both[side].delete(described(wire, side), wire.now, child_only=False)
    ]

    wire.carry(packets)
    wire.wait()

    assert wire.left.sessions == wire.right.sessions == []


def test_simultaneous_rekeys_leave_a_child_sa_that_works(wire):
    packets = [
        packet
        for side in (LEFT, RIGHT)
        for packet in wire.both[side].rekey_child(described(wire, side), wire.now)
    ]

    wire.carry(packets)
    wire.wait()

    assert wire.up()
    assert wire.echoes(LEFT)
    assert wire.echoes(RIGHT)


def test_a_forgotten_connection_is_not_answered(wire):
    wire.right.forget(wire.right_connection)

    wire.carry(wire.left.rekey_child(wire.left_connection, wire.now))

    assert wire.right.sessions == []
    assert wire.right.drops["request for an unknown IKE SA"] == 1
    assert [s.sa.state for s in wire.left.sessions] == [State.ESTABLISHED]
