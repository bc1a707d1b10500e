"""The signature algorithms of AUTH as a table, with their AlgorithmIdentifiers (RFC 7427, A)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from cryptography.hazmat.primitives import hashes

from peers.reference import der
from peers.reference.errors import MalformedMessage, PeerError
from peers.reference.numbers import AuthMethod, HashAlgorithm

HASHES: Mapping[int, hashes.HashAlgorithm] = {
    HashAlgorithm.SHA1: hashes.SHA1(),
    HashAlgorithm.SHA2_256: hashes.SHA256(),
    HashAlgorithm.SHA2_384: hashes.SHA384(),
    HashAlgorithm.SHA2_512: hashes.SHA512(),
}

HASH_OIDS: Mapping[HashAlgorithm, str] = {
    HashAlgorithm.SHA1: "1.3.14.3.2.26",
    HashAlgorithm.SHA2_256: "2.16.840.1.101.3.4.2.1",
    HashAlgorithm.SHA2_384: "2.16.840.1.101.3.4.2.2",
    HashAlgorithm.SHA2_512: "2.16.840.1.101.3.4.2.3",
}

PSS_OID = "1.2.840.113549.1.1.10"
MGF1_OID = "1.2.840.113549.1.1.8"


class KeyKind(Enum):
    """Kinds of public keys."""

    RSA = "RSA"
    DSA = "DSA"
    ECDSA = "ECDSA"
    ED25519 = "Ed25519"
    ED448 = "Ed448"


@dataclass(frozen=True, slots=True)
class Scheme:
    """A signature algorithm with its hash, as an authentication method carries it.

    ``oid`` names it within method 14; ``salt`` is the salt's length in octets, for PSS alone;
    ``order_bits`` is the size of the group's order where r and s have fixed width: in methods 3 and
    9 to 11.
    """

    name: str
    method: AuthMethod
    kind: KeyKind
    hash: HashAlgorithm
    oid: str = ""
    salt: int | None = None
    order_bits: int | None = None

    def __str__(self) -> str:
        return self.name

    def identifier(self) -> bytes:
        """Write the AlgorithmIdentifier of method 14 (RFC 7427, 3), in the preferred format."""
        parameters = b""
        if self.salt is not None:
            parameters = self._pss_parameters()
        elif self.kind is KeyKind.RSA:
            parameters = der.NULL_VALUE
        return der.encode(der.SEQUENCE, der.object_identifier(self.oid), parameters)

    def _pss_parameters(self) -> bytes:
        assert self.salt is not None
        digest = _hash_identifier(self.hash)
        generator = der.encode(der.SEQUENCE, der.object_identifier(MGF1_OID), digest)
        salt = der.encode(der.INTEGER, bytes([self.salt]))
        tagged = (
            der.encode(der.EXPLICIT + number, value)
            for number, value in enumerate((digest, generator, salt))
        )
        return der.encode(der.SEQUENCE, *tagged)


def _hash_identifier(algorithm: HashAlgorithm) -> bytes:
    oid = der.object_identifier(HASH_OIDS[algorithm])
    return der.encode(der.SEQUENCE, oid, der.NULL_VALUE)


_SHA = (
    HashAlgorithm.SHA2_256,
    HashAlgorithm.SHA2_384,
    HashAlgorithm.SHA2_512,
    HashAlgorithm.SHA1,
)
_DIGITAL = AuthMethod.DIGITAL_SIGNATURE


def _lower(algorithm: HashAlgorithm) -> str:
    return algorithm.name.lower().replace("_", "-")


RSA = {
    algorithm: Scheme(
        f"rsa-{_lower(algorithm)}", AuthMethod.RSA_DIGITAL_SIGNATURE, KeyKind.RSA, algorithm
    )
    for algorithm in _SHA
}
"""Method 1: RSASSA-PKCS1-v1_5; the hash is told by the signature itself (RFC 7296, 3.8)."""

RSA_PKCS1 = {
    algorithm: Scheme(f"rsa-pkcs1-{_lower(algorithm)}", _DIGITAL, KeyKind.RSA, algorithm, oid)
    for algorithm, oid in zip(
        _SHA, (f"1.2.840.113549.1.1.{arc}" for arc in (11, 12, 13, 5)), strict=True
    )
}
"""RSASSA-PKCS1-v1_5 in method 14."""

RSA_PSS = {
    algorithm: Scheme(
        f"rsa-pss-{_lower(algorithm)}",
        _DIGITAL,
        KeyKind.RSA,
        algorithm,
        PSS_OID,
        HASHES[algorithm].digest_size,
    )
    for algorithm in _SHA
}
"""RSASSA-PSS in method 14, with MGF1 over the same hash and a salt of the hash's size."""

ECDSA = {
    algorithm: Scheme(f"ecdsa-{_lower(algorithm)}", _DIGITAL, KeyKind.ECDSA, algorithm, oid)
    for algorithm, oid in zip(
        _SHA,
        ("1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.10045.4.3.4", "1.2.840.10045.4.1"),
        strict=True,
    )
}
"""ECDSA in method 14; the signature is a DER SEQUENCE of r and s."""

