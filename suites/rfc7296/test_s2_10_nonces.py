"""RFC 7296, 2.10 and 3.9: nonces have 16 to 256 octets."""

import pytest

from peers.reference.numbers import ExchangeType
from peers.reference.payloads import KE, SA, Nonce
from suites.judge import as_responder, differs, requirement, turned_red_by, twin_of
from suites.observe import opens_ike_sa

WRONG = pytest.mark.parametrize("size", [0, 15, 257])
RIGHT = pytest.mark.parametrize("size", [16, 256])


@WRONG
@requirement("rfc7296-3.9-nonce-out-of-range-refused")
@turned_red_by("accepts-nonces-of-any-size")
def test_initiators_nonce_of_a_size_that_there_is_not_opens_no_ike_sa(peer, target, size):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni(too short or too long) -->
                                                no SAr1
    PREVENTS: keys of which one side's share can be guessed.
    """
    request = peer.ike_sa_init().replacing(Nonce(peer.random(size)))

    if opens_ike_sa(peer, target, request, f"a nonce of {size} octets"):
        differs(f"a nonce of {size} octets is accepted")


@RIGHT
@twin_of(test_initiators_nonce_of_a_size_that_there_is_not_opens_no_ike_sa)
@requirement("rfc7296-3.9-nonce-at-the-limit-taken")
@turned_red_by("refuses-nonces-at-the-limits")
def test_initiators_nonce_at_the_limit_makes_keys(peer, size):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni(16 or 256 octets) -->
                                        <--     HDR, SAr1, KEr, Nr
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    request = peer.ike_sa_init()
    peer.ike.nonce = peer.random(size)
    request = request.replacing(Nonce(peer.ike.nonce))
    response = peer.exchange(request)

    assert response.has(SA, KE, Nonce), f"a nonce of {size} octets is refused: {response}"
    peer.agree(request, response)
    request = peer.ike_auth()
    peer.take_up(request, peer.exchange(request))
    assert peer.echo(), "the Child SA carries no traffic"


@WRONG
@as_responder
@requirement("rfc7296-3.9-nonce-out-of-range-refused")
@turned_red_by("accepts-nonces-of-any-size")
def test_responders_nonce_of_a_size_that_there_is_not_is_not_followed(peer, target, size):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, SAr1, KEr, Nr(too short or too long) -->
                                                no IKE_AUTH
    """
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    peer.ike.nonce = peer.random(size)
    peer.answer(request, peer.ike_sa_init_response(request), f"a nonce of {size} octets")
    heard = peer.reactions_so_far()
    if any(each.exchange == ExchangeType.IKE_AUTH for each in heard):
        differs(f"a nonce of {size} octets is accepted")


@RIGHT
@as_responder
@twin_of(test_responders_nonce_of_a_size_that_there_is_not_is_not_followed)
@requirement("rfc7296-3.9-nonce-at-the-limit-taken")
@turned_red_by("refuses-nonces-at-the-limits")
def test_responders_nonce_at_the_limit_makes_keys(peer, target, size):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, SAr1, KEr, Nr(16 or 256 octets) -->
                                        <--     HDR, SK {IDi, [IDr,] AUTH, SAi2, TSi, TSr}
    HDR, SK {IDr, AUTH, SAr2, TSi, TSr} -->
    """
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    peer.ike.nonce = peer.random(size)
    peer.accept(request)

    assert peer.echo(), "the Child SA carries no traffic"


@WRONG
@requirement("rfc7296-3.9-nonce-out-of-range-refused")
@turned_red_by("accepts-nonces-of-any-size")
def test_nonce_of_a_size_that_there_is_not_makes_no_child_sa(established, target, size):
    """
    peer                                        target
    HDR, SK {SA, Ni(too short or too long), TSi, TSr} -->
                                        <--     HDR, SK {N(an error)}
    """
    request = established.create_child_sa().replacing(Nonce(established.random(size)))

    established.say(request, f"a nonce of {size} octets")
    established.fence()
    # INVALID_SYNTAX may end the IKE SA (2.21.3): it is no fence.
    established.ike.children.clear()

    heard = established.reactions_so_far()
    granted = [each for each in heard if each.response and each.has(SA)]
    if granted:
        differs(f"a nonce of {size} octets is accepted: {granted[0]}")


@RIGHT
@twin_of(test_nonce_of_a_size_that_there_is_not_makes_no_child_sa)
@requirement("rfc7296-3.9-nonce-at-the-limit-taken")
@turned_red_by("refuses-nonces-at-the-limits")
def test_nonce_at_the_limit_makes_a_child_sa(established, size):
    """
    peer                                        target
    HDR, SK {SA, Ni(16 or 256 octets), TSi, TSr} -->
                                        <--     HDR, SK {SA, Nr, TSi, TSr}
    """
    request = established.create_child_sa().replacing(Nonce(established.random(size)))
    response = established.exchange(request)

    assert response.has(SA, Nonce), f"a nonce of {size} octets is refused: {response}"
    established.take_up_child(request, response)
    assert established.echo(), "the Child SA carries no traffic"
