"""RFC 4303, 2.6 and 2.7: padding and dummies that hide how much is said (RFC 7296, 1.3.1)."""

from dataclasses import replace

import pytest

from peers.targets.base import Capability
from suites.judge import differs, esp_alone, needs, requirement, turned_red_by, twin_of
from suites.terms import SUITES

pytestmark = esp_alone

PADDED = pytest.mark.parametrize("esp_terms", [{"tfc_size": 600}], ids=["to-600"])


@SUITES
@pytest.mark.parametrize("octets", [1, 100, 900], ids=lambda size: f"{size}-octets")
@requirement("rfc4303-2.7-tfc-padding-discarded")
@turned_red_by("chokes-on-tfc-padding")
def test_tfc_padding_is_discarded(established, octets):
    """
    peer                                        target
    ESP {echo request, TFC padding}     -->
                                        <--     ESP {echo reply}
    """
    request = established.echo_request()
    sealed = established.seal(request, tfc=b"\xa5" * octets)

    assert established.delivered(request, sealed), "an inner packet with TFC padding is lost"


@PADDED
@needs(Capability.TFC_PADDING)
@requirement("rfc4303-2.7-tfc-padding-supported")
@turned_red_by("sends-no-tfc-padding")
def test_target_pads_to_the_configured_size(established):
    """
    peer                                        target (pads to 600 octets)
    ESP {echo request}                  -->
                                        <--     ESP {echo reply of 84 octets, TFC padding}
    """
    heard = established.heard_echo()

    if not heard.esp.tfc:
        differs("no TFC padding, though it is configured")
    assert len(heard.esp.payload) == 84, "the inner packet is not what its length says"


@PADDED
@needs(Capability.IKE, Capability.TFC_PADDING)
@requirement("rfc7296-1.3.1-no-tfc-padding-to-who-refuses-it")
@turned_red_by("pads-whom-it-must-not")
def test_target_does_not_pad_for_who_refuses_it(peer):
    """
    peer                                        target (pads to 600 octets)
    HDR, SK {.., N(ESP_TFC_PADDING_NOT_SUPPORTED), SAi2, ..} -->
                                        <--     HDR, SK {.., SAr2, ..}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}, no TFC padding
    """
    peer.connection = replace(peer.connection, accepts_tfc=False)
    peer.establish()

    assert not peer.heard_echo().esp.tfc, "padded in spite of ESP_TFC_PADDING_NOT_SUPPORTED"


@PADDED
@needs(Capability.IKE, Capability.TFC_PADDING)
@twin_of(test_target_does_not_pad_for_who_refuses_it)
@requirement("rfc4303-2.7-tfc-padding-supported")
@turned_red_by("sends-no-tfc-padding")
def test_target_pads_for_who_does_not_refuse_it(peer):
    """
    peer                                        target (pads to 600 octets)
    HDR, SK {.., SAi2, ..}              -->
                                        <--     HDR, SK {.., SAr2, ..}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply, TFC padding}
    """
    peer.establish()

    if not peer.heard_echo().esp.tfc:
        differs("no TFC padding, though it is configured")


@SUITES
@requirement("rfc4303-2.6-dummy-discarded")
@turned_red_by("swaps-child-keys")
def test_dummies_leave_the_sa_as_it_is(established):
    """
    peer                                        target
    ESP {dummies of several sizes}      -->
                                                nothing
    HDR, SK {} (fence)                  -->
                                        <--     HDR, SK {}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    for size in (0, 1, 64, 1000):
        established.say_esp(established.dummy(size))

    assert established.reactions_so_far() == [], "a dummy is answered"
    assert established.echo(), "dummies stop the Child SA"


@requirement("rfc4303-3.4.3-number-of-dummy-counts")
@turned_red_by("forgets-numbers-of-dummies")
def test_number_of_a_dummy_counts_as_received(established):
    """
    peer                                        target
    ESP(1) {dummy}                      -->
                                                nothing
    ESP(1) {echo request}               -->
                                                nothing
    ESP(2) {echo request} (fence)       -->
                                        <--     ESP {echo reply}
    """
    established.say_esp(established.dummy())
    request = established.echo_request()
    used = established.child.outbound.sequence
    octets = established.seal(request, sequence=used)

    seen = established.delivered(request, octets, "the number of a dummy once more")

    assert not seen, "a packet with the number of a dummy is delivered"


@twin_of(test_number_of_a_dummy_counts_as_received)
@requirement("rfc4303-2.6-dummy-discarded")
@turned_red_by("swaps-child-keys")
def test_number_after_a_dummy_is_delivered(established):
    """
    peer                                        target
    ESP(1) {dummy}                      -->
                                                nothing
    ESP(2) {echo request}               -->
                                        <--     ESP {echo reply}
    """
    established.say_esp(established.dummy())
    request = established.echo_request()

    assert established.delivered(request, established.seal(request))
