"""A link to the embedded endpoint without sockets; its clock runs as far as somebody waits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import replace
from itertools import count

from peers.reference.endpoint import Endpoint as IkeEndpoint
from peers.reference.errors import NoAnswer
from peers.reference.events import Carrier, Endpoint, IPAddress, Packet

LATENCY = 0.0001
"""Seconds that a packet takes, so that the record has an order in time."""

FIRST_PORT = 40000
"""The first of our own ports of TCP connections."""


class MemoryLink:
    """Hands packets to an `Endpoint` and takes its packets back (the protocol `link.Link`)."""

    def __init__(self, endpoint: IkeEndpoint, start: float) -> None:
        self._endpoint = endpoint
        self._now = start
        self._arrived: deque[Packet] = deque()
        self._ports = count(FIRST_PORT)

    def now(self) -> float:
        """Give the time that has passed for both ends, in seconds since the epoch."""
        return self._now

    def send(self, packet: Packet) -> None:
        """Deliver a packet and queue what the endpoint sends because of it."""
        self._now += LATENCY
        self.deliver(self._endpoint.receive(packet, self._now))

    def deliver(self, packets: Collection[Packet]) -> None:
        """Queue packets of the endpoint."""
        self._arrived.extend(packets)

    def receive(self, addresses: Collection[IPAddress], deadline: float) -> Packet | None:
        """Give the next packet to one of ``addresses``; None when there is none by ``deadline``."""
        while True:
            self._tick_what_is_due()
            for packet in self._arrived:
                if packet.destination.address in addresses:
                    self._arrived.remove(packet)
                    self._now += LATENCY
                    return packet
            due = self._endpoint.next_timer()
            if due is None or due > deadline:
                self._now = max(self._now, deadline)
                return None
            self._now = max(self._now, due)
            self.deliver(self._endpoint.tick(self._now))

    def _tick_what_is_due(self) -> None:
        due = self._endpoint.next_timer()
        if due is not None and due <= self._now:
            self.deliver(self._endpoint.tick(self._now))

    def connect(self, source: Endpoint, destination: Endpoint) -> Endpoint:
        """Open a TCP connection; NoAnswer when the endpoint takes none."""
        if not self._endpoint.decide.takes_connections():
            raise NoAnswer(f"{destination} refuses the connection")
        return replace(source, port=source.port or next(self._ports))

    def listen(self, at: Endpoint) -> Callable[[], None]:
        """Take connections of the endpoint: it needs no leave, and nothing ends it."""
        return lambda: None

    def reset(self, source: Endpoint, destination: Endpoint) -> None:
        """End a TCP connection: to the endpoint it makes no difference how."""
        self.send(Packet(Carrier.TCP, source, destination, b""))

    def close(self) -> None:
        """Forget packets that nobody took."""
        self._arrived.clear()
