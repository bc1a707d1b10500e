"""The endpoint as gateway of clients that suspend and resume (RFC 5723): tickets by reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from peers.reference.connection import Connection
from peers.reference.message import Message
from peers.reference.numbers import NotifyType
from peers.reference.payloads import Notify
from peers.reference.refusal import Refusal
from peers.reference.resumption import Suspended, Ticket
from peers.reference.session import Session

if TYPE_CHECKING:
    from peers.reference.endpoint import Endpoint

TICKET_SIZE = 32
"""Octets that nobody guesses: a ticket is what we look it up by (6.1)."""

LIFETIME = 3600
"""Seconds that a ticket can be presented."""


@dataclass(slots=True)
class _Kept:
    """What a ticket stands for; ``session`` is the IKE SA of which it was granted."""

    octets: bytes
    expires: float
    suspended: Suspended
    session: Session
    used: bool = False


class Resumptions:
    """Grants tickets, and takes them back."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._decide = endpoint.decide
        self._kept: list[_Kept] = []

    def grant(self, session: Session, request: Message) -> tuple[Notify, ...]:
        """Answer a request for a ticket, where resumption is configured (4.1)."""
        asked = NotifyType.TICKET_REQUEST in request.notifies
        if not (asked and session.sa.connection.session_resumption):
            return ()
        ticket = Ticket(self._endpoint.random(TICKET_SIZE), LIFETIME)
        expires = self._endpoint.now + LIFETIME
        suspended = Suspended.of(session.sa)
        self._kept.append(_Kept(ticket.octets, expires, suspended, session))
        answer = self._decide.answer_to_ticket_request(ticket)
        return () if answer is None else (answer,)

    def find(self, connection: Connection, request: Message) -> Suspended:
        """Find what a presented ticket stands for; Refusal where it is not taken (4.3.2)."""
        presented = request.find_notify(NotifyType.TICKET_OPAQUE)
        octets = b"" if presented is None else presented.data
        for kept in self._kept:
            if not self._decide.finds_ticket(kept.octets, octets):
                continue
            expired = kept.expires <= self._endpoint.now
            if self._decide.takes_ticket(expired=expired, used=kept.used):
                return kept.suspended
        raise Refusal(self._decide.ticket_refusal())

    def complete(self, session: Session) -> None:
        """Use a ticket up, and drop the IKE SA that it was granted of (4.3.1 and 4.3.4)."""
        if not session.sa.resumed:
            return
        for kept in self._kept:
            if kept.suspended is session.resumes and not kept.used:
                kept.used = True
                old = kept.session
                if old in self._endpoint.sessions and self._decide.ends_what_was_resumed():
                    self._endpoint.close(old, "it was resumed")
