"""RFC 7383, 2.6: fragments that a responder hears, in every order and with wrong ones between."""

import pytest

from peers.reference.faults import IcvCorrupted
from peers.reference.negotiation import ke
from peers.reference.numbers import ExchangeType, KeyExchangeMethod, NotifyType, PayloadType
from peers.reference.payloads import AUTH, SA, Unknown
from suites.fragmentation import FRAGMENTED, garbage, in_order
from suites.judge import as_responder, requirement, turned_red_by
from suites.terms import AES_GCM_256, DEFAULT, Suite, configured, ike

pytestmark = FRAGMENTED

SLOW_KEYS = configured(Suite((ike(AES_GCM_256, ke(KeyExchangeMethod.MODP_8192)),), DEFAULT.esp))
"""A key exchange that takes a while: all fragments are there before the keys to verify them."""

AHEAD = 8
"""IKE_SA_INIT requests that come first: a scheduler may well come between two fragments of ours."""

ORDERS = pytest.mark.parametrize(
    "order",
    [(1, 2, 3), (3, 2, 1), (2, 1, 3), (1, 1, 2, 2, 3)],
    ids=["in-order", "reversed", "second-first", "doubled"],
)


@ORDERS
@requirement("rfc7383-2.6-reassembled")
@turned_red_by("wants-fragments-in-order")
def test_a_request_in_fragments_is_processed(peer, order):
    """
    peer                                        target
    HDR, SKF(1 of 3) {..}               -->
    HDR, SKF(2 of 3) {..}               -->
    HDR, SKF(3 of 3) {..}  (in any order) -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    PREVENTS: an IKE SA that fails on a path that reorders packets.
    """
    _granted(peer, lambda parts: in_order(parts, order))


@ORDERS
@as_responder
@requirement("rfc7383-2.6-reassembled")
@turned_red_by("wants-fragments-in-order")
def test_a_response_in_fragments_is_processed(peer, target, order):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, [IDr,] AUTH, SAi2, TSi, TSr}
    HDR, SKF(1 of 3) {..}               -->
    HDR, SKF(2 of 3) {..}               -->
    HDR, SKF(3 of 3) {..}  (in any order) -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()

    parts = peer.fragments(peer.ike_auth_response(request))
    peer.answer_in_fragments(request, in_order(parts, order))

    assert peer.echo(), "the Child SA carries no traffic"


@pytest.mark.parametrize("total", [2, 20])
@requirement("rfc7383-2.6-reassembled")
@turned_red_by("wants-fragments-in-order")
def test_requests_of_an_established_ike_sa_come_in_fragments(established, total):
    """
    peer                                        target
    HDR, SKF(1 of n) {..}, .. HDR, SKF(n of n) {..} -->    CREATE_CHILD_SA, the Child SA anew
                                        <--     HDR, SK {SA, Nr, TSi, TSr}
    """
    old = established.child
    request = established.rekey_child_sa()
    parts = established.fragments(request, total)[::-1]
    established.take_up_child(request, established.exchange_fragments(request, parts))
    established.close_child(old)

    assert established.echo(), "the Child SA that was rekeyed carries no traffic"


@requirement("rfc7383-2.6-reassembled")
@turned_red_by("wants-fragments-in-order")
def test_an_informational_request_in_fragments_is_answered(established):
    """
    peer                                        target
    HDR, SKF(3 of 3) {..}, .. HDR, SKF(1 of 3) {..} -->    INFORMATIONAL with X, not critical
                                        <--     HDR, SK {}
    PREVENTS: an INFORMATIONAL request taken for one in clear, as it does not begin with SK.
    """
    request = established.informational(*[Unknown(PayloadType(200), bytes(50))] * 3)
    parts = established.fragments(request)[::-1]

    assert established.exchange_fragments(request, parts).protected


