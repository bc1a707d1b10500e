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

ROWS = requirement(
    "rfc4806-4.1-hash-of-public-key",
    "rfc4806-4.1-responders-concatenated",
    "rfc4806-4.1-request-apart",
)
FAULTS = turned_red_by(
    "asks-for-no-status",
    "asks-for-status-of-cas-too",
    "names-one-responder",
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


def _assert_asked(message, trusted):
    requests = [r for r in message.all(CERTREQ) if r.encoding == CertEncoding.OCSP_CONTENT]
    assert len(requests) == 1, f"{len(requests)} requests for OCSP responses: {message}"
    said = requests[0].data
    expected = [certificates.key_hash(certificates.load(each)) for each in trusted]
    assert len(said) == 20 * len(expected), f"{len(said)} octets name {len(expected)} responders"
    hashes = [said[at : at + 20] for at in range(0, len(said), 20)]
    assert sorted(hashes) == sorted(expected), "no hashes of the responders' public keys"


@ROWS
@FAULTS
def test_responder_asks(peer, trusted):
    """
    peer                                        target (trusts none, one or three responders)
    HDR, SAi1, KEi, Ni                  -->
                                        <--     HDR, SAr1, KEr, Nr, CERTREQ(CAs),
                                                     CERTREQ(OCSP content, responders)
    """
    response = peer.exchange(peer.ike_sa_init())

    _assert_asked(response, trusted)


@ROWS
@FAULTS
@as_responder
def test_initiator_asks(peer, target, trusted):
    """
    peer                                        target (trusts none, one or three responders)
                                        <--     HDR, SK {IDi, CERT+, CERTREQ(CAs),
                                                     CERTREQ(OCSP content, responders), AUTH, ...}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()

    _assert_asked(request, trusted)
    peer.answer(request, peer.ike_auth_response(request))
