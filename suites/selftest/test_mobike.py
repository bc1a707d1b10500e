"""MOBIKE between two endpoints: moves, route checks, prohibited NATs (RFC 4555)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from peers.reference import mobike
from peers.reference.decisions import Decisions
from peers.reference.errors import PeerError
from peers.reference.events import Carrier
from peers.reference.events import Endpoint as At
from peers.reference.message import Message
from peers.reference.nat import NOT_DETECTED
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import Notify
from suites.selftest.wires import LEFT, RIGHT, Wire, connection, heard_esp

FAMILIES = pytest.mark.parametrize("family", [4, 6], ids=["ipv4", "ipv6"])
ELSEWHERE = {4: ip_address("192.0.2.99"), 6: ip_address("fd00::99")}
SECOND = {4: ip_address("192.0.2.111"), 6: ip_address("fd00::111")}
"""Another address of the left endpoint, and one of the right."""


class Mobile(Wire):
    """A wire to endpoints with MOBIKE and two addresses of each IP version."""

    def __init__(self, family=4, **more):
        left = replace(connection(family=family), mobike=True)
        right = replace(left.mirrored(), more_addresses=(SECOND[family],))
        super().__init__(left, right=right, **more)

    def at(self, packet):
        lefts = {self.left_connection.local, *ELSEWHERE.values()}
        return self.left if packet.destination.address in lefts else self.right

    def move(self, local=None, remote=None):
        self.carry(self.left.move(self.left_connection, self.now, local, remote))

    def way(self, side):
        """Give the addresses that a side sends ESP between: ours, then the other's."""
        [session] = self.both[side].sessions
        [child] = session.sa.children
        own, other = self.both[side].decide.esp_route(session.sa, child)
        return own.address, other.address


@FAMILIES
def test_both_support_it_and_are_on_port_4500(family):
    wire = Mobile(family)
    wire.establish()

    [left], [right] = wire.left.sessions, wire.right.sessions
    assert (left.sa.mobility.decides, right.sa.mobility.decides) == (True, False)
    assert left.sa.mobility.addresses == (SECOND[family],)
    assert {p.destination.port for p in wire.sent[2:4]} == {4500}
    assert wire.echoes(LEFT)
    assert {p.carrier for p in wire.sent[4:]} == {Carrier.ESP}, "no NAT: nothing is encapsulated"


@pytest.mark.parametrize("side", [LEFT, RIGHT], ids=["left", "right"])
def test_one_side_alone_does_not_move(side):
    sides = [replace(connection(), mobike=True), connection().mirrored()]
    if side == RIGHT:
        sides = [connection(), replace(connection().mirrored(), mobike=True)]
    wire = Wire(sides[LEFT], right=sides[RIGHT])
    wire.establish()

    wire.carry(wire.left.move(sides[LEFT], wire.now, ELSEWHERE[4]))

    assert [s.sa.mobility for e in wire.both for s in e.sessions] == [None, None]
    assert wire.echoes()


@FAMILIES
@pytest.mark.parametrize("crossing", [False, True], ids=["same-version", "other-version"])
def test_the_initiator_moves(family, crossing):
    wire = Mobile(family)
    wire.establish()
    there = ELSEWHERE[10 - family if crossing else family]
    remote = SECOND[there.version] if crossing else None

    wire.move(there, remote)

    other = remote or wire.left_connection.remote
    assert wire.way(LEFT) == (there, other)
    assert wire.way(RIGHT) == (other, there)
    assert wire.echoes(LEFT)
    assert wire.echoes(RIGHT)
    assert {p.source.address for p in wire.sent[-4:]} == {there, other}


def test_the_responder_asks_before_esp_moves():
    held = []
    wire = Mobile()
    wire.establish()
    home = wire.left_connection.local

    def hold(number, packet):
        # The response to the update is the first packet to the new address; then comes the check.
        to_left = packet.destination.address == ELSEWHERE[4]
        if to_left and len(held) < 2:
            held.append(packet)
            return [packet] if len(held) == 1 else []
        return [packet]

    wire.meddler = hold
    wire.move(ELSEWHERE[4])

    assert wire.way(RIGHT)[1] == home, "moved before the check"
    assert wire.right.sessions[0].sa.remote.address == ELSEWHERE[4]
    wire.carry([held[1]])
    assert wire.way(RIGHT)[1] == ELSEWHERE[4]


