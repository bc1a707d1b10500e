"""RFC 4806, 4.2: the target is asked for an OCSP response about its certificate."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from peers.reference import certificates, revocation
from peers.reference.credentials import OcspResponder, Revocation
from peers.reference.numbers import CertEncoding
from peers.reference.payloads import CERT, CERTREQ
from peers.targets.base import Capability
from suites.judge import as_responder, differs, needs, requirement, turned_red_by, twin_of
from suites.methods import ECDSA_P256, ByEapOf, authenticated, mschapv2

pytestmark = needs(Capability.OCSP_IN_CERT)

PORT = 8080

SIGNED = authenticated(ECDSA_P256)

RESPONDERS = pytest.mark.parametrize(
    ("named", "by_named"),
    [
        pytest.param(0, False, id="no-responder"),
        pytest.param(2, False, id="two-responders"),
        pytest.param(2, True, id="two-responders-of-which-one-signs"),
    ],
)
"""Responders that the peer says it trusts, and whether one of them signs or the CA."""

ROWS = requirement(
    "rfc4806-4.2-der-ocspresponse",
    "rfc4806-4.2-response-apart",
    "rfc4806-4.2-response-sent",
    "rfc4806-3.1-request-without-hashes",
)
FAULTS = turned_red_by(
    "keeps-responses-back",
    "answers-named-responders-only",
    "sends-the-basic-response",
    "sends-responses-about-others",
    "sends-responses-about-other-cas",
    "joins-response-and-certificate",
)


@pytest.fixture
def named():
    """Give the number of responders that the peer says it trusts."""
    return 0


@pytest.fixture
def by_named():
    """Say whether a responder signs that the peer says it trusts, or the CA."""
    return False


@pytest.fixture
def arrange(scene, named, by_named):
    """Have a responder at the peer's address that knows of the target's certificate; the peer asks.

    Where it signs itself the target trusts it, too: it need not pass on what it cannot verify.
    """
    others = [scene.authority.trusted_responder(f"responder {n}") for n in range(named)]
    trusted = tuple(each.certificate.public_bytes(Encoding.DER) for each in others)
    signer = others[-1] if by_named else scene.authority.issuing

    def told(described):
        ours, theirs = described.local_credential, described.remote_credential
        response = scene.response(ours.chain[0], signer)
        responder = OcspResponder(f"http://{described.remote}:{PORT}/", response)
        how = Revocation(asks=True, responders=trusted)
        ours = replace(ours, responder=responder, revocation=how)
        if by_named:
            theirs = replace(theirs, revocation=Revocation(responders=trusted))
        return replace(described, local_credential=ours, remote_credential=theirs)

    return told


@pytest.fixture(autouse=True)
def web(station, connection):
    """Run the responder."""
    with station.serve(connection.local_credential.responder):
        yield


def _assert_told(message, chain):
    """One response about the certificate that comes first, DER, in a payload of its own.

    That there is one and what it is about is a SHOULD; in which form it comes is not.
    """
    certs = message.all(CERT)
    sent = [cert.data for cert in certs if cert.encoding == CertEncoding.X509_SIGNATURE]
    assert sent[:1] == [chain[0]], "the first certificate is not the target's, and it alone"
    told = [cert.data for cert in certs if cert.encoding == CertEncoding.OCSP_CONTENT]
    if not told:
        differs(f"no OCSP response, though one can be had: {message}")
    ours, issuer = map(certificates.load, chain[:2])
    singles = [single for response in map(_loaded, told) for single in _singles(response)]
    if not any(revocation.is_about(single, ours, issuer) for single in singles):
        differs("no response is about the certificate that AUTH is verified by")


def _loaded(octets):
    try:
        return ocsp.load_der_ocsp_response(octets)
    except ValueError as error:
        raise AssertionError(f"no OCSPResponse in DER: {error}") from error


def _singles(response):
    """List what a response says of certificates: that of a responder's error says nothing."""
    successful = response.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL
    return list(response.responses) if successful else []


@SIGNED
@RESPONDERS
@ROWS
@FAULTS
def test_responder_sends_its_status(peer, named, by_named):
    """
    peer                                        target
    HDR, SK {IDi, CERT+, CERTREQ, CERTREQ(OCSP content), IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     (asks the responder at the peer's address)
                                        <--     HDR, SK {IDr, CERT+, CERT(response), AUTH, ...}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    response = peer.exchange(request)

    _assert_told(response, peer.connection.remote_credential.chain)
    peer.take_up(request, response)


@SIGNED
@RESPONDERS
@ROWS
@FAULTS
@as_responder
def test_initiator_sends_its_status(peer, target, named, by_named):
    """
    peer                                        target
    HDR, SAr1, KEr, Nr, CERTREQ, CERTREQ(OCSP content) -->
                                        <--     (asks the responder at the peer's address)
                                        <--     HDR, SK {IDi, CERT+, CERT(response), AUTH, ...}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()

    _assert_told(request, peer.connection.remote_credential.chain)
    peer.answer(request, peer.ike_auth_response(request))


@authenticated(ByEapOf(mschapv2))
@needs(Capability.EAP_MSCHAPV2)
@requirement("rfc4806-4.2-der-ocspresponse", "rfc4806-4.2-response-sent")
@FAULTS
def test_responder_sends_its_status_to_who_uses_eap(peer):
    """
    peer                                        target
    HDR, SK {IDi, CERTREQ, CERTREQ(OCSP content), IDr, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, CERT+, CERT(response), AUTH, EAP}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    response = peer.exchange(request)

    _assert_told(response, peer.connection.remote_credential.chain)
    peer.take_up(request, peer.exchange(peer.eap_exchanges(response)))


def _unasked(message):
    kept = [
        each
        for each in message.payloads
        if not (isinstance(each, CERTREQ) and each.encoding == CertEncoding.OCSP_CONTENT)
    ]
    return replace(message, payloads=tuple(kept))


@SIGNED
@twin_of(test_responder_sends_its_status)
@requirement("rfc4806-3.1-nothing-unasked")
@turned_red_by("sends-responses-unasked")
def test_responder_sends_no_status_to_who_did_not_ask(peer):
    """
    peer                                        target
    HDR, SK {IDi, CERT+, CERTREQ, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH, ...}
    """
    peer.open_ike_sa()
    request = _unasked(peer.ike_auth())
    response = peer.exchange(request)

    told = [cert for cert in response.all(CERT) if cert.encoding == CertEncoding.OCSP_CONTENT]
    assert not told, f"an OCSP response to who does not say that it knows them: {response}"
    peer.take_up(request, response)
