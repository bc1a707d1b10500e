"""Sequence numbers of ESP: the replay window's edges, the counter, extended numbers."""

import pytest

from peers.reference.errors import IntegrityFailure, Replayed, ScriptError
from peers.reference.esp import InboundSa, OutboundSa, ReplayWindow
from suites.selftest.esp_ends import CBC, GCM, SPI, SUITES, make, pair, seal

# Sequence numbers (RFC 4303, 2.2, 3.3.3, 3.4.3).

# The window of size W whose right edge is T covers T-W+1 .. T.
EDGES = [
    # distance left of T, accepted, why
    (lambda w: 0, False, "T itself: a duplicate"),
    (lambda w: 1, True, "inside and new"),
    (lambda w: w - 1, True, "the left edge belongs to the window"),
    (lambda w: w, False, "one to the left of the left edge"),
    (lambda w: w + 1, False, "further left"),
    (lambda w: -1, True, "right of T: the window slides"),
    (lambda w: -w, True, "right of T by the whole window"),
    (lambda w: -100000, True, "far right of T"),
]


@pytest.mark.parametrize("size", [32, 64, 128])
@pytest.mark.parametrize(
    ("distance", "accepted"), [row[:2] for row in EDGES], ids=[row[2] for row in EDGES]
)
def test_edges_of_the_window(size, distance, accepted):
    outbound, inbound = pair(GCM, size=size)
    top = 1000
    inbound.open(seal(outbound, sequence=top))
    number = top - distance(size)
    octets = seal(outbound, sequence=number)

    if accepted:
        assert inbound.open(octets).sequence == number
        assert inbound.window.top == max(top, number)
    with pytest.raises(Replayed, match=f"sequence number {number} "):
        inbound.open(octets)


@pytest.mark.parametrize("size", [32, 64, 128])
def test_window_against_a_plain_record(size):
    """A second implementation keeps every number in a set; the order is fixed and mixed."""
    window, seen, top = ReplayWindow(size), {0}, 0
    state = 12345
    for _ in range(3000):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        number = max(0, top + (state >> 8) % (3 * size) - 2 * size)
        allowed = number > top - size and number not in seen
        try:
            window.check(number)
        except Replayed:
            assert not allowed, number
        else:
            assert allowed, number
            window.advance(number)
            seen.add(number)
            top = max(top, number)
        assert window.top == top


def test_replay_message_says_which():
    outbound, inbound = pair(GCM)
    for number in (100, 101):
        inbound.open(seal(outbound, sequence=number))

    with pytest.raises(Replayed, match="sequence number 100 was received before"):
        inbound.open(seal(outbound, sequence=100))
    with pytest.raises(Replayed, match=r"sequence number 37 is left of the window 38 \.\. 101"):
        inbound.open(seal(outbound, sequence=37))


def test_number_zero_is_never_accepted():
    """RFC 4303, 3.3.3: the first packet carries 1."""
    outbound, inbound = pair(GCM)

    for _ in range(2):
        with pytest.raises(Replayed):
            inbound.open(seal(outbound, sequence=0))
        inbound.open(seal(outbound))


@SUITES
def test_packet_that_does_not_verify_leaves_the_window_alone(suite):
    """RFC 4303, 3.4.3: updated only if the integrity verification succeeds."""
    outbound, inbound = pair(suite)
    octets = seal(outbound, sequence=500)

    with pytest.raises(IntegrityFailure):
        inbound.open(octets[:-1] + bytes([octets[-1] ^ 1]))

    assert inbound.window.top == 0
    assert inbound.open(octets).sequence == 500


def test_replay_is_refused_before_the_icv_is_looked_at():
    outbound, inbound = pair(GCM)
    octets = seal(outbound)
    inbound.open(octets)

    with pytest.raises(Replayed):
        inbound.open(octets[:-1] + bytes([octets[-1] ^ 1]))


def test_without_a_window_everything_that_verifies_is_taken():
    outbound, _ = pair(GCM)
    inbound = InboundSa(SPI, make(GCM), None)
    octets = seal(outbound, sequence=0)

    assert [inbound.open(octets).sequence for _ in range(3)] == [0, 0, 0]


def test_counter_starts_at_one_and_is_left_alone_by_a_chosen_number():
    outbound, inbound = pair(GCM)

    numbers = [
        inbound.open(seal(outbound, sequence=chosen)).sequence for chosen in (None, 9, None, None)
    ]

    assert numbers == [1, 9, 2, 3]


