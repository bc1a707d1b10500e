"""RFC 7296, 2.16 and 3.16: the initiator authenticates by EAP, then both by its key."""

import pytest

from peers.reference.eap import EapPacket
from peers.reference.errors import PeerError
from peers.reference.numbers import EapCode, EapType
from peers.reference.payloads import AUTH, CERT, EAP, SA, IDr, TSi, TSr
from peers.reference.rules import seen_in
from suites import eap
from suites.judge import as_responder, differs, requirement, turned_red_by, twin_of


@eap.BY_PEER
@requirement("rfc7296-2.16-auth-before-eap", "rfc7296-2.16-child-deferred")
@turned_red_by("omits-auth-before-eap", "grants-child-before-eap", "signs-shortened-octets")
def test_responder_proves_itself_before_eap_and_grants_nothing_yet(peer):
    """
    peer                                        target
    HDR, SK {IDi, CERTREQ, IDr, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH, EAP(Request)}
    """
    peer.open_ike_sa()
    response = peer.exchange(peer.ike_auth())

    assert response.has(IDr, CERT, AUTH, EAP), f"not IDr, CERT, AUTH and EAP: {response}"
    assert not {SA, TSi, TSr} & set(response.types), "the Child SA comes before authentication"
    assert peer.eap_request(response).has(EAP), "the responder's AUTH verifies"


@eap.BY_PEER
@requirement("rfc7296-2.16-auth-under-msk", "rfc7296-2.16-success-sent")
@turned_red_by("proves-eap-by-sk-p", "says-eap-success-with-type")
def test_initiator_is_authenticated_by_eap(peer):
    """
    peer                                        target
    HDR, SK {IDi, CERTREQ, IDr, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH, EAP(Request)}
    HDR, SK {EAP(Response)}             -->
                                        <--     HDR, SK {EAP(Success)}
    HDR, SK {AUTH(MSK)}                 -->
                                        <--     HDR, SK {AUTH(MSK), SAr2, TSi, TSr}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    peer.establish()

    assert peer.echo(), "an echo request through the new Child SA is not answered through it"


@eap.BY_TARGET
@as_responder
@requirement("rfc7296-2.16-auth-under-msk", "rfc7296-2.16-wish-without-auth")
@turned_red_by("proves-eap-by-sk-p")
def test_initiator_authenticates_by_eap(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, [CERTREQ,] [IDr,] SAi2, TSi, TSr}
    HDR, SK {IDr, CERT+, AUTH, EAP(Request)} -->
                                        <--     HDR, SK {EAP(Response)}
    HDR, SK {EAP(Success)}              -->
                                        <--     HDR, SK {AUTH(MSK)}
    HDR, SK {AUTH(MSK), SAr2, TSi, TSr} -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    target.initiate()
    peer.accept()

    assert peer.echo(), "an echo request through the new Child SA is not answered through it"


@eap.KEYLESS_OF_PEER
@requirement("rfc7296-2.16-auth-without-eap-key")
@turned_red_by("proves-keyless-eap-by-nothing")
def test_responder_proves_itself_after_a_method_without_key(peer):
    """
    peer                                        target
    HDR, SK {EAP(Response, MD5-Challenge)} -->
                                        <--     HDR, SK {EAP(Success)}
    HDR, SK {AUTH(SK_pi)}               -->
                                        <--     HDR, SK {AUTH(SK_pr), SAr2, TSi, TSr}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    peer.establish()

    assert peer.echo(), "an echo request through the new Child SA is not answered through it"


