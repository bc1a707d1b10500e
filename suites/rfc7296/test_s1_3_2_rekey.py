"""RFC 7296, 1.3.2, 1.3.3 and 2.18: IKE SAs and Child SAs are replaced."""

from dataclasses import replace

from peers.reference.errors import PeerError
from peers.reference.negotiation import esp_proposal, ke, numbered, offered_groups
from peers.reference.numbers import (
    ExchangeType,
    KeyExchangeMethod,
    NotifyType,
    ProtocolId,
    TransformType,
)
from peers.reference.payloads import KE, SA, Delete, Nonce, Notify, TSi, TSr
from suites.judge import as_responder, requirement, turned_red_by
from suites.terms import AES_GCM_256, CURVE25519, ECP_256, Suite, configured, ike

ECP_ONLY = Suite((ike(AES_GCM_256, ECP_256),), (esp_proposal(AES_GCM_256),))


@requirement("rfc7296-2.18-rekeyed-ike-keys")
@turned_red_by("rekeys-ike-sa-without-old-key", "numbers-rekeyed-ike-sa-on")
def test_rekeyed_ike_sa_has_keys_from_the_old_one(established):
    """
    peer                                        target
    HDR(old), SK {SA, Ni, KEi}          -->
                                        <--     HDR(old), SK {SA, Nr, KEr}
    HDR(old), SK {D(IKE)}               -->
                                        <--     HDR(old), SK {}
    HDR(new, ID 0), SK {}               -->
                                        <--     HDR(new, ID 0), SK {}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    _rekey_ike(established)

    if not established.is_answered(established.informational()):
        raise PeerError("the new IKE SA does not answer under the keys of RFC 7296, 2.18")
    assert established.echo(), "the Child SA did not move to the new IKE SA"


def _rekey_ike(peer):
    new, request = peer.rekey_ike()
    response = peer.exchange(request)
    assert response.has(SA, Nonce, KE), f"a rekey of the IKE SA was refused: {response}"
    deletion = peer.informational(Delete(ProtocolId.IKE))
    old = peer.ike
    peer.take_up_ike(new, request, response)
    peer.exchange_on(old, deletion)


@requirement("rfc7296-1.3.2-new-ike-sa-counts-from-zero")
@turned_red_by("numbers-rekeyed-ike-sa-on", "rekeys-ike-sa-without-old-key")
def test_rekeyed_ike_sa_counts_from_zero(established):
    """
    peer                                        target
    HDR(old), SK {SA, Ni, KEi}          -->
                                        <--     HDR(old), SK {SA, Nr, KEr}
    HDR(new, ID 0), SK {}               -->
                                        <--     HDR(new, ID 0), SK {}
    HDR(new, ID 1), SK {}               -->
                                        <--     HDR(new, ID 1), SK {}
    """
    _rekey_ike(established)

    for message_id in (0, 1):
        request = established.informational()
        assert request.message_id == message_id
        assert established.is_answered(request), f"Message ID {message_id} is not answered"


@as_responder
@requirement("rfc7296-1.3.2-ike-rekey-includes-ke")
@turned_red_by("rekeys-ike-sa-without-ke")
def test_target_rekeys_its_ike_sa_with_a_new_key_exchange(accepted, target):
    """
    peer                                        target
                                        <--     HDR(old), SK {SA, Ni, KEi}
    HDR(old), SK {SA, Nr, KEr}          -->
                                        <--     HDR(old), SK {D(IKE)}
    HDR(new, ID 0), SK {}               -->
                                        <--     HDR(new, ID 0), SK {}
    """
    target.rekey_ike()
    request = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)

    assert request.has(KE), "a rekey of the IKE SA without a key exchange"
    sizes = {len(proposal.spi) for proposal in request.get(SA).proposals}
    assert sizes == {8}, f"SPIs of {sizes} octets for a new IKE SA"
    accepted.grant_ike(request)
    assert accepted.is_answered(accepted.informational()), "the new IKE SA does not answer"
    assert accepted.echo(), "the Child SA did not move to the new IKE SA"


@as_responder
@requirement("rfc7296-2.18-no-rekey-without-key-exchange")
@turned_red_by("offers-no-key-exchange-for-ike-sa")
def test_target_does_not_offer_to_rekey_its_ike_sa_without_a_key_exchange(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {SA(no group NONE), Ni, KEi}
    HDR, SK {SA, Nr, KEr}               -->
    """
    target.rekey_ike()
    request = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)
    accepted.grant_ike(request)

    for proposal in request.get(SA).proposals:
        groups = [transform.id for transform in proposal.of(TransformType.KE)]
        assert groups, "a proposal for an IKE SA without a key exchange"
        assert KeyExchangeMethod.NONE not in groups, "NONE is offered for an IKE SA"


