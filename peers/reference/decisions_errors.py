"""Decisions about what goes wrong: malformed messages and error notifies (RFC 7296, 2.21)."""

from __future__ import annotations

from peers.reference.events import Carrier
from peers.reference.message import Header, Message
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import Notify, Payload
from peers.reference.sa import IkeSa

FIRST_STATUS = 16384
"""Notify types below it tell of errors (RFC 7296, 3.10.1)."""


class ErrorDecisions:
    """The decisions of `Decisions` about errors, as the RFC wants them."""

    def is_for(self, sa: IkeSa, header: Header) -> bool:
        """Say whether the I flag is that of the other side of an IKE SA (3.1)."""
        return header.initiator != sa.initiator

    def malformed_answer(self, exchange: ExchangeType) -> tuple[Payload, ...] | None:
        """Build the answer to a malformed request that passed its integrity check (2.21.2, 2.21.3).

        None is silence, which is never right.
        """
        return (Notify(NotifyType.INVALID_SYNTAX),)

    def closes_after_invalid_syntax(self) -> bool:
        """Say whether INVALID_SYNTAX of ours ends the IKE SA: always, without a Delete (2.21.3)."""
        return True

    def obeys_unauthenticated_error(self, sa: IkeSa, response: Message) -> bool:
        """Say whether an error that anybody may have sent ends an attempt: never (2.21.1).

        Over TCP nothing better is going to come (RFC 9329, 6.4).
        """
        return sa.local.transport is Carrier.TCP

    def denies_authentication(self, response: Message) -> bool:
        """Say whether a response to IKE_AUTH means that we are not authenticated (2.21.2)."""
        return NotifyType.AUTHENTICATION_FAILED in response.notifies

    def report_on_response(self) -> Notify | None:
        """Give what we report of an error in a response: nothing, for it might loop (2.21.3)."""
        return None

    def unknown_error(self, response: Message) -> Notify | None:
        """Find an error in a response that we do not know: the request has failed (3.10.1)."""
        errors = (each for each in response.all(Notify) if each.notify_type < FIRST_STATUS)
        return next((each for each in errors if not NotifyType(each.notify_type).known), None)

    def with_usable_ke(self, message: Message) -> Message:
        """Give a message of IKE_SA_INIT or CREATE_CHILD_SA with the KE payload that we use.

        As it stands (3.4): PeerError when it must not be used (RFC 6989, 2.5).
        """
        return message

    def unknown_child_answer(self, answer: tuple[Payload, ...]) -> tuple[Payload, ...]:
        """Answer a Delete of Child SAs that there are not: as if there was none (2.25.1)."""
        return answer
