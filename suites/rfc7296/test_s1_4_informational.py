"""RFC 7296, 1.4 and 1.4.1: INFORMATIONAL exchanges, liveness, deletion."""

import pytest

from peers.reference.errors import PeerError
from peers.reference.numbers import ExchangeType, ProtocolId
from peers.reference.payloads import Delete
from suites.judge import as_responder, requirement, turned_red_by


@requirement("rfc7296-1.4-informational-answered")
@turned_red_by("answers-liveness-with-vendor-id")
def test_liveness_check_is_answered_with_nothing(established):
    """
    peer                                        target
    HDR, SK {}                          -->
                                        <--     HDR, SK {}
    """
    response = established.exchange(established.informational())

    assert response.protected, "the response is not protected"
    assert response.payloads == (), "the response to an empty request is not empty"


@pytest.mark.parametrize("liveness_delay", [1.0], ids=["after-1s"])
@as_responder
@requirement("rfc7296-1.4-empty-request-is-liveness")
@turned_red_by("fills-its-liveness-checks")
def test_target_checks_liveness_with_an_empty_request(accepted):
    """
    peer                                        target (checks after 1 s of silence)
                                        <--     HDR, SK {}
    HDR, SK {}                          -->
    """
    request = accepted.hear_request(ExchangeType.INFORMATIONAL)

    assert request.protected, "a liveness check in the clear"
    assert request.payloads == (), "a liveness check carries payloads"
    accepted.answer(request, accepted.reply(request))


@requirement("rfc7296-1.4.1-delete-answered-with-paired-spi")
@turned_red_by("answers-delete-with-peers-spi")
def test_deleted_child_sa_is_answered_with_the_paired_spi(established):
    """
    peer                                        target
    HDR, SK {D(ESP, SPI of the peer)}   -->
                                        <--     HDR, SK {D(ESP, SPI of the target)}
    """
    child = established.child
    ours = Delete(ProtocolId.ESP, (child.inbound.spi,))

    response = established.exchange(established.informational(ours))

    assert response.all(Delete) == (Delete(ProtocolId.ESP, (child.outbound.spi,)),)


@requirement("rfc7296-3.11-several-deletes")
@turned_red_by("restarts-at-several-deletes", "answers-delete-with-peers-spi")
def test_two_deletes_of_a_request_both_count(established):
    """
    peer                                        target
    HDR, SK {D(AH, an SPI of no SA), D(ESP, SPI of the peer)} -->
                                        <--     HDR, SK {D(ESP, SPI of the target)}
    HDR, SK {}                          -->
                                        <--     HDR, SK {}
    PREVENTS: a daemon that a second Delete payload ends (F63).
    """
    child = established.child
    ours = Delete(ProtocolId.ESP, (child.inbound.spi,))
    stranger = Delete(ProtocolId.AH, (b"\x0a\x0b\x0c\x0d",))

    response = established.exchange(established.informational(stranger, ours))

    named = [(each.protocol, spi) for each in response.all(Delete) for spi in each.spis]
    assert named == [(ProtocolId.ESP, child.outbound.spi)], f"answered by {response}"
    established.forget_child(child)
    assert established.is_answered(established.informational()), "the IKE SA is gone"


@requirement("rfc7296-1.4.1-both-directions-closed")
@turned_red_by(
    "keeps-deleted-child", "derives-later-child-from-first-nonces", "repeats-spi-of-rekeyed-child"
)
def test_deleted_child_sa_delivers_nothing_more(established):
    """
    peer                                        target
    HDR, SK {D(ESP, SPI of the peer)}   -->
                                        <--     HDR, SK {D(ESP, SPI of the target)}
    HDR, SK {SAi2, Ni, TSi, TSr}        -->
                                        <--     HDR, SK {SAr2, Nr, TSi, TSr}
    ESP of the deleted SA {echo request} -->
    ESP of the new SA {echo request}    -->
                                        <--     ESP of the new SA {echo reply}
    """
    old = established.child
    late = established.echo_request()
    stale = established.seal(late)
    established.exchange(established.informational(Delete(ProtocolId.ESP, (old.inbound.spi,))))
    request = established.create_child_sa()
    established.take_up_child(request, established.exchange(request))

    delivered = established.delivered(late, stale, "ESP of a deleted Child SA")

    assert not delivered, "ESP of a deleted Child SA was delivered"


@requirement("rfc7296-1.4.1-ike-delete-empty-response")
@turned_red_by("answers-ike-delete-with-delete")
def test_deleted_ike_sa_is_answered_with_nothing(established):
    """
    peer                                        target
    HDR, SK {D(IKE)}                    -->
                                        <--     HDR, SK {}
    """
    response = established.exchange(established.informational(Delete(ProtocolId.IKE)))

    assert response.payloads == (), f"the response is not empty: {response}"


@requirement("rfc7296-1.4.1-ike-delete-closes-children")
@turned_red_by("keeps-deleted-ike-sa")
def test_deleted_ike_sa_answers_nothing_more(established, target):
    """
    peer                                        target
    HDR, SK {D(IKE)}                    -->
                                        <--     HDR, SK {}
    HDR, SK {}                          -->
                                                nothing that is protected
    HDR, SAi1, KEi, Ni (fence)          -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    established.exchange(established.informational(Delete(ProtocolId.IKE)))
    established.ike.children.clear()

    reactions = established.reactions(established.informational())

    assert not [reaction for reaction in reactions if reaction.protected], "the IKE SA lives on"
    assert not target.established(), "the target still lists the IKE SA"


@as_responder
@requirement("rfc7296-1.4.1-delete-names-inbound-spi")
@turned_red_by("deletes-child-by-peers-spi")
def test_target_deletes_its_child_sa_by_the_spi_it_chose(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {D(ESP, SPI of the target)}
    HDR, SK {D(ESP, SPI of the peer)}   -->
    """
    child = accepted.child
    target.delete_child()
    request = accepted.hear_request(ExchangeType.INFORMATIONAL)

    assert request.all(Delete) == (Delete(ProtocolId.ESP, (child.outbound.spi,)),)
    accepted.answer(request, accepted.reply(request, *accepted.deleted(request)))
    accepted.exchange(accepted.informational())


@as_responder
@requirement("rfc7296-3.11-delete-form")
@turned_red_by("deletes-ike-sa-with-spi")
def test_target_deletes_its_ike_sa_without_an_spi(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {D(IKE, no SPI)}
    HDR, SK {}                          -->
    """
    target.delete_ike()
    request = accepted.hear_request(ExchangeType.INFORMATIONAL)

    deletes = [delete for delete in request.all(Delete) if delete.protocol == ProtocolId.IKE]
    if not deletes:
        raise PeerError(f"the target closed its IKE SA without a Delete of it: {request}")
    assert deletes == [Delete(ProtocolId.IKE)], f"a Delete of the IKE SA with an SPI: {request}"
    accepted.answer(request, accepted.reply(request))
