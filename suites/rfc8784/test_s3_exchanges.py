"""RFC 8784, 3: a preshared key against quantum computers is agreed on and mixed into the keys."""

from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import AUTH, SA, Notify
from suites import ppk
from suites.judge import as_responder, requirement, turned_red_by, twin_of
from suites.methods import ECDSA_P256, authenticated

USE_PPK, PPK_IDENTITY, NO_PPK_AUTH = (
    NotifyType.USE_PPK,
    NotifyType.PPK_IDENTITY,
    NotifyType.NO_PPK_AUTH,
)


def _bare(notify):
    return (notify.protocol, notify.spi, notify.data) == (0, b"", b"")


# Agreeing on it.


@ppk.optional
@requirement("rfc8784-3-use-ppk-answered", "rfc8784-3-use-ppk-format")
@turned_red_by("keeps-its-ppk-to-itself", "says-use-ppk-with-data")
def test_responder_with_a_ppk_answers_use_ppk(peer):
    """
    peer                                        target (has a PPK)
    HDR, SAi1, KEi, Ni, N(USE_PPK)      -->
                                        <--     HDR, SAr1, KEr, Nr, N(USE_PPK)
    """
    response = peer.exchange(peer.ike_sa_init())

    assert response.has(SA), f"no IKE SA is granted: {response}"
    assert USE_PPK in response.notifies, "USE_PPK is not answered"
    assert _bare(response.notify(USE_PPK)), f"{response.notify(USE_PPK)!r}"


@ppk.optional
@requirement("rfc8784-3-use-ppk-answered")
@turned_red_by("says-use-ppk-unasked")
def test_responder_with_a_ppk_does_not_speak_of_it_first(peer):
    """
    peer                                        target (has a PPK)
    HDR, SAi1, KEi, Ni                  -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    ppk.has(peer)

    response = peer.exchange(peer.ike_sa_init())

    assert response.has(SA), f"no IKE SA is granted: {response}"
    assert USE_PPK not in response.notifies, "USE_PPK to somebody who did not say it"


@ppk.required
@as_responder
@requirement("rfc8784-3-use-ppk-sent", "rfc8784-3-use-ppk-format")
@turned_red_by("keeps-its-ppk-to-itself", "says-use-ppk-with-data")
def test_initiator_with_a_ppk_says_use_ppk(peer, target):
    """
    peer                                        target (has a PPK)
                                        <--     HDR, SAi1, KEi, Ni, N(USE_PPK)
    """
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)

    assert USE_PPK in request.notifies, "USE_PPK is not said"
    assert _bare(request.notify(USE_PPK)), f"{request.notify(USE_PPK)!r}"


@ppk.optional
@as_responder
@requirement("rfc8784-3-use-ppk-sent")
@turned_red_by("keeps-its-ppk-to-itself")
def test_initiator_with_an_optional_ppk_says_use_ppk(peer, target):
    """
    peer                                        target (has a PPK)
                                        <--     HDR, SAi1, KEi, Ni, N(USE_PPK)
    """
    target.initiate()

    assert USE_PPK in peer.hear_request(ExchangeType.IKE_SA_INIT).notifies, "USE_PPK is not said"


@ppk.optional
@as_responder
@requirement("rfc8784-3-use-ppk-with-cookie")
@turned_red_by("loses-use-ppk-with-cookie")
def test_initiator_repeats_use_ppk_with_a_cookie(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni, N(USE_PPK)
    HDR, N(COOKIE)                      -->
                                        <--     HDR, N(COOKIE), SAi1, KEi, Ni, N(USE_PPK)
    """
    target.initiate()
    first = peer.hear_request(ExchangeType.IKE_SA_INIT)
    peer.answer(first, peer.refusal(first, Notify(NotifyType.COOKIE, bytes(range(1, 33)))))
    again = peer.hear_request(ExchangeType.IKE_SA_INIT)

    assert NotifyType.COOKIE in again.notifies
    assert USE_PPK in again.notifies, "USE_PPK is lost with the cookie"


