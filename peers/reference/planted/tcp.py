"""Planted faults: TCP encapsulation (RFC 9329)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from peers.reference.connection import Connection, Tcp
from peers.reference.decisions import Decisions
from peers.reference.errors import MalformedMessage
from peers.reference.events import Carrier, Endpoint, Packet
from peers.reference.fragments import split_into
from peers.reference.message import Header, Message
from peers.reference.nat import KEEPALIVE, Detected, Kind, detection_payloads, is_detection
from peers.reference.numbers import ExchangeType
from peers.reference.payloads import Payload
from peers.reference.planted.catalogue import fault
from peers.reference.sa import Datagrams, IkeSa
from peers.reference.stream import LENGTH_SIZE, STREAM_PREFIX, StreamReader


@fault("takes-no-connections", fundamental=True)
class TakesNoConnections(Decisions):
    """Nobody listens on TCP port 4500."""

    def takes_connections(self) -> bool:
        return False


@fault("answers-with-a-prefix", fundamental=True)
class AnswersWithAPrefix(Decisions):
    """The TCP Responder writes the stream prefix, too."""

    def sends_prefix(self, *, opened_by_us: bool) -> bool:
        return True


@fault("sends-no-prefix", fundamental=True)
class SendsNoPrefix(Decisions):
    """The TCP Originator writes no stream prefix."""

    def sends_prefix(self, *, opened_by_us: bool) -> bool:
        return False


@fault("sends-plain-esp-beside-tcp")
class SendsPlainEspBesideTcp(Decisions):
    """ESP goes by itself although IKE goes over TCP."""

    def encapsulates(self, sa: IkeSa) -> bool:
        return sa.local.transport is not Carrier.TCP and super().encapsulates(sa)


@fault("hashes-udp-ports-over-tcp")
class HashesUdpPortsOverTcp(Decisions):
    """NAT detection in a response over TCP hashes the ports that UDP would have."""

    def __init__(self) -> None:
        self._ends: tuple[Endpoint, Endpoint] | None = None

    def detects(self, message: Message, source: Endpoint, destination: Endpoint) -> Detected:
        if source.transport is Carrier.TCP:
            self._ends = replace(destination, port=500), replace(source, port=500)
        return super().detects(message, source, destination)

    def edit(self, message: Message) -> Message:
        if message.exchange != ExchangeType.IKE_SA_INIT or self._ends is None:
            return message
        wrong = iter(detection_payloads((message.spi_i, message.spi_r), *self._ends))
        payloads = (next(wrong) if is_detection(each) else each for each in message.payloads)
        return replace(message, payloads=tuple(payloads))


@fault("keeps-nat-detection-of-first-request")
class KeepsNatDetectionOfFirstRequest(Decisions):
    """NAT detection in an IKE_SA_INIT request is that of the first one, whatever it goes over."""

    def __init__(self) -> None:
        self._first: tuple[Payload, ...] = ()

    def edit(self, message: Message) -> Message:
        if message.exchange != ExchangeType.IKE_SA_INIT or message.response:
            return message
        self._first = self._first or tuple(filter(is_detection, message.payloads))
        old = iter(self._first)
        payloads = (next(old) if is_detection(each) else each for each in message.payloads)
        return replace(message, payloads=tuple(payloads))


# What is wrong with how a stream is read.


@fault("closes-on-empty-message")
class ClosesOnEmptyMessage(Decisions):
    """A message of no octets is fatal."""

    def stream_reader(self, *, expects_prefix: bool) -> StreamReader:
        return _DislikesEmptyMessages(expects_prefix=expects_prefix)


class _DislikesEmptyMessages(StreamReader):
    def feed(self, octets: bytes) -> Iterator[bytes]:
        yield from super().feed(octets)
        if octets == LENGTH_SIZE.to_bytes(LENGTH_SIZE, "big"):
            raise MalformedMessage(self.offset, "an empty message")


@fault("lives-with-short-lengths")
class LivesWithShortLengths(Decisions):
    """A Length of 0 or 1 is skipped."""

    def stream_reader(self, *, expects_prefix: bool) -> StreamReader:
        return _SkipsShortLengths(expects_prefix=expects_prefix)


class _SkipsShortLengths(StreamReader):
    def feed(self, octets: bytes) -> Iterator[bytes]:
        try:
            yield from super().feed(octets)
        except MalformedMessage:
            self._take(LENGTH_SIZE)


@fault("takes-segments-for-messages")
class TakesSegmentsForMessages(Decisions):
    """Each segment is taken for one message, whatever its Length field says."""

    def stream_reader(self, *, expects_prefix: bool) -> StreamReader:
        return _ReadsSegments(expects_prefix=expects_prefix)


class _ReadsSegments(StreamReader):
    def feed(self, octets: bytes) -> Iterator[bytes]:
        message = octets.removeprefix(STREAM_PREFIX)[LENGTH_SIZE:]
        yield from (message,) if message else ()


@fault("wants-prefix-in-one-segment")
class WantsPrefixInOneSegment(Decisions):
    """A prefix that does not come whole is taken for a wrong one."""

    def stream_reader(self, *, expects_prefix: bool) -> StreamReader:
        return _Impatient(expects_prefix=expects_prefix)


class _Impatient(StreamReader):
    def _take_prefix(self) -> None:
        if len(self._octets) < len(STREAM_PREFIX):
            raise MalformedMessage(self.offset, "no whole prefix")
        super()._take_prefix()


@fault("takes-any-prefix")
class TakesAnyPrefix(Decisions):
    """A stream is read whatever it begins with, or without a prefix at all."""

    def stream_reader(self, *, expects_prefix: bool) -> StreamReader:
        return _TakesAnyPrefix(expects_prefix=expects_prefix)


class _TakesAnyPrefix(StreamReader):
    def _take_prefix(self) -> None:
        self._expects_prefix = False
        if self._octets[:4].isalpha():
            self._take(len(STREAM_PREFIX))


@fault("keeps-partial-messages")
class KeepsPartialMessages(Decisions):
    """What has come of a message when its connection breaks stands before the next one's."""

    def __init__(self) -> None:
        self._readers: list[StreamReader] = []

    def stream_reader(self, *, expects_prefix: bool) -> StreamReader:
        left = b"".join(each.unread for each in self._readers)
        self._readers.append(_GoesOn(left, expects_prefix=expects_prefix))
        return self._readers[-1]


