"""RFC 4806, 3.1 and 4.1: the target asks for OCSP responses."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from peers.reference import certificates
from peers.reference.credentials import Revocation
from peers.reference.numbers import CertEncoding
from peers.reference.payloads import CERTREQ
from peers.targets.base import Capability
from suites.judge import as_responder, needs, requirement, turned_red_by
from suites.methods import ECDSA_P256, authenticated

pytestmark = [needs(Capability.OCSP_IN_CERT), authenticated(ECDSA_P256)]

SHA1 = 20
"""Octets of a hash."""

ROWS = requirement(
    "rfc4806-4.1-hash-of-public-key",
    "rfc4806-4.1-responders-concatenated",
    "rfc4806-4.1-request-apart",
)
FAULTS = turned_red_by(
    "asks-for-no-status",
    "names-one-responder",
    "asks-each-responder-by-itself",
    "names-a-stranger",
    "hashes-responders-certificates",
)


@pytest.fixture(params=[0, 1, 3], ids=["no-responder", "one-responder", "three-responders"])
def trusted(request, scene):
    """Give the certificates (DER) of the responders that the target trusts."""
    made = (scene.authority.trusted_responder(f"responder {n}") for n in range(request.param))
    return [each.certificate.public_bytes(Encoding.DER) for each in made]


@pytest.fixture
def arrange(trusted):
    """Have the target ask."""

    def asking(described):
        how = Revocation(asks=True, responders=tuple(trusted))
        theirs = replace(described.remote_credential, revocation=how)
        return replace(described, remote_credential=theirs)

    return asking


@pytest.fixture
def authorities(scene):
    """Give the certificates (DER) of the CAs: they may sign too, and need not be named."""
    every = (scene.authority.root, *scene.authority.intermediates)
    return [each.public_bytes(Encoding.DER) for each in every]


def _assert_asked(message, trusted, authorities):
    """One request names all of the responders, and nobody besides who may not sign."""
    requests = [r for r in message.all(CERTREQ) if r.encoding == CertEncoding.OCSP_CONTENT]
    assert len(requests) == 1, f"{len(requests)} requests for OCSP responses: {message}"
    said = requests[0].data
    assert not len(said) % SHA1, f"{len(said)} octets are no hashes of SHA-1"
    hashes = {said[at : at + SHA1] for at in range(0, len(said), SHA1)}
    assert hashes >= _key_hashes(trusted), "not the public key of every responder is named"
    others = hashes - _key_hashes([*trusted, *authorities])
    assert not others, f"named is what is no public key of a responder or a CA: {others}"


def _key_hashes(several):
    return {certificates.key_hash(certificates.load(each)) for each in several}


@ROWS
@FAULTS
def test_responder_asks(peer, trusted, authorities):
    """
    peer                                        target (trusts none, one or three responders)
    HDR, SAi1, KEi, Ni                  -->
                                        <--     HDR, SAr1, KEr, Nr, CERTREQ(CAs),
                                                     CERTREQ(OCSP content, responders)
    """
    response = peer.exchange(peer.ike_sa_init())

    _assert_asked(response, trusted, authorities)


@ROWS
@FAULTS
@as_responder
def test_initiator_asks(peer, target, trusted, authorities):
    """
    peer                                        target (trusts none, one or three responders)
                                        <--     HDR, SK {IDi, CERT+, CERTREQ(CAs),
                                                     CERTREQ(OCSP content, responders), AUTH, ...}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()

    _assert_asked(request, trusted, authorities)
    peer.answer(request, peer.ike_auth_response(request))