@ppk.required
@as_responder
@requirement("rfc8784-3-no-use-ppk-mandatory")
@turned_red_by("goes-on-without-required-ppk")
def test_initiator_gives_up_where_a_required_ppk_is_not_answered(peer, target):
    """
    peer                                        target (requires a PPK)
                                        <--     HDR, SAi1, KEi, Ni, N(USE_PPK)
    HDR, SAr1, KEr, Nr                  -->
                                                no IKE_AUTH request
    """
    ppk.has(peer)
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    peer.answer(request, peer.ike_sa_init_response(request), "USE_PPK is not answered")

    requests = [each for each in peer.reactions_so_far() if each.exchange == ExchangeType.IKE_AUTH]

    assert not requests, "the initiator goes on without the PPK that it requires"
    assert not target.established(), "the target lists an established IKE SA"


@ppk.optional
@as_responder
@twin_of(test_initiator_gives_up_where_a_required_ppk_is_not_answered)
@requirement("rfc8784-3-no-use-ppk-optional")
@turned_red_by("gives-up-without-ppk")
def test_initiator_goes_on_where_an_optional_ppk_is_not_answered(peer, target):
    """
    peer                                        target (has a PPK)
                                        <--     HDR, SAi1, KEi, Ni, N(USE_PPK)
    HDR, SAr1, KEr, Nr                  -->
                                        <--     HDR, SK {IDi, [IDr,] AUTH, SAi2, TSi, TSr}
    HDR, SK {IDr, AUTH, SAr2, TSi, TSr} -->
    """
    ppk.has(peer)
    target.initiate()
    request = peer.accept_ike_sa_init()
    peer.answer(request, peer.ike_auth_response(request))

    assert not {PPK_IDENTITY, NO_PPK_AUTH} & set(request.notifies), "a PPK is named all the same"
    assert peer.echo(), "an echo request through the new Child SA is not answered through it"


@ppk.required
@requirement("rfc8784-3-table-1-no-use-ppk-mandatory")
@turned_red_by("goes-on-without-required-ppk")
def test_responder_gives_up_where_the_initiator_has_no_ppk(peer, target):
    """
    peer                                        target (requires a PPK)
    HDR, SAi1, KEi, Ni                  -->
                                        <--     HDR, SAr1, KEr, Nr, or a refusal
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    ppk.has(peer)
    request = peer.ike_sa_init()
    response = peer.exchange(request, "no USE_PPK")
    if response.has(SA):
        peer.agree(request, response)
        response = peer.exchange(peer.ike_auth(), "no PPK")

    assert not response.has(SA), "an initiator without the required PPK gets an IKE SA"
    assert not target.established(), "the target lists an established IKE SA"


@ppk.optional
@twin_of(test_responder_gives_up_where_the_initiator_has_no_ppk)
@requirement("rfc8784-3-table-1-no-use-ppk-optional")
@turned_red_by("gives-up-without-ppk")
def test_responder_goes_on_where_the_initiator_has_no_ppk(peer):
    """
    peer                                        target (has a PPK)
    HDR, SAi1, KEi, Ni                  -->
                                        <--     HDR, SAr1, KEr, Nr
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    ppk.has(peer)
    peer.establish()

    assert peer.echo(), "an echo request through the new Child SA is not answered through it"


# Using it.


@ppk.required
@requirement("rfc8784-3-keys-mixed")
@turned_red_by("mixes-ppk-by-one-prf", "mixes-ppk-into-auth-alone", "mixes-ppk-into-nothing")
def test_responder_mixes_the_ppk_into_its_keys(peer):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH(PPK), SAi2, TSi, TSr, N(PPK_IDENTITY)} -->
                                        <--     HDR, SK {IDr, AUTH(PPK), SAr2, TSi, TSr,
                                                    N(PPK_IDENTITY)}
    ESP {echo request}(PPK)             -->
                                        <--     ESP {echo reply}(PPK)
    PREVENTS: a PPK that authenticates and does not protect.
    """
    peer.establish()

    assert peer.ike.ppk is not None, "the target does without the PPK"
    assert peer.echo(), "an echo request under keys with the PPK is not answered"


@ppk.required
@authenticated(ECDSA_P256)
@requirement("rfc8784-3-keys-mixed")
@turned_red_by("mixes-ppk-by-one-prf", "mixes-ppk-into-auth-alone", "mixes-ppk-into-nothing")
def test_responder_mixes_the_ppk_into_what_it_signs(peer):
    """
    peer                                        target
    HDR, SK {IDi, CERT+, CERTREQ, IDr, AUTH(PPK), SAi2, TSi, TSr, N(PPK_IDENTITY)} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH(PPK), SAr2, TSi, TSr,
                                                    N(PPK_IDENTITY)}
    ESP {echo request}(PPK)             -->
                                        <--     ESP {echo reply}(PPK)
    """
    peer.establish()

    assert peer.ike.ppk is not None, "the target does without the PPK"
    assert peer.echo(), "an echo request under keys with the PPK is not answered"


@ppk.required
@as_responder
@requirement("rfc8784-3-keys-mixed")
@turned_red_by("mixes-ppk-by-one-prf", "mixes-ppk-into-auth-alone", "mixes-ppk-into-nothing")
def test_initiator_mixes_the_ppk_into_its_keys(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, [IDr,] AUTH(PPK), SAi2, TSi, TSr,
                                                    N(PPK_IDENTITY)}
    HDR, SK {IDr, AUTH(PPK), SAr2, TSi, TSr, N(PPK_IDENTITY)} -->
    ESP {echo request}(PPK)             -->
                                        <--     ESP {echo reply}(PPK)
    """
    target.initiate()
    peer.accept()

    assert peer.echo(), "an echo request under keys with the PPK is not answered"


