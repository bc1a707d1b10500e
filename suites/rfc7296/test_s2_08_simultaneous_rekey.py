"""RFC 7296, 2.8, 2.8.1 and 2.8.2: both sides replace the same SA at the same time.

The target's request is heard and its answer withheld while ours is answered: so each side has a
request under way, in every run. Nonces of our own decide which successor is to stay.
"""

from peers.reference.numbers import ExchangeType
from peers.reference.payloads import KE, SA, Delete, Nonce, TSi, TSr
from suites.judge import as_responder, requirement, turned_red_by, twin_of

LOW, HIGH = bytes(32), b"\xff" * 32


def _both_rekey_the_child_sa(peer, target, ours, theirs):
    """Let both requests be answered; give the old Child SA, ours and the target's."""
    old = peer.child
    target.rekey_child()
    asked = peer.hear_request(ExchangeType.CREATE_CHILD_SA)
    peer.remark("the answer is withheld until our own request is answered")
    request = peer.rekey_child_sa(old, nonce=ours)
    response = peer.exchange(request)
    assert response.has(SA, Nonce, TSi, TSr), f"a rekey at the same time is refused: {response}"
    made = peer.take_up_child(request, response)
    peer.answer(asked, peer.grant_child(asked, nonce=theirs))
    return old, made, peer.ike.children[-1]


def _hear_deletion(peer, child):
    """Hear the target's Delete of a Child SA, and answer it."""
    deletion = peer.hear_request(ExchangeType.INFORMATIONAL)
    named = [spi for delete in deletion.all(Delete) for spi in delete.spis]
    peer.answer(deletion, peer.reply(deletion, *peer.deleted(deletion)))
    assert named == [child.outbound.spi], f"the target deletes another Child SA: {deletion}"


