"""The scripted peer: what it says of a silent target, what it answers, what it records."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from peers.memory import MemoryLink
from peers.peer import PATIENCE, Peer
from peers.reference.connection import Connection
from peers.reference.credentials import Psk
from peers.reference.decisions import Decisions
from peers.reference.endpoint import Endpoint
from peers.reference.errors import Inconclusive, NoAnswer, PeerError, ScriptError
from peers.reference.events import ChildKeysDerived, IkeKeysDerived, Packet, Remark, Transmission
from peers.reference.identity import fqdn
from peers.reference.message import Header, Message
from peers.reference.numbers import ExchangeType, NotifyType, ProtocolId
from peers.reference.payloads import SA, Delete, Nonce, Notify, TSi, TSr
from peers.targets.base import TargetInfo
from peers.targets.reference import ReferenceTarget
from suites import terms

Filter = Callable[[Packet], bool]


class Line(MemoryLink):
    """A link that loses what its filters do not let pass, and notes all that passes."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint, 1000.0)
        self.there: Filter = lambda packet: True
        self.back: Filter = lambda packet: True
        self.sent: list[Packet] = []
        self.heard: list[Packet] = []

    def send(self, packet):
        self.sent.append(packet)
        if self.there(packet):
            super().send(packet)

    def deliver(self, packets):
        super().deliver([packet for packet in packets if self.back(packet)])

    def receive(self, addresses, deadline):
        packet = super().receive(addresses, deadline)
        if packet is not None:
            self.heard.append(packet)
        return packet


class Bench:
    """A peer, the embedded target, and the line between them."""

    def __init__(self, decisions: Decisions | None = None) -> None:
        endpoint = Endpoint(random.Random("target").randbytes, decisions)
        self.endpoint = endpoint
        self.line = Line(endpoint)
        self.target = ReferenceTarget(endpoint, self.line, TargetInfo("reference", "0", ""))
        self.connection = Connection(
            "c",
            ip_address("198.18.0.20"),
            ip_address("198.18.32.1"),
            fqdn("target.test"),
            fqdn("peer.test"),
            Psk(b"a shared secret"),
            Psk(b"a shared secret"),
            terms.DEFAULT.ike,
            terms.DEFAULT.esp,
            (ip_network("10.64.0.0/24"),),
            (ip_network("10.128.1.0/24"),),
        )
        self.target.configure(self.connection)
        self.peer = Peer(self.line, self.connection.mirrored(), random.Random("peer").randbytes)


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def up(bench):
    bench.peer.establish()
    return bench


def is_exchange(*exchanges, response=False):
    def matches(packet):
        header = Header.decode(packet.octets)
        return header.exchange in exchanges and header.response == response

    return matches


def none_of(matches):
    return lambda packet: not matches(packet)


# Silence.


def test_a_link_that_swallows_everything_says_nothing_of_the_target(bench):
    bench.line.there = lambda packet: False

    with pytest.raises(Inconclusive):
        bench.peer.exchange(bench.peer.ike_sa_init())


def test_a_target_whose_answers_are_all_lost_is_not_judged(bench):
    bench.line.back = lambda packet: False

    with pytest.raises(Inconclusive):
        bench.peer.establish()


def test_a_request_that_alone_is_never_answered_is_a_finding(up):
    up.line.there = none_of(is_exchange(ExchangeType.INFORMATIONAL))

    with pytest.raises(NoAnswer, match="INFORMATIONAL"):
        up.peer.exchange(up.peer.informational())

    lost = [p for p in up.line.sent if is_exchange(ExchangeType.INFORMATIONAL)(p)]
    assert len(lost) == len(PATIENCE)
    assert len(set(lost)) == 1, "a retransmission differs"


def test_is_answered_tells_a_finding_from_a_dead_lab(up):
    assert up.peer.is_answered(up.peer.informational())
    up.line.there = none_of(is_exchange(ExchangeType.INFORMATIONAL))
    assert not up.peer.is_answered(up.peer.informational())
    up.line.there = lambda packet: False
    with pytest.raises(Inconclusive):
        up.peer.is_answered(up.peer.informational())


def test_a_target_that_does_not_initiate_is_a_finding(bench):
    with pytest.raises(NoAnswer, match="no IKE_SA_INIT request"):
        bench.peer.hear_request(ExchangeType.IKE_SA_INIT)


def test_a_lost_request_is_said_again_until_it_is_answered(up):
    lost = []

    def lose_one(packet):
        lost.append(packet)
        return len(lost) > 1

    up.line.there = lose_one

    assert up.peer.exchange(up.peer.informational()).payloads == ()
    assert len(lost) == 2


# What is a response and what is a reaction.


@pytest.mark.parametrize("kind", [NotifyType.INVALID_SYNTAX, NotifyType.INVALID_IKE_SPI])
def test_an_answer_in_clear_is_no_response_to_a_protected_request(up, kind):
    session = up.endpoint.sessions[0]
    forged = session.sa.request(ExchangeType.INFORMATIONAL).reply()
    forged = replace(
        forged,
        protected=False,
        initiator=False,
        message_id=up.peer.ike.next_request_id,
        payloads=(Notify(kind),),
    )
    request = up.peer.informational()
    address = up.line.sent[-1]
    up.line.deliver([Packet(address.carrier, address.destination, address.source, forged.encode())])

    response = up.peer.exchange(request)

    assert response.protected
    assert [m.notifies for m in up.peer.reactions_so_far()] == [(kind,)]


def test_reactions_are_what_was_said_before_the_fence(up):
    stranger = replace(up.peer.informational(), message_id=77)

    assert up.peer.reactions(stranger) == []
    assert [r.text for r in up.peer.events if isinstance(r, Remark)][-1].startswith("fence")


