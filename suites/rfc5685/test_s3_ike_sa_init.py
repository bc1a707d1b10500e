"""RFC 5685, 3 and 7: redirected in IKE_SA_INIT, by a notify that anybody could have sent."""

from dataclasses import replace

from peers.reference.errors import NoAnswer, PeerError
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import Nonce, Notify
from peers.reference.redirect import MAX_REDIRECTS, gateway, redirect
from suites.judge import as_responder, differs, requirement, turned_red_by, twin_of
from suites.terms import FAMILIES, arranged

FOLLOWS = arranged(lambda described: replace(described, follows_redirects=True))


@FOLLOWS
@as_responder
@requirement("rfc5685-3-support-announced")
@turned_red_by("tells-no-redirect-support")
def test_initiator_says_that_it_follows_redirects(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni, N(REDIRECT_SUPPORTED)
    """
    target.initiate()

    request = peer.hear_request(ExchangeType.IKE_SA_INIT)

    said = request.find_notify(NotifyType.REDIRECT_SUPPORTED)
    assert said == Notify(NotifyType.REDIRECT_SUPPORTED), (
        "it follows redirects, and does not say so"
    )


@FAMILIES
@FOLLOWS
@as_responder
@requirement("rfc5685-3-redirect-followed", "rfc5685-3-redirected-from-sent")
@turned_red_by("follows-no-redirect", "tells-not-who-redirected")
def test_redirect_is_followed(peer, target, second):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni, N(REDIRECT_SUPPORTED)
    HDR, N(REDIRECT, second gateway, Ni) -->
    second gateway
                                        <--     HDR, SAi1, KEi, Ni, N(REDIRECTED_FROM, first one)
    ..  (both initial exchanges)
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    nonce = request.get(Nonce).data
    peer.answer(request, peer.refusal(request, redirect(second, nonce)))

    heard = peer.hear_request_octets(ExchangeType.IKE_SA_INIT)

    assert heard.packet.destination.address == second, "not where it was sent"
    origin = heard.message.find_notify(NotifyType.REDIRECTED_FROM)
    assert origin is not None, "the new gateway is not told who has redirected"
    assert gateway(origin).address == peer.connection.local, "another one than has redirected"
    peer.accept(heard.message)
    assert peer.echo(), "the Child SA with the second gateway carries no traffic"


@twin_of(test_redirect_is_followed)
@FOLLOWS
@as_responder
@requirement("rfc5685-3-wrong-nonce-discarded")
@turned_red_by("follows-redirect-of-anybody")
def test_redirect_with_another_nonce_is_discarded(peer, target, second):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni, N(REDIRECT_SUPPORTED)
    HDR, N(REDIRECT, second gateway, not Ni) -->
                                        <--     HDR, SAi1, KEi, Ni, ..  (the same once more)
    HDR, SAr1, KEr, Nr                  -->
                                        <--     HDR, SK {..}
    PREVENTS: whoever guesses a packet sends clients away.
    """
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    wrong = bytes(octet ^ 1 for octet in request.get(Nonce).data)
    peer.say(peer.refusal(request, redirect(second, wrong)), "another nonce than Ni in REDIRECT")

    assert peer.hears_again(request), "the request is given up because of a forged redirect"

    peer.answer(request, peer.ike_sa_init_response(request))
    try:
        request = peer.hear_request(ExchangeType.IKE_AUTH)
    except NoAnswer as silence:
        raise PeerError("a true response is not taken after a forged redirect") from silence
    peer.answer(request, peer.ike_auth_response(request))
    assert peer.echo(), "the Child SA with the first gateway carries no traffic"


@FOLLOWS
@as_responder
@requirement("rfc5685-7-loops-end")
@turned_red_by("follows-redirects-forever")
def test_loop_of_redirects_ends(peer, target, second, administrative):
    """
    peer (first or second gateway)              target
                                        <--     HDR, SAi1, KEi, Ni, ..
    HDR, N(REDIRECT, the other gateway, Ni) -->
    ..  (some times)
                                        nothing
    """
    gateways = peer.connection.local, second
    target.initiate()
    for followed in range(2 * MAX_REDIRECTS + 1):
        try:
            heard = peer.hear_request_octets(ExchangeType.IKE_SA_INIT, timeout=4.0)
        except NoAnswer:
            if followed <= MAX_REDIRECTS:
                administrative(f"{followed - 1} redirects are followed")
            return
        request = heard.message
        other = gateways[heard.packet.destination.address == gateways[0]]
        peer.answer(request, peer.refusal(request, redirect(other, request.get(Nonce).data)))
    differs(f"{2 * MAX_REDIRECTS} redirects are followed, and more")
