"""A link with TCP connections on it: streams below, their messages above (RFC 9329, 3)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection

from peers.link import Link
from peers.reference.events import Carrier, Endpoint, Ends, IPAddress, Packet
from peers.reference.stream import StreamReader, framed


class TcpLink:
    """Puts messages into streams and takes them out; all else passes (the protocol `link.Link`).

    What happens to connections is ``said``. A message that comes over a connection that is closed
    by then gets lost, as does one that is sent over it. MalformedMessage where what the other side
    writes is no stream of messages.
    """

    def __init__(self, link: Link, say: Callable[[str], None]) -> None:
        self._link = link
        self._say = say
        self._readers: dict[Ends, StreamReader] = {}
        self._closed: set[Ends] = set()
        self._listeners: list[Callable[[], None]] = []
        self._messages: deque[Packet] = deque()

    def now(self) -> float:
        """Give the time in seconds since the epoch."""
        return self._link.now()

    def connect(self, source: Endpoint, destination: Endpoint) -> Endpoint:
        """Open a connection; give our end of it. Nothing is written: not the prefix either."""
        local = self._link.connect(source, destination)
        self._readers[local, destination] = StreamReader(expects_prefix=False)
        self._say(f"TCP connection from {local} to {destination}")
        return local

    def listen(self, at: Endpoint) -> Callable[[], None]:
        """Accept connections there from now on; each has to begin with the prefix."""
        self._listeners.append(self._link.listen(at))
        return self._listeners[-1]

    def stop_listening(self) -> None:
        """Accept no more connections, and close those that were."""
        for stop in self._listeners:
            stop()
        self._listeners.clear()

    def is_open(self, ends: Ends) -> bool:
        """Say whether a connection is open, as far as has been read."""
        return ends in self._readers

    def connections(self) -> tuple[Ends, ...]:
        """List the connections that are open, those of the other side, too, once it has written."""
        return tuple(self._readers)

    def write(self, ends: Ends, octets: bytes) -> None:
        """Write octets to a stream as they are."""
        if ends in self._readers:
            self._link.send(Packet(Carrier.TCP, *ends, octets))
        else:
            self._say(f"{len(octets)} octets get lost: the TCP connection to {ends[1]} is closed")

    def hang_up(self, ends: Ends) -> None:
        """Close a connection, if it is open."""
        if self._forget(ends):
            self._say(f"TCP connection to {ends[1]} closed by us")
            self._link.send(Packet(Carrier.TCP, *ends, b""))

    def reset(self, source: Endpoint, destination: Endpoint) -> None:
        """End a connection by a reset, if it is open."""
        if self._forget((source, destination)):
            self._say(f"TCP connection to {destination} reset by us")
            self._link.reset(source, destination)

    def send(self, packet: Packet) -> None:
        """Send a packet, over TCP in its connection."""
        if packet.carrier is Carrier.TCP:
            self.write((packet.source, packet.destination), framed(packet.octets))
        else:
            self._link.send(packet)

    def receive(self, addresses: Collection[IPAddress], deadline: float) -> Packet | None:
        """Give the next packet, or message of a stream; None at the deadline."""
        while not self._messages:
            packet = self._link.receive(addresses, deadline)
            if packet is None or packet.carrier is not Carrier.TCP:
                return packet
            self._read(packet)
        return self._messages.popleft()

    def close(self) -> None:
        """Close the link."""
        self._link.close()

    def _forget(self, ends: Ends) -> bool:
        """Leave a connection to itself; what is still to come of it gets lost."""
        self._closed.add(ends)
        return self._readers.pop(ends, None) is not None

    def _read(self, packet: Packet) -> None:
        ends = packet.destination, packet.source
        if ends in self._closed:
            return
        if not packet.octets:
            self._forget(ends)
            self._say(f"TCP connection closed by {packet.source}")
            return
        if ends not in self._readers:
            self._readers[ends] = StreamReader(expects_prefix=True)
            self._say(f"TCP connection from {packet.source} to {packet.destination}")
        for octets in self._readers[ends].feed(packet.octets):
            message = Packet(Carrier.TCP, packet.source, packet.destination, octets)
            self._messages.append(message)
