"""Endpoints that send and take fragments (RFC 7383): both roles, loss, repetition, expiry."""

from dataclasses import replace

import pytest

from peers.reference.message import Message
from peers.reference.numbers import ExchangeType
from peers.reference.payloads import SKF
from suites.selftest.wires import LEFT, RIGHT, Wire, connection

SMALL = replace(connection(), fragment_size=160)


def fragments(packets):
    """List (exchange, response, number) of the fragments among packets."""
    messages = [Message.decode(packet.octets) for packet in packets if packet.carrier.name == "UDP"]
    return [
        (each.exchange, each.response, each.get(SKF).fragment) for each in messages if each.has(SKF)
    ]


def test_large_messages_go_in_fragments_and_everything_works():
    wire = Wire(SMALL)
    wire.establish()

    assert wire.up()
    assert (ExchangeType.IKE_AUTH, False, 2) in fragments(wire.sent)
    assert (ExchangeType.IKE_AUTH, True, 2) in fragments(wire.sent)
    assert all(len(p.octets) <= 160 for p in wire.sent[2:] if p.carrier.name == "UDP")
    assert wire.echoes(LEFT)

    wire.carry(wire.left.rekey_child(wire.left_connection, wire.now))
    wire.carry(wire.right.rekey_ike(wire.right_connection, wire.now))
    assert wire.left.sessions[-1].sa.fragments, "the heir takes fragments too"
    wire.carry(wire.left.rekey_child(wire.left_connection, wire.now))
    assert wire.echoes(RIGHT)


@pytest.mark.parametrize("silent", [LEFT, RIGHT])
def test_without_agreement_nothing_is_split(silent):
    whole = replace(SMALL, fragment_size=0)
    left, right = (whole, SMALL) if silent == LEFT else (SMALL, whole)
    wire = Wire(left, right=right.mirrored())
    wire.establish()

    assert wire.up()
    assert fragments(wire.sent) == []


def test_a_fragment_that_nobody_agreed_to_is_dropped():
    wire = Wire(SMALL)
    wire.carry(wire.left.initiate(wire.left_connection, wire.now))
    wire.right.sessions[0].sa.fragments = False
    wire.carry(wire.left.rekey_child(wire.left_connection, wire.now))

    assert wire.right.drops["a fragment, and no fragmentation was agreed"] > 0
    assert len(wire.right.sessions[0].sa.children) == 1


@pytest.mark.parametrize("lost", range(2, 6))
def test_a_lost_fragment_is_made_good_by_repetition(lost):
    wire = Wire(SMALL, lambda number, packet: [] if number == lost else [packet])
    wire.establish()
    wire.wait(10)

    assert wire.up()
    assert wire.echoes()


def test_doubled_fragments_do_no_harm():
    wire = Wire(SMALL, lambda number, packet: [packet, packet])
    wire.establish()

    assert wire.up()
    assert wire.echoes()


def test_fragments_that_do_not_come_whole_are_given_up():
    def lose_all_seconds(number, packet):
        seconds = fragments([packet])
        return [] if seconds and seconds[0][2] == 2 and not seconds[0][1] else [packet]

    wire = Wire(SMALL, lose_all_seconds)
    wire.establish()
    session = wire.right.sessions[0]
    assert session.fragments is not None
    wire.wait(20)

    assert any("did not come whole" in reason for reason in wire.right.drops)
    assert wire.left.sessions == [], "the initiator gives up"
