"""How one side of a connection proves its identity.

A credential describes that side's proof whole: who owns it takes the secret part, who verifies it
takes what a verifier has. Each side of a connection has a credential of its own (RFC 7296, 2.15:
the methods need not be the same in both directions).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha1

from peers.reference.numbers import PpkIdType
from peers.reference.signature_schemes import Scheme


@dataclass(frozen=True, slots=True)
class Psk:
    """A secret that both sides know (RFC 7296, 2.15)."""

    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ppk:
    """A post-quantum preshared key that both sides know, beside any credential (RFC 8784).

    ``name`` is the PPK_ID without its type octet.
    """

    name: bytes
    secret: bytes = field(repr=False)

    def identity(self) -> bytes:
        """Give the PPK_ID as PPK_IDENTITY carries it: of type PPK_ID_FIXED (RFC 8784, 5.1)."""
        return bytes([PpkIdType.PPK_ID_FIXED]) + self.name


@dataclass(frozen=True, slots=True)
class Null:
    """No proof of who it is: AUTH only binds the messages to the keys (RFC 7619)."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What can be had over HTTP: each value at ``base`` with its SHA-1 hash in hexadecimal."""

    base: str
    values: tuple[bytes, ...]

    def url(self, value: bytes) -> str:
        """Give the URL of a value."""
        return self.base + sha1(value).hexdigest()

    def get(self, url: str) -> bytes | None:
        """Give what a URL resolves to; None where there is nothing."""
        return next((value for value in self.values if self.url(value) == url), None)


@dataclass(frozen=True, slots=True)
class OcspResponder:
    """A responder over HTTP: at ``url`` it answers every request with one response (DER)."""

    base: str
    response: bytes

    @property
    def url(self) -> str:
        """Where it is asked (RFC 6960, A.1)."""
        return self.base + "ocsp"

    def get(self, url: str) -> bytes | None:
        """Give what a URL resolves to; None where there is nothing."""
        return self.response if url == self.url else None


@dataclass(frozen=True, slots=True)
class Revocation:
    """How a verifier learns what was revoked, besides the CRLs that it has.

    Who ``asks`` wants an OCSP response beside the certificate, and names the ``responders``
    (certificates, DER) that it trusts (RFC 4806, 3.1). Where it is ``strict``, a certificate of
    unknown status is not relied on.
    """

    asks: bool = False
    responders: tuple[bytes, ...] = ()
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """A private key with its certificate (RFC 7296, 2.15; RFC 7427).

    ``chain`` is DER, the end entity's certificate first, the trusted CA's not in it; ``key`` is
    PKCS#8 DER. The verifier goes by ``anchors`` (certificates of trusted CAs, DER) and ``crls``
    (DER). ``scheme`` is what is signed with, if the other side knows its hash; one of the methods
    1 and 9 to 11 means that RFC 7427 is not spoken of. Where the chain is ``published``, who knows
    how to look certificates up gets their hashes and URLs instead (RFC 7296, 3.6). ``responder``
    is where the owner has the OCSP response about its certificate from (RFC 4806, 4.2);
    ``revocation`` is the verifier's.
    """

    chain: tuple[bytes, ...]
    key: bytes = field(repr=False)
    anchors: tuple[bytes, ...]
    scheme: Scheme
    crls: tuple[bytes, ...] = ()
    published: Publication | None = None
    responder: OcspResponder | None = None
    revocation: Revocation = Revocation()


@dataclass(frozen=True, slots=True)
class Mschapv2:
    """A user's name and password, proved by EAP-MSCHAPv2: an initiator's (RFC 7296, 2.16)."""

    user: bytes
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Md5:
    """A user's name and password, proved by EAP-MD5, which makes no key (RFC 3748, 5.4)."""

    user: bytes
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EapTls:
    """Certificates of both ends of TLS, proved by EAP-TLS: an initiator's (RFC 5216).

    Of ``client`` and ``server`` key, chain and anchors are used.
    """

    client: Signature
    server: Signature


@dataclass(frozen=True, slots=True)
class ByEap:
    """A responder proves itself by the initiator's EAP method and by nothing else (RFC 5998)."""


Eap = Mschapv2 | Md5 | EapTls


def certified(
    local: Credential, remote: Credential
) -> tuple[tuple[Signature, ...], tuple[Signature, ...]]:
    """List what a side with a local and a remote credential signs with, and what it verifies by."""
    ours: list[Signature] = []
    theirs: list[Signature] = []
    match local:
        case Signature():
            ours.append(local)
        case EapTls(client, server):
            ours.append(client)
            theirs.append(server)
    match remote:
        case Signature():
            theirs.append(remote)
        case EapTls(client, server):
            ours.append(server)
            theirs.append(client)
    return tuple(dict.fromkeys(ours)), tuple(dict.fromkeys(theirs))


Credential = Psk | Null | Signature | Eap | ByEap
