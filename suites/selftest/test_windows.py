"""Windows of requests, retransmission, first contact, half-open IKE SAs (RFC 7296, 2.1 to 2.4)."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from peers.peer import Peer
from peers.reference.announcements import HALF_OPEN, set_window_size
from peers.reference.endpoint import RETRANSMISSIONS, Endpoint
from peers.reference.errors import NoAnswer, ScriptError
from peers.reference.message import Header
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import Notify
from suites.selftest.test_peer import Bench
from suites.selftest.wires import LEFT, Wire, connection


def bench_with(**settings):
    bench = Bench()
    bench.connection = replace(bench.connection, **settings)
    bench.target.configure(bench.connection)
    bench.peer.establish()
    return bench


def numbered(peer, ahead):
    """Build a liveness check that many Message IDs ahead of the next one."""
    request = peer.informational()
    return replace(request, message_id=request.message_id + ahead)


def answers(peer, message):
    """Say a request and give the responses to it."""
    peer.say(message)
    peer._talk.hear(lambda heard: False, 0.5)
    return [h.message for h in peer._talk.take_all() if h.message.response]


# Our window.


def test_requests_within_the_window_are_answered_in_any_order():
    peer = bench_with(window=3).peer
    messages = [numbered(peer, ahead) for ahead in range(5)]

    for ahead in (2, 1, 0, 4, 3):
        [response] = answers(peer, messages[ahead])
        assert response.message_id == messages[ahead].message_id


def test_a_request_beyond_the_window_is_not_answered_until_the_window_moves():
    peer = bench_with(window=3).peer
    beyond, first = numbered(peer, 3), numbered(peer, 0)

    assert answers(peer, beyond) == []
    assert len(answers(peer, first)) == 1
    assert len(answers(peer, beyond)) == 1


def test_as_many_responses_are_kept_as_the_window_has():
    bench = bench_with(window=3)
    peer = bench.peer
    octets = []
    for ahead in range(4):
        message = numbered(peer, ahead)
        octets.append(peer.say(message))
    peer._talk.hear(lambda heard: False, 0.5)
    first = {h.message.message_id: h.octets for h in peer._talk.take_all()}

    for number, each in enumerate(octets):
        peer.say_octets(each)
        peer._talk.hear(lambda heard: False, 0.5)
        again = [h.octets for h in peer._talk.take_all()]
        expected = [] if number == 0 else [first[2 + number]]
        assert again == expected, f"request {number}"


def test_without_a_window_one_request_at_a_time_is_taken():
    peer = bench_with().peer

    assert answers(peer, numbered(peer, 1)) == []


def test_the_window_is_announced_and_a_successor_starts_with_one():
    bench = Bench()
    bench.target.configure(replace(bench.connection, window=5))
    peer = bench.peer
    peer.open_ike_sa()
    request = peer.ike_auth()
    response = peer.exchange(request)
    peer.take_up(request, response)

    assert response.notify(NotifyType.SET_WINDOW_SIZE).data == b"\0\0\0\5"
    old = peer.ike
    new, request = peer.rekey_ike()
    peer.take_up_ike(new, request, peer.exchange(request))
    peer.close_ike(old)
    assert answers(peer, numbered(peer, 1)) == []


# Their window.


@pytest.mark.parametrize(("told", "at_once"), [(None, 1), (2, 2), (5, 3)])
def test_no_more_requests_are_out_than_the_peers_window_has(told, at_once):
    bench = bench_with()
    if told is not None:
        bench.peer.exchange(bench.peer.informational(set_window_size(told)))
    for _ in range(3):
        bench.target.create_child(bench.connection, "c")

    assert len(bench.endpoint.sessions[0].outstanding) == at_once


def test_the_response_to_the_oldest_request_moves_the_window():
    """Of a window of 2, request 2 waits for the response to request 0, whatever else came."""
    bench = bench_with()
    bench.peer.exchange(bench.peer.informational(set_window_size(2)))
    for _ in range(3):
        bench.target.create_child(bench.connection, "c")
    first = bench.peer.hear_request(ExchangeType.CREATE_CHILD_SA)
    second = bench.peer.hear_request(ExchangeType.CREATE_CHILD_SA)

    bench.peer.answer(second, bench.peer.grant_child(second))
    assert list(bench.endpoint.sessions[0].outstanding) == [first.message_id]
    bench.peer.answer(first, bench.peer.grant_child(first))
    assert list(bench.endpoint.sessions[0].outstanding) == [second.message_id + 1]


@pytest.mark.parametrize("data", [b"", b"\5", b"\0\0\0\0\5", b"\0\0\0\0"], ids=bytes.hex)
def test_a_window_that_makes_no_sense_changes_nothing(data):
    bench = bench_with()

    bench.peer.exchange(bench.peer.informational(Notify(NotifyType.SET_WINDOW_SIZE, data)))

    assert bench.endpoint.sessions[0].window == 1


def test_the_peers_window_does_not_shrink():
    bench = bench_with()
    for size in (5, 2):
        bench.peer.exchange(bench.peer.informational(set_window_size(size)))

    assert bench.endpoint.sessions[0].window == 5


# INVALID_MESSAGE_ID.


def test_a_message_id_outside_the_window_is_reported_once_a_minute():
    bench = bench_with(reports_message_ids=True)
    for _ in range(3):
        bench.peer.say(numbered(bench.peer, 9))
    report = bench.peer.hear_request(ExchangeType.INFORMATIONAL)
    bench.peer.answer(report, bench.peer.reply(report))

    expected = bench.peer.informational().message_id + 9
    assert report.payloads == (Notify(NotifyType.INVALID_MESSAGE_ID, expected.to_bytes(4, "big")),)
    with pytest.raises(NoAnswer):
        bench.peer.hear_request(ExchangeType.INFORMATIONAL, 5.0)
    bench.line._now += 61.0
    bench.peer.say(numbered(bench.peer, 9))
    bench.peer.hear_request(ExchangeType.INFORMATIONAL)


def test_nothing_is_reported_unless_that_is_wanted():
    bench = bench_with()

    assert bench.peer.reactions(numbered(bench.peer, 9)) == []


# Retransmission.


@pytest.mark.parametrize("schedule", [RETRANSMISSIONS, (0.5, 1.5), (1.0, 2.0, 4.0, 8.0, 16.0)])
def test_requests_are_repeated_by_the_schedule_and_then_given_up(schedule):
    wire = Wire()
    wire.left = Endpoint(random.Random("left").randbytes, retransmissions=schedule)
    wire.left.configure(wire.left_connection)
    wire.meddler = lambda number, packet: []
    start = wire.now
    wire.carry(wire.left.initiate(wire.left_connection, wire.now))
    times = [start]
    while (due := wire.left.next_timer()) is not None:
        times.append(due)
        wire.carry(wire.left.tick(due))

    waits = [round(after - before, 6) for before, after in pairwise(times)]
    assert waits == list(schedule)
    assert len(wire.sent) == len(schedule)
    assert len({packet.octets for packet in wire.sent}) == 1
    assert wire.left.sessions == []


@pytest.mark.parametrize("schedule", [(), (2.0, 1.0), (1.0, 1.0)])
def test_waits_that_do_not_grow_are_our_error(schedule):
    with pytest.raises(ScriptError, match="grow"):
        Endpoint(random.Random(1).randbytes, retransmissions=schedule)


# First contact, half-open IKE SAs.


def test_initial_contact_ends_the_other_ike_sas_of_that_peer():
    wire = Wire(replace(connection(), initial_contact=True))
    wire.establish()
    first = wire.right.sessions[0].sa
    wire.left.sessions.clear()
    wire.establish()

    [session] = wire.right.sessions
    assert session.sa is not first
    assert wire.echoes()


def test_initial_contact_is_not_said_when_there_is_another_ike_sa():
    wire = Wire(replace(connection(), initial_contact=True))
    wire.establish()
    wire.establish()

    assert len(wire.left.sessions) == len(wire.right.sessions) == 2


def test_initial_contact_in_another_exchange_is_ignored():
    bench = bench_with()
    second = Peer(bench.line, bench.connection.mirrored(), random.Random("second").randbytes)
    second.establish()

    second.exchange(second.informational(Notify(NotifyType.INITIAL_CONTACT)))

    assert len(bench.endpoint.sessions) == 2


def test_a_half_open_ike_sa_is_given_up():
    wire = Wire(meddler=lambda number, packet: [packet] if number < 2 else [])
    wire.establish()
    assert len(wire.right.sessions) == 1
    assert Header.decode(wire.sent[-1].octets).exchange == ExchangeType.IKE_AUTH

    wire.wait(HALF_OPEN + 1)

    assert wire.right.sessions == []


def test_an_established_ike_sa_is_not():
    wire = Wire()
    wire.establish()

    wire.wait(HALF_OPEN + 1)

    assert wire.up()
    assert wire.echoes(LEFT)