def test_a_second_move_while_the_first_is_checked():
    wire = Mobile()
    wire.establish()
    home = wire.left_connection.local
    lost = []

    def lose(number, packet):
        if packet.destination.address == ELSEWHERE[4]:
            lost.append(packet)
            return []
        return [packet]

    wire.meddler = lose
    wire.move(ELSEWHERE[4])
    assert lost
    wire.move(home)
    wire.wait(20)

    assert wire.up()
    assert wire.way(LEFT)[0] == home
    assert wire.way(RIGHT)[1] == home
    assert wire.echoes(LEFT)
    assert wire.echoes(RIGHT)


def test_what_is_outstanding_goes_on_from_the_new_address():
    wire = Mobile()
    wire.establish()
    wire.meddler = lambda number, packet: []
    wire.carry(wire.left.rekey_child(wire.left_connection, wire.now))
    wire.move(ELSEWHERE[4])
    wire.meddler = lambda number, packet: [packet]

    wire.wait(10)

    assert wire.up()
    assert wire.way(RIGHT)[1] == ELSEWHERE[4]
    assert wire.echoes(RIGHT)


def test_a_rekeyed_ike_sa_moves_whoever_asked_for_it():
    for side in (LEFT, RIGHT):
        wire = Mobile()
        wire.establish()
        own = (wire.left_connection, wire.right_connection)[side]
        wire.carry(wire.both[side].rekey_ike(own, wire.now))

        wire.move(ELSEWHERE[4])

        assert wire.way(RIGHT)[1] == ELSEWHERE[4]
        assert wire.echoes(LEFT)


def test_only_who_began_may_move():
    wire = Mobile()
    wire.establish()
    wire.carry(wire.right.move(wire.right_connection, wire.now, SECOND[4]))

    assert wire.way(RIGHT)[0] == wire.right_connection.local
    assert "cannot be moved by us" in wire.right.log[-1][1]


class Unwilling(Decisions):
    def accepts_way(self, sa, way):
        return False


def test_an_unacceptable_address_is_given_up():
    wire = Mobile(decisions=(None, Unwilling()))
    wire.establish()
    wire.move(ELSEWHERE[4])

    assert wire.way(LEFT)[0] == wire.left_connection.local
    assert wire.echoes(LEFT)
    assert wire.echoes(RIGHT)


class WrongCookie(Decisions):
    def answer_to_mobility(self, sa, request, way):
        return (Notify(NotifyType.COOKIE2, bytes(16)),)


@pytest.mark.parametrize("side", [LEFT, RIGHT], ids=["left", "right"])
def test_another_cookie2_ends_the_ike_sa(side):
    decisions = [None, None]
    decisions[side] = WrongCookie()
    wire = Mobile(decisions=tuple(decisions))
    wire.establish()

    wire.move(ELSEWHERE[4])

    assert not wire.both[1 - side].sessions
    assert any("COOKIE2" in line for _, line in wire.both[1 - side].log)


class Untraversing(Decisions):
    def detects(self, message, source, destination):
        return NOT_DETECTED


def address_changer(wire):
    def change(number, packet):
        if packet.source.address == ELSEWHERE[4] and packet.carrier is Carrier.UDP:
            return [replace(packet, source=replace(packet.source, address=SECOND[4]))]
        if packet.destination.address == SECOND[4]:
            return [replace(packet, destination=replace(packet.destination, address=ELSEWHERE[4]))]
        return [packet]

    return change


def test_without_nat_traversal_a_changed_address_is_refused_again_and_again():
    wire = Mobile(decisions=(Untraversing(), Untraversing()))
    wire.establish()
    assert {p.destination.port for p in wire.sent} == {500}
    before = len(wire.sent)
    wire.meddler = address_changer(wire)

    wire.move(ELSEWHERE[4])

    assert len(wire.sent) - before == 2 * 4, "four requests and their responses"
    assert wire.way(LEFT)[0] == wire.left_connection.local
    assert wire.echoes(LEFT)
    assert wire.echoes(RIGHT)


