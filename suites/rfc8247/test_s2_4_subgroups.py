"""RFC 8247, 2.4: public values of the groups that have small subgroups are checked."""

import pytest

from peers.reference.negotiation import esp_proposal, ke
from peers.reference.numbers import ExchangeType, KeyExchangeMethod
from peers.reference.payloads import KE, SA
from suites.judge import as_responder, requirement, turned_red_by, twin_of
from suites.observe import exchanges_heard
from suites.small_subgroups import NegatedSeventhPower, SeventhPower
from suites.terms import AES_GCM_256, Suite, ike

WRONG = "a public value outside the subgroup"

EACH_GROUP = pytest.mark.parametrize(
    ("suite", "group"),
    [
        pytest.param(
            Suite((ike(AES_GCM_256, ke(group)),), (esp_proposal(AES_GCM_256),)),
            group,
            id=group.name,
        )
        for group in (KeyExchangeMethod.MODP_2048_S224, KeyExchangeMethod.MODP_2048_S256)
    ],
)


def _with_value_of(message, half):
    return message.replacing(KE(half.method, half.public))


def _answers_on(peer, request, response, half):
    """Say whether the target answers IKE_AUTH under the keys that a half makes."""
    peer.ike.key_exchange = half
    peer.agree(request, response)
    answers = peer.reactions(peer.ike_auth())
    return any(each.protected for each in answers)


@EACH_GROUP
@requirement("rfc8247-2.4-public-values-of-groups-23-24-checked")
@turned_red_by("takes-negative-public-values-for-positive-ones")
def test_value_outside_the_subgroup_is_not_used(peer, group):
    """
    peer                                        target
    HDR, SAi1, KEi(-g^7), Ni            -->
                                                nothing, or what may come before the value is used:
                                        <--     HDR, SAr1, KEr, Nr
    HDR, SK {IDi, .., AUTH, ..} under g^7y, and again under -g^7y -->
                                                nothing that is protected
    PREVENTS: a secret that tells of a private value, modulo the order of a small subgroup.
    """
    halves = [NegatedSeventhPower(group, even=even) for even in (True, False)]
    request = _with_value_of(peer.ike_sa_init(), halves[0])

    responses = [each for each in peer.reactions(request, WRONG) if each.has(SA)]

    used = [half for half in halves if responses and _answers_on(peer, request, responses[0], half)]
    assert not used, "IKE_AUTH is answered under a secret made of that value"


@EACH_GROUP
@twin_of(test_value_outside_the_subgroup_is_not_used)
@requirement("rfc8247-2.4-public-values-of-groups-23-24-checked")
@turned_red_by("minds-small-powers-of-g")
def test_value_within_the_subgroup_is_used(peer, group):
    """
    peer                                        target
    HDR, SAi1, KEi(g^7), Ni             -->
                                        <--     HDR, SAr1, KEr, Nr
    HDR, SK {IDi, .., AUTH, ..} under g^7y -->
                                        <--     HDR, SK {IDr, AUTH, ..}
    """
    half = SeventhPower(group)
    request = _with_value_of(peer.ike_sa_init(), half)

    response = peer.exchange(request)

    assert _answers_on(peer, request, response, half), "IKE_AUTH is not answered"


@EACH_GROUP
@as_responder
@requirement("rfc8247-2.4-public-values-of-groups-23-24-checked")
@turned_red_by("takes-any-public-value", "takes-negative-public-values-for-positive-ones")
def test_value_outside_the_subgroup_in_a_response_is_not_followed(peer, target, group):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, SAr1, KEr(-g^7), Nr            -->
                                                no IKE_AUTH
    """
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    response = peer.ike_sa_init_response(request)
    peer.answer(request, _with_value_of(response, NegatedSeventhPower(group, even=True)), WRONG)
    peer.reactions_so_far()

    assert ExchangeType.IKE_AUTH not in exchanges_heard(peer), "the initiator uses the value"
