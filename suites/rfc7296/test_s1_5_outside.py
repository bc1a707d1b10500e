"""RFC 7296, 1.5: messages outside of an IKE SA."""

from dataclasses import replace

import pytest

from peers.reference.message import Message
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import Delete, Notify
from peers.reference.sa import NO_SPI
from suites.judge import requirement, turned_red_by


@pytest.mark.parametrize(
    "spis",
    [(NO_SPI, NO_SPI), (b"at-rando", b"m-chosen")],
    ids=["zero", "random"],
)
@requirement("rfc7296-1.5-one-way-notify-not-answered")
@turned_red_by("answers-one-way-notices")
def test_notice_of_an_unknown_spi_is_not_answered(peer, spis):
    """
    peer                                        target
    HDR(any SPIs), N(INVALID_SPI, 4 octets) in clear -->
                                                nothing
    HDR, SAi1, KEi, Ni (fence)          -->
                                        <--     HDR, SAr1, KEr, Nr
    PREVENTS: two nodes that answer each other for ever.
    """
    peer.ike_sa_init()

    reactions = peer.reactions(_notice(spis, peer.random(4)), "a notice in clear")

    assert not reactions, f"a one-way notice is answered: {reactions[0]}"


@requirement(
    "rfc7296-1.5-one-way-notify-not-answered", "rfc7296-2.4-unprotected-message-not-failure"
)
@turned_red_by("answers-one-way-notices")
def test_notice_of_an_spi_in_use_changes_nothing(established, target):
    """
    peer                                        target
    HDR(any SPIs), N(INVALID_SPI, SPI of its Child SA) in clear -->
                                                no answer
    HDR, SK {} (fence)                  -->
                                        <--     HDR, SK {}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    notice = _notice((b"at-rando", b"m-chosen"), established.child.inbound.spi)

    reactions = established.reactions(notice, "a notice in clear")

    answers = [each for each in reactions if each.spi_i == notice.spi_i]
    assert not answers, f"a one-way notice is answered: {answers[0]}"
    assert len(target.established()) == 1, "the IKE SA is not what it was"
    assert established.echo(), "the Child SA is gone"


@pytest.mark.parametrize(
    "told", [NotifyType.INVALID_SPI, NotifyType.INVALID_IKE_SPI], ids=["esp", "ike"]
)
@requirement("rfc7296-2.21.4-told-error-changes-no-sa")
@turned_red_by("gives-up-what-is-told-invalid")
def test_notice_within_the_ike_sa_changes_nothing_either(established, target, told):
    """
    peer                                        target
    HDR, SK {N(INVALID_SPI, the SPI it sends to), or N(INVALID_IKE_SPI)} -->
                                        <--     HDR, SK {}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    spi = established.child.inbound.spi if told == NotifyType.INVALID_SPI else b""

    response = established.exchange(established.informational(Notify(told, spi)))

    assert not response.has(Delete), f"an SA is given up: {response}"
    assert len(target.established()) == 1, "the IKE SA is not what it was"
    assert established.echo(), "the Child SA is gone"


@requirement("rfc7296-1.5-invalid-ike-spi-form", "rfc7296-2.21.4-unknown-spi-request-answer")
@turned_red_by("tells-strangers-their-spi")
def test_answer_to_a_request_of_an_unknown_ike_sa_has_the_form(established, administrative):
    """
    peer                                        target
    HDR(unknown SPIs, ID 7), SK {..}    -->
                                        <--     [HDR(the same SPIs, ID 7), N(INVALID_IKE_SPI)]
    """
    spis = b"no SPIi.", b"no SPIr."
    request = replace(established.informational(), spi_i=spis[0], spi_r=spis[1], message_id=7)

    reactions = established.reactions(request, "SPIs of no IKE SA")

    answers = [each for each in reactions if each.spi_i == request.spi_i]
    if not answers:
        administrative("a request of an unknown IKE SA is not answered")
        return
    [answer] = answers
    assert answer.response, f"a request in the place of a response: {answer}"
    assert not answer.protected, "an answer under keys that the other side cannot have"
    assert (answer.spi_r, answer.message_id) == (spis[1], 7), f"SPIr or Message ID: {answer}"
    assert answer.exchange == request.exchange, f"another exchange type: {answer}"
    assert answer.notifies == (NotifyType.INVALID_IKE_SPI,), f"another notify: {answer}"
    assert answer.get(Notify).data == b"", "INVALID_IKE_SPI with data"
    assert not answer.initiator, "the I flag is that of the request"


def _notice(spis, spi):
    return Message(
        *spis,
        ExchangeType.INFORMATIONAL,
        initiator=True,
        response=False,
        message_id=0,
        payloads=(Notify(NotifyType.INVALID_SPI, spi),),
    )