ED25519 = Scheme("ed25519", _DIGITAL, KeyKind.ED25519, HashAlgorithm.IDENTITY, "1.3.101.112")
ED448 = Scheme("ed448", _DIGITAL, KeyKind.ED448, HashAlgorithm.IDENTITY, "1.3.101.113")

ECDSA_256 = Scheme(
    "ecdsa-256",
    AuthMethod.ECDSA_SHA_256_P256,
    KeyKind.ECDSA,
    HashAlgorithm.SHA2_256,
    order_bits=256,
)
ECDSA_384 = Scheme(
    "ecdsa-384",
    AuthMethod.ECDSA_SHA_384_P384,
    KeyKind.ECDSA,
    HashAlgorithm.SHA2_384,
    order_bits=384,
)
ECDSA_521 = Scheme(
    "ecdsa-521",
    AuthMethod.ECDSA_SHA_512_P521,
    KeyKind.ECDSA,
    HashAlgorithm.SHA2_512,
    order_bits=521,
)

DSS = Scheme(
    "dss", AuthMethod.DSS_DIGITAL_SIGNATURE, KeyKind.DSA, HashAlgorithm.SHA1, order_bits=160
)
DSA_SHA1 = Scheme("dsa-sha1", _DIGITAL, KeyKind.DSA, HashAlgorithm.SHA1, "1.2.840.10040.4.3")
"""DSA, to be offered and refused (RFC 8247, 3.1 and 3.2)."""

LEGACY = (RSA[HashAlgorithm.SHA1], ECDSA_256, ECDSA_384, ECDSA_521)
"""What is signed with before RFC 7427: one hash for each key (RFC 7296, 3.8; RFC 4754, 4)."""

DIGITAL = (*RSA_PSS.values(), *RSA_PKCS1.values(), *ECDSA.values(), ED25519, ED448)
"""What is signed with in method 14, in our order of preference for each kind of key."""

SCHEMES = (*RSA.values(), DSS, ECDSA_256, ECDSA_384, ECDSA_521, *DIGITAL)

_BY_OID = {
    der.object_identifier(scheme.oid): scheme
    for scheme in (*DIGITAL, DSA_SHA1)
    if scheme.salt is None
}
_HASH_BY_OID = {der.object_identifier(oid): number for number, oid in HASH_OIDS.items()}


def read_identifier(octets: bytes) -> Scheme:
    """Find the scheme of an AlgorithmIdentifier; PeerError when it is none that we know."""
    (tag, oid), *parameters = der.sequence(octets) or [(0, b"")]
    named = der.encode(tag, oid)
    if named == der.object_identifier(PSS_OID):
        return _read_pss(parameters)
    scheme = _BY_OID.get(named)
    # Parameters are NULL or missing, and both are to be taken (RFC 7427, 3).
    if scheme is None or parameters not in ([], [(der.NULL, b"")]):
        raise PeerError(f"no signature algorithm that we know: {octets.hex()}")
    return scheme


def _read_pss(parameters: list[tuple[int, bytes]]) -> Scheme:
    if [tag for tag, _ in parameters] != [der.SEQUENCE]:
        raise MalformedMessage(0, "RSASSA-PSS without its parameters (RFC 4055, 3.1)")
    # What is absent has its default: SHA-1, MGF1 with SHA-1, 20 octets, trailer 1.
    given = dict(der.values(parameters[0][1]))
    digest = _read_hash(given.pop(der.EXPLICIT, None))
    mask = _read_mask(given.pop(der.EXPLICIT + 1, None))
    salt = _read_integer(given.pop(der.EXPLICIT + 2, None), 20)
    trailer = _read_integer(given.pop(der.EXPLICIT + 3, None), 1)
    if given or mask != digest or trailer != 1:
        raise PeerError("RSASSA-PSS with parameters that nobody uses")
    return replace(RSA_PSS[digest], salt=salt)


def _read_hash(octets: bytes | None) -> HashAlgorithm:
    if octets is None:
        return HashAlgorithm.SHA1
    (tag, oid), *parameters = der.sequence(octets) or [(0, b"")]
    found = _HASH_BY_OID.get(der.encode(tag, oid))
    if found is None or parameters not in ([], [(der.NULL, b"")]):
        raise PeerError(f"no hash algorithm that we know: {octets.hex()}")
    return found


def _read_mask(octets: bytes | None) -> HashAlgorithm:
    if octets is None:
        return HashAlgorithm.SHA1
    parts = [der.encode(tag, content) for tag, content in der.sequence(octets)]
    if len(parts) != 2 or parts[0] != der.object_identifier(MGF1_OID):
        raise PeerError("RSASSA-PSS with another mask generation than MGF1")
    return _read_hash(parts[1])


def _read_integer(octets: bytes | None, default: int) -> int:
    if octets is None:
        return default
    parts = list(der.values(octets))
    if [tag for tag, _ in parts] != [der.INTEGER]:
        raise MalformedMessage(0, "not one DER INTEGER")
    return int.from_bytes(parts[0][1], "big")
