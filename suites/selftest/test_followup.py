"""Key exchanges after CREATE_CHILD_SA between two endpoints (RFC 9370, 2.2.4)."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from peers.reference.additional import addke
from peers.reference.decisions import Decisions
from peers.reference.negotiation import esp_proposal
from peers.reference.numbers import KeyExchangeMethod
from peers.reference.states import State
from suites.selftest.wires import LEFT, RIGHT, Wire, connection
from suites.terms import AES_GCM_256, CURVE25519, Suite, ike

ECP_256, ECP_384, ML_KEM_512 = (
    KeyExchangeMethod.ECP_256,
    KeyExchangeMethod.ECP_384,
    KeyExchangeMethod.ML_KEM_512,
)

FURTHER = (addke(1, ECP_256), addke(3, ML_KEM_512))
SUITE = Suite(
    (ike(AES_GCM_256, CURVE25519, addke(1, ECP_384)),),
    (esp_proposal(AES_GCM_256, CURVE25519, *FURTHER),),
)


def up(meddler=lambda number, packet: [packet], decisions=(None, None)):
    wire = Wire(connection(SUITE), meddler, decisions=decisions)
    wire.establish()
    assert wire.up()
    return wire


def sas(wire):
    return [[s.sa for s in end.sessions if s.sa.state is State.ESTABLISHED] for end in wire.both]


def children(wire):
    [[left], [right]] = sas(wire)
    return left.children, right.children


DEEDS = {
    "create": lambda wire: wire.left.create_child(wire.left_connection, wire.now, "c"),
    "rekey-child": lambda wire: wire.left.rekey_child(wire.left_connection, wire.now),
    "rekey-ike": lambda wire: wire.left.rekey_ike(wire.left_connection, wire.now),
}
EXCHANGES = {"create": 3, "rekey-child": 4, "rekey-ike": 3}
"""CREATE_CHILD_SA, each key exchange after it, and the delete of what was replaced."""


@pytest.mark.parametrize("deed", DEEDS)
def test_each_further_method_is_one_exchange(deed):
    wire = up()
    before = len(wire.sent)

    wire.carry(DEEDS[deed](wire))

    assert len(wire.sent) - before == 2 * EXCHANGES[deed]
    assert [len(each) for each in children(wire)] == [2 if deed == "create" else 1] * 2
    assert wire.echoes(LEFT)
    assert wire.echoes(RIGHT)


@pytest.mark.parametrize("deed", DEEDS)
def test_both_sides_have_the_same_new_keys(deed):
    wire = up()
    wire.carry(DEEDS[deed](wire))

    [[left], [right]] = sas(wire)
    assert left.keys == right.keys
    assert left.children[-1].keys == right.children[-1].keys
    assert left.children[0].keys == right.children[0].keys


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("copies", [0, 2])
def test_any_message_may_be_lost_or_come_twice(deed, number, copies):
    seen = []

    def meddle(count, packet):
        seen.append(count)
        return [packet] * (copies if len(seen) == number + 1 else 1)

    wire = up()
    wire.meddler = meddle
    wire.carry(DEEDS[deed](wire))
    wire.wait(70)
    wire.meddler = lambda number, packet: [packet]

    assert [len(each) for each in children(wire)] == [2 if deed == "create" else 1] * 2
    assert wire.echoes(LEFT)
    assert not any(session.awaited for end in wire.both for session in end.sessions)


def swallow(after):
    """Let ``after`` packets through, and lose all that follow."""
    seen = []

    def meddle(count, packet):
        seen.append(count)
        return [packet] if len(seen) <= after else []

    return meddle


@pytest.mark.parametrize("deed", DEEDS)
def test_a_series_that_does_not_go_on_is_forgotten(deed):
    wire = up()
    wire.meddler = swallow(2)

    wire.carry(DEEDS[deed](wire))
    [session] = wire.right.sessions
    assert len(session.awaited) == 1

    wire.carry(wire.right.tick(wire.now + 21))
    assert not session.awaited
    assert len(session.sa.children) == 1


class ForgetsOnce(Decisions):
    """Has lost the first series that is asked for, and no other."""

    def __init__(self, times=1):
        self.times = times

    def finds_series(self, awaited, link):
        self.times -= 1
        if self.times >= 0:
            awaited.clear()
        return super().finds_series(awaited, link)


@pytest.mark.parametrize("deed", DEEDS)
def test_a_series_that_the_responder_lost_is_started_anew(deed):
    wire = up(decisions=(None, ForgetsOnce()))

    wire.carry(DEEDS[deed](wire))

    assert [len(each) for each in children(wire)] == [2 if deed == "create" else 1] * 2
    assert wire.echoes(LEFT)


@pytest.mark.parametrize("deed", DEEDS)
def test_an_ike_sa_whose_series_are_lost_again_and_again_is_deleted(deed):
    wire = up(decisions=(None, ForgetsOnce(100)))

    wire.carry(DEEDS[deed](wire))

    assert wire.left.sessions == wire.right.sessions == []


@pytest.mark.parametrize("deed", ["rekey-child", "rekey-ike"])
@pytest.mark.parametrize("seed", range(6))
def test_simultaneous_rekeys_leave_one(deed, seed):
    wire = Wire(connection(SUITE), seed=seed)
    wire.establish()
    right = {
        "rekey-child": lambda: wire.right.rekey_child(wire.right_connection, wire.now),
        "rekey-ike": lambda: wire.right.rekey_ike(wire.right_connection, wire.now),
    }[deed]

    wire.carry([*DEEDS[deed](wire), *right()])
    wire.wait(100)

    assert [len(each) for each in children(wire)] == [1, 1]
    assert wire.echoes(LEFT)
    assert wire.echoes(RIGHT)


def test_links_are_new_each_time():
    links = []

    class Watches(Decisions):
        def link_notify(self, series):
            links.append(series.link)
            return super().link_notify(series)

    wire = up(decisions=(None, Watches()))
    wire.carry(DEEDS["create"](wire))

    assert len(links) == len(FURTHER)
    assert all(one != other for one, other in pairwise(links))


def test_further_key_exchanges_of_a_child_sa_may_be_none():
    none = replace(SUITE.esp[0], transforms=(*SUITE.esp[0].transforms, addke(1, 0), addke(3, 0)))
    described = replace(connection(SUITE), esp_proposals=(none,))
    plain = replace(connection(SUITE), esp_proposals=(esp_proposal(AES_GCM_256, CURVE25519),))
    wire = Wire(described, right=plain.mirrored())
    wire.establish()
    before = len(wire.sent)

    wire.carry(DEEDS["create"](wire))

    assert len(wire.sent) == before + 2
    assert wire.echoes(LEFT)
