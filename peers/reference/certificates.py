"""Certificates: from the CERT payloads to a key that may be believed, and what speaks against it.

The path rules are those of RFC 5280, 6.1, as far as IKE's certificates use them (RFC 4945, 5);
`cryptography`'s own verifier has the rules of web servers, which know no Ed448 and want names that
an IKE identity need not have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from hashlib import sha1
from ipaddress import ip_address
from itertools import pairwise
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from peers.reference import revocation
from peers.reference.errors import PeerError
from peers.reference.identity import Identity
from peers.reference.numbers import CertEncoding, IdType
from peers.reference.payloads import CERT, CERTREQ
from peers.reference.signatures import PublicKey

IPSEC_IKE = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.17")
"""id-kp-ipsecIKE (RFC 4945, 5.1.3.12)."""

USAGES = frozenset(
    {
        IPSEC_IKE,
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
    }
)
"""Extended key usages that let a certificate be used for IKE."""

ADDRESS_TYPES = (IdType.ID_IPV4_ADDR, IdType.ID_IPV6_ADDR)

LONGEST_PATH = 8

E = TypeVar("E", bound=x509.ExtensionType)


class Objection(Enum):
    """What speaks against a certificate."""

    EXPIRED = "it has expired"
    NOT_YET_VALID = "it is not valid yet"
    UNKNOWN_CA = "no path leads to a CA that is trusted"
    NOT_A_CA = "its issuer is no CA, or the path is too long for it"
    WRONG_KEY_USAGE = "its key is not for signatures"
    WRONG_EXTENDED_KEY_USAGE = "its key is not for IKE"
    REVOKED = "it was revoked"
    UNKNOWN_STATUS = "nobody tells whether it was revoked"
    ANOTHER_IDENTITY = "it is not about this identity"
    SHORT_KEY = "its RSA key has less than 2048 bits"


LEAST_RSA_BITS = 2048
"""Signatures of shorter keys are not to be used (RFC 8247, 3.1.1)."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What a verifier goes by: certificates of trusted CAs (DER), and what says who was revoked.

    Where it is ``strict``, each certificate below a trusted CA has to be known as good.
    """

    anchors: tuple[bytes, ...]
    sources: revocation.Sources = field(default_factory=revocation.Sources)
    strict: bool = False

    @property
    def now(self) -> float:
        """The time (seconds since the epoch)."""
        return self.sources.now


@lru_cache(maxsize=256)
def load(der: bytes) -> x509.Certificate:
    """Load a certificate; PeerError when the octets make none."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        # Parsing is lazy: what is used here is read now, so that later nothing can fail.
        _ = certificate.extensions, certificate.subject, certificate.issuer
        certificate.public_key()
    except revocation.UNREADABLE as error:
        raise PeerError(f"octets that are no certificate: {error}") from error
    return certificate


def key_hash(certificate: x509.Certificate) -> bytes:
    """Hash the SubjectPublicKeyInfo, as CERTREQ names a CA (RFC 7296, 3.7)."""
    encoded = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return sha1(encoded).digest()


def request(
    anchors: Sequence[bytes], encoding: CertEncoding = CertEncoding.X509_SIGNATURE
) -> CERTREQ:
    """Ask for a certificate that one of these CAs stands for.

    With OCSP content ask for a response, and name the trusted responders (RFC 4806, 3.1).
    """
    return CERTREQ(encoding, b"".join(key_hash(load(anchor)) for anchor in anchors))


def public_key(certificate: x509.Certificate) -> PublicKey:
    """Give the certificate's key; PeerError when it is none that IKE signs with."""
    key = certificate.public_key()
    if not isinstance(key, PublicKey):
        raise PeerError(f"a certificate of a key that IKE does not use: {type(key).__name__}")
    return key


def payloads(chain: Sequence[bytes]) -> tuple[CERT, ...]:
    """Build the CERT payloads of a chain, the end entity's first (RFC 7296, 3.6)."""
    return tuple(CERT(CertEncoding.X509_SIGNATURE, each) for each in chain)


