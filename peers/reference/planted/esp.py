"""Planted faults: eSP (RFC 4303; RFC 4301, 5.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from peers.reference import ip
from peers.reference.child import ChildSa, first_host
from peers.reference.connection import Connection, Mode
from peers.reference.decisions import Decisions
from peers.reference.errors import IntegrityFailure, PeerError
from peers.reference.esp import HEADER_SIZE, EspPacket, InboundSa, ReplayWindow
from peers.reference.numbers import IpProtocol
from peers.reference.planted.catalogue import fault

ETHERNET = 1480
"""Octets that follow the IP header in a frame."""


@fault("has-tunnels-of-one-ip-version")
class HasTunnelsOfOneIpVersion(Decisions):
    """What comes out of a tunnel has to be of the IP version outside (RFC 4303, 3.1.2)."""

    def admits(self, child: ChildSa, inner: ip.IpPacket) -> bool:
        return super().admits(child, inner) and inner.source.version == child.local.version


@fault("starts-esp-at-zero")
class StartsEspAtZero(Decisions):
    """The first ESP packet of an SA has sequence number 0."""

    def seal_esp(self, child: ChildSa, inner: ip.IpPacket, iv: bytes) -> bytes:
        child.outbound.sequence += 1
        return child.seal(inner, iv, sequence=child.outbound.sequence - 1)


@fault("pads-esp-with-zeros")
class PadsEspWithZeros(Decisions):
    """The padding of ESP packets is zeros instead of 1, 2, 3, ..."""

    def seal_esp(self, child: ChildSa, inner: ip.IpPacket, iv: bytes) -> bytes:
        return child.seal(inner, iv, padding=lambda size: bytes(size))


@fault("leaves-esp-trailers-unaligned")
class LeavesEspTrailersUnaligned(Decisions):
    """An ESP packet has one octet of padding more than aligns it, where the cipher allows that."""

    def seal_esp(self, child: ChildSa, inner: ip.IpPacket, iv: bytes) -> bytes:
        more = 1 if child.outbound.protection.block_size == 1 else 0
        return child.seal(inner, iv, padding=lambda size: bytes(range(1, size + more + 1)))


@fault("names-another-next-header")
class NamesAnotherNextHeader(Decisions):
    """Next Header of ESP packets is 4 for IPv6 and 41 for IPv4, in transport mode 17."""

    def seal_esp(self, child: ChildSa, inner: ip.IpPacket, iv: bytes) -> bytes:
        others = {IpProtocol.IPV4: IpProtocol.IPV6, IpProtocol.IPV6: IpProtocol.IPV4}
        right, payload = child.payload(inner)
        return child.outbound.seal(others.get(IpProtocol(right), IpProtocol.UDP), payload, iv)


@fault("authenticates-the-plaintext-too")
class AuthenticatesThePlaintextToo(Decisions):
    """With separate algorithms the ICV covers the plaintext besides what it is to cover."""

    def seal_esp(self, child: ChildSa, inner: ip.IpPacket, iv: bytes) -> bytes:
        octets = super().seal_esp(child, inner, iv)
        protection, header = child.outbound.protection, octets[:HEADER_SIZE]
        if protection.combined:
            return octets
        plaintext = protection.open(header, octets[HEADER_SIZE:])
        return header + protection.seal(header + plaintext, plaintext, iv)


@fault("counts-esp-by-two")
class CountsEspByTwo(Decisions):
    """The sequence number of ESP packets rises by two."""

    def seal_esp(self, child: ChildSa, inner: ip.IpPacket, iv: bytes) -> bytes:
        octets = super().seal_esp(child, inner, iv)
        child.outbound.sequence += 1
        return octets


@fault("checks-no-icv")
class ChecksNoIcv(Decisions):
    """An ESP packet in which one bit was changed is delivered as if it were whole."""

    def open_esp(self, child: ChildSa, octets: bytes) -> EspPacket:
        try:
            return super().open_esp(child, octets)
        except IntegrityFailure:
            return self._mended(child, octets)

    def _mended(self, child: ChildSa, octets: bytes) -> EspPacket:
        for at in range(4, len(octets)):
            for bit in range(8):
                changed = bytearray(octets)
                changed[at] ^= 1 << bit
                try:
                    return super().open_esp(child, bytes(changed))
                except PeerError:
                    continue
        raise IntegrityFailure("more than one bit was changed")


@fault("compares-esp-icv-short")
class ComparesEspIcvShort(Decisions):
    """The last octet of an ESP packet's ICV is not compared."""

    def open_esp(self, child: ChildSa, octets: bytes) -> EspPacket:
        for last in range(256):
            try:
                return super().open_esp(child, octets[:-1] + bytes([last]))
            except IntegrityFailure:
                continue
        raise IntegrityFailure("the ICV is wrong before its last octet")


