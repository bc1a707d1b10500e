"""RFC 7296, 2.15 and 2.21.2: who fails to authenticate gets no SA, in both roles."""

from dataclasses import replace

import pytest

from peers.reference.authentication import own_auth
from peers.reference.credentials import Psk
from peers.reference.decisions_authentication import AuthenticationDecisions
from peers.reference.identity import fqdn
from peers.reference.numbers import AuthMethod, ExchangeType, IdType, NotifyType
from peers.reference.payloads import AUTH, SA, Delete, IDi
from suites.judge import as_responder, differs, requirement, turned_red_by


def _one_bit_wrong(peer, auth):
    return AUTH(AuthMethod.SHARED_KEY_MIC, auth.data[:-1] + bytes([auth.data[-1] ^ 1]))


def _of_another_psk(peer, auth):
    ours = peer.connection.local_identity.payload(of_initiator=peer.ike.initiator)
    return own_auth(peer.ike, ours, Psk(b"another secret"), AuthenticationDecisions())


def _truncated(peer, auth):
    return AUTH(AuthMethod.SHARED_KEY_MIC, auth.data[:16])


WRONG = pytest.mark.parametrize(
    "wrong",
    [_of_another_psk, _one_bit_wrong, _truncated],
    ids=["another-psk", "one-bit-wrong", "truncated"],
)


@WRONG
@requirement("rfc7296-1.2-auth-verified")
@turned_red_by("accepts-any-auth", "keeps-ike-sa-after-wrong-auth")
def test_initiator_with_wrong_auth_gets_no_sa(peer, target, wrong):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH(wrong), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    HDR, SK {}                          -->
                                                nothing that is protected
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    response = peer.exchange(request.replacing(wrong(peer, request.get(AUTH))), "AUTH")

    assert not {AUTH, SA} & set(response.types), "a wrong AUTH was accepted"
    reactions = peer.reactions(peer.informational())
    assert not [each for each in reactions if each.protected], "the IKE SA lives on"
    kept = [state for state in target.sas() if state.initiator_spi == peer.ike.spi_i]
    assert not kept, "the target still lists the IKE SA"
    assert not target.established(), "the target lists an established IKE SA"


@requirement("rfc7296-2.21.2-authentication-failed-sent")
@turned_red_by("refuses-auth-with-invalid-syntax", "accepts-any-auth")
def test_wrong_auth_is_answered_with_authentication_failed(peer):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH(wrong), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()

    response = peer.exchange(
        request.replacing(_of_another_psk(peer, request.get(AUTH))), "AUTH of another PSK"
    )

    if response.notifies != (NotifyType.AUTHENTICATION_FAILED,):
        differs(f"answered otherwise: {response}")


@requirement("rfc7296-1.2-shared-secret-belongs-to-id")
@turned_red_by("takes-any-identity")
def test_secret_of_one_identity_does_not_authenticate_another(peer, target):
    """
    peer                                        target
    HDR, SK {IDi(another name), IDr, AUTH(right for it), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    peer.open_ike_sa()
    stranger = peer.connection
    peer.ike.connection = replace(stranger, local_identity=fqdn("stranger.test"))
    request = peer.ike_auth()
    assert request.get(IDi) == IDi(IdType.ID_FQDN, b"stranger.test")

    response = peer.exchange(request, "identity of another secret")

    assert not {AUTH, SA} & set(response.types), "the secret belongs to another identity"
    assert not target.established(), "the target lists an established IKE SA"


@WRONG
@as_responder
@requirement("rfc7296-1.2-auth-verified", "rfc7296-2.21.2-initiator-reports-failure")
@turned_red_by("accepts-any-auth", "keeps-ike-sa-after-wrong-auth")
def test_responder_with_wrong_auth_gets_no_sa(peer, target, wrong, observed):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, [IDr,] AUTH, SAi2, TSi, TSr}
    HDR, SK {IDr, AUTH(wrong), SAr2, TSi, TSr} -->
                                        <--     [HDR, SK {N(AUTHENTICATION_FAILED)}]
    HDR, SK {}                          -->
                                                no response
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    response = peer.ike_auth_response(request)
    peer.answer(request, response.replacing(wrong(peer, response.get(AUTH))), "AUTH")
    peer.ike.children.clear()
    reactions = peer.reactions_so_far()

    told = [each for each in reactions if NotifyType.AUTHENTICATION_FAILED in each.notifies]
    if told:
        assert told[0].exchange == ExchangeType.INFORMATIONAL
        observed("the initiator tells AUTHENTICATION_FAILED in an INFORMATIONAL exchange")
    else:
        deleted = any(each.has(Delete) for each in reactions)
        observed(f"the initiator {'deletes the IKE SA' if deleted else 'says nothing'}")
    assert not target.established(), "the target lists the IKE SA as established"
    heard = peer.reactions(peer.informational())
    answers = [each for each in heard if each.response and each.protected]
    assert answers == [], "the IKE SA answers"
