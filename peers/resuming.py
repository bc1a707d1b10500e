"""The scripted peer and tickets (RFC 5723): a client that comes back, a gateway that takes them."""

from __future__ import annotations

from abc import abstractmethod

from peers.exchanging import Exchanging
from peers.reference import resumption
from peers.reference.eap_exchange import EapInitiator, EapResponder
from peers.reference.message import Message
from peers.reference.resumption import Suspended, Ticket
from peers.reference.sa import IkeSa

TICKET_SIZE = 64
"""Octets of a ticket of ours, which stands for what we keep."""


class Resuming(Exchanging):
    """What a peer does to resume an IKE SA."""

    eap: EapInitiator | EapResponder | None

    @abstractmethod
    def _new_ike(self, *, initiator: bool) -> IkeSa:
        """Make an IKE SA of the connection, not used yet."""

    @abstractmethod
    def _traverse_nat(self, response: Message) -> None:
        """Go on on port 4500 where the response says that there is a NAT."""

    def ike_session_resume(self, ticket: Ticket) -> Message:
        """Start a new IKE SA from a ticket: build HDR, Ni, N(TICKET_OPAQUE)."""
        self._ike, self.eap = self._new_ike(initiator=True), None
        return resumption.ike_session_resume(self._ike, ticket)

    def resume(self, kept: Suspended, response: Message) -> None:
        """Take up the response to our IKE_SESSION_RESUME request, and derive the keys."""
        sa = self.ike
        resumption.hear_response(sa, kept, response)
        sa.next_request_id = 1
        self._keys_derived(sa)
        self._traverse_nat(response)

    # As gateway.

    def grant_ticket(self, lifetime: int = 3600) -> tuple[Ticket, Suspended]:
        """Make a ticket of the IKE SA, for ``lifetime`` seconds; give what is kept with it, too."""
        return Ticket(self.random(TICKET_SIZE), lifetime), Suspended.of(self.ike)

    def take_ticket(self, request: Message, kept: Suspended) -> Message:
        """Build the response that takes a ticket, and derive the keys."""
        response = resumption.answer(self.ike, request, kept)
        self._keys_derived(self.ike)
        return response
