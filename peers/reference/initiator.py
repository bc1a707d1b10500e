"""The endpoint as initiator: what it asks for, and what it makes of each response."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from peers.reference import child as child_sa
from peers.reference import initial, rekey
from peers.reference.child import ChildSa, ChildTerms
from peers.reference.connection import Connection
from peers.reference.errors import PeerError
from peers.reference.events import Endpoint as At
from peers.reference.message import Message
from peers.reference.numbers import ExchangeType, IdType, KeyExchangeMethod, NotifyType, ProtocolId
from peers.reference.payloads import AUTH, KE, SA, Delete, Nonce, Notify, TSi, TSr
from peers.reference.sa import IkeSa
from peers.reference.session import Pending, Session
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
        self._handlers: dict[ExchangeType, Callable[[Session, Message, Message], None]] = {
            ExchangeType.IKE_AUTH: self._hear_ike_auth,
            ExchangeType.CREATE_CHILD_SA: self._hear_create_child_sa,
            ExchangeType.INFORMATIONAL: self._hear_informational,
        }

    def start(self, connection: Connection) -> None:
        """Send the first IKE_SA_INIT request."""
        sa = IkeSa(
            connection,
            initiator=True,
            local=At(connection.local, 500),
            remote=At(connection.remote, 500),
            random=self._endpoint.random,
        )
        session = Session(sa)
        self._endpoint.sessions.append(session)
        request = initial.ike_sa_init(sa)
        sa.move(Event.SEND_INIT)
        self._endpoint.request(session, request)

    def delete(self, session: Session, *, child_only: bool) -> None:
        """Ask to delete the newest Child SA, or the IKE SA (RFC 7296, 1.4.1)."""
        sa = session.sa
        if child_only:
            if not sa.children:
                self._endpoint.say("no Child SA to delete")
                return
            delete = Delete(ProtocolId.ESP, (self._decide.own_delete_spi(sa.children[-1]),))
        else:
            delete = Delete(ProtocolId.IKE)
            sa.move(Event.SEND_DELETE)
        self._endpoint.request(session, sa.request(ExchangeType.INFORMATIONAL, delete))

    def rekey_child(self, session: Session) -> None:
        """Ask for a Child SA that replaces the newest one (RFC 7296, 1.3.3)."""
        sa = session.sa
        if not sa.children:
            self._endpoint.say("no Child SA to rekey")
            return
        session.child_spi = self._endpoint.random(4)
        session.successor = None
        session.replaced = sa.children[-1]
        old = self._decide.rekeyed_spi(session.replaced)
        offer = child_sa.offer(sa.connection, session.child_spi, with_key_exchange=False)
        rekeyed = Notify(NotifyType.REKEY_SA, b"", ProtocolId.ESP, old)
        payloads = (rekeyed, *child_sa.before_selectors(offer, Nonce(self._endpoint.random(32))))
        self._endpoint.request(session, sa.request(ExchangeType.CREATE_CHILD_SA, *payloads))

    def rekey_ike(self, session: Session) -> None:
        """Ask for an IKE SA that replaces this one (RFC 7296, 1.3.2)."""
        session.successor, request = rekey.request(session.sa)
        self._endpoint.request(session, request)

    def hear(self, session: Session, pending: Pending, response: Message, octets: bytes) -> None:
        """Take up the response to a request of ours.

        One to IKE_SA_INIT that cannot be used is dropped, and we go on waiting for a better one:
        nothing is authenticated yet (RFC 7296, 2.21.1).
        """
        request = pending.message
        if request.exchange == ExchangeType.IKE_SA_INIT:
            try:
                self._hear_ike_sa_init(session, request, response, octets)
            except PeerError as problem:
                self._endpoint.drop(f"IKE_SA_INIT response: {problem}")
                session.pending = pending
            return
        session.sa.next_request_id += 1
        try:
            self._handlers[request.exchange](session, request, response)
        except PeerError as problem:
            self._endpoint.close(session, str(problem))

    def _hear_ike_sa_init(
        self, session: Session, request: Message, response: Message, octets: bytes
    ) -> None:
        sa = session.sa
        if self._decide.unsupported_critical(response):
            raise PeerError("an unknown critical payload in the response")
        retry = self._retry(session, request, response)
        if retry is not None:
            sa.move(Event.RETRY_INIT)
            self._endpoint.request(session, retry)
            return
        if not response.has(SA):
            raise PeerError(f"the responder refused: {response}")
        initial.hear_ike_sa_init(sa, request, response)
        sa.response_octets = octets
        sa.next_request_id = 1
        session.child_spi = self._endpoint.random(4)
        offer = child_sa.offer(sa.connection, session.child_spi, with_key_exchange=False)
        sa.move(Event.SEND_AUTH)
        self._endpoint.request(session, initial.ike_auth(sa, offer))

    def _retry(self, session: Session, request: Message, response: Message) -> Message | None:
        cookie = response.find_notify(NotifyType.COOKIE)
        group = response.find_notify(NotifyType.INVALID_KE_PAYLOAD)
        if cookie is None and group is None:
            return None
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

    def _hear_ike_auth(self, session: Session, request: Message, response: Message) -> None:
        sa = session.sa
        if NotifyType.AUTHENTICATION_FAILED in response.notifies:
            raise PeerError("the responder did not authenticate us")
        theirs = initial.identification(sa, response)
        expected = initial.expected_auth(sa, theirs, sa.connection.psk)
        known = theirs.id_type == IdType.ID_FQDN and self._decide.knows_identity(
            theirs.data, sa.connection.remote_identity.encode()
        )
        if not known or not self._decide.authentic(response.get(AUTH), expected):
            self._refuse_authentication(session)
            return
        sa.move(Event.AUTHENTICATE)
        if response.has(SA, TSi, TSr):
            self._take_child(session, request, response, sa.nonces())
        self._endpoint.say(f"established {sa} with {sa.connection.remote_identity}")

    def _refuse_authentication(self, session: Session) -> None:
        if self._decide.keeps_unauthenticated():
            session.sa.move(Event.AUTHENTICATE)
            return
        session.closing = "the responder's AUTH does not verify"
        failed = Notify(NotifyType.AUTHENTICATION_FAILED)
        self._endpoint.request(session, session.sa.request(ExchangeType.INFORMATIONAL, failed))

    def _take_child(
        self, session: Session, request: Message, response: Message, nonces: tuple[bytes, bytes]
    ) -> ChildSa | None:
        sa = session.sa
        chosen = child_sa.check_grant(request, response)
        asked = request.get(TSi).ranges, request.get(TSr).ranges
        granted = response.get(TSi).ranges, response.get(TSr).ranges
        fits = all(map(self._decide.grant_fits, granted, asked))
        mode = self._decide.mode(sa.connection, response)
        if not fits or mode is None:
            # What was granted is not what we can use: the Child SA is deleted (1.3.1, 2.9).
            spi = session.child_spi
            delete = Delete(ProtocolId.ESP, (spi,))
            self._endpoint.request(session, sa.request(ExchangeType.INFORMATIONAL, delete))
            return None
        terms = ChildTerms(True, chosen, session.child_spi, chosen.spi, mode, *granted)
        keys = sa.established_keys()
        made = self._decide.child(terms, sa.connection, keys, nonces)
        sa.children.append(made)
        return made

    def _hear_create_child_sa(self, session: Session, request: Message, response: Message) -> None:
        if session.successor is not None:
            self._hear_rekey(session, session.successor, request, response)
            return
        if not response.has(SA, TSi, TSr, Nonce):
            self._endpoint.say(f"no Child SA: {response}")
            return
        sa = session.sa
        old, session.replaced = session.replaced, None
        nonces = request.get(Nonce).data, response.get(Nonce).data
        made = self._take_child(session, request, response, nonces)
        if made is None or old not in sa.children:
            return
        assert old is not None
        delete = Delete(ProtocolId.ESP, (old.inbound.spi,))
        self._endpoint.request(session, sa.request(ExchangeType.INFORMATIONAL, delete))

    def _hear_rekey(
        self, session: Session, new: IkeSa, request: Message, response: Message
    ) -> None:
        session.successor = None
        if not response.has(SA, Nonce, KE):
            self._endpoint.say(f"the IKE SA is not rekeyed: {response}")
            return
        rekey.hear(session.sa, new, request, response)
        rekey.succeed(session.sa, new)
        follower = Session(new, heard=self._endpoint.now, waiting=session.waiting)
        self._endpoint.sessions.append(follower)
        self._endpoint.say(f"rekeyed {session.sa} to {new}")
        self.delete(session, child_only=False)

    def _hear_informational(self, session: Session, request: Message, response: Message) -> None:
        if session.closing:
            self._endpoint.close(session, session.closing)
        elif session.sa.state is State.DELETING:
            self._endpoint.close(session, "deleted by us")
        for delete in request.all(Delete):
            gone = [c for c in session.sa.children if c.inbound.spi in delete.spis]
            for child in gone:
                session.sa.children.remove(child)
