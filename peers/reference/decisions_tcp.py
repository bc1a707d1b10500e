"""Decisions about TCP encapsulation (RFC 9329)."""

from __future__ import annotations

from peers.reference.connection import Connection, Tcp
from peers.reference.events import Carrier, Packet
from peers.reference.sa import IkeSa
from peers.reference.states import State
from peers.reference.stream import StreamReader

MOST_UNREADABLE = 16
"""Messages in a row that nobody can open, of which the last one ends a connection."""


class TcpDecisions:
    """The part of `Decisions` that is about TCP."""

    def takes_connections(self) -> bool:
        """Say whether anybody listens on TCP port 4500 (2)."""
        return True

    def stream_reader(self, *, expects_prefix: bool) -> StreamReader:
        """Give what reads a connection: the TCP Responder wants the prefix first (4)."""
        return StreamReader(expects_prefix=expects_prefix)

    def sends_prefix(self, *, opened_by_us: bool) -> bool:
        """Say whether what we write begins with the prefix: the TCP Originator's does (4)."""
        return opened_by_us

    def is_corrupted(self, unreadable: int) -> bool:
        """Say whether so many messages in a row that nobody can open end a connection (6.1).

        A few may be of SAs that are only just gone.
        """
        return unreadable >= MOST_UNREADABLE

    def hangs_up_after(self, message: bytes) -> bool:
        """Say whether a message of ours is the last one of its connection: none is (6.4)."""
        return False

    def challenges(self, packet: Packet) -> bool:
        """Say whether a cookie is asked for: over TCP the address is known to be right (6.3)."""
        return packet.carrier is not Carrier.TCP

    def cookie_seed(self, packet: Packet) -> bytes:
        """Give what a cookie says of where its request came from: no port over TCP (6.3)."""
        return packet.source.address.packed

    def outlives_connection(self, sa: IkeSa) -> bool:
        """Say whether an IKE SA goes on when its connection is gone: without a Delete (6.1)."""
        return True

    def connects_again(self, sa: IkeSa) -> bool:
        """Say whether we open a new connection for an IKE SA: the TCP Originator has to (6.1).

        That is who started the first of those that were rekeyed to it (1.2).
        """
        return sa.original_initiator

    def asks_again_over_new_connection(self) -> bool:
        """Say whether what is unanswered is sent over a new connection, too: it has to (6.2)."""
        return True

    def closes_unused_connection(self) -> bool:
        """Say whether the TCP Originator closes the connection of a deleted IKE SA (6.1)."""
        return True

    def begins_over_tcp(self, connection: Connection) -> bool:
        """Say whether an IKE SA is begun over TCP: where nothing else is configured (5.1)."""
        return connection.tcp is Tcp.ONLY

    def opens_connection_for(self, successor: IkeSa) -> bool:
        """Say whether who has rekeyed an IKE SA opens a connection for the new one: never (1.2)."""
        return False

    def falls_back(self, sa: IkeSa) -> bool:
        """Say whether an IKE SA that UDP did not make is tried over TCP once more (5.1)."""
        over_udp = sa.state is State.INIT_SENT and sa.local.transport is Carrier.UDP
        return over_udp and sa.connection.tcp is Tcp.FALLBACK