@eap.KEYLESS_OF_TARGET
@as_responder
@requirement("rfc7296-2.16-auth-without-eap-key")
@turned_red_by("proves-keyless-eap-by-nothing")
def test_initiator_proves_itself_after_a_method_without_key(peer, target):
    """
    peer                                        target
    HDR, SK {EAP(Success)}              -->
                                        <--     HDR, SK {AUTH(SK_pi)}
    HDR, SK {AUTH(SK_pr), SAr2, TSi, TSr} -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    target.initiate()
    peer.accept()

    assert peer.echo(), "an echo request through the new Child SA is not answered through it"


@eap.KEYLESS_OF_PEER
@twin_of(test_responder_proves_itself_after_a_method_without_key)
@requirement("rfc7296-1.2-auth-verified", "rfc7296-2.16-auth-without-eap-key")
@turned_red_by("accepts-any-auth", "proves-keyless-eap-by-nothing")
def test_auth_under_an_empty_key_makes_no_sa(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {EAP(Success)}
    HDR, SK {AUTH(under an empty key)}  -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    PREVENTS: a key that everybody knows, where the method has made none.
    """
    peer.open_ike_sa()
    request = peer.eap_exchanges(peer.exchange(peer.ike_auth()))

    response = peer.exchange(request.replacing(eap.proof_by(peer, b"")), "AUTH")

    assert not eap.grants(response), "AUTH under an empty key was accepted after EAP"
    assert not target.established(), "the target lists an established IKE SA"


@eap.BY_PEER
@requirement("rfc7296-3.16-lengths")
@turned_red_by("counts-eap-length-with-its-payload")
def test_eap_lengths_are_those_of_the_payloads(peer):
    """
    peer                                        target
    HDR, SK {IDi, CERTREQ, IDr, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {.., EAP(Request)}
    HDR, SK {EAP(Response)}             -->
                                        <--     HDR, SK {EAP(Success)}
    """
    peer.establish()

    heard = [seen.message for seen in seen_in(peer.events) if seen.heard and seen.message]
    packets = [message.get(EAP).data for message in heard if message.has(EAP)]
    assert len(packets) >= 2, "EAP has no request and no end"
    for data in packets:
        length = int.from_bytes(data[2:4], "big")
        assert length == len(data), f"an EAP message of {len(data)} octets says {length}"
        ends = data[0] in (EapCode.SUCCESS, EapCode.FAILURE)
        assert not ends or len(data) == 4, f"Success or Failure with {len(data)} octets"


# Failures.


@eap.PASSWORD_OF_PEER
@requirement("rfc7296-2.16-failure-sent")
@turned_red_by("takes-any-password", "refuses-password-without-eap-failure")
def test_wrong_password_ends_with_eap_failure(peer, target):
    """
    peer                                        target
    HDR, SK {IDi, CERTREQ, IDr, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH, EAP(Request)}
    HDR, SK {EAP(Response, wrong)}      -->
                                        <--     HDR, SK {EAP(Failure)}, after a Request or at once
    """
    eap.with_wrong_password(peer)
    peer.open_ike_sa()
    response = eap.until_over(peer, peer.exchange(peer.ike_auth(), "password"))

    assert response.has(EAP), f"no EAP Failure: {response}"
    assert eap.packet_of(response).code == EapCode.FAILURE
    assert not target.established(), "the target lists an established IKE SA"


@eap.PASSWORD_OF_PEER
@twin_of(test_wrong_password_ends_with_eap_failure)
@requirement("rfc7296-2.16-success-sent")
@turned_red_by("says-eap-success-with-type")
def test_right_password_ends_with_eap_success(peer):
    """
    peer                                        target
    HDR, SK {EAP(Response)}             -->
                                        <--     HDR, SK {EAP(Success)}, of four octets
    """
    peer.open_ike_sa()
    response = eap.until_over(peer, peer.exchange(peer.ike_auth()))

    assert response.get(EAP).data[:1] == bytes([EapCode.SUCCESS])
    assert len(response.get(EAP).data) == 4, "EAP Success with a type"


@eap.PASSWORD_OF_PEER
@requirement("rfc7296-1.2-auth-verified", "rfc7296-2.16-failure-ends")
@turned_red_by("goes-on-after-eap-failure")
def test_nobody_is_authenticated_after_eap_failure(peer, target):
    """
    peer                                        target
    HDR, SK {EAP(Response, wrong)}      -->
                                        <--     HDR, SK {EAP(Failure)}
    HDR, SK {AUTH(under no key)}        -->
                                                no AUTH
    PREVENTS: an empty MSK, taken for one that both sides have.
    """
    eap.with_wrong_password(peer)
    peer.open_ike_sa()
    eap.until_over(peer, peer.exchange(peer.ike_auth(), "password"))

    proof = peer.request(peer.ike_auth().exchange, eap.proof_by(peer, b""))
    granted = [each for each in peer.reactions(proof, "AUTH under no key") if eap.grants(each)]

    assert not granted, "authenticated after EAP Failure"
    assert not target.established(), "the target lists an established IKE SA"


