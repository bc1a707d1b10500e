"""RFC 7296, 2.1: requests that were captured and come again do nothing a second time."""

from dataclasses import replace

import pytest

from peers.reference.numbers import NotifyType
from peers.reference.payloads import KE, SA, Nonce
from suites.judge import differs, requirement, turned_red_by, twin_of


@requirement("rfc7296-2.1-response-retained")
@turned_red_by("repeats-a-response-once", "reseals-repeated-response")
def test_response_is_kept_until_the_next_request(established):
    """
    peer                                        target
    HDR(ID n), SK {}                    -->
                                        <--     HDR(ID n), SK {}
    the same octets, three times, with ESP and another IKE SA's exchange in between -->
                                        <--     the same octets each time
    """
    request = established.informational()
    octets = established.ike.encode(request)
    first = established.repeated_response(request, octets)

    for _ in range(3):
        established.fence()
        assert established.echo(), "the Child SA carries no traffic"
        again = established.repeated_response(request, octets)
        assert again.octets == first.octets, "another response to the same octets"


@requirement("rfc7296-2.1-retransmitted-request-only-repeats-response")
@turned_red_by("carries-out-repeated-requests", "reseals-repeated-response")
def test_repeated_create_child_sa_request_makes_one_child_sa(established, target):
    """
    peer                                        target
    HDR(ID n), SK {SA, Ni, TSi, TSr}    -->
                                        <--     HDR(ID n), SK {SA, Nr, TSi, TSr}
    the same octets                     -->
                                        <--     the same octets
    PREVENTS: a Child SA for every copy of one request.
    """
    request = established.create_child_sa()
    octets = established.ike.encode(request)
    first = established.repeated_response(request, octets)
    established.ike.next_request_id += 1

    second = established.repeated_response(request, octets)

    assert first.message.has(SA), f"no second Child SA: {first.message}"
    assert second.octets == first.octets, "another response to the same octets"
    established.take_up_child(request, first.message)
    assert established.echo(), "the Child SA of the first response carries no traffic"
    _assert_child_sas(target, 2)


@requirement("rfc7296-2.1-forgotten-response-request-ignored")
@turned_red_by("carries-out-forgotten-requests")
def test_create_child_sa_request_from_before_the_window_makes_no_child_sa(established, target):
    """
    peer                                        target
    HDR(ID n), SK {SA, Ni, TSi, TSr}    -->
                                        <--     HDR(ID n), SK {SA, Nr, TSi, TSr}
    HDR(ID n+1), SK {}                  -->
                                        <--     HDR(ID n+1), SK {}
    the octets of ID n                  -->
                                                nothing, or the first response again
    """
    request = established.create_child_sa()
    octets = established.ike.encode(request)
    first = established.repeated_response(request, octets)
    established.take_up_child(request, first.message)
    established.ike.next_request_id += 1
    established.exchange(established.informational())

    _assert_nothing_new(established, octets, first)

    _assert_child_sas(target, 2)


@requirement("rfc7296-2.1-forgotten-response-request-ignored")
@turned_red_by("carries-out-forgotten-requests")
def test_captured_delete_does_not_delete_a_later_child_sa(established, target):
    """
    peer                                        target
    HDR(ID n), SK {D(ESP, SPI a)}       -->
                                        <--     HDR(ID n), SK {D(ESP)}
    HDR(ID n+1), SK {SA(SPI a), Ni, TSi, TSr} -->
                                        <--     HDR(ID n+1), SK {SA, Nr, TSi, TSr}
    the octets of ID n                  -->
                                                nothing, or the first response again
    ESP {echo request}                  -->
                                        <--     ESP(SPI a) {echo reply}
    PREVENTS: whoever captured a Delete closes what is made later under the same SPI.
    """
    child = established.child
    delete = established.deletion(child)
    octets = established.ike.encode(delete)
    first = established.repeated_response(delete, octets)
    established.forget_child(child)
    established.ike.next_request_id += 1
    request = _with_spi(established.create_child_sa(), child.inbound.spi)
    established.take_up_child(request, established.exchange(request))

    _assert_nothing_new(established, octets, first)

    _assert_child_sas(target, 1)
    assert established.echo(), "the later Child SA carries no traffic"


