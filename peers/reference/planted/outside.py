"""Planted faults: messages out of phase, in clear, or of no IKE SA (RFC 7296, 1, 1.4 and 1.5)."""

from __future__ import annotations

from dataclasses import replace

from peers.reference.decisions import Decisions
from peers.reference.message import Header, Message
from peers.reference.numbers import ExchangeType, NotifyType, PayloadType
from peers.reference.payloads import Notify
from peers.reference.planted.catalogue import fault
from peers.reference.states import State


@fault("takes-exchanges-before-authentication")
class TakesExchangesBeforeAuthentication(Decisions):
    """CREATE_CHILD_SA and INFORMATIONAL requests are answered while IKE_AUTH is still due."""

    def phase(self, state: State, exchange: ExchangeType) -> State:
        return State.ESTABLISHED if state is State.AUTH_SENT else state


@fault("grants-before-authentication")
class GrantsBeforeAuthentication(Decisions):
    """Who has done IKE_SA_INIT is taken for authenticated when it asks for something else."""

    def phase(self, state: State, exchange: ExchangeType) -> State:
        early = state is State.INIT_ANSWERED and exchange != ExchangeType.IKE_AUTH
        return State.ESTABLISHED if early else state


@fault("obeys-unprotected-requests")
class ObeysUnprotectedRequests(Decisions):
    """An INFORMATIONAL request in clear is carried out as if it were protected."""

    def obeys_unprotected(self, request: Message) -> bool:
        return not request.response


@fault("answers-one-way-notices")
class AnswersOneWayNotices(Decisions):
    """The unprotected notice of an unknown SPI is answered."""

    def answer_to_stranger(self, header: Header) -> Notify | None:
        in_clear = header.next_payload == PayloadType.NOTIFY
        return Notify(NotifyType.INVALID_IKE_SPI) if in_clear else None


@fault("tells-strangers-their-spi")
class TellsStrangersTheirSpi(Decisions):
    """INVALID_IKE_SPI carries the SPI that is not known as its data."""

    def answer_to_stranger(self, header: Header) -> Notify | None:
        answer = super().answer_to_stranger(header)
        return replace(answer, data=header.spi_r) if answer else None


@fault("drops-what-follows-ike-auth", fundamental=True)
class DropsWhatFollowsIkeAuth(Decisions):
    """CREATE_CHILD_SA and INFORMATIONAL requests are dropped however authenticated the peer is."""

    def phase(self, state: State, exchange: ExchangeType) -> State:
        return State.AUTH_SENT if state is State.ESTABLISHED else state


@fault("gives-up-what-is-told-invalid")
class GivesUpWhatIsToldInvalid(Decisions):
    """The IKE SA goes when the other side tells of a packet that it could not place."""

    def fails_late(self, request: Message, last_auth: int | None) -> bool:
        told = {NotifyType.INVALID_SPI, NotifyType.INVALID_IKE_SPI}
        return not told.isdisjoint(request.notifies)
