"""How the scripted peer does key exchanges after the first one (RFC 9242, RFC 9370)."""

from __future__ import annotations

from collections.abc import Callable

from peers.child_sas import ChildSas
from peers.fragmenting import Fragmenting
from peers.reference import followup, intermediate, rekey
from peers.reference.child import ChildSa, check_grant
from peers.reference.decisions_key_exchanges import KeyExchangeDecisions
from peers.reference.errors import ScriptError
from peers.reference.followup import Series
from peers.reference.message import Message
from peers.reference.negotiation import Suite
from peers.reference.numbers import ExchangeType, KeyExchangeMethod
from peers.reference.payloads import Payload
from peers.reference.sa import IkeSa
from peers.successors import Successors

RIGHT = KeyExchangeDecisions()


class KeyExchanges(Successors, ChildSas, Fragmenting):
    """What a peer does between IKE_SA_INIT and IKE_AUTH, and after CREATE_CHILD_SA."""

    _awaited: tuple[Series, Callable[..., object]] | None = None
    """The series that the target is to go on with, and what then makes the SA."""

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

    def answer_intermediate(
        self, request: Message, response: Message | None = None, fragments: int = 1
    ) -> None:
        """Send the response to an IKE_INTERMEDIATE request, and go on with the keys after it."""
        response = response or self.grant_intermediate(request)
        if fragments > 1:
            self.answer_in_fragments(request, self.fragments(response, fragments)[::-1])
        else:
            self.answer(request, response)
        self._complete(request, response)

    def accept_keys(self) -> None:
        """Do all additional key exchanges that were agreed on, as responder (RFC 9370, 2.2.2)."""
        while self.ike.intermediate and self.ike.intermediate.left:
            self.answer_intermediate(self.hear_request(ExchangeType.IKE_INTERMEDIATE))

    # After CREATE_CHILD_SA, as initiator (RFC 9370, 2.2.4).

    def series(self, request: Message, response: Message) -> Series:
        """Begin the series that a response for a Child SA leaves to do; PeerError if it has none.

        Also where no method is left, as a script may want it.
        """
        methods = Suite.of(check_grant(request, response)).additional
        return followup.begin(methods, response)

    def followup(self, series: Series) -> Message:
        """Build the next request: SK {KEi(n), N(ADDITIONAL_KEY_EXCHANGE)}."""
        return followup.request(self.ike, series)

    def take_up_followup(self, series: Series, response: Message) -> None:
        """Take up KEr(n), and the link to the next exchange."""
        followup.hear(RIGHT, series, response)

    def follow_up(self, series: Series) -> bytes:
        """Do all that is left of a series; give the secrets, joined."""
        while series.left:
            self.take_up_followup(series, self.exchange(self.followup(series)))
        return series.secrets

    def follow_up_child(self, request: Message, response: Message) -> ChildSa:
        """Do the key exchanges that a grant leaves to do, and take the Child SA up."""
        more = self.follow_up(self.series(request, response))
        return self.take_up_child(request, response, more=more)

    def follow_up_ike(self, new: IkeSa, request: Message, response: Message) -> None:
        """Do the key exchanges that a rekey of the IKE SA leaves to do, and go on with the new."""
        rekey.hear(self.ike, new, request, response)
        methods = new.suite.additional if new.suite else ()
        more = self.follow_up(followup.begin(methods, response))
        rekey.complete(self.ike, new, more)
        self._add_ike(new)
        self.follow_ike(new)

    # After CREATE_CHILD_SA, as responder.

    def _expect_series(
        self, methods: tuple[KeyExchangeMethod, ...], make: Callable[..., object]
    ) -> tuple[Payload, ...]:
        if not methods:
            make()
            return ()
        self._awaited = followup.expect(methods, self.random), make
        return (self._awaited[0].notify(),)

    @property
    def awaited(self) -> Series:
        """The series that the target is to go on with; ScriptError when there is none."""
        if self._awaited is None:
            raise ScriptError("no series of key exchanges was agreed on")
        return self._awaited[0]

    def grant_followup(self, request: Message) -> Message:
        """Build the response to a request of the series: SK {KEr(n), [link]}."""
        return self.reply(request, *followup.answer(RIGHT, self.awaited, request, self.random))

    def accept_followups(self) -> None:
        """Answer all that is left of the series; then the SA is there."""
        while self.awaited.left:
            request = self.hear_request(ExchangeType.IKE_FOLLOWUP_KE)
            self.answer(request, self.grant_followup(request))
        assert self._awaited is not None
        (series, make), self._awaited = self._awaited, None
        make(more=series.secrets)

    def grant_ike_in_series(self, request: Message) -> Message:
        """Grant the target's rekey of the IKE SA; the new one is there after the series."""
        new, payloads = rekey.answer(self.ike, request, self.choose(request))

        def make(more: bytes = b"") -> None:
            rekey.complete(self.ike, new, more)
            self._add_ike(new)
            self.follow_ike(new)

        link = self._expect_series(new.suite.additional if new.suite else (), make)
        return self.reply(request, *payloads, *link)

    def _complete(self, request: Message, response: Message) -> None:
        before = self.ike.keys
        intermediate.complete(RIGHT, self.ike, request, response)
        if self.ike.keys is not before:
            self._keys_derived(self.ike)