@twin_of(test_captured_delete_does_not_delete_a_later_child_sa)
@requirement("rfc7296-1.4.1-delete-obeyed")
@turned_red_by("keeps-deleted-child")
def test_delete_of_the_later_child_sa_is_obeyed(established, target):
    """
    peer                                        target
    HDR(ID n), SK {D(ESP, SPI a)}       -->
                                        <--     HDR(ID n), SK {D(ESP)}
    HDR(ID n+1), SK {SA(SPI a), Ni, TSi, TSr} -->
                                        <--     HDR(ID n+1), SK {SA, Nr, TSi, TSr}
    HDR(ID n+2), SK {D(ESP, SPI a)}     -->
                                        <--     HDR(ID n+2), SK {D(ESP)}
    """
    child = established.child
    established.close_child(child)
    request = _with_spi(established.create_child_sa(), child.inbound.spi)
    established.take_up_child(request, established.exchange(request))

    established.close_child(established.child)

    _assert_child_sas(target, 0)


@requirement("rfc7296-2.1-init-after-auth-ignored")
@turned_red_by("answers-first-request-after-authentication")
def test_first_request_is_ignored_once_the_peer_is_authenticated(established, target):
    """
    peer                                        target
    the octets of HDR, SAi1, KEi, Ni    -->
                                                nothing
    HDR, SK {} (fence)                  -->
                                        <--     HDR, SK {}
    """
    octets, first = established.ike.request_octets, established.ike.response_octets
    established.remark("the first request of this IKE SA again")

    reactions = established.reactions_to_octets(octets)

    answers = [each for each in reactions if each.response and not each.protected]
    assert established.echo(), "the Child SA carries no more traffic"
    assert len(target.established()) == 1, "another IKE SA"
    fresh = [each for each in answers if each.encode() != first]
    assert not fresh, f"a fresh response to the first request: {fresh[0]}"
    if answers:
        differs("the response to IKE_SA_INIT was sent again after IKE_AUTH")


@pytest.mark.parametrize("other", [("Nonce",), ("Nonce", "KE")], ids=["nonce", "nonce-and-ke"])
@requirement("rfc7296-2.1-init-not-matched-by-spi-alone")
@turned_red_by("knows-first-requests-by-spi")
def test_other_request_with_the_same_spi_is_a_new_one(peer, other):
    """
    peer                                        target
    HDR(SPIi), SAi1, KEi, Ni            -->
                                        <--     HDR(SPIi, SPIr), SAr1, KEr, Nr
    HDR(SPIi), SAi1, KEi, Ni(another)   -->
                                        <--     HDR(SPIi, another SPIr), SAr1, KEr, another Nr
    """
    request = peer.ike_sa_init()
    first = peer.exchange_heard(request)
    changed = request.replacing(Nonce(peer.random(32)))
    if "KE" in other:
        changed = changed.replacing(peer.ike_sa_init().get(KE))
        changed = replace(changed, spi_i=request.spi_i)

    answers = [each for each in peer.reactions(changed) if each.response]

    answers = [each for each in answers if each.spi_i == request.spi_i]
    if not answers:
        differs("another request with the same initiator SPI is not answered")
    repeated = [each for each in answers if each.has(Nonce) and each == first.message]
    assert not repeated, "answered with the response to another request"
    assert answers[0].has(SA, KE, Nonce), f"the new request is refused: {answers[0]}"


def _with_spi(request, spi):
    proposals = request.get(SA).proposals
    return request.replacing(SA(tuple(replace(each, spi=spi) for each in proposals)))


def _assert_nothing_new(peer, octets, first):
    """Send old octets again: silence and the response of that time are both right."""
    reactions = peer.reactions_to_octets(octets)
    answers = [each for each in reactions if each.response and each.protected]
    answers = [each for each in answers if each.message_id == first.message.message_id]
    assert all(each == first.message for each in answers), f"another response: {answers}"
    told = [each for each in reactions if NotifyType.INVALID_MESSAGE_ID in each.notifies]
    assert not [each for each in told if each.response], "INVALID_MESSAGE_ID in a response"


def _assert_child_sas(target, count):
    [state] = target.established()
    assert len(state.children) == count, f"{len(state.children)} Child SAs in the place of {count}"