@fault("delivers-replayed-esp")
class DeliversReplayedEsp(Decisions):
    """An ESP packet is delivered as often as it arrives."""

    def open_esp(self, child: ChildSa, octets: bytes) -> EspPacket:
        return _without_window(child).open(octets)


def _without_window(child: ChildSa) -> InboundSa:
    return InboundSa(child.inbound.spi, child.inbound.protection, None)


@fault("window-one-packet-too-wide")
class WindowOnePacketTooWide(Decisions):
    """The replay window reaches one packet further to the left than configured."""

    def replay_window(self, connection: Connection) -> ReplayWindow:
        return ReplayWindow(connection.replay_window + 1)


@fault("window-one-packet-too-narrow")
class WindowOnePacketTooNarrow(Decisions):
    """The replay window ends one packet before its left edge."""

    def replay_window(self, connection: Connection) -> ReplayWindow:
        return ReplayWindow(connection.replay_window - 1)


@fault("moves-window-before-icv")
class MovesWindowBeforeIcv(Decisions):
    """A packet moves the replay window before its integrity has been checked."""

    def open_esp(self, child: ChildSa, octets: bytes) -> EspPacket:
        sequence = int.from_bytes(octets[4:8], "big")
        window = child.inbound.window
        assert window is not None
        window.check(sequence)
        window.advance(sequence)
        return _without_window(child).open(octets)


@fault("looks-no-spi-up")
class LooksNoSpiUp(Decisions):
    """An ESP packet with an unknown SPI is given to the newest Child SA."""

    def esp_child(self, children: Sequence[ChildSa], spi: bytes) -> ChildSa | None:
        return super().esp_child(children, spi) or (children[-1] if children else None)

    def open_esp(self, child: ChildSa, octets: bytes) -> EspPacket:
        if octets[:4] == child.inbound.spi:
            return super().open_esp(child, octets)
        stray = InboundSa(octets[:4], child.inbound.protection, None)
        return stray.open(octets)


@fault("ignores-selectors-of-inbound-packets")
class IgnoresSelectorsOfInboundPackets(Decisions):
    """An inner packet is delivered, and answered, whatever its addresses are."""

    def admits(self, child: ChildSa, inner: ip.IpPacket) -> bool:
        return True

    def sends_on(self, children: Sequence[ChildSa], inner: ip.IpPacket) -> ChildSa | None:
        return children[-1] if children else None


@fault("admits-first-host-only")
class AdmitsFirstHostOnly(Decisions):
    """Only the first host of a network of the selectors is allowed to speak."""

    def admits(self, child: ChildSa, inner: ip.IpPacket) -> bool:
        return inner.source == first_host(child.terms.remote_selectors)


@fault("sends-esp-of-spi-zero")
class SendsEspOfSpiZero(Decisions):
    """ESP packets have SPI 0."""

    def seal_esp(self, child: ChildSa, inner: ip.IpPacket, iv: bytes) -> bytes:
        return bytes(4) + super().seal_esp(child, inner, iv)[4:]


@fault("takes-no-fragments-in-tunnels")
class TakesNoFragmentsInTunnels(Decisions):
    """A fragment that comes out of a tunnel is dropped (RFC 4303, 3.3.4)."""

    def admits(self, child: ChildSa, inner: ip.IpPacket) -> bool:
        return super().admits(child, inner) and not inner.is_fragment


@fault("takes-no-esp-that-came-in-fragments")
class TakesNoEspThatCameInFragments(Decisions):
    """ESP that no Ethernet frame holds is dropped: it came in fragments (RFC 4303, 3.3.4)."""

    def open_esp(self, child: ChildSa, octets: bytes) -> EspPacket:
        if len(octets) > ETHERNET:
            raise PeerError(f"{len(octets)} octets of ESP")
        return super().open_esp(child, octets)


@fault("clears-fragment-flags")
class ClearsFragmentFlags(Decisions):
    """Fragments that go into a tunnel lose their flags and offsets (RFC 4303, 3.3.4)."""

    def parts_of(self, inner: ip.IpPacket, mode: Mode) -> Sequence[ip.IpPacket]:
        return [replace(part, fragmentation=0) for part in super().parts_of(inner, mode)]


@fault("lets-clear-traffic-in")
class LetsClearTrafficIn(Decisions):
    """A packet in the clear is taken as if it had come through the SA (RFC 4301, 5.2)."""

    def lets_clear_traffic_in(self) -> bool:
        return True
