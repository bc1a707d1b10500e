"""Two endpoints on a wire in memory, with a place to lose, repeat or falsify packets."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_network

from peers.reference.connection import Connection, Mode
from peers.reference.credentials import Psk
from peers.reference.decisions import Decisions
from peers.reference.endpoint import Endpoint
from peers.reference.events import Packet
from peers.reference.identity import fqdn
from suites.terms import DEFAULT, Suite

LEFT, RIGHT = 0, 1

Meddler = Callable[[int, Packet], Sequence[Packet]]
"""Is asked about each packet, counted from 0, and gives what arrives instead of it."""


def connection(suite: Suite = DEFAULT, family: int = 4, mode: Mode = Mode.TUNNEL) -> Connection:
    """Describe a connection from the left endpoint's point of view."""
    six = family == 6
    left, right = (
        ip_address("fd00::1" if six else "192.0.2.1"),
        ip_address("fd00::2" if six else "192.0.2.2"),
    )
    networks = "fd01::/64 fd02::/64" if six else "10.1.0.0/24 10.2.0.0/24"
    local, remote = (str(left), str(right)) if mode is Mode.TRANSPORT else tuple(networks.split())
    return Connection(
        name="c",
        local=left,
        remote=right,
        local_identity=fqdn("left.test"),
        remote_identity=fqdn("right.test"),
        local_credential=Psk(b"a shared secret"),
        remote_credential=Psk(b"a shared secret"),
        ike_proposals=suite.ike,
        esp_proposals=suite.esp,
        local_selectors=(ip_network(local),),
        remote_selectors=(ip_network(remote),),
        mode=mode,
    )


class Wire:
    """Two endpoints configured for each other; ``sent`` is every packet, in order."""

    def __init__(
        self,
        described: Connection | None = None,
        meddler: Meddler = lambda number, packet: [packet],
        *,
        right: Connection | None = None,
        seed: int = 1,
        decisions: tuple[Decisions | None, Decisions | None] = (None, None),
    ) -> None:
        self.left_connection = described or connection()
        self.right_connection = right or self.left_connection.mirrored()
        self.left, self.right = (
            Endpoint(random.Random(f"{seed} {side}").randbytes, decisions[side])
            for side in (LEFT, RIGHT)
        )
        self.left.configure(self.left_connection)
        self.right.configure(self.right_connection)
        self.meddler = meddler
        self.sent: list[Packet] = []
        self.now = 1000.0
        self._travelling: deque[Packet] = deque()

    @property
    def both(self) -> tuple[Endpoint, Endpoint]:
        return self.left, self.right

    def at(self, packet: Packet) -> Endpoint:
        """Give the endpoint that a packet is for."""
        left = packet.destination.address == self.left_connection.local
        return self.left if left else self.right

    def carry(self, packets: Iterable[Packet]) -> None:
        """Carry packets, and all that they give rise to, until nothing travels."""
        self._send(packets)
        while self._travelling:
            packet = self._travelling.popleft()
            self._send(self.at(packet).receive(packet, self.now))

    def _send(self, packets: Iterable[Packet]) -> None:
        for packet in packets:
            self.sent.append(packet)
            self._travelling.extend(self.meddler(len(self.sent) - 1, packet))

    def wait(self, seconds: float = 60.0) -> None:
        """Let time pass, timer by timer."""
        end = self.now + seconds
        while True:
            timers = [e.next_timer() for e in self.both]
            due = min((timer for timer in timers if timer is not None), default=end)
            if due >= end:
                break
            self.now = max(self.now, due)
            for endpoint in self.both:
                self.carry(endpoint.tick(self.now))
        self.now = end

    def establish(self) -> None:
        """Let the left endpoint set up the connection."""
        self.carry(self.left.initiate(self.left_connection, self.now))

    def echoes(self, side: int = LEFT) -> bool:
        """Say whether an echo request from that side comes back."""
        endpoint = self.both[side]
        described = (self.left_connection, self.right_connection)[side]
        before = heard_esp(endpoint)
        self.carry(endpoint.echo(described, self.now))
        return heard_esp(endpoint) == before + 1

    def up(self) -> bool:
        """Say whether both hold exactly one established IKE SA, the same one, and no other."""
        spis = [[(s.sa.spi_i, s.sa.spi_r) for s in e.sessions] for e in self.both]
        states = {s.sa.state.name for e in self.both for s in e.sessions}
        return spis[0] == spis[1] and len(spis[0]) == 1 and states == {"ESTABLISHED"}


def heard_esp(endpoint: Endpoint) -> int:
    """Count the ESP packets that Child SAs of an endpoint have admitted."""
    return sum(c.packets_in for s in endpoint.sessions for c in s.sa.children)


def snapshot(endpoint: Endpoint) -> object:
    """Give everything about an endpoint that a packet it should not believe must leave alone."""
    return tuple(
        (
            s.sa.spi_i,
            s.sa.spi_r,
            s.sa.state,
            s.sa.keys,
            s.sa.next_request_id,
            s.sa.expected_request_id,
            s.sa.nonce,
            s.sa.peer_nonce,
            s.response,
            s.pending.datagrams if s.pending else None,
            s.closing,
            tuple((*c.spis(), c.inbound.window.top, c.packets_in) for c in s.sa.children),
        )
        for s in endpoint.sessions
    )


def with_octets(packet: Packet, octets: bytes) -> Packet:
    """Give the same packet with other octets."""
    return replace(packet, octets=octets)


def before(number, seed=1):
    """Give a wire on which the packet of that number has not arrived, and the packet."""
    held = []

    def hold(index, packet):
        if index == number:
            held.append(packet)
            return []
        return [packet]

    wire = Wire(meddler=hold, seed=seed)
    wire.establish()
    wire.meddler = lambda index, packet: [packet]
    return wire, held[0]


def receives(wire, packet):
    """Let the packet's receiver take it, and give what it answers."""
    return wire.at(packet).receive(packet, wire.now)
