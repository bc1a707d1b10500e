"""RFC 9370, 2.2.1 and 2.2.2: several key exchanges before an IKE SA is established."""

from dataclasses import replace

import pytest

from peers.reference.key_exchange import key_exchange
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import KE, SA
from suites.additional import (
    ECP_256,
    ECP_384,
    ML_KEM_768,
    NONE,
    PLAIN,
    SUPPORTED,
    additional,
    chosen_methods,
    negotiating,
    offering,
    one,
    two,
    without_notify,
)
from suites.judge import as_responder, requirement, turned_red_by, twin_of

IKE_SA_INIT, INTERMEDIATE = ExchangeType.IKE_SA_INIT, ExchangeType.IKE_INTERMEDIATE

hybrid = negotiating((1, ML_KEM_768))
optional = negotiating((1, ECP_256), (1, NONE))
either = negotiating((1, ECP_256), (1, ECP_384), (2, ECP_256), (2, ECP_384))


# 2.2.1: what is chosen.


@two
@requirement("rfc9370-2.2.1-one-of-each-type", "rfc9370-2.2.1-intermediate-confirmed")
@turned_red_by("leaves-out-additional-key-exchanges", "keeps-intermediate-to-itself")
def test_responder_chooses_one_of_each_type(peer):
    """
    peer                                                      target
    HDR, SAi1(.. ADDKE1, ADDKE2), KEi, Ni, N(INTERMEDIATE_...) -->
                                <--  HDR, SAr1(.. ADDKE1, ADDKE2), KEr, Nr, N(INTERMEDIATE_...)
    """
    response = peer.exchange(peer.ike_sa_init())

    assert response.has(SA), f"no IKE SA is granted: {response}"
    assert chosen_methods(response) == [(1, ECP_256), (2, ECP_384)], "another choice"
    assert SUPPORTED in response.notifies, "agreed, without the exchange to do it in"


@one
@as_responder
@requirement("rfc9370-2.2.1-intermediate-offered")
@turned_red_by("keeps-intermediate-to-itself")
def test_initiator_offers_the_exchange_too(peer, target):
    """
    peer                                                      target
                                <--  HDR, SAi1(.. ADDKE1), KEi, Ni, N(INTERMEDIATE_...)
    """
    target.initiate()

    request = peer.hear_request(IKE_SA_INIT)

    assert SUPPORTED in request.notifies, "additional key exchanges without the exchange for them"


@either
@requirement("rfc9370-2.2.1-no-method-twice")
@turned_red_by("chooses-a-method-twice")
def test_responder_chooses_no_method_twice(peer):
    """
    peer                                                      target
    HDR, SAi1(.. ADDKE1 = a or b, ADDKE2 = a or b), ...  -->
                                <--  HDR, SAr1(.. ADDKE1 = a, ADDKE2 = b), ... (or b and a)
    """
    response = peer.exchange(peer.ike_sa_init())

    assert response.has(SA), f"no IKE SA is granted: {response}"
    methods = [method for _, method in chosen_methods(response)]
    assert sorted(methods) == [ECP_256, ECP_384], f"chosen: {methods}"


@either
@requirement("rfc9370-2.2.1-no-method-twice-refused")
@turned_red_by("chooses-a-method-twice")
def test_offer_of_one_method_twice_is_refused(peer):
    """
    peer                                                      target (has a and b for both)
    HDR, SAi1(.. ADDKE1 = a, ADDKE2 = a), ...            -->
                                <--  HDR, N(NO_PROPOSAL_CHOSEN)
    """
    request = offering(peer.ike_sa_init(), additional((1, ECP_256), (2, ECP_256)))

    response = peer.exchange(request)

    assert response.notifies == (NotifyType.NO_PROPOSAL_CHOSEN,), f"answered by {response}"


