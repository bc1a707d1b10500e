"""RFC 4303, 3.3.4: fragments inside ESP, and ESP in fragments."""

import pytest

from suites.judge import differs, esp_alone, requirement, turned_red_by

pytestmark = esp_alone

LARGE = bytes(i % 251 for i in range(2800))
"""Data of an echo that no Ethernet frame holds."""

ORDERS = pytest.mark.parametrize("order", [1, -1], ids=["in-order", "reversed"])


@ORDERS
@requirement("rfc4303-3.3.4-fragments-in-tunnel")
@turned_red_by("takes-no-fragments-in-tunnels")
def test_fragments_that_come_out_of_a_tunnel_are_put_together(established, order):
    """
    peer                                        target
    ESP {first fragment of an echo request} -->
    ESP {second fragment}               -->
                                        <--     ESP {echo reply}
    """
    request = established.echo_request()
    for part in established.split(request, 32)[::order]:
        established.say_esp(established.seal(part))

    assert established.is_replied_whole(request), "no reply to a request in two fragments"


@requirement("rfc4303-3.3.4-fragments-in-tunnel")
@turned_red_by("clears-fragment-flags", "takes-no-fragments-in-tunnels")
def test_large_reply_can_be_put_together(established):
    """
    peer                                        target
    ESP {fragment of an echo request of 2,800 octets}, ESP {..}, .. -->
                                        <--     ESP {fragment of the reply}, ESP {..}, or ESP {echo
                                                reply}, in IP fragments
    PREVENTS: fragments with the flags of a whole packet, which no host can put together.
    """
    request = established.echo_request(LARGE)
    for part in established.split(request, 1200):
        established.say_esp(established.seal(part))

    assert established.is_replied_whole(request), "no reply of which the fragments make a whole"


@requirement("rfc4303-3.3.4-esp-in-fragments")
@turned_red_by("takes-no-esp-that-came-in-fragments")
def test_esp_that_came_in_fragments_is_taken(established):
    """
    peer                                        target
    ESP {echo request, TFC padding to 2,800 octets}, in IP fragments -->
                                        <--     ESP {echo reply}
    """
    request = established.echo_request()

    if not established.delivered(request, established.seal(request, tfc=LARGE)):
        differs("ESP in IP fragments is not taken")
