"""RFC 7296, 3.3: what makes a proposal or a transform unacceptable, and what does not."""

from dataclasses import replace

import pytest

from peers.reference.faults import (
    ProposalLength,
    ProposalSpiSize,
    ReservedFields,
    TransformCount,
    TransformLength,
)
from peers.reference.negotiation import encr, esp_proposal
from peers.reference.numbers import Encr, ExchangeType, NotifyType, TransformType
from peers.reference.payloads import KE, SA, Attribute, Nonce, Transform
from suites.judge import as_responder, differs, requirement, turned_red_by, twin_of
from suites.observe import exchanges_heard, opens_ike_sa
from suites.terms import (
    AES_CBC_256,
    AES_GCM_128,
    AES_GCM_256,
    CBC,
    CURVE25519,
    DEFAULT,
    HMAC_SHA2_256_128,
    MODP_2048,
    Suite,
    configured,
    ike,
)

UNKNOWN_TYPE = Transform(TransformType(241), 1)
UNKNOWN_CIPHER = encr(Encr(1023), 256)
UNKNOWN_ATTRIBUTE = replace(AES_GCM_256, attributes=(*AES_GCM_256.attributes, Attribute(18000, 1)))
GOOD = ike(AES_GCM_256, CURVE25519)
WITHOUT_PRF = replace(
    GOOD, transforms=tuple(t for t in GOOD.transforms if t.type != TransformType.PRF)
)
CBC_WITHOUT_LENGTH = ike(encr(Encr.ENCR_AES_CBC), HMAC_SHA2_256_128, MODP_2048)


def _offer(peer, *proposals):
    numbered = (replace(proposal, number=n) for n, proposal in enumerate(proposals, 1))
    return peer.ike_sa_init().replacing(SA(tuple(numbered)))


def _assert_refused(response):
    assert not response.has(SA), f"the proposal was chosen: {response.find(SA)}"
    if response.notifies != (NotifyType.NO_PROPOSAL_CHOSEN,):
        differs(f"refused otherwise: {response}")


def _assert_chosen(response, number):
    assert response.has(SA, KE, Nonce), f"nothing is chosen: {response}"
    numbers = [proposal.number for proposal in response.get(SA).proposals]
    assert numbers == [number], f"proposal {number} was acceptable, the response numbers {numbers}"


SPOILT = pytest.mark.parametrize(
    "spoilt",
    [ike(AES_GCM_256, CURVE25519, UNKNOWN_TYPE), WITHOUT_PRF],
    ids=["unknown-type", "without-prf"],
)


@SPOILT
@requirement("rfc7296-3.3.6-unknown-type-spoils-proposal")
@turned_red_by("passes-over-unknown-transform-types", "supplies-missing-transforms")
def test_unknown_or_missing_transform_type_spoils_its_proposal(peer, spoilt):
    """
    peer                                        target
    HDR, SAi1(1: good but for a transform of type 241, or without PRF), KEi, Ni -->
                                        <--     HDR, N(NO_PROPOSAL_CHOSEN)
    """
    response = peer.exchange(_offer(peer, spoilt), "transform types of the proposal")

    _assert_refused(response)


@SPOILT
@twin_of(test_unknown_or_missing_transform_type_spoils_its_proposal)
@requirement("rfc7296-3.3.6-unknown-type-spoils-proposal")
@turned_red_by(
    "refuses-offers-with-unknown-transform-types",
    "passes-over-unknown-transform-types",
    "supplies-missing-transforms",
)
def test_the_proposal_beside_it_is_chosen(peer, spoilt):
    """
    peer                                        target
    HDR, SAi1(1: spoilt, 2: good), KEi, Ni -->
                                        <--     HDR, SAr1(2), KEr, Nr
    """
    response = peer.exchange(_offer(peer, spoilt, GOOD))

    _assert_chosen(response, 2)


@pytest.mark.parametrize(
    "strange", [UNKNOWN_CIPHER, UNKNOWN_ATTRIBUTE], ids=["unknown-id", "unknown-attribute"]
)
@requirement("rfc7296-3.3.6-unknown-transform-spoils-transform")
@turned_red_by("refuses-proposals-with-unknown-transforms")
def test_transform_beside_an_unknown_one_is_chosen(peer, strange):
    """
    peer                                        target
    HDR, SAi1(unknown cipher or attribute, AES_GCM_16_256), KEi, Ni -->
                                        <--     HDR, SAr1(AES_GCM_16_256), KEr, Nr
    """
    response = peer.exchange(_offer(peer, ike(strange, AES_GCM_256, CURVE25519)))

    _assert_chosen(response, 1)
    chosen = response.get(SA).proposals[0].of(TransformType.ENCR)
    assert chosen == (AES_GCM_256,), f"chosen: {chosen}"


