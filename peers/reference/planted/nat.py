"""Planted faults: NAT traversal (RFC 7296, 2.23; RFC 3948)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from peers.reference.child import ChildSa
from peers.reference.decisions import Decisions
from peers.reference.events import Carrier, Endpoint, Packet
from peers.reference.ip import IpPacket
from peers.reference.message import Message
from peers.reference.nat import NOT_DETECTED, Detected, Localized, detection_payloads, is_detection
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import TrafficSelector, TSi
from peers.reference.planted.catalogue import fault
from peers.reference.sa import NO_SPI, IkeSa


@fault("sends-no-nat-detection")
class SendsNoNatDetection(Decisions):
    """IKE_SA_INIT messages of ours have no NAT detection notifies."""

    def edit(self, message: Message) -> Message:
        kept = tuple(payload for payload in message.payloads if not is_detection(payload))
        return replace(message, payloads=kept)


@fault("hashes-zero-responder-spi")
class HashesZeroResponderSpi(Decisions):
    """The NAT detection hashes of a response are made with a responder SPI of zero."""

    def __init__(self) -> None:
        self._ends: tuple[Endpoint, Endpoint] | None = None

    def detects(self, message: Message, source: Endpoint, destination: Endpoint) -> Detected:
        self._ends = destination, source
        return super().detects(message, source, destination)

    def edit(self, message: Message) -> Message:
        if message.exchange != ExchangeType.IKE_SA_INIT or not message.response or not self._ends:
            return message
        wrong = iter(detection_payloads((message.spi_i, NO_SPI), *self._ends))
        payloads = (next(wrong) if is_detection(each) else each for each in message.payloads)
        return replace(message, payloads=tuple(payloads))


@fault("puts-nat-detection-last")
class PutsNatDetectionLast(Decisions):
    """The NAT detection notifies stand in front of the SA payload."""

    def edit(self, message: Message) -> Message:
        hashes = tuple(payload for payload in message.payloads if is_detection(payload))
        others = tuple(payload for payload in message.payloads if not is_detection(payload))
        return replace(message, payloads=(*hashes, *others))


@fault("detects-no-nat")
class DetectsNoNat(Decisions):
    """NAT detection notifies are not compared with anything."""

    def detects(self, message: Message, source: Endpoint, destination: Endpoint) -> Detected:
        return NOT_DETECTED


@fault("stays-on-port-500")
class StaysOnPort500(Decisions):
    """An initiator that finds a NAT goes on on port 500."""

    def floats(self, sa: IkeSa) -> bool:
        return False


@fault("sends-plain-esp-through-nat")
class SendsPlainEspThroughNat(Decisions):
    """ESP is not encapsulated in UDP although there is a NAT."""

    def encapsulates(self, sa: IkeSa) -> bool:
        return False


@fault("wants-plain-esp")
class WantsPlainEsp(Decisions):
    """ESP in UDP is discarded unless a NAT was detected."""

    def takes_form(self, sa: IkeSa, packet: Packet) -> bool:
        return packet.carrier is Carrier.ESP or sa.traverses_nat


@fault("wants-esp-in-udp")
class WantsEspInUdp(Decisions):
    """Plain ESP is discarded where a NAT was detected."""

    def takes_form(self, sa: IkeSa, packet: Packet) -> bool:
        return packet.carrier is Carrier.UDP or not sa.traverses_nat


@fault("answers-to-first-port")
class AnswersToFirstPort(Decisions):
    """Responses go to where the IKE SA was started from, whatever port a request comes from."""

    bug = "F39"

    def __init__(self) -> None:
        self._first: dict[bytes, tuple[Endpoint, Endpoint]] = {}

    def response_route(self, sa: IkeSa, packet: Packet) -> tuple[Endpoint, Endpoint]:
        return self._first.setdefault(sa.spi_i, super().response_route(sa, packet))


@fault("follows-with-ike-only")
class FollowsWithIkeOnly(Decisions):
    """When a NAT gives a peer another port, IKE follows it and ESP does not."""

    bug = "F40"

    def __init__(self) -> None:
        self._first: dict[bytes, tuple[Endpoint, Endpoint]] = {}

    def esp_route(self, sa: IkeSa, child: ChildSa) -> tuple[Endpoint, Endpoint]:
        return self._first.setdefault(child.inbound.spi, super().esp_route(sa, child))


@fault("follows-nobody")
class FollowsNobody(Decisions):
    """A peer whose NAT gives it another port is spoken to at the old one."""

    def follows(self, sa: IkeSa, packet: Packet) -> bool:
        return sa.remote.port == 500 or packet.source.port == 4500


@fault("follows-behind-nat")
class FollowsBehindNat(Decisions):
    """A host that is itself behind a NAT goes where any authenticated packet came from."""

    def follows(self, sa: IkeSa, packet: Packet) -> bool:
        return True


@fault("follows-keepalives")
class FollowsKeepalives(Decisions):
    """A keepalive, which nobody can authenticate, tells where the peer is."""

    def believes_keepalive(self) -> bool:
        return True


@fault("closes-on-keepalive")
class ClosesOnKeepalive(Decisions):
    """A keepalive ends the IKE SA that it comes over."""

    def closes_on_keepalive(self) -> bool:
        return True


@fault("takes-keepalives-for-life")
class TakesKeepalivesForLife(Decisions):
    """A peer that answers nothing is not given up as long as keepalives come from its address."""

    def keepalive_shows_life(self) -> bool:
        return True


@fault("sends-no-keepalives")
class SendsNoKeepalives(Decisions):
    """A NAT in front of us is left to forget us."""

    def sends_keepalives(self, sa: IkeSa, before: int) -> bool:
        return False


@fault("sends-one-keepalive")
class SendsOneKeepalive(Decisions):
    """After the first keepalive a NAT in front of us is left to forget us."""

    def sends_keepalives(self, sa: IkeSa, before: int) -> bool:
        return super().sends_keepalives(sa, before) and not before


@fault("takes-inner-address-for-selector")
class TakesInnerAddressForSelector(Decisions):
    """Transport mode selectors are taken as they come, with the address behind the NAT."""

    def localize(
        self, sa: IkeSa, tsi: Sequence[TrafficSelector], tsr: Sequence[TrafficSelector]
    ) -> Localized:
        return Localized(tuple(tsi), tuple(tsr))


@fault("mends-no-checksum")
class MendsNoChecksum(Decisions):
    """Checksums of transport mode are left to cover the addresses behind the NAT."""

    def localize(
        self, sa: IkeSa, tsi: Sequence[TrafficSelector], tsr: Sequence[TrafficSelector]
    ) -> Localized:
        return replace(super().localize(sa, tsi, tsr), original=None)


@fault("asks-for-two-addresses-in-transport-mode")
class AsksForTwoAddressesInTransportMode(Decisions):
    """Our request for a Child SA in transport mode has the next address in TSi, too."""

    def edit(self, message: Message) -> Message:
        asks = message.exchange == ExchangeType.IKE_AUTH and not message.response
        if not asks or NotifyType.USE_TRANSPORT_MODE not in message.notifies:
            return message
        ranges = tuple(
            replace(each, end_address=each.end_address + 1) for each in message.get(TSi).ranges
        )
        return message.replacing(TSi(ranges))


@fault("answers-the-newest-peer")
class AnswersTheNewestPeer(Decisions):
    """Answers go to the newest peer that has the address, whoever asked (RFC 3948, 5)."""

    def way_back(self, own: Sequence[ChildSa], everybodys: Sequence[ChildSa]) -> Sequence[ChildSa]:
        return everybodys


@fault("looks-at-no-tcp-checksum")
class LooksAtNoTcpChecksum(Decisions):
    """A TCP segment is delivered whatever its checksum: ESP's ICV is thought to be enough."""

    def checksum_is_right(self, inner: IpPacket) -> bool:
        return True


@fault("finds-every-tcp-checksum-wrong")
class FindsEveryTcpChecksumWrong(Decisions):
    """No TCP segment is delivered that came through ESP."""

    def checksum_is_right(self, inner: IpPacket) -> bool:
        return False
