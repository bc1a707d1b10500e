"""What two endpoints agree on for ESP: extended numbers, TFC padding, dummies, no anti-replay."""

from dataclasses import replace

import pytest

from peers.reference.errors import ScriptError
from peers.reference.esp import ReplayWindow
from peers.reference.events import Carrier, Packet
from peers.reference.events import Endpoint as At
from peers.reference.negotiation import encr, esn, esp_proposal
from peers.reference.numbers import Encr, Esn, IpProtocol, NotifyType
from suites.selftest.wires import LEFT, RIGHT, Wire, connection

GCM = encr(Encr.ENCR_AES_GCM_16, 256)
NO, YES = esn(Esn.NO_ESN), esn(Esn.ESN)
AGREED = [
    # left offers, right allows, extended
    ((YES,), (YES,), True),
    ((YES, NO), (YES,), True),
    ((YES, NO), (NO,), False),
    ((NO, YES), (YES, NO), True),
    ((NO,), (YES, NO), False),
]


def described(*transforms, **changes):
    return replace(connection(), esp_proposals=(esp_proposal(GCM, *transforms),), **changes)


def children(wire):
    return [endpoint.sessions[0].sa.children[0] for endpoint in wire.both]


@pytest.mark.parametrize(("left", "right", "extended"), AGREED)
def test_sequence_numbers_are_negotiated(left, right, extended):
    wire = Wire(described(*left), right=described(*right).mirrored())
    wire.establish()

    assert wire.echoes(LEFT)
    assert wire.echoes(RIGHT)
    assert {c.inbound.extended for c in children(wire)} == {extended}
    assert {c.outbound.extended for c in children(wire)} == {extended}


def test_nothing_common_in_sequence_numbers_is_no_proposal_chosen():
    wire = Wire(described(YES), right=described(NO).mirrored())
    wire.establish()

    assert not any(session.sa.children for session in wire.right.sessions)


def test_extended_numbers_survive_a_rekey_and_the_boundary():
    wire = Wire(described(YES))
    wire.establish()
    wire.carry(wire.left.rekey_child(wire.left_connection, wire.now))
    left, right = children(wire)
    left.outbound.sequence = right.inbound.window.top = (1 << 32) - 2

    assert all(wire.echoes(LEFT) for _ in range(4))
    assert left.outbound.sequence == (1 << 32) + 2
    assert right.inbound.window.top == (1 << 32) + 2


def test_extended_numbers_without_anti_replay_are_refused():
    with pytest.raises(ScriptError, match="replay window of 0"):
        Wire(described(YES, replay_window=0))


def test_without_anti_replay_a_packet_is_taken_as_often_as_it_comes():
    wire = Wire(described(NO, replay_window=0))
    wire.establish()
    assert wire.echoes(LEFT)
    request = next(p for p in wire.sent if p.carrier is Carrier.ESP)

    wire.carry([request, request])

    assert children(wire)[1].packets_in == 3


@pytest.mark.parametrize("refuses", [False, True])
def test_padding_for_confidentiality_is_sent_only_where_it_is_taken(refuses):
    """RFC 7296, 1.3.1: the notify of either side forbids it to the other."""
    right = described(NO, accepts_tfc=not refuses).mirrored()
    wire = Wire(described(NO, tfc_size=500), right=right)
    wire.establish()

    assert wire.echoes(LEFT)
    first, reply = (p for p in wire.sent if p.carrier is Carrier.ESP)
    assert (len(first.octets) > 500) is not refuses
    assert len(reply.octets) < 500
    assert children(wire)[0].terms.peer_accepts_tfc is not refuses


def test_initiator_that_takes_no_padding_says_so():
    wire = Wire(described(NO, accepts_tfc=False), right=described(NO, tfc_size=500).mirrored())
    wire.establish()

    assert wire.echoes(LEFT)
    assert all(len(p.octets) < 500 for p in wire.sent if p.carrier is Carrier.ESP)
    assert NotifyType.ESP_TFC_PADDING_NOT_SUPPORTED == 16394


def test_dummy_is_dropped_and_its_number_counts():
    wire = Wire(described(NO))
    wire.establish()
    left, right = children(wire)
    octets = left.outbound.seal(IpProtocol.NO_NEXT_HEADER, b"no packet", bytes(8))
    packet = Packet(Carrier.ESP, At(left.local), At(left.remote), octets)

    assert wire.right.receive(packet, wire.now) == []
    assert wire.right.receive(packet, wire.now) == []

    assert wire.right.drops == {"dummy packet": 1, "ESP replay": 1}
    assert isinstance(right.inbound.window, ReplayWindow)
    assert right.inbound.window.top == 1
    assert wire.echoes(LEFT)
