"""RFC 7296, 2.21: malformed requests and errors, before and after authentication, both roles."""

from dataclasses import replace

import pytest

from peers.reference.decisions_errors import FIRST_STATUS
from peers.reference.errors import NoAnswer
from peers.reference.faults import (
    InitiatorFlag,
    NextPayload,
    PadLength,
    PayloadLength,
    SpiCount,
    SpiSize,
    TransformCount,
)
from peers.reference.negotiation import encr
from peers.reference.numbers import Encr, ExchangeType, NotifyType, PayloadType, ProtocolId
from peers.reference.payloads import (
    AUTH,
    SA,
    SK,
    Delete,
    IDi,
    Nonce,
    Notify,
    TSi,
    TSr,
    Unknown,
    VendorID,
)
from suites.judge import as_responder, differs, requirement, turned_red_by, twin_of
from suites.observe import opens_ike_sa

LAST = VendorID(b"the last payload")

# Before there is an IKE SA.

FIRST_LENGTHS = [
    pytest.param(PayloadLength(of=VendorID, to=0), id="last-of-no-length"),
    pytest.param(PayloadLength(of=VendorID, to=3), id="last-below-its-header"),
    pytest.param(PayloadLength(of=VendorID, by=1), id="last-one-octet-beyond"),
    pytest.param(PayloadLength(of=VendorID, to=0xFFFF), id="last-far-beyond"),
    pytest.param(PayloadLength(of=SA, to=3), id="sa-below-its-header"),
    pytest.param(PayloadLength(of=SA, to=0xFFFF), id="sa-far-beyond"),
    pytest.param(PayloadLength(of=Nonce, to=0), id="nonce-of-no-length"),
    pytest.param(PayloadLength(of=Nonce, to=0xFFFF), id="nonce-far-beyond"),
    pytest.param(NextPayload(of=VendorID, to=PayloadType.NOTIFY), id="one-more-announced"),
]


@pytest.mark.parametrize("fault", FIRST_LENGTHS)
@requirement("rfc7296-2.21.1-malformed-init-makes-no-sa", "rfc7296-3.2-payload-length-refused")
@turned_red_by("clamps-payload-lengths")
def test_chain_of_payloads_that_does_not_fit_opens_no_ike_sa(peer, target, fault):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni, V (a Payload Length is wrong) -->
                                                no SAr1
    HDR, SAi1, KEi, Ni (fence)          -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    message = (peer.ike_sa_init() + LAST).with_fault(fault)

    assert not opens_ike_sa(peer, target, message), "a malformed request opened an IKE SA"


