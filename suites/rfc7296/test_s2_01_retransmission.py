"""RFC 7296, 2.1: retransmission, and what a repeated request may do."""

from peers.reference.numbers import ExchangeType
from suites.judge import as_responder, requirement, turned_red_by


@requirement("rfc7296-2.1-init-retransmission-same-response")
@turned_red_by("draws-new-nonce-for-repeated-response")
def test_repeated_ike_sa_init_request_gets_the_same_response(peer):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni                  -->
                                        <--     HDR, SAr1, KEr, Nr
    HDR, SAi1, KEi, Ni (same octets)    -->
                                        <--     HDR, SAr1, KEr, Nr (same octets)
    """
    request = peer.ike_sa_init()
    first = peer.exchange_heard(request)

    second = peer.repeated_response(request, peer.ike.request_octets)

    assert second.octets == first.octets, "another response to the same octets"


@requirement("rfc7296-2.1-retransmitted-request-only-repeats-response")
@turned_red_by("reseals-repeated-response")
def test_repeated_ike_auth_request_gets_the_same_response(peer, target):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    the same octets                     -->
                                        <--     the same octets
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    octets = peer.ike.encode(request)
    first = peer.repeated_response(request, octets)

    second = peer.repeated_response(request, octets)

    assert second.octets == first.octets, "another response to the same octets"
    assert len(target.established()) == 1, "the repeated request made another IKE SA"


@requirement("rfc7296-2.3-response-repeated-exactly")
@turned_red_by("reseals-repeated-response")
def test_repeated_informational_request_gets_the_same_response(established):
    """
    peer                                        target
    HDR, SK {}                          -->
                                        <--     HDR, SK {}
    the same octets                     -->
                                        <--     the same octets
    """
    request = established.informational()
    octets = established.ike.encode(request)
    first = established.repeated_response(request, octets)

    second = established.repeated_response(request, octets)

    assert second.octets == first.octets, "another response to the same octets"


@as_responder
@requirement("rfc7296-2.1-request-retransmitted")
@turned_red_by("never-retransmits")
def test_unanswered_request_is_retransmitted(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    (no response)
                                        <--     HDR, SAi1, KEi, Ni
    """
    target.initiate()
    first = peer.hear_request(ExchangeType.IKE_SA_INIT)

    again = peer.hear_request(ExchangeType.IKE_SA_INIT)

    assert again == first, f"another request instead of a retransmission: {again}"


@as_responder
@requirement("rfc7296-2.1-retransmission-bitwise-identical")
@turned_red_by("reseals-repeated-request", "never-retransmits")
def test_retransmitted_request_is_bitwise_identical(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, [IDr,] AUTH, SAi2, TSi, TSr}
    (no response)
                                        <--     the same octets
    PREVENTS: a second message under the same Message ID.
    """
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    peer.answer(request, peer.ike_sa_init_response(request))
    first = peer.hear_request_octets(ExchangeType.IKE_AUTH)

    second = peer.hear_request_octets(ExchangeType.IKE_AUTH)

    assert second.octets == first.octets, "the retransmission is another message"