@requirement("rfc7296-2.18-no-rekey-without-key-exchange")
@turned_red_by("grants-ike-rekey-without-key-exchange")
def test_rekey_of_the_ike_sa_without_a_key_exchange_is_refused(established):
    """
    peer                                        target
    HDR, SK {SA(NONE), Ni}              -->
                                        <--     HDR, SK {an error}
    HDR, SK {}                          -->
                                        <--     HDR, SK {}
    """
    _, request = established.rekey_ike()
    offer = SA(
        tuple(
            replace(each, transforms=(*_without_group(each), ke(KeyExchangeMethod.NONE)))
            for each in request.get(SA).proposals
        )
    )
    response = established.exchange(request.without(KE).replacing(offer))

    assert not response.has(SA), "an IKE SA was rekeyed without a key exchange"
    if NotifyType.INVALID_SYNTAX in response.notifies:
        return  # Which ends the IKE SA, as 2.21.3 has it.
    assert established.is_answered(established.informational()), "the IKE SA is gone"


def _without_group(proposal):
    return [each for each in proposal.transforms if each.type != TransformType.KE]


@configured(ECP_ONLY)
@requirement("rfc7296-1.3-child-invalid-ke-payload", "rfc7296-1.3.2-ike-rekey-includes-ke")
@turned_red_by("refuses-wrong-group-outright", "swaps-octets-of-group-asked-for")
def test_wrong_group_for_the_ike_sa_is_answered_with_the_right_one(established):
    """
    peer                                        target (allows ECP_256 only)
    HDR, SK {SA(CURVE25519, ECP_256), Ni, KEi(CURVE25519)} -->
                                        <--     HDR, SK {N(INVALID_KE_PAYLOAD, 19)}
    HDR, SK {SA(CURVE25519, ECP_256), Ni, KEi(ECP_256)} -->
                                        <--     HDR, SK {SA(ECP_256), Nr, KEr}
    HDR(new), SK {}                     -->
                                        <--     HDR(new), SK {}
    """
    refusal = established.exchange(_offer_both(established, KeyExchangeMethod.CURVE25519)[1])
    assert refusal.notify(NotifyType.INVALID_KE_PAYLOAD).data == b"\x00\x13"
    new, request = _offer_both(established, KeyExchangeMethod.ECP_256)
    response = established.exchange(request)

    assert response.has(SA, Nonce, KE), f"a rekey of the IKE SA was refused: {response}"
    old = established.ike
    established.take_up_ike(new, request, response)
    established.close_ike(old)
    assert established.is_answered(established.informational()), "the new IKE SA does not answer"


def _offer_both(peer, group):
    new, request = peer.rekey_ike(group)
    both = (ike(AES_GCM_256, CURVE25519, ECP_256),)
    return new, request.replacing(SA(numbered(both, new.spi_i)))


@configured(Suite((ike(AES_GCM_256, CURVE25519, ECP_256),), (esp_proposal(AES_GCM_256),)))
@as_responder
@requirement("rfc7296-1.3-child-invalid-ke-retried")
@turned_red_by("gives-up-child-after-invalid-ke")
def test_initiator_of_an_ike_rekey_retries_with_the_group_asked_for(
    accepted, target, administrative
):
    """
    peer                                        target (CURVE25519 or ECP_256)
                                        <--     HDR, SK {SA, Ni, KEi(first)}
    HDR, SK {N(INVALID_KE_PAYLOAD, other)} -->
                                        <--     HDR, SK {SA, Ni, KEi(other)}
    HDR, SK {SA, Nr, KEr(other)}        -->
    HDR(new), SK {}                     -->
                                        <--     HDR(new), SK {}
    """
    target.rekey_ike()
    request = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)
    first = request.get(KE).group
    other = next((group for group in offered_groups(request.get(SA)) if group != first), None)
    if other is None:
        administrative("a rekey offers the group alone that the IKE SA has")
        return
    refusal = Notify(NotifyType.INVALID_KE_PAYLOAD, int(other).to_bytes(2, "big"))
    accepted.answer(request, accepted.reply(request, refusal))
    retry = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)

    assert retry.get(KE).group == other, "the retry is not of the group that was asked for"
    accepted.grant_ike(retry)
    assert accepted.is_answered(accepted.informational()), "the new IKE SA does not answer"
    assert accepted.echo(), "the Child SA did not move to the new IKE SA"


