"""RFC 5216, 2, 3 and 5: EAP-TLS in IKE_AUTH, its fragments, its flags and its certificates."""

import pytest

from peers.reference.numbers import EapCode
from peers.reference.payloads import AUTH, EAP
from suites import eap
from suites.judge import as_responder, requirement, turned_red_by

FRAGMENTS = pytest.mark.parametrize("size", [100], ids="{}-octets".format)
"""How many octets of TLS the peer puts into a packet."""


@FRAGMENTS
@eap.TLS_OF_PEER
@requirement("rfc5216-2.1.5-fragments-reassembled")
@turned_red_by("takes-last-tls-fragment")
def test_responder_puts_fragments_together(peer, size):
    """
    peer                                        target
    HDR, SK {EAP(TLS, L, M, first octets)} -->
                                        <--     HDR, SK {EAP(TLS, empty)}
    HDR, SK {EAP(TLS, M, more octets)}  -->
                                        <--     HDR, SK {EAP(TLS, empty)}
    HDR, SK {EAP(TLS, last octets)}     -->
                                        <--     HDR, SK {EAP(TLS ...)}, until EAP(Success)
    """
    peer.judges = eap.Cutting(size)
    peer.open_ike_sa()
    response = eap.until_over(peer, peer.exchange(peer.ike_auth()))

    assert eap.packet_of(response).code == EapCode.SUCCESS


@FRAGMENTS
@eap.TLS_OF_TARGET
@as_responder
@requirement("rfc5216-2.1.5-fragments-reassembled")
@turned_red_by("takes-last-tls-fragment")
def test_initiator_puts_fragments_together(peer, target, size):
    """
    peer                                        target
    HDR, SK {EAP(TLS, L, M, first octets)} -->
                                        <--     HDR, SK {EAP(TLS, empty)}
    HDR, SK {EAP(TLS, M, more octets)}  -->
                                        <--     HDR, SK {EAP(TLS, empty)}
    HDR, SK {EAP(TLS, last octets)}     -->
                                        <--     HDR, SK {EAP(TLS ...)}, in the end AUTH
    """
    peer.judges = eap.Cutting(size)
    target.initiate()
    peer.accept()

    assert peer.ike.expected_request_id > 4, "nothing came in fragments"


@eap.TLS_OF_PEER
@requirement("rfc5216-3.2-reserved-flags-ignored")
@turned_red_by("minds-reserved-flags-of-eap-tls")
def test_responder_ignores_reserved_flags(peer):
    """
    peer                                        target
    HDR, SK {EAP(TLS, reserved flags set ...)} -->
                                        <--     HDR, SK {EAP(TLS ...)}, until EAP(Success)
    """
    peer.open_ike_sa()
    request = peer.eap_request(peer.exchange(peer.ike_auth()))
    while not request.has(AUTH):
        response = peer.exchange(eap.with_reserved_flags(request), "reserved flags")
        request = peer.eap_request(response)


@eap.FLAWS_IN_TLS
@requirement(
    "rfc7296-2.16-failure-sent", "rfc5216-2.1.3-failure-sent", "rfc5216-5.3-path-validated"
)
@turned_red_by("overlooks-every-objection-in-tls")
def test_a_certificate_that_is_no_good_is_answered_by_failure(peer, target):
    """
    peer                                        target
    HDR, SK {EAP(TLS certificate that is no good ... finished)} -->
                                        <--     [HDR, SK {EAP(TLS alert)}]
    [HDR, SK {EAP(TLS, empty)}]         -->
                                        <--     HDR, SK {EAP(Failure)}
    """
    peer.open_ike_sa()
    response = eap.until_over_or_alert(peer, peer.exchange(peer.ike_auth()))

    assert response.has(EAP), f"no EAP Failure: {response}"
    assert eap.packet_of(response).code == EapCode.FAILURE
    assert not target.established(), "the target lists an established IKE SA"


@eap.ANOTHERS_IN_TLS
@requirement("rfc5216-5.3-identity-authorized")
@turned_red_by("overlooks-every-objection-in-tls")
def test_a_certificate_about_somebody_else_lets_nobody_in(peer, target):
    """
    peer                                        target
    HDR, SK {EAP(TLS certificate about somebody else ... finished)} -->
                                        <--     HDR, SK {EAP(TLS alert)}, or EAP(Failure)
    PREVENTS: any certificate of the CA taken for that of IDi.
    """
    peer.open_ike_sa()
    response = eap.until_over_or_alert(peer, peer.exchange(peer.ike_auth()))
    if response.has(EAP) and eap.packet_of(response).code == EapCode.SUCCESS:
        response = peer.exchange(peer.eap_request(response))

    assert not eap.grants(response), "somebody else's certificate was taken for that of IDi"
    assert not target.established(), "the target lists an established IKE SA"