@requirement("rfc7296-3.3.6-unknown-transform-spoils-transform")
@turned_red_by("passes-over-unknown-attributes")
def test_transform_with_an_unknown_attribute_is_not_chosen(peer):
    """
    peer                                        target
    HDR, SAi1(AES_GCM_16_256 with attribute 18000), KEi, Ni -->
                                        <--     HDR, N(NO_PROPOSAL_CHOSEN)
    """
    response = peer.exchange(
        _offer(peer, ike(UNKNOWN_ATTRIBUTE, CURVE25519)), "attribute of the cipher"
    )

    _assert_refused(response)


@configured(CBC)
@requirement("rfc7296-3.3.5-aes-without-key-length-rejected")
@turned_red_by("guesses-missing-key-lengths")
def test_aes_without_key_length_is_refused(peer):
    """
    peer                                        target
    HDR, SAi1(AES_CBC without Key Length), KEi, Ni -->
                                        <--     HDR, N(NO_PROPOSAL_CHOSEN)
    """
    response = peer.exchange(_offer(peer, CBC_WITHOUT_LENGTH), "no Key Length")

    _assert_refused(response)


@configured(CBC)
@twin_of(test_aes_without_key_length_is_refused)
@requirement("rfc7296-3.3.6-unknown-transform-spoils-transform")
@turned_red_by("guesses-missing-key-lengths")
def test_aes_with_key_length_beside_it_is_chosen(peer):
    """
    peer                                        target
    HDR, SAi1(1: AES_CBC without Key Length, 2: with it), KEi, Ni -->
                                        <--     HDR, SAr1(2: AES_CBC_256), KEr, Nr
    """
    good = ike(AES_CBC_256, HMAC_SHA2_256_128, MODP_2048)

    response = peer.exchange(_offer(peer, CBC_WITHOUT_LENGTH, good))

    _assert_chosen(response, 2)


@configured(Suite((ike(AES_GCM_128, CURVE25519),), DEFAULT.esp))
@requirement("rfc7296-3.3.5-longer-key-accepted")
@turned_red_by("wants-exactly-the-configured-key-length")
def test_longer_key_than_the_configured_one_is_accepted(peer):
    """
    peer                                        target (configured with AES_GCM_16_128)
    HDR, SAi1(AES_GCM_16_256), KEi, Ni  -->
                                        <--     HDR, SAr1(AES_GCM_16_256), KEr, Nr
    PREVENTS: two ends that do not understand each other when one of them is made stronger.
    """
    request = peer.ike_sa_init().replacing(SA((ike(AES_GCM_256, CURVE25519),)))

    response = peer.exchange(request)

    _assert_longer_key(response)


@configured(Suite(DEFAULT.ike, (esp_proposal(AES_GCM_128),)))
@requirement("rfc7296-3.3.5-longer-key-accepted")
@turned_red_by("wants-exactly-the-configured-key-length")
def test_longer_key_of_a_child_sa_is_accepted(peer):
    """
    peer                                        target (configured with AES_GCM_16_128 for ESP)
    HDR, SK {.., SAi2(AES_GCM_16_256), TSi, TSr} -->
                                        <--     HDR, SK {.., SAr2(AES_GCM_16_256), TSi, TSr}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    [offered] = request.get(SA).proposals
    longer = replace(offered, transforms=esp_proposal(AES_GCM_256).transforms)

    response = peer.exchange(request.replacing(SA((longer,))))

    _assert_longer_key(response)


def _assert_longer_key(response):
    if not response.has(SA):
        differs(f"the longer key is refused: {response}")
    [chosen] = response.get(SA).proposals
    assert chosen.of(TransformType.ENCR) == (AES_GCM_256,), f"chosen: {chosen}"


@requirement("rfc7296-3.3.2-reserved-ignored")
@turned_red_by("minds-reserved-octets-of-proposals")
def test_reserved_octets_of_proposals_and_transforms_are_ignored(peer):
    """
    peer                                        target
    HDR, SAi1(RESERVED set in the proposal and in each transform), KEi, Ni -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    response = peer.exchange(peer.ike_sa_init().with_fault(ReservedFields(of=SA)))

    _assert_chosen(response, 1)


