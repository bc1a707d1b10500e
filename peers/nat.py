"""A NAT between a peer and its link: it rewrites addresses and ports, and can be rebooted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_address, ip_network

from peers.link import Link
from peers.reference.connection import Connection, Mode
from peers.reference.errors import ScriptError
from peers.reference.events import Carrier, Endpoint, IPAddress, Packet

INSIDE = {4: ip_address("192.168.77.2"), 6: ip_address("fd77::2")}
"""The address that a peer behind a NAT has itself; nobody else sees it."""

FIRST_PORT, LAST_PORT = 20000, 20999
"""The NAT's own ports; its address is one test's alone, so that other tests may use them too."""


class Nat:
    """A NAT for one host (RFC 3022) that is itself a link (the protocol `link.Link`).

    Each of the host's UDP ports gets one of the NAT's when it first sends from it. ``outside`` is
    the address that the target sees. ``lost`` are packets to a mapping that is no more: a NAT
    discards them. Plain ESP is translated by its address alone.
    """

    def __init__(self, link: Link, outside: IPAddress) -> None:
        self._link = link
        self.outside = outside
        self._host = INSIDE[outside.version]
        self._ports: dict[int, int] = {}
        self._free = iter(range(FIRST_PORT, LAST_PORT + 1))
        self._beside: Nat | None = None
        self._waiting: deque[Packet] = deque()
        self._addresses = {outside}
        self.lost: list[Packet] = []

    def beside(self) -> Nat:
        """Give the same NAT for a second host behind it, which shares its address and its ports."""
        other = Nat(self._link, self.outside)
        other._host, other._free = self._host + 1, self._free
        self._beside, other._beside = other, self
        return other

    def inside(self, connection: Connection) -> Connection:
        """Give a connection as the host behind the NAT has it; ``local`` was the NAT's address."""
        moved = replace(connection, local=self._host)
        if connection.mode is Mode.TRANSPORT:
            return replace(moved, local_selectors=(ip_network(str(self._host)),))
        return moved

    def rebind(self, outside: IPAddress | None = None) -> None:
        """Forget every mapping, as a NAT does that is rebooted; take another address if given."""
        self._ports.clear()
        self.outside = outside or self.outside
        self._addresses.add(self.outside)

    @contextmanager
    def elsewhere(self, outside: IPAddress) -> Iterator[None]:
        """Send from other mappings of another address for a while; then the old ones are back."""
        before = self.outside, self._ports
        self.outside, self._ports = outside, {}
        self._addresses.add(outside)
        try:
            yield
        finally:
            self.outside, self._ports = before

    def mapped(self, inside_port: int) -> Endpoint:
        """Give what the target sees of a port of the host; ScriptError before it has sent."""
        if inside_port not in self._ports:
            raise ScriptError(f"port {inside_port} has no mapping in the NAT")
        return Endpoint(self.outside, self._ports[inside_port])

    # What a link does.

    def now(self) -> float:
        """Give the time in seconds since the epoch."""
        return self._link.now()

    def send(self, packet: Packet) -> None:
        """Send a packet of the host from the NAT's address, and from its port in UDP."""
        if packet.source.address != self._host:
            raise ScriptError(f"{packet.source} is not behind the NAT")
        port = self._port(packet.source.port) if packet.carrier is Carrier.UDP else 0
        self._link.send(replace(packet, source=Endpoint(self.outside, port)))

    def receive(self, addresses: Collection[IPAddress], deadline: float) -> Packet | None:
        """Give the next packet that the NAT has a mapping for, as the host gets it."""
        if self._waiting:
            return self._waiting.popleft()
        while (packet := self._link.receive(self._addresses, deadline)) is not None:
            inside = self._inside(packet)
            if inside is not None:
                return replace(packet, destination=inside)
            if self._beside is None or not self._beside.takes(packet):
                self.lost.append(packet)
        return None

    def takes(self, packet: Packet) -> bool:
        """Keep a packet that the other host's side came upon, if it is for our host."""
        inside = self._inside(packet)
        if inside is not None:
            self._waiting.append(replace(packet, destination=inside))
        return inside is not None

    def connect(self, source: Endpoint, destination: Endpoint) -> Endpoint:
        """Refuse to be asked: this NAT has no mappings for TCP."""
        raise ScriptError(f"the NAT carries no TCP from {source} to {destination}")

    def listen(self, at: Endpoint) -> Callable[[], None]:
        """Refuse to be asked: nobody outside could reach the host."""
        raise ScriptError(f"nobody reaches {at} through the NAT")

    def reset(self, source: Endpoint, destination: Endpoint) -> None:
        """Refuse to be asked: there are no TCP connections."""
        raise ScriptError(f"the NAT carries no TCP from {source} to {destination}")

    def close(self) -> None:
        """Leave the link to its owner."""

    def _port(self, inside: int) -> int:
        if inside not in self._ports:
            port = next(self._free, None)
            if port is None:
                raise ScriptError(f"the NAT has no port left after {LAST_PORT}")
            self._ports[inside] = port
        return self._ports[inside]

    def _inside(self, packet: Packet) -> Endpoint | None:
        if packet.destination.address != self.outside:
            return None
        if packet.carrier is Carrier.ESP:
            return Endpoint(self._host)
        ports = (inside for inside, own in self._ports.items() if own == packet.destination.port)
        inside = next(ports, None)
        return None if inside is None else Endpoint(self._host, inside)