@as_responder
@requirement("rfc7296-2.21.1-unauthenticated-error-not-final")
@turned_red_by("obeys-unauthenticated-errors")
def test_initiator_goes_on_after_an_error_in_clear(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, N(NO_PROPOSAL_CHOSEN)          -->
                                        <--     HDR, SAi1, KEi, Ni (again)
    HDR, SAr1, KEr, Nr                  -->
                                        <--     HDR, SK {IDi, AUTH, SAi2, TSi, TSr}
    PREVENTS: anybody who sees the request can end the attempt.
    """
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    peer.say(peer.refusal(request, Notify(NotifyType.NO_PROPOSAL_CHOSEN)), "a forged error")

    if not peer.hears_again(request):
        differs("the initiator gives up because of one error notify in clear")
    peer.answer(request, peer.ike_sa_init_response(request))
    assert peer.hear_request(ExchangeType.IKE_AUTH).protected


# IKE_AUTH.

MALFORMED_AUTH = [
    pytest.param(PayloadLength(of=IDi, to=3), id="idi-below-its-header"),
    pytest.param(PayloadLength(of=AUTH, to=0xFFFF), id="auth-far-beyond"),
    pytest.param(PayloadLength(of=TSr, by=1), id="last-one-octet-beyond"),
]


@pytest.mark.parametrize("fault", MALFORMED_AUTH)
@requirement("rfc7296-2.21.2-malformed-auth-only-error")
@turned_red_by(
    "is-silent-on-malformed-requests",
    "acknowledges-malformed-requests",
    "calls-malformed-auth-a-failed-one",
)
def test_malformed_ike_auth_leads_to_invalid_syntax_alone(peer, target, fault):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr} (a Payload Length inside is wrong) -->
                                        <--     HDR, SK {N(INVALID_SYNTAX)}
    """
    peer.open_ike_sa()
    request = peer.ike_auth().with_fault(fault)

    try:
        response = peer.exchange(request)
    except NoAnswer:
        assert not target.established(), "the target lists an established IKE SA"
        differs("a malformed request is not answered")

    assert not {AUTH, SA} & set(response.types), f"a malformed request was granted: {response}"
    assert not target.established(), "the target lists an established IKE SA"
    if response.notifies != (NotifyType.INVALID_SYNTAX,):
        differs(f"answered otherwise: {response}")


@requirement("rfc7296-2.21.2-malformed-auth-only-error")
@turned_red_by("reads-critical-bit-in-the-wrong-place")
def test_unknown_critical_payload_in_ike_auth_leads_to_its_error_alone(peer, target):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr, X(critical)} -->
                                        <--     HDR, SK {N(UNSUPPORTED_CRITICAL_PAYLOAD, X)}
    """
    peer.open_ike_sa()
    request = peer.ike_auth() + Unknown(PayloadType(200), critical=True)

    response = peer.exchange(request, "unknown critical payload")

    assert not {AUTH, SA} & set(response.types), f"granted all the same: {response}"
    assert not target.established(), "the target lists an established IKE SA"
    if response.notifies != (NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD,):
        differs(f"answered otherwise: {response}")
    assert response.get(Notify).data == bytes([200]), f"another type is named: {response}"


CHILD_ERRORS = [
    NotifyType.NO_PROPOSAL_CHOSEN,
    NotifyType.TS_UNACCEPTABLE,
    NotifyType.FAILED_CP_REQUIRED,
    NotifyType.INTERNAL_ADDRESS_FAILURE,
    NotifyType.NO_ADDITIONAL_SAS,
]


@pytest.mark.parametrize("error", CHILD_ERRORS, ids=lambda error: error.name.lower())
@as_responder
@requirement("rfc7296-2.21.2-child-error-not-authentication-failure")
@turned_red_by("takes-child-error-for-failed-authentication")
def test_error_of_the_first_child_sa_is_none_of_the_authentication(peer, target, error, observed):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, [IDr,] AUTH, SAi2, TSi, TSr}
    HDR, SK {IDr, AUTH, N(an error of the Child SA)} -->
    HDR, SK {}                          -->
                                        <--     HDR, SK {}, or a Delete of the IKE SA before
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    response = peer.ike_auth_response(request).without(SA, TSi, TSr, Notify) + Notify(error)
    peer.ike.children.clear()
    peer.answer(request, response, "no Child SA")
    peer.fence()

    alive = peer.is_answered(peer.informational())

    said = peer.reactions_so_far()
    failed = [each for each in said if NotifyType.AUTHENTICATION_FAILED in each.notifies]
    assert not failed, f"the authentication is said to have failed: {failed[0]}"
    deleted = any(delete.protocol == ProtocolId.IKE for each in said for delete in each.all(Delete))
    assert alive or deleted, "the IKE SA is dropped without a Delete"
    observed("the IKE SA stays" if alive else "the IKE SA is deleted")


# After authentication.

MALFORMED = [
    pytest.param(LAST, PayloadLength(of=VendorID, to=3), id="below-its-header"),
    pytest.param(LAST, PayloadLength(of=VendorID, by=1), id="one-octet-beyond"),
    pytest.param(LAST, PayloadLength(of=VendorID, to=0xFFFF), id="far-beyond"),
    pytest.param(LAST, PadLength(to=255), id="more-padding-than-there-is"),
    pytest.param(
        Delete(ProtocolId.ESP, (b"\1\2\3\4",)), SpiCount(by=1), id="one-spi-more-than-there-is"
    ),
    pytest.param(
        Delete(ProtocolId.ESP, (b"\1\2\3\4",)), SpiSize(of=Delete, by=4), id="spi-longer-than-it-is"
    ),
]


@pytest.mark.parametrize(("payload", "fault"), MALFORMED)
@requirement("rfc7296-2.21.3-erroneous-request-answered")
@turned_red_by("is-silent-on-malformed-requests", "acknowledges-malformed-requests")
def test_malformed_request_is_answered_with_an_error(established, payload, fault):
    """
    peer                                        target
    HDR, SK {a payload whose length or count is wrong} -->
                                        <--     HDR, SK {N(INVALID_SYNTAX)}
    """
    request = established.informational(payload).with_fault(fault)

    response = established.exchange(request)

    errors = [number for number in response.notifies if number < 16384]
    assert errors, f"no error is told: {response}"
    if response.notifies != (NotifyType.INVALID_SYNTAX,):
        differs(f"answered otherwise: {response}")


@requirement("rfc7296-2.21.3-invalid-syntax-fatal")
@turned_red_by("keeps-ike-sa-after-invalid-syntax")
def test_ike_sa_ends_with_invalid_syntax(established, target):
    """
    peer                                        target
    HDR, SK {a payload that runs beyond the message} -->
                                        <--     HDR, SK {N(INVALID_SYNTAX)}
    HDR, SK {}                          -->
                                                nothing that is protected
    """
    wrong = established.informational(LAST).with_fault(PayloadLength(of=VendorID, to=0xFFFF))
    established.reactions(wrong)
    established.ike.children.clear()

    reactions = established.reactions(established.informational())

    lives = [each for each in reactions if each.protected and each.response]
    if lives:
        differs("the IKE SA goes on after INVALID_SYNTAX")
    assert not target.established(), "the target lists the IKE SA still"


@twin_of(test_malformed_request_is_answered_with_an_error)
@requirement("rfc7296-3.12-unknown-vendor-id-ignored")
@turned_red_by("refuses-unknown-vendor-ids")
def test_the_same_payload_of_the_right_length_is_taken(established):
    """
    peer                                        target
    HDR, SK {V}                         -->
                                        <--     HDR, SK {}
    HDR, SK {}                          -->
                                        <--     HDR, SK {}
    """
    response = established.exchange(established.informational(LAST))

    assert response.payloads == (), f"not ignored: {response}"
    established.exchange(established.informational())


@requirement("rfc7296-2.21.3-erroneous-request-answered", "rfc7296-3.3-lengths-consistent")
@turned_red_by("is-silent-on-malformed-requests", "acknowledges-malformed-requests")
def test_request_for_a_child_sa_with_a_wrong_count_is_answered_with_an_error(established):
    """
    peer                                        target
    HDR, SK {SA(one transform fewer than counted), Ni, TSi, TSr} -->
                                        <--     HDR, SK {N(INVALID_SYNTAX)}
    """
    request = established.create_child_sa().with_fault(TransformCount(by=1))

    response = established.exchange(request)

    assert not response.has(SA), f"granted: {response}"
    if response.notifies != (NotifyType.INVALID_SYNTAX,):
        differs(f"answered otherwise: {response}")


@pytest.mark.parametrize("missing", [Nonce, TSr, SA], ids=lambda kind: kind.__name__)
@requirement("rfc7296-2.21.3-erroneous-request-answered")
@turned_red_by("is-silent-on-malformed-requests", "acknowledges-malformed-requests")
def test_request_for_a_child_sa_without_a_payload_is_answered_with_an_error(
    established, missing, observed
):
    """
    peer                                        target
    HDR, SK {SA, Ni, TSi, TSr without one of them} -->
                                        <--     HDR, SK {N(an error)}
    """
    request = established.create_child_sa().without(missing)

    response = established.exchange(request, f"no {missing.__name__}")

    assert not response.has(SA), f"granted: {response}"
    errors = [str(number) for number in response.notifies if number < 16384]
    assert errors, f"no error is told: {response}"
    observed(f"without {missing.__name__} the answer is {', '.join(errors)}")


@requirement("rfc7296-2.25.1-unknown-child-delete-answered-empty")
@turned_red_by("refuses-delete-of-unknown-child")
def test_delete_of_an_unknown_child_sa_is_answered_without_a_delete(established):
    """
    peer                                        target
    HDR, SK {D(ESP, an SPI of no Child SA)} -->
                                        <--     HDR, SK {}
    """
    request = established.informational(Delete(ProtocolId.ESP, (b"\x7f\1\2\3",)))

    response = established.exchange(request, "an SPI of no Child SA")

    if response.has(Delete):
        differs(f"a Delete in the response: {response}")
    if response.payloads:
        differs(f"the response is not empty: {response}")
    assert established.echo(), "the Child SA is gone"


# The I flag and messages of no IKE SA.


@requirement("rfc7296-3.1-wrong-initiator-flag-no-sa")
@turned_red_by("ignores-initiator-flag")
def test_request_with_the_wrong_initiator_flag_is_not_taken(established):
    """
    peer                                        target
    HDR(I clear), SK {}                 -->
                                                no answer under the IKE SA
    HDR, SK {} (fence)                  -->
                                        <--     HDR, SK {}
    """
    request = established.informational().with_fault(InitiatorFlag())

    reactions = established.reactions(request)

    answers = [each for each in reactions if each.response and (each.protected or each.has(SK))]
    if answers:
        differs(f"a message of the wrong side is answered: {answers[0]}")


@requirement("rfc7296-3.1-wrong-initiator-flag-no-sa")
@turned_red_by("ignores-initiator-flag")
def test_first_request_with_the_wrong_initiator_flag_opens_no_ike_sa(peer, target):
    """
    peer                                        target
    HDR(I clear), SAi1, KEi, Ni         -->
                                                no SAr1
    """
    message = peer.ike_sa_init().with_fault(InitiatorFlag())

    if opens_ike_sa(peer, target, message):
        differs("an IKE_SA_INIT request without the I flag opened an IKE SA")


@requirement("rfc7296-2.21.4-unknown-spi-response-not-answered")
@turned_red_by("answers-stray-responses")
def test_response_of_an_unknown_ike_sa_is_not_answered(established):
    """
    peer                                        target
    HDR(unknown SPIs, R set), SK {..}   -->
                                                nothing
    HDR, SK {} (fence)                  -->
                                        <--     HDR, SK {}
    """
    stray = replace(
        established.informational(),
        spi_i=b"no SPIi.",
        spi_r=b"no SPIr.",
        message_id=7,
        response=True,
    )

    reactions = established.reactions(stray, "a response of no IKE SA")

    answers = [each for each in reactions if each.spi_i == stray.spi_i]
    assert not answers, f"a response is answered: {answers[0]}"


@pytest.mark.parametrize("response", [True, False], ids=["response", "request"])
@requirement("rfc7296-2.21.4-unprotected-notify-changes-nothing")
@turned_red_by("believes-unprotected-notify")
def test_invalid_ike_spi_in_clear_changes_nothing(established, target, response):
    """
    peer                                        target
    HDR, N(INVALID_IKE_SPI) in clear    -->
                                                no answer
    HDR, SK {} (fence)                  -->
                                        <--     HDR, SK {}
    """
    clear = replace(
        established.informational(Notify(NotifyType.INVALID_IKE_SPI)),
        protected=False,
        response=response,
    )

    reactions = established.reactions(clear, "not protected")

    answers = [each for each in reactions if each.response]
    assert not answers, f"a notify in clear is answered: {answers[0]}"
    assert len(target.established()) == 1, "the IKE SA is not what it was"
    assert established.echo(), "the Child SA is gone"


@as_responder
@requirement("rfc7296-2.21.3-erroneous-response-not-reported")
@turned_red_by("reports-errors-in-responses")
def test_error_in_a_response_is_not_reported(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {N(REKEY_SA), SA, Ni, [KEi,] TSi, TSr}
    HDR, SK {SA(of a proposal that was not made), Nr, [KEr,] TSi, TSr} -->
                                                no INFORMATIONAL exchange with an error notify
    PREVENTS: two sides that report each other's reports for ever.
    """
    target.rekey_child()
    request = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)
    response = accepted.grant_child(request)
    [granted] = response.get(SA).proposals
    strange = replace(granted, transforms=(encr(Encr.ENCR_AES_CTR, 256), *granted.transforms[1:]))
    accepted.answer(request, response.replacing(SA((strange,))), "a suite that was not offered")
    accepted.ike.children.clear()

    told = [each for each in accepted.reactions_so_far() if not each.response]
    reports = [each for each in told if any(kind < FIRST_STATUS for kind in each.notifies)]
    assert not reports, f"an error in a response is reported: {reports[0]}"
