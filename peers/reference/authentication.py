"""Who proves its identity, and how that is checked: AUTH, both ways (RFC 7296, 2.15).

The two sides may use different methods: what a side does is settled by its own credential.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from peers.reference import certificates, hash_and_url, ppk, resumption, signatures
from peers.reference.credentials import (
    ByEap,
    Credential,
    EapTls,
    Md5,
    Mschapv2,
    Null,
    Psk,
    Signature,
)
from peers.reference.decisions_authentication import AuthenticationDecisions
from peers.reference.errors import AuthenticationFailure, MalformedMessage, ScriptError
from peers.reference.identity import Identity
from peers.reference.keys import psk_auth, signed_octets
from peers.reference.message import Message
from peers.reference.numbers import AuthMethod, CertEncoding, NotifyType
from peers.reference.payloads import AUTH, CERT, CERTREQ, IDi, IDr, Notify, Payload
from peers.reference.revocation import Sources
from peers.reference.sa import IkeSa

# IKE_SA_INIT: what is said about authentication before it begins.


def announcements(sa: IkeSa, decide: AuthenticationDecisions | None = None) -> tuple[Payload, ...]:
    """Build what an IKE_SA_INIT message of ours says: our hash algorithms, and for whom we trust.

    The responder asks for certificates here, the initiator in IKE_AUTH (RFC 7296, 1.2).
    """
    said: list[Payload] = []
    hashes = announced_hashes(sa)
    if hashes:
        said.append(Notify(NotifyType.SIGNATURE_HASH_ALGORITHMS, _write_hashes(hashes)))
    said += ppk.announcement(sa)
    requests = [] if sa.initiator else certificate_request(decide or AuthenticationDecisions(), sa)
    return (*said, *requests)


def announced_hashes(sa: IkeSa) -> tuple[int, ...]:
    """Give the hash algorithms that we take; none unless signatures are method 14 (RFC 7427)."""
    both = (sa.connection.local_credential, sa.connection.remote_credential)
    digital = [
        each.scheme.method == AuthMethod.DIGITAL_SIGNATURE
        for each in both
        if isinstance(each, Signature)
    ]
    return signatures.ACCEPTED if digital and all(digital) else ()


def note(sa: IkeSa, message: Message) -> None:
    """Take up what the other side's IKE_SA_INIT message announces."""
    ppk.note(sa, message)
    note_requests(sa, message)
    announced = message.find_notify(NotifyType.SIGNATURE_HASH_ALGORITHMS)
    if announced is None:
        return
    if len(announced.data) % 2:
        raise MalformedMessage(0, "SIGNATURE_HASH_ALGORITHMS with half a number")
    pairs = range(0, len(announced.data), 2)
    sa.peer_hashes = tuple(int.from_bytes(announced.data[at : at + 2], "big") for at in pairs)


def note_requests(sa: IkeSa, message: Message) -> None:
    """Take up what the other side wants beside our certificates.

    It may look them up, and say so beside CERTREQ (3.6), or ask for their status (RFC 4806).
    """
    if message.find_notify(NotifyType.HTTP_CERT_LOOKUP_SUPPORTED) is not None:
        sa.peer_looks_up = True
    sa.peer_requests += message.all(CERTREQ)


def _write_hashes(hashes: tuple[int, ...]) -> bytes:
    return b"".join(number.to_bytes(2, "big") for number in hashes)


def certificate_request(decide: AuthenticationDecisions, sa: IkeSa) -> list[Payload]:
    """Build the CERTREQ that names the CAs we trust, where the other side is to sign.

    Where its certificates are published we say that we can look them up. Where that is configured
    we ask for their status.
    """
    theirs = sa.connection.remote_credential
    if sa.resumed or not isinstance(theirs, Signature):
        return []
    lookup = [Notify(NotifyType.HTTP_CERT_LOOKUP_SUPPORTED)] if theirs.published else []
    how = theirs.revocation
    status = decide.status_request(how.responders) if how.asks else ()
    return [*lookup, certificates.request(theirs.anchors), *status]


# What AUTH is computed over.


def octets_to_sign(sa: IkeSa, identification: IDi | IDr) -> bytes:
    """Build what the sender of ``identification`` authenticates (RFC 7296, 2.15; RFC 9242)."""
    keys = sa.established_keys()
    nonce_i, nonce_r = sa.nonces()
    of_initiator = isinstance(identification, IDi)
    octets = signed_octets(
        sa.request_octets if of_initiator else sa.response_octets,
        nonce_r if of_initiator else nonce_i,
        keys.prf,
        keys.sk_pi if of_initiator else keys.sk_pr,
        identification.body(),
    )
    return octets + sa.intermediate.int_auth() if sa.intermediate else octets


def shared_key_mic(sa: IkeSa, identification: IDi | IDr, secret: bytes) -> bytes:
    """Compute the AUTH data that proves a shared secret for the sender of ``identification``."""
    return psk_auth(sa.established_keys().prf, secret, octets_to_sign(sa, identification))


