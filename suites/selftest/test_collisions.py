"""Exchanges that cross, in every order of arrival (RFC 7296, 2.8.1, 2.8.2 and 2.25)."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from peers.reference import purposes
from peers.reference.message import Header
from peers.reference.numbers import NotifyType
from peers.reference.purposes import TEMPORARY_FAILURE, Asked, Busy
from peers.reference.states import State
from suites.selftest.crossing import Crossing, every_order, then, with_second
from suites.selftest.wires import LEFT, RIGHT, connection

ORDERS = every_order(5)
SEEDS = range(4)
"""So many that each side's nonce is the lowest in some."""


def crossing(seed=1, described=None):
    wire = Crossing(described, seed=seed)
    wire.establish()
    assert wire.up()
    return wire


def cross(wire, left, right, order):
    """Let both sides begin something, and everything arrive in that order."""
    for side, (verb, arguments) in ((LEFT, left), (RIGHT, right)):
        wire.start(side, verb, **arguments)
    wire.run(then(order))
    settle(wire)


def settle(wire, seconds=100.0):
    """Let time pass: what was put off is tried again, what waits is given up."""
    end = wire.now + seconds
    while True:
        dues = [due for e in wire.both if (due := e.next_timer()) is not None and due <= end]
        if not dues:
            wire.now = end
            return
        wire.now = max(wire.now, min(dues))
        for side in (LEFT, RIGHT):
            wire.let_go(side, wire.both[side].tick(wire.now))
        wire.run(then(()))


def children(wire):
    return [[c.spis() for s in e.sessions for c in s.sa.children] for e in wire.both]


def assert_agreed(wire, count=1):
    """Both hold one IKE SA and the same Child SAs, and each side's echo comes back."""
    assert wire.up()
    left, right = children(wire)
    assert sorted(left) == sorted((theirs, ours) for ours, theirs in right)
    assert len(left) == count
    if count:
        assert wire.echoes(LEFT)
        assert wire.echoes(RIGHT)
    assert not any(session.outstanding for e in wire.both for session in e.sessions)


REKEY = ("rekey_child", {})
DELETE = ("delete", {"child_only": True})
REKEY_IKE = ("rekey_ike", {})
CREATE = ("create_child", {"name": "second"})
DELETE_IKE = ("delete", {"child_only": False})


@pytest.mark.parametrize("seed", SEEDS)
def test_simultaneous_rekeys_of_a_child_sa_leave_one(seed):
    for order in ORDERS:
        wire = crossing(seed)

        cross(wire, REKEY, REKEY, order)

        assert_agreed(wire)


@pytest.mark.parametrize("seed", SEEDS)
def test_simultaneous_rekeys_of_the_ike_sa_leave_one_with_the_child_sas(seed):
    for order in ORDERS:
        wire = crossing(seed)

        cross(wire, REKEY_IKE, REKEY_IKE, order)

        assert_agreed(wire)


@pytest.mark.parametrize(("left", "right"), [(REKEY, DELETE), (DELETE, REKEY)])
def test_a_rekey_that_crosses_a_delete_leaves_both_agreed(left, right):
    for order in ORDERS:
        wire = crossing()

        cross(wire, left, right, order)

        left_side, _ = children(wire)
        assert_agreed(wire, len(left_side))
        assert len(left_side) <= 1


def test_deletes_of_a_child_sa_that_cross_leave_none():
    for order in ORDERS:
        wire = crossing()

        cross(wire, DELETE, DELETE, order)

        assert_agreed(wire, 0)


@pytest.mark.parametrize(("other", "left"), [(REKEY, 1), (CREATE, 2), (DELETE, 0)])
@pytest.mark.parametrize("turned", [False, True], ids=["", "turned"])
def test_an_ike_rekey_that_crosses_a_child_exchange_waits_for_it_or_is_waited_for(
    other, left, turned
):
    for order in ORDERS:
        wire = crossing(described=with_second())

        cross(wire, *((other, REKEY_IKE) if turned else (REKEY_IKE, other)), order)

        assert_agreed(wire, left)


@pytest.mark.parametrize("verb", [REKEY, REKEY_IKE, CREATE, DELETE, DELETE_IKE])
def test_whatever_crosses_the_delete_of_the_ike_sa_goes_with_it(verb):
    for order, turned in product(every_order(3), (False, True)):
        wire = crossing(described=with_second())

        cross(wire, *((verb, DELETE_IKE) if turned else (DELETE_IKE, verb)), order)

        # A rekey that was answered first has made a successor that outlives the old IKE SA.
        assert wire.left.sessions == wire.right.sessions == [] or wire.up()


def test_the_side_that_does_not_notice_a_simultaneous_rekey_wins():
    """2.8.1: the request that was lost comes to a Child SA that is gone."""
    wire = crossing()
    wire.start(LEFT, "rekey_child")
    wire.drop(LEFT)
    wire.start(RIGHT, "rekey_child")
    wire.run(then(()))
    settle(wire)

    assert_agreed(wire)


