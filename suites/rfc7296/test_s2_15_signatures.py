"""RFC 7296, 2.15 and 3.8: signatures of certificates, by the methods that name one algorithm."""

from peers.reference.payloads import AUTH, CERT, CERTREQ, IDr
from suites import signing
from suites.judge import as_responder, requirement, turned_red_by, twin_of
from suites.methods import ECDSA_P256, LEGACY, authenticated, four_certificates


@LEGACY
@requirement("rfc7296-2.15-signature-auth-value", "rfc7427-3-not-unless-both-announced")
@turned_red_by("signs-shortened-octets")
def test_responder_signs_by_a_method_of_one_algorithm(peer):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni                  -->
                                        <--     HDR, SAr1, KEr, Nr, [CERTREQ]
    HDR, SK {IDi, CERT+, CERTREQ, IDr, AUTH(1 or 9 to 11), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH, SAr2, TSi, TSr}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    PREVENTS: method 14 used towards a peer that never said that it knows it (F55).
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    response = peer.exchange(request)

    assert response.has(IDr, CERT, AUTH), f"the responder does not authenticate itself: {response}"
    assert response.get(AUTH).method == request.get(AUTH).method
    peer.take_up(request, response)
    assert peer.echo(), "an echo request through the new Child SA is not answered through it"


@LEGACY
@as_responder
@requirement("rfc7296-2.15-signature-auth-value", "rfc7427-3-not-unless-both-announced")
@turned_red_by("signs-shortened-octets")
def test_initiator_signs_by_a_method_of_one_algorithm(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, SAr1, KEr, Nr, CERTREQ         -->
                                        <--     HDR, SK {IDi, CERT+, [IDr,] AUTH, SAi2, TSi, TSr}
    HDR, SK {IDr, CERT+, AUTH, SAr2, TSi, TSr} -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    target.initiate()
    peer.accept()

    assert peer.echo(), "an echo request through the new Child SA is not answered through it"


@authenticated(ECDSA_P256)
@requirement("rfc7296-3.6-certificate-sent", "rfc7296-3.7-certificate-for-request")
@turned_red_by("sends-no-certificate")
def test_responder_sends_its_certificate(peer):
    """
    peer                                        target
    HDR, SK {IDi, CERT+, CERTREQ, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH, SAr2, TSi, TSr}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    assert request.has(CERTREQ)
    response = peer.exchange(request)

    assert response.has(AUTH), f"the responder does not authenticate itself: {response}"
    assert response.has(CERT), f"a signature without a certificate: {response}"


@authenticated(ECDSA_P256)
@as_responder
@requirement("rfc7296-3.6-certificate-sent", "rfc7296-3.7-certificate-for-request")
@turned_red_by("sends-no-certificate")
def test_initiator_sends_its_certificate(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, SAr1, KEr, Nr, CERTREQ         -->
                                        <--     HDR, SK {IDi, CERT+, [IDr,] AUTH, SAi2, TSi, TSr}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()

    assert request.has(CERT), f"a signature without a certificate: {request}"


@authenticated(four_certificates)
@requirement("rfc7296-3.6-four-certificates")
@turned_red_by("takes-three-certificates", "sends-three-certificates")
def test_responder_sends_and_takes_four_certificates(peer):
    """
    peer                                        target (knows the peer's root CA alone)
    HDR, SK {IDi, CERT, CERT, CERT, CERT, CERTREQ, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, CERT, CERT, CERT, CERT, AUTH, ...}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    assert len(request.all(CERT)) == 4
    response = peer.exchange(request)

    assert response.has(AUTH), f"a chain of four certificates is not accepted: {response}"
    _assert_four(response)
    peer.take_up(request, response)
    assert peer.echo(), "the Child SA carries no traffic"


@authenticated(four_certificates)
@as_responder
@requirement("rfc7296-3.6-four-certificates")
@turned_red_by("takes-three-certificates", "sends-three-certificates")
def test_initiator_sends_and_takes_four_certificates(peer, target):
    """
    peer                                        target (knows the peer's root CA alone)
                                        <--     HDR, SK {IDi, CERT, CERT, CERT, CERT, AUTH, ...}
    HDR, SK {IDr, CERT, CERT, CERT, CERT, AUTH, SAr2, TSi, TSr} -->
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    _assert_four(request)
    peer.answer(request, peer.ike_auth_response(request))

    assert peer.is_answered(peer.informational()), "a chain of four certificates is not accepted"
    assert peer.echo(), "the Child SA carries no traffic"


def _assert_four(message):
    count = len(message.all(CERT))
    assert count == 4, f"{count} certificates where the chain has four below its root"


@authenticated(ECDSA_P256)
@signing.WRONG
@requirement("rfc7296-1.2-auth-verified")
@turned_red_by("accepts-any-signature")
def test_initiator_with_a_wrong_signature_gets_no_sa(peer, target, wrong):
    """
    peer                                        target
    HDR, SK {IDi, CERT+, CERTREQ, IDr, AUTH(wrong), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    PREVENTS: a signature compared over fewer octets than it has (F57).
    """
    peer.open_ike_sa()
    request = peer.ike_auth()

    response = peer.exchange(request.replacing(wrong(peer, request.get(AUTH))), "AUTH")

    assert not response.has(AUTH), "a wrong signature was accepted"
    assert not target.established(), "the target lists an established IKE SA"


@signing.CONTAINED
@requirement("rfc7296-1.2-auth-verified")
@turned_red_by("accepts-any-signature")
def test_a_signed_hash_of_another_size_is_refused(peer, target, size):
    """
    peer                                        target
    HDR, SK {IDi, CERT+, CERTREQ, IDr, AUTH(RSA over a hash of wrong size), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    PREVENTS: the signed hash compared as far as it goes (CVE-2026-50721 and 50722, F57).
    """
    peer.open_ike_sa()
    request = peer.ike_auth()

    wrong = signing.with_hash_of(peer, request.get(AUTH), size)
    response = peer.exchange(request.replacing(wrong), "size of the signed hash")

    assert not response.has(AUTH), "a signature over a part of the hash was accepted"
    assert not target.established(), "the target lists an established IKE SA"


@signing.RSA_BY_METHOD_1
@twin_of(test_a_signed_hash_of_another_size_is_refused)
@requirement("rfc7296-2.15-signature-auth-value")
@turned_red_by("signs-shortened-octets")
def test_a_signed_hash_of_its_own_size_is_accepted(peer):
    """
    peer                                        target
    HDR, SK {IDi, CERT+, CERTREQ, IDr, AUTH(RSA over the hash), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH, SAr2, TSi, TSr}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()

    same = signing.with_hash_of(peer, request.get(AUTH), signing.WHOLE)
    assert same == request.get(AUTH), "our signature is not the same, made step by step"
    peer.take_up(request, peer.exchange(request.replacing(same)))


@authenticated(ECDSA_P256)
@signing.ANOTHER_METHOD
@requirement("rfc7296-1.2-auth-verified")
@turned_red_by("takes-any-method")
def test_a_proof_by_another_method_is_refused(peer, target, wrong):
    """
    peer                                        target
    HDR, SK {IDi, CERT+, CERTREQ, IDr, AUTH(another method), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    PREVENTS: no signature asked of who has a certificate, because AUTH names a method that needs
    none (F56).
    """
    peer.open_ike_sa()
    request = peer.ike_auth()

    response = peer.exchange(request.replacing(wrong(peer, request.get(AUTH))), "AUTH method")

    assert not response.has(AUTH), "a proof without any signature was accepted"
    assert not target.established(), "the target lists an established IKE SA"
