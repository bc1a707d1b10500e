"""TCP connections of the peer's: real sockets, read where a link waits."""

from __future__ import annotations

import errno
import selectors
import socket
import struct
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address

from peers.lab.sockets import SocketMaker
from peers.reference.errors import Inconclusive, NoAnswer
from peers.reference.events import Carrier, Endpoint, Ends, Packet

IPV6_FREEBIND = 78
"""A number of Linux that the socket module of Python 3.11 does not name."""

PATIENCE = 5.0
"""Seconds that the other side may take to accept or refuse a connection."""

MOST_READ = 65536
"""Octets of a stream in one packet."""

BACKLOG = 8

_AT_ONCE = struct.pack("=ii", 1, 0)
"""A linger of no seconds: nothing is waited for when a connection is closed."""


class TcpSockets:
    """Connections that are opened or accepted; what they say is ``deliver``\\ ed as packets."""

    def __init__(
        self,
        make: SocketMaker,
        selector: selectors.BaseSelector,
        deliver: Callable[[Packet], None],
    ) -> None:
        self._make = make
        self._selector = selector
        self._deliver = deliver
        self._listeners: dict[Endpoint, socket.socket] = {}
        self._connections: dict[Ends, socket.socket] = {}

    def connect(self, source: Endpoint, destination: Endpoint) -> Endpoint:
        """Open a connection; give our end, with the port that it got where ``source`` has none.

        NoAnswer where the other side refuses it, Inconclusive where that cannot be told.
        """
        opened = self._bound(source)
        opened.settimeout(PATIENCE)
        try:
            opened.connect((str(destination.address), destination.port))
        except ConnectionRefusedError as error:
            opened.close()
            raise NoAnswer(f"{destination} refuses the connection") from error
        except OSError as error:
            opened.close()
            raise Inconclusive(f"no connection to {destination}: {error}") from error
        local = Endpoint(source.address, opened.getsockname()[1], Carrier.TCP)
        self._add((local, destination), opened)
        return local

    def listen(self, at: Endpoint) -> Callable[[], None]:
        """Accept connections there until what is given is called, which closes them, too."""
        listener = self._bound(at)
        listener.listen(BACKLOG)
        listener.setblocking(False)
        self._listeners[at] = listener
        self._selector.register(listener, selectors.EVENT_READ, partial(self._accept, listener, at))
        return partial(self._stop_listening, at)

    def write(self, packet: Packet) -> None:
        """Write to a connection, or close it; what is for one that is closed gets lost."""
        ends = packet.source, packet.destination
        if ends not in self._connections:
            return
        if not packet.octets:
            self._drop(ends)
            return
        connection = self._connections[ends]
        connection.settimeout(PATIENCE)
        try:
            connection.sendall(packet.octets)
        except (BrokenPipeError, ConnectionResetError):
            # Reading says that it is closed, behind what came before.
            return
        except OSError as error:
            raise Inconclusive(f"cannot write to {packet.destination}: {error}") from error
        finally:
            connection.setblocking(False)

    def reset(self, ends: Ends) -> None:
        """End a connection at once: what the other side gets is a reset."""
        if ends in self._connections:
            self._connections[ends].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            self._drop(ends)

    def close(self) -> None:
        """Close all connections and listeners."""
        for ends in list(self._connections):
            self._drop(ends)
        for at in list(self._listeners):
            self._stop_listening(at)

    def _stop_listening(self, at: Endpoint) -> None:
        listener = self._listeners.pop(at, None)
        if listener is not None:
            self._selector.unregister(listener)
            listener.close()
        for ends in [each for each in self._connections if each[0] == at]:
            self._drop(ends)

    def _bound(self, at: Endpoint) -> socket.socket:
        version = at.address.version
        family = socket.AF_INET if version == 4 else socket.AF_INET6
        made = self._make(family, socket.SOCK_STREAM, 0)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if version == 6:
            # An address of an AnyIP route is on no interface.
            made.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        try:
            made.bind((str(at.address), at.port))
        except OSError as error:
            made.close()
            raise Inconclusive(f"{at} cannot be bound: {error}") from error
        return made

    def _accept(self, listener: socket.socket, at: Endpoint) -> None:
        try:
            accepted, (address, port, *_) = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return  # Who wanted to connect has gone already.
        self._add((at, Endpoint(ip_address(address), port, Carrier.TCP)), accepted)

    def _add(self, ends: Ends, opened: socket.socket) -> None:
        # One write is one segment, unless the other side is slow to take it.
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setblocking(False)
        self._connections[ends] = opened
        self._selector.register(opened, selectors.EVENT_READ, partial(self._read, ends))

    def _read(self, ends: Ends) -> None:
        try:
            octets = self._connections[ends].recv(MOST_READ)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno not in (errno.ECONNRESET, errno.ETIMEDOUT, errno.EPIPE):
                raise Inconclusive(f"cannot read from {ends[1]}: {error}") from error
            octets = b""
        if octets:
            self._say(ends, octets)
        else:
            self._ended(ends)

    def _ended(self, ends: Ends) -> None:
        self._drop(ends)
        self._say(ends, b"")

    def _say(self, ends: Ends, octets: bytes) -> None:
        local, remote = ends
        self._deliver(Packet(Carrier.TCP, remote, local, octets))

    def _drop(self, ends: Ends) -> None:
        dropped = self._connections.pop(ends)
        self._selector.unregister(dropped)
        dropped.close()
