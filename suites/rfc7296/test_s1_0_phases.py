"""RFC 7296, 1 and 1.4: only IKE_AUTH before authentication, and nothing in clear after it."""

from dataclasses import replace

import pytest

from peers.reference.numbers import ProtocolId
from peers.reference.payloads import KE, SA, Delete, Nonce, Notify
from suites.judge import as_responder, requirement, turned_red_by, twin_of


def _child(peer):
    return peer.create_child_sa()


def _rekey(peer):
    return peer.rekey_ike()[1]


def _liveness(peer):
    return peer.informational()


def _delete(peer):
    return peer.informational(Delete(ProtocolId.IKE))


TOO_EARLY = pytest.mark.parametrize(
    "too_early",
    [_child, _rekey, _liveness, _delete],
    ids=["create-child-sa", "rekey-of-the-ike-sa", "liveness-check", "delete-of-the-ike-sa"],
)


@TOO_EARLY
@requirement("rfc7296-1-phases-in-order")
@turned_red_by("grants-before-authentication")
def test_unauthenticated_initiator_gets_nothing(peer, target, too_early):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni                  -->
                                        <--     HDR, SAr1, KEr, Nr
    HDR(ID 1), SK {a request other than IKE_AUTH} -->
                                                nothing, or an error
    PREVENTS: whoever can do a key exchange gets a Child SA without proving who it is.
    """
    peer.open_ike_sa()
    request = too_early(peer)

    peer.say(request, "before IKE_AUTH")
    _assert_not_carried_out(request, peer.reactions_so_far())
    assert not target.established(), "the target lists an established IKE SA"
    assert not any(state.children for state in target.sas()), "a Child SA before authentication"


@twin_of(test_unauthenticated_initiator_gets_nothing)
@requirement("rfc7296-1.2-initial-exchanges-set-up-child")
@turned_red_by("drops-what-follows-ike-auth")
def test_authenticated_initiator_gets_each_of_them(established):
    """
    peer                                        target
    HDR, SK {}                          -->
                                        <--     HDR, SK {}
    HDR, SK {SA, Ni, TSi, TSr}          -->
                                        <--     HDR, SK {SA, Nr, TSi, TSr}
    HDR, SK {SA, Ni, KEi}               -->
                                        <--     HDR, SK {SA, Nr, KEr}
    """
    assert established.exchange(_liveness(established)).protected
    granted = established.exchange(_child(established))
    assert granted.has(SA, Nonce), f"no further Child SA: {granted}"
    granted = established.exchange(_rekey(established))
    assert granted.has(SA, Nonce, KE), f"no rekey of the IKE SA: {granted}"


@TOO_EARLY
@as_responder
@requirement("rfc7296-1-phases-in-order")
@turned_red_by("takes-exchanges-before-authentication")
def test_unauthenticated_responder_gets_nothing(peer, target, too_early):
    """
    peer                                        target
                                        <--     HDR(ID 1), SK {IDi, [IDr,] AUTH, SAi2, TSi, TSr}
    HDR(ID 0), SK {a request}           -->
                                                nothing, or an error
    """
    target.initiate()
    peer.accept_ike_sa_init()
    request = too_early(peer)
    peer.remark("its IKE_AUTH request is not answered yet")

    peer.say(request, "before IKE_AUTH is answered")
    _assert_not_carried_out(request, peer.reactions_so_far())
    assert not target.established(), "the target lists an established IKE SA"
    assert not any(state.children for state in target.sas()), "a Child SA before authentication"


def _of_the_ike_sa(peer):
    return Delete(ProtocolId.IKE)


def _of_the_child_sa(peer):
    return Delete(ProtocolId.ESP, (peer.child.inbound.spi,))


def _nothing(peer):
    return None


IN_CLEAR = pytest.mark.parametrize(
    "inside",
    [_of_the_ike_sa, _of_the_child_sa, _nothing],
    ids=["delete-of-the-ike-sa", "delete-of-the-child-sa", "empty"],
)


@IN_CLEAR
@requirement("rfc7296-1.4-informational-protected")
@turned_red_by("obeys-unprotected-requests")
def test_unprotected_request_of_the_initiator_is_not_carried_out(established, target, inside):
    """
    peer                                        target
    HDR(ID n), D or nothing, in clear   -->
                                                nothing that is protected
    HDR(ID n), SK {} (fence)            -->
                                        <--     HDR(ID n), SK {}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    _assert_no_effect(established, target, inside(established))


@IN_CLEAR
@as_responder
@requirement("rfc7296-1.4-informational-protected")
@turned_red_by("obeys-unprotected-requests")
def test_unprotected_request_of_the_responder_is_not_carried_out(accepted, target, inside):
    """
    peer                                        target
    HDR(ID n), D or nothing, in clear   -->
                                                nothing that is protected
    HDR(ID n), SK {} (fence)            -->
                                        <--     HDR(ID n), SK {}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    _assert_no_effect(accepted, target, inside(accepted))


def _assert_not_carried_out(request, reactions):
    answers = [
        each
        for each in reactions
        if each.response and each.exchange == request.exchange and each.spi_i == request.spi_i
    ]
    for answer in answers:
        errors = [each for each in answer.all(Notify) if each.notify_type < 16384]
        assert errors, f"carried out before authentication: {answer}"


def _assert_no_effect(peer, target, payload):
    inside = (payload,) if payload else ()
    clear = replace(peer.informational(*inside), protected=False)

    reactions = peer.reactions(clear, "in clear")

    answers = [each for each in reactions if each.response and each.protected]
    assert not answers, f"a request in clear is answered within the IKE SA: {answers[0]}"
    assert len(target.established()) == 1, "the IKE SA is gone because of a request in clear"
    assert peer.echo(), "the Child SA is gone because of a request in clear"