LENGTHS = [
    (ProposalLength(by=4), "proposal-four-too-long"),
    (ProposalLength(by=-4), "proposal-four-too-short"),
    (ProposalLength(to=0), "proposal-of-no-length"),
    (ProposalSpiSize(to=8), "spi-that-is-not-there"),
    (TransformCount(by=1), "one-transform-too-many"),
    (TransformCount(by=-1), "one-transform-too-few"),
    (TransformLength(by=4), "transform-four-too-long"),
    (TransformLength(by=-4), "transform-four-too-short"),
    (TransformLength(to=0), "transform-of-no-length"),
    (TransformLength(to=0xFFFF), "transform-beyond-the-message"),
]


@pytest.mark.parametrize("fault", [f for f, _ in LENGTHS], ids=[why for _, why in LENGTHS])
@requirement("rfc7296-3.3-lengths-consistent", "rfc7296-2.21.1-malformed-init-makes-no-sa")
@turned_red_by("reads-sa-by-its-length-alone")
def test_sa_payload_with_a_wrong_length_or_count_opens_no_ike_sa(peer, target, fault):
    """
    peer                                        target
    HDR, SAi1(a length or a count inside is wrong), KEi, Ni -->
                                                no SAr1
    HDR, SAi1, KEi, Ni (fence)          -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    message = peer.ike_sa_init().with_fault(fault)

    assert not opens_ike_sa(peer, target, message), "an SA payload at odds with itself was taken"


# As initiator: the responder chooses what was not offered.


def _other_key_length(chosen):
    return replace(chosen, transforms=(AES_GCM_128, *_but(chosen, TransformType.ENCR)))


def _without_prf(chosen):
    return replace(chosen, transforms=_but(chosen, TransformType.PRF))


def _two_ciphers(chosen):
    return replace(chosen, transforms=(AES_GCM_128, *chosen.transforms))


def _but(chosen, kind):
    return tuple(each for each in chosen.transforms if each.type != kind)


@pytest.mark.parametrize(
    "change",
    [_other_key_length, _without_prf, _two_ciphers],
    ids=["another-key-length", "without-prf", "two-ciphers"],
)
@as_responder
@requirement("rfc7296-3.3.6-inconsistent-choice-terminates")
@turned_red_by("takes-unoffered-choices")
def test_initiator_does_not_go_on_with_a_suite_that_it_did_not_offer(peer, target, change):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, SAr1(not as offered), KEr, Nr  -->
                                                no IKE_AUTH
    """
    went_on = _goes_on(peer, target, lambda sa: SA((change(sa.proposals[0]),)))

    assert not went_on, "the initiator goes on to IKE_AUTH"


@as_responder
@requirement("rfc7296-3.3.6-inconsistent-choice-terminates")
@turned_red_by("takes-unoffered-choices", "ignores-number-of-choice")
def test_initiator_does_not_go_on_with_a_number_that_it_did_not_offer(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1(1), KEi, Ni
    HDR, SAr1(9: what was offered as 1), KEr, Nr -->
                                                no IKE_AUTH
    """
    went_on = _goes_on(peer, target, lambda sa: SA((replace(sa.proposals[0], number=9),)))

    if went_on:
        differs("the number of the proposal is ignored: the initiator goes on to IKE_AUTH")


def _goes_on(peer, target, change):
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    response = peer.ike_sa_init_response(request)
    wrong = response.replacing(change(response.get(SA)))
    peer.answer(request, wrong, "the choice is not one of the offer")
    peer.reactions_so_far()
    return ExchangeType.IKE_AUTH in exchanges_heard(peer)


NOT_FOR_IKE = [
    pytest.param((encr(Encr.ENCR_NULL), HMAC_SHA2_256_128), id="null"),
    pytest.param((encr(Encr.ENCR_NULL_AUTH_AES_GMAC, 256),), id="aes-gmac"),
]


@pytest.mark.parametrize("transforms", NOT_FOR_IKE)
@requirement("rfc7296-3.14-only-transforms-made-for-ike")
@turned_red_by("chooses-null-for-ike")
def test_transform_that_is_not_made_for_ike_is_passed_over(peer, transforms):
    """
    peer                                        target
    HDR, SAi1(1: ENCR_NULL or AES-GMAC; 2: AES-GCM), KEi, Ni -->
                                        <--     HDR, SAr1(2: AES-GCM), KEr, Nr
    """
    request = peer.ike_sa_init()
    [good] = request.get(SA).proposals
    others = tuple(each for each in good.transforms if each.type != TransformType.ENCR)
    bad = replace(good, transforms=(*transforms, *others))
    response = peer.exchange(request.replacing(SA((bad, replace(good, number=2)))))

    [chosen] = response.get(SA).proposals
    ciphers = [each.id for each in chosen.of(TransformType.ENCR)]
    assert ciphers == [Encr.ENCR_AES_GCM_16], f"an IKE SA is to be protected by {chosen}"
