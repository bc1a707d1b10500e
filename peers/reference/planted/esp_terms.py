"""Planted faults: extended sequence numbers, padding for confidentiality and dummy packets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from peers.reference import ip
from peers.reference.child import ChildSa, ChildSeed, ChildTerms
from peers.reference.connection import Connection
from peers.reference.decisions import Decisions
from peers.reference.errors import IntegrityFailure, MalformedMessage, Replayed
from peers.reference.esp import (
    HEADER_SIZE,
    EspPacket,
    InboundSa,
    Recovery,
    ReplayWindow,
    covered,
)
from peers.reference.numbers import Esn, IpProtocol, TransformType
from peers.reference.payloads import SA, Proposal
from peers.reference.planted.catalogue import fault


@fault("knows-no-extended-numbers")
class KnowsNoExtendedNumbers(Decisions):
    """A proposal with extended sequence numbers alone is refused."""

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        chosen = super().choose(offered, acceptable)
        extended = chosen is not None and any(
            each.id == Esn.ESN for each in chosen.of(TransformType.ESN)
        )
        return None if extended else chosen


@fault("counts-extended-numbers-to-32-bits")
class CountsExtendedNumbersTo32Bits(Decisions):
    """The high half of extended sequence numbers is taken for 0 in every packet received."""

    def replay_window(self, connection: Connection) -> ReplayWindow:
        return _FirstSubspace(connection.replay_window)


class _FirstSubspace(ReplayWindow):
    def extend(self, low: int) -> int:
        return low


@fault("leaves-high-bits-out-of-icv")
class LeavesHighBitsOutOfIcv(Decisions):
    """A packet is taken as well whose ICV covers zeros in place of the high half (F68)."""

    def open_esp(self, child: ChildSa, octets: bytes) -> EspPacket:
        try:
            return super().open_esp(child, octets)
        except IntegrityFailure:
            if not child.inbound.extended:
                raise
            low = int.from_bytes(octets[4:HEADER_SIZE], "big")
            protection = child.inbound.protection
            associated, implicit = covered(protection, octets[:HEADER_SIZE], low)
            protection.open(associated, octets[HEADER_SIZE:], implicit)
            stray = InboundSa(child.inbound.spi, protection, _FirstSubspace(1 << 20), extended=True)
            return stray.open(octets)


@fault("stays-out-of-step")
class StaysOutOfStep(Decisions):
    """After a loss of 2^32 packets no higher value of the high half is ever tried."""

    def recovery(self) -> Recovery | None:
        return None


@fault("extended-window-ends-at-the-boundary")
class ExtendedWindowEndsAtTheBoundary(Decisions):
    """The window of extended numbers does not reach back into the subspace before."""

    def replay_window(self, connection: Connection) -> ReplayWindow:
        return _WithinSubspace(connection.replay_window)


class _WithinSubspace(ReplayWindow):
    def check(self, sequence: int) -> None:
        if sequence >> 32 < self.top >> 32:
            raise Replayed(f"sequence number {sequence} is of an earlier subspace")
        super().check(sequence)


@fault("chokes-on-tfc-padding")
class ChokesOnTfcPadding(Decisions):
    """A packet with octets between inner packet and padding is discarded."""

    def open_esp(self, child: ChildSa, octets: bytes) -> EspPacket:
        packet = super().open_esp(child, octets)
        if packet.tfc:
            raise MalformedMessage(HEADER_SIZE, "the payload is longer than the inner packet")
        return packet


@fault("sends-no-tfc-padding")
class SendsNoTfcPadding(Decisions):
    """Small packets are not padded, though that is configured."""

    def seal_esp(self, child: ChildSa, inner: ip.IpPacket, iv: bytes) -> bytes:
        return child.seal(inner, iv, tfc=b"")


@fault("pads-whom-it-must-not")
class PadsWhomItMustNot(Decisions):
    """TFC padding is sent to a side that said that it takes none."""

    def child(self, terms: ChildTerms, connection: Connection, seed: ChildSeed) -> ChildSa:
        return super().child(replace(terms, peer_accepts_tfc=True), connection, seed)


@fault("forgets-numbers-of-dummies")
class ForgetsNumbersOfDummies(Decisions):
    """The sequence number of a dummy packet does not count as received."""

    def open_esp(self, child: ChildSa, octets: bytes) -> EspPacket:
        inbound = child.inbound
        packet = InboundSa(inbound.spi, inbound.protection, None).open(octets)
        return packet if self.is_dummy(packet) else super().open_esp(child, octets)


@fault("delivers-any-next-header")
class DeliversAnyNextHeader(Decisions):
    """The payload is delivered as an inner packet whatever Next Header says."""

    def open_esp(self, child: ChildSa, octets: bytes) -> EspPacket:
        packet = super().open_esp(child, octets)
        return replace(packet, next_header=IpProtocol.IPV4)


@fault("inspects-no-padding")
class InspectsNoPadding(Decisions):
    """Padding other than 1, 2, 3, ... is taken."""

    def child(self, terms: ChildTerms, connection: Connection, seed: ChildSeed) -> ChildSa:
        child = super().child(terms, connection, seed)
        child.inbound.inspects_padding = False
        return child


@fault("takes-16-octets-of-padding-at-most")
class Takes16OctetsOfPaddingAtMost(Decisions):
    """A packet with more padding than alignment needs is discarded."""

    def open_esp(self, child: ChildSa, octets: bytes) -> EspPacket:
        packet = super().open_esp(child, octets)
        if len(packet.padding) > 16:
            raise MalformedMessage(HEADER_SIZE, f"{len(packet.padding)} octets of padding")
        return packet


@fault("delivers-number-zero")
class DeliversNumberZero(Decisions):
    """A packet with sequence number 0 is delivered."""

    def replay_window(self, connection: Connection) -> ReplayWindow:
        window = super().replay_window(connection)
        window._seen = 0
        return window


@fault("mends-pad-length")
class MendsPadLength(Decisions):
    """A packet whose Pad Length exceeds it is delivered as if it had no padding."""

    def open_esp(self, child: ChildSa, octets: bytes) -> EspPacket:
        try:
            return super().open_esp(child, octets)
        except MalformedMessage as problem:
            if "exceeds" not in problem.reason:
                raise
            protection = child.inbound.protection
            plain = protection.open(octets[:HEADER_SIZE], octets[HEADER_SIZE:])
            body = plain[: int.from_bytes(plain[2:4], "big")]
            sequence = int.from_bytes(octets[4:HEADER_SIZE], "big")
            return EspPacket(child.inbound.spi, sequence, IpProtocol(plain[-1]), body)


@fault("mends-truncated-packets")
class MendsTruncatedPackets(Decisions):
    """Octets that follow the ICV are cut off, and the packet is delivered."""

    def open_esp(self, child: ChildSa, octets: bytes) -> EspPacket:
        try:
            return super().open_esp(child, octets)
        except IntegrityFailure:
            return super().open_esp(child, octets[:-4])


@fault("garbles-what-comes-out-of-esp")
class GarblesWhatComesOutOfEsp(Decisions):
    """The last octet of every inner packet is inverted after decryption."""

    def open_esp(self, child: ChildSa, octets: bytes) -> EspPacket:
        packet = super().open_esp(child, octets)
        last = bytes([packet.payload[-1] ^ 0xFF])
        return replace(packet, payload=packet.payload[:-1] + last)


@fault("lets-the-counter-cycle")
class LetsTheCounterCycle(Decisions):
    """After the last sequence number an SA begins again with the first."""

    def is_used_up(self, child: ChildSa) -> bool:
        if super().is_used_up(child):
            child.outbound.sequence = 0
        return False


@fault("agrees-to-extended-numbers-without-anti-replay")
class AgreesToExtendedNumbersWithoutAntiReplay(Decisions):
    """What is offered and configured is chosen, whether there is a replay window or none."""

    def with_numbers_for(
        self, proposals: tuple[Proposal, ...], replay_window: int
    ) -> tuple[Proposal, ...]:
        return proposals

    def child(self, terms: ChildTerms, connection: Connection, seed: ChildSeed) -> ChildSa:
        window = connection.replay_window or 64
        return super().child(terms, replace(connection, replay_window=window), seed)
