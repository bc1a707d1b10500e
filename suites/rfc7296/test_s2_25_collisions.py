"""RFC 7296, 1.4.1, 2.25.1 and 2.25.2: requests that meet what the other side is just doing.

The target is told to do something; its request is heard, and not answered before ours is.
"""

import pytest

from peers.reference.numbers import ExchangeType, NotifyType, ProtocolId
from peers.reference.payloads import SA, Delete, Nonce, Notify, TSi, TSr
from suites.judge import as_responder, differs, requirement, turned_red_by, twin_of

UNKNOWN_SPI = b"\x01\x02\x03\x04"


def assert_put_off(response):
    """See that a request has to wait: that it is refused in another way differs."""
    assert not response.has(SA), f"granted in spite of what is going on: {response}"
    if NotifyType.TEMPORARY_FAILURE not in response.notifies:
        differs(f"refused, but not with TEMPORARY_FAILURE: {response}")


def rekey_of_ike(peer):
    """Build a rekey of the IKE SA that nothing shall come of."""
    return peer.rekey_ike()[1]


# A Child SA is being closed.


@as_responder
@requirement("rfc7296-1.4.1-crossed-deletes-without-delete")
@turned_red_by("names-closed-child-twice")
def test_deletes_of_a_child_sa_that_cross_are_answered_without_delete(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {D(ESP, its SPI)}
    HDR, SK {D(ESP, our SPI)}           -->
                                        <--     HDR, SK {}
    HDR, SK {}                          -->
    """
    child = accepted.child
    target.delete_child()
    deletion = accepted.hear_request(ExchangeType.INFORMATIONAL)

    response = accepted.close_child(child)

    accepted.answer(deletion, accepted.reply(deletion))
    assert not response.has(Delete), f"a Delete is answered twice over: {response}"
    assert accepted.is_answered(accepted.informational()), "the IKE SA is gone"


@as_responder
@twin_of(test_deletes_of_a_child_sa_that_cross_are_answered_without_delete)
@requirement("rfc7296-1.4.1-both-directions-closed")
@turned_red_by("derives-later-child-from-first-nonces")
def test_after_deletes_that_crossed_a_new_child_sa_takes_the_traffic(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {D(ESP, its SPI)}
    HDR, SK {D(ESP, our SPI)}           -->
                                        <--     HDR, SK {}
    HDR, SK {}                          -->
    HDR, SK {SA, Ni, TSi, TSr}          -->
                                        <--     HDR, SK {SA, Nr, TSi, TSr}
    ESP of the new SA {echo request}    -->
                                        <--     ESP of the new SA {echo reply}
    """
    target.delete_child()
    deletion = accepted.hear_request(ExchangeType.INFORMATIONAL)
    accepted.close_child(accepted.child)
    accepted.answer(deletion, accepted.reply(deletion))
    request = accepted.create_child_sa()
    response = accepted.exchange(request)

    assert response.has(SA, Nonce, TSi, TSr), f"a new Child SA is refused: {response}"
    accepted.take_up_child(request, response)
    assert accepted.heard_echo().child is accepted.child, "the reply came through the old Child SA"


@as_responder
@requirement("rfc7296-2.25.1-rekey-while-closing-put-off")
@turned_red_by("never-puts-a-request-off", "refuses-instead-of-putting-off")
def test_rekey_of_a_child_sa_that_is_being_closed_is_put_off(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {D(ESP, its SPI)}
    HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr} -->
                                        <--     HDR, SK {N(TEMPORARY_FAILURE)}
    HDR, SK {D(ESP, our SPI)}           -->
    """
    target.delete_child()
    deletion = accepted.hear_request(ExchangeType.INFORMATIONAL)

    response = accepted.exchange(accepted.rekey_child_sa())

    accepted.answer(deletion, accepted.reply(deletion, *accepted.deleted(deletion)))
    assert_put_off(response)


@as_responder
@requirement("rfc7296-2.25.1-ike-rekey-while-child-changes-put-off")
@turned_red_by("never-puts-a-request-off", "refuses-instead-of-putting-off")
def test_rekey_of_the_ike_sa_waits_for_a_child_sa_that_is_being_closed(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {D(ESP, its SPI)}
    HDR, SK {SA, Ni, KEi}               -->
                                        <--     HDR, SK {N(TEMPORARY_FAILURE)}
    HDR, SK {D(ESP, our SPI)}           -->
    """
    target.delete_child()
    deletion = accepted.hear_request(ExchangeType.INFORMATIONAL)

    response = accepted.exchange(rekey_of_ike(accepted))

    accepted.answer(deletion, accepted.reply(deletion, *accepted.deleted(deletion)))
    assert_put_off(response)


# A Child SA is being rekeyed.


@as_responder
@requirement("rfc7296-2.25.1-ike-rekey-while-child-changes-put-off")
@turned_red_by("never-puts-a-request-off", "refuses-instead-of-putting-off")
def test_rekey_of_the_ike_sa_waits_for_a_child_sa_that_is_being_rekeyed(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr}
    HDR, SK {SA, Ni, KEi}               -->
                                        <--     HDR, SK {N(TEMPORARY_FAILURE)}
    HDR, SK {SA, Nr, TSi, TSr}          -->
    """
    target.rekey_child()
    asked = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)

    response = accepted.exchange(rekey_of_ike(accepted))

    accepted.answer(asked, accepted.grant_child(asked))
    accepted.fence()
    assert_put_off(response)


@as_responder
@requirement("rfc7296-2.25.1-delete-while-rekeying-obeyed")
@turned_red_by("answers-delete-with-peers-spi")
def test_delete_of_a_child_sa_that_is_being_rekeyed_is_answered_as_usual(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr}
    HDR, SK {D(ESP, our SPI)}           -->
                                        <--     HDR, SK {D(ESP, its SPI)}
    HDR, SK {N(CHILD_SA_NOT_FOUND)}     -->
    """
    child = accepted.child
    target.rekey_child()
    asked = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)

    response = accepted.close_child(child)

    accepted.answer(asked, accepted.reply(asked, _not_found(child.outbound.spi)))
    expected = (Delete(ProtocolId.ESP, (child.outbound.spi,)),)
    assert response.all(Delete) == expected, f"answered otherwise: {response}"


