"""RFC 7296, 1.3.2, 1.3.3 and 2.18: IKE SAs and Child SAs are replaced."""

from peers.reference.errors import PeerError
from peers.reference.numbers import ExchangeType, NotifyType, ProtocolId
from peers.reference.payloads import KE, SA, Delete, Nonce, TSi, TSr
from suites.judge import as_responder, requirement, turned_red_by


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
