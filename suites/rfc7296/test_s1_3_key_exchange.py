"""RFC 7296, 1.3 and 2.17: a key exchange of its own for a Child SA."""

import pytest

from peers.reference.child import without_key_exchange
from peers.reference.negotiation import esp_proposal, ke, numbered, offered_groups
from peers.reference.numbers import ExchangeType, KeyExchangeMethod, NotifyType
from peers.reference.payloads import KE, SA, Nonce, Notify, TSi, TSr
from suites.judge import as_responder, differs, requirement, turned_red_by, twin_of
from suites.terms import AES_GCM_256, CURVE25519, ECP_256, Suite, configured, ike

IKE = (ike(AES_GCM_256, CURVE25519),)
OTHER_GROUP = configured(Suite(IKE, (esp_proposal(AES_GCM_256, ECP_256),)))
BOTH_GROUPS = configured(Suite(IKE, (esp_proposal(AES_GCM_256, CURVE25519, ECP_256),)))
BOTH = (esp_proposal(AES_GCM_256, CURVE25519, ECP_256),)


@OTHER_GROUP
@requirement("rfc7296-2.17-keymat-with-key-exchange", "rfc7296-1.3.1-ke-answered-with-ke")
@turned_red_by(
    "leaves-key-exchange-out-of-child-keys",
    "derives-later-child-from-first-nonces",
    "repeats-spi-of-rekeyed-child",
    "restarts-at-another-group",
)
def test_child_sa_rekeyed_with_a_key_exchange_carries_traffic(established):
    """
    peer                                        target (IKE SA: CURVE25519, Child SA: ECP_256)
    HDR, SK {N(REKEY_SA), SA, Ni, KEi(ECP_256), TSi, TSr} -->
                                        <--     HDR, SK {SA, Nr, KEr(ECP_256), TSi, TSr}
    HDR, SK {D(ESP, old SPI)}           -->
                                        <--     HDR, SK {D(ESP, old SPI)}
    ESP of the new SA {echo request}    -->
                                        <--     ESP of the new SA {echo reply}
    """
    old = established.child
    request = established.rekey_child_sa()
    response = established.exchange(request)

    assert response.has(SA, Nonce, KE, TSi, TSr), f"a rekey was refused: {response}"
    assert response.get(KE).group == KeyExchangeMethod.ECP_256
    established.take_up_child(request, response)
    established.close_child(old)
    assert established.echo(), "the new Child SA carries no traffic"


@OTHER_GROUP
@as_responder
@requirement("rfc7296-1.3-child-ke-group-offered", "rfc7296-2.17-keymat-with-key-exchange")
@turned_red_by(
    "sends-child-ke-of-another-group",
    "leaves-key-exchange-out-of-child-keys",
    "derives-later-child-from-first-nonces",
)
def test_target_rekeys_its_child_sa_with_the_group_it_is_configured_with(accepted, target):
    """
    peer                                        target (IKE SA: CURVE25519, Child SA: ECP_256)
                                        <--     HDR, SK {N(REKEY_SA), SA, Ni, KEi(ECP_256), ...}
    HDR, SK {SA, Nr, KEr(ECP_256), TSi, TSr} -->
                                        <--     HDR, SK {D(ESP, its old SPI)}
    ESP of the new SA {echo request}    -->
                                        <--     ESP of the new SA {echo reply}
    PREVENTS: the group of the IKE SA in the place of the one that is configured (F22).
    """
    target.rekey_child()
    request = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)

    assert request.has(KE), "a rekey without the key exchange that is configured"
    group, offered = request.get(KE).group, offered_groups(request.get(SA))
    assert group in offered, f"KE of group {group}, which its own SA payload does not offer"
    assert group == KeyExchangeMethod.ECP_256, f"KE of group {group} for a Child SA of ECP_256"
    accepted.answer(request, accepted.grant_child(request))
    assert accepted.echo(), "the new Child SA carries no traffic"


@OTHER_GROUP
@requirement("rfc7296-1.3-child-invalid-ke-payload")
@turned_red_by(
    "refuses-wrong-group-outright",
    "swaps-octets-of-group-asked-for",
    "closes-ike-sa-after-refused-child",
)
def test_wrong_group_for_a_child_sa_is_answered_with_the_right_one(established):
    """
    peer                                        target (Child SA: ECP_256 only)
    HDR, SK {N(REKEY_SA), SA(CURVE25519, ECP_256), Ni, KEi(CURVE25519), TSi, TSr} -->
                                        <--     HDR, SK {N(INVALID_KE_PAYLOAD, 19)}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    PREVENTS: NO_PROPOSAL_CHOSEN (F18), INVALID_SYNTAX (F20), an error that ends the IKE SA.
    """
    response = established.exchange(_offer_both(established, KeyExchangeMethod.CURVE25519))

    assert not response.has(SA), "KE of a group that is not allowed was taken"
    assert response.notify(NotifyType.INVALID_KE_PAYLOAD).data == b"\x00\x13"
    established.exchange(established.informational())
    assert established.echo(), "the old Child SA is gone"


