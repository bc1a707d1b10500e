"""The endpoint as responder: one handler for each exchange (RFC 7296, 1.2 to 1.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from hmac import digest
from typing import TYPE_CHECKING

from peers.reference import authentication, initial, intermediate, redirect, resumption
from peers.reference.announcements import HALF_OPEN
from peers.reference.connection import Connection
from peers.reference.eap_exchange import EapResponder, uses_eap
from peers.reference.errors import AuthenticationFailure, PeerError
from peers.reference.events import Packet
from peers.reference.identity import Identity
from peers.reference.message import Message
from peers.reference.negotiation import Suite
from peers.reference.numbers import (
    ExchangeType,
    NotifyType,
)
from peers.reference.payloads import (
    AUTH,
    KE,
    IDi,
    Nonce,
    Notify,
    Payload,
    Proposal,
    TSi,
    TSr,
)
from peers.reference.refusal import Refusal
from peers.reference.resumption import Suspended
from peers.reference.sa import NO_SPI, IkeSa
from peers.reference.session import Later, Session
from peers.reference.states import Event, State

if TYPE_CHECKING:
    from peers.reference.endpoint import Endpoint

Payloads = tuple[Payload, ...]
Handler = Callable[["Session", Message], Payloads]


class Responder:
    """Answers the requests of an endpoint's peers."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._decide = endpoint.decide
        self._handlers: dict[tuple[State, ExchangeType], Handler] = {
            (State.INIT_ANSWERED, ExchangeType.IKE_INTERMEDIATE): self._ike_intermediate,
            (State.INIT_ANSWERED, ExchangeType.IKE_AUTH): self._ike_auth,
            (State.ESTABLISHED, ExchangeType.CREATE_CHILD_SA): self._create_child_sa,
            (State.REPLACED, ExchangeType.CREATE_CHILD_SA): self._create_child_sa,
            (State.DELETING, ExchangeType.CREATE_CHILD_SA): self._create_child_sa,
            (State.ESTABLISHED, ExchangeType.IKE_FOLLOWUP_KE): self._ike_followup_ke,
            (State.ESTABLISHED, ExchangeType.INFORMATIONAL): self._informational,
            (State.REPLACED, ExchangeType.INFORMATIONAL): self._informational,
            (State.DELETING, ExchangeType.INFORMATIONAL): self._informational,
        }

    # IKE_SA_INIT.

    def answer_first(self, packet: Packet, request: Message, octets: bytes) -> None:
        """Answer a first request, with a new IKE SA or without one."""
        try:
            connection, grounds = self._settle(packet, request)
        except Refusal as refusal:
            self._answer_statelessly(packet, request, refusal.notify)
            return
        except PeerError as problem:
            self._endpoint.drop(f"{request.exchange!s} refused: {problem}")
            return
        self._open_ike_sa(packet, request, octets, connection, grounds)

    def _settle(self, packet: Packet, request: Message) -> tuple[Connection, Proposal | Suspended]:
        """Find the connection, and what its IKE SA is made from: a choice, or a ticket's state."""
        self._refuse_unknown(request)
        self._decide.check_nonce(request)
        self._challenge(packet, request)
        connection = self._connection(packet)
        if connection is None:
            raise Refusal(Notify(NotifyType.NO_PROPOSAL_CHOSEN))
        if request.exchange == ExchangeType.IKE_SESSION_RESUME:
            return connection, self._endpoint.resumptions.find(connection, request)
        return connection, self._choose(connection, request)

    def _choose(self, connection: Connection, request: Message) -> Proposal:
        chosen = self._decide.choose(
            self._decide.usable_offer(request, connection), connection.ike_proposals
        )
        if chosen is None:
            raise Refusal(Notify(NotifyType.NO_PROPOSAL_CHOSEN))
        method = Suite.of(chosen).ke
        if method is not None and self._decide.minds_group(request.get(KE).group, method):
            raise Refusal(self._decide.wrong_group(method))
        return chosen

    def _refuse_unknown(self, request: Message) -> None:
        unknown = self._decide.unsupported_critical(request)
        unknown = unknown or self._decide.refused_unknown(request)
        if unknown is not None:
            data = bytes([unknown.type])
            raise Refusal(Notify(NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD, data))

    def _challenge(self, packet: Packet, request: Message) -> None:
        if not self._endpoint.challenging or not self._decide.challenges(packet):
            return
        source = self._decide.cookie_seed(packet)
        seed = request.get(Nonce).data + source + request.spi_i
        expected = digest(self._endpoint.cookie_secret, seed, sha256)
        cookie = request.find_notify(NotifyType.COOKIE)
        if cookie is None or not self._decide.cookie_is_right(cookie.data, expected):
            raise Refusal(Notify(NotifyType.COOKIE, expected))

    def _connection(self, packet: Packet) -> Connection | None:
        ends = (packet.destination.address, packet.source.address)
        known = self._endpoint.connections.values()
        return next((c for c in known if (c.local, c.remote) == ends), None)

    def _connection_of(self, found: Connection, identity: Identity) -> Connection:
        """Find the connection of an initiator: several may come from one address, that of a NAT."""
        ends = found.local, found.remote
        fitting = (
            each
            for each in (found, *self._endpoint.connections.values())
            if each.remote_identity == identity and (each.local, each.remote) == ends
        )
        return next(fitting, found)

    def _answer_statelessly(self, packet: Packet, request: Message, notify: Notify) -> None:
        response = replace(request.reply(notify), spi_r=NO_SPI)
        octets = self._decide.edit(response).encode()
        self._endpoint.transmit(packet.destination, packet.source, octets)

    def _open_ike_sa(
        self,
        packet: Packet,
        request: Message,
        octets: bytes,
        connection: Connection,
        grounds: Proposal | Suspended,
    ) -> None:
        sa = IkeSa(
            connection,
            initiator=False,
            local=packet.destination,
            remote=packet.source,
            random=self._endpoint.random,
            spi_i=request.spi_i,
        )
        try:
            response = self._first_response(sa, request, grounds)
        except PeerError as problem:
            self._endpoint.drop(f"{request.exchange!s} refused: {problem}")
            return
        response += self._decide.childless_announcement(connection)
        session = Session(sa)
        session.resumes = grounds if isinstance(grounds, Suspended) else None
        due = self._endpoint.now + HALF_OPEN
        session.later += (Later(due, self._endpoint.announcements.expire),)
        sa.nat = self._decide.detects(request, packet.source, packet.destination)
        sa.redirectable = redirect.is_supported(request)
        sa.request_octets = octets
        sa.expected_request_id = 1
        sa.move(Event.ANSWER_INIT)
        self._endpoint.sessions.append(session)
        self._endpoint.announcements.hear_unauthenticated(session, request)
        self._answer(session, packet, response)
        (sa.response_octets,) = session.response

    def _first_response(
        self, sa: IkeSa, request: Message, grounds: Proposal | Suspended
    ) -> Message:
        if isinstance(grounds, Suspended):
            return resumption.answer(sa, request, grounds)
        usable = self._decide.with_usable_ke(request)
        return initial.answer_ike_sa_init(sa, usable, grounds, self._decide)

    # Requests within an IKE SA.

    def answer(self, session: Session, packet: Packet, request: Message, problem: str = "") -> None:
        """Answer a request of an IKE SA; what the state does not allow is dropped.

        ``problem`` says what is wrong with a malformed one, of which there is only the header.
        """
        phase = self._decide.phase(session.sa.state, request.exchange)
        handler = self._handlers.get((phase, request.exchange))
        if handler is None or not self._is_agreed(session, request):
            self._endpoint.drop(f"{request.exchange!s} while {session.sa.state.value}")
            session.put_back(request.message_id)
            return
        payloads = self._carry_out(session, handler, request, problem)
        if payloads is None:
            session.put_back(request.message_id)
            return
        response = self._answer(session, packet, replace(request.reply(*payloads), protected=True))
        if intermediate.is_granted(response):
            session.sa.move(Event.ANSWER_INTERMEDIATE)
            intermediate.complete(self._decide, session.sa, request, response)
        elif self._is_unauthenticated(session) and not self._decide.keeps_unauthenticated():
            session.closing = "authentication failed"
        if session.closing:
            self._endpoint.close(session, session.closing)

    def _carry_out(
        self, session: Session, handler: Handler, request: Message, problem: str
    ) -> Payloads | None:
        """Give the payloads of the response; None for none at all, which only a fault wants."""
        try:
            if problem:
                raise PeerError(problem)
            self._refuse_unknown(request)
            return handler(session, request)
        except Refusal as refusal:
            if not self._decide.keeps_ike_sa_after_refusal(request):
                session.closing = "a request was refused"
            return (refusal.notify,)
        except PeerError as error:
            self._endpoint.say(f"request refused: {error}")
            session.eap = None
            answer = self._decide.malformed_answer(request.exchange)
            if answer and self._decide.closes_after_invalid_syntax():
                session.closing = "a request was malformed"
            return answer

    def _answer(self, session: Session, packet: Packet, response: Message) -> Message:
        response = self._decide.edit(response)
        session.keep(response, self._decide.datagrams(session.sa, response))
        self._endpoint.respond(session, packet, session.response)
        return response

    def _is_unauthenticated(self, session: Session) -> bool:
        """Say whether IKE_AUTH is over, and the other side is not authenticated."""
        goes_on = isinstance(session.eap, EapResponder) and session.eap.goes_on
        return session.sa.state is State.INIT_ANSWERED and not goes_on

    def _is_agreed(self, session: Session, request: Message) -> bool:
        optional = request.exchange == ExchangeType.IKE_INTERMEDIATE
        return not optional or self._decide.takes_intermediate(session.sa)

    def _ike_intermediate(self, session: Session, request: Message) -> Payloads:
        return intermediate.answer(self._decide, session.sa, request)

    def _ike_auth(self, session: Session, request: Message) -> Payloads:
        sa, first = session.sa, request
        if not self._decide.may_authenticate(sa):
            raise PeerError("IKE_AUTH before all key exchanges are done (RFC 9242, 3.2)")
        if session.eap is None:
            self._endpoint.announcements.hear_unauthenticated(session, request)
        try:
            mine = self._authenticate(session, request)
        except AuthenticationFailure as problem:
            session.eap = None
            self._endpoint.say(f"authentication failed: {problem}")
            return self._decide.authentication_refusal()
        if isinstance(session.eap, EapResponder):
            if not session.eap.finished:
                return mine
            first = session.eap.first
        self._endpoint.movements.refuse_changed(session, first)
        try:
            child = self._first_child(session, first)
        except Refusal as refusal:
            child = (refusal.notify,)
            if not self._decide.keeps_ike_sa_without_child():
                session.closing = "its first Child SA was refused"
        # Not before: a request without a Child SA to ask for is malformed and makes no IKE SA.
        sa.authenticated()
        expire = self._endpoint.announcements.expire
        session.later = tuple(each for each in session.later if each.do != expire)
        self._endpoint.lifetimes.begin_ike(session)
        self._endpoint.say(f"established {sa} with {sa.connection.remote_identity}")
        session.last_auth = request.message_id
        self._endpoint.announcements.hear(session, first)
        self._endpoint.movements.hear_support(session, first)
        self._endpoint.resumptions.complete(session)
        named = authentication.ppk_payloads(self._decide, sa)
        more = (*self._endpoint.announcements.own(session), *named)
        return (*mine, *child, *more, *self._endpoint.resumptions.grant(session, first))

    def _first_child(self, session: Session, request: Message) -> Payloads:
        """Grant the Child SA of IKE_AUTH, or none where none is asked for (RFC 6023, 3)."""
        if redirection := self._decide.redirection(session.sa):
            return redirection
        if self._decide.grants_childless(session.sa, request):
            return self._endpoint.configurations.inform(session, request)
        configuration = self._endpoint.configurations.answer(session, request)
        return (*configuration, *self._endpoint.children.answer_first(session, request))

    def _authenticate(self, session: Session, request: Message) -> Payloads:
        """Check who the initiator is; give what proves who we are, or the next EAP payload."""
        sa, now = session.sa, self._endpoint.now
        if request.has(IDi):
            sa.connection = self._connection_of(sa.connection, Identity.of(request.get(IDi)))
        if (
            session.eap is None
            and not request.has(AUTH)
            and uses_eap(sa.connection.remote_credential)
        ):
            session.eap = EapResponder(sa, self._decide, request, now)
        if isinstance(session.eap, EapResponder):
            return session.eap.hear(request, now)
        authentication.verify(self._decide, sa, request, now)
        return authentication.own_payloads(self._decide, sa)

    def _create_child_sa(self, session: Session, request: Message) -> Payloads:
        self._decide.check_nonce(request)
        request = self._decide.with_usable_ke(request)
        if request.has(TSi) or request.has(TSr):
            configuration = self._endpoint.configurations.answer(session, request)
            return (*configuration, *self._endpoint.children.answer(session, request))
        return self._endpoint.successors.answer(session, request)

    def _ike_followup_ke(self, session: Session, request: Message) -> Payloads:
        return self._endpoint.followups.answer(session, request)

    def _informational(self, session: Session, request: Message) -> Payloads:
        if self._decide.deletes_ike_sa(request):
            session.closing = "deleted by the peer"
            return self._decide.informational_answer(request)
        if self._decide.fails_late(request, session.last_auth):
            session.closing = "the peer could not take our response to IKE_AUTH"
            return self._decide.informational_answer(request)
        self._endpoint.announcements.hear(session, request)
        configuration = self._endpoint.configurations.inform(session, request)
        movement = self._endpoint.movements.answer(session, request)
        self._endpoint.redirects.hear_authenticated(session, request)
        granted = self._endpoint.resumptions.grant(session, request)
        closed = self._endpoint.closures.answer(session, request)
        return (*configuration, *movement, *granted, *closed)