class _GoesOn(StreamReader):
    def __init__(self, left: bytes, *, expects_prefix: bool) -> None:
        super().__init__(expects_prefix=expects_prefix)
        self._left = left

    def _take_prefix(self) -> None:
        super()._take_prefix()
        if not self._expects_prefix:
            self._octets = self._left + self._octets


@fault("hangs-up-on-keepalive")
class HangsUpOnKeepalive(Decisions):
    """A NAT-keepalive is an error that ends its connection."""

    def stream_reader(self, *, expects_prefix: bool) -> StreamReader:
        return _DislikesKeepalives(expects_prefix=expects_prefix)


class _DislikesKeepalives(StreamReader):
    def feed(self, octets: bytes) -> Iterator[bytes]:
        for message in super().feed(octets):
            if message == KEEPALIVE:
                raise MalformedMessage(self.offset, "a message of one octet")
            yield message


@fault("forgets-older-connections")
class ForgetsOlderConnections(Decisions):
    """Nothing more is read from a connection once there is a newer one."""

    def __init__(self) -> None:
        self._newest: list[_Deafens] = []

    def stream_reader(self, *, expects_prefix: bool) -> StreamReader:
        for each in self._newest:
            each.deaf = True
        self._newest = [_Deafens(expects_prefix=expects_prefix)]
        return self._newest[0]


class _Deafens(StreamReader):
    deaf = False

    def feed(self, octets: bytes) -> Iterator[bytes]:
        return iter(()) if self.deaf else super().feed(octets)


# What is wrong with what becomes of connections, and of IKE SAs without one.


@fault("closes-ike-sa-with-connection")
class ClosesIkeSaWithConnection(Decisions):
    """An IKE SA ends with the connection that it goes over."""

    def outlives_connection(self, sa: IkeSa) -> bool:
        return False


@fault("stays-on-first-connection")
class StaysOnFirstConnection(Decisions):
    """Everything goes over the connection that an IKE SA was made over."""

    def follows(self, sa: IkeSa, packet: Packet) -> bool:
        return packet.carrier is not Carrier.TCP and super().follows(sa, packet)

    def response_route(self, sa: IkeSa, packet: Packet) -> tuple[Endpoint, Endpoint]:
        over_tcp = packet.carrier is Carrier.TCP
        return (sa.local, sa.remote) if over_tcp else super().response_route(sa, packet)


@fault("closes-on-unknown-spi")
class ClosesOnUnknownSpi(Decisions):
    """The first message that nobody can open ends its connection."""

    def is_corrupted(self, unreadable: int) -> bool:
        return True


@fault("never-connects-again")
class NeverConnectsAgain(Decisions):
    """When a connection is gone that we opened, nothing more is sent for its IKE SA."""

    def connects_again(self, sa: IkeSa) -> bool:
        return False


@fault("opens-connection-for-rekeyed-ike-sa")
class OpensConnectionForRekeyedIkeSa(Decisions):
    """Who has rekeyed an IKE SA that goes over TCP opens a connection for the new one."""

    def opens_connection_for(self, successor: IkeSa) -> bool:
        return successor.local.transport is Carrier.TCP


