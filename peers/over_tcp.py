"""TCP encapsulation as the scripted peer has it (RFC 9329), as TCP Originator and TCP Responder."""

from __future__ import annotations

from abc import ABC, abstractmethod

from peers.conversation import Conversation, Heard, HeardMessage
from peers.reference.events import Carrier, Endpoint, Ends, Event, IPAddress, Transmission
from peers.reference.message import Message
from peers.reference.nat import NAT_TRAVERSAL_PORT, ike_packet
from peers.reference.numbers import ExchangeType
from peers.reference.sa import IkeSa
from peers.reference.stream import STREAM_PREFIX, framed
from peers.tcp_link import TcpLink

GLANCE = 0.1
"""Seconds between two looks at whether a connection has been closed."""


class Stream:
    """A TCP connection of the peer's, for what is not written by messages."""

    def __init__(self, link: TcpLink, ends: Ends) -> None:
        self._link = link
        self.ends = ends

    @property
    def is_open(self) -> bool:
        """Whether the target has not closed it, as far as has been heard."""
        return self._link.is_open(self.ends)

    def write(self, octets: bytes) -> None:
        """Write octets as they are."""
        self._link.write(self.ends, octets)

    def hang_up(self) -> None:
        """Close it."""
        self._link.hang_up(self.ends)

    def reset(self) -> None:
        """End it by a reset."""
        self._link.reset(*self.ends)


class OverTcp(ABC):
    """What a peer does over TCP. Its fences stay in UDP: a connection is for one IKE SA (6.1)."""

    _talk: Conversation
    _tcp: TcpLink | None = None
    _stream: Stream | None = None

    @property
    @abstractmethod
    def ike(self) -> IkeSa:
        """The IKE SA that the script works with."""

    @property
    @abstractmethod
    def events(self) -> list[Event]:
        """The record of everything said and heard."""

    @abstractmethod
    def fence(self) -> None:
        """Prove that the target is alive; Inconclusive when it is not."""

    @abstractmethod
    def remark(self, text: str) -> None:
        """Write a sentence into the evidence."""

    def connect(self, prefix: bytes = STREAM_PREFIX, address: IPAddress | None = None) -> Stream:
        """Open a connection that begins like that; the next IKE SA is made over it.

        It comes from the peer's own address unless another one is given. NoAnswer when the target
        refuses it.
        """
        link, source = self._tcp_link(), address or self._talk.local.address
        self._talk.addresses.add(source)
        remote = Endpoint(self._talk.remote.address, NAT_TRAVERSAL_PORT, Carrier.TCP)
        local = link.connect(Endpoint(source, 0, Carrier.TCP), remote)
        self._stream = Stream(link, (local, remote))
        if prefix:
            self._stream.write(prefix)
        return self._stream

    def listen(self) -> None:
        """Take connections of the target."""
        at = Endpoint(self._talk.local.address, NAT_TRAVERSAL_PORT, Carrier.TCP)
        self._tcp_link().listen(at)

    def spelled(self, message: Message) -> bytes:
        """Give a message as octets of a stream, for a script that writes them by itself.

        In the record it is said here.
        """
        octets = self.ike.encode(message)
        packet = ike_packet(self.ike.local, self.ike.remote, octets)
        self.events.append(Transmission(self._talk.link.now(), True, packet, message))
        return framed(packet.octets)

    def go_over(self, stream: Stream) -> None:
        """Go on over another connection with the IKE SA and its Child SAs."""
        self.remark(f"from now on over TCP from {stream.ends[0]}")
        self.ike.local, self.ike.remote = stream.ends

    def streams(self) -> list[Stream]:
        """List the connections that are open, the target's, too."""
        return [Stream(self._tcp, ends) for ends in self._tcp.connections()] if self._tcp else []

    def sees_closed(self, stream: Stream, timeout: float) -> bool:
        """Wait for the target to close a connection; say whether it has, if it is alive."""
        deadline = self._talk.link.now() + timeout
        while stream.is_open and (left := deadline - self._talk.link.now()) > 0:
            self._talk.hear(lambda _: False, min(GLANCE, left))
        if stream.is_open:
            self.fence()
        return not stream.is_open

    def hear_over_tcp(self, exchange: ExchangeType, timeout: float) -> HeardMessage | None:
        """Wait for a request that comes over TCP; None when none does."""

        def wanted(heard: Heard) -> bool:
            return (
                isinstance(heard, HeardMessage)
                and heard.packet.carrier is Carrier.TCP
                and heard.message.exchange == exchange
                and not heard.message.response
            )

        heard = self._talk.hear(wanted, timeout)
        return heard if isinstance(heard, HeardMessage) else None

    def sees_connection(self, timeout: float) -> bool:
        """Wait until the target has written to a connection, and go on over that; say if it has."""
        deadline = self._talk.link.now() + timeout
        while not self.streams() and (left := deadline - self._talk.link.now()) > 0:
            self._talk.hear(lambda _: False, min(GLANCE, left))
        for stream in self.streams():
            self.go_over(stream)
        if not self.streams():
            self.fence()
        return bool(self.streams())

    def hears_response(self, request: Message, timeout: float = 2.0) -> bool:
        """Say whether a request that was written by octets is answered, by a target alive."""

        def answers(heard: Heard) -> bool:
            return (
                isinstance(heard, HeardMessage)
                and heard.sa is self.ike
                and heard.message.response
                and heard.message.message_id == request.message_id
            )

        answered = self._talk.hear(answers, timeout) is not None
        if not answered:
            self.fence()
        return answered

    def hang_up(self) -> None:
        """Close every connection that is open, and take no more."""
        for stream in self.streams():
            stream.hang_up()
        if self._tcp is not None:
            self._tcp.stop_listening()

    def _take_way(self, sa: IkeSa) -> None:
        """Make an IKE SA over the connection that was opened last, if there is one."""
        if self._stream is not None:
            sa.local, sa.remote = self._stream.ends

    def _tcp_link(self) -> TcpLink:
        if self._tcp is None:
            self._tcp = self._talk.link = TcpLink(self._talk.link, self.remark)
        return self._tcp
