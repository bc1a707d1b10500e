"""RFC 7296, 2.7 and 3.3: one proposal is chosen, or none."""

from dataclasses import replace

from peers.reference.negotiation import encr, esp_proposal
from peers.reference.numbers import Encr, ExchangeType, NotifyType, TransformType
from peers.reference.payloads import KE, SA, Nonce
from suites.judge import as_responder, requirement, turned_red_by, twin_of
from suites.terms import (
    AES_CBC_256,
    AES_GCM_128,
    AES_GCM_256,
    CURVE25519,
    DEFAULT,
    ECP_256,
    HMAC_SHA2_256_128,
    Suite,
    configured,
    ike,
)

UNKNOWN_CIPHER = encr(Encr(1023), 256)
TWO_CIPHERS = configured(
    Suite((ike(AES_GCM_256, AES_GCM_128, CURVE25519),), (esp_proposal(AES_GCM_256),))
)
THREE_PROPOSALS = Suite(
    (
        ike(AES_GCM_256, CURVE25519),
        ike(AES_CBC_256, HMAC_SHA2_256_128, CURVE25519),
        ike(AES_GCM_128, ECP_256),
    ),
    DEFAULT.esp,
)


@requirement("rfc7296-2.7-no-proposal-chosen", "rfc7296-3.3.4-unauthorized-suite-rejected")
@turned_red_by("chooses-what-it-does-not-allow")
def test_offer_without_an_acceptable_suite_is_refused(peer):
    """
    peer                                        target
    HDR, SAi1(not configured), KEi, Ni  -->
                                        <--     HDR, N(NO_PROPOSAL_CHOSEN)
    """
    other = SA((ike(AES_GCM_128, CURVE25519),))

    response = peer.exchange(peer.ike_sa_init().replacing(other))

    assert not response.has(SA), "a suite that is not configured was chosen"
    assert response.notifies == (NotifyType.NO_PROPOSAL_CHOSEN,)


@twin_of(test_offer_without_an_acceptable_suite_is_refused)
@requirement("rfc7296-3.3.1-accepted-number")
@turned_red_by("always-chooses-number-one")
def test_second_proposal_is_chosen_by_its_number(peer):
    """
    peer                                        target
    HDR, SAi1(1: unknown cipher, 2: good), KEi, Ni -->
                                        <--     HDR, SAr1(2: good), KEr, Nr
    """
    good = ike(AES_GCM_256, CURVE25519)
    offer = SA((ike(UNKNOWN_CIPHER, CURVE25519), replace(good, number=2)))

    response = peer.exchange(peer.ike_sa_init().replacing(offer))

    assert response.has(SA, KE, Nonce)
    numbers = [proposal.number for proposal in response.get(SA).proposals]
    assert numbers == [2], f"proposal 2 was acceptable, the response numbers {numbers}"


@TWO_CIPHERS
@requirement("rfc7296-2.7-one-transform-of-each-type")
@turned_red_by("chooses-two-ciphers")
def test_one_transform_of_each_type_is_chosen(peer, observed):
    """
    peer                                        target
    HDR, SAi1(AES_GCM_16_256, AES_GCM_16_128), KEi, Ni -->
                                        <--     HDR, SAr1(one of them), KEr, Nr
    """
    response = peer.exchange(peer.ike_sa_init())

    chosen = response.get(SA).proposals[0]
    kinds = sorted(transform.type for transform in chosen.transforms)
    assert kinds == [TransformType.ENCR, TransformType.PRF, TransformType.KE]
    observed(f"of two acceptable ciphers the target chose {chosen.of(TransformType.ENCR)[0]}")


@TWO_CIPHERS
@requirement("rfc7296-3.3.6-attributes-returned-unmodified")
@turned_red_by("drops-key-length")
def test_key_length_comes_back_as_it_was_offered(peer):
    """
    peer                                        target
    HDR, SAi1(AES_GCM_16_256, AES_GCM_16_128), KEi, Ni -->
                                        <--     HDR, SAr1(one of them, its key length), KEr, Nr
    """
    response = peer.exchange(peer.ike_sa_init())

    chosen = response.get(SA).proposals[0].of(TransformType.ENCR)[0]
    assert chosen in (AES_GCM_256, AES_GCM_128), f"{chosen} was not offered"


@configured(THREE_PROPOSALS)
@as_responder
@requirement("rfc7296-3.3-proposals-in-order-of-preference")
@turned_red_by("offers-in-reverse-order")
def test_initiator_lists_its_proposals_in_configured_order(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1(as configured), KEi, Ni
    """
    target.initiate()
    offer = peer.hear_request(ExchangeType.IKE_SA_INIT).get(SA).proposals

    ciphers = [each for proposal in offer for each in proposal.of(TransformType.ENCR)]
    configured_order = [AES_GCM_256, AES_CBC_256, AES_GCM_128]
    assert ciphers == configured_order, "the offer does not follow the configuration"


@configured(THREE_PROPOSALS)
@as_responder
@requirement("rfc7296-3.3.1-proposal-numbers")
@turned_red_by("numbers-proposals-from-zero")
def test_initiator_numbers_its_proposals_from_one(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1(1: .., 2: .., 3: ..), KEi, Ni
    """
    target.initiate()
    offer = peer.hear_request(ExchangeType.IKE_SA_INIT).get(SA).proposals

    assert [proposal.number for proposal in offer] == list(range(1, len(offer) + 1))


EITHER = Suite(
    (
        ike(AES_GCM_256, CURVE25519),
        ike(AES_CBC_256, HMAC_SHA2_256_128, CURVE25519),
    ),
    (esp_proposal(AES_GCM_256), esp_proposal(AES_CBC_256, HMAC_SHA2_256_128)),
)


@configured(EITHER)
@as_responder
@requirement("rfc7296-2.7-aead-in-own-proposal")
@turned_red_by("mixes-aead-with-other-ciphers")
def test_initiator_offers_combined_modes_in_proposals_of_their_own(peer, target):
    """
    peer                                        target (AES-GCM; AES-CBC with HMAC)
                                        <--     HDR, SAi1(1: AES-GCM; 2: AES-CBC, HMAC), KEi, Ni
    HDR, SAr1, KEr, Nr                  -->
                                        <--     HDR, SK {.., SAi2(1: AES-GCM; 2: ..), TSi, TSr}
    """
    target.initiate()
    first = peer.hear_request(ExchangeType.IKE_SA_INIT)
    _assert_not_mixed(first)
    _assert_not_mixed(peer.accept_ike_sa_init(first))


def _assert_not_mixed(request):
    for proposal in request.get(SA).proposals:
        combined = [each.id == AES_GCM_256.id for each in proposal.of(TransformType.ENCR)]
        assert len(set(combined)) == 1, f"combined modes beside others: {proposal}"
