"""The authentication methods that tests use: how both sides of a connection prove themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import pytest

from peers.ca import Authority, Flaw, KeyType
from peers.reference import signature_schemes as schemes
from peers.reference.credentials import (
    ByEap,
    Credential,
    Eap,
    EapTls,
    Md5,
    Mschapv2,
    Null,
    Psk,
    Signature,
)
from peers.reference.identity import Identity
from peers.reference.numbers import HashAlgorithm
from peers.reference.sa import Random
from peers.reference.signature_schemes import Scheme
from peers.targets.base import Capability

DAY = 86400

SHA1, SHA2_256 = HashAlgorithm.SHA1, HashAlgorithm.SHA2_256


@lru_cache(maxsize=2)
def _authority(day: int) -> Authority:
    return Authority(day * DAY)


def authority(now: float) -> Authority:
    """Give the lab's CA of the day."""
    return _authority(int(now // DAY))


@lru_cache(maxsize=4)
def _deep_authority(day: int, name: str) -> Authority:
    return Authority(day * DAY, name, levels=3)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a credential is made from: who it is for, the time, and the run's randomness."""

    identity: Identity
    now: float
    random: Random
    of_target: bool = False


@dataclass(frozen=True, slots=True)
class ByEapOf:
    """EAP by the initiator, which is the peer or the target; ``alone`` of RFC 5998 or not.

    The initiator's certificate may have a flaw.
    """

    make: Callable[[Proof, Signature, Signature], Eap]
    by_target: bool = False
    alone: bool = False
    flaw: Flaw | None = None

    def both(
        self, local: Identity, remote: Identity, random: Random, now: float
    ) -> tuple[Credential, Credential]:
        """Make the credentials of the target and of the peer."""
        initiator, responder = (local, remote) if self.by_target else (remote, local)
        client, server = (
            authority(now).credential(each, KeyType.ECDSA_P256, schemes.ECDSA[SHA2_256], flaw)
            for each, flaw in ((initiator, self.flaw), (responder, None))
        )
        eap = self.make(Proof(initiator, now, random), client, server)
        proof = ByEap() if self.alone else server
        return (eap, proof) if self.by_target else (proof, eap)


def mschapv2(proof: Proof, client: Signature, server: Signature) -> Eap:
    """Make a user of the initiator's name, and a password."""
    return Mschapv2(str(proof.identity).encode(), proof.random(12).hex())


def md5(proof: Proof, client: Signature, server: Signature) -> Eap:
    """Make a password of the initiator's, for a method that makes no key."""
    return Md5(str(proof.identity).encode(), proof.random(12).hex())


def tls(proof: Proof, client: Signature, server: Signature) -> Eap:
    """Use the certificates of both sides."""
    return EapTls(client, server)


Method = Callable[[Proof], Credential] | ByEapOf
"""Makes the credential of a side, or those of both."""


@dataclass(frozen=True, slots=True)
class Signs:
    """A signature, with a certificate of the lab's CA; that of the peer may have a flaw."""

    kind: KeyType
    scheme: Scheme
    flaw: Flaw | None = None

    def __call__(self, proof: Proof) -> Credential:
        """Make key and certificate."""
        flaw = None if proof.of_target else self.flaw
        return authority(proof.now).credential(proof.identity, self.kind, self.scheme, flaw)


def four_certificates(proof: Proof) -> Credential:
    """Make a certificate under three intermediate CAs, which the other side does not know."""
    name = f"{'target' if proof.of_target else 'peer'}'s lab"
    deep = _deep_authority(int(proof.now // DAY), name)
    return deep.credential(proof.identity, KeyType.ECDSA_P256, schemes.ECDSA[SHA2_256])


def short_rsa_key(proof: Proof) -> Credential:
    """Make a certificate of an RSA key, which has 1024 bits if it is the peer's."""
    kind = RSA_2048 if proof.of_target else KeyType.RSA_1024
    scheme = schemes.RSA_PSS[SHA2_256]
    return authority(proof.now).credential(proof.identity, kind, scheme)


def psk(proof: Proof) -> Credential:
    """Make a secret."""
    return Psk(proof.random(16).hex().encode())


def null(proof: Proof) -> Credential:
    """Prove nothing."""
    return Null()


SHA2_384, SHA2_512 = HashAlgorithm.SHA2_384, HashAlgorithm.SHA2_512
RSA_2048, RSA_3072 = KeyType.RSA_2048, KeyType.RSA_3072
P256, P384, P521 = KeyType.ECDSA_P256, KeyType.ECDSA_P384, KeyType.ECDSA_P521

ECDSA_P256 = Signs(P256, schemes.ECDSA[SHA2_256])
"""The signature of tests that are about something else."""


def _signs(kind: KeyType, scheme: Scheme, *needs: Capability) -> object:
    marks = [pytest.mark.needs(*needs)] if needs else []
    return pytest.param(Signs(kind, scheme), id=f"{scheme}-{kind.value}", marks=marks)


LEGACY = pytest.mark.parametrize(
    "method",
    [
        _signs(RSA_2048, schemes.RSA[SHA1]),
        _signs(P256, schemes.ECDSA_256, Capability.LEGACY_ECDSA),
        _signs(P384, schemes.ECDSA_384, Capability.LEGACY_ECDSA),
        _signs(P521, schemes.ECDSA_521, Capability.LEGACY_ECDSA),
    ],
)
"""The methods that name one algorithm each (RFC 7296, 3.8; RFC 4754)."""

DIGITAL = pytest.mark.parametrize(
    "method",
    [
        _signs(RSA_2048, schemes.RSA_PSS[SHA2_256]),
        _signs(RSA_3072, schemes.RSA_PSS[SHA2_384]),
        _signs(RSA_2048, schemes.RSA_PSS[SHA2_512]),
        _signs(RSA_2048, schemes.RSA_PKCS1[SHA2_256], Capability.RSA_PKCS1_SHA2),
        _signs(RSA_3072, schemes.RSA_PKCS1[SHA2_384], Capability.RSA_PKCS1_SHA2),
        _signs(RSA_2048, schemes.RSA_PKCS1[SHA2_512], Capability.RSA_PKCS1_SHA2),
        _signs(P256, schemes.ECDSA[SHA2_256]),
        _signs(P384, schemes.ECDSA[SHA2_384]),
        _signs(P521, schemes.ECDSA[SHA2_512]),
        _signs(KeyType.ED25519, schemes.ED25519, Capability.EDDSA),
        _signs(KeyType.ED448, schemes.ED448, Capability.EDDSA),
    ],
)
"""Digital signatures, method 14 (RFC 7427; RFC 8420)."""

TWO_ENCODINGS = pytest.mark.parametrize(
    "method",
    [
        _signs(RSA_2048, schemes.RSA_PKCS1[SHA2_256], Capability.RSA_PKCS1_SHA2),
        _signs(P256, schemes.ECDSA[SHA2_256]),
    ],
)
"""Digital signatures whose algorithm can be written with parameters of NULL or without any."""


FLAWS = pytest.mark.parametrize(
    "method",
    [
        pytest.param(
            Signs(P256, schemes.ECDSA[SHA2_256], flaw),
            id=flaw.name.lower(),
            marks=[pytest.mark.needs(Capability.CRL_LOADED)] if flaw is Flaw.REVOKED else [],
        )
        for flaw in (
            Flaw.EXPIRED,
            Flaw.NOT_YET_VALID,
            Flaw.REVOKED,
            Flaw.ANOTHER_IDENTITY,
            Flaw.UNKNOWN_CA,
            Flaw.FALSE_SIGNATURE,
        )
    ],
)
"""Certificates of the peer that are not to be believed."""


def authenticated(method: Method) -> pytest.MarkDecorator:
    """Have both sides authenticate by a method of the test's own."""
    return pytest.mark.parametrize("method", [pytest.param(method, id="")])


def credentials(
    method: Method, local: Identity, remote: Identity, random: Random, now: float
) -> tuple[Credential, Credential]:
    """Make the credentials of both sides; a secret is one that they share."""
    if isinstance(method, ByEapOf):
        return method.both(local, remote, random, now)
    ours = method(Proof(local, now, random, of_target=True))
    return ours, ours if isinstance(ours, Psk) else method(Proof(remote, now, random))
