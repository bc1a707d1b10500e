"""Revocation as tests have it: who signs responses and CRLs, and what the peer puts beside CERT.

The fixtures are those of all tests about it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from peers import revocations
from peers.ca import Authority, KeyType
from peers.peer import Peer
from peers.reference import signature_schemes as schemes
from peers.reference.connection import Connection
from peers.reference.credentials import Revocation, Signature
from peers.reference.identity import fqdn
from peers.reference.message import Message
from peers.reference.numbers import CertEncoding, HashAlgorithm, NotifyType, ProtocolId
from peers.reference.payloads import AUTH, CERT, SA, Delete, Payload
from peers.reference.revocation import Status
from peers.revocations import DAY, Signer
from peers.stations import Station
from peers.targets.bound import BoundTarget
from suites.judge import requirement
from suites.methods import authority

STALE = (-3 * DAY, -DAY)
"""Of the day before yesterday, and renewed yesterday."""

TO_COME = (2 * DAY, 30 * DAY)
"""From the day after tomorrow on."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Who signs: the lab's CA, and a responder that the target trusts.

    ``other`` is the certificate (DER) of somebody else, of the same CA.
    """

    authority: Authority
    trusted: Signer
    other: bytes

    @classmethod
    def of(cls, now: float) -> Scene:
        """Set the scene of a day."""
        ours = authority(now)
        scheme = schemes.ECDSA[HashAlgorithm.SHA2_256]
        somebody = ours.credential(fqdn("another.test"), KeyType.ECDSA_P256, scheme)
        trusted = ours.trusted_responder("responder that the target trusts")
        return cls(ours, trusted, somebody.chain[0])

    def response(
        self,
        certificate: bytes,
        signer: Signer,
        *,
        status: Status = Status.GOOD,
        valid: tuple[float, float] = revocations.FRESH,
        by_key: bool = False,
        of_root: bool = False,
    ) -> bytes:
        """Sign an OCSP response about a certificate of the CA (both DER).

        It may be about that of the root CA that has the same number.
        """
        issuer = self.authority.root if of_root else self.authority.intermediate
        return revocations.ocsp_response(
            signer,
            certificate,
            issuer,
            self.authority.now,
            status=status,
            valid=valid,
            by_key=by_key,
        )

    def crl(
        self,
        signer: Signer,
        listed: bytes | None = None,
        *,
        valid: tuple[float, float] = revocations.FRESH,
        extensions: revocations.Extensions = (),
        of_entries: revocations.Extensions = (),
    ) -> bytes:
        """Sign a CRL (DER) that lists a certificate, or nothing."""
        certificates = [] if listed is None else [x509.load_der_x509_certificate(listed)]
        return revocations.crl(
            signer,
            self.authority.now,
            [each.serial_number for each in certificates],
            valid=valid,
            extensions=extensions,
            of_entries=of_entries,
        )

    def response_about_the_ca(self, status: Status) -> bytes:
        """Have the root CA sign an OCSP response (DER) about the CA below it."""
        certificate = _der(self.authority.intermediate)
        root, now = self.authority.above, self.authority.now
        return revocations.ocsp_response(root, certificate, root.certificate, now, status=status)

    def crl_about_the_ca(self, *, revoked: bool) -> bytes:
        """Have the root CA sign a CRL (DER) that lists the CA below it, or nothing."""
        return self.crl(
            self.authority.above, _der(self.authority.intermediate) if revoked else None
        )

    def stranger(self) -> Authority:
        """Give the CA of somebody whom nobody trusts."""
        return Authority(self.authority.now, "nobody's")

    def judging(self, described: Connection, how: Revocation) -> Connection:
        """Have the target judge the peer's certificate so, and trust the responder of this scene.

        Where it wants to know every status, that of the CA itself is known as good.
        """
        theirs = described.remote_credential
        assert isinstance(theirs, Signature)
        if how.asks:
            how = replace(how, responders=(_der(self.trusted.certificate), *how.responders))
        of_the_ca = (self.crl(self.authority.above),) if how.strict else ()
        judged = replace(theirs, revocation=how, crls=of_the_ca)
        return replace(described, remote_credential=judged)


@pytest.fixture
def scene(station: Station) -> Scene:
    """Give who signs OCSP responses and CRLs in a test."""
    return Scene.of(station.link.now())


@pytest.fixture
def strict() -> bool:
    """Say whether the target wants to know the status of every certificate."""
    return True


RELAXED = pytest.mark.parametrize("strict", [pytest.param(False, id="")])
"""The target takes a certificate of unknown status."""

Builder = Callable[[Scene, bytes], bytes]
"""Makes a response or a CRL (DER) for a certificate (DER)."""


def case(name: str, build: Builder, *rows: str) -> Any:
    """Name a response or a CRL of a test, and the requirements that it is about."""
    return pytest.param(build, id=name, marks=[requirement(*rows)])


def mistaken(name: str, build: Builder, *rows: str, may_refuse: bool = False) -> Any:
    """Name one that says "revoked" and does not count; its bearer may be refused for it, or not.

    By none of the RFCs does a verifier have to go on that was shown something forged, or something
    by somebody who may not sign: to refuse is its own choice.
    """
    return pytest.param(build, may_refuse, id=name, marks=[requirement(*rows)])


def response(octets: bytes) -> CERT:
    """Put an OCSP response into a CERT payload (RFC 4806, 3.2)."""
    return CERT(CertEncoding.OCSP_CONTENT, octets)


def crl(octets: bytes) -> CERT:
    """Put a CRL into a CERT payload (RFC 7296, 3.6)."""
    return CERT(CertEncoding.CRL, octets)


def beside(message: Message, *told: Payload) -> Message:
    """Put payloads behind the last CERT of a message."""
    places = [at for at, each in enumerate(message.payloads) if isinstance(each, CERT)]
    behind = places[-1] + 1
    payloads = message.payloads
    return replace(message, payloads=(*payloads[:behind], *told, *payloads[behind:]))


def is_taken(peer: Peer, target: BoundTarget, *told: Payload, wrong: str = "") -> bool:
    """Begin as initiator with something beside our certificate; say whether the target goes on."""
    peer.open_ike_sa()
    request = beside(peer.ike_auth(), *told)
    answer = peer.exchange(request, wrong)
    if answer.has(AUTH, SA):
        peer.take_up(request, answer)
        return True
    assert not {AUTH, SA} & set(answer.types), f"neither a refusal nor a grant: {answer}"
    assert not target.established(), "the target refused and lists an established IKE SA"
    return False


def is_taken_of_responder(peer: Peer, target: BoundTarget, *told: Payload, wrong: str = "") -> bool:
    """Let the target begin, and answer it so; say whether it goes on.

    If it does, it answers within the IKE SA and lists it; if not, it says so or does not answer.
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    peer.answer(request, beside(peer.ike_auth_response(request), *told), wrong)
    peer.ike.children.clear()
    refused = any(map(_gives_up, peer.reactions_so_far()))
    taken = not refused and peer.is_answered(peer.informational())
    listed = bool(target.established())
    assert taken or not listed, "the target refused and lists an established IKE SA"
    assert listed or not taken, "the target answers within an IKE SA that it does not list"
    return taken


def _gives_up(message: Message) -> bool:
    """Say whether a message closes the IKE SA: by Delete, or as the failure that it is."""
    closed = any(each.protocol == ProtocolId.IKE for each in message.all(Delete))
    return closed or NotifyType.AUTHENTICATION_FAILED in message.notifies


BOTH_ROLES = pytest.mark.parametrize(
    "taken",
    [
        pytest.param(is_taken, id="peer-initiates"),
        pytest.param(is_taken_of_responder, id="target-initiates", marks=pytest.mark.as_responder),
    ],
)
"""Who tells of its certificate: the peer, as initiator and as responder."""


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
