"""How the scripted peer does key exchanges after the first one (RFC 9242, RFC 9370)."""

from __future__ import annotations

from peers.exchanging import Exchanging
from peers.reference import intermediate
from peers.reference.decisions_key_exchanges import KeyExchangeDecisions
from peers.reference.message import Message
from peers.reference.numbers import ExchangeType
from peers.reference.payloads import Payload

RIGHT = KeyExchangeDecisions()


class KeyExchanges(Exchanging):
    """What a peer does between IKE_SA_INIT and IKE_AUTH."""

    def intermediate(self, *payloads: Payload) -> Message:
        """Build an IKE_INTERMEDIATE request: SK {KEi(n)}, or ``payloads`` alone if none is left."""
        return intermediate.request(self.ike, *payloads)

    def take_up_intermediate(self, request: Message, response: Message) -> None:
        """Take up the response: KEr(n), what AUTH is to cover, and the keys from now on."""
        intermediate.hear(RIGHT, self.ike, response)
        self._complete(request, response)

    def exchange_keys(self) -> None:
        """Do all additional key exchanges that were agreed on, as initiator (RFC 9370, 2.2.2)."""
        while self.ike.intermediate and self.ike.intermediate.left:
            request = self.intermediate()
            self.take_up_intermediate(request, self.exchange(request))

    def grant_intermediate(self, request: Message) -> Message:
        """Build the response to an IKE_INTERMEDIATE request of the target: SK {KEr(n)}."""
        return self.reply(request, *intermediate.answer(RIGHT, self.ike, request))

    def answer_intermediate(self, request: Message, response: Message | None = None) -> None:
        """Send the response to an IKE_INTERMEDIATE request, and go on with the keys after it."""
        response = response or self.grant_intermediate(request)
        self.answer(request, response)
        self._complete(request, response)

    def accept_keys(self) -> None:
        """Do all additional key exchanges that were agreed on, as responder (RFC 9370, 2.2.2)."""
        while self.ike.intermediate and self.ike.intermediate.left:
            self.answer_intermediate(self.hear_request(ExchangeType.IKE_INTERMEDIATE))

    def _complete(self, request: Message, response: Message) -> None:
        before = self.ike.keys
        intermediate.complete(RIGHT, self.ike, request, response)
        if self.ike.keys is not before:
            self._keys_derived(self.ike)
