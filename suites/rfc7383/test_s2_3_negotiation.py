"""RFC 7383, 2.3 and 2.4: both sides say that they take fragments, or none are sent."""

from peers.reference.numbers import ExchangeType, NotifyType
from suites.fragmentation import FRAGMENTED, LARGE, without_announcement
from suites.judge import as_responder, differs, requirement, turned_red_by

SUPPORTED = NotifyType.IKEV2_FRAGMENTATION_SUPPORTED


@FRAGMENTED
@requirement("rfc7383-2.3-announced", "rfc7383-2.3-notify-is-empty")
@turned_red_by("does-not-say-that-it-takes-fragments", "says-the-protocol-of-fragmentation")
def test_responder_says_that_it_takes_fragments_too(peer):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni, N(IKEV2_FRAGMENTATION_SUPPORTED) -->
                                        <--     HDR, SAr1, KEr, Nr, N(IKEV2_FRAGMENTATION_SUPPORTED)
    """
    response = peer.exchange(peer.ike_sa_init())

    assert SUPPORTED in response.notifies, f"fragments are not agreed to: {response}"
    _is_empty(response.notify(SUPPORTED))


@FRAGMENTED
@as_responder
@requirement("rfc7383-2.3-announced", "rfc7383-2.3-notify-is-empty")
@turned_red_by("does-not-say-that-it-takes-fragments", "says-the-protocol-of-fragmentation")
def test_initiator_says_that_it_takes_fragments(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni, N(IKEV2_FRAGMENTATION_SUPPORTED)
    """
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)

    assert SUPPORTED in request.notifies, f"fragments are not asked for: {request}"
    _is_empty(request.notify(SUPPORTED))


def _is_empty(notify):
    assert notify.protocol == 0, f"Protocol ID {notify.protocol}"
    assert not notify.spi, f"an SPI of {len(notify.spi)} octets"
    assert not notify.data, f"{len(notify.data)} octets of data"


@FRAGMENTED
@LARGE
@requirement("rfc7383-2.4-not-unless-both-agree")
@turned_red_by("fragments-unasked")
def test_responder_sends_no_fragments_that_nobody_asked_for(peer):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni                  -->
                                        <--     HDR, SAr1, KEr, Nr
    HDR, SK {IDi, CERT+, .., AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH, SAr2, TSi, TSr}
    """
    request = without_announcement(peer.ike_sa_init())
    peer.agree(request, without_announcement(peer.exchange(request)))

    request = peer.ike_auth()
    response = peer.exchange(request)

    assert not peer.fragments_heard(response), "fragments, though we do not take them"
    peer.take_up(request, response)


@FRAGMENTED
@LARGE
@as_responder
@requirement("rfc7383-2.4-not-unless-both-agree")
@turned_red_by("fragments-unasked")
def test_initiator_sends_no_fragments_that_were_not_agreed_to(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni, N(IKEV2_FRAGMENTATION_SUPPORTED)
    HDR, SAr1, KEr, Nr                  -->
                                        <--     HDR, SK {IDi, CERT+, AUTH, SAi2, TSi, TSr}
    """
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    response = without_announcement(peer.ike_sa_init_response(request))
    peer.ike.fragments = False
    peer.answer(request, response)

    request = peer.hear_request(ExchangeType.IKE_AUTH)

    assert not peer.fragments_heard(request), "fragments, though we do not take them"
    peer.answer(request, peer.ike_auth_response(request))


@FRAGMENTED
@requirement("rfc7383-2.4-not-for-small-messages")
@turned_red_by("fragments-unasked")
def test_a_liveness_check_is_answered_in_one_piece(established):
    """
    peer                                        target
    HDR, SK {}                          -->
                                        <--     HDR, SK {}
    """
    response = established.exchange(established.informational())

    if established.fragments_heard(response):
        differs("a response without any payload comes in fragments")
