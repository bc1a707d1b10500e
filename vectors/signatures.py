"""Signature vectors through the reference peer's AUTH payloads."""

from __future__ import annotations

from typing import cast

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from peers.reference.numbers import AuthMethod
from peers.reference.payloads import AUTH
from peers.reference.signature_schemes import (
    ED448,
    KeyKind,
    Scheme,
    read_identifier,
)
from peers.reference.signatures import PrivateKey, PublicKey, prefixed, read
from peers.reference.signatures import sign as sign_octets
from peers.reference.signatures import verifies as verifies_octets
from peers.reference.wire import write_chain
from vectors.loader import Case

_CURVES: dict[int, ec.EllipticCurve] = {
    256: ec.SECP256R1(),
    384: ec.SECP384R1(),
    521: ec.SECP521R1(),
}


def identify(identifier: bytes) -> Scheme:
    """Read an AlgorithmIdentifier; PeerError for one that we do not know."""
    return read_identifier(identifier)


def verifies(case: Case) -> bool:
    """Verify the signature as a recipient of the AUTH payload does."""
    schemes, signature = read(_auth(case))
    return any(
        verifies_octets(scheme, _public(scheme, case), signature, case.octets("message"))
        for scheme in schemes
    )


def sign(case: Case) -> bytes:
    """Sign the message anew; give the signature without what method 14 puts in front."""
    (scheme,), _ = read(_auth(case))
    auth = sign_octets(scheme, _private(scheme, case), case.octets("message"))
    return auth.data[1 + len(case.octets("identifier")) :]


def payload(case: Case) -> bytes:
    """Encode the whole AUTH payload, no other payload following."""
    return write_chain((_auth(case),))


def _auth(case: Case) -> AUTH:
    signature, method = case.octets("signature"), AuthMethod(case.number("method"))
    if method == AuthMethod.DIGITAL_SIGNATURE:
        signature = prefixed(case.octets("identifier"), signature)
    return AUTH(method, signature)


def _public(scheme: Scheme, case: Case) -> PublicKey:
    if scheme.kind is KeyKind.RSA:
        modulus, exponent = (int(str(case.values[name]), 16) for name in ("modulus", "exponent"))
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    octets = case.octets("public")
    if scheme.kind is KeyKind.ECDSA:
        bits = scheme.order_bits or case.number("order_bits")
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[bits], b"\x04" + octets)
    if scheme == ED448:
        return ed448.Ed448PublicKey.from_public_bytes(octets)
    return ed25519.Ed25519PublicKey.from_public_bytes(octets)


def _private(scheme: Scheme, case: Case) -> PrivateKey:
    octets = case.octets("private")
    if scheme == ED448:
        return cast(PrivateKey, ed448.Ed448PrivateKey.from_private_bytes(octets))
    return cast(PrivateKey, ed25519.Ed25519PrivateKey.from_private_bytes(octets))
