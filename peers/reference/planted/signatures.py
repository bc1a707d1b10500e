"""Planted faults: signatures, certificates and NULL authentication."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeGuard

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from peers.reference import der, signatures
from peers.reference import signature_schemes as schemes
from peers.reference.certificates import Objection
from peers.reference.credentials import Credential, Null, Psk, Signature
from peers.reference.decisions import Decisions
from peers.reference.keys import IkeKeys
from peers.reference.message import Message
from peers.reference.numbers import AuthMethod, ExchangeType, HashAlgorithm, NotifyType
from peers.reference.payloads import AUTH, CERT, Notify, Payload
from peers.reference.planted.catalogue import fault
from peers.reference.signature_schemes import KeyKind, Scheme
from peers.reference.signatures import PrivateKey, PublicKey, kind_of, private_key


@fault("signs-with-unannounced-hash", fundamental=True)
class SignsWithUnannouncedHash(Decisions):
    """A digital signature uses SHA-1, though the other side did not announce it (F52)."""

    def signs_with(self, credential: Signature, hashes: Sequence[int] | None) -> Scheme:
        kind = kind_of(private_key(credential.key))
        weak = {
            KeyKind.RSA: schemes.RSA_PSS[HashAlgorithm.SHA1],
            KeyKind.ECDSA: schemes.ECDSA[HashAlgorithm.SHA1],
        }
        return weak.get(kind, credential.scheme)


@fault("refuses-method-14", fundamental=True)
class RefusesMethod14(Decisions):
    """A digital signature does not count as a proof by a certificate."""

    def method_fits(self, auth: AUTH, credential: Credential) -> bool:
        return auth.method != AuthMethod.DIGITAL_SIGNATURE


@fault("announces-no-hashes", fundamental=True)
class AnnouncesNoHashes(Decisions):
    """Method 14 is used, and SIGNATURE_HASH_ALGORITHMS is never sent."""

    def edit(self, message: Message) -> Message:
        return message.without_notify(NotifyType.SIGNATURE_HASH_ALGORITHMS)


@fault("announces-sha1")
class AnnouncesSha1(Decisions):
    """SIGNATURE_HASH_ALGORITHMS has SHA-1 behind the others."""

    def edit(self, message: Message) -> Message:
        return replace(message, payloads=tuple(map(_with_sha1, message.payloads)))


def _with_sha1(payload: Payload) -> Payload:
    if isinstance(payload, Notify) and payload.notify_type == NotifyType.SIGNATURE_HASH_ALGORITHMS:
        return replace(payload, data=payload.data + HashAlgorithm.SHA1.to_bytes(2, "big"))
    return payload


@fault("takes-signatures-over-sha1")
class TakesSignaturesOverSha1(Decisions):
    """A digital signature may use SHA-1, though it is not announced."""

    def accepts_hash(self, scheme: Scheme, announced: Sequence[int]) -> bool:
        return scheme.hash == HashAlgorithm.SHA1 or super().accepts_hash(scheme, announced)


@fault("writes-the-other-encoding")
class WritesTheOtherEncoding(Decisions):
    """An AlgorithmIdentifier has NULL where no parameters are preferred, and none where NULL is."""

    def sign(self, scheme: Scheme, key: PrivateKey, octets: bytes) -> AUTH:
        auth = super().sign(scheme, key, octets)
        if scheme.method != AuthMethod.DIGITAL_SIGNATURE or scheme.salt is not None:
            return auth
        parameters = b"" if scheme.kind is KeyKind.RSA else der.NULL_VALUE
        other = der.encode(der.SEQUENCE, der.object_identifier(scheme.oid), parameters)
        return replace(auth, data=signatures.prefixed(other, auth.data[1 + auth.data[0] :]))


@fault("cuts-hashes-at-the-front")
class CutsHashesAtTheFront(Decisions):
    """A hash that is longer than the curve's order loses its first octets, not its last."""

    def sign(self, scheme: Scheme, key: PrivateKey, octets: bytes) -> AUTH:
        auth = super().sign(scheme, key, octets)
        if scheme.hash != HashAlgorithm.SHA2_512 or not _is_of_p256(key):
            return auth
        whole = hashes.Hash(hashes.SHA512())
        whole.update(octets)
        cut = whole.finalize()[-32:]
        signature = key.sign(cut, ec.ECDSA(Prehashed(hashes.SHA256())))
        return replace(auth, data=signatures.prefixed(scheme.identifier(), signature))


def _is_of_p256(key: PrivateKey) -> TypeGuard[ec.EllipticCurvePrivateKey]:
    return isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)


@fault("accepts-any-signature")
class AcceptsAnySignature(Decisions):
    """Signatures are not checked (F57)."""

    def signature_verifies(
        self, scheme: Scheme, key: PublicKey, signature: bytes, octets: bytes
    ) -> bool:
        return True


@fault("overlooks-every-objection")
class OverlooksEveryObjection(Decisions):
    """Whatever speaks against a certificate, it is believed."""

    def overlooks(self, objection: Objection) -> bool:
        return True


@fault("takes-short-rsa-keys")
class TakesShortRsaKeys(Decisions):
    """An RSA key may have any length."""

    def overlooks(self, objection: Objection) -> bool:
        return objection is Objection.SHORT_KEY


@fault("signs-shortened-octets", fundamental=True)
class SignsShortenedOctets(Decisions):
    """The last octet of what is to be signed is left out."""

    def sign(self, scheme: Scheme, key: PrivateKey, octets: bytes) -> AUTH:
        return super().sign(scheme, key, octets[:-1])


@fault("takes-any-method")
class TakesAnyMethod(Decisions):
    """Who has a certificate may prove itself by a method that needs none (F56)."""

    def method_fits(self, auth: AUTH, credential: Credential) -> bool:
        return True

    def proved_by(self, auth: AUTH, credential: Credential) -> Credential:
        if auth.method == AuthMethod.NULL_AUTHENTICATION:
            return Null()
        return Psk(b"") if auth.method == AuthMethod.SHARED_KEY_MIC else credential


@fault("proves-null-by-peers-key")
class ProvesNullByPeersKey(Decisions):
    """NULL authentication takes SK_p of the other direction."""

    def null_secret(self, keys: IkeKeys, *, of_initiator: bool) -> bytes:
        return super().null_secret(keys, of_initiator=not of_initiator)


@fault("sends-no-certificate", fundamental=True)
class SendsNoCertificate(Decisions):
    """A signature of ours comes without the certificate that it is verified by."""

    def edit(self, message: Message) -> Message:
        return message.without(CERT) if message.exchange == ExchangeType.IKE_AUTH else message


@fault("takes-three-certificates")
class TakesThreeCertificates(Decisions):
    """Of the CERT payloads of a message the first three are looked at."""

    def chain_taken(self, certs: Sequence[CERT]) -> Sequence[CERT]:
        return certs[:3]


@fault("sends-three-certificates")
class SendsThreeCertificates(Decisions):
    """No more than three CERT payloads are sent, however long the chain is."""

    def edit(self, message: Message) -> Message:
        kept = message.all(CERT)[:3]
        others = (each for each in message.payloads if not isinstance(each, CERT) or each in kept)
        return replace(message, payloads=tuple(others))


@fault("takes-dss-signatures")
class TakesDssSignatures(Decisions):
    """AUTH by method 3, DSS Digital Signature, is taken (RFC 8247, 3.1)."""

    def method_fits(self, auth: AUTH, credential: Credential) -> bool:
        return auth.method == AuthMethod.DSS_DIGITAL_SIGNATURE or super().method_fits(
            auth, credential
        )
