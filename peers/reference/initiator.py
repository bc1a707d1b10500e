"""The endpoint as initiator: what it asks for, and what it makes of each response."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from peers.reference import authentication, childless, configuration, initial, intermediate, ppk
from peers.reference import child as child_sa
from peers.reference.connection import Connection
from peers.reference.eap_exchange import EapInitiator, uses_eap
from peers.reference.errors import AuthenticationFailure, InvalidPublicValue, PeerError
from peers.reference.events import Endpoint as At
from peers.reference.events import IPAddress
from peers.reference.ip import IpPacket
from peers.reference.message import Message
from peers.reference.nat import floated
from peers.reference.numbers import ExchangeType, KeyExchangeMethod, NotifyType
from peers.reference.payloads import SA, Nonce, Notify, Payload, TSi, TSr
from peers.reference.purposes import (
    AddressUpdate,
    ChildEnd,
    ChildWish,
    IkeWish,
    Purpose,
    RouteCheck,
)
from peers.reference.sa import FIRST_EXCHANGES, IkeSa
from peers.reference.session import Pending, Session, Wanted
from peers.reference.states import Event, State

if TYPE_CHECKING:
    from peers.reference.endpoint import Endpoint

MAX_RETRIES = 3
"""IKE_SA_INIT requests are repeated that often for cookies and groups together."""


class Initiator:
    """Starts exchanges for an endpoint and takes up their responses."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._decide = endpoint.decide
        self._retries: dict[bytes, int] = {}
        self._handlers: dict[ExchangeType, Callable[[Session, Pending, Message], None]] = {
            ExchangeType.IKE_INTERMEDIATE: self._hear_ike_intermediate,
            ExchangeType.IKE_AUTH: self._hear_ike_auth,
            ExchangeType.CREATE_CHILD_SA: self._hear_create_child_sa,
            ExchangeType.IKE_FOLLOWUP_KE: self._endpoint.followups.hear,
            ExchangeType.INFORMATIONAL: self._hear_informational,
        }

    def start(
        self,
        connection: Connection,
        origin: IPAddress | None = None,
        because_of: IpPacket | None = None,
    ) -> None:
        """Send the first request: present a ticket, or begin with IKE_SA_INIT.

        ``origin`` has redirected us (RFC 5685); ``because_of`` is a packet that wants a Child SA.
        """
        local, remote = self._ends(connection)
        random = self._endpoint.random
        sa = IkeSa(connection, initiator=True, local=local, remote=remote, random=random)
        sa.because_of = because_of
        session = Session(sa)
        self._endpoint.sessions.append(session)
        held = self._endpoint.tickets.usable(connection)
        if held is not None:
            request = self._endpoint.tickets.present(session, held)
        else:
            request = initial.ike_sa_init(sa)
            request += self._decide.redirect_announcement(connection, origin)
        sa.move(Event.SEND_INIT)
        self._endpoint.request(session, request)

    def _ends(self, connection: Connection) -> tuple[At, At]:
        if self._decide.begins_over_tcp(connection):
            return self._endpoint.streams.open(connection.local, connection.remote)
        return At(connection.local, 500), At(connection.remote, 500)

    def hear(self, session: Session, pending: Pending, response: Message, octets: bytes) -> None:
        """Take up the response to a request of ours.

        One to IKE_SA_INIT that cannot be used is dropped, and we go on waiting for a better one:
        nothing is authenticated yet (RFC 7296, 2.21.1).
        """
        request = pending.message
        if request.exchange in FIRST_EXCHANGES:
            hear = self._hear_ike_sa_init
            if request.exchange == ExchangeType.IKE_SESSION_RESUME:
                hear = self._hear_ike_session_resume
            try:
                hear(session, request, response, octets)
            except PeerError as problem:
                if self._decide.obeys_unauthenticated_error(session.sa, response):
                    self._endpoint.close(session, str(problem))
                    return
                self._endpoint.drop(f"{request.exchange!s} response: {problem}")
                session.outstanding[request.message_id] = pending
            return
        try:
            self._handlers[request.exchange](session, pending, response)
        except InvalidPublicValue as problem:
            self._end(session, problem)
        except PeerError as problem:
            if report := self._decide.report_on_response():
                self._endpoint.request(
                    session, session.sa.request(ExchangeType.INFORMATIONAL, report)
                )
                return
            self._endpoint.close(session, str(problem))

    def _end(self, session: Session, problem: InvalidPublicValue) -> None:
        """Delete an IKE SA because of a public value; half-open it is given up (RFC 6989, 2.5)."""
        if session.sa.state is State.ESTABLISHED:
            self._endpoint.say(str(problem))
            self._endpoint.successors.delete(session)
        else:
            self._endpoint.close(session, str(problem))

    def _hear_ike_sa_init(
        self, session: Session, request: Message, response: Message, octets: bytes
    ) -> None:
        sa = session.sa
        if self._decide.unsupported_critical(response):
            raise PeerError("an unknown critical payload in the response")
        if error := self._decide.unknown_error(response):
            raise PeerError(f"the response tells of an error that is not known: {error}")
        retry = self._retry(session, request, response)
        if retry is not None:
            sa.move(Event.RETRY_INIT)
            self._endpoint.request(session, retry)
            return
        if self._endpoint.redirects.hear_init(session, request, response):
            return
        if not response.has(SA):
            raise PeerError(f"the responder refused: {response}")
        self._decide.check_nonce(response)
        response = self._decide.with_usable_ke(response)
        initial.hear_ike_sa_init(sa, request, response, self._decide.check_choice)
        if ppk.refuses_response(self._decide, sa):
            self._endpoint.close(session, "the responder uses no PPK, which is required")
            return
        sa.childless = childless.is_supported(response)
        self._begin(session, response, octets)

    def _hear_ike_session_resume(
        self, session: Session, request: Message, response: Message, octets: bytes
    ) -> None:
        sa = session.sa
        retry = self._retry(session, request, response)
        if retry is not None:
            sa.move(Event.RETRY_INIT)
            self._endpoint.request(session, retry)
        elif self._endpoint.tickets.hear(session, response):
            self._begin(session, response, octets)
        else:
            self._endpoint.close(session, "the ticket is refused")
            if self._decide.starts_over_without_ticket():
                self.start(sa.connection)

    def _begin(self, session: Session, response: Message, octets: bytes) -> None:
        """Go on under the keys that the first exchange made."""
        sa = session.sa
        sa.response_octets = octets
        sa.next_request_id = 1
        sa.nat = self._decide.detects(response, sa.remote, sa.local)
        if self._decide.floats(sa):
            sa.local, sa.remote = floated(sa.local), floated(sa.remote)
        if sa.intermediate is not None:
            sa.intermediate.left = self._decide.in_order(sa.intermediate.left)
        self._go_on(session)

    def _go_on(self, session: Session) -> None:
        """Do the next additional key exchange; authenticate when none is left (RFC 9370, 2.2)."""
        if self._decide.may_authenticate(session.sa):
            self._authenticate(session)
            return
        session.sa.move(Event.SEND_INTERMEDIATE)
        self._endpoint.request(session, intermediate.request(session.sa))

    def _hear_ike_intermediate(self, session: Session, pending: Pending, response: Message) -> None:
        intermediate.hear(self._decide, session.sa, response)
        intermediate.complete(self._decide, session.sa, pending.message, response)
        self._go_on(session)

    def _authenticate(self, session: Session) -> None:
        sa = session.sa
        offer, wish = self._offer(sa)
        asked = self._endpoint.tickets.asked(sa.connection)
        offer = (*offer, *self._endpoint.announcements.own(session), *asked)
        sa.move(Event.SEND_AUTH)
        try:
            request = self._first_ike_auth(session, offer)
        except AuthenticationFailure as problem:
            self._endpoint.close(session, str(problem))
            return
        self._endpoint.request(session, request, wish)

    def _offer(self, sa: IkeSa) -> tuple[tuple[Payload, ...], ChildWish | None]:
        """Give what IKE_AUTH asks for, and the wish for the first Child SA, if it goes along."""
        if self._decide.goes_childless(sa):
            return (), None
        takes = sa.connection.takes
        policy = configuration.asking(sa.connection.children[0], takes)
        wish = ChildWish(policy, self._endpoint.random(child_sa.SPI_SIZE))
        offer = child_sa.offer(
            policy,
            wish.spi,
            with_key_exchange=False,
            because_of=self._decide.put_first(sa.because_of),
        )
        return offer if takes is None else (configuration.asked(takes), *offer), wish

    def _first_ike_auth(self, session: Session, offer: tuple[Payload, ...]) -> Message:
        if not uses_eap(session.sa.connection.local_credential):
            return initial.ike_auth(session.sa, offer, self._decide)
        session.eap = EapInitiator(session.sa, self._decide, self._endpoint.now)
        return session.eap.begin(offer)

    def _retry(self, session: Session, request: Message, response: Message) -> Message | None:
        cookie = response.find_notify(NotifyType.COOKIE)
        group = response.find_notify(NotifyType.INVALID_KE_PAYLOAD)
        if cookie is None and group is None:
            return None
        if not self._decide.follows_refusal(response):
            raise PeerError("a refusal that is not followed")
        if cookie is not None and not self._decide.follows_cookie(cookie.data):
            raise PeerError(f"a cookie of {len(cookie.data)} octets")
        self._retries[session.sa.spi_i] = self._retries.get(session.sa.spi_i, 0) + 1
        if self._retries[session.sa.spi_i] > MAX_RETRIES:
            raise PeerError("the responder asks for one more IKE_SA_INIT again and again")
        if cookie is not None:
            return self._decide.retry_with_cookie(session.sa, request, cookie.data)
        assert group is not None
        number = int.from_bytes(group.data, "big")
        if len(group.data) != 2:
            raise PeerError(f"INVALID_KE_PAYLOAD with {len(group.data)} octets of data")
        if not self._decide.follows_group(request, number):
            raise PeerError(f"INVALID_KE_PAYLOAD asks for group {number}, which was not offered")
        return self._decide.retry_with_group(session.sa, request, KeyExchangeMethod(number))

    def _hear_ike_auth(self, session: Session, pending: Pending, response: Message) -> None:
        sa, wish, request = session.sa, pending.purpose, pending.message
        if self._decide.denies_authentication(response):
            raise PeerError("the responder did not authenticate us")
        try:
            if isinstance(session.eap, EapInitiator):
                following = session.eap.hear(response, self._endpoint.now)
                if following is not None:
                    self._endpoint.request(session, following, wish)
                    return
                request = session.eap.first or request
            else:
                authentication.verify(self._decide, sa, response, self._endpoint.now)
        except AuthenticationFailure as problem:
            if self._decide.follows_unauthenticated_redirect():
                self._endpoint.redirects.hear_authenticated(session, response)
                sa.authenticated()
                return
            self._refuse_authentication(session, str(problem))
            return
        nonces = sa.nonces()
        sa.authenticated()
        self._endpoint.tickets.keep(session, response)
        self._endpoint.lifetimes.begin_ike(session)
        self._endpoint.announcements.hear(session, response)
        self._endpoint.movements.hear_support(session, response)
        granted = response.has(SA, TSi, TSr) and not self._decide.unknown_error(response)
        if isinstance(wish, ChildWish) and granted:
            self._take_first_child(session, wish, request, response, nonces)
        redirected = self._endpoint.redirects.hear_authenticated(session, response)
        if redirected or self._gives_up(session, wish, response):
            return
        if wish is None:
            # A Child SA of its own exchange takes the place of what IKE_AUTH left out (RFC 6023).
            first = sa.connection.children[0]
            session.waiting.append(Wanted(partial(self._endpoint.children.create, policy=first)))
        self._endpoint.say(f"established {sa} with {sa.connection.remote_identity}")

    def _gives_up(self, session: Session, wish: object, response: Message) -> bool:
        """Close an IKE SA whose first Child SA is refused, which only a fault does (1.2)."""
        refused = isinstance(wish, ChildWish) and not response.has(SA, TSi, TSr)
        if not refused or self._decide.keeps_ike_sa_without_child():
            return False
        self._endpoint.close(session, "its first Child SA was refused")
        return True

    def _take_first_child(
        self,
        session: Session,
        wish: ChildWish,
        request: Message,
        response: Message,
        nonces: tuple[bytes, bytes],
    ) -> None:
        usable = self._endpoint.configurations.take(session, response)
        if usable is None:
            self._endpoint.successors.delete(session)
            return
        wish.policy = session.sa.connection.children[0]
        self._endpoint.children.take(session, wish, request, usable, nonces)

    def _refuse_authentication(self, session: Session, problem: str) -> None:
        if self._decide.keeps_unauthenticated():
            session.sa.authenticated()
            return
        session.closing = f"the responder is not authenticated: {problem}"
        failed = Notify(NotifyType.AUTHENTICATION_FAILED)
        self._endpoint.request(session, session.sa.request(ExchangeType.INFORMATIONAL, failed))

    def _hear_create_child_sa(self, session: Session, pending: Pending, response: Message) -> None:
        purpose, request = pending.purpose, pending.message
        if response.has(Nonce):
            self._decide.check_nonce(response)
        response = self._decide.with_usable_ke(response)
        if isinstance(purpose, ChildWish):
            self._endpoint.children.hear(session, purpose, request, response)
        elif isinstance(purpose, IkeWish):
            self._endpoint.successors.hear(session, purpose, request, response)

    def _hear_informational(self, session: Session, pending: Pending, response: Message) -> None:
        if session.closing:
            self._endpoint.close(session, session.closing)
        elif session.sa.state is State.DELETING:
            self._endpoint.close(session, "deleted by us")
        elif mismatch := self._endpoint.movements.hear_cookie(pending.message, response):
            self._endpoint.close(session, mismatch)
        else:
            self._hear_purpose(session, pending.purpose, response)

    def _hear_purpose(self, session: Session, purpose: Purpose | None, response: Message) -> None:
        movements = self._endpoint.movements
        if isinstance(purpose, ChildEnd):
            self._endpoint.closures.hear(session, purpose)
        elif isinstance(purpose, RouteCheck):
            movements.hear_check(session, purpose)
        elif isinstance(purpose, AddressUpdate):
            movements.hear_update(session, purpose, response)
        else:
            movements.hear_liveness(session, response)
