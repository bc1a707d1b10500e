"""RFC 7296, 2.5: the order of payloads, and what the critical bit is about."""

from dataclasses import replace

import pytest

from peers.reference.faults import CriticalBit
from peers.reference.negotiation import encr
from peers.reference.numbers import Encr, ExchangeType, NotifyType
from peers.reference.payloads import KE, SA, Nonce, Notify
from suites.judge import as_responder, requirement, turned_red_by


def _backwards(payloads):
    return tuple(reversed(payloads))


def _last_first(payloads):
    return (payloads[-1], *payloads[:-1])


def _first_last(payloads):
    return (*payloads[1:], payloads[0])


ORDERS = pytest.mark.parametrize(
    "order", [_backwards, _last_first, _first_last], ids=["backwards", "last-first", "first-last"]
)
UNKNOWN_STATUS = Notify(NotifyType(40961), b"of private use")


@ORDERS
@requirement("rfc7296-2.5-payload-order-not-a-reason-to-reject")
@turned_red_by("minds-payload-order")
def test_initiators_payloads_are_taken_in_any_order(peer, order):
    """
    peer                                        target
    HDR, KEi, Ni, SAi1 or another order -->
                                        <--     HDR, SAr1, KEr, Nr
    HDR, SK {TSr, TSi, SAi2, AUTH, IDr, IDi} or another order -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    request = peer.ike_sa_init()
    request = replace(request, payloads=order(request.payloads))
    peer.agree(request, peer.exchange(request, "payloads in another order"))
    request = peer.ike_auth()
    request = replace(request, payloads=order(request.payloads))
    peer.take_up(request, peer.exchange(request, "payloads in another order"))

    assert peer.echo(), "the Child SA carries no traffic"


@ORDERS
@requirement("rfc7296-2.5-payload-order-not-a-reason-to-reject")
@turned_red_by("minds-payload-order")
def test_payloads_of_create_child_sa_are_taken_in_any_order(established, order):
    """
    peer                                        target
    HDR, SK {TSr, TSi, Ni, SA} or another order -->
                                        <--     HDR, SK {SA, Nr, TSi, TSr}
    """
    request = established.create_child_sa()
    request = replace(request, payloads=order(request.payloads))
    response = established.exchange(request, "payloads in another order")

    assert response.has(SA, Nonce), f"refused: {response}"
    established.take_up_child(request, response)
    assert established.echo(), "the Child SA carries no traffic"


@ORDERS
@as_responder
@requirement("rfc7296-2.5-payload-order-not-a-reason-to-reject")
@turned_red_by("minds-payload-order")
def test_responders_payloads_are_taken_in_any_order(peer, target, order):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, KEr, Nr, SAr1 or another order -->
                                        <--     HDR, SK {IDi, AUTH, SAi2, TSi, TSr}
    HDR, SK {TSr, TSi, SAr2, AUTH, IDr} or another order -->
    """
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    response = peer.ike_sa_init_response(request)
    response = replace(response, payloads=order(response.payloads))
    peer.answer(request, response, "payloads in another order")
    request = peer.hear_request(ExchangeType.IKE_AUTH)
    response = peer.ike_auth_response(request)
    response = replace(response, payloads=order(response.payloads))
    peer.answer(request, response, "payloads in another order")

    assert peer.echo(), "the Child SA carries no traffic"


@requirement("rfc7296-2.5-critical-applies-to-type-only")
@turned_red_by("takes-critical-bit-for-contents", "refuses-known-critical-payloads")
def test_unknown_notify_in_a_critical_payload_is_ignored(peer):
    """
    peer                                        target
    HDR, N(unknown status, critical), SAi1, KEi, Ni -->
                                        <--     HDR, SAr1, KEr, Nr
    HDR, SK {N(unknown status, critical), IDi, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    request = _in_front(peer.ike_sa_init(), UNKNOWN_STATUS).with_fault(CriticalBit(of=Notify))
    response = peer.exchange(request)
    assert response.has(SA, KE, Nonce), f"refused in IKE_SA_INIT: {response}"
    peer.agree(request, response)
    request = _in_front(peer.ike_auth(), UNKNOWN_STATUS).with_fault(CriticalBit(of=Notify))

    peer.take_up(request, peer.exchange(request))

    assert peer.echo(), "the Child SA carries no traffic"


@requirement("rfc7296-2.5-critical-applies-to-type-only")
@turned_red_by(
    "takes-critical-bit-for-contents",
    "refuses-known-critical-payloads",
    "refuses-proposals-with-unknown-transforms",
)
def test_unknown_transform_in_a_critical_payload_is_passed_over(peer):
    """
    peer                                        target
    HDR, SAi1(an unknown cipher beside known ones; critical), KEi, Ni -->
                                        <--     HDR, SAr1(a known one), KEr, Nr
    """
    request = peer.ike_sa_init()
    [proposal] = request.get(SA).proposals
    unknown = (encr(Encr(1023), 256), *proposal.transforms)
    request = request.replacing(SA((replace(proposal, transforms=unknown),)))

    response = peer.exchange(request.with_fault(CriticalBit(of=SA)))

    assert response.has(SA, KE, Nonce), f"refused: {response}"
    [chosen] = response.get(SA).proposals
    assert unknown[0] not in chosen.transforms, "the unknown cipher was chosen"


def _in_front(message, payload):
    return replace(message, payloads=(payload, *message.payloads))
