"""TCP connections of an endpoint, in both roles (RFC 9329, 6.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from peers.reference.errors import MalformedMessage
from peers.reference.events import Carrier, Ends, IPAddress, Packet
from peers.reference.events import Endpoint as At
from peers.reference.nat import NAT_TRAVERSAL_PORT
from peers.reference.numbers import ExchangeType
from peers.reference.session import Session
from peers.reference.stream import STREAM_PREFIX, StreamReader, framed

if TYPE_CHECKING:
    from peers.reference.endpoint import Endpoint

FIRST_PORT = 49152
"""The first port of connections that we open; each one gets the next."""


class TcpStreams:
    """Messages out of connections, and into them.

    A connection is there from the first octets on that are written to it or read from it.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._decide = endpoint.decide
        self._readers: dict[Ends, StreamReader] = {}
        self._ours: set[Ends] = set()
        self._unreadable: Counter[Ends] = Counter()
        self._ports = count(FIRST_PORT)

    def open(self, local: IPAddress, remote: IPAddress) -> Ends:
        """Open a connection to the port of TCP encapsulation, and write the prefix."""
        ends = (
            At(local, next(self._ports), Carrier.TCP),
            At(remote, NAT_TRAVERSAL_PORT, Carrier.TCP),
        )
        self._ours.add(ends)
        self._begin(ends)
        return ends

    def messages(self, packet: Packet) -> Iterator[Packet]:
        """Take octets of a stream in, or its end; give the messages that they complete."""
        ends = packet.destination, packet.source
        if not packet.octets:
            self._closed(ends)
            return
        if ends not in self._readers:
            self._begin(ends)
        reader = self._readers[ends]
        try:
            for octets in reader.feed(packet.octets):
                before = self._endpoint.unreadable
                yield replace(packet, octets=octets)
                self._judge(ends, readable=self._endpoint.unreadable == before)
                if self._readers.get(ends) is not reader:
                    return
        except MalformedMessage as problem:
            self._endpoint.drop(f"of no more use, a TCP connection: {problem}")
            self._close(ends)

    def _judge(self, ends: Ends, *, readable: bool) -> None:
        """Count messages in a row that nobody can open; too many are a corrupted connection."""
        self._unreadable[ends] = 0 if readable else self._unreadable[ends] + 1
        if not readable and self._decide.is_corrupted(self._unreadable[ends]):
            self._close(ends)

    def write(self, packet: Packet) -> None:
        """Write a message to its connection, if that is still there."""
        ends = packet.source, packet.destination
        if ends not in self._readers:
            self._endpoint.drop("no TCP connection for a message of ours")
            return
        self._put(ends, framed(packet.octets))
        if self._decide.hangs_up_after(packet.octets):
            self._close(ends)

    def leave(self, session: Session) -> None:
        """Close the connection of an IKE SA that is gone, if we opened it."""
        ends = session.sa.local, session.sa.remote
        shared = any((each.sa.local, each.sa.remote) == ends for each in self._endpoint.sessions)
        if ends in self._ours and not shared and self._decide.closes_unused_connection():
            self._close(ends)

    def _close(self, ends: Ends) -> None:
        self._put(ends, b"")
        self._closed(ends)

    def _put(self, ends: Ends, octets: bytes) -> None:
        self._endpoint.put(Packet(Carrier.TCP, *ends, octets))

    def _begin(self, ends: Ends) -> None:
        ours = ends in self._ours
        self._readers[ends] = self._decide.stream_reader(expects_prefix=not ours)
        if self._decide.sends_prefix(opened_by_us=ours):
            self._put(ends, STREAM_PREFIX)

    def _forget(self, ends: Ends) -> None:
        self._readers.pop(ends, None)
        self._unreadable.pop(ends, None)
        self._ours.discard(ends)

    def _closed(self, ends: Ends) -> None:
        """Go on without a connection: who opened it opens another one (RFC 9329, 6.1)."""
        self._forget(ends)
        for session in list(self._endpoint.sessions):
            if (session.sa.local, session.sa.remote) != ends:
                continue
            if not self._decide.outlives_connection(session.sa):
                self._endpoint.close(session, "its TCP connection is gone")
            elif self._decide.connects_again(session.sa):
                self._go_on(session)

    def _go_on(self, session: Session) -> None:
        """Send what is unanswered once more, or ask for a sign of life (RFC 9329, 6.1 and 6.2)."""
        sa = session.sa
        sa.local, sa.remote = self.open(sa.local.address, sa.remote.address)
        for pending in session.outstanding.values():
            if self._decide.asks_again_over_new_connection():
                self._endpoint.send_request(session, pending.datagrams)
        if not session.outstanding:
            self._endpoint.request(session, sa.request(ExchangeType.INFORMATIONAL))
