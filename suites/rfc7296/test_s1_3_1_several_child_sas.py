"""RFC 7296, 1.3.1: several Child SAs under one IKE SA, each with selectors of its own."""

from peers.reference.numbers import ExchangeType, NotifyType, ProtocolId
from peers.reference.payloads import SA, Delete, Nonce, Notify, TSi, TSr
from suites.judge import as_responder, requirement, turned_red_by, twin_of
from suites.terms import arranged, two_child_sas

TWO = arranged(two_child_sas)


def add_second(peer):
    """Ask for the second Child SA, and give it."""
    request = peer.create_child_sa(name="second")
    response = peer.exchange(request)
    assert response.has(SA, Nonce, TSi, TSr), f"a second Child SA was refused: {response}"
    return peer.take_up_child(request, response, "second")


@TWO
@requirement("rfc7296-1.3.1-several-children-side-by-side", "rfc4303-2.1-sa-found-by-spi")
@turned_red_by(
    "sends-on-first-child", "derives-later-child-from-first-nonces", "repeats-spi-of-rekeyed-child"
)
def test_each_child_sa_carries_its_own_traffic(established):
    """
    peer                                        target (two policies)
    HDR, SK {SA, Ni, TSi(second), TSr}  -->
                                        <--     HDR, SK {SA, Nr, TSi(second), TSr}
    ESP of the first {echo request}     -->
                                        <--     ESP of the first {echo reply}
    ESP of the second {echo request}    -->
                                        <--     ESP of the second {echo reply}
    """
    first = established.child
    second = add_second(established)

    for child in (first, second):
        with established.using(child):
            reply = established.heard_echo()
        assert reply.child is child, "the reply came through the other Child SA"


@TWO
@as_responder
@requirement("rfc7296-1.3.1-several-children-side-by-side")
@turned_red_by("names-old-child-in-new-request", "derives-later-child-from-first-nonces")
def test_target_asks_for_a_second_child_sa_without_a_new_ike_sa(accepted, target):
    """
    peer                                        target (two policies)
                                        <--     HDR, SK {SA, Ni, TSi, TSr(second)}
    HDR, SK {SA, Nr, TSi, TSr(second)}  -->
    ESP of each {echo request}          -->
                                        <--     ESP of the same {echo reply}
    """
    first = accepted.child
    target.create_child("second")
    request = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)

    assert NotifyType.REKEY_SA not in request.notifies, "a new Child SA that names an old one"
    accepted.answer(request, accepted.grant_child(request))
    for child in (first, accepted.child):
        with accepted.using(child):
            assert accepted.echo(), f"the Child SA {child.name} carries no traffic"


@TWO
@requirement("rfc7296-1.3.1-several-children-side-by-side", "rfc7296-1.4.1-delete-obeyed")
@turned_red_by("deletes-all-children", "derives-later-child-from-first-nonces")
def test_deleting_one_child_sa_leaves_the_other(established):
    """
    peer                                        target (two policies)
    HDR, SK {SA, Ni, TSi(second), TSr}  -->
                                        <--     HDR, SK {SA, Nr, TSi(second), TSr}
    HDR, SK {D(ESP, SPI of the first)}  -->
                                        <--     HDR, SK {D(ESP, SPI of the first)}
    ESP of the second {echo request}    -->
                                        <--     ESP of the second {echo reply}
    """
    first = established.child
    second = add_second(established)
    response = established.close_child(first)

    deletes = response.all(Delete)
    assert deletes == (Delete(ProtocolId.ESP, (first.outbound.spi,)),), f"answered by {response}"
    with established.using(second):
        assert established.echo(), "the second Child SA went with the first"


