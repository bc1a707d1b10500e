"""Planted faults: errors, what they are answered with and what follows (RFC 7296, 2.21)."""

from __future__ import annotations

from peers.reference.decisions import Decisions
from peers.reference.errors import MalformedMessage
from peers.reference.message import HEADER_SIZE, Header, Message
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import SA, Notify, Payload
from peers.reference.planted.catalogue import fault
from peers.reference.sa import IkeSa


@fault("is-silent-on-malformed-requests")
class IsSilentOnMalformedRequests(Decisions):
    """A malformed request within an IKE SA is dropped without an answer."""

    def malformed_answer(self, exchange: ExchangeType) -> tuple[Payload, ...] | None:
        return None


@fault("acknowledges-malformed-requests")
class AcknowledgesMalformedRequests(Decisions):
    """A malformed request within an IKE SA is answered as if there was nothing in it."""

    def malformed_answer(self, exchange: ExchangeType) -> tuple[Payload, ...] | None:
        return ()


@fault("calls-malformed-auth-a-failed-one")
class CallsMalformedAuthAFailedOne(Decisions):
    """A malformed IKE_AUTH request is answered with AUTHENTICATION_FAILED."""

    def malformed_answer(self, exchange: ExchangeType) -> tuple[Payload, ...] | None:
        if exchange == ExchangeType.IKE_AUTH:
            return (Notify(NotifyType.AUTHENTICATION_FAILED),)
        return super().malformed_answer(exchange)


@fault("calls-malformed-child-request-unacceptable")
class CallsMalformedChildRequestUnacceptable(Decisions):
    """A CREATE_CHILD_SA request that cannot be used is answered with NO_PROPOSAL_CHOSEN."""

    def malformed_answer(self, exchange: ExchangeType) -> tuple[Payload, ...] | None:
        if exchange == ExchangeType.CREATE_CHILD_SA:
            return (Notify(NotifyType.NO_PROPOSAL_CHOSEN),)
        return super().malformed_answer(exchange)


@fault("keeps-ike-sa-after-invalid-syntax")
class KeepsIkeSaAfterInvalidSyntax(Decisions):
    """An IKE SA goes on after a request of it was answered with INVALID_SYNTAX."""

    def closes_after_invalid_syntax(self) -> bool:
        return False


@fault("ignores-initiator-flag")
class IgnoresInitiatorFlag(Decisions):
    """An IKE SA is found by its SPIs alone, whoever is said to have sent a message."""

    def is_for(self, sa: IkeSa, header: Header) -> bool:
        return True

    def opens_ike_sa(self, header: Header) -> bool:
        return header.exchange == ExchangeType.IKE_SA_INIT and any(header.spi_i)


@fault("obeys-unauthenticated-errors")
class ObeysUnauthenticatedErrors(Decisions):
    """The first error notify in clear ends the attempt to make an IKE SA."""

    def obeys_unauthenticated_error(self, sa: IkeSa, response: Message) -> bool:
        return not response.has(SA)


@fault("takes-child-error-for-failed-authentication")
class TakesChildErrorForFailedAuthentication(Decisions):
    """An error of the first Child SA is taken for one of the authentication."""

    def denies_authentication(self, response: Message) -> bool:
        return any(number < 16384 for number in response.notifies)


@fault("refuses-delete-of-unknown-child")
class RefusesDeleteOfUnknownChild(Decisions):
    """A Delete of a Child SA that there is not is answered with CHILD_SA_NOT_FOUND."""

    def unknown_child_answer(self, answer: tuple[Payload, ...]) -> tuple[Payload, ...]:
        return (Notify(NotifyType.CHILD_SA_NOT_FOUND),)


@fault("clamps-payload-lengths")
class ClampsPayloadLengths(Decisions):
    """A Payload Length of a first request that cannot be is taken for that of all that is left."""

    def read(self, octets: bytes) -> Message:
        try:
            return super().read(octets)
        except MalformedMessage:
            return Message.decode(_clamped(bytearray(octets)))


def _clamped(octets: bytearray) -> bytes:
    at, following = HEADER_SIZE, octets[16]
    while following and at + 4 <= len(octets):
        length = int.from_bytes(octets[at + 2 : at + 4], "big")
        if not 4 <= length <= len(octets) - at:
            length = len(octets) - at
            octets[at + 2 : at + 4] = length.to_bytes(2, "big")
        following, at = octets[at], at + length
    octets[24:28] = at.to_bytes(4, "big")
    return bytes(octets[:at])


@fault("reports-errors-in-responses")
class ReportsErrorsInResponses(Decisions):
    """An error in a response is reported in an INFORMATIONAL exchange."""

    def report_on_response(self) -> Notify | None:
        return Notify(NotifyType.INVALID_SYNTAX)