@eap.PASSWORD_OF_PEER
@eap.MALFORMED
@requirement("rfc7296-1.2-auth-verified", "rfc7296-3.16-malformed-refused")
@turned_red_by("goes-on-after-eap-failure")
def test_malformed_eap_authenticates_nobody(peer, target, octets):
    """
    peer                                        target
    HDR, SK {EAP(malformed)}            -->
                                        <--     HDR, SK {EAP(Failure)}, or another refusal
    HDR, SK {AUTH(under no key)}        -->
                                                no AUTH
    """
    peer.open_ike_sa()
    first = peer.ike_auth()
    peer.exchange(first)
    answers = peer.reactions(peer.request(first.exchange, EAP(octets)), "EAP")
    peer.ike.next_request_id += 1
    proof = peer.request(first.exchange, eap.proof_by(peer, b""))
    answers += peer.reactions(proof, "AUTH under no key")

    assert not [each for each in answers if eap.grants(each)], "authenticated by malformed EAP"
    assert not target.established(), "the target lists an established IKE SA"


def _under_sk_pi(peer, auth):
    return eap.proof_by(peer, peer.ike.established_keys().sk_pi)


def _under_nothing(peer, auth):
    return eap.proof_by(peer, b"")


def _one_bit_wrong(peer, auth):
    return AUTH(auth.method, auth.data[:-1] + bytes([auth.data[-1] ^ 1]))


@eap.BY_PEER
@pytest.mark.parametrize(
    "wrong",
    [_under_sk_pi, _under_nothing, _one_bit_wrong],
    ids=["under-sk-pi", "under-nothing", "one-bit-wrong"],
)
@requirement("rfc7296-1.2-auth-verified", "rfc7296-2.16-last-auth-verified")
@turned_red_by("accepts-any-auth")
def test_wrong_auth_after_eap_success_makes_no_sa(peer, target, wrong):
    """
    peer                                        target
                                        <--     HDR, SK {EAP(Success)}
    HDR, SK {AUTH(wrong)}               -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    PREVENTS: somebody between two EAP conversations, who has none of their keys.
    """
    peer.open_ike_sa()
    request = peer.eap_exchanges(peer.exchange(peer.ike_auth()))

    response = peer.exchange(request.replacing(wrong(peer, request.get(AUTH))), "AUTH")

    assert not eap.grants(response), "a wrong AUTH was accepted after EAP"
    assert not target.established(), "the target lists an established IKE SA"


# What the initiator must not believe.


@eap.PASSWORD_OF_TARGET
@as_responder
@requirement("rfc7296-2.16-with-signature")
@turned_red_by("believes-responder-without-auth")
def test_initiator_refuses_a_responder_that_proves_nothing_before_eap(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, [CERTREQ,] [IDr,] SAi2, TSi, TSr}
    HDR, SK {IDr, EAP(Request)}         -->
                                                no EAP(Response)
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    response = eap.without_proof(peer.ike_auth_response(request))
    peer.answer(request, response, "AUTH is missing")

    answers = [each for each in peer.reactions_so_far() if each.has(EAP)]

    assert not answers, "the initiator goes on with a responder that has proved nothing"
    assert not target.established(), "the target lists an established IKE SA"


