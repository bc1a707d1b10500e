"""RFC 7296, 2.6 and 2.6.1: a cookie and another group in one handshake; strange refusals."""

from dataclasses import replace

import pytest

from peers.reference.initial import with_cookie, with_group
from peers.reference.negotiation import esp_proposal, numbered, offered_groups
from peers.reference.numbers import ExchangeType, KeyExchangeMethod, NotifyType
from peers.reference.payloads import KE, SA, Nonce, Notify
from peers.reference.sa import NO_SPI
from peers.targets.base import Capability
from suites.judge import as_responder, differs, needs, requirement, turned_red_by
from suites.terms import AES_GCM_256, CURVE25519, ECP_256, Suite, configured, ike

BOTH = Suite((ike(AES_GCM_256, CURVE25519, ECP_256),), (esp_proposal(AES_GCM_256),))
ECP_ONLY = Suite((ike(AES_GCM_256, ECP_256),), (esp_proposal(AES_GCM_256),))
STRANGE_SPI = b"nobody's"


@pytest.fixture
def challenging(target, peer):
    """Make the target challenge, for this test only."""
    with target.challenging():
        yield


@configured(BOTH)
@as_responder
@requirement("rfc7296-2.6.1-cookie-kept-with-another-group")
@turned_red_by("drops-cookie-for-another-group", "retries-with-same-group")
def test_initiator_keeps_the_cookie_when_the_group_changes(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, N(COOKIE)                      -->
                                        <--     HDR, N(COOKIE), SAi1, KEi, Ni
    HDR, N(INVALID_KE_PAYLOAD, other)   -->
                                        <--     HDR, N(COOKIE), SAi1, KEi(other), Ni
    HDR, SAr1, KEr, Nr                  -->
    """
    cookie = peer.random(20)
    target.initiate()
    request = _refuse(peer, _heard(peer), Notify(NotifyType.COOKIE, cookie))

    retry = _refuse(peer, request, _another_group(request))

    assert retry.get(KE).group != request.get(KE).group, "the retry is of the same group"
    peer.accept(retry)
    assert peer.echo(), "the Child SA carries no traffic"
    kept = retry.find_notify(NotifyType.COOKIE)
    if kept is None or kept.data != cookie:
        differs("the retry with another group leaves the cookie out")


@configured(BOTH)
@as_responder
@requirement("rfc7296-2.6.1-cookie-and-invalid-ke")
@turned_red_by("returns-one-cookie-only", "retries-with-same-group")
def test_initiator_returns_another_cookie_after_the_group_changed(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, N(COOKIE, a)                   -->
                                        <--     HDR, N(COOKIE, a), SAi1, KEi, Ni
    HDR, N(INVALID_KE_PAYLOAD, other)   -->
                                        <--     HDR, [N(COOKIE, a),] SAi1, KEi(other), Ni
    HDR, N(COOKIE, b)                   -->
                                        <--     HDR, N(COOKIE, b), SAi1, KEi(other), Ni
    HDR, SAr1, KEr, Nr                  -->
    PREVENTS: a handshake that fails with a responder whose cookies cover the KE payload.
    """
    target.initiate()
    request = _refuse(peer, _heard(peer), Notify(NotifyType.COOKIE, bytes(20)))
    request = _refuse(peer, request, _another_group(request))
    group = request.get(KE).group

    retry = _refuse(peer, request, Notify(NotifyType.COOKIE, b"another cookie"))

    assert retry.notify(NotifyType.COOKIE).data == b"another cookie", "the first cookie again"
    assert retry.get(KE).group == group, "back to the group that was refused"
    peer.accept(retry)
    assert peer.echo(), "the Child SA carries no traffic"


@pytest.mark.usefixtures("challenging")
@configured(ECP_ONLY)
@needs(Capability.COOKIE_CHALLENGE)
@requirement("rfc7296-2.6.1-cookie-and-invalid-ke")
@turned_red_by("takes-a-cookie-once", "refuses-its-own-cookie", "refuses-wrong-group-outright")
def test_responder_wants_a_cookie_and_another_group(peer):
    """
    peer                                        target (challenging, ECP_256 only)
    HDR, SAi1, KEi(CURVE25519), Ni      -->
                                        <--     HDR, N(COOKIE)
    HDR, N(COOKIE), SAi1, KEi(CURVE25519), Ni -->
                                        <--     HDR, N(INVALID_KE_PAYLOAD, ECP_256)
    HDR, N(COOKIE), SAi1, KEi(ECP_256), Ni -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    request = peer.ike_sa_init(KeyExchangeMethod.CURVE25519)
    request = request.replacing(SA(numbered(BOTH.ike)))
    request = with_cookie(request, peer.exchange(request).notify(NotifyType.COOKIE).data)
    refusal = peer.exchange(request).notify(NotifyType.INVALID_KE_PAYLOAD)
    retry = with_group(peer.ike, request, KeyExchangeMethod(int.from_bytes(refusal.data, "big")))
    response = peer.exchange(retry)

    again = response.find_notify(NotifyType.COOKIE)
    if again is not None:
        retry = with_cookie(retry, again.data)
        response = peer.exchange(retry)
    assert response.has(SA, KE, Nonce), f"no IKE SA in the end: {response}"
    if again is not None:
        differs("the cookie is asked for again when the group changes")


@pytest.mark.parametrize("refused_for", ["cookie", "group"])
@configured(BOTH)
@as_responder
@requirement("rfc7296-2.6-nonzero-responder-spi-tolerated")
@turned_red_by("minds-responder-spi-in-refusal")
def test_initiator_follows_a_refusal_that_has_a_responder_spi(peer, target, refused_for):
    """
    peer                                        target
                                        <--     HDR(SPIi, 0), SAi1, KEi, Ni
    HDR(SPIi, SPIr), N(COOKIE or INVALID_KE_PAYLOAD) -->
                                        <--     HDR(SPIi, 0), [N(COOKIE),] SAi1, KEi, Ni
    HDR, SAr1, KEr, Nr                  -->
    """
    target.initiate()
    request = _heard(peer)
    cookie = Notify(NotifyType.COOKIE, bytes(20))
    wanted = cookie if refused_for == "cookie" else _another_group(request)

    retry = _refuse(peer, request, wanted, spi_r=STRANGE_SPI)

    assert retry.spi_r == NO_SPI, "the retry has a responder SPI"
    if refused_for == "cookie":
        assert retry.notify(NotifyType.COOKIE).data == cookie.data
    else:
        assert retry.get(KE).group != request.get(KE).group, "the retry is of the same group"
    peer.accept(retry)
    assert peer.echo(), "the Child SA carries no traffic"


@pytest.mark.parametrize("size", [0, 65, 1000])
@as_responder
@requirement("rfc7296-2.6-overlong-cookie-not-returned")
@turned_red_by("returns-any-cookie")
def test_initiator_does_not_return_a_cookie_of_a_size_that_there_is_not(peer, target, size):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, N(COOKIE, no or too many octets) -->
                                                no request with that cookie
    """
    target.initiate()
    request = _heard(peer)
    refusal = peer.refusal(request, Notify(NotifyType.COOKIE, bytes(size)))
    peer.answer(request, refusal, f"a cookie of {size} octets")
    again = [each for each in peer.reactions_so_far() if not each.response]
    if any(NotifyType.COOKIE in each.notifies for each in again):
        differs(f"a cookie of {size} octets is returned")


def _heard(peer):
    return peer.hear_request(ExchangeType.IKE_SA_INIT)


def _refuse(peer, request, notify, spi_r=NO_SPI):
    """Refuse an IKE_SA_INIT request; give the one that follows."""
    peer.answer(request, replace(peer.refusal(request, notify), spi_r=spi_r))
    return _heard(peer)


def _another_group(request):
    first = request.get(KE).group
    other = next(group for group in offered_groups(request.get(SA)) if group != first)
    return Notify(NotifyType.INVALID_KE_PAYLOAD, int(other).to_bytes(2, "big"))
