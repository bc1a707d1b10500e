"""Whether a certificate was revoked: what OCSP responses and CRLs say, and why to doubt them.

OCSP responses are RFC 6960's, CRLs those of RFC 5280; in IKE both may come in CERT payloads
(RFC 7296, 3.6; RFC 4806).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

UNREADABLE = (
    ValueError,
    TypeError,
    IndexError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
)
"""What `cryptography` raises for octets that are none of what they should be."""


class Status(Enum):
    """What is known of a certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class Doubt(Enum):
    """What speaks against going by a response or a CRL."""

    MALFORMED = "it is no DER of a response or a CRL"
    UNSUCCESSFUL = "the responder answered that it cannot answer"
    UNKNOWN_CERTIFICATE = "the responder does not know the certificate"
    ANOTHER_CERTIFICATE = "it is about another certificate"
    ANOTHER_ISSUER = "it is of another CA than the certificate"
    FALSE_SIGNATURE = "its signature does not verify"
    STRANGER = "who signed it has nothing to do with the CA"
    ANOTHER_CAS_RESPONDER = "another CA has designated its signer"
    NOT_DESIGNATED = "the CA gave its signer a certificate, and not for this"
    SIGNER_EXPIRED = "its signer's certificate is not valid now"
    EXPIRED = "newer information is to be had"
    NOT_YET = "it is of a time to come"
    OUT_OF_SCOPE = "it does not cover such certificates"
    SOME_REASONS = "it only covers some reasons"
    CRITICAL_EXTENSION = "it has a critical extension that is not understood"
    CRITICAL_ENTRY_EXTENSION = "an entry of it has such an extension"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a response or a CRL says of a certificate, and what speaks against believing it.

    Of what cannot be read or leaves the status open it is what a careless reader takes it for.
    """

    status: Status
    doubts: frozenset[Doubt] = frozenset()


@dataclass(frozen=True, slots=True)
class Sources:
    """What there is to go by: CRLs and OCSP responses (DER), and the time (epoch).

    ``responders`` are certificates (DER) of those whose responses are taken for any CA's
    certificates: the Trusted Responders of RFC 4806, 3.1 (b).
    """

    crls: tuple[bytes, ...] = ()
    responses: tuple[bytes, ...] = ()
    responders: tuple[bytes, ...] = ()
    now: float = 0.0


Overlooked = Callable[[Doubt], bool]
"""Says whether something is believed in spite of a doubt."""


def never(doubt: Doubt) -> bool:
    """Overlook nothing."""
    return False


def status(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    sources: Sources,
    overlooked: Overlooked = never,
) -> Status:
    """Tell what is known of a certificate: by OCSP, and by CRLs where no response says anything."""
    responses = (of_response(each, certificate, issuer, sources) for each in sources.responses)
    crls = (of_crl(each, certificate, issuer, sources.now) for each in sources.crls)
    for evidence in (responses, crls):
        said = {each.status for each in evidence if all(map(overlooked, each.doubts))}
        for found in (Status.REVOKED, Status.GOOD):
            if found in said:
                return found
    return Status.UNKNOWN


# OCSP responses.


def of_response(
    der: bytes, certificate: x509.Certificate, issuer: x509.Certificate, sources: Sources
) -> Evidence:
    """Tell what an OCSP response says of a certificate (RFC 6960, 3.2 and 4.2.2.2)."""
    try:
        response = ocsp.load_der_ocsp_response(der)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return Evidence(Status.GOOD, frozenset({Doubt.UNSUCCESSFUL}))
        singles = list(response.responses)
        about = next((s for s in singles if is_about(s, certificate, issuer)), None)
        told = about or singles[0]
        doubts = {Doubt.ANOTHER_CERTIFICATE} if about is None else set()
        if told.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
            doubts.add(Doubt.UNKNOWN_CERTIFICATE)
        begin, end = told.this_update_utc.timestamp(), told.next_update_utc
        doubts |= set(_of_time(begin, end.timestamp() if end else None, sources.now))
        doubts |= _of_signer(response, issuer, sources)
        revoked = told.certificate_status is ocsp.OCSPCertStatus.REVOKED
        return Evidence(Status.REVOKED if revoked else Status.GOOD, frozenset(doubts))
    except UNREADABLE:
        return Evidence(Status.GOOD, frozenset({Doubt.MALFORMED}))


def is_about(
    single: ocsp.OCSPSingleResponse, certificate: x509.Certificate, issuer: x509.Certificate
) -> bool:
    """Compare the CertID: hashes of the issuer's name and key, and the serial number (4.1.1).

    ValueError or UnsupportedAlgorithm for an issuer's key or a hash that is not known.
    """
    name = hashlib.new(single.hash_algorithm.name, issuer.subject.public_bytes()).digest()
    key = hashlib.new(single.hash_algorithm.name, _key_octets(issuer)).digest()
    told = (single.issuer_name_hash, single.issuer_key_hash, single.serial_number)
    return told == (name, key, certificate.serial_number)


def _key_octets(certificate: x509.Certificate) -> bytes:
    """Give the key as it stands in the BIT STRING of SubjectPublicKeyInfo."""
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    raise ValueError(f"an issuer's key of an unknown kind: {type(key).__name__}")


def _of_signer(
    response: ocsp.OCSPResponse, issuer: x509.Certificate, sources: Sources
) -> set[Doubt]:
    """Find who signed a response, and say what speaks against that (4.2.2.2)."""
    trusted = [x509.load_der_x509_certificate(each) for each in sources.responders]
    signers = [s for s in (issuer, *trusted, *response.certificates) if _signed(response, s)]
    if not signers:
        return {Doubt.FALSE_SIGNATURE}
    signer = signers[0]
    if signer == issuer:
        return set()
    doubts = set()
    if signer not in trusted:
        marked = _is_marked(signer)
        if not issued(issuer, signer):
            return {Doubt.ANOTHER_CAS_RESPONDER if marked else Doubt.STRANGER}
        if not marked:
            doubts.add(Doubt.NOT_DESIGNATED)
    begin, end = signer.not_valid_before_utc.timestamp(), signer.not_valid_after_utc.timestamp()
    if not begin <= sources.now <= end:
        doubts.add(Doubt.SIGNER_EXPIRED)
    return doubts


def _is_marked(signer: x509.Certificate) -> bool:
    """Say whether a certificate is for signing OCSP responses, whoever has issued it."""
    try:
        usages = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.OCSP_SIGNING in usages


def _signed(response: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    key, algorithm = signer.public_key(), response.signature_hash_algorithm
    signature, octets = response.signature, response.tbs_response_bytes
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and algorithm:
            key.verify(signature, octets, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey) and algorithm:
            key.verify(signature, octets, PKCS1v15(), algorithm)
        elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            key.verify(signature, octets)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Say whether a certificate names an issuer and has its signature."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _of_time(begin: float, end: float | None, now: float) -> Iterator[Doubt]:
    """Compare thisUpdate and nextUpdate, which may be missing, with the time."""
    if begin > now:
        yield Doubt.NOT_YET
    if end is not None and end < now:
        yield Doubt.EXPIRED


# CRLs.

UNDERSTOOD = (x509.AuthorityKeyIdentifier, x509.CRLNumber, x509.IssuingDistributionPoint)
"""The extensions of a CRL that may be critical here: that of a delta CRL is not among them."""

UNDERSTOOD_IN_ENTRIES = (x509.CRLReason, x509.InvalidityDate)
"""Those of an entry: that of an indirect CRL is not among them."""


def of_crl(
    der: bytes, certificate: x509.Certificate, issuer: x509.Certificate, now: float
) -> Evidence:
    """Tell what a CRL says of a certificate (RFC 5280, 5 and 6.3.3)."""
    try:
        crl = x509.load_der_x509_crl(der)
        listed = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
        end = crl.next_update_utc
        times = (crl.last_update_utc.timestamp(), end.timestamp() if end else None)
        doubts = {*_of_issuer(crl, issuer), *_of_extensions(crl), *_of_time(*times, now)}
        doubts |= set(_of_scope(crl, certificate))
    except UNREADABLE:
        return Evidence(Status.GOOD, frozenset({Doubt.MALFORMED}))
    if listed is None:
        return Evidence(Status.GOOD, frozenset(doubts))
    # What was revoked stays revoked, and one reason is enough.
    return Evidence(Status.REVOKED, frozenset(doubts - {Doubt.EXPIRED, Doubt.SOME_REASONS}))


def _of_issuer(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> Iterator[Doubt]:
    if crl.issuer != issuer.subject:
        yield Doubt.ANOTHER_ISSUER
    elif not crl.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]
        yield Doubt.FALSE_SIGNATURE


def _of_extensions(crl: x509.CertificateRevocationList) -> Iterator[Doubt]:
    if _is_foreign(crl.extensions, UNDERSTOOD):
        yield Doubt.CRITICAL_EXTENSION
    if any(_is_foreign(entry.extensions, UNDERSTOOD_IN_ENTRIES) for entry in crl):
        yield Doubt.CRITICAL_ENTRY_EXTENSION


def _is_foreign(
    extensions: Iterable[x509.Extension[x509.ExtensionType]],
    understood: tuple[type[x509.ExtensionType], ...],
) -> bool:
    return any(each.critical and not isinstance(each.value, understood) for each in extensions)


def _of_scope(
    crl: x509.CertificateRevocationList, certificate: x509.Certificate
) -> Iterator[Doubt]:
    """Read the issuing distribution point (5.2.5): our certificates name none, and no reasons."""
    try:
        scope = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except x509.ExtensionNotFound:
        return
    excluded = (
        scope.only_contains_user_certs if _is_ca(certificate) else scope.only_contains_ca_certs
    )
    elsewhere = scope.full_name is not None or scope.relative_name is not None
    if excluded or elsewhere or scope.only_contains_attribute_certs or scope.indirect_crl:
        yield Doubt.OUT_OF_SCOPE
    if scope.only_some_reasons is not None:
        yield Doubt.SOME_REASONS


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
