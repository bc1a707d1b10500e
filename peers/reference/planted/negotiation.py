"""Planted faults: negotiation (RFC 7296, 1.2, 1.3 and 2.7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from peers.reference.child import USE_TRANSPORT_MODE, first_host
from peers.reference.connection import ChildPolicy, Mode
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
from peers.reference.payloads import (
    KE,
    SA,
    Notify,
    Proposal,
    TrafficSelector,
    Transform,
)
from peers.reference.planted.catalogue import fault
from peers.reference.sa import IkeSa


@fault("swaps-octets-of-group-asked-for")
class SwapsOctetsOfGroupAskedFor(Decisions):
    """INVALID_KE_PAYLOAD names the group in little-endian order."""

    def wrong_group(self, group: KeyExchangeMethod) -> Notify:
        return Notify(NotifyType.INVALID_KE_PAYLOAD, group.to_bytes(2, "little"))


@fault("refuses-wrong-group-outright")
class RefusesWrongGroupOutright(Decisions):
    """NO_PROPOSAL_CHOSEN answers a KE payload of the wrong group (F18)."""

    def wrong_group(self, group: KeyExchangeMethod) -> Notify:
        return Notify(NotifyType.NO_PROPOSAL_CHOSEN)


@fault("retries-with-same-group")
class RetriesWithSameGroup(Decisions):
    """INVALID_KE_PAYLOAD makes the initiator repeat its request as it was."""

    def retry_with_group(self, sa: IkeSa, request: Message, group: KeyExchangeMethod) -> Message:
        return request


@fault("narrows-offer-on-retry")
class NarrowsOfferOnRetry(Decisions):
    """The retry with another group offers that group alone."""

    def retry_with_group(self, sa: IkeSa, request: Message, group: KeyExchangeMethod) -> Message:
        retry = super().retry_with_group(sa, request, group)
        offer = tuple(_with_only(proposal, group) for proposal in retry.get(SA).proposals)
        return retry.replacing(SA(offer))


def _with_only(proposal: Proposal, group: KeyExchangeMethod) -> Proposal:
    kept = (t for t in proposal.transforms if t.type != TransformType.KE or t.id == group)
    return replace(proposal, transforms=tuple(kept))


@fault("follows-any-group")
class FollowsAnyGroup(Decisions):
    """INVALID_KE_PAYLOAD is obeyed though it names a group that was not offered."""

    def follows_group(self, request: Message, group: int) -> bool:
        return True

    def retry_with_group(self, sa: IkeSa, request: Message, group: KeyExchangeMethod) -> Message:
        if super().follows_group(request, group):
            return super().retry_with_group(sa, request, group)
        return request.replacing(KE(group, sa.random(256)))


@fault("chooses-what-it-does-not-allow")
class ChoosesWhatItDoesNotAllow(Decisions):
    """An offer with nothing acceptable in it is granted all the same."""

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        chosen = super().choose(offered, acceptable)
        return chosen or super().choose(offered, offered.proposals)


@fault("always-chooses-number-one")
class AlwaysChoosesNumberOne(Decisions):
    """The chosen proposal carries number 1 whichever it was."""

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        chosen = super().choose(offered, acceptable)
        return chosen and replace(chosen, number=1)


@fault("chooses-two-ciphers")
class ChoosesTwoCiphers(Decisions):
    """The response lists every acceptable cipher of the chosen proposal where there are two."""

    def edit(self, message: Message) -> Message:
        if self._ciphers and message.response and message.exchange == ExchangeType.IKE_SA_INIT:
            chosen = message.get(SA).proposals[0]
            return message.replacing(
                SA((replace(chosen, transforms=(*chosen.transforms, *self._ciphers)),))
            )
        return message

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        chosen = super().choose(offered, acceptable)
        if chosen is not None and any(t.type == TransformType.PRF for t in chosen.transforms):
            theirs = next(p for p in offered.proposals if p.number == chosen.number)
            ciphers = theirs.of(TransformType.ENCR)
            self._ciphers = tuple(t for t in ciphers if t not in chosen.transforms)
        return chosen

    _ciphers: tuple[Transform, ...] = ()


@fault("drops-key-length")
class DropsKeyLength(Decisions):
    """A cipher that was offered with several key lengths is sent back without any."""

    _ambiguous = False

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        ciphers = [t.id for p in offered.proposals for t in p.of(TransformType.ENCR)]
        self._ambiguous = len(set(ciphers)) < len(ciphers)
        return super().choose(offered, acceptable)

    def edit(self, message: Message) -> Message:
        if not self._ambiguous or message.protected or not message.has(SA):
            return message
        chosen = message.get(SA).proposals[0]
        bare = tuple(replace(transform, attributes=()) for transform in chosen.transforms)
        return message.replacing(SA((replace(chosen, transforms=bare),)))


@fault("offers-in-reverse-order")
class OffersInReverseOrder(Decisions):
    """The initiator lists its proposals from the least to the most preferred."""

    def edit(self, message: Message) -> Message:
        if message.response or message.exchange != ExchangeType.IKE_SA_INIT:
            return message
        turned = enumerate(reversed(message.get(SA).proposals), 1)
        return message.replacing(SA(tuple(replace(p, number=number) for number, p in turned)))


@fault("numbers-proposals-from-zero")
class NumbersProposalsFromZero(Decisions):
    """The initiator numbers its proposals from 0 where there are several."""

    def edit(self, message: Message) -> Message:
        if message.response or message.exchange != ExchangeType.IKE_SA_INIT:
            return message
        offered = message.get(SA).proposals
        if len(offered) < 2:
            return message
        return message.replacing(SA(tuple(replace(p, number=p.number - 1) for p in offered)))


@fault("uses-ungranted-transport-mode")
class UsesUngrantedTransportMode(Decisions):
    """The initiator goes on in transport mode though the response does not grant it."""

    def mode(self, policy: ChildPolicy, request: Message) -> Mode | None:
        return policy.mode if request.response else super().mode(policy, request)


@fault("grants-transport-mode-unasked")
class GrantsTransportModeUnasked(Decisions):
    """The response to a request for tunnel mode carries USE_TRANSPORT_MODE."""

    def edit(self, message: Message) -> Message:
        grants = message.response and message.exchange == ExchangeType.IKE_AUTH
        return message + USE_TRANSPORT_MODE if grants and self._asked_for_tunnel else message

    def mode(self, policy: ChildPolicy, request: Message) -> Mode | None:
        mode = super().mode(policy, request)
        self._asked_for_tunnel = mode is Mode.TUNNEL
        return mode

    _asked_for_tunnel = False


@fault("refuses-second-proposal")
class RefusesSecondProposal(Decisions):
    """Only the first proposal of an offer for a Child SA is looked at."""

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        if offered.proposals and offered.proposals[0].protocol == ProtocolId.ESP:
            offered = SA(offered.proposals[:1])
        return super().choose(offered, acceptable)


@fault("wants-first-offered-group")
class WantsFirstOfferedGroup(Decisions):
    """A KE payload is refused unless it is of the first group of the offer."""

    _first = 0

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        self._first = next(iter(offered_groups(offered)), KeyExchangeMethod.NONE)
        return super().choose(offered, acceptable)

    def minds_group(self, got: int, chosen: KeyExchangeMethod) -> bool:
        return got != self._first or super().minds_group(got, chosen)


@fault("grants-transport-mode-silently")
class GrantsTransportModeSilently(Decisions):
    """A request for transport mode is granted without USE_TRANSPORT_MODE in the response."""

    def edit(self, message: Message) -> Message:
        if not message.response:
            return message
        kept = tuple(payload for payload in message.payloads if payload != USE_TRANSPORT_MODE)
        return replace(message, payloads=kept)


@fault("does-not-ask-for-transport-mode")
class DoesNotAskForTransportMode(Decisions):
    """The initiator leaves USE_TRANSPORT_MODE out of its request."""

    def edit(self, message: Message) -> Message:
        if message.response:
            return message
        kept = tuple(payload for payload in message.payloads if payload != USE_TRANSPORT_MODE)
        return replace(message, payloads=kept)


@fault("closes-ike-sa-without-child")
class ClosesIkeSaWithoutChild(Decisions):
    """An IKE SA is given up when the Child SA asked for in IKE_AUTH is refused."""

    def keeps_ike_sa_without_child(self) -> bool:
        return False


@fault("closes-ike-sa-after-refused-child")
class ClosesIkeSaAfterRefusedChild(Decisions):
    """An IKE SA is given up when CREATE_CHILD_SA does not agree on a Child SA."""

    def keeps_ike_sa_after_refusal(self, request: Message) -> bool:
        return request.exchange != ExchangeType.CREATE_CHILD_SA


@fault("narrows-to-one-host")
class NarrowsToOneHost(Decisions):
    """An offer that the configuration allows whole is narrowed to its first address."""

    def narrow(
        self, offered: Sequence[TrafficSelector], allowed: Sequence[TrafficSelector]
    ) -> tuple[TrafficSelector, ...]:
        return tuple(
            replace(entry, start_address=first_host([entry]), end_address=first_host([entry]))
            for entry in super().narrow(offered, allowed)
        )


@fault("does-not-narrow")
class DoesNotNarrow(Decisions):
    """Selectors wider than the configuration are granted as they were asked for."""

    def narrow(
        self, offered: Sequence[TrafficSelector], allowed: Sequence[TrafficSelector]
    ) -> tuple[TrafficSelector, ...]:
        return tuple(offered) if super().narrow(offered, allowed) else ()


@fault("calls-selectors-a-proposal")
class CallsSelectorsAProposal(Decisions):
    """Unacceptable selectors are answered with NO_PROPOSAL_CHOSEN."""

    def edit(self, message: Message) -> Message:
        refusal = message.find_notify(NotifyType.TS_UNACCEPTABLE)
        if refusal is None:
            return message
        return message.without(Notify) + Notify(NotifyType.NO_PROPOSAL_CHOSEN)


@fault("accepts-nonces-of-any-size")
class AcceptsNoncesOfAnySize(Decisions):
    """A nonce is taken whatever its size is."""

    def nonce_fits(self, nonce: bytes) -> bool:
        return True


@fault("refuses-nonces-at-the-limits")
class RefusesNoncesAtTheLimits(Decisions):
    """Nonces of 16 and of 256 octets are refused."""

    def nonce_fits(self, nonce: bytes) -> bool:
        return 16 < len(nonce) < 256


@fault("mixes-aead-with-other-ciphers")
class MixesAeadWithOtherCiphers(Decisions):
    """What is offered stands in one proposal: combined-mode ciphers beside others."""

    def edit(self, message: Message) -> Message:
        offer = message.find(SA)
        if message.response or offer is None or len(offer.proposals) < 2:
            return message
        every = dict.fromkeys(each for one in offer.proposals for each in one.transforms)
        [first, *_] = offer.proposals
        return message.replacing(SA((replace(first, transforms=tuple(every)),)))


@fault("chooses-null-for-ike", fundamental=True)
class ChoosesNullForIke(Decisions):
    """Our choice for an IKE SA has ENCR_NULL in the place of its cipher."""

    def edit(self, message: Message) -> Message:
        if message.exchange != ExchangeType.IKE_SA_INIT or not message.response:
            return message
        if not message.has(SA):
            return message
        [chosen] = message.get(SA).proposals
        others = (each for each in chosen.transforms if each.type != TransformType.ENCR)
        null = Transform(TransformType.ENCR, Encr.ENCR_NULL)
        return message.replacing(SA((replace(chosen, transforms=(null, *others)),)))
