"""IKE_AUTH of the scripted peer, in either role: by credentials, or by EAP in several exchanges."""

from __future__ import annotations

from peers.child_sas import ChildSas
from peers.configuring import Configuring
from peers.reference import authentication, configuration, initial, mobike
from peers.reference import child as child_sa
from peers.reference.child import ChildSa
from peers.reference.decisions_authentication import AuthenticationDecisions
from peers.reference.eap_exchange import EapInitiator, EapResponder, uses_eap
from peers.reference.errors import ScriptError
from peers.reference.message import Message
from peers.reference.payloads import AUTH, SA, Payload


class Authenticating(Configuring, ChildSas):
    """What a peer says of who it is, and how it sees who the target is.

    ``judges`` takes the decisions about that; ``eap`` is the conversation of the IKE SA, if any.
    """

    judges = AuthenticationDecisions()
    eap: EapInitiator | EapResponder | None = None

    # As initiator.

    def ike_auth(self) -> Message:
        """Build the IKE_AUTH request: HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr}; by EAP no AUTH."""
        spi = self.random(4)
        policy = configuration.asking(self.connection.children[0], self.connection.takes)
        offer = child_sa.offer(policy, spi, with_key_exchange=False)
        asked = (*self._asked_before_child(), *offer, *mobike.announcements(self.ike))
        if not uses_eap(self.ike.connection.local_credential):
            return initial.ike_auth(self.ike, asked, self.judges)
        self.eap = EapInitiator(self.ike, self.judges, self._talk.link.now())
        return self.eap.begin(asked)

    def eap_request(self, response: Message) -> Message:
        """Build the request that follows a response in EAP; with AUTH after Success."""
        request = self._initiator.hear(response, self._talk.link.now())
        if request is None:
            raise ScriptError("both sides are authenticated: nothing follows")
        return request

    def eap_exchanges(self, response: Message) -> Message:
        """Do EAP from the first response to the request with AUTH; give that, not yet sent."""
        request = self.eap_request(response)
        while not request.has(AUTH):
            request = self.eap_request(self.exchange(request))
        return request

    @property
    def _initiator(self) -> EapInitiator:
        if not isinstance(self.eap, EapInitiator):
            raise ScriptError("the peer does not begin EAP")
        return self.eap

    def take_up(self, request: Message, response: Message) -> ChildSa:
        """Check the responder's AUTH and take up the Child SA that IKE_AUTH granted.

        ``request`` is the one that asked for it, ``response`` the one that grants it.
        """
        if self.eap is None:
            self._verify(response)
        elif self._initiator.hear(response, self._talk.link.now()) is not None:
            raise ScriptError("EAP is not over")
        self._take_configuration(response)
        mobike.note(self.ike, response)
        spi = request.get(SA).proposals[0].spi
        return self._add_child(self._granted(request, response, spi), self.ike.nonces())

    def _verify(self, message: Message) -> None:
        authentication.verify(self.judges, self.ike, message, self._talk.link.now())

    def authenticate(self) -> ChildSa:
        """Do all exchanges of IKE_AUTH; PeerError when they do not end with a Child SA."""
        request = self.ike_auth()
        response = self.exchange(request)
        if self.eap is not None:
            response = self.exchange(self.eap_exchanges(response))
        return self.take_up(request, response)

    # As responder.

    def ike_auth_response(self, request: Message) -> Message:
        """Check the target's AUTH and build the response that grants its Child SA.

        Where the target uses EAP, build the next response of that, and the last one so.
        """
        theirs = self.ike.connection.remote_credential
        if uses_eap(theirs) and not request.has(AUTH) and self.eap is None:
            self.eap = EapResponder(self.ike, self.judges, request, self._talk.link.now())
        asked, proof = self._proof(request)
        if self.eap_goes_on:
            return self.reply(request, *proof)
        mobike.note(self.ike, asked)
        named = authentication.ppk_payloads(self.judges, self.ike)
        assigned = self.assign(asked)
        terms = self.grant(asked)
        self._add_child(terms, self.ike.nonces())
        granted = (*child_sa.answer(terms), *mobike.announcements(self.ike))
        return self.reply(request, *proof, *assigned, *granted, *named)

    def _proof(self, request: Message) -> tuple[Message, tuple[Payload, ...]]:
        if isinstance(self.eap, EapResponder):
            return self.eap.first, self.eap.hear(request, self._talk.link.now())
        self._verify(request)
        return request, authentication.own_payloads(self.judges, self.ike)

    @property
    def eap_goes_on(self) -> bool:
        """Say whether the target's AUTH is still to come, after EAP."""
        return isinstance(self.eap, EapResponder) and not self.eap.finished
