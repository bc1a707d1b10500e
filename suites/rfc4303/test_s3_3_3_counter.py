"""RFC 4303, 3.3.3: the end of the sequence numbers, of both widths."""

import pytest

from peers.targets.base import Capability
from suites.judge import esp_alone, needs, requirement, turned_red_by, twin_of
from suites.terms import DEFAULT, ESN

pytestmark = [esp_alone, needs(Capability.SETTABLE_COUNTER)]

WIDTHS = pytest.mark.parametrize(
    ("suite", "last"),
    [(DEFAULT, (1 << 32) - 1), (ESN[0], (1 << 64) - 1), (ESN[1], (1 << 64) - 1)],
    ids=["32-bit", "esn-aes-gcm", "esn-aes-cbc"],
)


@WIDTHS
@requirement("rfc4303-3.3.3-counter-does-not-cycle")
@turned_red_by("lets-the-counter-cycle")
def test_nothing_is_sent_after_the_last_number(established, target, last):
    """
    peer                                        target (the counter stands one before its end)
    ESP {echo request}                  -->
                                        <--     ESP(last) {echo reply}
    ESP {echo request}                  -->
                                                nothing
    """
    target.set_counters(sent=last - 1, received=0)
    established.expect_number(last)
    assert established.heard_echo().esp.sequence == last
    request = established.echo_request()
    established.say_esp(established.seal(request))

    assert not established.is_replied(request), "a packet was sent after the last number"


@WIDTHS
@twin_of(test_nothing_is_sent_after_the_last_number)
@requirement("rfc4303-2.2-sequence-incremented")
@turned_red_by("counts-esp-by-two")
def test_all_numbers_up_to_the_last_are_sent(established, target, last):
    """
    peer                                        target (the counter stands three before its end)
    ESP {echo requests}                 -->
                                        <--     ESP(last - 2), ESP(last - 1), ESP(last)
    """
    target.set_counters(sent=last - 3, received=0)
    established.expect_number(last)

    numbers = [established.heard_echo().esp.sequence for _ in range(3)]

    assert numbers == [last - 2, last - 1, last]
