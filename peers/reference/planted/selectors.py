"""Planted faults: traffic selectors and Child SAs that replace others (RFC 7296, 2.8 and 2.9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from peers.reference import ip
from peers.reference.child import USE_TRANSPORT_MODE, ChildSa, first_host
from peers.reference.connection import ChildPolicy, Mode
from peers.reference.decisions import Decisions
from peers.reference.message import Message
from peers.reference.negotiation import selector, within
from peers.reference.numbers import IpProtocol, NotifyType
from peers.reference.payloads import TrafficSelector, TSi, TSr
from peers.reference.planted.catalogue import fault
from peers.reference.states import State
from peers.reference.substructures import UnknownSelector
from peers.reference.traffic_selectors import ANY_PORT, OPAQUE


@fault("refuses-less-than-it-is-configured-for")
class RefusesLessThanItIsConfiguredFor(Decisions):
    """Selectors within those of the policy are refused, unless they are all of it."""

    def narrow(
        self, offered: Sequence[TrafficSelector], allowed: Sequence[TrafficSelector]
    ) -> tuple[TrafficSelector, ...]:
        return super().narrow(offered, allowed) if within(allowed, offered) else ()


@fault("narrows-to-the-last-selector")
class NarrowsToTheLastSelector(Decisions):
    """Of several selectors that are offered only the last one is kept."""

    def narrow(
        self, offered: Sequence[TrafficSelector], allowed: Sequence[TrafficSelector]
    ) -> tuple[TrafficSelector, ...]:
        return super().narrow(offered, allowed)[-1:]


@fault("refuses-unknown-selector-types")
class RefusesUnknownSelectorTypes(Decisions):
    """A message with a selector of an unknown type is dropped."""

    def objection(self, message: Message) -> str:
        payloads = (*message.all(TSi), *message.all(TSr))
        strange = any(len(each.ranges) < len(each.selectors) for each in payloads)
        return "a selector of an unknown type" if strange else super().objection(message)


@fault("wants-single-pairs-of-wide-offers")
class WantsSinglePairsOfWideOffers(Decisions):
    """An offer that would be narrowed is answered with SINGLE_PAIR_REQUIRED."""

    def wants_single_pair(
        self,
        policy: ChildPolicy,
        asked: Sequence[TrafficSelector],
        narrowed: Sequence[TrafficSelector],
    ) -> bool:
        return not within(asked, narrowed)


@fault("narrows-on-rekey")
class NarrowsOnRekey(Decisions):
    """Who asks to rekey a Child SA is granted its first host only."""

    _rekeyed = False

    def objection(self, message: Message) -> str:
        self._rekeyed = NotifyType.REKEY_SA in message.notifies
        return super().objection(message)

    def narrow(
        self, offered: Sequence[TrafficSelector], allowed: Sequence[TrafficSelector]
    ) -> tuple[TrafficSelector, ...]:
        narrowed = super().narrow(offered, allowed)
        return _one_host(narrowed) if self._rekeyed and narrowed else narrowed


@fault("asks-for-less-on-rekey")
class AsksForLessOnRekey(Decisions):
    """A request of ours that rekeys a Child SA offers its first hosts only."""

    def edit(self, message: Message) -> Message:
        if message.response or NotifyType.REKEY_SA not in message.notifies:
            return message
        for kind in (TSi, TSr):
            message = message.replacing(kind(_one_host(message.get(kind).ranges)))
        return message


def _one_host(selectors: Sequence[TrafficSelector]) -> tuple[TrafficSelector, ...]:
    host = first_host(selectors)
    return (replace(selectors[0], start_address=host, end_address=host),)


@fault("uses-transport-mode-that-it-declined")
class UsesTransportModeThatItDeclined(Decisions):
    """Transport mode is used where it was asked for, declined, and is not configured."""

    _declined = False

    def mode(self, policy: ChildPolicy, request: Message) -> Mode | None:
        asked = NotifyType.USE_TRANSPORT_MODE in request.notifies
        if not request.response and policy.mode is Mode.TUNNEL and asked:
            self._declined = True
            return Mode.TRANSPORT
        return super().mode(policy, request)

    def edit(self, message: Message) -> Message:
        if not self._declined or not message.response:
            return message
        kept = tuple(each for each in message.payloads if each != USE_TRANSPORT_MODE)
        return replace(message, payloads=kept)


@fault("drops-first-packet-of-a-child", fundamental=True)
class DropsFirstPacketOfAChild(Decisions):
    """The first packet on a Child SA is dropped, as if it were not installed yet."""

    def __init__(self) -> None:
        self._used: list[ChildSa] = []

    def admits(self, child: ChildSa, inner: ip.IpPacket) -> bool:
        first = not any(child is each for each in self._used)
        if first:
            self._used.append(child)
        return not first and super().admits(child, inner)


@fault("closes-child-with-the-same-selectors")
class ClosesChildWithTheSameSelectors(Decisions):
    """A Child SA is used no more when another one is made for the same traffic."""

    def esp_child(self, children: Sequence[ChildSa], spi: bytes) -> ChildSa | None:
        child = super().esp_child(children, spi)
        if child is None:
            return None
        newest = [each for each in children if _ends(each) == _ends(child)][-1]
        return child if child is newest or newest.replaces is child else None


def _ends(child: ChildSa) -> tuple[Sequence[TrafficSelector], ...]:
    return child.terms.local_selectors, child.terms.remote_selectors


@fault("asks-on-the-replaced-ike-sa")
class AsksOnTheReplacedIkeSa(Decisions):
    """Exchanges are started on an IKE SA that was replaced and is not deleted yet."""

    def may_start(self, state: State) -> bool:
        return state in (State.ESTABLISHED, State.REPLACED)


@fault("writes-opaque-ports-as-any")
class WritesOpaquePortsAsAny(Decisions):
    """Ports that are OPAQUE are written as all ports."""

    def edit(self, message: Message) -> Message:
        for kind in (TSi, TSr):
            if message.has(kind):
                payload = message.get(kind)
                written = tuple(_any_for_opaque(each) for each in payload.selectors)
                message = message.replacing(replace(payload, selectors=written))
        return message


def _any_for_opaque(entry: TrafficSelector | UnknownSelector) -> TrafficSelector | UnknownSelector:
    if isinstance(entry, UnknownSelector) or (entry.start_port, entry.end_port) != OPAQUE:
        return entry
    return replace(entry, start_port=ANY_PORT[0], end_port=ANY_PORT[1])


@fault("forgets-the-packet-that-it-begins-for")
class ForgetsThePacketThatItBeginsFor(Decisions):
    """The selectors of an offer are those of the policy, whatever packet it is made for."""

    def put_first(self, because_of: ip.IpPacket | None) -> ip.IpPacket | None:
        return None


@fault("puts-a-packet-first-in-rekeys")
class PutsAPacketFirstInRekeys(Decisions):
    """A request to rekey a Child SA begins with the selectors of one packet."""

    def edit(self, message: Message) -> Message:
        if message.response or NotifyType.REKEY_SA not in message.notifies:
            return message
        tsi, tsr = message.get(TSi), message.get(TSr)
        message = message.replacing(TSi((_first_host_of(tsi), *tsi.selectors)))
        return message.replacing(TSr((_first_host_of(tsr), *tsr.selectors)))


def _first_host_of(payload: TSi | TSr) -> TrafficSelector:
    first = payload.ranges[0]
    return selector(first.start_address, first.start_address, IpProtocol.ICMP)
