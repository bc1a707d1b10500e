"""RFC 5280, 6.1, for IKE: certificates that are not to be believed."""

from peers.reference.payloads import AUTH, SA
from suites.judge import as_responder, requirement, turned_red_by, twin_of
from suites.methods import ECDSA_P256, FLAWS, authenticated


@FLAWS
@requirement("rfc5280-6.1-invalid-path-not-relied-on")
@turned_red_by("overlooks-every-objection")
def test_initiator_with_an_invalid_certificate_gets_no_sa(peer, target):
    """
    peer                                        target
    HDR, SK {IDi, CERT(invalid), CERT, CERTREQ, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    peer.open_ike_sa()
    response = peer.exchange(peer.ike_auth(), "certificate")

    assert not {AUTH, SA} & set(response.types), "an invalid certificate was accepted"
    assert not target.established(), "the target lists an established IKE SA"


@FLAWS
@as_responder
@requirement("rfc5280-6.1-invalid-path-not-relied-on")
@turned_red_by("overlooks-every-objection")
def test_responder_with_an_invalid_certificate_gets_no_sa(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, CERT+, [IDr,] AUTH, SAi2, TSi, TSr}
    HDR, SK {IDr, CERT(invalid), CERT, AUTH, SAr2, TSi, TSr} -->
                                        <--     [HDR, SK {N(AUTHENTICATION_FAILED)}]
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    peer.answer(request, peer.ike_auth_response(request), "certificate")
    peer.ike.children.clear()
    peer.reactions_so_far()

    assert not target.established(), "the target lists the IKE SA as established"


@authenticated(ECDSA_P256)
@twin_of(test_initiator_with_an_invalid_certificate_gets_no_sa)
@requirement("rfc7296-2.15-signature-auth-value")
@turned_red_by("signs-with-unannounced-hash")
def test_initiator_with_a_valid_certificate_is_authenticated(peer):
    """
    peer                                        target
    HDR, SK {IDi, CERT, CERT, CERTREQ, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH, SAr2, TSi, TSr}
    """
    peer.establish()
