"""Faults of the way that packets take: lost, doubled, late, replayed; in either direction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from peers.link import Link
from peers.reference.events import Endpoint, IPAddress, Packet


@dataclass(frozen=True, slots=True)
class FlowFault(ABC):
    """Something that happens to packets of ours (``sent``) or to what we would hear.

    ``number`` counts the packets of that direction from 0, from when the fault begins; None means
    every one.
    """

    number: int | None = None
    sent: bool = True

    def meets(self, number: int) -> bool:
        """Say whether it happens to packet ``number``."""
        return self.number in (None, number)

    @abstractmethod
    def happen(self, packet: Packet, way: Way) -> list[Packet]:
        """Give what goes on, in order, in the place of a packet that the fault meets."""

    def __str__(self) -> str:
        which = "every packet" if self.number is None else f"packet {self.number}"
        return f"{which} {'sent' if self.sent else 'heard'} is {type(self).__name__.lower()}"


@dataclass(frozen=True, slots=True)
class Lost(FlowFault):
    """The packet does not arrive."""

    def happen(self, packet: Packet, way: Way) -> list[Packet]:
        """Let nothing go on."""
        return []


@dataclass(frozen=True, slots=True)
class Doubled(FlowFault):
    """The packet arrives twice."""

    def happen(self, packet: Packet, way: Way) -> list[Packet]:
        """Let it go on twice."""
        return [packet, packet]


@dataclass(frozen=True, slots=True)
class Late(FlowFault):
    """The packet arrives behind the ``by`` packets that follow it; if so many never come, never."""

    by: int = 1

    def happen(self, packet: Packet, way: Way) -> list[Packet]:
        """Keep it back."""
        way.keep_back(packet, self.by)
        return []


@dataclass(frozen=True, slots=True)
class Replayed(FlowFault):
    """The packet arrives, then all earlier ones of its direction again, the oldest first."""

    def happen(self, packet: Packet, way: Way) -> list[Packet]:
        """Let it go on, and the past behind it."""
        return [packet, *way.past]


@dataclass(slots=True)
class Way:
    """One direction: the faults that wait for its packets, and what has passed.

    ``past`` are the packets that were given to it, in order, the last hundred.
    """

    faults: Sequence[FlowFault]
    past: deque[Packet] = field(default_factory=lambda: deque(maxlen=100))
    _given: int = 0
    _late: list[tuple[int, Packet]] = field(default_factory=list)

    def pass_on(self, packet: Packet) -> list[Packet]:
        """Give what arrives now that this packet has been given to the way, in order."""
        fault = next((each for each in self.faults if each.meets(self._given)), None)
        arriving = fault.happen(packet, self) if fault else [packet]
        due = [late for last, late in self._late if last == self._given]
        self._late = [(last, late) for last, late in self._late if last > self._given]
        self.past.append(packet)
        self._given += 1
        return [*arriving, *due]

    def keep_back(self, packet: Packet, by: int) -> None:
        """Hold a packet until ``by`` more have been given."""
        self._late.append((self._given + by, packet))


class FaultyLink:
    """A link on which faults happen (the protocol `link.Link`)."""

    def __init__(self, link: Link, faults: Sequence[FlowFault]) -> None:
        self._link = link
        self._there = Way([each for each in faults if each.sent])
        self._back = Way([each for each in faults if not each.sent])
        self._arrived: deque[Packet] = deque()

    def now(self) -> float:
        """Give the time in seconds since the epoch."""
        return self._link.now()

    def send(self, packet: Packet) -> None:
        """Send what the faults let arrive because of a packet."""
        for each in self._there.pass_on(packet):
            self._link.send(each)

    def receive(self, addresses: Collection[IPAddress], deadline: float) -> Packet | None:
        """Give the next packet that the faults let arrive, or None at the deadline."""
        while not self._arrived:
            packet = self._link.receive(addresses, deadline)
            if packet is None:
                return None
            self._arrived += self._back.pass_on(packet)
        return self._arrived.popleft()

    def connect(self, source: Endpoint, destination: Endpoint) -> Endpoint:
        """Open a TCP connection."""
        return self._link.connect(source, destination)

    def listen(self, at: Endpoint) -> Callable[[], None]:
        """Accept TCP connections there from now on."""
        return self._link.listen(at)

    def reset(self, source: Endpoint, destination: Endpoint) -> None:
        """End a TCP connection by a reset."""
        self._link.reset(source, destination)

    def close(self) -> None:
        """Close the link."""
        self._link.close()
