"""Making and checking signatures of AUTH, by scheme (RFC 7296, 3.8; RFC 4754, 7; RFC 7427, 3).

Signatures of RSASSA-PKCS1-v1_5 and EdDSA have no randomness, ECDSA is deterministic (RFC 6979);
the salt of RSASSA-PSS is drawn by OpenSSL.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import load_der_private_key

from peers.reference.errors import AuthenticationFailure, PeerError, ScriptError
from peers.reference.numbers import AuthMethod, HashAlgorithm
from peers.reference.payloads import AUTH
from peers.reference.signature_schemes import (
    HASHES,
    RSA,
    SCHEMES,
    KeyKind,
    Scheme,
    read_identifier,
)

PrivateKey = (
    rsa.RSAPrivateKey
    | dsa.DSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
)
PublicKey = (
    rsa.RSAPublicKey
    | dsa.DSAPublicKey
    | ec.EllipticCurvePublicKey
    | ed25519.Ed25519PublicKey
    | ed448.Ed448PublicKey
)

_KINDS: tuple[tuple[type, type, KeyKind], ...] = (
    (rsa.RSAPrivateKey, rsa.RSAPublicKey, KeyKind.RSA),
    (dsa.DSAPrivateKey, dsa.DSAPublicKey, KeyKind.DSA),
    (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey, KeyKind.ECDSA),
    (ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey, KeyKind.ED25519),
    (ed448.Ed448PrivateKey, ed448.Ed448PublicKey, KeyKind.ED448),
)


ACCEPTED = (
    HashAlgorithm.SHA2_256,
    HashAlgorithm.SHA2_384,
    HashAlgorithm.SHA2_512,
    HashAlgorithm.IDENTITY,
)
"""The hash algorithms that we announce; SHA-1 is none of them (RFC 8247, 3.2.2)."""


def kind_of(key: object) -> KeyKind:
    """Tell the kind of a private or public key; PeerError for one that IKE does not use."""
    for private, public, kind in _KINDS:
        if isinstance(key, (private, public)):
            return kind
    raise PeerError(f"a key that is used for no signature of IKE: {type(key).__name__}")


def fits(scheme: Scheme, key: PublicKey | PrivateKey) -> bool:
    """Say whether a key can be used with a scheme; methods 9 to 11 each have one curve."""
    if kind_of(key) is not scheme.kind:
        return False
    if scheme.order_bits is None or not hasattr(key, "curve"):
        return True
    return isinstance(key.curve, (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)) and (
        key.curve.key_size == scheme.order_bits
    )


@lru_cache(maxsize=64)
def private_key(der: bytes) -> PrivateKey:
    """Load a private key from PKCS#8 DER; ScriptError when it is none that IKE signs with."""
    try:
        key = load_der_private_key(der, None)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ScriptError(f"not a private key: {error}") from error
    if not isinstance(key, PrivateKey):
        raise ScriptError(f"IKE does not sign with a {type(key).__name__}")
    return key


def sign(scheme: Scheme, key: PrivateKey, octets: bytes) -> AUTH:
    """Sign the octets; give the AUTH payload."""
    if not fits(scheme, key):
        raise ScriptError(f"{scheme} cannot be made with a {kind_of(key).value} key like this")
    signature = _signature(scheme, key, octets)
    if scheme.method == AuthMethod.DIGITAL_SIGNATURE:
        signature = prefixed(scheme.identifier(), signature)
    return AUTH(scheme.method, signature)


def prefixed(identifier: bytes, signature: bytes) -> bytes:
    """Put the AlgorithmIdentifier with its length in front, as method 14 has it (RFC 7427, 3)."""
    return bytes([len(identifier)]) + identifier + signature


def _signature(scheme: Scheme, key: PrivateKey, octets: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(octets, _padding(scheme), HASHES[scheme.hash])
    if isinstance(key, dsa.DSAPrivateKey):
        return _fixed_width(scheme, key.sign(octets, HASHES[scheme.hash]))
    if isinstance(key, ec.EllipticCurvePrivateKey):
        algorithm = ec.ECDSA(HASHES[scheme.hash], deterministic_signing=True)
        return _fixed_width(scheme, key.sign(octets, algorithm))
    return key.sign(octets)


def _padding(scheme: Scheme) -> padding.AsymmetricPadding:
    if scheme.salt is None:
        return padding.PKCS1v15()
    return padding.PSS(padding.MGF1(HASHES[scheme.hash]), scheme.salt)


def _fixed_width(scheme: Scheme, signature: bytes) -> bytes:
    """Turn DER into r and s of fixed width where the method wants that (RFC 4754, 7)."""
    if scheme.order_bits is None:
        return signature
    size = (scheme.order_bits + 7) // 8
    return b"".join(number.to_bytes(size, "big") for number in decode_dss_signature(signature))


def read(auth: AUTH) -> tuple[tuple[Scheme, ...], bytes]:
    """Read an AUTH payload: the schemes that it may be of, and the signature itself.

    Method 1 does not say its hash. PeerError for a payload that makes no sense.
    """
    if auth.method == AuthMethod.RSA_DIGITAL_SIGNATURE:
        return tuple(RSA.values()), auth.data
    if auth.method != AuthMethod.DIGITAL_SIGNATURE:
        found = tuple(scheme for scheme in SCHEMES if scheme.method == auth.method)
        if not found:
            raise AuthenticationFailure(f"{AuthMethod(auth.method)} is no signature")
        return found, auth.data
    size = auth.data[0] if auth.data else 0
    identifier, signature = auth.data[1 : 1 + size], auth.data[1 + size :]
    return (read_identifier(identifier),), signature


def verifies(scheme: Scheme, key: PublicKey, signature: bytes, octets: bytes) -> bool:
    """Say whether the signature is right."""
    if not fits(scheme, key):
        return False
    try:
        _check(scheme, key, signature)(octets)
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return True


def _check(scheme: Scheme, key: PublicKey, signature: bytes) -> Callable[[bytes], None]:
    if isinstance(key, rsa.RSAPublicKey):
        return partial(
            key.verify, signature, padding=_padding(scheme), algorithm=HASHES[scheme.hash]
        )
    if isinstance(key, dsa.DSAPublicKey):
        return partial(key.verify, _as_der(scheme, signature), algorithm=HASHES[scheme.hash])
    if isinstance(key, ec.EllipticCurvePublicKey):
        algorithm = ec.ECDSA(HASHES[scheme.hash])
        return partial(key.verify, _as_der(scheme, signature), signature_algorithm=algorithm)
    return partial(key.verify, signature)


def _as_der(scheme: Scheme, signature: bytes) -> bytes:
    """Turn r and s of fixed width into DER where the method has that."""
    if scheme.order_bits is None:
        return signature
    size = (scheme.order_bits + 7) // 8
    if len(signature) != 2 * size:
        raise ValueError("r and s are not of the order's width")
    r, s = (int.from_bytes(part, "big") for part in (signature[:size], signature[size:]))
    return encode_dss_signature(r, s)