@as_responder
@requirement("rfc7296-2.8.1-lowest-nonce-closed", "rfc7296-2.25.1-rekey-while-rekeying-granted")
@turned_red_by("keeps-the-sa-with-the-lowest-nonce", "derives-later-child-from-first-nonces")
def test_target_closes_its_successor_of_a_child_sa_when_it_has_the_lowest_nonce(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {N(REKEY_SA), SA, Ni2, TSi, TSr}
    HDR, SK {N(REKEY_SA), SA, Ni1, TSi, TSr} -->
                                        <--     HDR, SK {SA, Nr1, TSi, TSr}
    HDR, SK {SA, Nr2 (lowest), TSi, TSr} -->
                                        <--     HDR, SK {D(ESP, its new SPI)}
    HDR, SK {D(ESP, old SPI)}           -->
    ESP of the peer's new SA {echo request} -->
                                        <--     ESP {echo reply}
    """
    old, ours, theirs = _both_rekey_the_child_sa(accepted, target, HIGH, LOW)

    _hear_deletion(accepted, theirs)
    accepted.close_child(old)
    assert accepted.child is ours
    assert accepted.echo(), "the Child SA that is to stay carries no traffic"


@as_responder
@twin_of(test_target_closes_its_successor_of_a_child_sa_when_it_has_the_lowest_nonce)
@requirement("rfc7296-2.8.1-lowest-nonce-closed", "rfc7296-2.8.1-winner-deletes-old")
@turned_red_by("keeps-the-sa-with-the-lowest-nonce", "derives-later-child-from-first-nonces")
def test_target_closes_the_old_child_sa_when_ours_has_the_lowest_nonce(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {N(REKEY_SA), SA, Ni2, TSi, TSr}
    HDR, SK {N(REKEY_SA), SA, Ni1 (lowest), TSi, TSr} -->
                                        <--     HDR, SK {SA, Nr1, TSi, TSr}
    HDR, SK {SA, Nr2, TSi, TSr}         -->
                                        <--     HDR, SK {D(ESP, its old SPI)}
    HDR, SK {D(ESP, new SPI)}           -->
    ESP of the target's new SA {echo request} -->
                                        <--     ESP {echo reply}
    """
    old, ours, theirs = _both_rekey_the_child_sa(accepted, target, LOW, HIGH)

    _hear_deletion(accepted, old)
    accepted.close_child(ours)
    assert accepted.child is theirs
    assert accepted.echo(), "the Child SA that is to stay carries no traffic"


@as_responder
@requirement("rfc7296-2.8.1-lowest-nonce-closed", "rfc7296-2.1-response-retained")
@turned_red_by("keeps-the-sa-with-the-lowest-nonce", "forgets-what-it-granted-meanwhile")
def test_crossing_rekeys_of_a_child_sa_survive_a_lost_response(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {N(REKEY_SA), SA, Ni2, TSi, TSr}
    HDR, SK {N(REKEY_SA), SA, Ni1, TSi, TSr} -->
                                        <--     HDR, SK {SA, Nr1, TSi, TSr} (is lost)
    HDR, SK {SA, Nr2 (lowest), TSi, TSr} -->
                                        <--     HDR, SK {D(ESP, its new SPI)}
    the octets of the peer's request again -->
                                        <--     HDR, SK {SA, Nr1, TSi, TSr}
    HDR, SK {D(ESP, old SPI)}           -->
    ESP of the peer's new SA {echo request} -->
                                        <--     ESP {echo reply}
    PREVENTS: a Child SA of which one half is missing (F01, F02).
    """
    old = accepted.child
    target.rekey_child()
    asked = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)
    request = accepted.rekey_child_sa(old, nonce=HIGH)
    octets = accepted.ike.encode(request)
    accepted.repeated_response(request, octets)
    accepted.ike.next_request_id += 1
    accepted.remark("the response counts as lost")
    accepted.answer(asked, accepted.grant_child(asked, nonce=LOW))
    theirs = accepted.ike.children[-1]

    _hear_deletion(accepted, theirs)
    response = accepted.repeated_response(request, octets).message
    assert response.has(SA, Nonce, TSi, TSr), f"a rekey at the same time is refused: {response}"
    ours = accepted.take_up_child(request, response)
    accepted.close_child(old)
    assert accepted.child is ours
    assert accepted.echo(), "the Child SA that is to stay carries no traffic"


@as_responder
@requirement("rfc7296-2.8.1-either-sa-receives")
@turned_red_by("receives-on-newest-child-only", "derives-later-child-from-first-nonces")
def test_every_child_sa_receives_while_there_are_several(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {N(REKEY_SA), SA, Ni2, TSi, TSr}
    HDR, SK {N(REKEY_SA), SA, Ni1, TSi, TSr} -->
                                        <--     HDR, SK {SA, Nr1, TSi, TSr}
    ESP of the old SA {echo request}    -->
                                        <--     ESP {echo reply}
    ESP of the new SA {echo request}    -->
                                        <--     ESP {echo reply}
    """
    old = accepted.child
    target.rekey_child()
    asked = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)
    request = accepted.rekey_child_sa(old)
    made = accepted.take_up_child(request, accepted.exchange(request))

    for child in (old, made):
        with accepted.using(child):
            assert accepted.echo(), "a Child SA that is not closed receives nothing"
    accepted.answer(asked, accepted.grant_child(asked))


def _both_rekey_the_ike_sa(peer, target, ours, theirs):
    """Let both requests be answered; give the old IKE SA, ours and the target's."""
    old = peer.ike
    target.rekey_ike()
    asked = peer.hear_request(ExchangeType.CREATE_CHILD_SA)
    peer.remark("the answer is withheld until our own request is answered")
    made, request = peer.rekey_ike(nonce=ours)
    response = peer.exchange(request)
    assert response.has(SA, Nonce, KE), f"a rekey at the same time is refused: {response}"
    peer.agree_ike(made, request, response)
    granted, _ = peer.answer_ike(asked, theirs)
    return old, made, granted


def _hear_ike_deletion(peer, sa):
    """Hear the target's Delete of an IKE SA, and answer it."""
    deletion = peer.hear_request(ExchangeType.INFORMATIONAL)
    peer.answer(deletion, peer.reply(deletion))
    named = (deletion.spi_i, len(deletion.all(Delete)))
    assert named == (sa.spi_i, 1), f"the target deletes another IKE SA: {deletion}"


@as_responder
@requirement("rfc7296-2.8.2-lowest-nonce-closed", "rfc7296-2.8.2-heir-has-the-children")
@turned_red_by("keeps-the-sa-with-the-lowest-nonce", "rekeys-ike-sa-without-old-key")
def test_target_closes_its_successor_of_the_ike_sa_when_it_has_the_lowest_nonce(accepted, target):
    """
    peer                                        target
                                        <--     HDR(old), SK {SA, Ni2, KEi2}
    HDR(old), SK {SA, Ni1, KEi1}        -->
                                        <--     HDR(old), SK {SA, Nr1, KEr1}
    HDR(old), SK {SA, Nr2 (lowest), KEr2} -->
                                        <--     HDR(the target's), SK {D(IKE)}
    HDR(old), SK {D(IKE)}               -->
    HDR(the peer's, ID 0), SK {}        -->
                                        <--     HDR(the peer's, ID 0), SK {}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    old, ours, theirs = _both_rekey_the_ike_sa(accepted, target, HIGH, LOW)

    _hear_ike_deletion(accepted, theirs)
    accepted.follow_ike(ours)
    accepted.close_ike(old)
    assert accepted.is_answered(accepted.informational()), "the heir does not answer"
    assert accepted.echo(), "the Child SA did not move to the heir"
    _assert_child_can_be_rekeyed(accepted)


@as_responder
@twin_of(test_target_closes_its_successor_of_the_ike_sa_when_it_has_the_lowest_nonce)
@requirement("rfc7296-2.8.2-lowest-nonce-closed", "rfc7296-2.8.2-heir-has-the-children")
@turned_red_by("keeps-the-sa-with-the-lowest-nonce", "rekeys-ike-sa-without-old-key")
def test_target_closes_the_old_ike_sa_when_ours_has_the_lowest_nonce(accepted, target):
    """
    peer                                        target
                                        <--     HDR(old), SK {SA, Ni2, KEi2}
    HDR(old), SK {SA, Ni1 (lowest), KEi1} -->
                                        <--     HDR(old), SK {SA, Nr1, KEr1}
    HDR(old), SK {SA, Nr2, KEr2}        -->
                                        <--     HDR(old), SK {D(IKE)}
    HDR(the peer's), SK {D(IKE)}        -->
    HDR(the target's, ID 0), SK {}      -->
                                        <--     HDR(the target's, ID 0), SK {}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    old, ours, theirs = _both_rekey_the_ike_sa(accepted, target, LOW, HIGH)

    _hear_ike_deletion(accepted, old)
    accepted.follow_ike(theirs)
    accepted.close_ike(ours)
    assert accepted.is_answered(accepted.informational()), "the heir does not answer"
    assert accepted.echo(), "the Child SA did not move to the heir"
    _assert_child_can_be_rekeyed(accepted)


def _assert_child_can_be_rekeyed(peer):
    """See that the heir has the Child SA: it can be replaced there."""
    request = peer.rekey_child_sa()
    response = peer.exchange(request)
    assert response.has(SA, Nonce, TSi, TSr), f"the heir does not know the Child SA: {response}"
