"""Planted faults: Child SAs made and replaced later (RFC 7296, 1.3, 2.8 and 2.17)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from peers.reference import ip
from peers.reference.child import ChildSa, ChildSeed, ChildTerms, without_key_exchange
from peers.reference.connection import Connection
from peers.reference.decisions import Decisions
from peers.reference.message import Message
from peers.reference.negotiation import offered_groups
from peers.reference.numbers import (
    Encr,
    ExchangeType,
    KeyExchangeMethod,
    NotifyType,
    ProtocolId,
    TransformType,
)
from peers.reference.payloads import KE, SA, Delete, Nonce, Notify, Proposal, Transform, TSi
from peers.reference.planted.catalogue import fault
from peers.reference.sa import IkeSa


def asks_for_child(message: Message) -> bool:
    """Say whether this is a CREATE_CHILD_SA request of ours for a Child SA."""
    exchange = message.exchange == ExchangeType.CREATE_CHILD_SA
    return exchange and not message.response and message.has(TSi)


@fault("leaves-key-exchange-out-of-child-keys")
class LeavesKeyExchangeOutOfChildKeys(Decisions):
    """KEYMAT of a Child SA is made of the nonces alone though there was a key exchange."""

    def child(self, terms: ChildTerms, connection: Connection, seed: ChildSeed) -> ChildSa:
        return super().child(terms, connection, replace(seed, shared=b""))


@fault("sends-child-ke-of-another-group")
class SendsChildKeOfAnotherGroup(Decisions):
    """KEi of a Child SA is of a group that its own offer does not have (F22)."""

    def edit(self, message: Message) -> Message:
        if not asks_for_child(message) or not message.has(KE):
            return message
        return message.replacing(KE(KeyExchangeMethod.MODP_2048, bytes(255) + b"\x02"))


@fault("takes-child-without-key-exchange")
class TakesChildWithoutKeyExchange(Decisions):
    """An offer without a key exchange is granted though the configuration asks for one (F23)."""

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        chosen = super().choose(offered, acceptable)
        if chosen or offered.proposals[0].protocol != ProtocolId.ESP:
            return chosen
        return super().choose(offered, without_key_exchange(acceptable))


@fault("gives-up-child-after-invalid-ke")
class GivesUpChildAfterInvalidKe(Decisions):
    """INVALID_KE_PAYLOAD ends the attempt at a Child SA, or at another IKE SA (F21)."""

    def follows_group(self, request: Message, group: int) -> bool:
        return not request.protected and super().follows_group(request, group)


@fault("follows-any-group-for-child")
class FollowsAnyGroupForChild(Decisions):
    """INVALID_KE_PAYLOAD is obeyed in CREATE_CHILD_SA though that group was not offered."""

    def follows_group(self, request: Message, group: int) -> bool:
        return request.protected or super().follows_group(request, group)


@fault("narrows-child-offer-on-retry")
class NarrowsChildOfferOnRetry(Decisions):
    """A Child SA that is asked for again with another group is offered with that group alone."""

    def edit(self, message: Message) -> Message:
        if not asks_for_child(message) or not message.has(KE):
            return message
        group = KeyExchangeMethod(message.get(KE).group)
        if group == offered_groups(message.get(SA))[0]:
            return message
        offer = tuple(_with_only(proposal, group) for proposal in message.get(SA).proposals)
        return message.replacing(SA(offer))


def _with_only(proposal: Proposal, group: KeyExchangeMethod) -> Proposal:
    kept = (t for t in proposal.transforms if t.type != TransformType.KE or t.id == group)
    return replace(proposal, transforms=tuple(kept))


@fault("offers-no-key-exchange-for-ike-sa")
class OffersNoKeyExchangeForIkeSa(Decisions):
    """A rekey of the IKE SA also offers the group NONE."""

    def edit(self, message: Message) -> Message:
        exchange = message.exchange == ExchangeType.CREATE_CHILD_SA
        if not exchange or message.response or message.has(TSi):
            return message
        none = Transform(TransformType.KE, KeyExchangeMethod.NONE)
        offer = tuple(
            replace(proposal, transforms=(*proposal.transforms, none))
            for proposal in message.get(SA).proposals
        )
        return message.replacing(SA(offer))


@fault("sends-on-first-child")
class SendsOnFirstChild(Decisions):
    """Traffic leaves by the first Child SA, whichever it is for."""

    def sends_on(self, children: Sequence[ChildSa], inner: ip.IpPacket) -> ChildSa | None:
        return children[0] if children else None


@fault("names-old-child-in-new-request")
class NamesOldChildInNewRequest(Decisions):
    """A request for one more Child SA carries REKEY_SA."""

    def edit(self, message: Message) -> Message:
        if not asks_for_child(message) or NotifyType.REKEY_SA in message.notifies:
            return message
        rekey = Notify(NotifyType.REKEY_SA, b"", ProtocolId.ESP, bytes(4))
        return replace(message, payloads=(rekey, *message.payloads))


@fault("deletes-all-children")
class DeletesAllChildren(Decisions):
    """A Delete of one Child SA closes all of the IKE SA's."""

    def deletes_child(self, sa: IkeSa, delete: Delete) -> tuple[ChildSa, ...]:
        return tuple(sa.children) if super().deletes_child(sa, delete) else ()


