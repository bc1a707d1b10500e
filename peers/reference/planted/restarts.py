"""Planted faults: messages that end the daemon, as they did in the field.

It is there again at once, but knows the IKE SA no more that the message was for.
"""

from __future__ import annotations

from peers.reference.decisions import Decisions
from peers.reference.message import Header, Message
from peers.reference.numbers import ExchangeType, KeyExchangeMethod, NotifyType, TransformType
from peers.reference.payloads import KE, SA, Delete
from peers.reference.planted.catalogue import fault


class Restarts(Decisions):
    """Forgets the IKE SA of a message that it does not survive: it is silent from then on."""

    def __init__(self) -> None:
        super().__init__()
        self._forgotten: set[bytes] = set()

    def survives(self, message: Message) -> bool:
        """Say whether a message does no harm."""
        return True

    def objection(self, message: Message) -> str:
        """Be silent where the IKE SA is forgotten."""
        if not self.survives(message):
            self._forgotten.add(message.spi_i)
        if message.spi_i in self._forgotten:
            return "restarted since"
        return super().objection(message)


@fault("restarts-at-several-deletes")
class RestartsAtSeveralDeletes(Restarts):
    """A request with more than one Delete payload ends the daemon (F63)."""

    def survives(self, message: Message) -> bool:
        return len(message.all(Delete)) < 2


@fault("restarts-at-a-second-rekey")
class RestartsAtASecondRekey(Restarts):
    """A rekey of a Child SA that was rekeyed before ends the daemon (F04)."""

    def __init__(self) -> None:
        super().__init__()
        self._rekeyed: set[bytes] = set()

    def survives(self, message: Message) -> bool:
        notify = message.find_notify(NotifyType.REKEY_SA)
        if notify is None or message.response:
            return True
        known = notify.spi in self._rekeyed
        self._rekeyed.add(notify.spi)
        return not known


@fault("restarts-at-another-group")
class RestartsAtAnotherGroup(Restarts):
    """A KE payload of CREATE_CHILD_SA of another group than IKE_SA_INIT had ends it (F17)."""

    def __init__(self) -> None:
        super().__init__()
        self._groups: dict[bytes, int] = {}

    def survives(self, message: Message) -> bool:
        public = message.find(KE)
        if public is None or message.response:
            return True
        if message.exchange == ExchangeType.IKE_SA_INIT:
            self._groups[message.spi_i] = public.group
        return self._groups.get(message.spi_i, public.group) == public.group


@fault("restarts-at-none-beside-groups")
class RestartsAtNoneBesideGroups(Restarts):
    """A KE payload beside an offer that has NONE among its groups ends the daemon (F19)."""

    def survives(self, message: Message) -> bool:
        if message.exchange != ExchangeType.CREATE_CHILD_SA or not message.has(KE, SA):
            return True
        groups = [
            {transform.id for transform in proposal.of(TransformType.KE)}
            for proposal in message.get(SA).proposals
        ]
        return not any(len(each) > 1 and KeyExchangeMethod.NONE in each for each in groups)


@fault("restarts-at-ikev1")
class RestartsAtIkev1(Restarts):
    """A message of IKEv1 whose cookies are our SPIs ends the daemon (F64)."""

    def speaks(self, header: Header) -> bool:
        if header.major == 1:
            self._forgotten.add(header.spi_i)
        return super().speaks(header)
