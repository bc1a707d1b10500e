"""Saying and hearing: every packet of one test's peer, decoded, recorded and sorted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from peers.link import Link
from peers.reference import nat
from peers.reference.child import ChildSa
from peers.reference.errors import PeerError
from peers.reference.esp import EspPacket
from peers.reference.events import (
    Decoded,
    Endpoint,
    Event,
    Keepalive,
    Packet,
    Remark,
    Transmission,
)
from peers.reference.fragments import WITHOUT_LIMIT, Reassembly
from peers.reference.ip import IpPacket
from peers.reference.message import Header, Message
from peers.reference.sa import NO_SPI, IkeSa


@dataclass(frozen=True, slots=True)
class HeardMessage:
    """An IKE message of the target; ``sa`` is the IKE SA of ours that it belongs to, if any."""

    packet: Packet
    octets: bytes
    message: Message
    sa: IkeSa | None


@dataclass(frozen=True, slots=True)
class HeardEsp:
    """An ESP packet of the target that opened, with the packet inside."""

    packet: Packet
    esp: EspPacket
    inner: IpPacket
    child: ChildSa


@dataclass(frozen=True, slots=True)
class HeardKeepalive:
    """A NAT-keepalive of the target."""

    packet: Packet


@dataclass(frozen=True, slots=True)
class Said:
    """An IKE message of ours, or a fragment of one, as it went out."""

    octets: bytes
    message: Message


@dataclass(frozen=True, slots=True)
class HeardInTheClear:
    """An echo reply of the target that came without ESP."""

    packet: Packet
    inner: IpPacket


Heard = HeardMessage | HeardEsp | HeardKeepalive | HeardInTheClear


class Conversation:
    """One peer's packets on a link, with the record that evidence is written from.

    ``sas`` are the IKE SAs that this peer is a side of; messages are opened with their keys.
    ``keyed`` are its Child SAs without an IKE SA.
    ``addresses`` are those that it listens to. ``courtesy`` is offered what nobody waits for, and
    says whether that settles it.
    Peers of one test write the same record: ``events``.
    """

    def __init__(
        self, link: Link, local: Endpoint, remote: Endpoint, events: list[Event] | None = None
    ) -> None:
        self.link = link
        self.local = local
        self.addresses = {local.address}
        self.remote = remote
        self.sas: list[IkeSa] = []
        self.keyed: list[ChildSa] = []
        self.events: list[Event] = [] if events is None else events
        self.courtesy: Callable[[Heard], bool] = lambda heard: False
        self._inbox: deque[Heard] = deque()
        self._fragments = Reassembly(WITHOUT_LIMIT)
        self._firsts: dict[tuple[bytes, bool, int], bytes] = {}

    def remark(self, text: str) -> None:
        """Write a sentence into the record."""
        self.events.append(Remark(self.link.now(), text))

    def say(
        self, octets: bytes, message: Message | None, sa: IkeSa | None = None, wrong: str = ""
    ) -> None:
        """Send an IKE message from our port to the target's.

        ``wrong`` says for the evidence what is wrong with it on purpose, besides its wire faults.
        """
        source = sa.local if sa else self.local
        destination = sa.remote if sa else self.remote
        packet = nat.ike_packet(source, destination, octets)
        faults = [*map(str, message.faults if message else ()), *([wrong] if wrong else [])]
        self.send(packet, message, "; ".join(faults))

    def say_esp(
        self,
        octets: bytes,
        decoded: EspPacket | None,
        sa: IkeSa | None,
        fault: str = "",
        traffic_class: int = 0,
    ) -> None:
        """Send an ESP packet on the way that an IKE SA takes: over TCP, or in UDP behind a NAT.

        That of a Child SA that is keyed by hand, which has none, goes between the hosts.
        """
        ends = (sa.local, sa.remote) if sa else (self.local, self.remote)
        encapsulated = sa is not None and sa.encapsulates
        packet = nat.esp_packet(
            *ends, octets, encapsulated=encapsulated, traffic_class=traffic_class
        )
        self.send(packet, decoded, fault)

    def send(self, packet: Packet, decoded: Decoded | None, fault: str = "") -> None:
        """Send a packet as it is."""
        self.events.append(Transmission(self.link.now(), True, packet, decoded, "", fault))
        self.link.send(packet)

    def hear(self, wanted: Callable[[Heard], bool], timeout: float) -> Heard | None:
        """Give the first thing heard that is wanted, within ``timeout`` seconds.

        What is heard meanwhile and not wanted stays in the inbox, in order.
        """
        deadline = self.link.now() + timeout
        for heard in self._inbox:
            if wanted(heard):
                self._inbox.remove(heard)
                return heard
        while (fresh := self._next(deadline)) is not None:
            if wanted(fresh):
                return fresh
            if not self.courtesy(fresh):
                self._inbox.append(fresh)
        return None

    def drop(self, unwanted: Callable[[Heard], bool]) -> None:
        """Forget what has been heard and is not wanted."""
        kept = [heard for heard in self._inbox if not unwanted(heard)]
        self._inbox.clear()
        self._inbox.extend(kept)

    def take_all(self) -> list[Heard]:
        """Empty the inbox."""
        everything = list(self._inbox)
        self._inbox.clear()
        return everything

    def _next(self, deadline: float) -> Heard | None:
        while (packet := self.link.receive(self.addresses, deadline)) is not None:
            heard = self._read(packet)
            if heard is not None:
                return heard
        return None

    def _read(self, packet: Packet) -> Heard | None:
        now = self.link.now()
        try:
            kind, octets = nat.demultiplex(packet)
            heard = self._heard(packet, kind, octets)
        except PeerError as problem:
            self.events.append(Transmission(now, False, packet, None, str(problem)))
            return None
        self.events.append(Transmission(now, False, packet, _decoded(heard)))
        if isinstance(heard, HeardMessage) and heard.message.fragment is not None:
            return self._collect(heard)
        return heard

    def _heard(self, packet: Packet, kind: nat.Kind, octets: bytes) -> Heard:
        if kind is nat.Kind.KEEPALIVE:
            return HeardKeepalive(packet)
        if kind is nat.Kind.CLEAR:
            return HeardInTheClear(packet, nat.in_the_clear(packet))
        return self._esp(packet) if kind is nat.Kind.ESP else self._ike(packet, octets)

    def _ike(self, packet: Packet, octets: bytes) -> HeardMessage:
        sa = self.sa_of(Header.decode(octets))
        message = sa.decode(octets) if sa and sa.keys else Message.decode(octets)
        return HeardMessage(packet, octets, message, sa)

    def _collect(self, part: HeardMessage) -> HeardMessage | None:
        try:
            return self._together(part)
        except PeerError as problem:
            self.remark(f"fragment refused: {problem}")
            return None

    def _together(self, part: HeardMessage) -> HeardMessage | None:
        """Give a message of which this was the last fragment missing (RFC 7383, 2.6).

        Its octets are those of the first fragment: a repetition is known by them.
        """
        number = part.message.fragment.number if part.message.fragment else 0
        key = part.message.spi_i, part.message.response, part.message.message_id
        whole = self._fragments.take(part.message)
        if number == 1:
            self._firsts[key] = part.octets
        if whole is None:
            return None
        self.remark(f"together: {whole}")
        return replace(part, octets=self._firsts.pop(key), message=whole)

    def sa_of(self, header: Header) -> IkeSa | None:
        """Find the newest IKE SA of ours that a header belongs to."""
        for sa in reversed(self.sas):
            # A message of the initiator is for the responder's side of the SA.
            started_alike = sa.spi_i == header.spi_i and sa.initiator != header.initiator
            if started_alike and (header.spi_r in (sa.spi_r, NO_SPI) or sa.spi_r == NO_SPI):
                return sa
        return None

    def _esp(self, packet: Packet) -> HeardEsp:
        children = [child for sa in reversed(self.sas) for child in sa.children]
        children += self.keyed
        child = next((c for c in children if c.inbound.spi == packet.octets[:4]), None)
        if child is None:
            raise PeerError(f"no Child SA has the SPI {packet.octets[:4].hex()}")
        esp = child.inbound.open(packet.octets)
        return HeardEsp(packet, esp, child.inner(esp), child)


def _decoded(heard: Heard) -> Decoded:
    if isinstance(heard, HeardMessage):
        return heard.message
    if isinstance(heard, HeardInTheClear):
        return heard.inner
    return heard.esp if isinstance(heard, HeardEsp) else Keepalive()
