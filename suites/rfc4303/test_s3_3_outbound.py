"""RFC 4303, 2.4 and 3.3: what a sender puts into ESP: sequence numbers and padding."""

from peers.targets.base import Capability
from suites.judge import as_responder, esp_alone, needs, requirement, turned_red_by
from suites.terms import SUITES

pytestmark = esp_alone


@requirement("rfc4303-3.3.3-first-number-is-one")
@turned_red_by("starts-esp-at-zero")
def test_first_packet_of_an_sa_has_number_one(established):
    """
    peer                                        target
    ESP {echo request}                  -->
                                        <--     ESP(1) {echo reply}
    """
    first = established.heard_echo().esp.sequence

    assert first == 1, f"the first packet has sequence number {first}"


@requirement("rfc4303-2.2-sequence-incremented")
@turned_red_by("counts-esp-by-two")
def test_sequence_number_rises_by_one(established):
    """
    peer                                        target
    ESP {echo request}                  -->
                                        <--     ESP(n) {echo reply}
    ESP {echo request}                  -->
                                        <--     ESP(n+1) {echo reply}
    """
    numbers = [established.heard_echo().esp.sequence for _ in range(4)]

    assert numbers == list(range(numbers[0], numbers[0] + 4))


@SUITES
@requirement("rfc4303-2.4-padding-content")
@turned_red_by("pads-esp-with-zeros")
def test_padding_counts_from_one(established):
    """
    peer                                        target
    ESP {echo requests of several sizes} -->
                                        <--     ESP {echo replies}, padding 1, 2, 3, ..
    """
    for size in range(16):
        padding = established.heard_echo(data=bytes(size)).esp.padding
        assert padding == bytes(range(1, len(padding) + 1)), f"padding {padding.hex()}"


@as_responder
@needs(Capability.IKE)
@requirement("rfc4303-3.1.2-tunnel-mode")
@turned_red_by("swaps-child-keys")
def test_target_sends_its_own_traffic_through_the_child_sa(accepted, target):
    """
    peer                                        target
    ESP {echo request} (the Child SA is up) -->
                                        <--     ESP {echo reply}
                                        <--     ESP {echo request}
    ESP {echo reply}                    -->
    """
    assert accepted.echo(), "the Child SA is not up"
    target.echo()
    heard = accepted.hear_esp()

    assert heard.esp.next_header == 4, f"next header {heard.esp.next_header} in tunnel mode"
    assert accepted.child.covers(heard.inner), f"{heard.inner} is outside the selectors"