@either
@twin_of(test_offer_of_one_method_twice_is_refused)
@requirement("rfc9370-2.2.1-no-method-twice-refused")
@turned_red_by("keeps-intermediate-to-itself")
def test_offer_of_two_methods_is_taken(peer):
    """
    peer                                                      target (has a and b for both)
    HDR, SAi1(.. ADDKE1 = a, ADDKE2 = b), ...            -->
                                <--  HDR, SAr1(.. ADDKE1 = a, ADDKE2 = b), ...
    """
    request = offering(peer.ike_sa_init(), additional((1, ECP_256), (2, ECP_384)))

    response = peer.exchange(request)

    assert response.has(SA), f"no IKE SA is granted: {response}"
    assert chosen_methods(response) == [(1, ECP_256), (2, ECP_384)], "another choice"
    assert SUPPORTED in response.notifies, "agreed, without the exchange to do it in"


@either
@as_responder
@requirement("rfc9370-2.2.1-no-exchange-after-choice-twice", "rfc9370-2.2.1-choice-twice-fails")
@turned_red_by("follows-a-method-chosen-twice")
def test_choice_of_one_method_twice_is_not_followed(peer, target):
    """
    peer                                                      target
                                <--  HDR, SAi1(.. ADDKE1 = a or b, ADDKE2 = a or b), ...
    HDR, SAr1(.. ADDKE1 = a, ADDKE2 = a), ...            -->
                                     (no IKE_INTERMEDIATE request)
    """
    target.initiate()
    request = peer.hear_request(IKE_SA_INIT)
    right = peer.ike_sa_init_response(request)
    number = right.get(SA).proposals[0].number
    twice = replace(additional((1, ECP_256), (2, ECP_256)), number=number)

    peer.answer(request, right.replacing(SA((twice,))), "one method chosen twice")

    reactions = peer.reactions_so_far()
    went_on = [each for each in reactions if each.exchange == INTERMEDIATE]
    assert not went_on, f"the target went on: {went_on}"
    assert not target.established(), "the target lists an established IKE SA"


@optional
@requirement("rfc9370-2.2.1-omitted-is-none", "rfc9242-3.2-use-is-optional")
@turned_red_by("wants-every-additional-type", "waits-for-an-exchange-once-agreed")
def test_type_that_is_left_out_counts_as_none(peer):
    """
    peer                                                      target (ADDKE1 = a or NONE)
    HDR, SAi1(no ADDKE), KEi, Ni, N(INTERMEDIATE_...)    -->
                                <--  HDR, SAr1(no ADDKE), KEr, Nr, ...
    (IKE_AUTH follows at once)
    PREVENTS: an AUTH payload over exchanges that did not take place (F45).
    """
    request = offering(peer.ike_sa_init(), PLAIN)
    response = peer.exchange(request)
    assert response.has(SA), f"no IKE SA is granted: {response}"
    assert not chosen_methods(response), "a key exchange was chosen that was not proposed"

    peer.agree(request, response)
    request = peer.ike_auth()
    peer.take_up(request, peer.exchange(request))


@optional
@as_responder
@requirement("rfc9370-2.2.1-none-is-no-exchange")
@turned_red_by("does-exchange-for-none")
def test_there_is_no_exchange_for_none(peer, target):
    """
    peer                                                      target
                                <--  HDR, SAi1(.. ADDKE1 = a or NONE), ...
    HDR, SAr1(.. ADDKE1 = NONE), ...                     -->
                                <--  HDR, SK {IDi, AUTH, ...}
    """
    target.initiate()
    request = peer.hear_request(IKE_SA_INIT)
    peer.connection = replace(peer.connection, ike_proposals=(additional((1, NONE)),))
    peer.answer(request, peer.ike_sa_init_response(request))

    request = peer.hear_request(ExchangeType.IKE_AUTH)

    assert request.message_id == 1, "something came between"
    peer.answer(request, peer.ike_auth_response(request))
    assert peer.echo(), "the Child SA carries no traffic"


@one
@requirement("rfc9370-2.2.1-skipped-without-intermediate")
@turned_red_by("uses-additional-without-intermediate")
def test_proposal_is_passed_over_without_the_exchange(peer):
    """
    peer                                                      target
    HDR, SAi1(.. ADDKE1), KEi, Ni                        -->
                                <--  HDR, N(NO_PROPOSAL_CHOSEN)
    """
    response = peer.exchange(without_notify(peer.ike_sa_init()))

    assert response.notifies == (NotifyType.NO_PROPOSAL_CHOSEN,), f"answered by {response}"


