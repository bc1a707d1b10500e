"""Who proves its identity, and how that is checked: AUTH, both ways (RFC 7296, 2.15).

The two sides may use different methods: what a side does is settled by its own credential.
"""

from __future__ import annotations

from peers.reference.credentials import Credential, Null, Psk
from peers.reference.decisions_authentication import AuthenticationDecisions
from peers.reference.errors import AuthenticationFailure
from peers.reference.identity import Identity
from peers.reference.keys import psk_auth, signed_octets
from peers.reference.message import Message
from peers.reference.numbers import AuthMethod
from peers.reference.payloads import AUTH, IDi, IDr, Payload
from peers.reference.sa import IkeSa


def octets_to_sign(sa: IkeSa, identification: IDi | IDr) -> bytes:
    """Build what the sender of ``identification`` authenticates (RFC 7296, 2.15)."""
    keys = sa.established_keys()
    nonce_i, nonce_r = sa.nonces()
    of_initiator = isinstance(identification, IDi)
    return signed_octets(
        sa.request_octets if of_initiator else sa.response_octets,
        nonce_r if of_initiator else nonce_i,
        keys.prf,
        keys.sk_pi if of_initiator else keys.sk_pr,
        identification.body(),
    )


def shared_key_mic(sa: IkeSa, identification: IDi | IDr, secret: bytes) -> bytes:
    """Compute the AUTH data that proves a shared secret for the sender of ``identification``."""
    return psk_auth(sa.established_keys().prf, secret, octets_to_sign(sa, identification))


def null_mic(sa: IkeSa, identification: IDi | IDr) -> bytes:
    """Compute the AUTH data of NULL authentication, under SK_pi or SK_pr (RFC 7619, 2.1)."""
    keys = sa.established_keys()
    secret = keys.sk_pi if isinstance(identification, IDi) else keys.sk_pr
    return shared_key_mic(sa, identification, secret)


def own_payloads(sa: IkeSa) -> tuple[Payload, ...]:
    """Build our identification and AUTH payloads."""
    mine = sa.connection.local_identity.payload(of_initiator=sa.initiator)
    return mine, own_auth(sa, mine, sa.connection.local_credential)


def own_auth(sa: IkeSa, mine: IDi | IDr, credential: Credential) -> AUTH:
    """Build the AUTH payload that proves ``mine`` by a credential of ours."""
    match credential:
        case Psk(secret):
            return AUTH(AuthMethod.SHARED_KEY_MIC, shared_key_mic(sa, mine, secret))
        case Null():
            return AUTH(AuthMethod.NULL_AUTHENTICATION, null_mic(sa, mine))


def identification(sa: IkeSa, message: Message) -> IDi | IDr:
    """Get the other side's identification payload of an IKE_AUTH message."""
    return message.get(IDr) if sa.initiator else message.get(IDi)


def verify(decide: AuthenticationDecisions, sa: IkeSa, message: Message) -> None:
    """Check the other side's identity and AUTH payload, as ``decide`` takes the decisions.

    AuthenticationFailure says what does not hold; PeerError that the message lacks a payload.
    """
    theirs, auth = identification(sa, message), message.get(AUTH)
    connection = sa.connection
    if not decide.knows_identity(Identity.of(theirs), connection.remote_identity):
        raise AuthenticationFailure(
            f"identity {theirs} where {connection.remote_identity} was expected"
        )
    verify_auth(decide, sa, theirs, auth)


def verify_auth(decide: AuthenticationDecisions, sa: IkeSa, theirs: IDi | IDr, auth: AUTH) -> None:
    """Check the other side's AUTH payload for the credential that it is to have."""
    credential = sa.connection.remote_credential
    if not decide.method_fits(auth, credential):
        raise AuthenticationFailure(
            f"AUTH method {AuthMethod(auth.method)} where {type(credential).__name__} is expected"
        )
    match credential:
        case Psk(secret):
            expected = shared_key_mic(sa, theirs, secret)
        case Null():
            expected = null_mic(sa, theirs)
    if not decide.authentic(auth, expected):
        raise AuthenticationFailure("the AUTH payload does not verify (RFC 7296, 2.15)")
