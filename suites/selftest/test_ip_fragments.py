"""IPv4 fragments against scapy, in every order, and what is never put together."""

from dataclasses import replace
from ipaddress import ip_address
from itertools import permutations

import pytest
from scapy.layers.inet import IP, defragment, fragment

from peers.reference.errors import ScriptError
from peers.reference.ip import DONT_FRAGMENT, FRAGMENT_OFFSET, Echo, IpPacket, echo_request
from peers.reference.ip_fragments import MOST_KEPT, Fragments, split
from peers.reference.tcp import SYN, Segment

ENDS = ip_address("198.18.0.1"), ip_address("198.18.0.2")
WHOLE = replace(echo_request(*ENDS, 7, 1, bytes(range(90))), identification=77)


def put_together(parts):
    fragments = Fragments()
    return [fragments.whole(part) for part in parts]


def test_fragments_are_those_of_scapy():
    """scapy counts the IP header of what it splits, and we do not."""
    theirs = [bytes(each) for each in fragment(IP(WHOLE.encode()), fragsize=40)]

    assert [each.encode() for each in split(WHOLE, 40)] == theirs


def test_scapy_puts_our_fragments_together():
    [whole] = defragment([IP(each.encode()) for each in split(WHOLE, 40)])
    del whole.chksum, whole.len

    assert bytes(whole) == WHOLE.encode()


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_order_does_not_matter(order):
    parts = split(WHOLE, 40)

    *before, last = put_together([parts[number] for number in order])

    assert before == [None, None]
    assert last == WHOLE


def test_doubled_and_overlapping_fragments_do_no_harm():
    first, second, third = split(WHOLE, 40)
    coarse = split(WHOLE, 64)[0]

    *before, last = put_together([first, first, coarse, second, third])

    assert before == [None] * 4
    assert last == WHOLE


def test_fragment_inside_another_one_takes_nothing_away():
    first, _, third = split(WHOLE, 40)
    inside = replace(split(WHOLE, 8)[1])
    large, rest = split(WHOLE, 64)

    assert put_together([inside, large, rest])[-1] == WHOLE
    assert put_together([first, third, inside])[-1] is None, "the second one is missing"


def test_packet_that_would_be_too_large_never_is():
    first = split(WHOLE, 64)[0]
    beyond = replace(first, fragmentation=FRAGMENT_OFFSET, payload=bytes(8))

    assert put_together([first, beyond]) == [None, None]


def test_fragments_of_other_packets_are_kept_apart():
    ours, theirs = split(WHOLE, 64), split(replace(WHOLE, identification=78), 64)

    assert put_together([ours[0], theirs[1]]) == [None, None]


def test_oldest_packet_is_given_up():
    fragments = Fragments()
    first, second = split(WHOLE, 64)
    assert fragments.whole(first) is None
    for number in range(MOST_KEPT):
        other = split(replace(WHOLE, identification=1000 + number), 64)[0]
        assert fragments.whole(other) is None

    assert fragments.whole(second) is None, "its first fragment was kept"


def test_whole_packets_pass_at_once():
    assert put_together([WHOLE]) == [WHOLE]
    six = echo_request(ip_address("fd00::1"), ip_address("fd00::2"), 7, 1)
    assert put_together([six]) == [six]


@pytest.mark.parametrize(
    ("packet", "size"),
    [
        (WHOLE, 7),
        (replace(WHOLE, fragmentation=DONT_FRAGMENT), 40),
        (split(WHOLE, 40)[1], 8),
        (echo_request(ip_address("fd00::1"), ip_address("fd00::2"), 7, 1), 40),
        (replace(WHOLE, payload=b""), 40),
    ],
    ids=["too-small", "must-not-be-split", "a-fragment", "ipv6", "empty"],
)
def test_what_cannot_be_split_is_our_error(packet, size):
    with pytest.raises(ScriptError, match="cannot be split"):
        split(packet, size)


def test_a_fragment_holds_no_echo_and_no_segment():
    """Its checksum is that of the whole packet."""
    syn = replace(Segment(40000, 9, 1, 0, SYN).between(*ENDS), identification=3)

    assert [Echo.find(part) for part in split(WHOLE, 40)] == [None] * 3
    assert [Segment.find(part) for part in split(syn, 16)] == [None] * 2
    assert Echo.find(IpPacket.decode(WHOLE.encode())) is not None
