"""The endpoint as a client that comes back with a ticket (RFC 5723, 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from peers.reference import resumption
from peers.reference.connection import Connection
from peers.reference.errors import PeerError
from peers.reference.message import Message
from peers.reference.numbers import NotifyType
from peers.reference.payloads import Notify
from peers.reference.resumption import Suspended, Ticket
from peers.reference.sa import IkeSa
from peers.reference.session import Session

if TYPE_CHECKING:
    from peers.reference.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class Held:
    """A ticket, until when it holds, and what is kept of the IKE SA ``sa`` that it is for (5)."""

    ticket: Ticket
    expires: float
    suspended: Suspended
    sa: IkeSa


class Tickets:
    """Asks for tickets, one for each connection, and presents them."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._decide = endpoint.decide
        self._held: dict[str, Held] = {}

    def asked(self, connection: Connection) -> tuple[Notify, ...]:
        """Ask for a ticket in IKE_AUTH, where resumption is configured (4.1)."""
        return (resumption.REQUEST,) if connection.session_resumption else ()

    def keep(self, session: Session, response: Message) -> None:
        """Use up the ticket that made an IKE SA, and store the one that came with it (4.2)."""
        name = session.sa.connection.name
        if session.resumes is not None and self._decide.uses_ticket_once():
            self._held.pop(name, None)
        ticket = Ticket.of(response)
        if ticket is not None and session.sa.connection.session_resumption:
            expires = self._endpoint.now + ticket.lifetime
            self._held[name] = Held(ticket, expires, Suspended.of(session.sa), session.sa)

    def suspend(self, connection: Connection) -> None:
        """Drop the IKE SA without a word; its ticket brings it back."""
        for session in list(self._endpoint.sessions):
            if session.sa.connection.name != connection.name:
                continue
            if self._decide.deletes_what_it_suspends():
                self._endpoint.successors.delete(session)
            else:
                self._endpoint.sessions.remove(session)

    def closes(self, sa: IkeSa) -> None:
        """Drop the ticket of an IKE SA that is closed (6.2)."""
        held = self._held.get(sa.connection.name)
        if held is not None and held.sa is sa and self._decide.drops_ticket_with_ike_sa():
            del self._held[sa.connection.name]

    def usable(self, connection: Connection) -> Held | None:
        """Give the ticket that is to be presented; none that has expired (4.3.1)."""
        held = self._held.get(connection.name)
        if held is None or self._decide.is_over(held.expires, self._endpoint.now):
            return None
        return held

    def present(self, session: Session, held: Held) -> Message:
        """Build the request that presents a ticket (4.3.2)."""
        session.resumes = held.suspended
        return resumption.ike_session_resume(session.sa, self._decide.presented(held.ticket))

    def hear(self, session: Session, response: Message) -> bool:
        """Take up the response; False where the ticket is refused, and gone.

        PeerError for one that makes no IKE SA.
        """
        if NotifyType.TICKET_NACK in response.notifies:
            self._held.pop(session.sa.connection.name, None)
            return False
        if session.resumes is None:
            raise PeerError("nothing was resumed")
        resumption.hear_response(session.sa, session.resumes, response)
        return True
