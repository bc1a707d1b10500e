"""The lab's own certification authority: certificates as tests need them, made at run time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import lru_cache
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from peers import revocations
from peers.reference import der
from peers.reference.credentials import Signature
from peers.reference.identity import Identity
from peers.reference.numbers import IdType
from peers.reference.revocation import Status
from peers.reference.signature_schemes import Scheme
from peers.reference.signatures import PrivateKey
from peers.revocations import DAY, Signer


class KeyType(Enum):
    """What kind of key an end entity has."""

    RSA_1024 = "rsa-1024"
    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    DSA_1024 = "dsa-1024"
    ECDSA_P256 = "ecdsa-p256"
    ECDSA_P384 = "ecdsa-p384"
    ECDSA_P521 = "ecdsa-p521"
    ED25519 = "ed25519"
    ED448 = "ed448"


class Flaw(Enum):
    """What is wrong with a certificate, and with nothing else of it."""

    EXPIRED = "expired yesterday"
    NOT_YET_VALID = "valid from next week on"
    REVOKED = "listed in the CA's CRL"
    WRONG_KEY_USAGE = "for key encipherment only"
    WRONG_EXTENDED_KEY_USAGE = "for code signing only"
    ANOTHER_IDENTITY = "about somebody else"
    UNKNOWN_CA = "of a CA that nobody trusts"
    FALSE_SIGNATURE = "signed by another key than its CA's"


@lru_cache(maxsize=64)
def make_key(kind: KeyType, purpose: str) -> PrivateKey:
    """Make a private key; one for each kind and purpose, for RSA keys take their time."""
    curves: Mapping[KeyType, ec.EllipticCurve] = {
        KeyType.ECDSA_P256: ec.SECP256R1(),
        KeyType.ECDSA_P384: ec.SECP384R1(),
        KeyType.ECDSA_P521: ec.SECP521R1(),
    }
    if kind in curves:
        return ec.generate_private_key(curves[kind])
    if kind is KeyType.ED25519:
        return ed25519.Ed25519PrivateKey.generate()
    if kind is KeyType.ED448:
        return ed448.Ed448PrivateKey.generate()
    if kind is KeyType.DSA_1024:
        return dsa.generate_private_key(1024)
    return rsa.generate_private_key(65537, int(kind.value.removeprefix("rsa-")))


@dataclass(slots=True)
class Authority:
    """A CA: its root signs an intermediate CA, which signs end entities.

    ``now`` (seconds since the epoch) is the time that validity is counted from. Of several
    ``levels`` of intermediate CAs each signs the next one; ``intermediates`` begin with the one
    that signs end entities.
    """

    now: float
    name: str = "ikeproof lab"
    levels: int = 1
    _serial: int = 1
    _revoked: list[int] = field(default_factory=list)
    _root_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False
    )
    _key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False
    )
    root: x509.Certificate = field(init=False)
    intermediates: tuple[x509.Certificate, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Make the certificates of root and intermediate CAs."""
        issuer, signing = _name(f"{self.name} root CA"), self._root_key
        self.root = self._authority(issuer, issuer, signing, signing, None)
        self.intermediates = ()
        for below in reversed(range(self.levels)):
            subject = _name(f"{self.name} issuing CA{f' {below}' if below else ''}")
            key = ec.generate_private_key(ec.SECP256R1()) if below else self._key
            made = self._authority(issuer, subject, key, signing, below)
            self.intermediates = (made, *self.intermediates)
            issuer, signing = subject, key

    @property
    def intermediate(self) -> x509.Certificate:
        """The CA that signs end entities."""
        return self.intermediates[0]

    def credential(
        self, identity: Identity, kind: KeyType, scheme: Scheme, flaw: Flaw | None = None
    ) -> Signature:
        """Make what somebody signs with, and what a verifier goes by."""
        key = make_key(kind, str(identity))
        issuer = Authority(self.now, "nobody's") if flaw is Flaw.UNKNOWN_CA else self
        certificate = issuer._end_entity(identity, key, flaw)
        return Signature(
            chain=tuple(map(_der, (certificate, *issuer.intermediates))),
            key=key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
            anchors=(_der(self.root),),
            scheme=scheme,
            crls=(self.crl(),) if flaw is Flaw.REVOKED else (),
        )

    def crl(self) -> bytes:
        """Sign the list of what was revoked (DER)."""
        begin = -DAY + len(self._revoked)
        return revocations.crl(
            self.issuing,
            self.now,
            self._revoked,
            valid=(begin, 30 * DAY),
            number=len(self._revoked) + 1,
        )

    def ocsp_response(self, certificate: bytes) -> bytes:
        """Sign the state of a certificate (DER) as an OCSP response (RFC 6960; RFC 4806)."""
        revoked = x509.load_der_x509_certificate(certificate).serial_number in self._revoked
        return revocations.ocsp_response(
            self.issuing,
            certificate,
            self.intermediate,
            self.now,
            status=Status.REVOKED if revoked else Status.GOOD,
        )

    # Who signs CRLs and OCSP responses.

    @property
    def issuing(self) -> Signer:
        """The CA that signs end entities."""
        return Signer(self.intermediate, self._key)

    @property
    def above(self) -> Signer:
        """The root CA: of one level, it signs the certificate of the CA that `issuing` is."""
        return Signer(self.root, self._root_key)

    def designated(
        self, *, marked: bool = True, expired: bool = False, by_root: bool = False
    ) -> Signer:
        """Issue a certificate for somebody who signs OCSP responses for the CA (RFC 6960, 4.2.2.2).

        It may lack the mark of that, have expired, or be issued by the root CA instead.
        """
        issuer = self.above if by_root else self.issuing
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(f"{self.name} OCSP responder")
        builder = self._builder(name, issuer.certificate.subject, key, issuer.key)
        builder = _of_responder(self._valid(builder, *_validity(expired=expired)), marked=marked)
        return Signer(builder.sign(issuer.key, hashes.SHA256()), key)

    def trusted_responder(self, name: str) -> Signer:
        """Make a responder of its own, whose certificate it has signed itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(_name(name), _name(name), key, key)
        builder = _of_responder(self._valid(builder, *_validity(expired=False)), marked=True)
        return Signer(builder.sign(key, hashes.SHA256()), key)

    def _end_entity(
        self, identity: Identity, key: PrivateKey, flaw: Flaw | None
    ) -> x509.Certificate:
        builder = self._builder(_subject(identity), self.intermediate.subject, key, self._key)
        builder = self._valid(builder, *VALIDITY.get(flaw, (-DAY, 30 * DAY)))
        if flaw is Flaw.REVOKED:
            self._revoked.append(self._serial)
        alternative = _alternative_name(identity, another=flaw is Flaw.ANOTHER_IDENTITY)
        if alternative is not None:
            builder = builder.add_extension(alternative, critical=False)
        usage = _usage(signs=flaw is not Flaw.WRONG_KEY_USAGE)
        builder = builder.add_extension(usage, critical=True)
        builder = builder.add_extension(x509.BasicConstraints(False, None), critical=True)
        if flaw is Flaw.WRONG_EXTENDED_KEY_USAGE:
            purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
            builder = builder.add_extension(purposes, critical=False)
        signer = self._root_key if flaw is Flaw.FALSE_SIGNATURE else self._key
        return builder.sign(signer, hashes.SHA256())

    def _authority(
        self,
        issuer: x509.Name,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        signing: ec.EllipticCurvePrivateKey,
        below: int | None,
    ) -> x509.Certificate:
        builder = self._builder(subject, issuer, key, signing)
        builder = self._valid(builder, -2 * DAY, 365 * DAY)
        builder = builder.add_extension(x509.BasicConstraints(True, below), critical=True)
        builder = builder.add_extension(_usage(signs=False, issues=True), critical=True)
        return builder.sign(signing, hashes.SHA256())

    def _builder(
        self,
        subject: x509.Name,
        issuer: x509.Name,
        key: PrivateKey,
        issuing: ec.EllipticCurvePrivateKey,
    ) -> x509.CertificateBuilder:
        self._serial += 1
        public = key.public_key()
        of_issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuing.public_key())
        return (
            x509.CertificateBuilder()
            .issuer_name(issuer)
            .subject_name(subject)
            .public_key(public)
            .serial_number(self._serial)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(of_issuer, critical=False)
        )

    def _valid(
        self, builder: x509.CertificateBuilder, start: float, end: float
    ) -> x509.CertificateBuilder:
        return builder.not_valid_before(self._time(start)).not_valid_after(self._time(end))

    def _time(self, offset: float) -> datetime:
        return datetime.fromtimestamp(0, UTC) + timedelta(seconds=int(self.now + offset))


VALIDITY: Mapping[Flaw | None, tuple[float, float]] = {
    Flaw.EXPIRED: (-30 * DAY, -DAY),
    Flaw.NOT_YET_VALID: (7 * DAY, 30 * DAY),
}
"""From when to when a certificate is valid, in seconds from the CA's time."""

