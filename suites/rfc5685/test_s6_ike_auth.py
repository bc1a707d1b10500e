"""RFC 5685, 6: redirected in IKE_AUTH, once both sides are authenticated."""

from dataclasses import replace

from peers.reference.errors import NoAnswer
from peers.reference.numbers import ExchangeType, NotifyType, ProtocolId
from peers.reference.payloads import AUTH, SA, Delete
from peers.reference.redirect import SUPPORTED, gateway, redirect
from peers.targets.base import Capability
from suites.judge import as_responder, differs, needs, requirement, turned_red_by, twin_of
from suites.terms import arranged

FOLLOWS = arranged(lambda described: replace(described, follows_redirects=True))
REDIRECTS = arranged(lambda described: replace(described, redirects_to=described.remote + 1))


@FOLLOWS
@as_responder
@requirement("rfc5685-6-ike-sa-deleted", "rfc5685-3-redirected-from-sent")
@turned_red_by("stays-when-redirected", "follows-no-redirect")
def test_redirect_in_ike_auth_is_followed(peer, target, second):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, AUTH, SAi2, TSi, TSr}
    HDR, SK {IDr, AUTH, N(REDIRECT, second gateway)} -->
                                        <--     HDR, SK {D(IKE)}
    HDR, SK {}                          -->
    second gateway
                                        <--     HDR, SAi1, KEi, Ni, N(REDIRECTED_FROM, first one)
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    old = peer.ike
    peer.answer(request, peer.ike_auth_response_alone(request) + redirect(second))

    heard = peer.hear_request_octets(ExchangeType.IKE_SA_INIT)

    assert heard.packet.destination.address == second, "not where it was sent"
    origin = heard.message.find_notify(NotifyType.REDIRECTED_FROM)
    assert origin is not None, "the new gateway is not told who has redirected"
    peer.accept(heard.message)
    assert peer.echo(), "the Child SA with the second gateway carries no traffic"
    if not peer.was_asked(old, Delete(ProtocolId.IKE)):
        differs("the first gateway is not told that its IKE SA is left")


@twin_of(test_redirect_in_ike_auth_is_followed)
@FOLLOWS
@as_responder
@requirement("rfc5685-6-auth-verified-first")
@turned_red_by("follows-unauthenticated-redirect")
def test_redirect_with_a_wrong_auth_is_not_followed(peer, target, second):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, AUTH, SAi2, TSi, TSr}
    HDR, SK {IDr, AUTH (wrong), N(REDIRECT, second gateway)} -->
                                        nothing at the second gateway
    PREVENTS: who is in the middle sends clients where it wants.
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    response = peer.ike_auth_response_alone(request)
    proof = response.get(AUTH)
    wrong = replace(proof, data=bytes(octet ^ 1 for octet in proof.data))
    peer.answer(request, response.replacing(wrong) + redirect(second), "AUTH is wrong")

    try:
        heard = peer.hear_request_octets(ExchangeType.IKE_SA_INIT, timeout=4.0)
    except NoAnswer:
        return
    assert heard.packet.destination.address != second, "sent away by who is not authenticated"


@REDIRECTS
@needs(Capability.REDIRECTING)
@requirement("rfc5685-6-gateway-redirects", "rfc5685-9.2-no-nonce-in-ike-auth")
@turned_red_by("redirects-nobody")
def test_gateway_redirects_in_ike_auth(peer, connection):
    """
    peer                                        target (told to redirect)
    HDR, SAi1, KEi, Ni, N(REDIRECT_SUPPORTED) -->
                                        <--     HDR, SAr1, KEr, Nr
    HDR, SK {IDi, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, N(REDIRECT, where it is told)}
    """
    request = peer.ike_sa_init() + SUPPORTED
    peer.agree(request, peer.exchange(request))

    response = peer.exchange(peer.ike_auth())

    said = response.find_notify(NotifyType.REDIRECT)
    assert said is not None, "not redirected"
    assert gateway(said).address == connection.redirects_to, "to elsewhere"
    assert not gateway(said).nonce, "with a nonce"
    assert not response.has(SA), "a Child SA is made with who is sent away"
    peer.take_up_alone(response)


@twin_of(test_gateway_redirects_in_ike_auth)
@REDIRECTS
@needs(Capability.REDIRECTING)
@requirement("rfc5685-3-only-who-supports")
@turned_red_by("redirects-everybody")
def test_gateway_redirects_nobody_who_does_not_follow(peer):
    """
    peer                                        target (told to redirect)
    HDR, SAi1, KEi, Ni                  -->
                                        <--     HDR, SAr1, KEr, Nr
    HDR, SK {IDi, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    peer.open_ike_sa()

    response = peer.exchange(peer.ike_auth())

    assert NotifyType.REDIRECT not in response.notifies, (
        "redirected, though it did not ask for that"
    )