@OTHER_GROUP
@twin_of(test_wrong_group_for_a_child_sa_is_answered_with_the_right_one)
@requirement("rfc7296-1.3-child-invalid-ke-payload")
@turned_red_by(
    "leaves-key-exchange-out-of-child-keys",
    "wants-first-offered-group",
    "derives-later-child-from-first-nonces",
    "repeats-spi-of-rekeyed-child",
)
def test_the_same_offer_for_a_child_sa_with_the_right_group_is_granted(established):
    """
    peer                                        target (Child SA: ECP_256 only)
    HDR, SK {N(REKEY_SA), SA(CURVE25519, ECP_256), Ni, KEi(ECP_256), TSi, TSr} -->
                                        <--     HDR, SK {SA(ECP_256), Nr, KEr(ECP_256), TSi, TSr}
    ESP of the new SA {echo request}    -->
                                        <--     ESP {echo reply}
    """
    request = _offer_both(established, KeyExchangeMethod.ECP_256)
    response = established.exchange(request)

    assert response.has(SA, Nonce, KE), f"a rekey was refused: {response}"
    established.take_up_child(request, response)
    assert established.echo(), "the new Child SA carries no traffic"


def _offer_both(peer, group):
    request = peer.rekey_child_sa(group=group)
    spi = request.get(SA).proposals[0].spi
    return request.replacing(SA(numbered(BOTH, spi)))


@OTHER_GROUP
@requirement("rfc7296-2.7-no-proposal-chosen", "rfc7296-1.3.1-failed-child-keeps-ike-sa")
@turned_red_by(
    "takes-child-without-key-exchange",
    "chooses-what-it-does-not-allow",
    "closes-ike-sa-after-refused-child",
)
def test_child_sa_without_the_key_exchange_that_is_configured_is_refused(established):
    """
    peer                                        target (Child SA: ECP_256)
    HDR, SK {N(REKEY_SA), SA(no group), Ni, TSi, TSr} -->
                                        <--     HDR, SK {N(NO_PROPOSAL_CHOSEN)}
    HDR, SK {}                          -->
                                        <--     HDR, SK {}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    PREVENTS: forward secrecy that is configured and that nobody misses (F23). The Child SA of
    IKE_AUTH, which never has a group, works: the difference shows at the first rekey only (F28).
    """
    request = established.rekey_child_sa(group=KeyExchangeMethod.NONE)
    bare = without_key_exchange(request.get(SA).proposals)

    response = established.exchange(request.replacing(SA(bare)))

    assert not response.has(SA), "a Child SA without a key exchange was granted"
    if NotifyType.NO_PROPOSAL_CHOSEN not in response.notifies:
        differs(f"refused otherwise: {response}")
    established.exchange(established.informational())
    assert established.echo(), "the old Child SA is gone"


@OTHER_GROUP
@requirement("rfc7296-1.3.1-ke-answered-with-ke")
@turned_red_by("restarts-at-none-beside-groups")
def test_offer_of_a_group_or_none_with_a_key_exchange_is_granted(established):
    """
    peer                                        target (Child SA: ECP_256)
    HDR, SK {N(REKEY_SA), SA(ECP_256, NONE), Ni, KEi(ECP_256), TSi, TSr} -->
                                        <--     HDR, SK {SA(ECP_256), Nr, KEr(ECP_256), TSi, TSr}
    ESP of the new SA {echo request}    -->
                                        <--     ESP {echo reply}
    PREVENTS: a KE payload that is taken for a mistake, for NONE was offered too (F19).
    """
    request = established.rekey_child_sa()
    spi = request.get(SA).proposals[0].spi
    offer = (esp_proposal(AES_GCM_256, ECP_256, ke(KeyExchangeMethod.NONE)),)
    request = request.replacing(SA(numbered(offer, spi)))
    response = established.exchange(request)

    assert response.has(SA, Nonce, KE), f"a rekey was refused: {response}"
    established.take_up_child(request, response)
    assert established.echo(), "the new Child SA carries no traffic"


