"""RFC 7296, 3.10 and 3.12: notifies and Vendor IDs that are not known, and what counts in them."""

import pytest

from peers.reference.numbers import ExchangeType, NotifyType, ProtocolId
from peers.reference.payloads import KE, SA, Nonce, Notify, VendorID
from suites.judge import as_responder, requirement, turned_red_by, twin_of
from suites.observe import exchanges_heard

STATUS = Notify(NotifyType(40960), b"for private use")
ERROR = Notify(NotifyType(8192), b"for private use")
VENDOR = VendorID(b"a vendor that nobody knows")
STRANGE_PROTOCOL = Notify(NotifyType(40961), protocol=ProtocolId.ESP)


def _opens(peer, payload):
    """Have a payload in both initial exchanges; they must succeed."""
    request = peer.ike_sa_init() + payload
    response = peer.exchange(request)
    assert response.has(SA, KE, Nonce), f"refused in IKE_SA_INIT: {response}"
    peer.agree(request, response)
    request = peer.ike_auth() + payload
    peer.take_up(request, peer.exchange(request))
    answer = peer.exchange(peer.informational(payload))
    assert answer.payloads == (), f"not ignored in INFORMATIONAL: {answer}"
    assert peer.echo(), "the Child SA carries no traffic"


@requirement("rfc7296-3.10.1-unknown-status-ignored")
@turned_red_by("refuses-unknown-statuses")
def test_unknown_status_is_ignored_in_every_request(peer):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni, N(40960)        -->
                                        <--     HDR, SAr1, KEr, Nr
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr, N(40960)} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    HDR, SK {N(40960)}                  -->
                                        <--     HDR, SK {}
    """
    _opens(peer, STATUS)


@requirement("rfc7296-3.10.1-unknown-error-in-request-ignored")
@turned_red_by("obeys-unknown-errors-in-requests")
def test_unknown_error_is_ignored_in_every_request(peer):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni, N(8192)         -->
                                        <--     HDR, SAr1, KEr, Nr
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr, N(8192)} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    HDR, SK {N(8192)}                   -->
                                        <--     HDR, SK {}
    """
    _opens(peer, ERROR)


@requirement("rfc7296-3.12-unknown-vendor-id-ignored")
@turned_red_by("refuses-unknown-vendor-ids")
def test_unknown_vendor_id_is_ignored_in_every_request(peer):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni, V               -->
                                        <--     HDR, SAr1, KEr, Nr
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr, V} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    HDR, SK {V}                         -->
                                        <--     HDR, SK {}
    """
    _opens(peer, VENDOR)


@requirement("rfc7296-3.10-protocol-ignored-without-spi")
@turned_red_by("minds-protocol-of-notifies", "refuses-unknown-statuses")
def test_protocol_of_a_notify_without_spi_is_ignored(peer):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni, N(40961, protocol ESP, no SPI) -->
                                        <--     HDR, SAr1, KEr, Nr
    HDR, SK {.., N(40961, protocol ESP, no SPI)} -->
                                        <--     HDR, SK {..}
    """
    _opens(peer, STRANGE_PROTOCOL)


# As initiator: what stands in our responses.


def _granted(peer, target, *more):
    """Grant the target all that it asks for, with more payloads in both responses."""
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    peer.answer(request, peer.ike_sa_init_response(request) + more)
    request = peer.hear_request(ExchangeType.IKE_AUTH)
    peer.answer(request, peer.ike_auth_response(request) + more)


@pytest.mark.parametrize("payload", [STATUS, STRANGE_PROTOCOL], ids=["status", "protocol"])
@as_responder
@requirement("rfc7296-3.10.1-unknown-status-ignored")
@turned_red_by("refuses-unknown-statuses", "minds-protocol-of-notifies")
def test_unknown_status_is_ignored_in_responses(peer, target, payload):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, SAr1, KEr, Nr, N(40960)        -->
                                        <--     HDR, SK {IDi, AUTH, SAi2, TSi, TSr}
    HDR, SK {IDr, AUTH, SAr2, TSi, TSr, N(40960)} -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    _granted(peer, target, payload)

    assert peer.echo(), "the Child SA carries no traffic"


@as_responder
@requirement("rfc7296-3.12-unknown-vendor-id-ignored")
@turned_red_by("refuses-unknown-vendor-ids")
def test_unknown_vendor_id_is_ignored_in_responses(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, SAr1, KEr, Nr, V               -->
                                        <--     HDR, SK {IDi, AUTH, SAi2, TSi, TSr}
    HDR, SK {IDr, AUTH, SAr2, TSi, TSr, V} -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    _granted(peer, target, VENDOR)

    assert peer.echo(), "the Child SA carries no traffic"


@as_responder
@twin_of(test_unknown_status_is_ignored_in_responses)
@requirement("rfc7296-3.10.1-unknown-error-in-response-fails")
@turned_red_by("ignores-unknown-errors-in-responses")
def test_unknown_error_in_a_response_fails_ike_sa_init(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, SAr1, KEr, Nr, N(8192)         -->
                                                no IKE_AUTH
    """
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    peer.answer(request, peer.ike_sa_init_response(request) + ERROR, "an unknown error")
    peer.reactions_so_far()

    assert ExchangeType.IKE_AUTH not in exchanges_heard(peer), "the initiator goes on to IKE_AUTH"


@as_responder
@requirement("rfc7296-3.10.1-unknown-error-in-response-fails")
@turned_red_by("ignores-unknown-errors-in-responses")
def test_unknown_error_in_a_response_leaves_no_child_sa(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, AUTH, SAi2, TSi, TSr}
    HDR, SK {IDr, AUTH, SAr2, TSi, TSr, N(8192)} -->
    ESP {echo request}                  -->
                                                no reply
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    peer.answer(request, peer.ike_auth_response(request) + ERROR, "an unknown error")
    peer.fence()

    gone = not peer.ike.children
    assert gone or not peer.echo(), "the Child SA is used although the request has failed"