@TWO
@requirement(
    "rfc7296-1.3.1-several-children-side-by-side", "rfc7296-1.3.3-rekey-granted-makes-new-child"
)
@turned_red_by(
    "deletes-all-children", "derives-later-child-from-first-nonces", "repeats-spi-of-rekeyed-child"
)
def test_rekeying_one_child_sa_leaves_the_other(established):
    """
    peer                                        target (two policies)
    HDR, SK {SA, Ni, TSi(second), TSr}  -->
                                        <--     HDR, SK {SA, Nr, TSi(second), TSr}
    HDR, SK {N(REKEY_SA, first), SA, Ni, TSi, TSr} -->
                                        <--     HDR, SK {SA, Nr, TSi, TSr}
    HDR, SK {D(ESP, SPI of the first)}  -->
                                        <--     HDR, SK {D(ESP, SPI of the first)}
    ESP of each {echo request}          -->
                                        <--     ESP of the same {echo reply}
    """
    first = established.child
    second = add_second(established)
    request = established.rekey_child_sa(first)
    new = established.take_up_child(request, established.exchange(request))
    established.close_child(first)

    for child in (second, new):
        with established.using(child):
            assert established.echo(), f"the Child SA {child.name} carries no traffic"


@TWO
@as_responder
@requirement("rfc7296-1.3.1-several-children-side-by-side", "rfc7296-1.3.3-rekey-names-child")
@turned_red_by("names-rekeyed-child-by-peers-spi", "rekeys-another-child")
def test_target_names_that_one_of_its_child_sas_which_it_rekeys(accepted, target):
    """
    peer                                        target (two policies)
                                        <--     HDR, SK {SA, Ni, TSi, TSr(second)}
    HDR, SK {SA, Nr, TSi, TSr(second)}  -->
                                        <--     HDR, SK {N(REKEY_SA, first), SA, Ni, TSi, TSr}
    HDR, SK {SA, Nr, TSi, TSr}          -->
    """
    first = accepted.child
    target.create_child("second")
    request = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)
    accepted.answer(request, accepted.grant_child(request))
    accepted.exchange(accepted.informational())
    target.rekey_child()
    rekey = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)

    named = rekey.notify(NotifyType.REKEY_SA).spi
    assert named == first.outbound.spi, f"REKEY_SA names {named.hex()}"
    accepted.answer(rekey, accepted.grant_child(rekey))
    assert accepted.echo(), "the new Child SA carries no traffic"


@TWO
@as_responder
@requirement("rfc7296-1.3-no-additional-sas-keeps-what-there-is")
@turned_red_by("ends-ike-sa-without-further-child")
def test_target_that_gets_no_second_child_sa_keeps_the_first(accepted, target):
    """
    peer                                        target (two policies)
                                        <--     HDR, SK {SA, Ni, TSi, TSr(second)}
    HDR, SK {N(NO_ADDITIONAL_SAS)}      -->
    HDR, SK {}                          -->
                                        <--     HDR, SK {}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    target.create_child("second")
    request = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)
    accepted.answer(request, accepted.reply(request, Notify(NotifyType.NO_ADDITIONAL_SAS)))

    accepted.exchange(accepted.informational())
    assert accepted.echo(), "the first Child SA is gone"


@TWO
@as_responder
@twin_of(test_target_that_gets_no_second_child_sa_keeps_the_first)
@requirement("rfc7296-1.3.1-several-children-side-by-side")
@turned_red_by("deletes-child-by-peers-spi", "derives-later-child-from-first-nonces")
def test_target_deletes_one_of_its_child_sas_and_keeps_the_other(accepted, target):
    """
    peer                                        target (two policies)
                                        <--     HDR, SK {SA, Ni, TSi, TSr(second)}
    HDR, SK {SA, Nr, TSi, TSr(second)}  -->
                                        <--     HDR, SK {D(ESP, its SPI of the first)}
    HDR, SK {D(ESP, our SPI of the first)} -->
    ESP of the second {echo request}    -->
                                        <--     ESP of the second {echo reply}
    """
    first = accepted.child
    target.create_child("second")
    request = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)
    accepted.answer(request, accepted.grant_child(request))
    accepted.exchange(accepted.informational())
    target.delete_child()
    deletion = accepted.hear_request(ExchangeType.INFORMATIONAL)

    deletes = deletion.all(Delete)
    assert deletes == (Delete(ProtocolId.ESP, (first.outbound.spi,)),), f"it asks {deletion}"
    accepted.answer(deletion, accepted.reply(deletion, *accepted.deleted(deletion)))
    assert accepted.echo(), "the second Child SA carries no traffic"
