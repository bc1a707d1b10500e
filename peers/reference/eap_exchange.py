"""EAP in IKE_AUTH, both roles: several exchanges, then AUTH under the MSK (RFC 7296, 2.16).

With EAP alone the responder has no AUTH of its own before that (RFC 5998).
"""

from __future__ import annotations

from peers.reference import authentication, ppk
from peers.reference.credentials import ByEap, Credential, Eap, EapTls, Md5, Mschapv2
from peers.reference.decisions_authentication import AuthenticationDecisions
from peers.reference.eap import EapPeer, EapServer, PeerMethod, ServerMethod
from peers.reference.eap_md5 import Md5Peer, Md5Server
from peers.reference.eap_mschapv2 import Mschapv2Peer, Mschapv2Server
from peers.reference.eap_tls import TlsPeer, TlsServer
from peers.reference.errors import AuthenticationFailure, PeerError, ScriptError
from peers.reference.message import Message
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import AUTH, EAP, IDi, IDr, Notify, Payload
from peers.reference.sa import IkeSa

MOST_EXCHANGES = 64
"""IKE_AUTH exchanges after which a conversation is given up; at least ten are due (2.16)."""


def uses_eap(credential: Credential) -> bool:
    """Say whether an initiator with that credential leaves AUTH out of its first request."""
    return isinstance(credential, Eap)


def peer_method(
    credential: Credential, sa: IkeSa, now: float, decide: AuthenticationDecisions
) -> PeerMethod:
    """Make the initiator's end of a method."""
    match credential:
        case Mschapv2():
            return Mschapv2Peer(credential, sa.random, decide)
        case Md5():
            return Md5Peer(credential)
        case EapTls():
            return TlsPeer(credential, sa.connection.remote_identity, now, decide)
    raise ScriptError(f"{type(credential).__name__} is no EAP method")


def server_method(
    credential: Credential, sa: IkeSa, now: float, decide: AuthenticationDecisions
) -> ServerMethod:
    """Make the responder's end of a method."""
    match credential:
        case Mschapv2():
            return Mschapv2Server(credential, sa.random, decide)
        case Md5():
            return Md5Server(credential, sa.random, decide)
        case EapTls():
            return TlsServer(credential, sa.connection.remote_identity, now, decide)
    raise ScriptError(f"{type(credential).__name__} is no EAP method")


class EapInitiator:
    """Our side as initiator. ``first`` is the request that asks for the Child SA.

    ``responder`` is its identification once heard.
    """

    def __init__(self, sa: IkeSa, decide: AuthenticationDecisions, now: float) -> None:
        credential = sa.connection.local_credential
        self._sa = sa
        self._decide = decide
        self._method = peer_method(credential, sa, now, decide)
        name = str(sa.connection.local_identity).encode()
        self._peer = EapPeer(self._method, name, decide)
        self._count = 0
        self._proved = False
        self.first: Message | None = None
        self.responder: IDr | None = None

    def begin(self, child: tuple[Payload, ...]) -> Message:
        """Build the first request: HDR, SK {IDi, [CERTREQ,] IDr, child, [N]}, without AUTH."""
        ours = self._sa.connection
        self.first = self._sa.request(
            ExchangeType.IKE_AUTH,
            ours.local_identity.payload(of_initiator=True),
            *authentication.certificate_request(self._decide, self._sa),
            ours.remote_identity.payload(of_initiator=False),
            *child,
            *self._announcement(),
        )
        return self.first

    def _announcement(self) -> tuple[Notify, ...]:
        alone = isinstance(self._sa.connection.remote_credential, ByEap)
        return (Notify(NotifyType.EAP_ONLY_AUTHENTICATION),) if alone else ()

    def hear(self, response: Message, now: float) -> Message | None:
        """Take a response up; give the next request, None once both sides are authenticated.

        AuthenticationFailure where the responder is not; PeerError for EAP Failure.
        """
        if self.responder is None:
            self._hear_first(response, now)
        elif self._proved:
            self._hear_last(response, now)
            return None
        self._count += 1
        if self._count > MOST_EXCHANGES:
            raise PeerError(f"EAP goes on after {MOST_EXCHANGES} exchanges")
        answer = self._peer.hear(response.get(EAP).data)
        if answer is not None:
            return self._sa.request(ExchangeType.IKE_AUTH, EAP(answer))
        return self._prove()

    def _hear_first(self, response: Message, now: float) -> None:
        self.responder = response.get(IDr)
        alone = isinstance(self._sa.connection.remote_credential, ByEap)
        if response.has(AUTH):
            authentication.prove(self._decide, self._sa, response, self.responder, now)
            return
        if self._decide.needs_auth(eap_only=alone):
            raise AuthenticationFailure("the responder has no AUTH before EAP (RFC 7296, 2.16)")
        if not self._decide.allows_alone(mutual=self._method.mutual):
            raise AuthenticationFailure("the method does not authenticate both ends (RFC 5998, 4)")
        authentication.check_identity(self._decide, self._sa, self.responder)

    def _prove(self) -> Message:
        self._proved = True
        self._sa.msk = self._method.msk
        ppk.select(self._decide, self._sa)
        ours = self._sa.connection
        mine = ours.local_identity.payload(of_initiator=True)
        auth = authentication.own_auth(self._sa, mine, ours.local_credential, self._decide)
        named = authentication.ppk_payloads(self._decide, self._sa)
        return self._sa.request(ExchangeType.IKE_AUTH, auth, *named)

    def _hear_last(self, response: Message, now: float) -> None:
        auth = ppk.hear_response(self._decide, self._sa, response)
        assert self.responder is not None
        authentication.prove(
            self._decide,
            self._sa,
            response.replacing(auth),
            self.responder,
            now,
            self._sa.connection.local_credential,
        )


