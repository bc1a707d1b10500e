"""RFC 7296, 2.6: cookies against floods of half-open IKE SAs, in both roles."""

import pytest

from peers.reference.initial import with_cookie
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import KE, SA, Nonce, Notify
from peers.reference.sa import NO_SPI
from peers.targets.base import Capability
from suites.judge import as_responder, needs, requirement, turned_red_by, twin_of
from suites.observe import opens_ike_sa

challenged = pytest.mark.usefixtures("challenging")


@pytest.fixture
def challenging(target, peer):
    """Make the target challenge, for this test only."""
    with target.challenging():
        yield


@challenged
@needs(Capability.COOKIE_CHALLENGE)
@requirement("rfc7296-2.6-cookie-size")
@turned_red_by("sends-over-long-cookie")
def test_challenge_is_one_cookie_of_allowed_size(peer):
    """
    peer                                        target (challenging)
    HDR, SAi1, KEi, Ni                  -->
                                        <--     HDR, N(COOKIE, 1 to 64 octets)
    """
    response = peer.exchange(peer.ike_sa_init())

    cookie = response.notify(NotifyType.COOKIE)
    assert not {SA, KE, Nonce} & set(response.types), "challenged and granted at once"
    assert 1 <= len(cookie.data) <= 64, f"a cookie of {len(cookie.data)} octets"
    assert (cookie.protocol, cookie.spi) == (0, b"")


@challenged
@needs(Capability.COOKIE_CHALLENGE)
@requirement("rfc7296-2.6-responder-spi-zero-when-no-sa")
@turned_red_by("sends-responder-spi-with-cookie")
def test_challenge_has_no_responder_spi(peer):
    """
    peer                                        target (challenging)
    HDR(SPIi, 0), SAi1, KEi, Ni         -->
                                        <--     HDR(SPIi, 0), N(COOKIE)
    """
    response = peer.exchange(peer.ike_sa_init())

    assert response.find_notify(NotifyType.COOKIE), "no challenge"
    assert response.spi_r == NO_SPI, "a responder SPI though there is no IKE SA"


@challenged
@needs(Capability.COOKIE_CHALLENGE)
@requirement("rfc7296-2.6-wrong-cookie-ignored")
@turned_red_by("accepts-any-cookie")
def test_wrong_cookie_is_not_accepted(peer, target):
    """
    peer                                        target (challenging)
    HDR, SAi1, KEi, Ni                  -->
                                        <--     HDR, N(COOKIE)
    HDR, N(COOKIE, one bit changed), SAi1, KEi, Ni -->
                                                no SAr1
    """
    request = peer.ike_sa_init()
    cookie = peer.exchange(request).notify(NotifyType.COOKIE).data
    wrong = cookie[:-1] + bytes([cookie[-1] ^ 1])

    opened = opens_ike_sa(peer, target, with_cookie(request, wrong), "wrong cookie")

    assert not opened, "a wrong cookie opened an IKE SA"


@challenged
@needs(Capability.COOKIE_CHALLENGE)
@twin_of(test_wrong_cookie_is_not_accepted)
@requirement("rfc7296-2.6-cookie-challenge-sent")
@turned_red_by("refuses-its-own-cookie")
def test_right_cookie_is_accepted(peer):
    """
    peer                                        target (challenging)
    HDR, SAi1, KEi, Ni                  -->
                                        <--     HDR, N(COOKIE)
    HDR, N(COOKIE), SAi1, KEi, Ni       -->
                                        <--     HDR, SAr1, KEr, Nr
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    request = peer.ike_sa_init()
    cookie = peer.exchange(request).notify(NotifyType.COOKIE).data
    again = with_cookie(request, cookie)
    response = peer.exchange(again)

    assert response.has(SA, KE, Nonce), "the cookie that came back is not accepted"
    peer.agree(again, response)
    auth = peer.ike_auth()
    peer.take_up(auth, peer.exchange(auth))
    assert peer.echo(), "the Child SA carries no traffic"


@pytest.mark.parametrize("size", [1, 20, 64])
@as_responder
@requirement("rfc7296-2.6-cookie-returned-first")
@turned_red_by("returns-cookie-last")
def test_initiator_returns_the_cookie_first(peer, target, size):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, N(COOKIE)                      -->
                                        <--     HDR, N(COOKIE), SAi1, KEi, Ni
    """
    cookie = bytes(range(1, size + 1))
    _, retry = _challenge(peer, target, cookie)

    first = retry.message.payloads[0]
    assert isinstance(first, Notify), "the cookie is not the first payload"
    assert (first.notify_type, first.data) == (NotifyType.COOKIE, cookie)


@as_responder
@requirement("rfc7296-2.6-cookie-retry-otherwise-unchanged")
@turned_red_by("draws-new-nonce-for-cookie-retry", "returns-cookie-last")
def test_initiator_changes_nothing_else_for_the_cookie(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, N(COOKIE)                      -->
                                        <--     HDR, N(COOKIE), SAi1, KEi, Ni (same octets)
    HDR, SAr1, KEr, Nr                  -->
    """
    cookie = bytes(20)
    first, retry = _challenge(peer, target, cookie)

    size = 8 + len(cookie)
    assert retry.octets[28 + size :] == first.octets[28:], "the retry is another request"
    peer.accept(retry.message)
    assert peer.echo(), "the Child SA carries no traffic"


def _challenge(peer, target, cookie):
    target.initiate()
    first = peer.hear_request_octets(ExchangeType.IKE_SA_INIT)
    challenge = peer.refusal(first.message, Notify(NotifyType.COOKIE, cookie))
    peer.answer(first.message, challenge)
    return first, peer.hear_request_octets(ExchangeType.IKE_SA_INIT)
