"""RFC 7296, 3.7: requests for what the target has not got."""

from dataclasses import replace

import pytest

from peers.reference.numbers import CertEncoding, ExchangeType
from peers.reference.payloads import AUTH, CERTREQ, SA
from suites.judge import as_responder, requirement, turned_red_by
from suites.methods import ECDSA_P256, authenticated

pytestmark = authenticated(ECDSA_P256)

WANTED = pytest.mark.parametrize(
    "request_",
    [
        pytest.param(CERTREQ(CertEncoding.OCSP_CONTENT, b""), id="ocsp-content"),
        pytest.param(CERTREQ(CertEncoding.OCSP_CONTENT, bytes(40)), id="of-two-responders"),
        pytest.param(CERTREQ(CertEncoding.RAW_PUBLIC_KEY, b""), id="raw-public-key"),
    ],
)
"""Encodings that a standard has specified, and of which the target has nothing to send."""


def _wanting(message, request):
    """Put a request behind that for certificates."""
    at = next(n for n, each in enumerate(message.payloads) if isinstance(each, CERTREQ)) + 1
    payloads = message.payloads
    return replace(message, payloads=(*payloads[:at], request, *payloads[at:]))


@WANTED
@requirement("rfc7296-3.7-unmet-request-ignored")
@turned_red_by("fails-for-want-of-status")
def test_responder_ignores_a_request_that_it_cannot_meet(peer, request_):
    """
    peer                                        target
    HDR, SK {IDi, CERT+, CERTREQ, CERTREQ(another encoding), IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH, SAr2, TSi, TSr}
    """
    peer.open_ike_sa()
    request = _wanting(peer.ike_auth(), request_)
    response = peer.exchange(request)

    assert response.has(AUTH, SA), f"a request that cannot be met is no error: {response}"
    peer.take_up(request, response)


@WANTED
@as_responder
@requirement("rfc7296-3.7-unmet-request-ignored")
@turned_red_by("fails-for-want-of-status")
def test_initiator_ignores_a_request_that_it_cannot_meet(peer, target, request_):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, SAr1, KEr, Nr, CERTREQ, CERTREQ(another encoding) -->
                                        <--     HDR, SK {IDi, CERT+, CERTREQ, [IDr,] AUTH, ...}
    """
    target.initiate()
    first = peer.hear_request(ExchangeType.IKE_SA_INIT)
    peer.answer(first, _wanting(peer.ike_sa_init_response(first), request_))
    peer.accept_keys()
    request = peer.hear_request(ExchangeType.IKE_AUTH)

    assert request.has(AUTH, SA), f"a request that cannot be met is no error: {request}"
    peer.answer(request, peer.ike_auth_response(request))
    assert peer.is_answered(peer.informational()), "the IKE SA does not stay"
