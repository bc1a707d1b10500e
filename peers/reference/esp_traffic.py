"""ESP of an endpoint: packets in either form, keepalives, and the echoes that it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from peers.reference import ip, tcp
from peers.reference.child import ChildSa
from peers.reference.connection import Mode
from peers.reference.errors import IntegrityFailure, PeerError, Replayed
from peers.reference.events import Carrier, Endpoint, Packet
from peers.reference.ip_fragments import Fragments
from peers.reference.nat import (
    KEEPALIVE_INTERVAL,
    clear_packet,
    esp_packet,
    in_the_clear,
    keepalive_packet,
)
from peers.reference.session import Session
from peers.reference.states import State

if TYPE_CHECKING:
    from peers.reference.endpoint import Endpoint as IkeEndpoint


class EspTraffic:
    """What an endpoint does with ESP (RFC 4303), and with ESP in UDP (RFC 3948)."""

    def __init__(self, endpoint: IkeEndpoint) -> None:
        self._endpoint = endpoint
        self._decide = endpoint.decide
        self._fragments = Fragments()

    def hear(self, packet: Packet, octets: bytes) -> None:
        """Open an ESP packet, and answer an echo request that it holds."""
        drop = self._endpoint.drop
        child = self._decide.esp_child(self._all_children(), octets[:4])
        if child is None:
            self._endpoint.cannot_open("ESP with an unknown SPI")
            return
        session = self._session_of(child)
        if session is not None and not self._decide.takes_form(session.sa, packet):
            drop("ESP in the wrong form")
            return
        try:
            opened = self._decide.open_esp(child, octets)
            if self._decide.is_dummy(opened):
                drop("dummy packet")
                return
            inner = child.inner(opened)
        except Replayed:
            drop("ESP replay")
        except IntegrityFailure:
            self._endpoint.cannot_open("ESP integrity check failed")
        except PeerError as problem:
            drop(f"ESP refused: {problem}")
        else:
            window = child.inbound.window
            newest = window is not None and opened.sequence == window.top
            if session is not None and packet.carrier is not Carrier.ESP and newest:
                self._endpoint.follow(session, packet)
            self._deliver(child, inner, packet.traffic_class)

    def hear_in_the_clear(self, packet: Packet) -> None:
        """Drop what has to come in ESP (RFC 4301, 5.2); what no Child SA is for is bypassed."""
        inner = in_the_clear(packet)
        reply = ip.echo_reply(inner)
        if reply is None:
            self._endpoint.drop("in the clear, and no echo request")
        elif not any(child.covers(inner) for child in self._all_children()):
            self._endpoint.emit(clear_packet(reply))
        elif self._decide.lets_clear_traffic_in():
            self.send(self._all_children(), reply)
        else:
            self._endpoint.drop("in the clear, and to be protected")

    def send(self, children: Sequence[ChildSa], inner: ip.IpPacket) -> None:
        """Send an inner packet on the Child SA that takes it."""
        child = self._decide.sends_on(children, inner)
        if child is None:
            self._endpoint.drop("no Child SA for an outbound packet")
        else:
            self._seal(child, inner)

    def _deliver(self, child: ChildSa, inner: ip.IpPacket, outer: int) -> None:
        if not self._decide.admits(child, inner):
            self._endpoint.drop("inner packet outside the selectors")
            return
        leaving = self._leaving(child, inner, outer)
        if leaving is None:
            self._endpoint.drop("congestion outside, of which the inner packet cannot tell")
            return
        inner = replace(inner, traffic_class=leaving)
        child.packets_in += 1
        # The other side has the new Child SA: it sends on it (RFC 7296, 2.8).
        child.prove_ready()
        whole = self._fragments.whole(inner)
        reply = None if whole is None else ip.echo_reply(whole) or self._refusal(whole)
        if reply is not None:
            session = self._session_of(child)
            own = session.sa.children if session else self._endpoint.keyed
            way_back = self._decide.way_back(own, self._all_children())
            for part in self._decide.parts_of(reply, child.terms.mode):
                self.send(way_back, part)

    def _refusal(self, inner: ip.IpPacket) -> ip.IpPacket | None:
        """Answer a TCP segment as a host does on which nobody listens."""
        return tcp.refusal(inner) if self._decide.checksum_is_right(inner) else None

    def _all_children(self) -> list[ChildSa]:
        negotiated = (child for each in self._endpoint.sessions for child in each.sa.children)
        return [*negotiated, *self._endpoint.keyed]

    def _leaving(self, child: ChildSa, inner: ip.IpPacket, outer: int) -> int | None:
        """Give the traffic class of a packet that leaves ESP; in transport mode it has but one."""
        if child.terms.mode is Mode.TRANSPORT:
            return outer
        return self._decide.inner_traffic_class(inner.traffic_class, outer)

    def _seal(self, child: ChildSa, inner: ip.IpPacket) -> None:
        if self._decide.is_used_up(child):
            self._endpoint.drop("the sequence numbers of a Child SA are used up")
            return
        iv = self._endpoint.random(child.outbound.protection.iv_size)
        octets = self._decide.seal_esp(child, inner, iv)
        marks = self._decide.outer_traffic_class(inner.traffic_class)
        session = self._session_of(child)
        if session is None:
            ends = Endpoint(child.local), Endpoint(child.remote)
            sent = esp_packet(*ends, octets, encapsulated=False, traffic_class=marks)
            self._endpoint.emit(sent)
            return
        ends = self._decide.esp_route(session.sa, child)
        encapsulated = self._decide.encapsulates(session.sa)
        sent = esp_packet(*ends, octets, encapsulated=encapsulated, traffic_class=marks)
        self._endpoint.send(session, sent)

    def _session_of(self, child: ChildSa) -> Session | None:
        """Find the IKE SA of a Child SA; one that is keyed by hand has none."""
        return next((each for each in self._endpoint.sessions if child in each.sa.children), None)

    # Keepalives (RFC 3948, 2.3 and 4).

    def hear_keepalive(self, packet: Packet) -> None:
        """Ignore a keepalive, which anybody can send (RFC 3948, 4)."""
        sessions = self._endpoint.sessions
        for session in [each for each in sessions if each.sa.local == packet.destination]:
            if self._decide.believes_keepalive():
                session.sa.remote = packet.source
            if self._decide.keepalive_shows_life():
                for pending in session.outstanding.values():
                    pending.attempts = 0
            if self._decide.closes_on_keepalive() and session.sa.remote == packet.source:
                self._endpoint.close(session, "a keepalive came")

    def keepalive_due(self, session: Session) -> float | None:
        """Give when a NAT in front of us forgets us unless we say something (RFC 3948, 4)."""
        established = session.sa.state is State.ESTABLISHED
        if not established or not self._decide.sends_keepalives(session.sa, session.keepalives):
            return None
        return session.spoke + KEEPALIVE_INTERVAL

    def keep_alive(self, session: Session) -> None:
        """Send a keepalive where one is due."""
        due = self.keepalive_due(session)
        if due is not None and due <= self._endpoint.now:
            session.keepalives += 1
            self._endpoint.send(session, keepalive_packet(session.sa.local, session.sa.remote))
