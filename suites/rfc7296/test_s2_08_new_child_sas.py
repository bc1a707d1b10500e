"""RFC 7296, 2.8: new Child SAs take packets at once; new IKE SAs take care of Child SAs."""

import pytest

from peers.reference.numbers import ExchangeType
from suites.judge import as_responder, requirement, turned_red_by
from suites.terms import arranged, two_child_sas

TIMES = 3
"""A packet may be lost in the lab once; hardly the first one of each Child SA."""


@pytest.mark.parametrize("rekeys", [False, True], ids=["another", "successor"])
@requirement("rfc7296-2.8-child-ready-before-response")
@turned_red_by("drops-first-packet-of-a-child")
def test_first_packet_on_a_new_child_sa_is_delivered(established, rekeys):
    """
    peer                                        target
    HDR, SK {[N(REKEY_SA),] SA, Ni, TSi, TSr} -->
                                        <--     HDR, SK {SA, Nr, TSi, TSr}
    ESP(sequence number 1) {echo request} -->
                                        <--     ESP {echo reply}
    PREVENTS: a responder that answers before its kernel has the SA.
    """
    delivered = 0
    for _ in range(TIMES):
        request = established.rekey_child_sa() if rekeys else established.create_child_sa()
        established.take_up_child(request, established.exchange(request))
        first = established.echo_request()
        delivered += established.delivered(first, established.seal(first))

    assert delivered, f"of {TIMES} new Child SAs the first packet was never delivered"


@arranged(two_child_sas)
@as_responder
@requirement("rfc7296-1.3.2-nothing-new-on-the-old-ike-sa", "rfc7296-1.4-control-under-successor")
@turned_red_by("asks-on-the-replaced-ike-sa")
def test_target_asks_under_the_ike_sa_that_replaced_the_old_one(accepted, target):
    """
    peer                                        target
    HDR, SK {SA, Ni, KEi}               -->
                                        <--     HDR, SK {SA, Nr, KEr}
                                        <--     HDR(new IKE SA), SK {SA, Ni, TSi, TSr(second)}
    HDR(new IKE SA), SK {SA, Nr, TSi, TSr} -->
                                        <--     HDR(new IKE SA), SK {D(ESP)}
    """
    old = accepted.ike
    new, request = accepted.rekey_ike()
    accepted.take_up_ike(new, request, accepted.exchange(request))
    accepted.remark("the old IKE SA is not deleted yet")

    target.create_child("second")
    asked = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)
    assert asked.spi_i == new.spi_i, "a new Child SA is asked for on the IKE SA that is replaced"
    accepted.answer(asked, accepted.grant_child(asked))
    target.delete_child()
    deleted = accepted.hear_request(ExchangeType.INFORMATIONAL)
    assert deleted.spi_i == new.spi_i, "a Delete of a Child SA under the IKE SA that is replaced"
    accepted.answer(deleted, accepted.reply(deleted, *accepted.deleted(deleted)))
    accepted.close_ike(old)
