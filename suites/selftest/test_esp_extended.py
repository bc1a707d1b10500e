"""Extended sequence numbers where they hurt: wide windows, lost high halves, the last number."""

import pytest

from peers.reference.errors import IntegrityFailure, Replayed, ScriptError
from peers.reference.esp import (
    MOST_PACKETS,
    InboundSa,
    NumbersSeen,
    Recovery,
    ReplayWindow,
    observing,
)
from peers.reference.implemented import check_sequence_numbers
from peers.reference.negotiation import encr, esn, esp_proposal
from peers.reference.numbers import Encr, Esn
from suites.selftest.esp_ends import GCM, SPI, SUITES, make, pair, seal

HIGH = 1 << 32
LAST = (1 << 64) - 1
SIZES = [32, 64, 128, 1024, 4096, 1 << 20]
WITH_ESN = esp_proposal(encr(Encr.ENCR_AES_GCM_16, 256), esn(Esn.ESN))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("top", [HIGH - 1, HIGH, HIGH + 5, 7 * HIGH + 2, LAST])
def test_every_number_of_a_window_is_inferred_and_taken_once(size, top):
    window = ReplayWindow(size)
    window.advance(top)

    for number in {top - 1, top - 2, top - size // 2, top - size + 2, top - size + 1}:
        assert window.extend(number & 0xFFFFFFFF) == number
        window.check(number)
        window.advance(number)
        with pytest.raises(Replayed, match="received before"):
            window.check(number)
    with pytest.raises(Replayed, match="left of the window"):
        window.check(top - size)
    assert window.top == top


def test_what_is_left_of_the_window_is_taken_for_the_next_subspace():
    """RFC 4303, A2.2, case A: the ICV then fails, unless that number was really sent."""
    outbound, inbound = pair(GCM, extended=True)
    inbound.window.advance(1000)

    with pytest.raises(IntegrityFailure):
        inbound.open(seal(outbound, sequence=1000 - 64))
    assert inbound.open(seal(outbound, sequence=HIGH + 1000 - 64)).sequence == HIGH + 936


def test_number_after_the_last_is_refused():
    """What a peer sends must not end in an error of ours at the end of the number space."""
    outbound, inbound = pair(GCM, extended=True)
    inbound.window.advance(LAST)
    stale = seal(outbound, sequence=LAST - 64)

    with pytest.raises(Replayed, match="right of the SA's last"):
        inbound.open(stale)
    assert inbound.open(seal(outbound, sequence=LAST - 63)).sequence == LAST - 63


def test_widest_window_from_which_a_high_half_can_be_inferred():
    """RFC 4303, A2: 2^31 packets."""
    InboundSa(SPI, make(GCM), ReplayWindow(MOST_PACKETS), extended=True)

    with pytest.raises(ScriptError, match="window of 2147483649 packets"):
        InboundSa(SPI, make(GCM), ReplayWindow(MOST_PACKETS + 1), extended=True)
    ReplayWindow(HIGH + 1).check(1)


@pytest.mark.parametrize("window", [0, MOST_PACKETS + 1])
def test_extended_numbers_without_a_fitting_window_are_refused_when_configured(window):
    """F70; RFC 4303, 3.3.3: who wants no anti-replay should not negotiate ESN."""
    with pytest.raises(ScriptError, match=f"replay window of {window}"):
        check_sequence_numbers([WITH_ESN], window)
    check_sequence_numbers([WITH_ESN], 1)
    check_sequence_numbers([esp_proposal(encr(Encr.ENCR_AES_GCM_16, 256))], window)


# Re-synchronisation (RFC 4303, A3).


def lossy(suite=GCM, *, skipped=2, **parameters):
    """An SA on which 2^32 packets and more, ``skipped`` subspaces in all, were lost."""
    outbound, inbound = pair(suite, extended=True)
    inbound.recovery = Recovery(**parameters)
    inbound.open(seal(outbound))
    outbound.sequence = skipped * HIGH + 100
    return outbound, inbound


@SUITES
def test_receiver_finds_the_high_half_again(suite):
    outbound, inbound = lossy(suite, trigger=3, limit=2)

    for _ in range(2):
        with pytest.raises(IntegrityFailure):
            inbound.open(seal(outbound))
    found = inbound.open(seal(outbound))

    assert found.sequence == 2 * HIGH + 103
    assert inbound.window.top == 2 * HIGH + 103
    assert inbound.open(seal(outbound)).sequence == 2 * HIGH + 104


def test_no_more_values_are_tried_than_the_limit_says():
    outbound, inbound = lossy(skipped=3, trigger=1, limit=2)

    for _ in range(5):
        with pytest.raises(IntegrityFailure, match="no higher number"):
            inbound.open(seal(outbound))


def test_valid_packet_resets_the_count():
    outbound, inbound = lossy(trigger=2, limit=2)

    for _ in range(3):
        with pytest.raises(IntegrityFailure):
            inbound.open(seal(outbound))
        inbound.open(seal(outbound, sequence=inbound.window.top + 1))
    assert inbound.window.top < HIGH


def test_candidates_end_with_the_number_space():
    recovery = Recovery(trigger=1, limit=9)

    assert list(recovery.candidates(LAST - HIGH)) == [LAST]
    assert list(recovery.candidates(LAST)) == []


def test_without_recovery_the_receiver_stays_out_of_step():
    outbound, inbound = lossy()
    inbound.recovery = None

    for _ in range(20):
        with pytest.raises(IntegrityFailure):
            inbound.open(seal(outbound))


# An observer.


def test_observer_infers_and_refuses_nothing():
    outbound, inbound = pair(GCM, extended=True)
    seen = observing(inbound)

    for number in (1, 0, 1, 5, HIGH - 1, HIGH + 3, HIGH + 3, HIGH - 2):
        assert seen.open(seal(outbound, sequence=number)).sequence == number
    assert NumbersSeen().extend(HIGH - 1) == HIGH - 1
    assert observing(pair(GCM)[1]).window is None
