"""RFC 8784, 3: what follows when one side does not have the preshared key that is named."""

from dataclasses import replace

from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import AUTH, SA, Notify
from peers.targets.base import Capability
from suites import ppk
from suites.judge import as_responder, differs, needs, requirement, turned_red_by, twin_of
from suites.methods import authenticated, null

USE_PPK, PPK_IDENTITY, NO_PPK_AUTH = (
    NotifyType.USE_PPK,
    NotifyType.PPK_IDENTITY,
    NotifyType.NO_PPK_AUTH,
)


def _without(message, kind):
    kept = [p for p in message.payloads if not (isinstance(p, Notify) and p.notify_type == kind)]
    return replace(message, payloads=tuple(kept))


def _refused(peer, target, response):
    assert not {AUTH, SA} & set(response.types), f"an IKE SA was granted: {response}"
    assert response.notifies == (NotifyType.AUTHENTICATION_FAILED,), f"refused by {response}"
    assert not target.established(), "the target lists an established IKE SA"


@ppk.optional
@as_responder
@requirement("rfc8784-3-no-ppk-auth-value", "rfc8784-3-unconfirmed-optional")
@turned_red_by("says-in-no-ppk-auth-what-auth-says", "gives-up-without-ppk")
def test_initiator_goes_on_where_the_responder_does_not_know_the_ppk(peer, target):
    """
    peer (has another PPK)                      target (has a PPK)
                                        <--     HDR, SK {IDi, [IDr,] AUTH(PPK), SAi2, TSi, TSr,
                                                    N(PPK_IDENTITY), N(NO_PPK_AUTH)}
    HDR, SK {IDr, AUTH, SAr2, TSi, TSr} -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    ppk.has(peer, ppk.OTHER)
    target.initiate()
    peer.accept()

    assert peer.ike.ppk is None
    assert peer.echo(), "an echo request under keys without the PPK is not answered"


@ppk.required
@as_responder
@twin_of(test_initiator_goes_on_where_the_responder_does_not_know_the_ppk)
@requirement("rfc8784-3-unconfirmed-mandatory-fails")
@turned_red_by("goes-on-without-required-ppk")
def test_initiator_gives_up_where_a_required_ppk_is_not_confirmed(peer, target):
    """
    peer                                        target (requires a PPK)
                                        <--     HDR, SK {IDi, [IDr,] AUTH(PPK), SAi2, TSi, TSr,
                                                    N(PPK_IDENTITY)}
    HDR, SK {IDr, AUTH(without PPK), SAr2, TSi, TSr} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    response = _without(peer.ike_auth_response(request), PPK_IDENTITY)
    response = response.replacing(ppk.auth_without(peer))
    peer.answer(request, response, "PPK_IDENTITY is missing")
    peer.ike.children.clear()
    reactions = peer.reactions_so_far()

    assert not target.established(), "the target lists the IKE SA as established"
    told = [each for each in reactions if NotifyType.AUTHENTICATION_FAILED in each.notifies]
    if not told:
        differs("the initiator gives the IKE SA up without AUTHENTICATION_FAILED")
    assert told[0].exchange == ExchangeType.INFORMATIONAL


@ppk.optional
@as_responder
@requirement("rfc8784-3-confirmation-content-ignored")
@turned_red_by("minds-name-of-confirmed-ppk")
def test_initiator_ignores_what_the_confirmation_holds(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, [IDr,] AUTH(PPK), SAi2, TSi, TSr,
                                                    N(PPK_IDENTITY), N(NO_PPK_AUTH)}
    HDR, SK {IDr, AUTH(PPK), SAr2, TSi, TSr, N(PPK_IDENTITY, another)} -->
    ESP {echo request}(PPK)             -->
                                        <--     ESP {echo reply}(PPK)
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    response = peer.ike_auth_response(request)
    other = Notify(PPK_IDENTITY, ppk.OTHER.identity())
    peer.answer(request, response.replacing(other), "PPK_IDENTITY with data")

    assert peer.echo(), "an echo request under keys with the PPK is not answered"


@ppk.optional
@requirement("rfc8784-3-no-ppk-identity-fails")
@turned_red_by("does-not-need-ppk-identity")
def test_responder_refuses_an_initiator_that_names_no_ppk(peer, target):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni, N(USE_PPK)      -->
                                        <--     HDR, SAr1, KEr, Nr, N(USE_PPK)
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    peer.open_ike_sa()
    request = peer.ike_auth().replacing(ppk.auth_without(peer))
    plain = _without(_without(request, PPK_IDENTITY), NO_PPK_AUTH)

    _refused(peer, target, peer.exchange(plain, "AUTH without the PPK, PPK_IDENTITY is missing"))