def _looked_up(
    decide: AuthenticationDecisions, credential: Signature, certs: Sequence[CERT]
) -> Iterator[CERT]:
    for cert in decide.chain_taken(certs):
        if credential.published and cert.encoding in (hash_and_url.X509, hash_and_url.BUNDLE):
            yield from decide.look_up(cert, credential.published)
        else:
            yield cert


def null_mic(sa: IkeSa, identification: IDi | IDr) -> bytes:
    """Compute the AUTH data of NULL authentication, under SK_pi or SK_pr (RFC 7619, 2.1)."""
    keys = sa.established_keys()
    secret = keys.sk_pi if isinstance(identification, IDi) else keys.sk_pr
    return shared_key_mic(sa, identification, secret)


# Our own proof.


def own_payloads(decide: AuthenticationDecisions, sa: IkeSa) -> tuple[Payload, ...]:
    """Build what proves who we are: identification, CERT where there is one, AUTH.

    The initiator asks for certificates too. AuthenticationFailure when the other side takes
    nothing that we can sign with.
    """
    credential = sa.connection.local_credential
    mine = sa.connection.local_identity.payload(of_initiator=sa.initiator)
    chain = _own_chain(decide, sa, credential)
    requests = certificate_request(decide, sa) if sa.initiator else []
    return (mine, *chain, *requests, own_auth(sa, mine, credential, decide))


def _own_chain(
    decide: AuthenticationDecisions, sa: IkeSa, credential: Credential
) -> tuple[CERT, ...]:
    if not isinstance(credential, Signature) or not decide.sends_chain(resumed=sa.resumed):
        return ()
    asked = decide.is_asked_for_status(sa.peer_requests)
    status = decide.own_response(credential.responder, asked=asked)
    return (*decide.own_certificates(credential, looked_up=sa.peer_looks_up), *status)


def own_auth(
    sa: IkeSa, mine: IDi | IDr, credential: Credential, decide: AuthenticationDecisions
) -> AUTH:
    """Build the AUTH payload that proves ``mine`` by a credential of ours, or by what we resume."""
    if sa.resumed:
        data = decide.resumption_mic(sa, mine, octets_to_sign(sa, mine))
        return AUTH(AuthMethod.SHARED_KEY_MIC, data)
    match credential:
        case Psk(secret):
            auth = AUTH(AuthMethod.SHARED_KEY_MIC, shared_key_mic(sa, mine, secret))
            return decide.proof_by_secret(sa, mine, secret, auth)
        case Null():
            secret = decide.null_secret(sa.established_keys(), of_initiator=isinstance(mine, IDi))
            return AUTH(AuthMethod.NULL_AUTHENTICATION, shared_key_mic(sa, mine, secret))
        case Signature():
            scheme = decide.signs_with(credential, sa.peer_hashes)
            key = signatures.private_key(credential.key)
            return decide.sign(scheme, key, octets_to_sign(sa, mine))
        case Mschapv2() | Md5() | EapTls():
            keys, of_initiator = sa.established_keys(), isinstance(mine, IDi)
            secret = decide.eap_secret(sa.msk, keys, of_initiator=of_initiator)
            return AUTH(AuthMethod.SHARED_KEY_MIC, shared_key_mic(sa, mine, secret))
        case ByEap():
            raise ScriptError("who is authenticated by EAP alone has no AUTH of its own")


def ppk_payloads(decide: AuthenticationDecisions, sa: IkeSa) -> tuple[Payload, ...]:
    """Build what goes with AUTH of ours where a PPK is used: PPK_IDENTITY, and the way out.

    An initiator for whom the PPK is optional says in NO_PPK_AUTH what AUTH would be without it
    (RFC 8784, 3).
    """
    named = ppk.identity(sa)
    if not (named and sa.initiator and decide.offers_way_out(required=ppk.is_required(sa))):
        return named
    credential = sa.connection.local_credential
    mine = sa.connection.local_identity.payload(of_initiator=True)
    with_ppk = own_auth(sa, mine, credential, decide)
    with ppk.left_out(sa):
        without = own_auth(sa, mine, credential, decide)
    return (*named, Notify(NotifyType.NO_PPK_AUTH, decide.way_out(with_ppk, without)))


# The other side's proof.


def identification(sa: IkeSa, message: Message) -> IDi | IDr:
    """Get the other side's identification payload of an IKE_AUTH message."""
    return message.get(IDr) if sa.initiator else message.get(IDi)


def verify(decide: AuthenticationDecisions, sa: IkeSa, message: Message, now: float) -> None:
    """Check the other side's identity and AUTH payload, as ``decide`` takes the decisions.

    ``now`` (seconds since the epoch) is when certificates are to be valid. AuthenticationFailure
    says what does not hold; PeerError that the message lacks a payload or holds a broken one.
    """
    note_requests(sa, message)
    hear = ppk.hear_response if sa.initiator else ppk.hear_request
    message = message.replacing(hear(decide, sa, message))
    prove(decide, sa, message, identification(sa, message), now)


