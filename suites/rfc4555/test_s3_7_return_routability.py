"""RFC 4555, 3.7: COOKIE2, and whether the other side is where it says that it is."""

import pytest

from peers.reference.errors import NoAnswer
from peers.reference.numbers import ExchangeType, NotifyType
from suites.judge import as_responder, differs, requirement, turned_red_by
from suites.terms import arranged, lets_the_peer_move, may_move

MOBILE = arranged(lets_the_peer_move)
SIZES = pytest.mark.parametrize("size", [8, 16, 64], ids=["8-octets", "16-octets", "64-octets"])


@SIZES
@MOBILE
@requirement("rfc4555-3.7-cookie2-copied")
@turned_red_by("copies-no-cookie2", "copies-cookie2-of-updates-only")
def test_responder_copies_cookie2(established, size):
    """
    peer                                        target
    HDR, SK {N(COOKIE2)}                -->
                                        <--     HDR, SK {N(COOKIE2)}
    """
    cookie = established.cookie2(size)

    response = established.exchange(established.informational(cookie))

    assert response.find_notify(NotifyType.COOKIE2) == cookie, "COOKIE2 is not copied"


@SIZES
@MOBILE
@requirement("rfc4555-3.7-cookie2-copied")
@turned_red_by("copies-no-cookie2", "cuts-cookie2")
def test_responder_copies_cookie2_of_an_update(established, station, size):
    """
    peer                                        target
    (at another address)
    HDR, SK {N(UPDATE_SA_ADDRESSES), N(NAT_DETECTION_*_IP), N(COOKIE2)} -->
                                        <--     HDR, SK {N(NAT_DETECTION_*_IP), N(COOKIE2)}
    """
    cookie = established.cookie2(size)
    established.move(station.addresses.of(4)[1])

    response = established.exchange(established.update_addresses(cookie=cookie.data))

    assert response.find_notify(NotifyType.COOKIE2) == cookie, "COOKIE2 is not copied"


@SIZES
@arranged(may_move)
@as_responder
@requirement("rfc4555-3.7-cookie2-copied")
@turned_red_by("copies-no-cookie2", "copies-cookie2-of-updates-only")
def test_initiator_copies_cookie2(accepted, size):
    """
    peer (responder)                            target
    HDR, SK {N(COOKIE2)}                -->
                                        <--     HDR, SK {N(COOKIE2)}
    """
    cookie = accepted.cookie2(size)

    response = accepted.exchange(accepted.informational(cookie))

    assert response.find_notify(NotifyType.COOKIE2) == cookie, "COOKIE2 is not copied"


@MOBILE
@requirement("rfc4555-3.7-route-checked-before-ipsec", "rfc4555-3.7-route-checked")
@turned_red_by("checks-no-route", "moves-esp-before-check")
def test_new_address_is_checked_before_esp_goes_there(established, target, station):
    """
    peer                                        target
    (at another address)
    HDR, SK {N(UPDATE_SA_ADDRESSES), ..} -->
                                        <--     HDR, SK {..}
                                        <--     HDR, SK {N(COOKIE2)}
                                        <--     ESP {echo request of the target}  (to the old one)
    HDR, SK {N(COOKIE2)}                -->
                                        <--     ESP {echo request of the target}  (to the new one)
    PREVENTS: a flood that a peer has sent to somebody else.
    """
    home, _ = established.move(station.addresses.of(4)[1])
    established.exchange(established.update_addresses())
    try:
        check = established.hear_request(ExchangeType.INFORMATIONAL, timeout=5.0)
    except NoAnswer:
        differs("nobody checks that the peer is reached at its new address")
    target.echo()
    if established.hear_esp().packet.destination.address != home.address:
        differs("ESP goes to the new address before it is checked")

    established.answer(check, established.answer_check(check))

    target.echo()
    there = established.ike.local.address
    assert established.hear_esp().packet.destination.address == there, "it stays at the old one"


@MOBILE
@requirement("rfc4555-3.7-other-cookie2-closes")
@turned_red_by("accepts-any-cookie2")
def test_wrong_cookie2_ends_the_ike_sa(established, target, station, administrative):
    """
    peer                                        target
    (at another address)
    HDR, SK {N(UPDATE_SA_ADDRESSES), ..} -->
                                        <--     HDR, SK {..}
                                        <--     HDR, SK {N(COOKIE2)}
    HDR, SK {N(COOKIE2)  (another one)} -->
                                                (the IKE SA is gone)
    """
    established.spoils_cookies = True
    established.move(station.addresses.of(4)[1])
    established.exchange(established.update_addresses())
    try:
        check = established.hear_request(ExchangeType.INFORMATIONAL, timeout=5.0)
    except NoAnswer:
        administrative("checks no route, so that there is no COOKIE2 to answer")
        return
    if NotifyType.COOKIE2 not in check.notifies:
        administrative("checks the route without a COOKIE2")
        return

    established.answer(check, established.answer_check(check))

    assert not established.is_answered(established.informational()), "the IKE SA lives on"
