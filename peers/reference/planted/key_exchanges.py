"""Planted faults: IKE_INTERMEDIATE and several key exchanges (RFC 9242, RFC 9370)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from peers.reference.additional import ADDITIONAL, has_additional
from peers.reference.connection import Connection
from peers.reference.crypto import prf
from peers.reference.decisions import Decisions
from peers.reference.errors import PeerError
from peers.reference.fragments import Reassembly
from peers.reference.keys import IkeKeys
from peers.reference.message import Message
from peers.reference.negotiation import Suite, choose
from peers.reference.numbers import ExchangeType, KeyExchangeMethod, NotifyType, Prf
from peers.reference.payloads import KE, SA, Notify, Proposal
from peers.reference.planted.catalogue import fault
from peers.reference.purposes import Asked, Busy
from peers.reference.sa import IkeSa
from peers.reference.session import Awaited
from peers.reference.states import State

LINK = NotifyType.ADDITIONAL_KEY_EXCHANGE
SUPPORTED = NotifyType.INTERMEDIATE_EXCHANGE_SUPPORTED


@fault("keeps-intermediate-to-itself", fundamental=True)
class KeepsIntermediateToItself(Decisions):
    """INTERMEDIATE_EXCHANGE_SUPPORTED is neither said nor answered, whatever is proposed."""

    def edit(self, message: Message) -> Message:
        kept = tuple(
            each
            for each in message.payloads
            if not (isinstance(each, Notify) and each.notify_type == SUPPORTED)
        )
        return replace(message, payloads=kept)


@fault("says-intermediate-unasked")
class SaysIntermediateUnasked(Decisions):
    """A response to IKE_SA_INIT has INTERMEDIATE_EXCHANGE_SUPPORTED, the request had none."""

    def edit(self, message: Message) -> Message:
        first = message.response and message.message_id == 0 and not message.protected
        if not first or message.find_notify(SUPPORTED) is not None:
            return message
        return replace(message, payloads=(*message.payloads, Notify(SUPPORTED)))


@fault("says-intermediate-with-data")
class SaysIntermediateWithData(Decisions):
    """INTERMEDIATE_EXCHANGE_SUPPORTED holds an octet of data."""

    def edit(self, message: Message) -> Message:
        if message.find_notify(SUPPORTED) is None:
            return message
        return message.replacing(Notify(SUPPORTED, b"\1"))


@fault("minds-data-of-intermediate")
class MindsDataOfIntermediate(Decisions):
    """INTERMEDIATE_EXCHANGE_SUPPORTED with data counts as not said."""

    def usable_offer(self, request: Message, connection: Connection) -> SA:
        said = request.find_notify(SUPPORTED)
        if said is None or not said.data:
            return super().usable_offer(request, connection)
        return SA(tuple(each for each in request.get(SA).proposals if not has_additional(each)))


@fault("authenticates-before-key-exchanges", fundamental=True)
class AuthenticatesBeforeKeyExchanges(Decisions):
    """IKE_AUTH is sent, and taken, although additional key exchanges are left."""

    def may_authenticate(self, sa: IkeSa) -> bool:
        return True


@fault("established-by-intermediate")
class EstablishedByIntermediate(Decisions):
    """Who has done IKE_SA_INIT and IKE_INTERMEDIATE is taken for authenticated."""

    def phase(self, state: State, exchange: ExchangeType) -> State:
        early = exchange not in (ExchangeType.IKE_AUTH, ExchangeType.IKE_INTERMEDIATE)
        return State.ESTABLISHED if state is State.INIT_ANSWERED and early else state


@fault("takes-intermediate-unasked")
class TakesIntermediateUnasked(Decisions):
    """IKE_INTERMEDIATE requests end the IKE SA where the exchange was not agreed on."""

    def takes_intermediate(self, sa: IkeSa) -> bool:
        return True


@fault("leaves-out-int-auth", fundamental=True)
class LeavesOutIntAuth(Decisions):
    """AUTH does not cover the messages of IKE_INTERMEDIATE."""

    def int_auth(self, number: Prf, sk_p: bytes, before: bytes, message: Message) -> bytes:
        return b""


@fault("forgets-earlier-int-auth")
class ForgetsEarlierIntAuth(Decisions):
    """IntAuth covers the last IKE_INTERMEDIATE exchange alone."""

    def int_auth(self, number: Prf, sk_p: bytes, before: bytes, message: Message) -> bytes:
        return super().int_auth(number, sk_p, b"", message)


@fault("leaves-fragments-out-of-int-auth")
class LeavesFragmentsOutOfIntAuth(Decisions):
    """IntAuth does not cover messages that go or come in fragments (F44)."""

    def __init__(self) -> None:
        super().__init__()
        self._split: set[tuple[bytes, bool, int]] = set()

    def datagrams(self, sa: IkeSa, message: Message) -> tuple[bytes, ...]:
        written = super().datagrams(sa, message)
        if len(written) > 1:
            self._split.add(_place(message))
        return written

    def reassemble(self, kept: Reassembly, part: Message) -> Message | None:
        whole = super().reassemble(kept, part)
        if whole is not None:
            self._split.add(_place(whole))
        return whole

    def int_auth(self, number: Prf, sk_p: bytes, before: bytes, message: Message) -> bytes:
        split = _place(message) in self._split
        return before if split else super().int_auth(number, sk_p, before, message)


def _place(message: Message) -> tuple[bytes, bool, int]:
    return message.spi_i, message.response, message.message_id


@fault("sends-intermediate-in-one-piece")
class SendsIntermediateInOnePiece(Decisions):
    """IKE_INTERMEDIATE does not go in fragments, however large it is (F43)."""

    def datagrams(self, sa: IkeSa, message: Message) -> tuple[bytes, ...]:
        if message.exchange == ExchangeType.IKE_INTERMEDIATE:
            return (sa.encode(message),)
        return super().datagrams(sa, message)


@fault("sends-key-exchange-outside-sk", fundamental=True)
class SendsKeyExchangeOutsideSk(Decisions):
    """The KE payload of IKE_INTERMEDIATE stands in clear before the Encrypted payload."""

    def edit(self, message: Message) -> Message:
        public = message.find(KE)
        if message.exchange != ExchangeType.IKE_INTERMEDIATE or public is None:
            return message
        return replace(message.without(KE), unprotected=(public,))


@fault("waits-for-an-exchange-once-agreed")
class WaitsForAnExchangeOnceAgreed(Decisions):
    """IKE_AUTH is refused where IKE_INTERMEDIATE was agreed on and none took place (F45)."""

    def may_authenticate(self, sa: IkeSa) -> bool:
        waits = sa.intermediate is not None and not sa.intermediate.generations
        return not waits and super().may_authenticate(sa)


@fault("leaves-reserved-bits-out-of-int-auth")
class LeavesReservedBitsOutOfIntAuth(Decisions):
    """IntAuth has the reserved bits of the Encrypted payload as zero."""

    def int_auth(self, number: Prf, sk_p: bytes, before: bytes, message: Message) -> bytes:
        return prf(number, sk_p, before + replace(message, envelope=None).unsealed())


@fault("counts-auth-from-one", fundamental=True)
class CountsAuthFromOne(Decisions):
    """IntAuth has 1 for the Message ID of IKE_AUTH, however many exchanges came before."""

    def auth_id(self, message_id: int) -> int:
        return 1


@fault("keeps-keys-of-first-exchange", fundamental=True)
class KeepsKeysOfFirstExchange(Decisions):
    """Additional key exchanges are done, and the keys stay those of IKE_SA_INIT."""

    def next_keys(
        self, keys: IkeKeys, suite: Suite, shared: bytes, nonces: tuple[bytes, bytes]
    ) -> IkeKeys:
        return keys


@fault("takes-any-method-in-turn")
class TakesAnyMethodInTurn(Decisions):
    """A KE payload of an additional key exchange is taken whatever its method is."""

    def is_its_turn(self, sent: int, due: KeyExchangeMethod) -> bool:
        return True


@fault("does-last-key-exchange-first")
class DoesLastKeyExchangeFirst(Decisions):
    """As initiator, additional key exchanges are done in the reverse order of their types."""

    def in_order(self, methods: tuple[KeyExchangeMethod, ...]) -> tuple[KeyExchangeMethod, ...]:
        return methods[::-1]


@fault("uses-additional-without-intermediate")
class UsesAdditionalWithoutIntermediate(Decisions):
    """Proposals with additional key exchanges are chosen although IKE_INTERMEDIATE is not there."""

    def usable_offer(self, request: Message, connection: Connection) -> SA:
        return request.get(SA)


def _of_one_type_each(offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
    """Choose for each additional type alone, so that a method may come twice."""
    kinds = [kind for kind in ADDITIONAL if any(each.of(kind) for each in acceptable)]
    base = choose(_only(offered, ()), _only(SA(tuple(acceptable)), ()).proposals)
    chosen = [choose(_only(offered, (kind,)), _only_all(acceptable, kind)) for kind in kinds]
    if base is None or None in chosen:
        return None
    further = [each.of(kind)[0] for each, kind in zip(chosen, kinds, strict=True) if each]
    return replace(base, transforms=(*base.transforms, *further))


def _only(offer: SA, kinds: Sequence[int]) -> SA:
    dropped = set(ADDITIONAL) - set(kinds)
    return SA(
        tuple(
            replace(each, transforms=tuple(t for t in each.transforms if t.type not in dropped))
            for each in offer.proposals
        )
    )


def _only_all(acceptable: Sequence[Proposal], kind: int) -> tuple[Proposal, ...]:
    return _only(SA(tuple(acceptable)), (kind,)).proposals


@fault("chooses-a-method-twice")
class ChoosesAMethodTwice(Decisions):
    """The responder chooses for each additional key exchange as if there were no others."""

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        return _of_one_type_each(offered, acceptable) or super().choose(offered, acceptable)


@fault("follows-a-method-chosen-twice")
class FollowsAMethodChosenTwice(Decisions):
    """The initiator goes on although a method was chosen twice."""

    def check_choice(self, offer: SA, chosen: Proposal) -> None:
        try:
            super().check_choice(offer, chosen)
        except PeerError as problem:
            if "twice" not in str(problem):
                raise


@fault("leaves-out-additional-key-exchanges", fundamental=True)
class LeavesOutAdditionalKeyExchanges(Decisions):
    """The responder chooses nothing for the types of additional key exchanges."""

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        return choose(_only(offered, ()), _only(SA(tuple(acceptable)), ()).proposals)


@fault("wants-every-additional-type")
class WantsEveryAdditionalType(Decisions):
    """A type of additional key exchange that is left out does not count as NONE."""

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        kinds = {kind for each in acceptable for kind in ADDITIONAL if each.of(kind)}
        whole = tuple(each for each in offered.proposals if all(map(each.of, kinds)))
        return super().choose(SA(whole), acceptable)


@fault("does-exchange-for-none", fundamental=True)
class DoesExchangeForNone(Decisions):
    """The initiator does one IKE_INTERMEDIATE exchange more than there is a method for."""

    def may_authenticate(self, sa: IkeSa) -> bool:
        if not sa.initiator or sa.intermediate is None:
            return super().may_authenticate(sa)
        return bool(sa.intermediate.generations) and not sa.intermediate.left


# IKE_FOLLOWUP_KE (RFC 9370, 2.2.4).


@fault("leaves-out-link", fundamental=True)
class LeavesOutLink(Decisions):
    """Responses that leave key exchanges to do have no ADDITIONAL_KEY_EXCHANGE."""

    def edit(self, message: Message) -> Message:
        kept = tuple(
            each
            for each in message.payloads
            if not (isinstance(each, Notify) and each.notify_type == LINK and message.response)
        )
        return replace(message, payloads=kept)


@fault("links-what-does-not-follow")
class LinksWhatDoesNotFollow(Decisions):
    """The last response of a series has a link too (F48)."""

    def edit(self, message: Message) -> Message:
        last = message.exchange == ExchangeType.IKE_FOLLOWUP_KE and message.has(KE)
        if not last or not message.response or message.find_notify(LINK) is not None:
            return message
        return message + Notify(LINK, bytes(8))


@fault("changes-link")
class ChangesLink(Decisions):
    """The link that the responder gave comes back with another last octet."""

    def edit(self, message: Message) -> Message:
        said = message.find_notify(LINK)
        if said is None or message.response:
            return message
        return message.replacing(replace(said, data=said.data[:-1] + bytes([said.data[-1] ^ 1])))


@fault("leaves-out-further-secrets", fundamental=True)
class LeavesOutFurtherSecrets(Decisions):
    """Keys are made of SK(0) alone, whatever key exchanges followed."""

    def further_secrets(self, secrets: bytes) -> bytes:
        return b""


@fault("takes-any-link")
class TakesAnyLink(Decisions):
    """Any link is taken for that of the series that is under way."""

    def finds_series(self, awaited: Mapping[bytes, Awaited], link: bytes) -> Awaited | None:
        return next(iter(awaited.values()), None)


@fault("refuses-unknown-series-otherwise")
class RefusesUnknownSeriesOtherwise(Decisions):
    """INVALID_SYNTAX answers an exchange of a series that is not known."""

    def unknown_series(self) -> Notify:
        return Notify(NotifyType.INVALID_SYNTAX)


@fault("refuses-unknown-series-with-data")
class RefusesUnknownSeriesWithData(Decisions):
    """STATE_NOT_FOUND holds an octet of data."""

    def unknown_series(self) -> Notify:
        return Notify(NotifyType.STATE_NOT_FOUND, b"\1")


@fault("goes-on-with-lost-series")
class GoesOnWithLostSeries(Decisions):
    """STATE_NOT_FOUND does not end a series: its next exchange is tried again."""

    def cancels_series(self, response: Message) -> bool:
        return False


@fault("grants-rekey-during-series")
class GrantsRekeyDuringSeries(Decisions):
    """A rekey is granted while a series of ours for the same SA is under way."""

    def has_to_wait(self, asked: Asked, busy: Collection[Busy]) -> bool:
        return super().has_to_wait(asked, set(busy) - {Busy.EXCHANGING_KEYS})
