"""RFC 7427, 3 and 4: digital signatures (method 14), and the hash algorithms that are announced."""

from peers.reference.numbers import AuthMethod, NotifyType
from peers.reference.payloads import AUTH, CERT, IDr
from peers.reference.signature_schemes import ECDSA, read_identifier
from suites.judge import as_responder, differs, requirement, turned_red_by
from suites.methods import DIGITAL, ECDSA_P256, P256, SHA2_512, TWO_ENCODINGS, Signs, authenticated

SIGNED = (
    "rfc7427-3-method-14-used",
    "rfc7296-2.15-signature-auth-value",
    "rfc7427-4-announced-hash-used",
)


@DIGITAL
@requirement(*SIGNED)
@turned_red_by("signs-with-unannounced-hash", "refuses-method-14")
def test_responder_signs_by_method_14(peer):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni, N(SIGNATURE_HASH_ALGORITHMS) -->
                                        <--     HDR, SAr1, KEr, Nr, N(SIGNATURE_HASH_ALGORITHMS)
    HDR, SK {IDi, CERT+, CERTREQ, IDr, AUTH(14), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH(14), SAr2, TSi, TSr}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    PREVENTS: an AlgorithmIdentifier that does not say what was signed with (F52, F53, F54).
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    response = peer.exchange(request)

    assert response.has(IDr, CERT, AUTH), f"the responder does not authenticate itself: {response}"
    assert response.get(AUTH).method == AuthMethod.DIGITAL_SIGNATURE
    peer.take_up(request, response)
    assert peer.echo(), "an echo request through the new Child SA is not answered through it"


@DIGITAL
@as_responder
@requirement(*SIGNED)
@turned_red_by("signs-with-unannounced-hash", "refuses-method-14")
def test_initiator_signs_by_method_14(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni, N(SIGNATURE_HASH_ALGORITHMS)
    HDR, SAr1, KEr, Nr, N(SIGNATURE_HASH_ALGORITHMS), CERTREQ -->
                                        <--     HDR, SK {IDi, CERT+, AUTH(14), SAi2, TSi, TSr}
    HDR, SK {IDr, CERT+, AUTH(14), SAr2, TSi, TSr} -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()

    assert request.get(AUTH).method == AuthMethod.DIGITAL_SIGNATURE
    peer.answer(request, peer.ike_auth_response(request))
    assert peer.echo(), "an echo request through the new Child SA is not answered through it"


@authenticated(Signs(P256, ECDSA[SHA2_512]))
@requirement("rfc7427-3-hash-cut-to-the-curve")
@turned_red_by("cuts-hashes-at-the-front")
def test_a_hash_that_is_longer_than_the_curve_is_cut(peer):
    """
    peer                                        target
    HDR, SK {IDi, CERT+, CERTREQ, IDr, AUTH(14: P-256 with SHA2-512), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH, SAr2, TSi, TSr}
    PREVENTS: the wrong end of a hash signed, or looked at.
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    response = peer.exchange(request)

    assert response.has(AUTH), f"the responder does not authenticate itself: {response}"
    used = read_identifier(_identifier(response.get(AUTH)))
    if used.hash != SHA2_512:
        differs(f"the responder signs by {used}: its hash is not cut")
    peer.take_up(request, response)


@TWO_ENCODINGS
@requirement("rfc7427-3-preferred-encoding")
@turned_red_by("writes-the-other-encoding")
def test_responder_writes_its_algorithm_as_preferred(peer):
    """
    peer                                        target
    HDR, SK {IDi, CERT+, CERTREQ, IDr, AUTH(14), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH(14), SAr2, TSi, TSr}
    PREVENTS: a signature that is refused by who compares octets instead of reading them.
    """
    peer.open_ike_sa()
    response = peer.exchange(peer.ike_auth())

    assert response.has(AUTH), f"the responder does not authenticate itself: {response}"
    written = _identifier(response.get(AUTH))
    preferred = read_identifier(written).identifier()
    if written != preferred:
        differs(f"{written.hex()} where {preferred.hex()} is preferred")


def _identifier(auth):
    return auth.data[1 : 1 + auth.data[0]]


@authenticated(ECDSA_P256)
@requirement("rfc7427-4-hashes-announced")
@turned_red_by("announces-no-hashes")
def test_responder_announces_its_hashes(peer):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni, N(SIGNATURE_HASH_ALGORITHMS) -->
                                        <--     HDR, SAr1, KEr, Nr, N(SIGNATURE_HASH_ALGORITHMS)
    """
    announced = peer.exchange(peer.ike_sa_init()).find_notify(NotifyType.SIGNATURE_HASH_ALGORITHMS)

    assert announced is not None, "the responder does not say that it takes method 14"
    assert announced.protocol == 0
    assert announced.spi == b""
    assert announced.data, "no hash is announced"
    assert len(announced.data) % 2 == 0, "half a number"