ATTRIBUTES = {
    der.object_identifier(oid.dotted_string): oid
    for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
}


def _validity(*, expired: bool) -> tuple[float, float]:
    return VALIDITY[Flaw.EXPIRED] if expired else (-DAY, 30 * DAY)


def _of_responder(builder: x509.CertificateBuilder, *, marked: bool) -> x509.CertificateBuilder:
    builder = builder.add_extension(_usage(signs=True), critical=True)
    builder = builder.add_extension(x509.BasicConstraints(False, None), critical=True)
    purpose = ExtendedKeyUsageOID.OCSP_SIGNING if marked else ExtendedKeyUsageOID.CLIENT_AUTH
    return builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)


def distinguished_name(common_name: str) -> Identity:
    """Give the identity of a subject of ours (ID_DER_ASN1_DN)."""
    return Identity(IdType.ID_DER_ASN1_DN, _name(common_name).public_bytes())


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "ikeproof"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _subject(identity: Identity) -> x509.Name:
    if identity.type != IdType.ID_DER_ASN1_DN:
        return _name(str(identity))
    attributes = []
    for _, attribute in der.sequence(identity.data):
        ((_, pair),) = der.values(attribute)
        (tag, oid), (_, text) = der.values(pair)
        attributes.append(x509.NameAttribute(ATTRIBUTES[der.encode(tag, oid)], text.decode()))
    return x509.Name(attributes)


def _alternative_name(identity: Identity, *, another: bool) -> x509.SubjectAlternativeName | None:
    text = identity.data.decode("utf-8", "replace")
    names: Mapping[int, Callable[[], x509.GeneralName]] = {
        IdType.ID_FQDN: lambda: x509.DNSName(text),
        IdType.ID_RFC822_ADDR: lambda: x509.RFC822Name(text),
        IdType.ID_IPV4_ADDR: lambda: x509.IPAddress(ip_address(identity.data)),
        IdType.ID_IPV6_ADDR: lambda: x509.IPAddress(ip_address(identity.data)),
    }
    if another:
        return x509.SubjectAlternativeName([x509.DNSName("somebody-else.test")])
    if identity.type not in names:
        return None
    return x509.SubjectAlternativeName([names[identity.type]()])


def _usage(*, signs: bool, issues: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=not signs and not issues,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issues,
        crl_sign=issues,
        encipher_only=False,
        decipher_only=False,
    )


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
