"""RFC 4303, 3.4: what a receiver does with ESP: lookup, replay window, integrity."""

import pytest

from suites.judge import esp_alone, requirement, turned_red_by, twin_of
from suites.terms import FAMILIES, SUITES

pytestmark = esp_alone

WINDOW = 64


@SUITES
@requirement(
    "rfc4303-3.4.4.2-integrity-failure-discarded", "rfc4303-3.4.4.1-integrity-failure-discarded"
)
@turned_red_by("compares-esp-icv-short", "checks-no-icv")
def test_packet_with_a_wrong_icv_is_discarded(established):
    """
    peer                                        target
    ESP {echo request}, last bit of the ICV changed -->
                                                nothing
    ESP {echo request} (fence)          -->
                                        <--     ESP {echo reply}
    """
    request = established.echo_request()
    sealed = established.seal(request)
    wrong = sealed[:-1] + bytes([sealed[-1] ^ 1])

    assert not established.delivered(request, wrong, "last bit of the ICV changed")


@SUITES
@twin_of(test_packet_with_a_wrong_icv_is_discarded)
@requirement("rfc4303-3.4.3-inside-window-accepted")
@turned_red_by("swaps-child-keys")
def test_packet_with_the_right_icv_is_delivered(established):
    """
    peer                                        target
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    request = established.echo_request()

    assert established.delivered(request, established.seal(request))


@pytest.mark.parametrize("at", [4, 8, 20], ids=["sequence", "iv", "ciphertext"])
@requirement("rfc4303-3.4.4.2-integrity-failure-discarded")
@turned_red_by("checks-no-icv", "moves-window-before-icv")
def test_packet_changed_on_the_way_is_discarded(established, at):
    """
    peer                                        target
    ESP {echo request}, one bit changed -->
                                                nothing
    ESP {echo request} (fence)          -->
                                        <--     ESP {echo reply}
    """
    request = established.echo_request()
    octets = bytearray(established.seal(request))
    octets[at] ^= 0x40

    assert not established.delivered(request, bytes(octets), f"bit of octet {at} changed")


@FAMILIES
@requirement("rfc4303-3.4.3-duplicate-rejected")
@turned_red_by("delivers-replayed-esp")
def test_packet_is_delivered_once(established):
    """
    peer                                        target
    ESP(1) {echo request}               -->
                                        <--     ESP {echo reply}
    ESP(1) {echo request} (same octets) -->
                                                nothing
    ESP(2) {echo request} (fence)       -->
                                        <--     ESP {echo reply}
    """
    request = established.echo_request()
    octets = established.seal(request)

    assert established.delivered(request, octets), "the first packet is not delivered"
    assert not established.delivered(request, octets, "a packet repeated"), "delivered twice"


# The window of size W whose right edge is T covers T-W+1 .. T (RFC 4303, 3.4.3).
EDGES = [
    # distance left of T, delivered, why
    (1, True, "next to the right edge"),
    (31, True, "left edge of the smallest window allowed"),
    (WINDOW - 1, True, "the left edge belongs to the window"),
    (WINDOW, False, "one to the left of the left edge"),
    (WINDOW + 1000, False, "far to the left"),
]


@pytest.mark.parametrize(
    ("distance", "delivered"), [edge[:2] for edge in EDGES], ids=[edge[2] for edge in EDGES]
)
@pytest.mark.parametrize("replay_window", [WINDOW], ids=["w64"])
@requirement("rfc4303-3.4.3-left-of-window-rejected", "rfc4303-3.4.3-inside-window-accepted")
@turned_red_by(
    "window-one-packet-too-wide", "window-one-packet-too-narrow", "delivers-replayed-esp"
)
def test_window_ends_at_its_left_edge(established, distance, delivered):
    """
    peer                                        target (replay window W)
    ESP(T) {echo request}               -->
                                        <--     ESP {echo reply}
    ESP(T - distance) {echo request}    -->
                                        <--     ESP {echo reply}, if distance < W
    """
    top = 5000
    late = established.echo_request()
    stale = established.seal(late, sequence=top - distance)
    established.skip_to(top)
    assert established.echo(), "the right edge of the window cannot be moved to T"

    seen = established.delivered(late, stale, f"sequence number T - {distance}")

    says = "is discarded inside the window" if delivered else "is delivered left of the window"
    assert seen == delivered, f"sequence number T - {distance} {says}"


@requirement("rfc4303-3.4.3-window-updated-after-integrity-check")
@turned_red_by("moves-window-before-icv", "compares-esp-icv-short", "checks-no-icv")
def test_forged_packet_does_not_move_the_window(established):
    """
    peer                                        target
    ESP(100000) {echo request}, ICV wrong -->
                                                nothing
    ESP(1) {echo request}               -->
                                        <--     ESP {echo reply}
    PREVENTS: one forged packet that shuts out all that follow.
    """
    forged = established.echo_request()
    octets = established.seal(forged, sequence=100_000)
    wrong = octets[:-1] + bytes([octets[-1] ^ 1])

    assert not established.delivered(forged, wrong, "sequence number far ahead, ICV wrong")


@requirement("rfc4303-3.4.2-unknown-spi-discarded", "rfc4301-5.2-sa-lookup-miss-discarded")
@turned_red_by("looks-no-spi-up")
def test_packet_with_an_unknown_spi_is_discarded(established):
    """
    peer                                        target
    ESP(another SPI, our keys) {echo request} -->
                                                nothing
    ESP {echo request} (fence)          -->
                                        <--     ESP {echo reply}
    """
    from peers.reference.esp import OutboundSa

    child = established.child
    other = bytes([child.outbound.spi[0] ^ 0x80]) + child.outbound.spi[1:]
    request = established.echo_request()
    iv = established.random(child.outbound.protection.iv_size)
    stray = OutboundSa(other, child.outbound.protection)
    inner = request.encode()

    assert not established.delivered(request, stray.seal(4, inner, iv), "SPI of no SA")
