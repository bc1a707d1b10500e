"""RFC 5998, 3 and 4: the responder is authenticated by a safe EAP method alone."""

from dataclasses import replace

from peers.reference.numbers import NotifyType
from peers.reference.payloads import AUTH, CERT, EAP, IDr, Notify
from suites import eap
from suites.judge import as_responder, requirement, turned_red_by, twin_of

EAP_ONLY = NotifyType.EAP_ONLY_AUTHENTICATION


@eap.TLS_OF_PEER_ALONE
@requirement("rfc5998-3-auth-and-cert-omitted", "rfc5998-3-auth-under-msk")
@turned_red_by("sends-certificate-with-eap-alone", "proves-eap-by-sk-p")
def test_responder_is_authenticated_by_eap_alone(peer):
    """
    peer                                        target
    HDR, SK {IDi, IDr, SAi2, TSi, TSr, N(EAP_ONLY_AUTHENTICATION)} -->
                                        <--     HDR, SK {IDr, EAP(Request)}
    HDR, SK {EAP(Response)}             -->
                                        <--     HDR, SK {EAP(Success)}
    HDR, SK {AUTH(MSK)}                 -->
                                        <--     HDR, SK {AUTH(MSK), SAr2, TSi, TSr}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    response = peer.exchange(request)

    assert response.has(IDr, EAP), f"not IDr and EAP: {response}"
    assert not response.has(AUTH), "AUTH although EAP alone authenticates"
    assert not response.has(CERT), "a certificate although EAP alone authenticates"
    peer.take_up(request, peer.exchange(peer.eap_exchanges(response)))
    assert peer.echo(), "an echo request through the new Child SA is not answered through it"


@eap.TLS_OF_PEER_ALONE
@twin_of(test_responder_is_authenticated_by_eap_alone)
@requirement("rfc7296-2.16-with-signature", "rfc5998-3-auth-omitted-only-when-asked")
@turned_red_by("omits-auth-unasked")
def test_responder_does_not_leave_auth_out_unasked(peer, target):
    """
    peer                                        target
    HDR, SK {IDi, IDr, SAi2, TSi, TSr}  -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}, or AUTH
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    kept = tuple(
        each
        for each in request.payloads
        if not (isinstance(each, Notify) and each.notify_type == EAP_ONLY)
    )
    response = peer.exchange(replace(request, payloads=kept), "no EAP_ONLY_AUTHENTICATION")

    assert response.has(AUTH) or not response.has(EAP), "EAP begins without AUTH, unasked"


@eap.TLS_OF_TARGET_ALONE
@as_responder
@requirement("rfc5998-3-notify-sent")
@turned_red_by("announces-eap-only-with-data")
def test_initiator_asks_for_eap_alone(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, [IDr,] SAi2, TSi, TSr,
                                                    N(EAP_ONLY_AUTHENTICATION)}
    HDR, SK {IDr, EAP(Request)}         -->
                                        <--     HDR, SK {EAP(Response)}
    HDR, SK {EAP(Success)}              -->
                                        <--     HDR, SK {AUTH(MSK)}
    HDR, SK {AUTH(MSK), SAr2, TSi, TSr} -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    asked = request.find_notify(EAP_ONLY)
    assert asked is not None, "EAP_ONLY_AUTHENTICATION is missing"
    assert (asked.protocol, asked.spi, asked.data) == (0, b"", b"")
    peer.answer(request, peer.ike_auth_response(request))
    while peer.eap_goes_on:
        request = eap.hear_next(peer)
        peer.answer(request, peer.ike_auth_response(request))

    assert peer.echo(), "an echo request through the new Child SA is not answered through it"


@eap.PASSWORD_OF_TARGET_ALONE
@as_responder
@requirement("rfc5998-3-method-verified")
@turned_red_by("allows-any-eap-method-alone")
def test_initiator_refuses_a_method_that_is_not_safe_alone(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, [IDr,] SAi2, TSi, TSr,
                                                    N(EAP_ONLY_AUTHENTICATION)}
    HDR, SK {IDr, EAP(Request, MSCHAPv2)} -->
                                                no IKE SA
    PREVENTS: a password that whoever plays the responder can guess at leisure.
    """
    peer.judges = eap.NotMindingAnything()
    target.initiate()
    request = peer.accept_ike_sa_init()
    peer.answer(request, peer.ike_auth_response(request), "EAP-MSCHAPv2 alone")
    reactions = peer.reactions_so_far()

    answers = [each for each in reactions if each.has(EAP)]
    assert not answers, "the initiator answers a method that is not safe alone"
    assert not target.established(), "the target lists an established IKE SA"


@eap.PASSWORD_OF_PEER_ALONE
@requirement("rfc5998-3-method-verified")
@turned_red_by("allows-any-eap-method-alone")
def test_responder_does_not_use_a_method_alone_that_is_not_safe(peer, target):
    """
    peer                                        target
    HDR, SK {IDi, IDr, SAi2, TSi, TSr, N(EAP_ONLY_AUTHENTICATION)} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}, or AUTH
    """
    peer.judges = eap.NotMindingAnything()
    peer.open_ike_sa()
    response = peer.exchange(peer.ike_auth(), "EAP-MSCHAPv2 alone")

    assert response.has(AUTH) or not response.has(EAP), "EAP-MSCHAPv2 begins without AUTH"
    assert not target.established(), "the target lists an established IKE SA"