@fault("follows-anybody-over-tcp")
class FollowsAnybodyOverTcp(Decisions):
    """An IKE SA goes over whatever connection its SPIs were last seen on, whoever wrote them."""

    def __init__(self) -> None:
        self._packet: Packet | None = None

    def demultiplex(self, packet: Packet) -> tuple[Kind, bytes]:
        self._packet = packet
        return super().demultiplex(packet)

    def is_for(self, sa: IkeSa, header: Header) -> bool:
        if super().is_for(sa, header) and sa.spi_i == header.spi_i:
            self._move(sa)
        return super().is_for(sa, header)

    def takes_form(self, sa: IkeSa, packet: Packet) -> bool:
        self._move(sa)
        return super().takes_form(sa, packet)

    def _move(self, sa: IkeSa) -> None:
        if self._packet is not None and self._packet.carrier is Carrier.TCP:
            sa.local, sa.remote = self._packet.destination, self._packet.source


@fault("opens-two-connections")
class OpensTwoConnections(Decisions):
    """After a rekey of the IKE SA that we began, a second connection is opened for it."""

    def opens_connection_for(self, successor: IkeSa) -> bool:
        return successor.original_initiator and successor.local.transport is Carrier.TCP


@fault("goes-over-tcp-at-once")
class GoesOverTcpAtOnce(Decisions):
    """UDP is not tried where TCP is allowed."""

    def begins_over_tcp(self, connection: Connection) -> bool:
        return connection.tcp is not Tcp.NO


@fault("asks-nothing-over-new-connection")
class AsksNothingOverNewConnection(Decisions):
    """What is unanswered stays so when a new connection is opened; a liveness check is sent."""

    def asks_again_over_new_connection(self) -> bool:
        return False


@fault("answers-nothing-a-second-time")
class AnswersNothingASecondTime(Decisions):
    """A request that comes again is not answered again."""

    def still_has(self, response: Message) -> bool:
        return False


@fault("retransmits-over-tcp")
class RetransmitsOverTcp(Decisions):
    """An unanswered request is sent again over TCP as over UDP."""

    def retransmits(self, sa: IkeSa) -> bool:
        return True


@fault("keeps-unused-connection")
class KeepsUnusedConnection(Decisions):
    """The connection of a deleted IKE SA stays open."""

    def closes_unused_connection(self) -> bool:
        return False


@fault("falls-back-with-the-same-spi")
class FallsBackWithTheSameSpi(Decisions):
    """IKE_SA_INIT over TCP has the initiator's SPI of the one over UDP."""

    def __init__(self) -> None:
        self._first: bytes = b""

    def edit(self, message: Message) -> Message:
        if message.exchange != ExchangeType.IKE_SA_INIT or message.response:
            return message
        self._first = self._first or message.spi_i
        return replace(message, spi_i=self._first)


# The initial exchanges.


@fault("challenges-over-tcp")
class ChallengesOverTcp(Decisions):
    """Cookies are asked for over TCP, too."""

    def challenges(self, packet: Packet) -> bool:
        return True


@fault("hashes-port-into-cookie")
class HashesPortIntoCookie(ChallengesOverTcp):
    """Cookies are asked for over TCP, and are of the port that the request came from."""

    def cookie_seed(self, packet: Packet) -> bytes:
        return super().cookie_seed(packet) + packet.source.port.to_bytes(2, "big")


@fault("hangs-up-after-invalid-ke")
class HangsUpAfterInvalidKe(Decisions):
    """A connection is closed behind a response that makes no IKE SA."""

    bug = "F26"

    def hangs_up_after(self, message: bytes) -> bool:
        # Behind the non-ESP marker: the responder's SPI is zero.
        return message[12:20] == bytes(8)


@fault("waits-after-an-error-over-tcp")
class WaitsAfterAnErrorOverTcp(Decisions):
    """After an error over TCP a better response is waited for, as over UDP."""

    def obeys_unauthenticated_error(self, sa: IkeSa, response: Message) -> bool:
        return False


@fault("sends-keepalives-over-tcp")
class SendsKeepalivesOverTcp(Decisions):
    """NAT-keepalives are sent over TCP as over UDP."""

    def sends_keepalives(self, sa: IkeSa, before: int) -> bool:
        return sa.nat.ours


@fault("takes-no-fragments-over-tcp")
class TakesNoFragmentsOverTcp(Decisions):
    """Fragments that come over TCP are discarded."""

    def takes_fragments(self, sa: IkeSa) -> bool:
        return sa.local.transport is not Carrier.TCP and super().takes_fragments(sa)


@fault("fragments-over-tcp")
class FragmentsOverTcp(Decisions):
    """Protected messages go in two fragments over TCP, where the peer takes them."""

    def datagrams(self, sa: IkeSa, message: Message) -> Datagrams:
        if sa.local.transport is not Carrier.TCP or not sa.fragments or not message.protected:
            return super().datagrams(sa, message)
        return tuple(sa.encode(part) for part in split_into(message, 2))