def read(certs: Iterable[CERT]) -> list[x509.Certificate]:
    """Read the certificates of CERT payloads, the end entity's first.

    PeerError for an encoding that we do not take: hash-and-URL is one where nothing is published.
    """
    chain: list[x509.Certificate] = []
    for cert in certs:
        if cert.encoding == CertEncoding.X509_SIGNATURE:
            chain.append(load(cert.data))
        elif cert.encoding not in (CertEncoding.CRL, CertEncoding.OCSP_CONTENT):
            raise PeerError(f"a certificate as {CertEncoding(cert.encoding)} is not taken")
    return chain


def objections(
    chain: Sequence[x509.Certificate],
    identity: Identity,
    trust: Trust,
    overlooked: revocation.Overlooked = revocation.never,
) -> Iterator[tuple[Objection, x509.Certificate]]:
    """Find everything that speaks against the first certificate of a chain.

    ``overlooked`` says which doubts of responses and CRLs are: none.
    """
    anchors = [load(anchor) for anchor in trust.anchors]
    path, complete = _path(chain, anchors)
    if not complete:
        yield Objection.UNKNOWN_CA, path[-1]
    for depth, certificate in enumerate(path):
        if certificate.not_valid_before_utc.timestamp() > trust.now:
            yield Objection.NOT_YET_VALID, certificate
        if certificate.not_valid_after_utc.timestamp() < trust.now:
            yield Objection.EXPIRED, certificate
        if depth and not _may_issue(certificate, below=depth - 1):
            yield Objection.NOT_A_CA, certificate
    for certificate, issuer in pairwise(path):
        known = revocation.status(certificate, issuer, trust.sources, overlooked)
        if known is revocation.Status.REVOKED:
            yield Objection.REVOKED, certificate
        if known is revocation.Status.UNKNOWN and trust.strict:
            yield Objection.UNKNOWN_STATUS, certificate
    yield from ((objection, path[0]) for objection in _leaf(path[0], identity))


def _leaf(certificate: x509.Certificate, identity: Identity) -> Iterator[Objection]:
    usage = _extension(certificate, x509.KeyUsage)
    if usage and not (usage.digital_signature or usage.content_commitment):
        yield Objection.WRONG_KEY_USAGE
    extended = _extension(certificate, x509.ExtendedKeyUsage)
    if extended and not USAGES & set(extended):
        yield Objection.WRONG_EXTENDED_KEY_USAGE
    if not names(certificate, identity):
        yield Objection.ANOTHER_IDENTITY
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < LEAST_RSA_BITS:
        yield Objection.SHORT_KEY


def _path(
    chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]
) -> tuple[list[x509.Certificate], bool]:
    """Follow issuers from the first certificate; say whether that ended at an anchor.

    Certificates beyond the first may come in any order (RFC 7296, 3.6).
    """
    path = [chain[0]]
    while len(path) < LONGEST_PATH:
        if path[-1] in anchors:
            return path, True
        candidates = (each for each in (*anchors, *chain[1:]) if each not in path)
        issuer = next((each for each in candidates if revocation.issued(each, path[-1])), None)
        if issuer is None:
            return path, False
        path.append(issuer)
    return path, False


def _may_issue(certificate: x509.Certificate, *, below: int) -> bool:
    """Say whether this is a CA with room for that many CAs below it (RFC 5280, 4.2.1.9)."""
    constraints = _extension(certificate, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        return False
    if constraints.path_length is not None and constraints.path_length < below:
        return False
    usage = _extension(certificate, x509.KeyUsage)
    return usage is None or usage.key_cert_sign


def _extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def names(certificate: x509.Certificate, identity: Identity) -> bool:
    """Say whether a certificate is about an identity (RFC 7296, 3.5; RFC 4945, 3.1)."""
    if identity.type == IdType.ID_DER_ASN1_DN:
        return certificate.subject.public_bytes() == identity.data
    alternative = _extension(certificate, x509.SubjectAlternativeName)
    if alternative is None:
        return False
    text = identity.data.decode("utf-8", "replace")
    if identity.type == IdType.ID_FQDN:
        found = alternative.get_values_for_type(x509.DNSName)
        return text.lower() in [each.lower() for each in found]
    if identity.type == IdType.ID_RFC822_ADDR:
        return text in alternative.get_values_for_type(x509.RFC822Name)
    if identity.type in ADDRESS_TYPES and len(identity.data) in (4, 16):
        return ip_address(identity.data) in alternative.get_values_for_type(x509.IPAddress)
    return False