@as_responder
@requirement("rfc7296-2.8-ike-delete-is-last")
@turned_red_by("deletes-ike-sa-with-spi")
def test_target_deletes_the_ike_sa_that_it_has_replaced(accepted, target):
    """
    peer                                        target
                                        <--     HDR(old), SK {SA, Ni, KEi}
    HDR(old), SK {SA, Nr, KEr}          -->
                                        <--     HDR(old), SK {D(IKE)}
    HDR(old), SK {}                     -->
    """
    old = accepted.ike
    target.rekey_ike()
    accepted.grant_ike(accepted.hear_request(ExchangeType.CREATE_CHILD_SA))
    deletion = accepted.hear_request(ExchangeType.INFORMATIONAL)
    accepted.answer(deletion, accepted.reply(deletion))

    assert deletion.spi_i == old.spi_i, "the request is not on the old IKE SA"
    assert deletion.all(Delete) == (Delete(ProtocolId.IKE),), f"no Delete of it: {deletion}"
    accepted.fence()
    strays = [each for each in accepted.reactions_so_far() if each.spi_i == old.spi_i]
    assert not strays, f"after its Delete the old IKE SA says {strays[0]}"
    assert len(target.established()) == 1, "the old IKE SA is still listed"


@requirement("rfc7296-1.3.3-rekey-granted-makes-new-child")
@turned_red_by("repeats-spi-of-rekeyed-child", "derives-later-child-from-first-nonces")
def test_rekeyed_child_sa_has_a_new_spi_and_carries_traffic(established):
    """
    peer                                        target
    HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr} -->
                                        <--     HDR, SK {SA, Nr, TSi, TSr}
    HDR, SK {D(ESP, old SPI)}           -->
                                        <--     HDR, SK {D(ESP, old SPI)}
    ESP of the new SA {echo request}    -->
                                        <--     ESP of the new SA {echo reply}
    """
    old = established.child
    request = established.create_child_sa(established.rekeys_child())
    response = established.exchange(request)

    assert response.has(SA, Nonce, TSi, TSr), f"a rekey of the Child SA was refused: {response}"
    spi = response.get(SA).proposals[0].spi
    assert spi != old.outbound.spi, "the new Child SA has the SPI of the old one"
    established.take_up_child(request, response)
    deletion = Delete(ProtocolId.ESP, (old.inbound.spi,))
    established.exchange(established.informational(deletion))
    assert established.echo(), "the new Child SA carries no traffic"


@requirement("rfc7296-1.3.3-rekey-granted-makes-new-child")
@turned_red_by("restarts-at-a-second-rekey")
def test_child_sa_that_was_rekeyed_and_not_deleted_is_rekeyed_again(established, observed):
    """
    peer                                        target
    HDR, SK {N(REKEY_SA, SPI a), SA, Ni, TSi, TSr} -->
                                        <--     HDR, SK {SA, Nr, TSi, TSr}
    HDR, SK {N(REKEY_SA, SPI a), SA, Ni, TSi, TSr} -->
                                        <--     HDR, SK {SA, Nr, TSi, TSr}, or an error
    HDR, SK {D(ESP, SPI a)}             -->
                                        <--     HDR, SK {D(ESP)}
    ESP of the newest SA {echo request} -->
                                        <--     ESP {echo reply}
    PREVENTS: a daemon that falls over what it has replaced already (F04).
    """
    old = established.child
    for _ in range(2):
        request = established.rekey_child_sa(old)
        response = established.exchange(request)
        if response.has(SA):
            established.take_up_child(request, response)
    observed("it is rekeyed again" if response.has(SA) else f"the second rekey: {response}")

    established.close_child(old)
    assert established.echo(), "the newest Child SA carries no traffic"
    assert established.is_answered(established.informational()), "the IKE SA is gone"


@as_responder
@requirement("rfc7296-1.3.3-rekey-names-child")
@turned_red_by("names-rekeyed-child-by-peers-spi", "derives-later-child-from-first-nonces")
def test_target_names_the_child_sa_that_it_rekeys(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {N(REKEY_SA, its SPI), SA, Ni, TSi, TSr}
    HDR, SK {SA, Nr, TSi, TSr}          -->
                                        <--     HDR, SK {D(ESP, its old SPI)}
    ESP of the new SA {echo request}    -->
                                        <--     ESP of the new SA {echo reply}
    """
    old = accepted.child
    target.rekey_child()
    request = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)

    notify = request.notify(NotifyType.REKEY_SA)
    named = (notify.protocol, notify.spi)
    assert named == (ProtocolId.ESP, old.outbound.spi), f"REKEY_SA names {notify}"
    accepted.answer(request, accepted.grant_child(request))
    assert accepted.echo(), "the new Child SA carries no traffic"
