"""RFC 7296, 3.1: the IKE header."""

from dataclasses import replace

import pytest

from peers.reference.faults import HeaderLength, ReservedFlags, ResponseFlag
from peers.reference.message import Header
from peers.reference.numbers import ExchangeType
from peers.reference.payloads import KE, SA, Nonce
from peers.reference.sa import NO_SPI
from suites.judge import as_responder, requirement, turned_red_by, twin_of
from suites.observe import opens_ike_sa


@pytest.mark.parametrize("number", [33, 38, 250])
@requirement("rfc7296-3.1-unknown-exchange-type-no-effect")
@turned_red_by("takes-any-exchange-for-ike-sa-init")
def test_unknown_exchange_type_has_no_effect(peer, target, number):
    """
    peer                                        target
    HDR(exchange 250), SAi1, KEi, Ni    -->
                                                no SAr1
    HDR(IKE_SA_INIT), SAi1, KEi, Ni (fence) -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    message = replace(peer.ike_sa_init(), exchange=ExchangeType(number))

    assert not opens_ike_sa(peer, target, message, "exchange type"), (
        f"exchange type {number} opened an IKE SA"
    )


LENGTHS = [
    (HeaderLength(by=4), "four octets too many"),
    (HeaderLength(by=-4), "four octets too few"),
    (HeaderLength(to=28), "the header alone"),
    (HeaderLength(to=0), "zero"),
    (HeaderLength(to=0xFFFFFFFF), "four gigabytes"),
]


@pytest.mark.parametrize("fault", [f for f, _ in LENGTHS], ids=[why for _, why in LENGTHS])
@requirement("rfc7296-3.1-wrong-length-refused")
@turned_red_by("ignores-header-length")
def test_message_with_a_wrong_length_opens_no_ike_sa(peer, target, fault):
    """
    peer                                        target
    HDR(Length wrong), SAi1, KEi, Ni    -->
                                                no SAr1
    HDR, SAi1, KEi, Ni (fence)          -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    message = peer.ike_sa_init().with_fault(fault)

    opened = opens_ike_sa(peer, target, message)

    assert not opened, "a message whose Length is wrong opened an IKE SA"


@requirement("rfc7296-3.1-flag-x-bits-ignored")
@turned_red_by("minds-reserved-flags")
def test_reserved_flags_are_ignored(peer):
    """
    peer                                        target
    HDR(all reserved flags set), SAi1, KEi, Ni -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    response = peer.exchange(peer.ike_sa_init().with_fault(ReservedFlags()))

    assert response.has(SA, KE, Nonce)


@requirement("rfc7296-3.1-version-flag-ignored")
@turned_red_by("minds-version-flag")
def test_version_flag_is_ignored(peer):
    """
    peer                                        target
    HDR(V set), SAi1, KEi, Ni           -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    response = peer.exchange(replace(peer.ike_sa_init(), higher_version=True), "Version flag")

    assert response.has(SA, KE, Nonce)


@requirement("rfc7296-3.1-response-not-answered")
@turned_red_by("answers-stray-responses")
def test_request_marked_as_a_response_is_not_answered(peer, target):
    """
    peer                                        target
    HDR(R set), SAi1, KEi, Ni           -->
                                                nothing
    HDR, SAi1, KEi, Ni (fence)          -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    message = peer.ike_sa_init().with_fault(ResponseFlag())

    assert not opens_ike_sa(peer, target, message)
    assert peer.reactions_so_far() == [], "a response was answered"


@requirement("rfc7296-3.1-zero-initiator-spi-refused")
@turned_red_by("accepts-zero-initiator-spi")
def test_zero_initiator_spi_opens_no_ike_sa(peer, target):
    """
    peer                                        target
    HDR(SPIi = 0), SAi1, KEi, Ni        -->
                                                no SAr1
    HDR, SAi1, KEi, Ni (fence)          -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    message = peer.ike_sa_init()
    peer.ike.spi_i = NO_SPI

    assert not opens_ike_sa(peer, target, replace(message, spi_i=NO_SPI), "no SPI")


@twin_of(test_zero_initiator_spi_opens_no_ike_sa)
@requirement("rfc7296-1.2-init-exchange-shape")
@turned_red_by("repeats-nonce-payload")
def test_smallest_initiator_spi_opens_an_ike_sa(peer):
    """
    peer                                        target
    HDR(SPIi = 1), SAi1, KEi, Ni        -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    one = (1).to_bytes(8, "big")
    message = peer.ike_sa_init()
    peer.ike.spi_i = one

    response = peer.exchange(replace(message, spi_i=one))

    assert [len(response.all(kind)) for kind in (SA, KE, Nonce)] == [1, 1, 1]


@as_responder
@requirement("rfc7296-3.1-flag-x-bits-cleared", "rfc7296-3.1-version-flag-cleared")
@turned_red_by("sends-reserved-flags")
def test_first_message_of_an_initiator_has_a_clean_header(peer, target):
    """
    peer                                        target
                                        <--     HDR(SPIi, 0, 2.0, I), SAi1, KEi, Ni
    """
    target.initiate()
    header = Header.decode(peer.hear_request_octets(ExchangeType.IKE_SA_INIT).octets)

    assert header.reserved_flags == 0, "reserved flags are set"
    assert not header.higher_version, "the Version flag is set by a speaker of 2.0"
    assert (header.major, header.minor) == (2, 0)
    assert (header.initiator, header.response) == (True, False)
    assert header.spi_i != NO_SPI, "the initiator SPI is zero"
    assert header.spi_r == NO_SPI, "there is a responder SPI before the responder chose one"
    assert header.message_id == 0, f"the first Message ID is {header.message_id}"