@as_responder
@requirement("rfc7296-2.8-old-sa-closed-after-new")
@turned_red_by("closes-heir-with-old-child", "derives-later-child-from-first-nonces")
def test_a_delete_right_behind_the_response_closes_the_old_child_sa_only(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr}
    HDR, SK {SA, Nr, TSi, TSr}          -->
    HDR, SK {D(ESP, our old SPI)}       -->
                                        <--     HDR, SK {...}
    ESP of the new SA {echo request}    -->
                                        <--     ESP of the new SA {echo reply}
    PREVENTS: a response and a request that are taken up in the wrong order (F03).
    """
    old = accepted.child
    target.rekey_child()
    asked = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)
    accepted.answer(asked, accepted.grant_child(asked))

    accepted.exchange(accepted.deletion(old))

    assert accepted.child is not old
    assert accepted.echo(), "the new Child SA carries no traffic"


# The IKE SA is being rekeyed.


@pytest.mark.parametrize("rekeys", [False, True], ids=["new", "rekey"])
@as_responder
@requirement("rfc7296-2.25.2-child-while-rekeying-put-off")
@turned_red_by("never-puts-a-request-off", "refuses-instead-of-putting-off")
def test_child_sa_waits_for_an_ike_sa_that_is_being_rekeyed(accepted, target, rekeys):
    """
    peer                                        target
                                        <--     HDR, SK {SA, Ni, KEi}
    HDR, SK {[N(REKEY_SA),] SA, Ni, TSi, TSr} -->
                                        <--     HDR, SK {N(TEMPORARY_FAILURE)}
    HDR, SK {SA, Nr, KEr}               -->
    """
    target.rekey_ike()
    asked = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)

    request = accepted.rekey_child_sa() if rekeys else accepted.create_child_sa()
    response = accepted.exchange(request)

    accepted.grant_ike(asked)
    assert_put_off(response)


@as_responder
@twin_of(test_child_sa_waits_for_an_ike_sa_that_is_being_rekeyed)
@requirement("rfc7296-1.3.1-several-children-side-by-side")
@turned_red_by("derives-later-child-from-first-nonces")
def test_child_sa_is_made_once_the_ike_sa_is_rekeyed(accepted, target):
    """
    peer                                        target
                                        <--     HDR(old), SK {SA, Ni, KEi}
    HDR(old), SK {SA, Nr, KEr}          -->
    HDR(new), SK {SA, Ni, TSi, TSr}     -->
                                        <--     HDR(new), SK {SA, Nr, TSi, TSr}
    ESP of the new SA {echo request}    -->
                                        <--     ESP {echo reply}
    """
    target.rekey_ike()
    accepted.grant_ike(accepted.hear_request(ExchangeType.CREATE_CHILD_SA))
    request = accepted.create_child_sa()
    response = accepted.exchange(request)

    assert response.has(SA, Nonce, TSi, TSr), f"refused: {response}"
    accepted.take_up_child(request, response)
    assert accepted.echo(), "the new Child SA carries no traffic"


@as_responder
@requirement("rfc7296-2.25.2-child-delete-while-rekeying-obeyed")
@turned_red_by("answers-delete-with-peers-spi")
def test_delete_of_a_child_sa_does_not_wait_for_the_ike_sa(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {SA, Ni, KEi}
    HDR, SK {D(ESP, our SPI)}           -->
                                        <--     HDR, SK {D(ESP, its SPI)}
    HDR, SK {SA, Nr, KEr}               -->
    """
    child = accepted.child
    target.rekey_ike()
    asked = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)

    response = accepted.close_child(child)

    accepted.grant_ike(asked)
    expected = (Delete(ProtocolId.ESP, (child.outbound.spi,)),)
    assert response.all(Delete) == expected, f"answered otherwise: {response}"