@BOTH_GROUPS
@as_responder
@requirement("rfc7296-1.3-child-invalid-ke-retried", "rfc7296-1.3-child-ke-group-offered")
@turned_red_by(
    "gives-up-child-after-invalid-ke",
    "leaves-key-exchange-out-of-child-keys",
    "derives-later-child-from-first-nonces",
)
def test_initiator_of_a_rekey_retries_with_the_group_asked_for(accepted, target):
    """
    peer                                        target (Child SA: CURVE25519 or ECP_256)
                                        <--     HDR, SK {N(REKEY_SA), SA, Ni, KEi(first), TSi, TSr}
    HDR, SK {N(INVALID_KE_PAYLOAD, other)} -->
                                        <--     HDR, SK {N(REKEY_SA), SA, Ni, KEi(other), TSi, TSr}
    HDR, SK {SA, Nr, KEr(other), TSi, TSr} -->
    ESP of the new SA {echo request}    -->
                                        <--     ESP {echo reply}
    PREVENTS: an old Child SA that is never replaced (F21).
    """
    _, retry, other = _ask_for_another_group(accepted, target)

    assert retry.get(KE).group == other, "the retry is not of the group that was asked for"
    old = accepted.child.outbound.spi
    assert retry.notify(NotifyType.REKEY_SA).spi == old, "the retry does not name the old Child SA"
    accepted.answer(retry, accepted.grant_child(retry))
    assert accepted.echo(), "the new Child SA carries no traffic"


@BOTH_GROUPS
@as_responder
@requirement("rfc7296-1.3-child-invalid-ke-retried")
@turned_red_by("narrows-child-offer-on-retry", "gives-up-child-after-invalid-ke")
def test_initiator_of_a_rekey_offers_everything_again(accepted, target):
    """
    peer                                        target (Child SA: CURVE25519 or ECP_256)
                                        <--     HDR, SK {N(REKEY_SA), SA, Ni, KEi(first), TSi, TSr}
    HDR, SK {N(INVALID_KE_PAYLOAD, other)} -->
                                        <--     HDR, SK {N(REKEY_SA), SA(the same), KEi(other), ...}
    """
    request, retry, _ = _ask_for_another_group(accepted, target)

    before = [set(proposal.transforms) for proposal in request.get(SA).proposals]
    after = [set(proposal.transforms) for proposal in retry.get(SA).proposals]
    accepted.answer(retry, accepted.reply(retry, Notify(NotifyType.NO_PROPOSAL_CHOSEN)))
    assert after == before, "the second offer is not the first one"


def _ask_for_another_group(peer, target):
    target.rekey_child()
    request = peer.hear_request(ExchangeType.CREATE_CHILD_SA)
    first = request.get(KE).group
    others = [group for group in offered_groups(request.get(SA)) if group != first]
    assert others, f"a rekey of a Child SA that may have two groups offers {first} alone"
    other = others[0]
    refusal = Notify(NotifyType.INVALID_KE_PAYLOAD, int(other).to_bytes(2, "big"))
    peer.answer(request, peer.reply(request, refusal))
    return request, peer.hear_request(ExchangeType.CREATE_CHILD_SA), other


@pytest.mark.parametrize("group", [KeyExchangeMethod.MODP_2048], ids=["modp-2048"])
@BOTH_GROUPS
@as_responder
@requirement("rfc7296-1.3-child-ke-group-offered")
@turned_red_by("follows-any-group-for-child", "follows-any-group")
def test_initiator_of_a_rekey_does_not_follow_to_a_group_it_did_not_offer(accepted, target, group):
    """
    peer                                        target (Child SA: CURVE25519 or ECP_256)
                                        <--     HDR, SK {N(REKEY_SA), SA, Ni, KEi, TSi, TSr}
    HDR, SK {N(INVALID_KE_PAYLOAD, MODP_2048)} -->
                                                no KEi(MODP_2048)
    """
    target.rekey_child()
    request = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)
    refusal = Notify(NotifyType.INVALID_KE_PAYLOAD, int(group).to_bytes(2, "big"))
    accepted.answer(request, accepted.reply(request, refusal), "a group that was not offered")
    accepted.fence()

    for reaction in accepted.reactions_so_far():
        if reaction.exchange == ExchangeType.CREATE_CHILD_SA and reaction.has(KE):
            chosen, offered = reaction.get(KE).group, offered_groups(reaction.get(SA))
            assert chosen in offered, (
                f"KE of group {chosen}, which its own SA payload does not offer"
            )
