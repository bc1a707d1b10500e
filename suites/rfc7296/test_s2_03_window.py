"""RFC 7296, 2.3: the window of Message IDs; 3.14: messages that fail their integrity check."""

from dataclasses import replace

import pytest

from peers.reference.faults import CiphertextCorrupted, HeaderCorrupted, IcvCorrupted
from suites.judge import requirement, turned_red_by, twin_of


@pytest.mark.parametrize("ahead", [1, 2, 1000], ids=["next-but-one", "two-ahead", "far-ahead"])
@requirement("rfc7296-2.3-outside-window-not-acknowledged")
@turned_red_by("answers-any-message-id")
def test_request_beyond_the_window_is_not_answered(established, ahead):
    """
    peer                                        target
    HDR(ID n+1), SK {}                  -->
                                                nothing
    HDR(ID n), SK {} (fence)            -->
                                        <--     HDR(ID n), SK {}
    """
    expected = established.informational()
    beyond = replace(expected, message_id=expected.message_id + ahead)

    reactions = established.reactions(beyond, f"Message ID {ahead} beyond the expected")

    answers = [message for message in reactions if message.response]
    assert not answers, f"a request {ahead} beyond the expected Message ID was answered"


@twin_of(test_request_beyond_the_window_is_not_answered)
@requirement("rfc7296-2.2-message-ids-count-from-zero")
@turned_red_by("refuses-ninth-message")
def test_requests_in_order_are_answered(established):
    """
    peer                                        target
    HDR(ID 2), SK {}                    -->
                                        <--     HDR(ID 2), SK {}
    ...
    HDR(ID 8), SK {}                    -->
                                        <--     HDR(ID 8), SK {}
    """
    for message_id in range(2, 9):
        response = established.exchange(established.informational())
        assert response.message_id == message_id


FORGERIES = pytest.mark.parametrize(
    "forgery",
    [IcvCorrupted(), CiphertextCorrupted(), HeaderCorrupted(at=19)],
    ids=["icv", "ciphertext", "header-flags"],
)


@FORGERIES
@requirement("rfc7296-3.14-integrity-failure-dropped")
@turned_red_by("closes-ike-sa-on-forgery")
def test_forged_message_is_dropped_and_the_ike_sa_stays(established, forgery):
    """
    peer                                        target
    HDR, SK {} with one octet changed   -->
                                                nothing
    HDR, SK {} (the same ID, fence)     -->
                                        <--     HDR, SK {}
    PREVENTS: an attacker who can end an IKE SA without its keys.
    """
    reactions = established.reactions(established.informational().with_fault(forgery))

    answers = [message for message in reactions if message.response]
    assert not answers, "a message that fails its integrity check was answered"
    assert established.echo(), "the Child SA is gone"


@requirement("rfc7296-2.4-unprotected-message-not-failure")
@turned_red_by("believes-unprotected-notify")
def test_unprotected_error_does_not_end_the_ike_sa(established):
    """
    peer                                        target
    HDR(response), N(INVALID_IKE_SPI) in clear -->
    HDR, SK {} (fence)                  -->
                                        <--     HDR, SK {}
    """
    from peers.reference.numbers import NotifyType
    from peers.reference.payloads import Notify

    clear = replace(
        established.informational(Notify(NotifyType.INVALID_IKE_SPI)),
        protected=False,
        response=True,
        message_id=0,
    )

    established.reactions(clear, "not protected")

    assert established.echo(), "the Child SA is gone"