@as_responder
@requirement(
    "rfc7296-2.25.2-close-while-rekeying-obeyed", "rfc7296-1.4.1-ike-delete-closes-children"
)
@turned_red_by("answers-ike-delete-with-delete", "keeps-deleted-ike-sa")
def test_delete_of_an_ike_sa_that_is_being_rekeyed_ends_it(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {SA, Ni, KEi}
    HDR, SK {D(IKE)}                    -->
                                        <--     HDR, SK {}
    """
    target.rekey_ike()
    accepted.hear_request(ExchangeType.CREATE_CHILD_SA)

    response = accepted.close_ike(accepted.ike)

    assert response.payloads == (), f"the response is not empty: {response}"
    accepted.fence()
    assert not target.established(), "the target still lists the IKE SA"


# The IKE SA is being closed.


@as_responder
@requirement("rfc7296-2.25.2-close-while-closing-obeyed")
@turned_red_by("answers-ike-delete-with-delete")
def test_deletes_of_an_ike_sa_that_cross_are_both_answered(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {D(IKE)}
    HDR, SK {D(IKE)}                    -->
                                        <--     HDR, SK {}
    HDR, SK {}                          -->
    """
    target.delete_ike()
    deletion = accepted.hear_request(ExchangeType.INFORMATIONAL)

    response = accepted.close_ike(accepted.ike)

    accepted.answer(deletion, accepted.reply(deletion))
    assert response.payloads == (), f"the response is not empty: {response}"
    accepted.fence()
    assert not target.established(), "the target still lists the IKE SA"


@as_responder
@requirement("rfc7296-2.25.2-ike-rekey-while-closing-put-off")
@turned_red_by("refuses-instead-of-putting-off")
def test_rekey_of_an_ike_sa_that_is_being_closed_is_put_off(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {D(IKE)}
    HDR, SK {SA, Ni, KEi}               -->
                                        <--     HDR, SK {N(TEMPORARY_FAILURE)}
    HDR, SK {}                          -->
    """
    target.delete_ike()
    deletion = accepted.hear_request(ExchangeType.INFORMATIONAL)

    response = accepted.exchange(rekey_of_ike(accepted))

    accepted.answer(deletion, accepted.reply(deletion))
    assert_put_off(response)


@as_responder
@requirement("rfc7296-2.8.2-rekeyed-ike-sa-put-off")
@turned_red_by("refuses-instead-of-putting-off")
def test_rekey_of_an_ike_sa_that_has_been_rekeyed_is_put_off(accepted, target):
    """
    peer (did not notice)                       target
                                        <--     HDR, SK {SA, Ni, KEi}
    HDR, SK {SA, Nr, KEr}               -->
                                        <--     HDR, SK {D(IKE)}
    HDR, SK {SA, Ni, KEi}               -->
                                        <--     HDR, SK {N(TEMPORARY_FAILURE)}
    HDR, SK {}                          -->
    """
    target.rekey_ike()
    accepted.answer_ike(accepted.hear_request(ExchangeType.CREATE_CHILD_SA))
    deletion = accepted.hear_request(ExchangeType.INFORMATIONAL)

    response = accepted.exchange(rekey_of_ike(accepted))

    accepted.answer(deletion, accepted.reply(deletion))
    assert_put_off(response)


# A Child SA is not there.


@requirement("rfc7296-2.25-child-not-found-sent")
@turned_red_by("calls-unknown-child-unacceptable")
def test_rekey_of_a_child_sa_that_is_not_there_is_answered_so(established):
    """
    peer                                        target
    HDR, SK {N(REKEY_SA, unknown SPI), SA, Ni, TSi, TSr} -->
                                        <--     HDR, SK {N(CHILD_SA_NOT_FOUND)}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    response = established.exchange(_rekey_of_unknown(established), "an SPI that is not there")

    assert not response.has(SA), "a Child SA that is not there was rekeyed"
    if NotifyType.CHILD_SA_NOT_FOUND not in response.notifies:
        differs(f"refused, but not with CHILD_SA_NOT_FOUND: {response}")
    assert established.echo(), "the Child SA that is there is gone"


@requirement("rfc7296-2.25-child-not-found-names-spi")
@turned_red_by("does-not-say-which-child-is-unknown", "calls-unknown-child-unacceptable")
def test_the_child_sa_that_is_not_there_is_named(established):
    """
    peer                                        target
    HDR, SK {N(REKEY_SA, unknown SPI), SA, Ni, TSi, TSr} -->
                                        <--     HDR, SK {N(CHILD_SA_NOT_FOUND, the same SPI)}
    """
    response = established.exchange(_rekey_of_unknown(established), "an SPI that is not there")

    notify = response.notify(NotifyType.CHILD_SA_NOT_FOUND)
    named = (notify.protocol, notify.spi)
    assert named == (ProtocolId.ESP, UNKNOWN_SPI), f"another Child SA is named: {notify}"


def _rekey_of_unknown(peer):
    rekey = Notify(NotifyType.REKEY_SA, b"", ProtocolId.ESP, UNKNOWN_SPI)
    return peer.create_child_sa(rekey)


def _not_found(spi):
    return Notify(NotifyType.CHILD_SA_NOT_FOUND, b"", ProtocolId.ESP, spi)


@as_responder
@requirement("rfc7296-2.25-child-not-found-starts-over")
@turned_red_by("gives-up-child-that-is-not-found", "derives-later-child-from-first-nonces")
def test_target_makes_a_new_child_sa_for_one_that_we_do_not_find(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr}
    HDR, SK {N(CHILD_SA_NOT_FOUND)}     -->
                                        <--     HDR, SK {SA, Ni, TSi, TSr}
    HDR, SK {SA, Nr, TSi, TSr}          -->
    ESP of the new SA {echo request}    -->
                                        <--     ESP of the new SA {echo reply}
    """
    old = accepted.child
    target.rekey_child()
    asked = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)
    accepted.ike.children.remove(old)
    accepted.answer(asked, accepted.reply(asked, _not_found(old.outbound.spi)))
    request = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)

    assert NotifyType.REKEY_SA not in request.notifies, "the target asks for the same again"
    accepted.answer(request, accepted.grant_child(request))
    assert accepted.echo(), "the new Child SA carries no traffic"


# TEMPORARY_FAILURE is obeyed.


@pytest.mark.parametrize("of_ike", [False, True], ids=["child", "ike"])
@as_responder
@requirement("rfc7296-2.25-no-retry-at-once")
@turned_red_by("asks-again-at-once")
def test_target_waits_after_temporary_failure(accepted, target, of_ike):
    """
    peer                                        target
                                        <--     HDR, SK {[N(REKEY_SA),] SA, Ni, ...}
    HDR, SK {N(TEMPORARY_FAILURE)}      -->
                                                nothing at once
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    (target.rekey_ike if of_ike else target.rekey_child)()
    asked = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)
    accepted.answer(asked, accepted.reply(asked, Notify(NotifyType.TEMPORARY_FAILURE)))
    accepted.fence()

    again = [
        reaction
        for reaction in accepted.reactions_so_far()
        if reaction.exchange == ExchangeType.CREATE_CHILD_SA and not reaction.response
    ]
    assert not again, f"asked again at once: {again[0]}"
    assert accepted.echo(), "the Child SA carries no traffic any more"


# Traffic moves when the other side is ready.


@requirement("rfc7296-2.8-responder-sends-on-old-sa")
@turned_red_by("sends-on-new-child-at-once")
def test_responder_of_a_rekey_sends_on_the_old_child_sa_until_the_new_one_is_used(
    established, target
):
    """
    peer                                        target
    HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr} -->
                                        <--     HDR, SK {SA, Nr, TSi, TSr}
                                        <--     ESP of the old SA {echo request}
    """
    old = established.child
    request = established.rekey_child_sa()
    established.take_up_child(request, established.exchange(request))

    target.echo()

    assert established.hear_esp().child is old, "sent on the new Child SA before it was used"


@requirement("rfc7296-2.8-old-sa-closed-after-new")
@twin_of(test_responder_of_a_rekey_sends_on_the_old_child_sa_until_the_new_one_is_used)
@turned_red_by("derives-later-child-from-first-nonces")
def test_responder_of_a_rekey_sends_on_the_new_child_sa_when_the_old_one_is_closed(
    established, target
):
    """
    peer                                        target
    HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr} -->
                                        <--     HDR, SK {SA, Nr, TSi, TSr}
    HDR, SK {D(ESP, old SPI)}           -->
                                        <--     HDR, SK {D(ESP, old SPI)}
                                        <--     ESP of the new SA {echo request}
    """
    old = established.child
    request = established.rekey_child_sa()
    new = established.take_up_child(request, established.exchange(request))
    established.close_child(old)

    target.echo()

    assert established.hear_esp().child is new, "sent on another Child SA than the new one"