@fault("rekeys-another-child")
class RekeysAnotherChild(Decisions):
    """REKEY_SA names the Child SA that was made last, not the one that is replaced."""

    _last: ChildSa | None = None

    def child(self, terms: ChildTerms, connection: Connection, seed: ChildSeed) -> ChildSa:
        self._last = super().child(terms, connection, seed)
        return self._last

    def rekeyed_spi(self, child: ChildSa) -> bytes:
        return super().rekeyed_spi(self._last or child)


@fault("ends-ike-sa-without-further-child")
class EndsIkeSaWithoutFurtherChild(Decisions):
    """NO_ADDITIONAL_SAS makes the initiator give up the IKE SA."""

    def outlives(self, refusal: Message) -> bool:
        return NotifyType.NO_ADDITIONAL_SAS not in refusal.notifies


@fault("grants-ike-rekey-without-key-exchange")
class GrantsIkeRekeyWithoutKeyExchange(Decisions):
    """A rekey of the IKE SA with the group NONE gets the answer that a Child SA would."""

    def edit(self, message: Message) -> Message:
        exchange = message.exchange == ExchangeType.CREATE_CHILD_SA and message.response
        if not exchange or NotifyType.NO_PROPOSAL_CHOSEN not in message.notifies or not self._ike:
            return message
        chosen = replace(self._ike, spi=b"\x01" * 8)
        return replace(message, payloads=(SA((chosen,)), Nonce(bytes(32))))

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        of_ike = offered.proposals[0].protocol == ProtocolId.IKE
        self._ike = offered.proposals[0] if of_ike else None
        return super().choose(offered, acceptable)

    _ike: Proposal | None = None


@fault("grants-child-without-protection")
class GrantsChildWithoutProtection(Decisions):
    """A Child SA with neither encryption nor integrity is granted: nobody has a look at it."""

    def __init__(self) -> None:
        self._asked: Message | None = None

    def objection(self, message: Message) -> str:
        if message.exchange == ExchangeType.CREATE_CHILD_SA and not message.response:
            self._asked = message
        return super().objection(message)

    def edit(self, message: Message) -> Message:
        refused = NotifyType.NO_PROPOSAL_CHOSEN in message.notifies
        if self._asked is None or not refused or not _protects_nothing(self._asked):
            return message
        granted = tuple(each for each in self._asked.payloads if not isinstance(each, Notify))
        return replace(message, payloads=granted)


def _protects_nothing(request: Message) -> bool:
    return all(
        [each.id for each in proposal.of(TransformType.ENCR)] == [Encr.ENCR_NULL]
        and not any(each.id for each in proposal.of(TransformType.INTEG))
        for proposal in request.get(SA).proposals
    )
