"""IKE_AUTH of the scripted peer without a Child SA (RFC 6023)."""

from __future__ import annotations

from abc import abstractmethod

from peers.exchanging import Exchanging
from peers.reference import authentication, initial, mobike
from peers.reference.decisions_authentication import AuthenticationDecisions
from peers.reference.message import Message


class Childless(Exchanging):
    """What a peer does to make an IKE SA alone."""

    @abstractmethod
    def _verify(self, message: Message) -> None:
        """Check the target's AUTH; PeerError when it is wrong."""

    @abstractmethod
    def open_ike_sa(self) -> None:
        """Do the whole IKE_SA_INIT exchange."""

    def ike_auth_alone(self) -> Message:
        """Build an IKE_AUTH request that asks for no Child SA (RFC 6023, 5)."""
        return initial.ike_auth(self.ike, mobike.announcements(self.ike))

    def take_up_alone(self, response: Message) -> None:
        """Check the target's AUTH in a response that makes no Child SA."""
        self._verify(response)

    def establish_alone(self) -> Message:
        """Do both initial exchanges without a Child SA; give the response to IKE_AUTH."""
        self.open_ike_sa()
        response = self.exchange(self.ike_auth_alone())
        self.take_up_alone(response)
        return response

    def ike_auth_response_alone(self, request: Message) -> Message:
        """Check the target's AUTH and build the response that makes no Child SA."""
        self._verify(request)
        proof = authentication.own_payloads(AuthenticationDecisions(), self.ike)
        return self.reply(request, *proof)