@pytest.mark.parametrize(
    ("number", "total"), [(0, 3), (4, 3), (0, 0), (1, 0)], ids=lambda each: str(each)
)
@requirement("rfc7383-2.6-wrong-numbers-discarded")
@turned_red_by("takes-any-fragment-number")
def test_a_fragment_of_a_wrong_number_is_discarded(peer, number, total):
    """
    peer                                        target
    HDR, SKF(0 of 3, or 4 of 3, or .. of 0) {other octets} -->
    another IKE_SA_INIT (fence)         -->
                                        <--     its response
    HDR, SKF(1 of 3) {..}, .. HDR, SKF(3 of 3) {..} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    PREVENTS: octets that are kept at a place that there is not.
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    parts = peer.fragments(request)
    peer.say_fragments([garbage(parts[0], number=number, total=total)], "a number that cannot be")
    peer.fence()  # A daemon with threads could take up the good ones first.

    _takes_up(peer, request, parts)


@requirement("rfc7383-2.6-smaller-total-discarded")
@turned_red_by("mixes-fragments-of-smaller-totals")
def test_a_fragment_of_a_smaller_total_is_discarded(peer):
    """
    peer                                        target
    HDR, SKF(1 of 3) {..}               -->
    HDR, SKF(2 of 2) {other octets}     -->
    HDR, SKF(2 of 3) {..}, HDR, SKF(3 of 3) {..} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    _granted(peer, lambda parts: [parts[0], garbage(parts[1], total=2), *parts[1:]])


@requirement("rfc7383-2.6-replayed-fragment-discarded")
@turned_red_by("replaces-fragments")
def test_a_fragment_that_is_kept_is_not_replaced(peer):
    """
    peer                                        target
    HDR, SKF(1 of 3) {..}               -->
    HDR, SKF(1 of 3) {other octets}     -->
    HDR, SKF(2 of 3) {..}, HDR, SKF(3 of 3) {..} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    _granted(peer, lambda parts: [parts[0], garbage(parts[0]), *parts[1:]])


@SLOW_KEYS
@requirement("rfc7383-2.6-unverified-fragment-discarded")
@turned_red_by("forgets-fragments-after-a-forgery", "closes-ike-sa-on-forgery")
def test_a_fragment_that_does_not_verify_changes_nothing(peer):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni  (of other IKE SAs) -->
    HDR, SKF(1 of 3) {..}               -->
    HDR, SKF(2 of 3) {..}  (ICV wrong)  -->
    HDR, SKF(2 of 3) {..}, HDR, SKF(3 of 3) {..} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    PREVENTS: anybody on the path ends what is under way.
    """
    others = [peer.ike_sa_init() for _ in range(AHEAD)]
    peer.open_ike_sa()
    request = peer.ike_auth()
    first, second, third = peer.fragments(request)
    for each in others:
        peer.say_octets(each.encode(), each)

    _takes_up(peer, request, (first, second.with_fault(IcvCorrupted()), second, third))


@requirement("rfc7383-2.6-unverified-fragment-discarded")
@turned_red_by("forgets-fragments-after-a-forgery", "closes-ike-sa-on-forgery")
def test_a_fragment_that_does_not_verify_changes_nothing_later_on(established):
    """
    peer                                        target
    HDR, SKF(1 of 3) {..}               -->            CREATE_CHILD_SA, the Child SA anew
    HDR, SKF(2 of 3) {..}  (ICV wrong)  -->
    HDR, SKF(2 of 3) {..}, HDR, SKF(3 of 3) {..} -->
                                        <--     HDR, SK {SA, Nr, TSi, TSr}
    """
    request = established.rekey_child_sa()
    first, second, third = established.fragments(request)
    parts = first, second.with_fault(IcvCorrupted()), second, third

    established.take_up_child(request, established.exchange_fragments(request, parts))


@requirement("rfc7383-2.6-larger-total-starts-over")
@turned_red_by("mixes-fragments-of-larger-totals")
def test_a_larger_total_starts_over(peer):
    """
    peer                                        target
    HDR, SKF(1 of 2) {..}               -->
    HDR, SKF(1 of 3) {..}, .. HDR, SKF(3 of 3) {..} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    PREVENTS: a sender that found a smaller path MTU is never understood (2.5.2).
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    larger = peer.fragments(request, 2)[0]
    _takes_up(peer, request, [larger, *peer.fragments(request, 3)])


@requirement("rfc7383-2.6-incomplete-message-is-no-failure")
@turned_red_by("waits-for-the-other-fragments")
def test_a_request_in_one_piece_after_some_of_its_fragments_is_processed(peer):
    """
    peer                                        target
    HDR, SKF(1 of 3) {..}, HDR, SKF(3 of 3) {..} -->
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    peer.say_fragments(in_order(peer.fragments(request), (1, 3)))

    peer.take_up(request, peer.exchange(request))
    assert peer.echo(), "the Child SA carries no traffic"


