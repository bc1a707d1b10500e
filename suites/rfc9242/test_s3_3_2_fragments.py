"""RFC 9242, 3.3.2: IKE_INTERMEDIATE in fragments, authenticated as if it had come in one piece."""

from dataclasses import replace

from peers.reference.faults import ReservedBits
from peers.reference.numbers import ExchangeType
from peers.reference.payloads import SK, SKF
from suites.additional import MODP_8192, negotiating, one
from suites.fragmentation import FRAGMENTED, assert_well_made
from suites.judge import as_responder, requirement, turned_red_by

pytestmark = FRAGMENTED

large = negotiating((1, MODP_8192))
"""A key exchange whose public values have 1024 octets: more than a datagram is to have."""


def _accept_authentication(peer):
    request = peer.hear_request(ExchangeType.IKE_AUTH)
    peer.answer(request, peer.ike_auth_response(request))


@one
@requirement("rfc9242-3.3.2-int-auth-of-whole-messages")
@turned_red_by("leaves-fragments-out-of-int-auth")
def test_request_in_fragments_is_authenticated_as_a_whole(peer):
    """
    peer                                        target
    HDR, SKF(3 of 3) {..}, .. HDR, SKF(1 of 3) {..} -->    SK {KEi(1)}
                                        <--     HDR, SK {KEr(1)}
    HDR, SK {IDi, IDr, AUTH, ...}       -->     (IntAuth over the whole request)
                                        <--     HDR, SK {IDr, AUTH, ...}
    """
    peer.open_ike_sa()
    request = peer.intermediate()
    response = peer.exchange_fragments(request, peer.fragments(request)[::-1])
    peer.take_up_intermediate(request, response)

    peer.authenticate()

    assert peer.echo(), "the Child SA carries no traffic"


@one
@as_responder
@requirement("rfc9242-3.3.2-int-auth-of-whole-messages")
@turned_red_by("leaves-fragments-out-of-int-auth")
def test_response_in_fragments_is_authenticated_as_a_whole(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {KEi(1)}
    HDR, SKF(3 of 3) {..}, .. HDR, SKF(1 of 3) {..} -->    SK {KEr(1)}
                                        <--     HDR, SK {IDi, AUTH, ...}
    HDR, SK {IDr, AUTH, ...}            -->
    """
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    peer.answer(request, peer.ike_sa_init_response(request))
    peer.answer_intermediate(peer.hear_request(ExchangeType.IKE_INTERMEDIATE), fragments=3)

    _accept_authentication(peer)

    assert peer.echo(), "the Child SA carries no traffic"


@one
@requirement("rfc9242-3.3.2-reserved-of-first-fragment")
@turned_red_by("leaves-reserved-bits-out-of-int-auth")
def test_reserved_bits_of_the_first_fragment_are_authenticated(peer):
    """
    peer                                        target
    HDR, SKF(1 of 2, reserved bits set) {..}, HDR, SKF(2 of 2) {..} -->
                                        <--     HDR, SK {KEr(1)}
    HDR, SK {IDi, IDr, AUTH, ...}       -->     (IntAuth over the bits of fragment 1)
                                        <--     HDR, SK {IDr, AUTH, ...}
    """
    peer.open_ike_sa()
    request = peer.intermediate()
    first, second = peer.fragments(request, 2)
    response = peer.exchange_fragments(request, [first.with_fault(ReservedBits(SKF)), second])
    as_sent = replace(request, envelope=SK(request.payloads[0].type, b"", reserved_bits=0x7F))
    peer.take_up_intermediate(as_sent, response)

    peer.authenticate()

    assert peer.echo(), "the Child SA carries no traffic"


@large
@requirement("rfc9242-3.2-large-payloads-encrypted", "rfc9242-3.3.2-int-auth-of-whole-messages")
@turned_red_by("sends-intermediate-in-one-piece", "leaves-fragments-out-of-int-auth")
def test_large_response_goes_in_fragments(peer):
    """
    peer                                        target
    HDR, SK {KEi(1), 1024 octets}       -->
                                        <--     HDR, SKF(1 of n) {..}, .. HDR, SKF(n of n) {..}
    HDR, SK {IDi, IDr, AUTH, ...}       -->
                                        <--     HDR, SK {IDr, AUTH, ...}
    PREVENTS: a key exchange that does not get through where fragments of IP are dropped (F43).
    """
    peer.open_ike_sa()
    request = peer.intermediate()
    response = peer.exchange(request)
    assert_well_made(peer.fragments_heard(response), response)
    peer.take_up_intermediate(request, response)

    peer.authenticate()

    assert peer.echo(), "the Child SA carries no traffic"


@large
@as_responder
@requirement("rfc9242-3.2-large-payloads-encrypted", "rfc9242-3.3.2-int-auth-of-whole-messages")
@turned_red_by("sends-intermediate-in-one-piece", "leaves-fragments-out-of-int-auth")
def test_large_request_goes_in_fragments(peer, target):
    """
    peer                                        target
                                        <--     HDR, SKF(1 of n) {..}, .. HDR, SKF(n of n) {..}
    HDR, SK {KEr(1), 1024 octets}       -->
                                        <--     HDR, SK {IDi, AUTH, ...}
    HDR, SK {IDr, AUTH, ...}            -->
    """
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    peer.answer(request, peer.ike_sa_init_response(request))
    request = peer.hear_request(ExchangeType.IKE_INTERMEDIATE)
    assert_well_made(peer.fragments_heard(request), request)
    peer.answer_intermediate(request)

    _accept_authentication(peer)

    assert peer.echo(), "the Child SA carries no traffic"
