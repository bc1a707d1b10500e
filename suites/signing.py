"""Signatures that are wrong in one respect, and how they are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha1

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from peers.ca import KeyType, make_key
from peers.peer import Peer
from peers.reference import signature_schemes as schemes
from peers.reference import signatures
from peers.reference.authentication import null_mic, octets_to_sign, shared_key_mic
from peers.reference.credentials import Signature
from peers.reference.errors import ScriptError
from peers.reference.numbers import AuthMethod, HashAlgorithm
from peers.reference.payloads import AUTH, IDi, IDr
from suites.methods import RSA_2048, SHA1, Signs

Wrong = Callable[[Peer, AUTH], AUTH]

P256 = schemes.ECDSA[HashAlgorithm.SHA2_256]


def _identification(peer: Peer) -> IDi | IDr:
    return peer.connection.local_identity.payload(of_initiator=peer.ike.initiator)


def _octets(peer: Peer) -> bytes:
    return octets_to_sign(peer.ike, _identification(peer))


def _one_bit_wrong(peer: Peer, auth: AUTH) -> AUTH:
    return replace(auth, data=auth.data[:-1] + bytes([auth.data[-1] ^ 1]))


def _truncated(peer: Peer, auth: AUTH) -> AUTH:
    return replace(auth, data=auth.data[:-1])


def _without_signature(peer: Peer, auth: AUTH) -> AUTH:
    return replace(auth, data=auth.data[: 1 + auth.data[0]])


def _over_long(peer: Peer, auth: AUTH) -> AUTH:
    return replace(auth, data=auth.data + b"\0")


def _of_another_key(peer: Peer, auth: AUTH) -> AUTH:
    return signatures.sign(P256, make_key(KeyType.ECDSA_P256, "another"), _octets(peer))


def _of_another_hash(peer: Peer, auth: AUTH) -> AUTH:
    other = schemes.ECDSA[HashAlgorithm.SHA2_512]
    size = 1 + auth.data[0]
    return replace(auth, data=auth.data[:size] + _resigned(peer, other)[size:])


def by(peer: Peer, scheme: schemes.Scheme) -> AUTH:
    """Sign by a scheme with the peer's own key, whatever the target takes."""
    return signatures.sign(scheme, signatures.private_key(_credential(peer).key), _octets(peer))


def _resigned(peer: Peer, scheme: schemes.Scheme) -> bytes:
    key = signatures.private_key(_credential(peer).key)
    return signatures.sign(scheme, key, _octets(peer)).data


def _of_other_octets(peer: Peer, auth: AUTH) -> AUTH:
    key = signatures.private_key(_credential(peer).key)
    return signatures.sign(P256, key, _octets(peer)[:-1])


def by_scheme(peer: Peer, scheme: schemes.Scheme, identifier: bytes = b"") -> AUTH:
    """Sign by another scheme than that of the connection, with the peer's own key.

    ``identifier`` says something else about it than the scheme would.
    """
    signed = _resigned(peer, scheme)
    said = identifier or scheme.identifier()
    return AUTH(scheme.method, signatures.prefixed(said, signed[1 + signed[0] :]))


def _credential(peer: Peer) -> Signature:
    credential = peer.connection.local_credential
    if not isinstance(credential, Signature):
        raise ScriptError("the peer does not sign")
    return credential


WRONG = pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(each, id=each.__name__.strip("_").replace("_", "-"))
        for each in (
            _one_bit_wrong,
            _truncated,
            _without_signature,
            _over_long,
            _of_another_key,
            _of_another_hash,
            _of_other_octets,
        )
    ],
)
"""Signatures by the right method that do not verify."""


def _as_null(peer: Peer, auth: AUTH) -> AUTH:
    return AUTH(AuthMethod.NULL_AUTHENTICATION, null_mic(peer.ike, _identification(peer)))


def _as_empty_secret(peer: Peer, auth: AUTH) -> AUTH:
    mic = shared_key_mic(peer.ike, _identification(peer), b"")
    return AUTH(AuthMethod.SHARED_KEY_MIC, mic)


ANOTHER_METHOD = pytest.mark.parametrize(
    "wrong", [_as_null, _as_empty_secret], ids=["null", "empty-secret"]
)
"""Proofs that anybody can make."""

WHOLE = 20
"""Octets of a SHA-1 hash."""

_METHOD_1 = pytest.param(Signs(RSA_2048, schemes.RSA[SHA1]), id="")
RSA_BY_METHOD_1 = pytest.mark.parametrize("method", [_METHOD_1])

_SIZES = pytest.mark.parametrize("size", [0, 1, 19, 21], ids="{}-octets".format)


def CONTAINED(test: Callable[..., None]) -> Callable[..., None]:  # noqa: N802
    """Have RSA sign hashes of other sizes than SHA-1's."""
    marked: Callable[..., None] = RSA_BY_METHOD_1(_SIZES(test))
    return marked


def with_hash_of(peer: Peer, auth: AUTH, size: int) -> AUTH:
    """Sign by method 1 a hash that is cut or continued with zeros to so many octets.

    The encoding is otherwise right: EMSA-PKCS1-v1_5 with SHA-1's DigestInfo (RFC 8017, 9.2).
    """
    key = signatures.private_key(_credential(peer).key)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ScriptError("the peer has no RSA key")
    digest = sha1(_octets(peer)).digest().ljust(size, b"\0")[:size]
    info = bytes([0x30, 13 + size, 0x30, 9, 6, 5, 0x2B, 14, 3, 2, 0x1A, 5, 0, 4, size]) + digest
    width = key.key_size // 8
    encoded = b"\0\1" + b"\xff" * (width - len(info) - 3) + b"\0" + info
    numbers = key.private_numbers()
    signed = pow(int.from_bytes(encoded, "big"), numbers.d, numbers.public_numbers.n)
    return replace(auth, data=signed.to_bytes(width, "big"))