class EapResponder:
    """Our side as responder. ``first`` is the request that asks for the Child SA.

    ``goes_on`` says that another request of the initiator is due before it is authenticated,
    ``finished`` that it is.
    """

    def __init__(
        self, sa: IkeSa, decide: AuthenticationDecisions, first: Message, now: float
    ) -> None:
        credential = sa.connection.remote_credential
        self.first = first
        self.goes_on = True
        self._sa = sa
        self._decide = decide
        self._server = EapServer(server_method(credential, sa, now, decide))
        self._asked = False
        self.finished = False

    def hear(self, request: Message, now: float) -> tuple[Payload, ...]:
        """Take a request up; give what answers it, AUTH under the MSK at the end.

        AuthenticationFailure where the initiator is not authenticated.
        """
        if not self._asked:
            return self._begin()
        if self._server.succeeded:
            return self._finish(request, now)
        answer = self._server.hear(request.get(EAP).data)
        over = answer[:1] in (b"\3", b"\4")
        if over and not self._decide.goes_on_after_eap(succeeded=self._server.succeeded):
            self.goes_on = False
        self._server.succeeded = self._server.succeeded or (over and self.goes_on)
        return (EAP(answer),)

    def _begin(self) -> tuple[Payload, ...]:
        self._asked = True
        ours = self._sa.connection
        authentication.check_identity(self._decide, self._sa, self.first.get(IDi))
        authentication.note_requests(self._sa, self.first)
        asked = EAP(self._server.start())
        if not isinstance(ours.local_credential, ByEap):
            return (*authentication.own_payloads(self._decide, self._sa), asked)
        announced = NotifyType.EAP_ONLY_AUTHENTICATION in self.first.notifies
        mutual = self._server.method.mutual
        if not self._decide.omits_auth(announced=announced):
            raise AuthenticationFailure("the initiator did not ask for EAP alone (RFC 5998, 3)")
        if not self._decide.allows_alone(mutual=mutual):
            raise AuthenticationFailure("the method does not authenticate both ends (RFC 5998, 4)")
        return (ours.local_identity.payload(of_initiator=False), asked)

    def _finish(self, request: Message, now: float) -> tuple[Payload, ...]:
        self.goes_on, self.finished = False, True
        self._sa.msk = self._server.method.msk
        auth = ppk.hear_request(self._decide, self._sa, request)
        theirs, credential = self.first.get(IDi), self._sa.connection.remote_credential
        message = request.replacing(auth)
        authentication.prove(self._decide, self._sa, message, theirs, now, credential)
        mine = self._sa.connection.local_identity.payload(of_initiator=False)
        return (authentication.own_auth(self._sa, mine, credential, self._decide),)