def test_a_reaction_is_given_before_an_ike_sa_is_made(bench):
    reactions = bench.peer.reactions(bench.peer.ike_sa_init())

    assert [each.has(SA, Nonce) for each in reactions] == [True]


def test_a_fence_that_is_not_answered_by_a_living_target_is_a_finding(up):
    up.endpoint.sessions.clear()

    with pytest.raises(NoAnswer):
        up.peer.reactions(replace(up.peer.informational(), message_id=77))


def test_strict_silence_waits_longer_than_the_fence(up):
    patient = Peer(
        up.line, up.connection.mirrored(), random.Random(3).randbytes, strict_silence=30.0
    )
    start = up.line.now()

    patient.reactions(patient.ike_sa_init())

    assert up.line.now() - start >= 30.0


# Courtesies.


def test_requests_that_nobody_waits_for_are_answered(up):
    up.target.rekey_child(up.connection)

    assert up.peer.echo(), "the target refuses to go on while its request is unanswered"

    session = up.endpoint.sessions[0]
    assert session.pending is None
    assert len(session.sa.children) == 1, "a rekey was granted without being asked"


def test_an_echo_request_of_the_target_is_answered(up):
    before = up.endpoint.sessions[0].sa.children[0].packets_in
    up.target.echo(up.connection)

    up.peer.exchange(up.peer.informational())

    assert up.endpoint.sessions[0].sa.children[0].packets_in == before + 1


def test_a_deleted_child_sa_is_closed_and_the_answer_names_our_half(up):
    ours = up.peer.child.inbound.spi
    up.target.delete_child(up.connection)

    up.peer.exchange(up.peer.informational())

    answers = [
        t.decoded for t in up.peer.events if isinstance(t, Transmission) and t.sent and t.decoded
    ]
    assert any(m.payloads == (Delete(ProtocolId.ESP, (ours,)),) for m in answers if m.response)
    assert up.peer.ike.children == []
    with pytest.raises(ScriptError):
        _ = up.peer.child


@pytest.mark.parametrize("exchange", [ExchangeType.IKE_SA_INIT, ExchangeType.IKE_AUTH])
def test_a_retransmitted_request_gets_the_same_octets_again(bench, exchange):
    lost = []

    def lose_first(packet):
        if is_exchange(exchange, response=True)(packet) and not lost:
            lost.append(packet)
            return False
        return True

    bench.line.there = lose_first
    bench.target.initiate(bench.connection)

    bench.peer.accept()
    bench.peer.exchange(bench.peer.informational())

    assert bench.line.sent.count(lost[0]) == 2
    assert len(bench.endpoint.sessions[0].sa.children) == 1


def test_a_request_that_was_never_heard_cannot_be_answered(up):
    request = up.peer.informational()

    with pytest.raises(ScriptError):
        up.peer.answer(request, request.reply())


# What a target may not grant: PeerError, not an accident of ours.


SPOILT = {
    "no proposal": lambda m: m.replacing(SA(())),
    "two proposals": lambda m: m.replacing(SA(m.get(SA).proposals * 2)),
    "no transforms": lambda m: m.replacing(SA((replace(m.get(SA).proposals[0], transforms=()),))),
    "no SPI": lambda m: m.replacing(SA((replace(m.get(SA).proposals[0], spi=b""),))),
    "no selectors": lambda m: m.replacing(TSr(())),
    "no TSi": lambda m: m.without(TSi),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_child_sa_that_was_not_asked_for_is_the_targets_error(name):
    class Spoils(Decisions):
        def edit(self, message: Message) -> Message:
            auth = message.response and message.exchange == ExchangeType.IKE_AUTH
            return SPOILT[name](message) if auth else message

    with pytest.raises(PeerError):
        Bench(Spoils()).peer.establish()


# Evidence.


def test_every_packet_and_every_key_is_in_the_record(up):
    assert up.peer.echo()
    up.peer.exchange(up.peer.informational())

    crossed = [event for event in up.peer.events if isinstance(event, Transmission)]
    assert [t.packet for t in crossed if t.sent] == up.line.sent
    assert [t.packet for t in crossed if not t.sent] == up.line.heard
    assert all(t.decoded is not None and not t.problem for t in crossed)
    ike = [event.keys for event in up.peer.events if isinstance(event, IkeKeysDerived)]
    child = [event.keys for event in up.peer.events if isinstance(event, ChildKeysDerived)]
    assert ike == [up.endpoint.sessions[0].sa.keys]
    assert child == [up.endpoint.sessions[0].sa.children[0].keys]


def test_the_record_is_in_order_of_time_and_keys_come_before_their_use(up):
    times = [event.time for event in up.peer.events]
    kinds = [type(event) for event in up.peer.events]

    assert times == sorted(times)
    protected = [
        index
        for index, event in enumerate(up.peer.events)
        if isinstance(event, Transmission) and event.decoded.protected
    ]
    assert kinds.index(IkeKeysDerived) < protected[0]


def test_what_cannot_be_read_is_recorded_with_the_reason(up):
    sample = up.line.sent[0]
    back = Packet(sample.carrier, sample.destination, sample.source, b"not a message")
    up.line.deliver([back])

    up.peer.exchange(up.peer.informational())

    [entry] = [e for e in up.peer.events if isinstance(e, Transmission) and e.packet == back]
    assert entry.decoded is None
    assert "octets" in entry.problem


def test_what_is_wrong_on_purpose_is_marked(up):
    up.peer.say(replace(up.peer.informational(), message_id=77), "outside the window")

    assert up.peer.events[-1].fault == "outside the window"


def test_a_script_that_has_not_begun_is_told_so(bench):
    with pytest.raises(ScriptError, match="no IKE SA"):
        bench.peer.informational()