# 2.2.2: what is exchanged.


@pytest.mark.parametrize(
    "suite",
    [
        pytest.param(each.args[1][0].values[0], id=name, marks=each.args[1][0].marks)
        for name, each in (("ecp256", one), ("ecp256-ecp384", two), ("mlkem768", hybrid))
    ],
)
@requirement("rfc9370-2.2.2-keys-updated", "rfc9370-2.2.1-additional-in-intermediate")
@turned_red_by("keeps-keys-of-first-exchange")
def test_responder_makes_new_keys_of_each_exchange(peer):
    """
    peer                                        target
    (IKE_SA_INIT)
    HDR, SK {KEi(n)}                    -->     (for each method that was agreed on)
                                        <--     HDR, SK {KEr(n)}
    HDR, SK {IDi, IDr, AUTH, ...}       -->     (under the newest keys)
                                        <--     HDR, SK {IDr, AUTH, ...}
    """
    peer.establish()

    assert peer.echo(), "the Child SA carries no traffic"


@pytest.mark.parametrize(
    "suite",
    [
        pytest.param(each.args[1][0].values[0], id=name, marks=each.args[1][0].marks)
        for name, each in (("ecp256", one), ("ecp256-ecp384", two), ("mlkem768", hybrid))
    ],
)
@as_responder
@requirement("rfc9370-2.2.1-additional-in-intermediate", "rfc9370-2.2.2-keys-updated")
@turned_red_by("authenticates-before-key-exchanges", "keeps-keys-of-first-exchange")
def test_initiator_does_each_exchange(peer, target):
    """
    peer                                        target
    (IKE_SA_INIT)
                                        <--     HDR, SK {KEi(n)}
    HDR, SK {KEr(n)}                    -->
                                        <--     HDR, SK {IDi, AUTH, ...}
    HDR, SK {IDr, AUTH, ...}            -->
    """
    target.initiate()
    peer.accept()

    assert peer.echo(), "the Child SA carries no traffic"


@two
@as_responder
@requirement("rfc9370-2.2.1-order-of-types", "rfc9370-2.2.2-method-of-nth")
@turned_red_by("does-last-key-exchange-first")
def test_initiator_follows_the_order_of_the_types(peer, target):
    """
    peer                                        target
    (IKE_SA_INIT: ADDKE1 = a, ADDKE2 = b)
                                        <--     HDR, SK {KEi(1) of a}
    HDR, SK {KEr(1) of a}               -->
                                        <--     HDR, SK {KEi(2) of b}
    """
    target.initiate()
    request = peer.hear_request(IKE_SA_INIT)
    peer.answer(request, peer.ike_sa_init_response(request))

    first = peer.hear_request(INTERMEDIATE)
    assert first.get(KE).group == ECP_256, "not the method of ADDKE1"
    peer.answer_intermediate(first)

    assert peer.hear_request(INTERMEDIATE).get(KE).group == ECP_384, "not the method of ADDKE2"


@two
@requirement("rfc9370-2.2.2-other-method-refused", "rfc9370-2.2.1-order-of-types")
@turned_red_by("takes-any-method-in-turn")
def test_method_whose_turn_has_not_come_is_refused(peer, target):
    """
    peer                                        target
    (IKE_SA_INIT: ADDKE1 = a, ADDKE2 = b)
    HDR, SK {KEi of b}                  -->
                                        <--     an error, or nothing
    """
    peer.open_ike_sa()
    other = key_exchange(ECP_384, peer.random)
    request = peer.intermediate().replacing(KE(ECP_384, other.public))

    reactions = peer.reactions(request, "the second method first")

    assert not any(each.has(KE) for each in reactions), f"it was taken: {reactions}"
    assert not target.established(), "the target lists an established IKE SA"
