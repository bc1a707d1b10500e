"""RFC 7296, 1.2: the initial exchanges, and the Child SA that comes of them."""

from dataclasses import replace

import pytest

from peers.reference.negotiation import encr, esn, esp_proposal
from peers.reference.numbers import Encr, Esn, NotifyType
from peers.reference.payloads import AUTH, SA, Delete, IDr, Notify, TSi, TSr
from suites.judge import as_responder, requirement, turned_red_by, twin_of
from suites.terms import AES_GCM_128, FAMILIES, SUITES


@FAMILIES
@SUITES
@requirement("rfc7296-1.2-initial-exchanges-set-up-child", "rfc7296-2.17-keymat-direction-order")
@turned_red_by("swaps-child-keys")
def test_initiator_sets_up_a_child_sa_that_carries_traffic(peer):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni                  -->
                                        <--     HDR, SAr1, KEr, Nr
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    PREVENTS: keys taken from KEYMAT in the wrong order or for the wrong direction.
    """
    peer.establish()

    assert peer.echo(), "an echo request through the new Child SA is not answered through it"


@FAMILIES
@SUITES
@as_responder
@requirement("rfc7296-1.2-initial-exchanges-set-up-child", "rfc7296-2.17-keymat-direction-order")
@turned_red_by("swaps-child-keys")
def test_responder_accepts_a_child_sa_that_carries_traffic(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, SAr1, KEr, Nr                  -->
                                        <--     HDR, SK {IDi, [IDr,] AUTH, SAi2, TSi, TSr}
    HDR, SK {IDr, AUTH, SAr2, TSi, TSr} -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    PREVENTS: roles of initiator and responder mixed up in AUTH or KEYMAT.
    """
    target.initiate()
    peer.accept()

    assert peer.echo(), "an echo request through the new Child SA is not answered through it"


@requirement("rfc7296-1.2-child-failure-keeps-ike-sa")
@turned_red_by("closes-ike-sa-without-child", "chooses-what-it-does-not-allow")
def test_refused_child_sa_leaves_the_ike_sa(peer):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni                  -->
                                        <--     HDR, SAr1, KEr, Nr
    HDR, SK {IDi, IDr, AUTH, SAi2(unacceptable), TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, N(NO_PROPOSAL_CHOSEN)}
    HDR, SK {}                          -->
                                        <--     HDR, SK {}
    PREVENTS: an IKE SA torn down because its first Child SA could not be agreed on.
    """
    peer.open_ike_sa()
    offer = SA((replace(esp_proposal(AES_GCM_128), spi=b"\1\2\3\4"),))

    response = peer.exchange(peer.ike_auth().replacing(offer))

    assert response.has(IDr, AUTH), "the responder does not authenticate itself"
    assert not response.has(SA), "a Child SA was granted that is not configured"
    assert NotifyType.NO_PROPOSAL_CHOSEN in response.notifies, f"refused otherwise: {response}"
    peer.exchange(peer.informational())


@twin_of(test_refused_child_sa_leaves_the_ike_sa)
@requirement("rfc7296-1.2-auth-exchange-shape")
@turned_red_by("refuses-second-proposal", "always-chooses-number-one")
def test_the_same_offer_beside_a_good_one_is_granted(peer):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH, SAi2(unknown, good), TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2(good), TSi, TSr}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    good = request.get(SA).proposals[0]
    unknown = replace(good, transforms=(encr(Encr(1023), 256), esn(Esn.NO_ESN)))

    response = peer.exchange(request.replacing(SA((unknown, replace(good, number=2)))))

    assert response.has(IDr, AUTH, SA, TSi, TSr)
    numbers = [proposal.number for proposal in response.get(SA).proposals]
    assert numbers == [2], f"proposal 2 was acceptable, the response numbers {numbers}"


@pytest.mark.parametrize(
    "refusal",
    [
        NotifyType.NO_PROPOSAL_CHOSEN,
        NotifyType.TS_UNACCEPTABLE,
        NotifyType.INTERNAL_ADDRESS_FAILURE,
        NotifyType.FAILED_CP_REQUIRED,
    ],
    ids=lambda each: each.name.lower(),
)
@as_responder
@requirement("rfc7296-1.2-child-failure-keeps-ike-sa")
@turned_red_by("closes-ike-sa-without-child")
def test_initiator_whose_child_sa_is_refused_keeps_the_ike_sa(peer, target, refusal, observed):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, [IDr,] AUTH, SAi2, TSi, TSr}
    HDR, SK {IDr, AUTH, N(an error)}    -->
    HDR, SK {}                          -->
                                        <--     HDR, SK {}, or HDR, SK {D(IKE)}
    PREVENTS: an IKE SA of which only one side knows that it is gone.
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    response = peer.ike_auth_response(request).without(SA, TSi, TSr)
    peer.ike.children.clear()
    peer.answer(request, response + Notify(refusal))
    told = [each for each in peer.reactions_so_far() if each.has(Delete)]
    if told:
        observed(f"the IKE SA is deleted: {told[0]}")
        return
    answered = peer.is_answered(peer.informational())
    assert answered, "the IKE SA is gone without a Delete"
