"""Planted faults: exchanges that cross each other (RFC 7296, 1.4.1, 2.8 and 2.25)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from peers.reference import ip
from peers.reference.child import ChildSa
from peers.reference.decisions import Decisions
from peers.reference.message import Message
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import Delete, Notify
from peers.reference.planted.catalogue import fault
from peers.reference.purposes import Asked, Busy, Nonces
from peers.reference.sa import IkeSa


@fault("keeps-the-sa-with-the-lowest-nonce")
class KeepsTheSaWithTheLowestNonce(Decisions):
    """Of two successors the one with the lowest nonce is kept, not the other."""

    def loses(self, ours: Nonces, theirs: Nonces) -> bool:
        return not super().loses(ours, theirs)


@fault("never-puts-a-request-off")
class NeverPutsARequestOff(Decisions):
    """A request is granted whatever is being done to the SA, unless it is an IKE SA's end."""

    def has_to_wait(self, asked: Asked, busy: Collection[Busy]) -> bool:
        return asked is Asked.REKEY_IKE and Busy.CLOSING_IKE in busy


@fault("refuses-instead-of-putting-off")
class RefusesInsteadOfPuttingOff(Decisions):
    """NO_PROPOSAL_CHOSEN stands where TEMPORARY_FAILURE is due."""

    def edit(self, message: Message) -> Message:
        if NotifyType.TEMPORARY_FAILURE not in message.notifies:
            return message
        return replace(message, payloads=(Notify(NotifyType.NO_PROPOSAL_CHOSEN),))


@fault("names-closed-child-twice")
class NamesClosedChildTwice(Decisions):
    """The answer to a Delete names a Child SA that our own Delete is already out for."""

    def names_closed_twice(self) -> bool:
        return True


@fault("asks-again-at-once")
class AsksAgainAtOnce(Decisions):
    """A request that TEMPORARY_FAILURE answered is repeated without waiting."""

    def put_off(self) -> float:
        return 0.0


@fault("gives-up-child-that-is-not-found")
class GivesUpChildThatIsNotFound(Decisions):
    """A Child SA that the other side does not find is dropped, and no other one made."""

    def starts_over(self) -> bool:
        return False


@fault("calls-unknown-child-unacceptable")
class CallsUnknownChildUnacceptable(Decisions):
    """A rekey of a Child SA that is not there is answered with NO_PROPOSAL_CHOSEN."""

    def edit(self, message: Message) -> Message:
        if NotifyType.CHILD_SA_NOT_FOUND not in message.notifies:
            return message
        return replace(message, payloads=(Notify(NotifyType.NO_PROPOSAL_CHOSEN),))


@fault("does-not-say-which-child-is-unknown")
class DoesNotSayWhichChildIsUnknown(Decisions):
    """CHILD_SA_NOT_FOUND comes without the SPI that was asked for."""

    def edit(self, message: Message) -> Message:
        if NotifyType.CHILD_SA_NOT_FOUND not in message.notifies:
            return message
        return replace(message, payloads=(Notify(NotifyType.CHILD_SA_NOT_FOUND),))


@fault("closes-heir-with-old-child")
class ClosesHeirWithOldChild(Decisions):
    """A Delete of a Child SA also closes the one that has just taken its place (F03)."""

    def deletes_child(self, sa: IkeSa, delete: Delete) -> tuple[ChildSa, ...]:
        named = super().deletes_child(sa, delete)
        names = {child.name for child in named}
        return tuple(child for child in sa.children if child.name in names)


@fault("sends-on-new-child-at-once")
class SendsOnNewChildAtOnce(Decisions):
    """A responder sends on the new Child SA before the initiator is known to be ready."""

    def sends_on(self, children: Sequence[ChildSa], inner: ip.IpPacket) -> ChildSa | None:
        fitting = [child for child in children if child.carries(inner)]
        return fitting[-1] if fitting else None


@fault("receives-on-newest-child-only")
class ReceivesOnNewestChildOnly(Decisions):
    """A Child SA that is being replaced receives nothing more."""

    def esp_child(self, children: Sequence[ChildSa], spi: bytes) -> ChildSa | None:
        return super().esp_child(children[-1:], spi)


@fault("forgets-what-it-granted-meanwhile", fundamental=True)
class ForgetsWhatItGrantedMeanwhile(Decisions):
    """The response to CREATE_CHILD_SA is not kept: who has lost it has lost the SA (F01, F02)."""

    def still_has(self, response: Message) -> bool:
        return response.exchange != ExchangeType.CREATE_CHILD_SA
