"""The reference peer as a test drives it: say, hear, judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import NoReturn

from peers.authenticating import Authenticating
from peers.childless import Childless
from peers.conversation import (
    Conversation,
    Heard,
    HeardEsp,
    HeardInTheClear,
    HeardKeepalive,
    HeardMessage,
    Said,
)
from peers.exchanging import TRIGGERED
from peers.flow import FaultyLink, FlowFault
from peers.key_exchanges import KeyExchanges
from peers.link import Link
from peers.marking import Marking
from peers.mobility import Moving
from peers.nat_traversal import NatTraversal
from peers.over_tcp import OverTcp
from peers.reference import initial
from peers.reference.child import ChildSa
from peers.reference.connection import Connection
from peers.reference.errors import Inconclusive, NoAnswer, PeerError, ScriptError
from peers.reference.events import Endpoint, Event, IkeKeysDerived
from peers.reference.message import Message
from peers.reference.nat import Claim, detect
from peers.reference.negotiation import choose, ke
from peers.reference.numbers import ExchangeType, KeyExchangeMethod, NotifyType
from peers.reference.payloads import KE, SA, Notify, Payload, Proposal
from peers.reference.sa import FIRST_EXCHANGES, NO_SPI, IkeSa, Random
from peers.resuming import Resuming
from peers.silence import Silence

PATIENCE = (1.0, 1.0, 2.0)
"""Seconds that a request of ours waits before it is sent again; after the last it is given up."""

SHORT_PATIENCE = (0.05, 0.1, 0.2, 0.4, *PATIENCE)
"""The same for a request that is likely to be dropped."""


class Peer(
    Authenticating,
    Childless,
    Moving,
    KeyExchanges,
    NatTraversal,
    Marking,
    OverTcp,
    Resuming,
    Silence,
):
    """Our side of one connection, in either role (RFC 7296).

    ``connection`` is our view: ``local`` is the peer. ``ike`` is the IKE SA that the script works
    with, ``child`` its newest Child SA unless another one is used. ``claim`` says which NAT it
    pretends in a new IKE SA. A second peer of a test writes into the ``events`` of the first.
    """

    def __init__(
        self,
        link: Link,
        connection: Connection,
        random: Random,
        *,
        strict_silence: float = 0.0,
        events: list[Event] | None = None,
    ) -> None:
        ends = Endpoint(connection.local, 500), Endpoint(connection.remote, 500)
        talk = Conversation(link, *ends, events)
        super().__init__(talk, random)
        self.connection = connection
        self._strict_silence = strict_silence
        self.claim = Claim.NOTHING
        self._ike: IkeSa | None = None
        self._talk.courtesy = self._courtesy
        self._used: ChildSa | None = None
        self._key_exchanges = {}
        self._answered: dict[bytes, tuple[Said, ...]] = {}
        self._requests: dict[Message, HeardMessage] = {}
        self.proof_of_life: Callable[[], bool] | None = None
        """Says whether a target without IKE is alive."""
        self.until_done: Callable[[], object] = list
        """Returns when the target is done with what it has taken up (listing its SAs, say)."""

    @property
    def events(self) -> list[Event]:
        """The record of everything said and heard."""
        return self._talk.events

    @property
    def ike(self) -> IkeSa:
        """The IKE SA that the script works with; ScriptError when there is none yet."""
        if self._ike is None:
            raise ScriptError("no IKE SA has been started")
        return self._ike

    @property
    def child(self) -> ChildSa:
        """The newest Child SA, or the one in use; ScriptError when there is none."""
        if self._used is not None:
            return self._used
        if self._talk.keyed:
            return self._talk.keyed[-1]
        if not self.ike.children:
            raise ScriptError("no Child SA has been made")
        return self.ike.children[-1]

    def remark(self, text: str) -> None:
        """Write a sentence into the evidence."""
        self._talk.remark(text)

    def disturb(self, *faults: FlowFault) -> None:
        """Let packets be lost, doubled, late or replayed from now on."""
        self.remark("; ".join(map(str, faults)))
        self._talk.link = FaultyLink(self._talk.link, faults)

    # The initial exchanges as initiator.

    def ike_sa_init(self, group: KeyExchangeMethod | None = None) -> Message:
        """Start a new IKE SA: build HDR, SAi1, KEi, Ni."""
        self._ike, self.eap = self._new_ike(initiator=True), None
        self._take_way(self._ike)
        return self._tell_of_nats(initial.ike_sa_init(self._ike, group))

    def agree(self, request: Message, response: Message) -> None:
        """Take up the response to our IKE_SA_INIT request: check it and derive the keys."""
        sa = self.ike
        initial.hear_ike_sa_init(sa, request, response)
        sa.next_request_id = 1
        self._keys_derived(sa)
        self._traverse_nat(response)

    def open_ike_sa(self) -> None:
        """Do the whole IKE_SA_INIT exchange, with a cookie where the target wants one."""
        request = self.ike_sa_init()
        response = self.exchange(request)
        cookie = response.find_notify(NotifyType.COOKIE)
        if cookie is not None:
            request = initial.with_cookie(request, cookie.data)
            response = self.exchange(request)
        self.agree(request, response)

    def establish(self) -> ChildSa:
        """Do the initial exchanges; PeerError when they do not end with a Child SA."""
        self.open_ike_sa()
        self.exchange_keys()
        return self.authenticate()

    # Exchanges that we start.

    def request(self, exchange: ExchangeType, *payloads: Payload) -> Message:
        """Build the next request within the IKE SA."""
        return self.ike.request(exchange, *payloads)

    def informational(self, *payloads: Payload) -> Message:
        """Build an INFORMATIONAL request (RFC 7296, 1.4)."""
        return self.request(ExchangeType.INFORMATIONAL, *payloads)

    def say(self, message: Message, wrong: str = "") -> bytes:
        """Send a message once, as it is; give its octets, of fragments the first one's.

        ``wrong`` says for the evidence what is wrong with it on purpose, besides its wire faults.
        """
        return self._say(message, wrong)[0].octets

    def _say(self, message: Message, wrong: str = "") -> tuple[Said, ...]:
        said = tuple(Said(self.ike.encode(part), part) for part in self.ike.parts(message))
        if message.exchange in FIRST_EXCHANGES:
            if message.response:
                self.ike.response_octets = said[0].octets
            else:
                self.ike.request_octets = said[0].octets
        self._say_again(said, self.ike, wrong)
        return said

    def _say_again(self, said: Iterable[Said], sa: IkeSa, wrong: str = "") -> None:
        for each in said:
            self._talk.say(each.octets, each.message, sa, wrong)

    def say_octets(self, octets: bytes, message: Message | None = None) -> None:
        """Send octets once, as they are."""
        self._talk.say(octets, message, self.ike)

    def exchange(self, request: Message, wrong: str = "") -> Message:
        """Send a request until it is answered, and give the response.

        NoAnswer when it never is although the target is alive; Inconclusive when it is not.
        """
        return self.exchange_heard(request, wrong).message

    def exchange_heard(self, request: Message, wrong: str = "") -> HeardMessage:
        """Do `exchange`; give the response with its octets."""
        return self._heard_response(request, self._say(request, wrong))

    def _heard_response(self, request: Message, said: Iterable[Said]) -> HeardMessage:
        response = self._response(request, said)
        if response is None:
            self._no_answer(f"no response to {request}")
        if request.protected:
            self.ike.next_request_id = request.message_id + 1
        else:
            self.ike.response_octets = response.octets
        return response

    def settle(self) -> None:
        """Ask for a sign of life at short intervals: it comes when our last response is processed.

        A daemon that is still at work on a response drops requests that overtake it.
        """
        request = self.informational()
        if self._response(request, self._say(request), SHORT_PATIENCE) is None:
            self._no_answer(f"no response to {request}")
        self.ike.next_request_id = request.message_id + 1
        self.exchange(self.informational())
        # Answers to what was sent more than once have come before that one.
        self._talk.drop(lambda heard: _answers(heard, request))

    def _response(
        self, request: Message, said: Iterable[Said], patiences: Iterable[float] = PATIENCE
    ) -> HeardMessage | None:
        for number, patience in enumerate(patiences):
            if number:
                self._say_again(said, self.ike)
            heard = self._talk.hear(lambda h: _answers(h, request), patience)
            if isinstance(heard, HeardMessage):
                return heard
        return None

    def exchange_on(self, sa: IkeSa, request: Message) -> Message:
        """Do `exchange` on another IKE SA of ours than the one that the script works with."""
        with self._on(sa):
            return self.exchange(request)

    @contextmanager
    def _on(self, sa: IkeSa) -> Iterator[None]:
        current, self._ike = self._ike, sa
        try:
            yield
        finally:
            self._ike = current

    @contextmanager
    def using(self, child: ChildSa) -> Iterator[None]:
        """Have traffic go through another Child SA than the newest one."""
        before, self._used = self._used, child
        try:
            yield
        finally:
            self._used = before

    def is_answered(self, request: Message) -> bool:
        """Send a request until it is answered; say whether it was, by a target that is alive."""
        try:
            self.exchange(request)
        except NoAnswer:
            return False
        return True

    def repeated_response(self, request: Message, octets: bytes) -> HeardMessage:
        """Send the octets of a request again and give what comes back."""
        self.remark("the same octets again")
        self._talk.say(octets, request, self.ike)
        heard = self._response(request, [Said(octets, request)])
        if heard is None:
            self._no_answer(f"no response to the repeated {request}")
        return heard

    # Proof that the target is alive.

    def fence(self) -> None:
        """Do an IKE_SA_INIT exchange of another IKE SA; Inconclusive when it is not answered.

        The target has taken up what came before, and is done with it on return.
        """
        if self.proof_of_life is not None:
            if not self.proof_of_life():
                raise Inconclusive("the target is not alive")
            return
        self.remark("fence: a plain IKE_SA_INIT request must be answered")
        bystander = self._new_ike(initiator=True)
        request = initial.ike_sa_init(bystander)
        octets = bystander.encode(request)
        for patience in PATIENCE:
            self._talk.say(octets, request, bystander)
            if self._talk.hear(lambda h: _answers(h, request), patience) is not None:
                self.until_done()
                return
        raise Inconclusive("the target does not answer even a plain IKE_SA_INIT request")

    def _no_answer(self, what: str) -> NoReturn:
        self.fence()
        raise NoAnswer(f"{what}, though the target answers a plain IKE_SA_INIT request")

    # The initial exchanges as responder.

    def hear_request(self, exchange: ExchangeType, timeout: float = TRIGGERED) -> Message:
        """Wait for a request of the target; NoAnswer when none comes though it is alive."""
        return self.hear_request_octets(exchange, timeout).message

    def hear_request_octets(
        self, exchange: ExchangeType, timeout: float = TRIGGERED
    ) -> HeardMessage:
        """Do `hear_request`; give the request with its octets."""

        def wanted(heard: Heard) -> bool:
            return (
                isinstance(heard, HeardMessage)
                and heard.message.exchange == exchange
                and not heard.message.response
                and heard.octets not in self._answered
            )

        heard = self._talk.hear(wanted, timeout)
        if not isinstance(heard, HeardMessage):
            self._no_answer(f"no {exchange!s} request from the target")
        self._requests[heard.message] = heard
        if exchange in FIRST_EXCHANGES:
            self._follow(heard)
        elif heard.sa is not None:
            self._follow_path(heard.sa, heard.packet)
        return heard

    def hears_again(self, request: Message, timeout: float = TRIGGERED) -> bool:
        """Wait for a request that was heard and not answered to come once more."""
        octets = self._requests[request].octets
        heard = self._talk.hear(
            lambda each: isinstance(each, HeardMessage) and each.octets == octets, timeout
        )
        return heard is not None

    def _follow(self, heard: HeardMessage) -> None:
        """Become the responder of the IKE SA that the target starts."""
        if self._ike is None or self._ike.spi_i != heard.message.spi_i:
            self._ike = self._new_ike(initiator=False, spi_i=heard.message.spi_i)
            self.eap = None
        self._ike.local = heard.packet.destination
        self._ike.remote = heard.packet.source
        self._ike.request_octets = heard.octets
        self._ike.nat = detect(heard.message, heard.packet.source, heard.packet.destination)

    def refusal(self, request: Message, notify: Notify) -> Message:
        """Build a response that makes no IKE SA: a cookie, another group, an error (2.6)."""
        return replace(request.reply(notify), spi_r=NO_SPI, protected=False)

    def choose(self, request: Message) -> Proposal:
        """Choose from the target's offer what fits its KE payload.

        PeerError when the offer has nothing that was configured.
        """
        group = ke(KeyExchangeMethod(request.get(KE).group))
        offered = tuple(
            replace(
                p, transforms=tuple(t for t in p.transforms if t.type != group.type or t == group)
            )
            for p in request.get(SA).proposals
        )
        chosen = choose(SA(offered), self.connection.ike_proposals)
        if chosen is None:
            raise PeerError(f"nothing in the offer that the target was configured with: {request}")
        return chosen

    def ike_sa_init_response(self, request: Message) -> Message:
        """Build the response that grants an IKE SA, and derive its keys."""
        response = initial.answer_ike_sa_init(self.ike, request, self.choose(request))
        self._keys_derived(self.ike)
        return response

    def reply(self, request: Message, *payloads: Payload) -> Message:
        """Build a response of ours to a request of the target."""
        sa = self._sa_of(request)
        return replace(request.reply(*payloads), spi_r=sa.spi_r, protected=request.protected)

    def answer(self, request: Message, response: Message, wrong: str = "") -> None:
        """Send a response, and send it again whenever the request is retransmitted.

        ScriptError for a request that was not heard with `hear_request`.
        """
        if request not in self._requests:
            raise ScriptError(f"nothing was heard that this could answer: {request}")
        sa, heard = self._sa_of(request), self._requests[request]
        with self._on(sa), self._back(sa, heard):
            self._answer_with(request, self._say(response, wrong))

    def _answer_with(self, request: Message, said: tuple[Said, ...]) -> None:
        self._answered[self._requests[request].octets] = said
        self._sa_of(request).expected_request_id = request.message_id + 1

    def _sa_of(self, request: Message) -> IkeSa:
        """Give the IKE SA of a request: it may be an older one than that in use."""
        heard = self._requests.get(request)
        return (heard.sa if heard else None) or self.ike

    def accept_ike_sa_init(self, request: Message | None = None) -> Message:
        """Grant the IKE SA that the target asks for; give its IKE_AUTH request."""
        request = request or self.hear_request(ExchangeType.IKE_SA_INIT)
        self.answer(request, self.ike_sa_init_response(request))
        self.accept_keys()
        return self.hear_request(ExchangeType.IKE_AUTH)

    def accept(self, request: Message | None = None) -> ChildSa:
        """Do both initial exchanges as responder, after the target was told to initiate.

        ``request`` is its IKE_SA_INIT request where that has been heard already.
        """
        request = self.accept_ike_sa_init(request)
        self.answer(request, self.ike_auth_response(request))
        while self.eap_goes_on:
            request = self.hear_request(ExchangeType.IKE_AUTH)
            self.answer(request, self.ike_auth_response(request))
        return self.child

    # Hearing, and what a peer does by itself meanwhile.

    def _courtesy(self, heard: Heard) -> bool:
        """Answer what nobody waits for, as any peer would; a repetition is settled by that."""
        if isinstance(heard, HeardEsp):
            return self._answer_echo(heard)
        if isinstance(heard, HeardKeepalive):
            return True
        if isinstance(heard, HeardInTheClear):
            return False
        request = heard.message
        if request.response or heard.sa is None:
            return False
        self._follow_path(heard.sa, heard.packet)
        if heard.octets in self._answered:
            with self._back(heard.sa, heard):
                self._say_again(self._answered[heard.octets], heard.sa)
            return True
        if request.protected and request.exchange in _COURTESIES:
            if request in self._requests:
                # The script has it and says when it is answered.
                return True
            self._requests[request] = heard
            with self._on(heard.sa):
                payloads = _COURTESIES[request.exchange](self, request)
            self.answer(request, self.reply(request, *self._to_mobility(heard), *payloads))
        return False

    def _new_ike(self, *, initiator: bool, spi_i: bytes = NO_SPI) -> IkeSa:
        sa = IkeSa(
            self.connection,
            initiator=initiator,
            local=self._talk.local,
            remote=self._talk.remote,
            random=self.random,
            spi_i=spi_i,
        )
        sa.claim |= self.claim
        self._talk.sas.append(sa)
        return sa

    def _keys_derived(self, sa: IkeSa) -> None:
        self.events.append(IkeKeysDerived(self._talk.link.now(), sa.established_keys()))


_COURTESIES: Mapping[ExchangeType, Callable[[Peer, Message], tuple[Payload, ...]]] = {
    ExchangeType.INFORMATIONAL: Peer.deleted,
    ExchangeType.CREATE_CHILD_SA: lambda peer, request: (Notify(NotifyType.NO_ADDITIONAL_SAS),),
}


def _answers(heard: Heard, request: Message) -> bool:
    if not isinstance(heard, HeardMessage):
        return False
    message = heard.message
    return (
        message.response
        # Whoever can forge a packet can answer in clear: that is a reaction, not the response.
        and message.protected == request.protected
        and message.spi_i == request.spi_i
        and message.message_id == request.message_id
        and message.exchange == request.exchange
    )
