"""RFC 7296, 1.2 and 3.4: another key exchange method is asked for."""

import pytest

from peers.reference.negotiation import esp_proposal, numbered, offered_groups
from peers.reference.numbers import ExchangeType, KeyExchangeMethod, NotifyType
from peers.reference.payloads import KE, SA, Nonce, Notify
from suites.judge import as_responder, differs, requirement, turned_red_by, twin_of
from suites.terms import AES_GCM_256, CURVE25519, ECP_256, Suite, configured, ike

ECP_ONLY = configured(Suite((ike(AES_GCM_256, ECP_256),), (esp_proposal(AES_GCM_256),)))
BOTH = Suite((ike(AES_GCM_256, CURVE25519, ECP_256),), (esp_proposal(AES_GCM_256),))
OFFER = SA(numbered(BOTH.ike))
NEVER_OFFERED = KeyExchangeMethod.MODP_2048


@ECP_ONLY
@requirement("rfc7296-3.4-invalid-ke-payload-sent")
@turned_red_by("swaps-octets-of-group-asked-for", "refuses-wrong-group-outright")
def test_wrong_group_is_answered_with_the_right_one(peer):
    """
    peer                                        target (allows ECP_256 only)
    HDR, SAi1(CURVE25519, ECP_256), KEi(CURVE25519), Ni -->
                                        <--     HDR, N(INVALID_KE_PAYLOAD, 19)
    PREVENTS: an error that does not tell the initiator how to go on; a group in the wrong octets.
    """
    response = peer.exchange(peer.ike_sa_init(KeyExchangeMethod.CURVE25519).replacing(OFFER))

    assert not response.has(SA, KE, Nonce), "a KE payload of a group that is not allowed was taken"
    assert response.notify(NotifyType.INVALID_KE_PAYLOAD).data == b"\x00\x13"


@ECP_ONLY
@twin_of(test_wrong_group_is_answered_with_the_right_one)
@requirement("rfc7296-3.4-invalid-ke-payload-sent")
@turned_red_by("wants-first-offered-group")
def test_the_same_offer_with_the_right_group_is_granted(peer):
    """
    peer                                        target (allows ECP_256 only)
    HDR, SAi1(CURVE25519, ECP_256), KEi(ECP_256), Ni -->
                                        <--     HDR, SAr1(ECP_256), KEr(ECP_256), Nr
    """
    response = peer.exchange(peer.ike_sa_init(KeyExchangeMethod.ECP_256).replacing(OFFER))

    assert response.has(SA, KE, Nonce)
    group = response.get(KE).group
    assert group == KeyExchangeMethod.ECP_256, f"KEr of group {group} to KEi of ECP_256"


@configured(BOTH)
@as_responder
@requirement("rfc7296-1.2-invalid-ke-retried")
@turned_red_by("retries-with-same-group")
def test_initiator_retries_with_the_group_asked_for(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1(CURVE25519, ECP_256), KEi(first), Ni
    HDR, N(INVALID_KE_PAYLOAD, other)   -->
                                        <--     HDR, SAi1(CURVE25519, ECP_256), KEi(other), Ni
    HDR, SAr1, KEr(other), Nr           -->
                                        <--     HDR, SK {IDi, AUTH, SAi2, TSi, TSr}
    """
    _, retry, other = _ask_for_another_group(peer, target)

    assert retry.get(KE).group == other, "the retry is not of the group that was asked for"
    peer.accept(retry)
    assert peer.echo(), "the Child SA carries no traffic"


@configured(BOTH)
@as_responder
@requirement("rfc7296-1.2-invalid-ke-retry-full-offer")
@turned_red_by("narrows-offer-on-retry", "retries-with-same-group")
def test_initiator_offers_everything_again(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi(first), Ni
    HDR, N(INVALID_KE_PAYLOAD, other)   -->
                                        <--     HDR, SAi1(the same), KEi(other), Ni
    PREVENTS: a man in the middle who asks for a weak group and so removes the strong ones.
    """
    request, retry, _ = _ask_for_another_group(peer, target)

    before = {proposal.number: set(proposal.transforms) for proposal in request.get(SA).proposals}
    after = {proposal.number: set(proposal.transforms) for proposal in retry.get(SA).proposals}
    assert after == before, "the second offer is not the first one"


def _ask_for_another_group(peer, target):
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    first = request.get(KE).group
    other = next(group for group in offered_groups(request.get(SA)) if group != first)
    refusal = Notify(NotifyType.INVALID_KE_PAYLOAD, int(other).to_bytes(2, "big"))
    peer.answer(request, peer.refusal(request, refusal))
    return request, peer.hear_request(ExchangeType.IKE_SA_INIT), other


@pytest.mark.parametrize("group", [NEVER_OFFERED, 65000], ids=["modp-2048", "private-use"])
@configured(BOTH)
@as_responder
@requirement("rfc7296-3.4-ke-group-offered", "rfc7296-1.2-invalid-ke-unoffered-group-refused")
@turned_red_by("follows-any-group")
def test_initiator_does_not_follow_to_a_group_that_it_did_not_offer(peer, target, group):
    """
    peer                                        target
                                        <--     HDR, SAi1(CURVE25519, ECP_256), KEi, Ni
    HDR, N(INVALID_KE_PAYLOAD, MODP_2048) -->
                                                no KEi(MODP_2048)
    PREVENTS: a downgrade to a group outside the configuration.
    """
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    refusal = Notify(NotifyType.INVALID_KE_PAYLOAD, int(group).to_bytes(2, "big"))
    peer.answer(request, peer.refusal(request, refusal), "a group that was not offered")
    for reaction in peer.reactions_so_far():
        if reaction.exchange == ExchangeType.IKE_SA_INIT and not reaction.response:
            chosen, offered = reaction.get(KE).group, offered_groups(reaction.get(SA))
            assert chosen in offered, (
                f"KE of group {chosen}, which its own SA payload does not offer"
            )
            if group in offered:
                differs(f"the offer was widened by group {group}")
