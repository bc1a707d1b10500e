"""RFC 4303, 3.4.3: replay windows of several sizes, at their edges."""

import pytest

from peers.reference.esp_faults import SequenceZero
from suites.judge import differs, esp_alone, requirement, turned_red_by, twin_of
from suites.terms import CBC, DEFAULT, ESN

pytestmark = esp_alone

SIZES = pytest.mark.parametrize(
    "replay_window", [32, 64, 128, 1024, 4096], ids=lambda size: f"w{size}"
)
NUMBERS = pytest.mark.parametrize(
    "suite", [DEFAULT, CBC, ESN[0]], ids=["aes-gcm-256", "aes-cbc-256", "aes-gcm-256-esn"]
)

# The window of size W whose right edge is T covers T-W+1 .. T.
EDGES = [
    # distance left of T, as a function of W; delivered; why
    (lambda w: 0, False, "T itself: a duplicate"),
    (lambda w: 1, True, "next to the right edge"),
    (lambda w: 1, False, "the same once more"),
    (lambda w: w // 2, True, "the middle"),
    (lambda w: w - 2, True, "next to the left edge"),
    (lambda w: w - 1, True, "the left edge belongs to the window"),
    (lambda w: w - 1, False, "the left edge once more"),
    (lambda w: w, False, "one to the left of the left edge"),
    (lambda w: w + 1, False, "two to the left of it"),
    (lambda w: 3 * w, False, "far to the left"),
]


@SIZES
@NUMBERS
@requirement(
    "rfc4303-3.4.3-left-of-window-rejected",
    "rfc4303-3.4.3-inside-window-accepted",
    "rfc4303-3.4.3-duplicate-rejected",
    "rfc4303-3.4.3-anti-replay-supported",
    "rfc4303-3.4.3-minimum-window",
)
@turned_red_by(
    "window-one-packet-too-wide", "window-one-packet-too-narrow", "delivers-replayed-esp"
)
def test_window_at_its_edges(established, replay_window):
    """
    peer                                        target (replay window W)
    ESP(T) {echo request}               -->
                                        <--     ESP {echo reply}
    ESP(T - distance) {echo requests}   -->
                                        <--     ESP {echo replies}, where new and distance < W
    """
    top = 50_000
    late = [established.echo_request() for _ in EDGES]
    octets = [
        established.seal(each, sequence=top - distance(replay_window))
        for each, (distance, _, _) in zip(late, EDGES, strict=True)
    ]
    established.skip_to(top)
    assert established.echo(), "the right edge of the window cannot be moved to T"

    seen = established.delivered_among(list(zip(late, octets, strict=True)), "a late packet")

    for got, (_, expected, why) in zip(seen, EDGES, strict=True):
        assert got == expected, f"{why}: {'delivered' if got else 'discarded'}"


@requirement("rfc4303-3.4.3-duplicate-rejected")
@turned_red_by("delivers-replayed-esp")
def test_counter_that_starts_again_is_discarded(established):
    """
    peer                                        target
    ESP(1 .. 3) {echo requests}         -->
                                        <--     ESP {echo replies}
    ESP(1) {another echo request}       -->
                                                nothing
    ESP(4) {echo request} (fence)       -->
                                        <--     ESP {echo reply}
    PREVENTS: a sender that was restarted with its old keys, and whoever plays one.
    """
    assert all(established.echo() for _ in range(3))
    again = established.echo_request()

    seen = established.delivered(again, established.seal(again, sequence=1), "counter reset")

    assert not seen, "a number that was used is delivered again"


@requirement("rfc4303-3.4.3-right-of-window-accepted")
@turned_red_by("swaps-child-keys")
@pytest.mark.parametrize("gap", [100, 1 << 16, (1 << 32) - 10], ids=["w", "2^16", "near-2^32"])
def test_any_gap_to_the_right_is_accepted(established, gap):
    """
    peer                                        target
    ESP(1) {echo request}               -->
                                        <--     ESP {echo reply}
    ESP(1 + gap) {echo request}         -->
                                        <--     ESP {echo reply}
    """
    assert established.echo()
    established.skip_to(1 + gap)
    request = established.echo_request()

    assert established.delivered(request, established.seal(request)), "a gap is not accepted"


@requirement("rfc4303-3.4.3-counter-starts-at-zero")
@turned_red_by("delivers-number-zero")
def test_number_zero_is_not_delivered(established):
    """
    peer                                        target
    ESP(0) {echo request}               -->
                                                nothing
    ESP(1) {echo request} (fence)       -->
                                        <--     ESP {echo reply}
    """
    if established.delivered_with(SequenceZero()):
        differs("number 0, which nobody sends, is delivered")


@twin_of(test_number_zero_is_not_delivered)
@requirement("rfc4303-3.4.3-counter-starts-at-zero")
@turned_red_by("swaps-child-keys")
def test_number_one_is_delivered_first(established):
    """
    peer                                        target
    ESP(1) {echo request}               -->
                                        <--     ESP {echo reply}
    """
    request = established.echo_request()

    assert established.delivered(request, established.seal(request, sequence=1))