@eap.PASSWORD_OF_TARGET
@as_responder
@requirement("rfc3748-4.2-early-success-discarded")
@turned_red_by("believes-early-eap-success")
def test_initiator_does_not_believe_an_early_success(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, [CERTREQ,] [IDr,] SAi2, TSi, TSr}
    HDR, SK {IDr, CERT+, AUTH, EAP(Success)} -->
                                                no AUTH
    PREVENTS: a server without the password, believed because it says Success (CVE-2021-45079).
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    response = peer.ike_auth_response(request)
    early = EAP(EapPacket(EapCode.SUCCESS, 1).encode())
    peer.answer(request, response.replacing(early), "EAP Success")

    proofs = [each for each in peer.reactions_so_far() if each.has(AUTH)]

    assert not proofs, "the initiator believes a Success before its method is done"
    assert not target.established(), "the target lists an established IKE SA"


@eap.PASSWORD_OF_TARGET
@as_responder
@requirement("rfc2759-5-authenticator-response-checked")
@turned_red_by("believes-any-eap-server")
def test_initiator_refuses_a_server_without_the_password(peer, target):
    """
    peer (does not know the password)           target
    HDR, SK {EAP(Request, challenge)}   -->
                                        <--     HDR, SK {EAP(Response)}
    HDR, SK {EAP(Request, success with a wrong proof)} -->
                                                no EAP(Response, success)
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    peer.answer(request, peer.ike_auth_response(request))
    request = eap.hear_next(peer)
    response = peer.ike_auth_response(request)
    packet = eap.packet_of(response)
    wrong = EapPacket(packet.code, packet.identifier, packet.type, eap.false_proof(packet.data))
    peer.answer(request, response.replacing(EAP(wrong.encode())), "the server's proof")

    answers = [each for each in peer.reactions_so_far() if each.has(EAP)]
    acknowledged = [each for each in answers if eap.packet_of(each).data == b"\3"]

    assert not acknowledged, "the initiator takes a server that does not know the password"
    assert not target.established(), "the target lists an established IKE SA"


# The format of EAP packets.


@eap.BY_TARGET
@as_responder
@requirement("rfc7296-3.16-identifier-matches", "rfc7296-3.16-response-type")
@turned_red_by("answers-eap-by-another-identifier")
def test_eap_responses_match_their_requests(peer, target):
    """
    peer                                        target
    HDR, SK {..., EAP(Request, ID, type)} -->
                                        <--     HDR, SK {EAP(Response, ID, type)}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    while not request.has(AUTH):
        response = peer.ike_auth_response(request)
        asked = eap.packet_of(response)
        peer.answer(request, response)
        request = eap.hear_next(peer)
        if asked.code == EapCode.REQUEST:
            answered = eap.packet_of(request)
            assert answered.code == EapCode.RESPONSE
            assert (answered.identifier, answered.type) == (asked.identifier, asked.type)


@eap.PASSWORD_OF_TARGET
@as_responder
@requirement("rfc7296-3.16-response-type", "rfc3748-5.3.1-nak")
@turned_red_by("answers-unknown-eap-type-in-kind")
def test_a_method_that_the_initiator_does_not_have_is_answered_nak(peer, target):
    """
    peer                                        target
    HDR, SK {IDr, CERT+, AUTH, EAP(Request, unknown type)} -->
                                        <--     HDR, SK {EAP(Response, Nak)}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    response = peer.ike_auth_response(request)
    unknown = EAP(EapPacket(EapCode.REQUEST, 1, 200, b"\0").encode())
    peer.answer(request, response.replacing(unknown), "EAP of an unknown type")

    packet = eap.packet_of(eap.hear_next(peer))

    assert (packet.code, packet.type) == (EapCode.RESPONSE, EapType.NAK), f"{packet}"
    assert EapType.MSCHAPV2 in packet.data, "the Nak does not ask for the method it has"


@eap.BY_PEER
@requirement("rfc7296-3.16-no-identity-request")
@turned_red_by("asks-for-identity-by-eap")
def test_responder_does_not_ask_for_an_identity_by_eap(peer):
    """
    peer                                        target
    HDR, SK {IDi, CERTREQ, IDr, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH, EAP(Request)}
    """
    peer.open_ike_sa()
    response = peer.exchange(peer.ike_auth())
    if not response.has(EAP):
        raise PeerError(f"no EAP: {response}")

    if eap.packet_of(response).type == EapType.IDENTITY:
        differs("the responder asks for the identity that IDi has told")
