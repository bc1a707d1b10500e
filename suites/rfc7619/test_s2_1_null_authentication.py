"""RFC 7619, 2.1: NULL authentication, which binds the messages to the keys and says no more."""

from peers.reference.numbers import AuthMethod
from peers.reference.payloads import AUTH
from peers.targets.base import Capability
from suites.judge import as_responder, needs, requirement, turned_red_by
from suites.methods import authenticated, null


@authenticated(null)
@needs(Capability.NULL_AUTHENTICATION)
@requirement("rfc7619-2.1-auth-value")
@turned_red_by("proves-null-by-peers-key")
def test_responder_proves_nothing_but_its_keys(peer):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH(13), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH(13), SAr2, TSi, TSr}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    peer.establish()

    assert peer.echo(), "an echo request through the new Child SA is not answered through it"


@authenticated(null)
@needs(Capability.NULL_AUTHENTICATION)
@as_responder
@requirement("rfc7619-2.1-auth-value")
@turned_red_by("proves-null-by-peers-key")
def test_initiator_proves_nothing_but_its_keys(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, [IDr,] AUTH(13), SAi2, TSi, TSr}
    HDR, SK {IDr, AUTH(13), SAr2, TSi, TSr} -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    assert request.get(AUTH).method == AuthMethod.NULL_AUTHENTICATION
    peer.answer(request, peer.ike_auth_response(request))

    assert peer.echo(), "an echo request through the new Child SA is not answered through it"


@authenticated(null)
@needs(Capability.NULL_AUTHENTICATION)
@requirement("rfc7619-2.1-auth-verified")
@turned_red_by("accepts-any-auth")
def test_a_wrong_proof_of_nothing_is_refused(peer, target):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH(13, wrong), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    PREVENTS: an AUTH that nobody checks, because nobody is authenticated by it.
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    auth = request.get(AUTH)
    wrong = AUTH(auth.method, auth.data[:-1] + bytes([auth.data[-1] ^ 1]))

    response = peer.exchange(request.replacing(wrong), "AUTH")

    assert not response.has(AUTH), "a wrong AUTH was accepted"
    assert not target.established(), "the target lists an established IKE SA"
