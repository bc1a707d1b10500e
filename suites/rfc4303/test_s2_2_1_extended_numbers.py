"""RFC 4303, 2.2.1 and Appendix A: extended (64-bit) sequence numbers."""

import pytest

from peers.reference.esp_faults import HighBitsLeftOut
from peers.reference.numbers import Esn
from peers.targets.base import Capability
from suites.judge import (
    as_responder,
    differs,
    esp_alone,
    needs,
    requirement,
    turned_red_by,
    twin_of,
)
from suites.terms import EXTENDED

pytestmark = esp_alone

BOUNDARY = 1 << 32
"""The first number whose high half is not 0."""

AT_THE_BOUNDARY = pytest.mark.parametrize("replay_window", [64, 1024], ids=["w64", "w1024"])


def _approach(established, number):
    """Skip to a number near the boundary, on a way that no receiver can misunderstand.

    From T = 0 the numbers just below 2^32 lie left of the window (A2.2, case B).
    """
    established.skip_to(BOUNDARY // 2)
    assert established.echo(), "numbers cannot be skipped"
    established.skip_to(number)


@EXTENDED
@needs(Capability.IKE)
@requirement("rfc4303-2.2.1-extended-numbers-implemented")
@turned_red_by("knows-no-extended-numbers")
def test_extended_numbers_are_negotiated_and_carry_traffic(peer):
    """
    peer                                        target (extended numbers only)
    HDR, SK {.., SAi2(ESN), ..}         -->
                                        <--     HDR, SK {.., SAr2(ESN), ..}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    peer.establish()

    assert peer.child.keys.esn == Esn.ESN
    assert peer.echo(), "the Child SA with extended numbers carries nothing"


@as_responder
@needs(Capability.IKE)
@EXTENDED
@requirement("rfc4303-2.2.1-extended-numbers-implemented")
@turned_red_by("swaps-child-keys")
def test_target_asks_for_extended_numbers(accepted):
    """
    peer                                        target (extended numbers only)
                                        <--     HDR, SK {.., SAi2(ESN), ..}
    HDR, SK {.., SAr2(ESN), ..}         -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    assert accepted.child.keys.esn == Esn.ESN
    assert accepted.echo(), "the Child SA with extended numbers carries nothing"


@EXTENDED
@needs(Capability.IKE)
@requirement("rfc4303-2.2.1-extended-numbers-implemented")
@turned_red_by("counts-extended-numbers-to-32-bits")
def test_extended_numbers_go_on_after_a_rekey(established):
    """
    peer                                        target
    HDR, SK {N(REKEY_SA), SA(ESN), ..}  -->
                                        <--     HDR, SK {SA(ESN), ..}
    ESP(2^32 - 2 .. 2^32 + 1) {echo requests} -->
                                        <--     ESP {echo replies}
    """
    request = established.create_child_sa(established.rekeys_child())
    established.take_up_child(request, established.exchange(request))
    _approach(established, BOUNDARY - 2)

    assert established.child.keys.esn == Esn.ESN
    assert all(established.echo() for _ in range(4)), "the new Child SA stops at the boundary"


@EXTENDED
@requirement("rfc4303-A2.2-high-half-inferred", "rfc4303-2.2.1-high-half-covered-not-sent")
@turned_red_by("counts-extended-numbers-to-32-bits")
def test_numbers_cross_the_boundary(established):
    """
    peer                                        target
    ESP(2^32 - 2) {echo request}        -->
                                        <--     ESP {echo reply}
    the same with 2^32 - 1, 2^32 (sent as 0) and 2^32 + 1
    """
    _approach(established, BOUNDARY - 2)
    requests = [established.echo_request() for _ in range(4)]

    seen = established.delivered_among([(each, established.seal(each)) for each in requests])

    assert all(seen), f"2^32 - 2 to 2^32 + 1, delivered: {seen}"


@EXTENDED
@requirement("rfc4303-2.2.1-high-half-covered-not-sent")
@turned_red_by("leaves-high-bits-out-of-icv")
def test_icv_without_the_high_half_is_not_taken(established):
    """
    peer                                        target
    ESP(2^32 + 5) {echo request}        -->
                                        <--     ESP {echo reply}
    ESP(2^32 + 6), ICV over 6 {echo request} -->
                                                nothing
    ESP(2^32 + 7) {echo request} (fence) -->
                                        <--     ESP {echo reply}
    """
    _approach(established, BOUNDARY - 1)
    assert established.echo(), "the last number of the first subspace is not taken"
    established.skip_to(BOUNDARY + 5)
    assert established.echo(), "the boundary cannot be crossed"

    seen = established.delivered_with(HighBitsLeftOut())

    assert not seen, "an ICV that does not cover the high half is taken"


@EXTENDED
@twin_of(test_icv_without_the_high_half_is_not_taken)
@requirement("rfc4303-2.2.1-high-half-covered-not-sent")
@turned_red_by("counts-extended-numbers-to-32-bits")
def test_icv_with_the_high_half_is_taken(established):
    """
    peer                                        target
    ESP(2^32 + 5) {echo request}        -->
                                        <--     ESP {echo reply}
    ESP(2^32 + 6) {echo request}        -->
                                        <--     ESP {echo reply}
    """
    _approach(established, BOUNDARY - 1)
    assert established.echo(), "the last number of the first subspace is not taken"
    established.skip_to(BOUNDARY + 5)
    assert established.echo(), "the boundary cannot be crossed"
    request = established.echo_request()

    assert established.delivered(request, established.seal(request))


# With the right edge T = 2^32 + 10 the window spans two subspaces (A2.1, case B).
SPANNING = [
    # number relative to T, as a function of W; delivered; why
    (lambda w: -10, True, "the first number of T's own subspace"),
    (lambda w: -11, True, "the last number of the subspace before"),
    (lambda w: 1 - w, True, "the left edge"),
    (lambda w: -w, False, "one to the left of the left edge"),
]


@AT_THE_BOUNDARY
@EXTENDED
@requirement("rfc4303-A2.1-window-spans-subspaces")
@turned_red_by("extended-window-ends-at-the-boundary", "window-one-packet-too-narrow")
def test_window_spans_two_subspaces(established, replay_window):
    """
    peer                                        target (replay window W)
    ESP(T) {echo request}, T = 2^32 + 10 -->
                                        <--     ESP {echo reply}
    ESP(numbers near both edges) {echo requests} -->
                                        <--     ESP {echo replies}, where T - W < number
    """
    top = BOUNDARY + 10
    _approach(established, BOUNDARY - 2000)
    assert established.echo(), "numbers cannot be skipped"
    late = [established.echo_request() for _ in SPANNING]
    octets = [
        established.seal(each, sequence=top + offset(replay_window))
        for each, (offset, _, _) in zip(late, SPANNING, strict=True)
    ]
    established.skip_to(top)
    assert established.echo(), "the right edge of the window cannot be moved to T"

    seen = established.delivered_among(list(zip(late, octets, strict=True)), "a late packet")

    for got, (_, expected, why) in zip(seen, SPANNING, strict=True):
        assert got == expected, f"{why}: {'delivered' if got else 'discarded'}"


@EXTENDED
@requirement("rfc4303-A3-resynchronisation")
@turned_red_by("stays-out-of-step")
def test_high_half_is_found_again(established):
    """
    peer                                        target
    ESP(1) {echo request}               -->
                                        <--     ESP {echo reply}
    ESP(2^33 + 1 ..) {64 echo requests} -->
                                        <--     ESP {echo reply}, at last
    """
    assert established.echo()
    established.skip_to(2 * BOUNDARY + 1)
    requests = [established.echo_request() for _ in range(64)]
    for each in requests:
        established.say_esp(established.seal(each), "more than 2^32 numbers are skipped")

    if not established.is_replied(requests[-1]):
        differs("after 64 packets the high half is not found again")
