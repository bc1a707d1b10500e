"""The decisions about who the other side is, one method each: part of `Decisions`."""

from __future__ import annotations

from collections.abc import Mapping
from hmac import compare_digest

from peers.reference.credentials import Credential, Null, Psk
from peers.reference.identity import Identity
from peers.reference.numbers import AuthMethod, NotifyType
from peers.reference.payloads import AUTH, Notify, Payload

METHODS: Mapping[type[Credential], tuple[AuthMethod, ...]] = {
    Psk: (AuthMethod.SHARED_KEY_MIC,),
    Null: (AuthMethod.NULL_AUTHENTICATION,),
}
"""The authentication methods by which each kind of credential may be proved."""


class AuthenticationDecisions:
    """The decisions about authentication as the RFCs want them."""

    def knows_identity(self, identity: Identity, expected: Identity) -> bool:
        """Compare the other side's identity with the one that we have a credential of (2.15)."""
        return identity == expected

    def method_fits(self, auth: AUTH, credential: Credential) -> bool:
        """Say whether AUTH is of a method that the credential can be proved by (3.8)."""
        return auth.method in METHODS[type(credential)]

    def authentic(self, auth: AUTH, expected: bytes) -> bool:
        """Compare AUTH with what we expect of a shared key (2.15)."""
        return compare_digest(auth.data, expected)

    def authentication_refusal(self) -> tuple[Payload, ...]:
        """Build the answer to a request whose AUTH is wrong (2.21.2)."""
        return (Notify(NotifyType.AUTHENTICATION_FAILED),)

    def keeps_unauthenticated(self) -> bool:
        """Say whether an IKE SA stays up whose other side failed to authenticate: never."""
        return False