def test_without_nat_traversal_a_true_address_is_taken():
    wire = Mobile(decisions=(Untraversing(), Untraversing()))
    wire.establish()
    wire.move(ELSEWHERE[4])

    assert wire.way(RIGHT)[1] == ELSEWHERE[4]
    assert wire.echoes(RIGHT)


def test_an_ike_auth_request_that_met_a_nat_makes_no_ike_sa():
    wire = Mobile(decisions=(Untraversing(), Untraversing()))
    moved = ELSEWHERE[4]

    def change(number, packet):
        if number == 2:
            return [replace(packet, source=At(moved, packet.source.port))]
        return [packet]

    wire.meddler = change
    wire.establish()

    assert not wire.right.sessions
    assert not wire.left.sessions


def test_a_new_mapping_of_a_nat_is_found_by_a_liveness_check():
    wire = Mobile()
    wire.left_connection = replace(wire.left_connection, liveness_delay=10.0)
    wire.left.configure(wire.left_connection)
    offset = [20000]
    inner, outer = wire.left_connection.local, ELSEWHERE[4]

    def translate(number, packet):
        if packet.source.address == inner:
            port = packet.source.port + offset[0] if packet.source.port else 0
            return [replace(packet, source=At(outer, port))]
        if packet.destination.port not in (500 + offset[0], 4500 + offset[0]):
            return []
        return [replace(packet, destination=At(inner, packet.destination.port - offset[0]))]

    wire.right.configure(replace(wire.right_connection, remote=outer))
    wire.meddler = translate
    wire.establish()
    assert wire.echoes(RIGHT)
    offset[0] = 30000
    before = heard_esp(wire.left)
    wire.carry(wire.right.echo(wire.right_connection, wire.now))
    assert heard_esp(wire.left) == before, "the old mapping is gone"

    wire.wait(30)

    assert wire.up()
    assert wire.right.sessions[0].sa.remote == At(outer, 34500)
    assert wire.echoes(RIGHT)


# The notifies.


def message(*payloads):
    return Message(
        bytes(8),
        bytes(8),
        ExchangeType.INFORMATIONAL,
        initiator=True,
        response=False,
        message_id=2,
        payloads=payloads,
    )


@pytest.mark.parametrize("addresses", [(), (ELSEWHERE[4],), (SECOND[6], ELSEWHERE[4], SECOND[4])])
def test_address_lists_round_trip(addresses):
    assert mobike.addresses_in(message(*mobike.address_list(addresses))) == addresses


def test_no_list_is_not_an_empty_list():
    assert mobike.addresses_in(message()) is None
    assert mobike.addresses_in(message(Notify(NotifyType.NO_ADDITIONAL_ADDRESSES))) == ()


@pytest.mark.parametrize("size", [0, 3, 5, 15, 17])
@pytest.mark.parametrize("kind", mobike.SIZES)
def test_an_address_of_another_size_is_refused(kind, size):
    with pytest.raises(PeerError, match=f"with {size} octets"):
        mobike.addresses_in(message(Notify(kind, bytes(size))))


@FAMILIES
def test_no_nats_allowed_is_laid_out_as_the_rfc_has_it(family):
    source, destination = At(ELSEWHERE[family], 500), At(SECOND[family], 4500)

    data = mobike.no_nats_allowed(source, destination).data

    assert len(data) == {4: 12, 6: 36}[family]
    assert data == ELSEWHERE[family].packed + SECOND[family].packed + b"\x01\xf4\x11\x94"
    assert mobike.is_as_sent(message(Notify(NotifyType.NO_NATS_ALLOWED, data)), source, destination)
    swapped = message(Notify(NotifyType.NO_NATS_ALLOWED, data))
    assert not mobike.is_as_sent(swapped, destination, source)
    assert mobike.is_as_sent(message(), source, destination)
