"""Decisions about NATs: what is detected, where packets go to (RFC 7296, 2.23; RFC 3948)."""

from __future__ import annotations

from collections.abc import Sequence

from peers.reference import tcp
from peers.reference.child import ChildSa
from peers.reference.events import Carrier, Endpoint, Packet
from peers.reference.ip import IpPacket
from peers.reference.message import Message
from peers.reference.nat import (
    IKE_PORT,
    Detected,
    Kind,
    Localized,
    demultiplex,
    detect,
    goes_on_port_4500,
    localize,
)
from peers.reference.payloads import TrafficSelector
from peers.reference.sa import IkeSa
from peers.reference.states import State


class NatDecisions:
    """The part of `Decisions` that is about NATs."""

    def demultiplex(self, packet: Packet) -> tuple[Kind, bytes]:
        """Tell IKE, ESP and keepalives apart (RFC 3948, 2)."""
        return demultiplex(packet)

    def detects(self, message: Message, source: Endpoint, destination: Endpoint) -> Detected:
        """Compare the NAT detection hashes of an IKE_SA_INIT message with its way (2.23)."""
        return detect(message, source, destination)

    def floats(self, sa: IkeSa) -> bool:
        """Say whether an initiator goes on on port 4500: behind a NAT (2.23), or for MOBIKE.

        MOBIKE wants it when both sides traverse NATs, even where there is none (RFC 4555, 3.3).
        """
        return goes_on_port_4500(sa)

    def encapsulates(self, sa: IkeSa) -> bool:
        """Say whether ESP goes where IKE does: with a NAT between, but not on port 500 (2.23).

        Over TCP it always does (RFC 9329, 5).
        """
        if sa.mobility is not None and sa.mobility.esp is not None:
            return sa.mobility.esp[1]
        return sa.encapsulates and sa.local.port != IKE_PORT

    def esp_route(self, sa: IkeSa, child: ChildSa) -> tuple[Endpoint, Endpoint]:
        """Give where an ESP packet of ours goes from and to: the way of its IKE SA.

        It goes the old one while a new one is not settled (RFC 4555, 3.5).
        """
        if sa.mobility is not None and sa.mobility.esp is not None:
            return sa.mobility.esp[0]
        return sa.local, sa.remote

    def response_route(self, sa: IkeSa, packet: Packet) -> tuple[Endpoint, Endpoint]:
        """Give where the response to a request goes: back the way that it came (2.11)."""
        return packet.destination, packet.source

    def follows(self, sa: IkeSa, packet: Packet) -> bool:
        """Say whether a new, authenticated packet changes where we speak to (2.23).

        IKE_AUTH may come from another port than IKE_SA_INIT. Later on only a peer behind a NAT
        is followed, and only by a side that is not behind one itself. With MOBIKE nobody is: who
        moves says so (RFC 4555, 3.8). The newest TCP connection is followed (RFC 9329, 6.1).
        """
        if packet.carrier is Carrier.TCP:
            return not sa.original_initiator
        if packet.carrier is not Carrier.UDP:
            return False
        if sa.state is State.INIT_ANSWERED:
            return True
        if sa.mobility is not None:
            return False
        return sa.nat.theirs and not sa.nat.ours

    def sends_keepalives(self, sa: IkeSa, before: int) -> bool:
        """Say whether a NAT in front of us has to be kept open (RFC 3948, 4), again and again."""
        return sa.nat.ours and sa.local.transport is Carrier.UDP

    def believes_keepalive(self) -> bool:
        """Say whether a keepalive tells us where the peer is: never (RFC 3948, 4)."""
        return False

    def closes_on_keepalive(self) -> bool:
        """Say whether a keepalive ends the IKE SA that it comes over: never (RFC 3948, 2.3)."""
        return False

    def keepalive_shows_life(self) -> bool:
        """Say whether a keepalive counts as a sign that the peer is alive: never (RFC 3948, 4)."""
        return False

    def takes_form(self, sa: IkeSa, packet: Packet) -> bool:
        """Say whether ESP may come in UDP, or without it: both, at any time (2.23)."""
        return True

    def localize(
        self, sa: IkeSa, tsi: Sequence[TrafficSelector], tsr: Sequence[TrafficSelector]
    ) -> Localized:
        """Put the addresses that we see into the selectors of transport mode (2.23.1)."""
        return localize(sa, tsi, tsr)

    def way_back(self, own: Sequence[ChildSa], everybodys: Sequence[ChildSa]) -> Sequence[ChildSa]:
        """Give the Child SAs that an answer may take: those of who asked (RFC 3948, 5)."""
        return own

    def checksum_is_right(self, inner: IpPacket) -> bool:
        """Say whether a TCP segment that came through ESP is sound (RFC 3948, 3.1.2)."""
        return tcp.is_sound(inner)