@ppk.optional
@requirement("rfc8784-3-keys-mixed", "rfc8784-3-name-alone-fails")
@turned_red_by("mixes-ppk-into-nothing")
def test_the_name_of_the_ppk_without_the_ppk_makes_no_sa(peer, target):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH(without PPK), ..., N(PPK_IDENTITY), N(NO_PPK_AUTH)} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    PREVENTS: NO_PPK_AUTH taken where AUTH fails: a downgrade by anybody who knows the name.
    """
    peer.open_ike_sa()
    request = peer.ike_auth()

    response = peer.exchange(request.replacing(ppk.auth_without(peer)), "AUTH without the PPK")

    assert not response.has(AUTH), "AUTH without the PPK was accepted where it was named"
    assert not target.established(), "the target lists an established IKE SA"


@ppk.required
@requirement("rfc8784-3-not-mixed-on-rekey")
@turned_red_by("mixes-ppk-again-on-rekey")
def test_the_ppk_is_not_mixed_in_again_when_the_ike_sa_is_rekeyed(peer):
    """
    peer                                        target
    HDR(old), SK {SA, Ni, KEi}          -->
                                        <--     HDR(old), SK {SA, Nr, KEr}
    HDR(new), SK {SA, Ni, TSi, TSr, ...} -->
                                        <--     HDR(new), SK {SA, Nr, TSi, TSr}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    peer.establish()
    new, request = peer.rekey_ike()
    peer.take_up_ike(new, request, peer.exchange(request))
    request = peer.create_child_sa()
    peer.take_up_child(request, peer.exchange(request))

    assert peer.echo(), "an echo request through a Child SA of the rekeyed IKE SA is not answered"


@ppk.optional
@requirement("rfc8784-3-ppk-confirmed")
@turned_red_by("confirms-ppk-by-name", "does-not-confirm-ppk")
def test_responder_confirms_the_ppk_without_data(peer):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH(PPK), SAi2, TSi, TSr, N(PPK_IDENTITY), N(NO_PPK_AUTH)} -->
                                        <--     HDR, SK {IDr, AUTH(PPK), SAr2, TSi, TSr,
                                                    N(PPK_IDENTITY)}
    """
    peer.open_ike_sa()
    response = peer.exchange(peer.ike_auth())

    assert response.has(AUTH, SA), f"no IKE SA is granted: {response}"
    assert PPK_IDENTITY in response.notifies, "the PPK is not confirmed"
    assert _bare(response.notify(PPK_IDENTITY)), f"{response.notify(PPK_IDENTITY)!r}"


@ppk.optional
@as_responder
@requirement("rfc8784-3-no-ppk-auth-sent", "rfc8784-3-ppk-identity-sent", "rfc8784-5.1-ppk-id-type")
@turned_red_by("offers-no-way-out-of-ppk", "names-ppk-without-type")
def test_initiator_names_the_ppk_and_offers_a_way_out(peer, target):
    """
    peer                                        target (has a PPK)
                                        <--     HDR, SK {IDi, [IDr,] AUTH(PPK), SAi2, TSi, TSr,
                                                    N(PPK_IDENTITY), N(NO_PPK_AUTH)}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    named = request.find_notify(PPK_IDENTITY)

    assert named is not None, "PPK_IDENTITY is missing"
    assert (named.protocol, named.spi) == (0, b"")
    assert named.data == ppk.PPK.identity()
    assert NO_PPK_AUTH in request.notifies, "NO_PPK_AUTH is missing"
