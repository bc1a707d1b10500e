"""Two endpoints whose packets cross in any order that a test can think of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from peers.reference.connection import ChildPolicy, Connection
from peers.reference.events import Packet
from peers.reference.negotiation import esp_proposal
from peers.reference.traffic_selectors import traffic_selector
from suites import terms
from suites.selftest.wires import LEFT, RIGHT, Wire, connection

Order = Sequence[int]
"""Which side's packet travels next: LEFT or RIGHT, the sender, packet by packet."""


class Crossing(Wire):
    """A wire on which the test says whose packet arrives next; each direction keeps its order."""

    def __init__(
        self,
        described: Connection | None = None,
        *,
        right: Connection | None = None,
        seed: int = 1,
    ) -> None:
        super().__init__(described, right=right, seed=seed)
        self.flying: tuple[list[Packet], list[Packet]] = ([], [])

    def let_go(self, side: int, packets: Sequence[Packet]) -> None:
        """Put packets of a side on their way; nothing arrives yet."""
        self.sent += packets
        self.flying[side].extend(packets)

    def arrive(self, sender: int) -> None:
        """Let the oldest packet of a side arrive, and its answers start."""
        packet = self.flying[sender].pop(0)
        self.let_go(1 - sender, self.both[1 - sender].receive(packet, self.now))

    def drop(self, sender: int) -> None:
        """Lose the oldest packet of a side."""
        self.flying[sender].pop(0)

    def run(self, order: Iterator[int]) -> None:
        """Let packets arrive in an order until nothing flies; what has no choice needs none."""
        while any(self.flying):
            side = next(order) if all(self.flying) else int(not self.flying[LEFT])
            self.arrive(side)

    def start(self, side: int, verb: str, **arguments: object) -> None:
        """Have a side begin an exchange by the name of its verb."""
        own = (self.left_connection, self.right_connection)[side]
        self.let_go(side, getattr(self.both[side], verb)(own, self.now, **arguments))


def every_order(length: int) -> list[tuple[int, ...]]:
    """List every sequence of choices of that length."""
    return [
        tuple((number >> place) & 1 for place in range(length)) for number in range(1 << length)
    ]


def then(order: Order) -> Iterator[int]:
    """Follow an order, then take turns."""
    yield from order
    while True:
        yield LEFT
        yield RIGHT


PFS = esp_proposal(terms.AES_GCM_256, terms.CURVE25519)

SECOND = ChildPolicy(
    "second",
    terms.DEFAULT.esp,
    (traffic_selector("10.1.1.0/24"),),
    (traffic_selector("10.2.1.10-10.2.1.20"),),
)


def with_second(described: Connection | None = None) -> Connection:
    """Give a connection that also has a second Child SA."""
    return replace(described or connection(), more=(SECOND,))