@pytest.mark.parametrize(("extended", "last"), [(False, 2**32 - 1), (True, 2**64 - 1)])
def test_counter_does_not_cycle(extended, last):
    outbound, _ = pair(GCM, extended=extended)
    outbound.sequence = last - 1

    seal(outbound)

    with pytest.raises(ScriptError, match="would cycle"):
        seal(outbound)


def test_default_window_and_numbers():
    """RFC 4303, 3.4.3: 64 packets; 32-bit numbers unless ESN was negotiated."""
    octets = seal(OutboundSa(SPI, make(CBC)))

    assert ReplayWindow().size == 64
    assert InboundSa(SPI, make(CBC), ReplayWindow(), extended=False).open(octets).sequence == 1
    assert InboundSa(SPI, make(CBC), ReplayWindow()).open(octets).sequence == 1


def test_window_of_one_packet_takes_rising_numbers_only():
    window = ReplayWindow(1)
    window.advance(5)

    for refused in (4, 5):
        with pytest.raises(Replayed):
            window.check(refused)
    window.check(6)


def test_huge_step_costs_nothing():
    """The window forgets; it does not grow by what was skipped."""
    window = ReplayWindow(64)
    window.advance(1)

    window.advance(2**63)

    with pytest.raises(Replayed, match="left of the window"):
        window.check(1)
    window.check(2**63 - 63)


def test_window_of_no_packets_is_our_error():
    with pytest.raises(ScriptError, match="window of 0 packets"):
        ReplayWindow(0)


# Extended sequence numbers (RFC 4303, 2.2.1 and A2).

HIGH = 1 << 32
INFERRED = [
    # right edge T, low half received, full number, why
    (0, 1, 1, "the first packet"),
    (100, 101, 101, "right of T"),
    (100, 90, 90, "inside"),
    (100, 36, HIGH + 36, "left of the window is taken for the next subspace"),
    (63, 0, 0, "case A begins where T's low half is W-1"),
    (HIGH - 1, 0, HIGH, "the first number of the next subspace"),
    (HIGH - 1, HIGH - 64, HIGH - 64, "the left edge"),
    (HIGH - 1, HIGH - 65, 2 * HIGH - 65, "one left of it"),
    (HIGH, HIGH - 1, HIGH - 1, "the window spans two subspaces"),
    (HIGH, HIGH - 63, HIGH - 63, "its left edge lies in the earlier one"),
    (HIGH, HIGH - 64, 2 * HIGH - 64, "one left of that edge"),
    (HIGH + 62, HIGH - 1, HIGH - 1, "the last T whose window spans both"),
    (HIGH + 63, HIGH - 1, 2 * HIGH - 1, "the first T whose window does not"),
]


@pytest.mark.parametrize(
    ("top", "low", "full"), [row[:3] for row in INFERRED], ids=[row[3] for row in INFERRED]
)
def test_high_half_is_inferred(top, low, full):
    window = ReplayWindow(64)
    window.advance(top)

    assert window.extend(low) == full


def test_number_before_the_first_is_refused():
    """At T = 0 the window reaches below 1, where no number was ever sent."""
    with pytest.raises(Replayed, match="left of the SA's first"):
        ReplayWindow(64).extend(HIGH - 1)


@SUITES
def test_extended_numbers_cross_the_boundary(suite):
    outbound, inbound = pair(suite, extended=True)
    outbound.sequence = HIGH - 3
    inbound.window.advance(HIGH - 3)

    packets = [seal(outbound) for _ in range(4)]

    assert [inbound.open(octets).sequence for octets in packets] == [
        HIGH - 2,
        HIGH - 1,
        HIGH,
        HIGH + 1,
    ]
    assert packets[2][4:8] == bytes(4), "only the low half is sent"


@SUITES
def test_high_half_is_covered_by_the_icv(suite):
    outbound, inbound = pair(suite, extended=True)
    inbound.window.advance(HIGH)

    with pytest.raises(IntegrityFailure):
        inbound.open(seal(outbound, sequence=1))


def test_extended_numbers_need_a_window():
    with pytest.raises(ScriptError, match="need a replay window"):
        InboundSa(SPI, make(GCM), None, extended=True)