@ppk.required
@requirement("rfc8784-3-unknown-ppk-mandatory-fails")
@turned_red_by("goes-on-without-required-ppk")
def test_responder_that_requires_a_ppk_refuses_an_unknown_one(peer, target):
    """
    peer (has another PPK)                      target (requires a PPK)
    HDR, SK {IDi, IDr, AUTH(PPK), ..., N(PPK_IDENTITY, unknown), N(NO_PPK_AUTH)} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    ppk.has(peer, ppk.OTHER)
    peer.open_ike_sa()

    _refused(peer, target, peer.exchange(peer.ike_auth(), "PPK_IDENTITY"))


@ppk.optional
@requirement("rfc8784-3-unknown-ppk-without-way-out-fails")
@turned_red_by("takes-ppk-of-any-name")
def test_responder_refuses_an_unknown_ppk_without_a_way_out(peer, target):
    """
    peer (has the PPK by another name)          target (has a PPK)
    HDR, SK {IDi, IDr, AUTH(PPK), SAi2, TSi, TSr, N(PPK_IDENTITY, unknown)} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    ppk.has(peer, replace(ppk.PPK, name=ppk.OTHER.name), required=True)
    peer.open_ike_sa()

    _refused(peer, target, peer.exchange(peer.ike_auth(), "PPK_IDENTITY"))


@ppk.optional
@twin_of(test_responder_that_requires_a_ppk_refuses_an_unknown_one)
@requirement("rfc8784-3-unknown-ppk-way-out")
@turned_red_by("confirms-every-ppk")
def test_responder_takes_the_way_out_of_an_unknown_ppk(peer, administrative):
    """
    peer (has another PPK)                      target (has a PPK)
    HDR, SK {IDi, IDr, AUTH(PPK), ..., N(PPK_IDENTITY, unknown), N(NO_PPK_AUTH)} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    ppk.has(peer, ppk.OTHER)
    peer.open_ike_sa()
    request = peer.ike_auth()
    response = peer.exchange(request)
    if not response.has(AUTH):
        administrative("an unknown PPK is refused in spite of NO_PPK_AUTH")
        return

    assert PPK_IDENTITY not in response.notifies, "a PPK is confirmed that the target does not have"
    peer.take_up(request, response)
    assert peer.echo(), "an echo request under keys without the PPK is not answered"


@ppk.optional
@requirement("rfc8784-3-unknown-ppk-way-out")
@turned_red_by("accepts-any-auth")
def test_responder_verifies_the_way_out(peer, target):
    """
    peer (has another PPK)                      target (has a PPK)
    HDR, SK {IDi, IDr, AUTH(PPK), ..., N(PPK_IDENTITY, unknown), N(NO_PPK_AUTH, wrong)} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    ppk.has(peer, ppk.OTHER)
    peer.open_ike_sa()
    request = peer.ike_auth()
    wrong = Notify(NO_PPK_AUTH, request.get(AUTH).data)

    _refused(peer, target, peer.exchange(request.replacing(wrong), "NO_PPK_AUTH"))


@ppk.optional
@authenticated(null)
@needs(Capability.NULL_AUTHENTICATION)
@requirement("rfc8784-5.2.3-null-needs-ppk")
@turned_red_by("goes-on-without-required-ppk")
def test_null_authentication_with_an_unknown_ppk_makes_no_sa(peer, target):
    """
    peer (has another PPK)                      target (has a PPK)
    HDR, SK {IDi, IDr, AUTH(13), ..., N(PPK_IDENTITY, unknown), N(NO_PPK_AUTH)} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    PREVENTS: anybody at all let in, where the PPK is all that authenticates.
    """
    ppk.has(peer, ppk.OTHER)
    peer.open_ike_sa()

    request = peer.ike_auth()
    way_out = Notify(NO_PPK_AUTH, ppk.auth_without(peer).data)
    request = replace(request, payloads=(*request.payloads, way_out))

    response = peer.exchange(request, "PPK_IDENTITY")

    assert not response.has(AUTH), "authenticated by nothing"
    assert not target.established(), "the target lists an established IKE SA"