def test_the_side_that_does_not_notice_a_simultaneous_rekey_of_the_ike_sa_wins():
    """2.8.2: the old IKE SA is deleted, and the other side's own request forgotten."""
    wire = crossing()
    wire.start(LEFT, "rekey_ike")
    wire.drop(LEFT)
    wire.start(RIGHT, "rekey_ike")
    wire.run(then(()))
    settle(wire)

    assert_agreed(wire)


def test_the_responder_sends_on_the_old_child_sa_until_the_new_one_is_known_to_be_there():
    wire = crossing()
    old = wire.right.sessions[0].sa.children[0]
    wire.start(LEFT, "rekey_child")
    wire.arrive(LEFT)

    assert [c.ready for c in wire.right.sessions[0].sa.children] == [True, False]
    assert wire.right.echo(wire.right_connection, wire.now)[0].octets[:4] == old.outbound.spi
    wire.run(then(()))
    assert [c.ready for c in wire.right.sessions[0].sa.children] == [True]


def test_traffic_on_the_new_child_sa_shows_that_it_is_there():
    wire = crossing()
    wire.start(LEFT, "rekey_child")
    wire.arrive(LEFT)
    response = wire.flying[RIGHT][0]
    wire.left.receive(response, wire.now)
    new = wire.left.sessions[0].sa.children[-1]

    echo = wire.left.echo(wire.left_connection, wire.now)[0]
    reply = wire.right.receive(echo, wire.now)[0]

    assert echo.octets[:4] == new.outbound.spi
    assert reply.octets[:4] == new.inbound.spi


def test_the_lowest_nonce_is_found_octet_by_octet():
    """2.8.1: not as numbers; one that is the beginning of another is lower."""
    assert purposes.loses((b"\x01\xff", b"\xff"), (b"\x02", b"\x03\x00"))
    assert not purposes.loses((b"\x02", b"\xff"), (b"\xff\xff", b"\x01\xff\xff"))
    assert purposes.loses((b"\x05\x05", b"\x09"), (b"\x05\x05\x00", b"\x09"))


def test_what_has_to_wait_is_put_off_and_done_later():
    wire = crossing(described=with_second())
    wire.start(LEFT, "create_child", name="second")
    wire.start(RIGHT, "rekey_ike")
    wire.arrive(RIGHT)
    refusal = wire.flying[LEFT][-1]
    assert "TEMPORARY_FAILURE" in str(wire.right.sessions[0].sa.decode(refusal.octets))
    before = Header.decode(wire.sent[-1].octets).spi_i

    wire.run(then(()))
    assert len(wire.left.sessions) == 1, "not yet"
    settle(wire)

    assert_agreed(wire, 2)
    assert before != wire.left.sessions[0].sa.spi_i


def test_an_ike_sa_whose_peer_puts_everything_off_is_closed():
    wire = crossing(described=with_second())
    wire.right.decide.has_to_wait = lambda asked, busy: True
    wire.start(LEFT, "rekey_child")
    wire.run(then(()))
    settle(wire, 400.0)

    assert wire.left.sessions == []


@pytest.mark.parametrize("asked", Asked)
@pytest.mark.parametrize("busy", Busy)
def test_every_pair_of_the_table_of_collisions(asked, busy):
    wire = crossing()
    waits = wire.left.decide.has_to_wait(asked, {busy})

    assert waits is ((asked, busy) in TEMPORARY_FAILURE)
    assert not wire.left.decide.has_to_wait(asked, set())


def test_a_rekey_of_an_unknown_child_sa_is_answered_with_its_spi():
    """2.25: and who asked forgets it and makes another one."""
    wire = crossing()
    gone = wire.right.sessions[0].sa.children.pop()
    wire.start(LEFT, "rekey_child")
    wire.arrive(LEFT)
    answer = wire.left.sessions[0].sa.decode(wire.flying[RIGHT][0].octets)

    notify = answer.notify(NotifyType.CHILD_SA_NOT_FOUND)
    assert notify.spi == gone.outbound.spi
    wire.run(then(()))
    settle(wire)
    assert_agreed(wire)
    assert wire.left.sessions[0].sa.children[0].spis() != tuple(reversed(gone.spis()))


def test_no_more_child_sas_than_are_allowed():
    described = with_second()
    wire = Crossing(described, right=replace(described.mirrored(), most_children=1))
    wire.establish()
    wire.start(LEFT, "create_child", name="second")
    wire.arrive(LEFT)

    answer = wire.left.sessions[0].sa.decode(wire.flying[RIGHT][0].octets)
    assert NotifyType.NO_ADDITIONAL_SAS in answer.notifies
    wire.run(then(()))
    wire.start(LEFT, "rekey_child")
    wire.run(then(()))
    assert_agreed(wire)


def test_a_replaced_ike_sa_that_nobody_deletes_is_given_up():
    wire = crossing()
    wire.start(LEFT, "rekey_ike")
    wire.arrive(LEFT)
    old = wire.right.sessions[0]
    assert old.sa.state is State.REPLACED
    wire.flying[RIGHT].clear()
    wire.left.sessions.clear()

    wire.now += 100.0
    wire.right.tick(wire.now)

    assert old not in wire.right.sessions
    assert connection().name == old.sa.connection.name
