"""RFC 6023: IKE SAs without a Child SA."""

from dataclasses import replace

from peers.reference.childless import SUPPORTED, asks_for_none, is_supported
from peers.reference.connection import Childless
from peers.reference.errors import NoAnswer
from peers.reference.numbers import ExchangeType, NotifyType, ProtocolId
from peers.reference.payloads import SA, Nonce, TSi, TSr
from peers.targets.base import Capability
from suites.judge import as_responder, differs, needs, requirement, turned_red_by, twin_of
from suites.terms import FAMILIES, arranged

ALLOWED, FORCED, NEVER = (
    arranged(lambda described, choice=choice: replace(described, childless=choice))
    for choice in (Childless.ALLOW, Childless.FORCE, Childless.NEVER)
)


@ALLOWED
@requirement("rfc6023-3-announced-by-responder", "rfc6023-4-protocol-id")
@turned_red_by("announces-no-childless")
def test_responder_announces_it(peer, observed):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni                  -->
                                        <--     HDR, .., N(CHILDLESS_IKEV2_SUPPORTED)
    """
    response = peer.exchange(peer.ike_sa_init())

    said = response.find_notify(NotifyType.CHILDLESS_IKEV2_SUPPORTED)
    assert said is not None, "it is configured, and not announced"
    assert not said.spi, "with an SPI"
    assert not said.data, "with data"
    if said.protocol != ProtocolId.IKE:
        observed(f"Protocol ID {said.protocol:d}: right for RFC 7296, 3.10, wrong for RFC 6023, 4")


@FAMILIES
@ALLOWED
@requirement("rfc6023-3-request-granted")
@turned_red_by("refuses-childless")
def test_ike_sa_without_a_child_sa_is_granted(peer, target):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH}            -->
                                        <--     HDR, SK {IDr, AUTH}
    HDR, SK {SA, Ni, TSi, TSr}          -->
                                        <--     HDR, SK {SA, Nr, TSi, TSr}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    response = peer.establish_alone()
    assert not [each for each in (SA, TSi, TSr) if response.has(each)], "part of a Child SA"
    [listed] = target.established()
    assert not listed.children, "a Child SA that nobody asked for"

    request = peer.create_child_sa()
    peer.take_up_child(request, peer.exchange(request))

    assert peer.echo(), "the Child SA that came after carries no traffic"


@ALLOWED
@requirement("rfc6023-3-request-granted")
@turned_red_by("refuses-childless")
def test_ike_sa_without_a_child_sa_is_rekeyed(peer):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH}            -->
                                        <--     HDR, SK {IDr, AUTH}
    HDR, SK {SA, Ni, KEi}               -->
                                        <--     HDR, SK {SA, Nr, KEr}
    HDR, SK {D(IKE)}                    -->
                                        <--     HDR, SK {}
    HDR, SK {}  (the new IKE SA)        -->
                                        <--     HDR, SK {}
    """
    peer.establish_alone()
    old = peer.ike
    new, request = peer.rekey_ike()
    peer.take_up_ike(new, request, peer.exchange(request))
    peer.close_ike(old)

    assert peer.exchange(peer.informational()).payloads == ()


@ALLOWED
@twin_of(test_ike_sa_without_a_child_sa_is_granted)
@requirement("rfc6023-3-no-modified-response-unasked")
@turned_red_by("grants-childless-unasked")
def test_usual_request_is_answered_as_usual(peer):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    peer.open_ike_sa()

    response = peer.exchange(peer.ike_auth())

    assert response.has(SA, TSi, TSr), "no Child SA although one was asked for"


@NEVER
@needs(Capability.CHILDLESS_SETTING)
@requirement("rfc6023-3-not-announced-when-off")
@turned_red_by("announces-childless-never-granted")
def test_responder_that_does_not_support_it_does_not_announce_it(peer):
    """
    peer                                        target (told not to)
    HDR, SAi1, KEi, Ni                  -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    assert not is_supported(peer.exchange(peer.ike_sa_init()))


@NEVER
@needs(Capability.CHILDLESS_SETTING)
@requirement("rfc6023-3-refused-when-off")
@turned_red_by("grants-childless-never-announced")
def test_responder_that_does_not_support_it_refuses_it(peer):
    """
    peer                                        target (told not to)
    HDR, SK {IDi, IDr, AUTH}            -->
                                        <--     HDR, SK {N(INVALID_SYNTAX)}
    """
    peer.open_ike_sa()

    response = peer.exchange(peer.ike_auth_alone())

    if NotifyType.INVALID_SYNTAX not in response.notifies:
        differs(f"not INVALID_SYNTAX: {response}")


@FAMILIES
@FORCED
@needs(Capability.CHILDLESS_SETTING)
@as_responder
@requirement("rfc6023-5-no-child-sa-in-request")
@turned_red_by("never-goes-childless")
def test_initiator_leaves_the_child_sa_out(peer, target):
    """
    peer                                        target (told to)
                                        <--     HDR, SAi1, KEi, Ni
    HDR, .., N(CHILDLESS_IKEV2_SUPPORTED) -->
                                        <--     HDR, SK {IDi, IDr, AUTH}
    HDR, SK {IDr, AUTH}                 -->
                                        <--     HDR, SK {SA, Ni, TSi, TSr}
    HDR, SK {SA, Nr, TSi, TSr}          -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    target.initiate()
    first = peer.hear_request(ExchangeType.IKE_SA_INIT)
    peer.answer(first, peer.ike_sa_init_response(first) + SUPPORTED)
    request = peer.hear_request(ExchangeType.IKE_AUTH)
    assert asks_for_none(request), "IKE_AUTH asks for a Child SA"
    peer.answer(request, peer.ike_auth_response_alone(request))

    wanted = peer.hear_request(ExchangeType.CREATE_CHILD_SA)

    assert wanted.has(SA, Nonce, TSi, TSr)
    peer.answer(wanted, peer.grant_child(wanted))
    assert peer.echo(), "the Child SA that came after carries no traffic"


@FORCED
@needs(Capability.CHILDLESS_SETTING)
@as_responder
@twin_of(test_initiator_leaves_the_child_sa_out)
@requirement("rfc6023-3-not-asked-unannounced")
@turned_red_by("goes-childless-unannounced")
def test_initiator_leaves_nothing_out_unannounced(peer, target, administrative):
    """
    peer                                        target (told to)
                                        <--     HDR, SAi1, KEi, Ni
    HDR, SAr1, KEr, Nr                  -->
                                        <--     HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr}
    """
    target.initiate()
    first = peer.hear_request(ExchangeType.IKE_SA_INIT)
    peer.answer(first, peer.ike_sa_init_response(first))
    try:
        request = peer.hear_request(ExchangeType.IKE_AUTH, timeout=5.0)
    except NoAnswer:
        administrative("gives up where a Child SA would have to go along")
        return

    assert not asks_for_none(request), "a Child SA is left out, though nobody offered that"
