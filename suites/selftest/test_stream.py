"""Streams of RFC 9329: however they are cut, the same messages come out; and what is refused."""

import itertools
import selectors
import socket
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peers.reference.errors import MalformedMessage, NoAnswer, ScriptError
from peers.reference.events import Carrier, Endpoint, Packet, Transmission
from peers.reference.stream import (
    LARGEST_MESSAGE,
    LENGTH_SIZE,
    STREAM_PREFIX,
    StreamReader,
    framed,
)
from peers.tcp_link import TcpLink
from peers.tcp_sockets import TcpSockets
from reports.capture import build_capture, frames
from reports.second_decoder.streams import Streams

MESSAGES = st.lists(st.binary(min_size=1, max_size=80), max_size=5)
HOME = ip_address("127.0.0.1")
AT, ELSEWHERE = (Endpoint(HOME, port, Carrier.TCP) for port in (0, 4500))


def cut(octets: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({0, len(octets), *(place % (len(octets) + 1) for place in places)})
    return [octets[start:end] for start, end in itertools.pairwise(ends)]


@given(MESSAGES, st.lists(st.integers(min_value=0), max_size=12), st.booleans())
def test_messages_come_out_however_the_stream_is_cut(messages, places, prefixed):
    stream = (STREAM_PREFIX if prefixed else b"") + b"".join(map(framed, messages))
    reader = StreamReader(expects_prefix=prefixed)

    found = [each for part in cut(stream, places) for each in reader.feed(part)]

    assert found == messages
    assert reader.unread == b""
    assert reader.offset == len(stream)


@given(MESSAGES.filter(bool), st.data())
def test_what_is_not_whole_waits(messages, data):
    stream = b"".join(map(framed, messages))
    missing = data.draw(st.integers(1, len(messages[-1]) + LENGTH_SIZE))
    reader = StreamReader(expects_prefix=False)

    assert list(reader.feed(stream[:-missing])) == messages[:-1]
    assert list(reader.feed(stream[-missing:])) == messages[-1:]


def test_empty_messages_are_ignored():
    reader = StreamReader(expects_prefix=False)

    assert list(reader.feed(framed(b"") + framed(b"one") + framed(b""))) == [b"one"]


@pytest.mark.parametrize("length", [0, 1])
def test_length_that_cannot_be_is_refused_behind_what_came_before(length):
    reader = StreamReader(expects_prefix=False)
    messages = reader.feed(framed(b"good") + length.to_bytes(LENGTH_SIZE, "big") + framed(b"lost"))

    assert next(messages) == b"good"
    with pytest.raises(MalformedMessage, match=f"octet 6: Length {length}"):
        next(messages)


@pytest.mark.parametrize("at", range(len(STREAM_PREFIX)))
def test_wrong_prefix_is_refused_at_its_first_wrong_octet(at):
    wrong = bytearray(STREAM_PREFIX)
    wrong[at] ^= 1
    reader = StreamReader(expects_prefix=True)

    assert list(reader.feed(bytes(wrong[:at]))) == []
    with pytest.raises(MalformedMessage, match="IKETCP"):
        list(reader.feed(bytes(wrong[at : at + 1])))


def test_message_of_more_octets_than_the_length_field_counts_is_a_scripts_mistake():
    assert len(framed(bytes(LARGEST_MESSAGE))) == 0xFFFF
    with pytest.raises(ScriptError):
        framed(bytes(LARGEST_MESSAGE + 1))


# Real sockets, on the loopback interface.


@pytest.fixture
def sockets():
    """Give two sides: what is delivered to each is in its list."""
    sides = []
    for _ in range(2):
        heard: list[Packet] = []
        selector = selectors.DefaultSelector()
        sides.append((TcpSockets(socket.socket, selector, heard.append), selector, heard))
    yield sides
    for side, selector, _ in sides:
        side.close()
        selector.close()


def turn(selector):
    for key, _ in selector.select(2.0):
        key.data()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_sockets_carry_octets_and_the_end_of_a_stream_both_ways(sockets):
    (ours, our_selector, heard), (theirs, their_selector, their_heard) = sockets
    there = Endpoint(HOME, free_port(), Carrier.TCP)
    theirs.listen(there)
    here = ours.connect(AT, there)
    turn(their_selector)

    ours.write(Packet(Carrier.TCP, here, there, b"question"))
    turn(their_selector)
    theirs.write(Packet(Carrier.TCP, there, here, b"answer"))
    turn(our_selector)
    theirs.write(Packet(Carrier.TCP, there, here, b""))
    turn(our_selector)
    ours.write(Packet(Carrier.TCP, here, there, b"lost"))

    assert their_heard == [Packet(Carrier.TCP, here, there, b"question")]
    assert heard == [Packet(Carrier.TCP, there, here, octets) for octets in (b"answer", b"")]


def test_connection_that_is_refused_is_no_answer(sockets):
    (ours, _, _), _ = sockets

    with pytest.raises(NoAnswer, match="refuses the connection"):
        ours.connect(AT, Endpoint(HOME, free_port(), Carrier.TCP))


def test_our_reset_is_a_reset_to_the_other_side(sockets):
    (ours, _, heard), _ = sockets
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = Endpoint(HOME, server.getsockname()[1], Carrier.TCP)
        here = ours.connect(AT, there)
        accepted, _ = server.accept()
    with accepted:
        accepted.settimeout(2.0)
        ours.reset((here, there))
        with pytest.raises(ConnectionResetError):
            accepted.recv(1)
    assert heard == []


def test_reset_of_the_other_side_ends_a_stream(sockets):
    (ours, _, heard), (theirs, their_selector, their_heard) = sockets
    there = Endpoint(HOME, free_port(), Carrier.TCP)
    theirs.listen(there)
    here = ours.connect(AT, there)
    turn(their_selector)
    ours.reset((here, there))
    turn(their_selector)

    assert their_heard == [Packet(Carrier.TCP, here, there, b"")]
    assert heard == []


class Wire:
    """A link on which the test is the other side."""

    def __init__(self):
        self.sent: list[Packet] = []
        self.coming: list[Packet] = []

    def now(self):
        return 0.0

    def connect(self, source, destination):
        return Endpoint(source.address, 50000, Carrier.TCP)

    def send(self, packet):
        self.sent.append(packet)

    def receive(self, addresses, deadline):
        return self.coming.pop(0) if self.coming else None


def test_link_frames_what_it_sends_and_takes_streams_apart():
    wire, said = Wire(), []
    link = TcpLink(wire, said.append)
    here = link.connect(AT, ELSEWHERE)
    link.send(Packet(Carrier.TCP, here, ELSEWHERE, b"question"))
    stream = framed(b"one") + framed(b"two")
    wire.coming = [Packet(Carrier.TCP, ELSEWHERE, here, part) for part in (stream[:4], stream[4:])]
    wire.coming += [Packet(Carrier.UDP, ELSEWHERE, here, b"a datagram")]
    wire.coming += [Packet(Carrier.TCP, ELSEWHERE, here, b"")]

    heard = [link.receive([HOME], 1.0) for _ in range(4)]

    assert [each.octets for each in wire.sent] == [framed(b"question")]
    assert [each.octets for each in heard[:3]] == [b"one", b"two", b"a datagram"]
    assert heard[3] is None
    assert not link.is_open((here, ELSEWHERE))
    link.send(Packet(Carrier.TCP, here, ELSEWHERE, b"lost"))
    assert len(wire.sent) == 1
    assert "closed by" in said[1]
    assert "get lost" in said[2]


def test_connection_of_the_other_side_has_to_begin_with_the_prefix():
    wire = Wire()
    link = TcpLink(wire, lambda _: None)
    wire.coming = [Packet(Carrier.TCP, ELSEWHERE, AT, STREAM_PREFIX + framed(b"one"))]
    assert link.receive([HOME], 1.0).octets == b"one"
    assert link.connections() == ((AT, ELSEWHERE),)

    wire.coming = [Packet(Carrier.TCP, AT, ELSEWHERE, framed(b"one"))]
    with pytest.raises(MalformedMessage):
        link.receive([HOME], 1.0)


# No decoder at hand knows these streams (Wireshark's tcpencap is another one's); the second one is
# the kernel of a target, whose ESP in TCP reads and writes them.


def test_captures_hold_streams_that_scapy_puts_together(tmp_path):
    from scapy.layers.inet import TCP
    from scapy.utils import rdpcap

    ends = Endpoint(HOME, 40000, Carrier.TCP), Endpoint(HOME, 4500, Carrier.TCP)
    said = [(ends, b"question"), (ends[::-1], b"answer"), (ends, b"\xff")]
    packets = [Packet(Carrier.TCP, *each, octets) for each, octets in said]
    build_capture(
        tmp_path / "c.pcapng",
        [Transmission(at, at != 1, packet) for at, packet in enumerate(packets)],
    )

    asking, answering, more = (each[TCP] for each in rdpcap(str(tmp_path / "c.pcapng")))
    assert bytes(asking.payload) == STREAM_PREFIX + framed(b"question")
    assert bytes(answering.payload) == framed(b"answer")
    assert more.seq == asking.seq + len(asking.payload)
    assert more.ack == answering.seq + len(answering.payload)
    assert (asking.dport, answering.sport, more.dport) == (4500, 4500, 4500)


def test_decoders_are_given_the_messages_of_a_stream_as_datagrams(tmp_path):
    ends = Endpoint(HOME, 40000, Carrier.TCP), Endpoint(HOME, 4500, Carrier.TCP)
    udp = Endpoint(HOME, 500), Endpoint(HOME, 500)
    said = [(ends, b"question"), (ends[::-1], b"answer"), (udp, b"by UDP"), (ends, b"more")]
    build_capture(
        tmp_path / "c.pcapng",
        [
            Transmission(at, True, Packet(each[0].transport, *each, octets))
            for at, (each, octets) in enumerate(said)
        ],
    )
    streams, captured = Streams(), list(frames(tmp_path / "c.pcapng"))

    given = [each for link, _, frame in captured for each in streams.datagrams(link, frame)]

    assert [each[28:] for each in given] == [octets for _, octets in said]
    again = [each for link, _, frame in captured[:1] for each in streams.datagrams(link, frame)]
    assert again == [], "a segment that comes again holds nothing new"
