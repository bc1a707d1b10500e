"""RFC 7383, 2.5: the fragments that a target sends, seen one by one."""

from peers.reference.negotiation import encr, ke
from peers.reference.numbers import Encr, ExchangeType, KeyExchangeMethod
from suites.fragmentation import FRAGMENTED, LARGE, assert_well_made
from suites.judge import as_responder, differs, requirement, turned_red_by
from suites.terms import (
    AES_CBC_256,
    AES_GCM_128,
    AES_GCM_256,
    DEFAULT,
    HMAC_SHA2_256_128,
    Suite,
    configured,
    ike,
)

SMALL_ENOUGH = 1280
"""Octets of an IP datagram that both daemons' own thresholds are not above."""

ROWS = (
    "rfc7383-2.5-fragments-are-numbered",
    "rfc7383-2.5-first-payload-in-first-fragment",
    "rfc7383-2.5-header-is-that-of-the-message",
    "rfc7383-2.5-fragment-payload-is-last",
    "rfc7383-2.4-used-where-ip-would-fragment",
    "rfc7383-2.5.1-below-threshold",
)
AES_CBC_128 = encr(Encr.ENCR_AES_CBC, 128)
LARGEST = ke(KeyExchangeMethod.MODP_8192)
SEVERAL_PROPOSALS = configured(
    Suite(
        (
            ike(AES_GCM_256, LARGEST),
            ike(AES_GCM_128, LARGEST),
            ike(AES_CBC_256, HMAC_SHA2_256_128, LARGEST),
            ike(AES_CBC_128, HMAC_SHA2_256_128, LARGEST),
        ),
        DEFAULT.esp,
    )
)
"""What makes a rekey of the IKE SA large: a public value of 1024 octets, and several offers."""

FAULTS = (
    "names-the-first-payload-in-each-fragment",
    "counts-fragments-of-a-larger-total",
    "sets-a-flag-in-later-fragments",
    "puts-a-payload-before-later-fragments",
    "makes-fragments-of-any-size",
)


@FRAGMENTED
@LARGE
@requirement(*ROWS)
@turned_red_by(*FAULTS)
def test_fragments_of_a_response(peer):
    """
    peer                                        target
    HDR, SK {IDi, CERT+, .., AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SKF(1 of n) {..}, .. HDR, SKF(n of n) {..}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    response = peer.exchange(request)

    assert_well_made(peer.fragments_heard(response), response)
    _judge_sizes(peer.fragment_sizes(response))
    peer.take_up(request, response)
    assert peer.echo(), "the Child SA carries no traffic"


@FRAGMENTED
@LARGE
@as_responder
@requirement(*ROWS)
@turned_red_by(*FAULTS)
def test_fragments_of_a_request(peer, target):
    """
    peer                                        target
                                        <--     HDR, SKF(1 of n) {..}, .. HDR, SKF(n of n) {..}
    HDR, SK {IDr, CERT+, AUTH, SAr2, TSi, TSr} -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()

    assert_well_made(peer.fragments_heard(request), request)
    _judge_sizes(peer.fragment_sizes(request))
    peer.answer(request, peer.ike_auth_response(request))
    assert peer.exchange(peer.informational()).exchange == ExchangeType.INFORMATIONAL
    assert peer.echo(), "the Child SA carries no traffic"


@FRAGMENTED
@LARGE
@SEVERAL_PROPOSALS
@as_responder
@requirement("rfc7383-2.4-used-again")
@turned_red_by("fragments-ike-auth-only")
def test_later_messages_are_split_too(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SKF(1 of n) {..}, .. HDR, SKF(n of n) {..}
    HDR, SK {IDr, CERT+, AUTH, SAr2, TSi, TSr} -->
                                        <--     HDR, SKF(1 of n) {SA, Ni, KEi}, ..
    PREVENTS: IKE fragmentation that ends with IKE_AUTH, so that large rekeys get lost.
    """
    target.rekey_ike()
    request = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)

    assert_well_made(accepted.fragments_heard(request), request)


def _judge_sizes(sizes):
    if max(sizes) > SMALL_ENOUGH:
        differs(f"fragments in datagrams of {sizes} octets")
