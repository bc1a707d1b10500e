"""RFC 7296, 2.3: what the target asks while it waits for a response."""

import pytest

from peers.reference.numbers import ExchangeType, NotifyType
from suites.judge import as_responder, requirement, turned_red_by, twin_of
from suites.terms import arranged, two_child_sas

TWO = arranged(two_child_sas)
CREATE_CHILD_SA = ExchangeType.CREATE_CHILD_SA


def _ask_for_two_things(peer, target):
    """Have the target rekey one Child SA and make another; give the first of its requests."""
    target.rekey_child()
    first = peer.hear_request(ExchangeType.CREATE_CHILD_SA)
    peer.remark("the answer is withheld")
    target.create_child("second")
    return first


@TWO
@as_responder
@requirement("rfc7296-2.3-one-request-outstanding")
@turned_red_by("ignores-the-window-of-its-peer")
def test_target_has_one_request_out_at_a_time(accepted, target):
    """
    peer                                        target
                                        <--     HDR(ID n), SK {N(REKEY_SA), SA, Ni, TSi, TSr}
                                                no other request
    HDR, SAi1, KEi, Ni (fence)          -->
                                        <--     HDR, SAr1, KEr, Nr
    HDR(ID n), SK {SA, Nr, TSi, TSr}    -->
    """
    first = _ask_for_two_things(accepted, target)
    accepted.fence()

    asked = [each for each in accepted.reactions_so_far() if not each.response]
    accepted.answer(first, accepted.grant_child(first))
    others = [each for each in asked if each.message_id != first.message_id]
    assert not others, f"a second request before the first is answered: {others[0]}"


@TWO
@as_responder
@twin_of(test_target_has_one_request_out_at_a_time)
@requirement("rfc7296-1.3.1-several-children-side-by-side")
@turned_red_by("derives-later-child-from-first-nonces")
def test_what_waited_is_asked_when_the_first_request_is_answered(accepted, target):
    """
    peer                                        target
                                        <--     HDR(ID n), SK {N(REKEY_SA), SA, Ni, TSi, TSr}
    HDR(ID n), SK {SA, Nr, TSi, TSr}    -->
                                        <--     HDR(ID n+1), SK {D(ESP, its old SPI)}
                                        <--     HDR(later), SK {SA, Ni, TSi, TSr(second)}
    HDR(later), SK {SA, Nr, TSi, TSr}   -->
    ESP of the second {echo request}    -->
                                        <--     ESP of the second {echo reply}
    """
    first = _ask_for_two_things(accepted, target)
    accepted.answer(first, accepted.grant_child(first))
    second = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)

    assert NotifyType.REKEY_SA not in second.notifies, "the rekey is asked for again"
    accepted.answer(second, accepted.grant_child(second))
    assert accepted.child.name == "second"
    assert accepted.echo(), "the second Child SA carries no traffic"


@pytest.mark.parametrize("asks", ["rekey_child", "rekey_ike", "delete_child"])
@as_responder
@requirement("rfc7296-2.3-request-accepted-while-own-outstanding")
@turned_red_by("waits-for-its-own-answer-first")
def test_target_answers_while_its_own_request_is_unanswered(accepted, target, asks):
    """
    peer                                        target
                                        <--     HDR(ID n), SK {a request of its own}
    HDR(ID m), SK {}                    -->
                                        <--     HDR(ID m), SK {}
    PREVENTS: two sides that wait for each other.
    """
    getattr(target, asks)()
    exchange = ExchangeType.INFORMATIONAL if asks == "delete_child" else CREATE_CHILD_SA
    accepted.hear_request(exchange)
    accepted.remark("the answer is withheld")

    response = accepted.exchange(accepted.informational())

    assert response.protected, f"no answer under the IKE SA: {response}"