@as_responder
@requirement("rfc7383-2.6-incomplete-response-asked-for-again")
@turned_red_by("asks-no-more-after-a-fragment")
def test_response_that_does_not_come_whole_is_asked_for_again(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, [IDr,] AUTH, SAi2, TSi, TSr}
    HDR, SKF(1 of 3) {..}, HDR, SKF(2 of 3) {..} -->
                                        <--     HDR, SK {IDi, ..}  (again)
    HDR, SKF(1 of 3) {..}, .. HDR, SKF(3 of 3) {..} -->
    PREVENTS: one fragment that is lost, and an initiator that waits for it for ever.
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    parts = peer.fragments(peer.ike_auth_response(request))
    peer.say_fragments(parts[:2], "the third of three is withheld")

    if not peer.hears_again(request):
        assert not target.sas(), "the request is not sent again, and the IKE SA waits on"
        return
    peer.answer_in_fragments(request, parts)
    assert peer.echo(), "the response came whole at last, and was not taken"


@requirement("rfc7383-2.6.1-first-fragment-repeats-the-response")
@turned_red_by("repeats-response-for-any-fragment")
def test_a_later_fragment_of_an_answered_request_is_ignored(established):
    """
    peer                                        target
    HDR, SKF(1 of 3) {..}, .. HDR, SKF(3 of 3) {..} -->
                                        <--     HDR, SK {}
    HDR, SKF(2 of 3) {..}  (again)      -->
    HDR, SK {}  (the next request)      -->
                                        <--     HDR, SK {}
    """
    parts = _answered(established)

    established.say_fragments(parts[1:2], "of a request that was answered")

    heard = established.reactions_so_far()
    assert not heard, f"a later fragment is answered: {heard[0]}"


@requirement("rfc7383-2.6.1-first-fragment-repeats-the-response")
@turned_red_by("repeats-no-response-for-fragments")
def test_the_first_fragment_of_an_answered_request_has_it_answered_again(established):
    """
    peer                                        target
    HDR, SKF(1 of 3) {..}, .. HDR, SKF(3 of 3) {..} -->
                                        <--     HDR, SK {}
    HDR, SKF(1 of 3) {..}  (again)      -->
                                        <--     HDR, SK {}  (again)
    """
    parts = _answered(established)

    established.say_fragments(parts[:1])

    heard = established.reactions_so_far()
    assert [each.message_id for each in heard] == [parts[0].message_id], "no response again"


def _answered(peer):
    request = peer.rekey_child_sa()
    parts = peer.fragments(request)
    peer.take_up_child(request, peer.exchange_fragments(request, parts))
    return parts


@requirement("rfc7296-2.5-unknown-critical-rejected")
@turned_red_by("reads-critical-bit-in-the-wrong-place")
def test_an_unknown_critical_payload_in_fragments_is_rejected(established):
    """
    peer                                        target
    HDR, SKF(1 of 3) {..}, .. HDR, SKF(3 of 3) {..} -->    CREATE_CHILD_SA with X(critical)
                                        <--     HDR, SK {N(UNSUPPORTED_CRITICAL_PAYLOAD, X)}
    PREVENTS: what is inside fragments is looked at less than what comes whole.
    """
    request = established.rekey_child_sa() + Unknown(PayloadType(200), bytes(60), critical=True)

    response = established.exchange_fragments(request, established.fragments(request))

    assert NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD in response.notifies, f"taken: {response}"


@requirement("rfc7296-1.2-auth-verified")
@turned_red_by("accepts-any-auth")
def test_a_wrong_auth_in_fragments_is_refused(peer, target):
    """
    peer                                        target
    HDR, SKF(1 of 3) {..}, .. HDR, SKF(3 of 3) {..} -->    AUTH(one bit wrong)
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    auth = request.get(AUTH)
    request = request.replacing(AUTH(auth.method, bytes([auth.data[0] ^ 1]) + auth.data[1:]))

    response = peer.exchange_fragments(request, peer.fragments(request))

    assert not response.has(SA), "a wrong AUTH was accepted"
    assert not target.established(), "the target lists an established IKE SA"


def _granted(peer, say):
    """Do IKE_AUTH with the fragments that ``say`` makes of the right ones."""
    peer.open_ike_sa()
    request = peer.ike_auth()
    _takes_up(peer, request, say(list(peer.fragments(request))))


def _takes_up(peer, request, parts):
    response = peer.exchange_fragments(request, parts)
    assert response.exchange == ExchangeType.IKE_AUTH
    peer.take_up(request, response)
    assert peer.echo(), "the Child SA carries no traffic"