def check_identity(decide: AuthenticationDecisions, sa: IkeSa, theirs: IDi | IDr) -> None:
    """Raise AuthenticationFailure unless the other side is whom the connection is for."""
    expected = sa.connection.remote_identity
    if not decide.knows_identity(Identity.of(theirs), expected):
        raise AuthenticationFailure(f"identity {theirs} where {expected} was expected")


def prove(
    decide: AuthenticationDecisions,
    sa: IkeSa,
    message: Message,
    theirs: IDi | IDr,
    now: float,
    credential: Credential | None = None,
) -> None:
    """Check AUTH of a message for an identification, which may have come earlier.

    ``credential`` is what it is proved by, if not that of the other side. It raises as `verify`.
    """
    check_identity(decide, sa, theirs)
    auth = message.get(AUTH)
    if sa.resumed:
        _prove_resumed(decide, sa, auth, theirs)
        return
    credential = credential or sa.connection.remote_credential
    if not decide.method_fits(auth, credential):
        raise AuthenticationFailure(
            f"AUTH method {AuthMethod(auth.method)} where {type(credential).__name__} is expected"
        )
    match decide.proved_by(auth, credential):
        case Psk(secret):
            expected = shared_key_mic(sa, decide.identity_as_signed(theirs), secret)
        case Null():
            expected = null_mic(sa, theirs)
        case Signature() as credential:
            _verify_signature(decide, sa, credential, message, now)
            return
        case Mschapv2() | Md5() | EapTls():
            keys, of_initiator = sa.established_keys(), isinstance(theirs, IDi)
            secret = decide.eap_secret(sa.msk, keys, of_initiator=of_initiator)
            expected = shared_key_mic(sa, theirs, secret)
        case ByEap():
            raise AuthenticationFailure("AUTH of a responder that EAP alone authenticates")
    if not decide.authentic(auth, expected):
        raise AuthenticationFailure("the AUTH payload does not verify (RFC 7296, 2.15)")


def _prove_resumed(
    decide: AuthenticationDecisions, sa: IkeSa, auth: AUTH, theirs: IDi | IDr
) -> None:
    expected = resumption.mic(sa, theirs, octets_to_sign(sa, theirs))
    if auth.method != AuthMethod.SHARED_KEY_MIC or not decide.authentic(auth, expected):
        raise AuthenticationFailure("AUTH does not verify by the resumed keys (RFC 5723, 4.3.3)")


def _trust(
    decide: AuthenticationDecisions, credential: Signature, told: Sequence[CERT], now: float
) -> certificates.Trust:
    """Put together what a certificate is judged by: what we have, and what came with it.

    An OCSP response that we did not ask for is not looked at.
    """
    how, taken = credential.revocation, decide.told_of_revocation(told)
    crls = [each.data for each in taken if each.encoding == CertEncoding.CRL]
    responses = [each.data for each in taken if each.encoding == CertEncoding.OCSP_CONTENT]
    sources = Sources(
        crls=(*credential.crls, *crls),
        responses=tuple(responses if how.asks else ()),
        responders=how.responders,
        now=now,
    )
    strict = decide.wants_known_status(how)
    return certificates.Trust(credential.anchors, sources, strict)


def _verify_signature(
    decide: AuthenticationDecisions,
    sa: IkeSa,
    credential: Signature,
    message: Message,
    now: float,
) -> None:
    theirs, auth = identification(sa, message), message.get(AUTH)
    hashes = announced_hashes(sa)
    digital = auth.method == AuthMethod.DIGITAL_SIGNATURE
    if digital is not bool(hashes and sa.peer_hashes is not None):
        raise AuthenticationFailure("method 14 is for those who both announced it (RFC 7427, 3)")
    told = list(_looked_up(decide, credential, message.all(CERT)))
    chain = certificates.read(told)
    if not chain:
        raise AuthenticationFailure("no certificate came with the signature")
    trust = _trust(decide, credential, told, now)
    overlooked = decide.believes_in_spite_of
    found = certificates.objections(chain, Identity.of(theirs), trust, overlooked)
    for objection, certificate in found:
        if not decide.overlooks(objection):
            subject = certificate.subject.rfc4514_string()
            raise AuthenticationFailure(f"certificate of {subject}: {objection.value}")
    key = certificates.public_key(chain[0])
    schemes, signature = signatures.read(auth)
    allowed = [each for each in schemes if not digital or decide.accepts_hash(each, hashes)]
    if not allowed:
        raise AuthenticationFailure(f"{schemes[0]} uses a hash that we did not announce")
    octets = octets_to_sign(sa, theirs)
    if not any(decide.signature_verifies(each, key, signature, octets) for each in allowed):
        raise AuthenticationFailure("the signature does not verify (RFC 7296, 2.15)")
