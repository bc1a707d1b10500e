"""The decisions about who the other side is, one method each: part of `Decisions`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hmac import compare_digest
from typing import TYPE_CHECKING

from peers.reference import certificates, hash_and_url, signatures
from peers.reference.certificates import Objection
from peers.reference.credentials import (
    ByEap,
    Credential,
    EapTls,
    Md5,
    Mschapv2,
    Null,
    Psk,
    Publication,
    Signature,
)
from peers.reference.decisions_eap import EapDecisions
from peers.reference.decisions_ppk import PpkDecisions
from peers.reference.decisions_revocation import RevocationDecisions
from peers.reference.errors import AuthenticationFailure
from peers.reference.identity import Identity
from peers.reference.keys import IkeKeys
from peers.reference.message import Message
from peers.reference.numbers import AuthMethod, NotifyType
from peers.reference.payloads import AUTH, CERT, IDi, IDr, Notify, Payload
from peers.reference.resumption import ResumptionDecisions
from peers.reference.signature_schemes import DIGITAL, LEGACY, Scheme
from peers.reference.signatures import PrivateKey, PublicKey

if TYPE_CHECKING:
    from peers.reference.sa import IkeSa

METHODS: Mapping[type[Credential], tuple[AuthMethod, ...]] = {
    Psk: (AuthMethod.SHARED_KEY_MIC,),
    Null: (AuthMethod.NULL_AUTHENTICATION,),
    Md5: (AuthMethod.SHARED_KEY_MIC,),
    Mschapv2: (AuthMethod.SHARED_KEY_MIC,),
    EapTls: (AuthMethod.SHARED_KEY_MIC,),
    ByEap: (),
    Signature: (
        AuthMethod.RSA_DIGITAL_SIGNATURE,
        AuthMethod.ECDSA_SHA_256_P256,
        AuthMethod.ECDSA_SHA_384_P384,
        AuthMethod.ECDSA_SHA_512_P521,
        AuthMethod.DIGITAL_SIGNATURE,
    ),
}
"""The authentication methods by which each kind of credential may be proved."""


ENDING = frozenset(
    {
        NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD,
        NotifyType.INVALID_SYNTAX,
        NotifyType.AUTHENTICATION_FAILED,
    }
)
"""The notifies that end an IKE SA in IKE_AUTH, or in the INFORMATIONAL right after it (2.21.2)."""


class AuthenticationDecisions(PpkDecisions, EapDecisions, ResumptionDecisions, RevocationDecisions):
    """The decisions about authentication as the RFCs want them."""

    def knows_identity(self, identity: Identity, expected: Identity) -> bool:
        """Compare the other side's identity with the one that we have a credential of (2.15)."""
        return identity == expected

    def method_fits(self, auth: AUTH, credential: Credential) -> bool:
        """Say whether AUTH is of a method that the credential can be proved by (3.8)."""
        return auth.method in METHODS[type(credential)]

    def proved_by(self, auth: AUTH, credential: Credential) -> Credential:
        """Give what AUTH is verified by: the credential that is configured, whatever AUTH says."""
        return credential

    def null_secret(self, keys: IkeKeys, *, of_initiator: bool) -> bytes:
        """Give the secret of a NULL AUTH of ours: SK_pi or SK_pr (RFC 7619, 2.1)."""
        return keys.sk_pi if of_initiator else keys.sk_pr

    def proof_by_secret(self, sa: IkeSa, mine: IDi | IDr, secret: bytes, auth: AUTH) -> AUTH:
        """Have a last look at AUTH of ours that proves a shared secret (2.15)."""
        return auth

    def identity_as_signed(self, theirs: IDi | IDr) -> IDi | IDr:
        """Give what AUTH covers of the other side's identity: all of it, as it came (2.15)."""
        return theirs

    def authentic(self, auth: AUTH, expected: bytes) -> bool:
        """Compare AUTH with what we expect of a shared key (2.15)."""
        return compare_digest(auth.data, expected)

    # Signatures and certificates (RFC 7296, 2.15; RFC 7427; RFC 4945).

    def signs_with(self, credential: Signature, hashes: Sequence[int] | None) -> Scheme:
        """Choose what we sign with: a hash that the other side announced (RFC 7427, 4).

        ``hashes`` is None when it announced none. AuthenticationFailure when nothing fits.
        """
        key = signatures.private_key(credential.key)
        if credential.scheme.method != AuthMethod.DIGITAL_SIGNATURE:
            return credential.scheme
        if hashes is None:
            found = (each for each in LEGACY if signatures.fits(each, key))
        else:
            ours = (credential.scheme, *DIGITAL)
            found = (s for s in ours if signatures.fits(s, key) and s.hash in hashes)
        scheme = next(found, None)
        if scheme is None:
            raise AuthenticationFailure("the other side takes nothing that our key can sign with")
        return scheme

    def sign(self, scheme: Scheme, key: PrivateKey, octets: bytes) -> AUTH:
        """Sign what AUTH of ours is to cover (2.15)."""
        return signatures.sign(scheme, key, octets)

    def chain_taken(self, certs: Sequence[CERT]) -> Sequence[CERT]:
        """Give the CERT payloads that are looked at: all of them (RFC 7296, 3.6)."""
        return certs

    def look_up(self, cert: CERT, published: Publication) -> Sequence[CERT]:
        """Get the certificates that hash and URL stand for (3.6)."""
        return hash_and_url.look_up(cert, published)

    def own_certificates(self, credential: Signature, *, looked_up: bool) -> tuple[CERT, ...]:
        """Build our CERT payloads: hash and URL for who looks up what we have published (3.6)."""
        published = credential.published
        if published is None or not looked_up:
            return certificates.payloads(credential.chain)
        return tuple(
            hash_and_url.payload(hash_and_url.X509, each, published.url(each))
            for each in credential.chain
        )

    def accepts_hash(self, scheme: Scheme, announced: Sequence[int]) -> bool:
        """Say whether a signature uses a hash that we announced (RFC 7427, 3)."""
        return scheme.hash in announced

    def overlooks(self, objection: Objection) -> bool:
        """Say whether a certificate is taken in spite of an objection: never."""
        return False

    def signature_verifies(
        self, scheme: Scheme, key: PublicKey, signature: bytes, octets: bytes
    ) -> bool:
        """Check a signature (2.15)."""
        return signatures.verifies(scheme, key, signature, octets)

    # What follows from a failure (2.21.2).

    def authentication_refusal(self) -> tuple[Payload, ...]:
        """Build the answer to a request whose AUTH is wrong (2.21.2)."""
        return (Notify(NotifyType.AUTHENTICATION_FAILED),)

    def fails_late(self, request: Message, last_auth: int | None) -> bool:
        """Say whether a request reports that our response to IKE_AUTH was no good (2.21.2).

        Only the one right after IKE_AUTH ends the IKE SA without a Delete.
        """
        right_after = last_auth is not None and request.message_id == last_auth + 1
        return right_after and not ENDING.isdisjoint(request.notifies)

    def keeps_unauthenticated(self) -> bool:
        """Say whether an IKE SA stays up whose other side failed to authenticate: never."""
        return False
