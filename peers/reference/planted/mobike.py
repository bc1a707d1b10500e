"""Planted faults: addresses that change (RFC 4555)."""

from __future__ import annotations

from dataclasses import replace

from peers.reference.child import ChildSa
from peers.reference.decisions import Decisions
from peers.reference.events import Carrier, Endpoint, Packet
from peers.reference.message import Message
from peers.reference.mobike import Way, probe_answer
from peers.reference.nat import Detected
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import Notify
from peers.reference.planted.catalogue import fault
from peers.reference.sa import IkeSa


@fault("announces-no-mobike")
class AnnouncesNoMobike(Decisions):
    """IKE_AUTH messages of ours have no MOBIKE_SUPPORTED."""

    def edit(self, message: Message) -> Message:
        kept = (
            each
            for each in message.payloads
            if not isinstance(each, Notify) or each.notify_type != NotifyType.MOBIKE_SUPPORTED
        )
        return replace(message, payloads=tuple(kept))


@fault("minds-mobike-data")
class MindsMobikeData(Decisions):
    """MOBIKE_SUPPORTED with octets in it is not taken for MOBIKE_SUPPORTED."""

    def supports_mobike(self, message: Message) -> bool:
        said = message.find_notify(NotifyType.MOBIKE_SUPPORTED)
        return said is not None and not said.data


@fault("moves-by-no-update")
class MovesByNoUpdate(Decisions):
    """UPDATE_SA_ADDRESSES is answered, and changes nothing."""

    def moves(self, sa: IkeSa, request: Message) -> bool:
        return False


@fault("moves-silently")
class MovesSilently(Decisions):
    """An initiator that has another address does not tell the responder."""

    def tells_of_move(self) -> bool:
        return False


@fault("moves-ike-only")
class MovesIkeOnly(Decisions):
    """UPDATE_SA_ADDRESSES moves the IKE SA, and ESP goes where it went."""

    def __init__(self) -> None:
        self._first: dict[bytes, tuple[Endpoint, Endpoint]] = {}

    def esp_route(self, sa: IkeSa, child: ChildSa) -> tuple[Endpoint, Endpoint]:
        return self._first.setdefault(child.inbound.spi, super().esp_route(sa, child))


@fault("follows-without-update")
class FollowsWithoutUpdate(Decisions):
    """With MOBIKE, too, whoever sends an authenticated packet is followed to where it came from."""

    def follows(self, sa: IkeSa, packet: Packet) -> bool:
        return packet.carrier is Carrier.UDP


@fault("keeps-encapsulation")
class KeepsEncapsulation(Decisions):
    """NAT detection in an update is answered, and ESP keeps the form that it has."""

    def __init__(self) -> None:
        self._first: Detected | None = None

    def detects(self, message: Message, source: Endpoint, destination: Endpoint) -> Detected:
        self._first = self._first or super().detects(message, source, destination)
        return self._first


@fault("forgets-mobike-on-rekey")
class ForgetsMobikeOnRekey(Decisions):
    """MOBIKE is not used any more by the IKE SA that a rekey made."""

    def inherits_mobility(self) -> bool:
        return False


@fault("takes-child-address-from-packet")
class TakesChildAddressFromPacket(Decisions):
    """A Child SA goes where the request for it came from, not where its IKE SA goes."""

    def __init__(self) -> None:
        self._asked: tuple[Endpoint, Endpoint] | None = None
        self._ways: dict[bytes, tuple[Endpoint, Endpoint]] = {}

    def response_route(self, sa: IkeSa, packet: Packet) -> tuple[Endpoint, Endpoint]:
        self._asked = super().response_route(sa, packet)
        return self._asked

    def esp_route(self, sa: IkeSa, child: ChildSa) -> tuple[Endpoint, Endpoint]:
        way = self._asked or super().esp_route(sa, child)
        return self._ways.setdefault(child.inbound.spi, way)


@fault("copies-no-cookie2")
class CopiesNoCookie2(Decisions):
    """A response has no COOKIE2 although the request has one."""

    def answer_to_mobility(self, sa: IkeSa, request: Message, way: Way) -> tuple[Notify, ...]:
        return probe_answer(sa, request, way)


@fault("copies-cookie2-of-updates-only")
class CopiesCookie2OfUpdatesOnly(Decisions):
    """COOKIE2 is copied where NAT detection is answered, too, and nowhere else."""

    def answer_to_mobility(self, sa: IkeSa, request: Message, way: Way) -> tuple[Notify, ...]:
        detection = probe_answer(sa, request, way)
        return super().answer_to_mobility(sa, request, way) if detection else ()


@fault("cuts-cookie2")
class CutsCookie2(Decisions):
    """COOKIE2 is copied up to its 32nd octet."""

    def answer_to_mobility(self, sa: IkeSa, request: Message, way: Way) -> tuple[Notify, ...]:
        answer = super().answer_to_mobility(sa, request, way)
        return tuple(replace(each, data=each.data[:32]) for each in answer)


@fault("accepts-any-cookie2")
class AcceptsAnyCookie2(Decisions):
    """A response with another COOKIE2 than that of the request is taken up."""

    def cookie_comes_back(self, request: Message, response: Message) -> bool:
        return True


@fault("checks-no-route")
class ChecksNoRoute(Decisions):
    """Nobody asks whether the peer hears us at the address that it says it has."""

    def checks_route(self, sa: IkeSa) -> bool:
        return False


@fault("moves-esp-before-check")
class MovesEspBeforeCheck(Decisions):
    """ESP goes to a new address before the peer has shown that it hears us there."""

    def waits_for_check(self, sa: IkeSa) -> bool:
        return False


@fault("answers-no-nat-detection")
class AnswersNoNatDetection(Decisions):
    """NAT detection in an INFORMATIONAL request is not answered."""

    def answer_to_mobility(self, sa: IkeSa, request: Message, way: Way) -> tuple[Notify, ...]:
        kept = super().answer_to_mobility(sa, request, way)
        return tuple(each for each in kept if each.notify_type == NotifyType.COOKIE2)


@fault("answers-nat-detection-for-old-way")
class AnswersNatDetectionForOldWay(Decisions):
    """NAT detection is answered with hashes of the IKE SA's addresses, not of the packet's."""

    def answer_to_mobility(self, sa: IkeSa, request: Message, way: Way) -> tuple[Notify, ...]:
        return super().answer_to_mobility(sa, request, (sa.local, sa.remote))


@fault("allows-nats")
class AllowsNats(Decisions):
    """NO_NATS_ALLOWED is not compared with the addresses of the packet."""

    def allows_way(self, request: Message, source: Endpoint, destination: Endpoint) -> bool:
        return True


@fault("closes-on-address-list")
class ClosesOnAddressList(Decisions):
    """A list of the peer's other addresses is taken for the end of the IKE SA."""

    def deletes_ike_sa(self, request: Message) -> bool:
        lists = {
            NotifyType.ADDITIONAL_IP4_ADDRESS,
            NotifyType.ADDITIONAL_IP6_ADDRESS,
            NotifyType.NO_ADDITIONAL_ADDRESSES,
        }
        informs = request.exchange == ExchangeType.INFORMATIONAL
        return super().deletes_ike_sa(request) or (informs and bool(lists & set(request.notifies)))


@fault("answers-update-where-it-was")
class AnswersUpdateWhereItWas(Decisions):
    """The response to an update goes to the address that the peer has left."""

    def response_route(self, sa: IkeSa, packet: Packet) -> tuple[Endpoint, Endpoint]:
        if sa.mobility is not None and sa.mobility.esp is not None:
            return sa.mobility.esp[0]
        return super().response_route(sa, packet)
