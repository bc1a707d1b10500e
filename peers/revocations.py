"""CRLs and OCSP responses as tests need them: right ones, and ones that are wrong in one way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from peers.reference import der
from peers.reference.revocation import Status

DAY = 86400.0

BIT_STRING, OCTET_STRING, ENUMERATED = 0x03, 0x04, 0x0A

FRESH = (-DAY, 30 * DAY)
"""From when to when something is current, in seconds from the CA's time."""


STATES = {
    Status.GOOD: ocsp.OCSPCertStatus.GOOD,
    Status.REVOKED: ocsp.OCSPCertStatus.REVOKED,
    Status.UNKNOWN: ocsp.OCSPCertStatus.UNKNOWN,
}
"""The states of a certificate, as an OCSP response has them (RFC 6960, 2.2)."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: a certificate, and the key that goes with it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)


Extensions = Sequence[tuple[x509.ExtensionType, bool]]
"""Extensions, each with whether it is critical."""


def crl(
    signer: Signer,
    now: float,
    serial_numbers: Sequence[int] = (),
    *,
    valid: tuple[float, float] = FRESH,
    number: int = 1,
    extensions: Extensions = (),
    of_entries: Extensions = (),
) -> bytes:
    """Sign a CRL (DER) that lists these serial numbers as revoked a day before ``now``.

    ``extensions`` it has besides the number and the key of its issuer, which say which of several
    CRLs of a CA and of which of its keys it is (RFC 5280, 5.2.1 and 5.2.3).
    """
    known = signer.certificate.public_key()
    assert isinstance(known, ec.EllipticCurvePublicKey)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(signer.certificate.subject)
        .last_update(_time(now + valid[0]))
        .next_update(_time(now + valid[1]))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(known), critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    for each in serial_numbers:
        entry = x509.RevokedCertificateBuilder().serial_number(each)
        entry = entry.revocation_date(_time(now - DAY))
        for extension, critical in of_entries:
            entry = entry.add_extension(extension, critical=critical)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def ocsp_response(
    signer: Signer,
    certificate: bytes,
    issuer: x509.Certificate,
    now: float,
    *,
    status: Status = Status.GOOD,
    valid: tuple[float, float] = FRESH,
    by_key: bool = False,
) -> bytes:
    """Sign the status of a certificate (DER) as an OCSP response (RFC 6960, 4.2.1).

    Who is not the issuer puts its certificate into it. A responder is named by its name, or by the
    hash of its key.
    """
    loaded, encoding = x509.load_der_x509_certificate(certificate), ocsp.OCSPResponderEncoding
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=loaded,
        issuer=issuer,
        algorithm=hashes.SHA1(),
        cert_status=STATES[status],
        this_update=_time(now + valid[0]),
        next_update=_time(now + valid[1]),
        revocation_time=_time(now - DAY) if status is Status.REVOKED else None,
        revocation_reason=None,
    )
    named = encoding.HASH if by_key else encoding.NAME
    builder = builder.responder_id(named, signer.certificate)
    if signer.certificate != issuer:
        builder = builder.certificates([signer.certificate])
    return builder.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def joined(signer: Signer, *responses: bytes) -> bytes:
    """Sign what several OCSP responses (DER) of the issuer say as one (RFC 6960, 4.2.2.3)."""
    ((_, status), (_, of_bytes)), told = der.sequence(responses[0]), b""
    ((_, kind), (_, basic)) = der.sequence(of_bytes)
    _, (_, algorithm), *_ = der.sequence(basic)
    for each in responses:
        data = ocsp.load_der_ocsp_response(each).tbs_response_bytes
        *before, (_, singles) = der.sequence(data)
        told += singles
    head = b"".join(der.encode(tag, content) for tag, content in before)
    data = der.encode(der.SEQUENCE, head, der.encode(der.SEQUENCE, told))
    signature = signer.key.sign(data, ec.ECDSA(hashes.SHA256()))
    bits = der.encode(BIT_STRING, b"\0", signature)
    basic = der.encode(der.SEQUENCE, data, der.encode(der.SEQUENCE, algorithm), bits)
    inner = der.encode(der.OBJECT_IDENTIFIER, kind), der.encode(OCTET_STRING, basic)
    wrapped = der.encode(der.EXPLICIT, der.encode(der.SEQUENCE, *inner))
    return der.encode(der.SEQUENCE, der.encode(ENUMERATED, status), wrapped)


def forged(signed: bytes) -> bytes:
    """Change the last bit of what was signed by ECDSA (DER): it is one of the signature's.

    A response that has certificates in it ends with those.
    """
    return signed[:-1] + bytes([signed[-1] ^ 1])


def unsuccessful() -> bytes:
    """Encode the answer of a responder that cannot answer now (DER; RFC 6960, 2.3): tryLater."""
    answer = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    return answer.public_bytes(Encoding.DER)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=int(seconds))
