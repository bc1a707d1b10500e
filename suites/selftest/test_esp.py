"""ESP packets against published vectors, the replay window's edges, and broken packets."""

from dataclasses import FrozenInstanceError, replace
from ipaddress import ip_address

import pytest

from peers.reference.crypto import key_sizes, protection
from peers.reference.errors import IntegrityFailure, MalformedMessage, Replayed, ScriptError
from peers.reference.esp import InboundSa, OutboundSa, ReplayWindow
from peers.reference.ip import echo_request
from peers.reference.numbers import Encr, Integ, IpProtocol
from vectors.loader import load

PUBLISHED = [
    case
    for vectors in (load("rfc3602-esp"), load("rfc7634-esp"), load("mcgrew-gcm-esp"))
    for case in vectors.cases
]
SPI = b"\xc0\xff\xee\x01"
CBC = (Encr.ENCR_AES_CBC, 128, Integ.AUTH_HMAC_SHA2_256_128)
GCM = (Encr.ENCR_AES_GCM_16, 256, None)
CHACHA = (Encr.ENCR_CHACHA20_POLY1305, None, None)
NULL = (Encr.ENCR_NULL, None, Integ.AUTH_HMAC_SHA2_256_128)
SUITES = pytest.mark.parametrize("suite", [CBC, GCM, CHACHA, NULL], ids=lambda suite: str(suite[0]))
INNER = echo_request(ip_address("10.1.0.1"), ip_address("10.2.0.1"), 7, 1, b"ping").encode()


def make(suite):
    encryption, integrity = key_sizes(*suite)
    return protection(*suite, bytes(range(encryption)), bytes(range(100, 100 + integrity)))


def pair(suite, *, size=64, extended=False):
    """Both ends of one SA."""
    return (
        OutboundSa(SPI, make(suite), extended=extended),
        InboundSa(SPI, make(suite), ReplayWindow(size), extended=extended),
    )


def seal(sa, payload=INNER, next_header=IpProtocol.IPV4, **more):
    return sa.seal(next_header, payload, bytes(sa.protection.iv_size), **more)


# Published packets.


def published(case):
    suite = (Encr(case.number("encr")), case.optional_number("key_bits"), None)
    return protection(*suite, case.octets("key"), b"")


@pytest.mark.parametrize("case", PUBLISHED, ids=lambda case: f"{case.number('encr')}-{case}")
def test_published_packet_is_built(case):
    sa = OutboundSa(case.octets("spi"), published(case), extended=case.number("extended"))

    packet = sa.seal(
        case.number("next_header"),
        case.octets("payload"),
        case.octets("iv"),
        sequence=case.number("sequence"),
    )

    assert packet == case.octets("packet")


@pytest.mark.parametrize("case", PUBLISHED, ids=lambda case: f"{case.number('encr')}-{case}")
def test_published_packet_is_read(case):
    """An SA with ESN is told where its window stands, as a receiver would know."""
    window = ReplayWindow(64)
    window.advance(case.number("sequence") - 1)
    sa = InboundSa(
        case.octets("spi"), published(case), window, extended=bool(case.number("extended"))
    )

    packet = sa.open(case.octets("packet"))

    assert packet.sequence == case.number("sequence")
    assert packet.next_header == case.number("next_header")
    assert packet.payload == case.octets("payload")
    assert packet.padding == case.octets("padding")


# The packet (RFC 4303, 2).


@SUITES
def test_sealed_packet_opens(suite):
    outbound, inbound = pair(suite)

    packet = inbound.open(seal(outbound))

    assert (packet.spi, packet.sequence, packet.next_header) == (SPI, 1, IpProtocol.IPV4)
    assert packet.payload == INNER
    assert packet.tfc == b""


@SUITES
@pytest.mark.parametrize("size", range(19))
def test_padding_is_the_least_that_aligns(suite, size):
    """RFC 4303, 2.4: 1, 2, 3, ...; the cipher's block, and 4 octets whatever the cipher."""
    outbound, inbound = pair(suite)
    alignment = 16 if suite is CBC else 4

    octets = seal(outbound, bytes(size), IpProtocol.UDP)
    packet = inbound.open(octets)

    assert packet.padding == bytes(range(1, len(packet.padding) + 1))
    assert len(packet.padding) < alignment
    assert (size + len(packet.padding) + 2) % alignment == 0
    protection_ = outbound.protection
    assert len(octets) == (
        8 + protection_.iv_size + size + len(packet.padding) + 2 + protection_.icv_size
    )


def test_longest_padding():
    outbound, inbound = pair(GCM)
    padding = bytes(range(1, 256))

    assert inbound.open(seal(outbound, bytes(3), padding=padding)).padding == padding
    with pytest.raises(ScriptError, match="256 octets of padding"):
        seal(outbound, padding=bytes(256))


@pytest.mark.parametrize("suite", [CBC, NULL], ids=lambda suite: str(suite[0]))
def test_integrity_covers_spi_sequence_iv_and_ciphertext(suite):
    """RFC 4303, 2.8; each octet in turn, the ICV's included."""
    outbound, _ = pair(suite)
    octets = seal(outbound)
    for at in range(4, len(octets)):
        _, inbound = pair(suite)
        changed = bytearray(octets)
        changed[at] ^= 2
        with pytest.raises(IntegrityFailure):
            inbound.open(bytes(changed))


@pytest.mark.parametrize("suite", [GCM, CHACHA], ids=lambda suite: str(suite[0]))
def test_combined_mode_covers_the_same(suite):
    test_integrity_covers_spi_sequence_iv_and_ciphertext(suite)


@SUITES
def test_spi_is_covered(suite):
    octets = seal(OutboundSa(b"\xc0\xff\xee\x02", make(suite)))
    inbound = InboundSa(SPI, make(suite), ReplayWindow())

    with pytest.raises(IntegrityFailure):
        inbound.open(SPI + octets[4:])


@SUITES
def test_every_shortened_packet_is_refused(suite):
    outbound, inbound = pair(suite)
    octets = seal(outbound)

    for size in range(len(octets)):
        with pytest.raises(MalformedMessage if size < 8 else IntegrityFailure):
            inbound.open(octets[:size])


def test_packet_of_another_sa_is_malformed():
    outbound, _ = pair(GCM)
    inbound = InboundSa(b"\0\0\1\0", make(GCM), ReplayWindow())

    with pytest.raises(MalformedMessage, match="c0ffee01 is not that of SA 00000100"):
        inbound.open(seal(outbound))


def clear(suite, plaintext):
    """A packet whose ICV is right, whatever its plaintext is."""
    made = make(suite)
    header = SPI + (1).to_bytes(4, "big")
    return header + made.seal(header, plaintext, bytes(made.iv_size))


# The plaintext, the offset within the packet (its plaintext starts at octet 16), the reason.
BROKEN = [
    (b"", 16, "an ESP trailer is cut off"),
    (b"\x3b", 17, "an ESP trailer is cut off"),
    (b"\0\x3b", 16, "the ESP trailer is not aligned"),
    (bytes(3) + b"\0\x3b", 19, "the ESP trailer is not aligned"),
    (b"\1\2\3\x3b", 18, "Pad Length 3 exceeds the packet"),
    (b"\1\2\xff\x3b", 18, "Pad Length 255 exceeds the packet"),
    (b"\0\0\2\x3b", 16, "padding 0000 is not 1, 2, 3, ..."),
    (b"\2\1\2\x3b", 16, "padding 0201 is not 1, 2, 3, ..."),
    (b"data\1\2\3\5\0\0\5\x3b", 21, "padding 0203050000 is not 1, 2, 3, ..."),
]


@pytest.mark.parametrize(("plaintext", "offset", "reason"), BROKEN, ids=[row[2] for row in BROKEN])
def test_broken_trailer_is_malformed(plaintext, offset, reason):
    inbound = InboundSa(SPI, make(GCM), ReplayWindow())

    with pytest.raises(MalformedMessage) as caught:
        inbound.open(clear(GCM, plaintext))

    assert (caught.value.offset, caught.value.reason) == (offset, reason)
    assert inbound.window.top == 1, "the ICV verified, so the window moved (RFC 4303, 3.4.3)"


def test_padding_need_not_be_inspected():
    """RFC 4303, 2.4 says SHOULD; the Pad Length still counts."""
    lenient = InboundSa(SPI, make(GCM), None, inspects_padding=False)

    packet = lenient.open(clear(GCM, b"\2\1\2\x3b"))

    assert (packet.payload, packet.padding) == (b"", b"\2\1")
    with pytest.raises(MalformedMessage, match="Pad Length 3 exceeds"):
        lenient.open(clear(GCM, b"\2\1\3\x3b"))


def test_the_same_trailer_without_a_mistake_is_read():
    """The twin of the table above."""
    inbound = InboundSa(SPI, make(GCM), ReplayWindow())

    packet = inbound.open(clear(GCM, b"\1\2\2\x3b"))

    assert (packet.payload, packet.padding, packet.next_header) == (b"", b"\1\2", 59)


def test_offset_of_a_broken_block_counts_from_the_spi():
    made = make(CBC)
    text = SPI + (1).to_bytes(4, "big") + bytes(16 + 15)
    null = protection(Encr.ENCR_NULL, None, CBC[2], b"", bytes(range(100, 132)))
    inbound = InboundSa(SPI, made, ReplayWindow())

    with pytest.raises(MalformedMessage, match="no multiple of 16") as caught:
        inbound.open(text[:8] + null.seal(text[:8], text[8:], b""))

    assert caught.value.offset == 24


# Traffic flow confidentiality (RFC 4303, 2.6 and 2.7).


@SUITES
def test_tfc_padding_is_told_from_the_inner_packet(suite):
    outbound, inbound = pair(suite)

    packet = inbound.open(seal(outbound, tfc=b"padding of any content"))

    assert (packet.payload, packet.tfc) == (INNER, b"padding of any content")


def test_tfc_padding_of_transport_mode_stays_in_the_payload():
    """Only the next layer's own length could tell them apart."""
    outbound, inbound = pair(GCM)

    packet = inbound.open(seal(outbound, b"data", IpProtocol.UDP, tfc=b"tfc"))

    assert (packet.payload, packet.tfc) == (b"datatfc", b"")


def test_transport_mode_is_not_searched_for_an_ip_packet():
    """A datagram's data may look like one, and be longer."""
    outbound, inbound = pair(GCM)

    packet = inbound.open(seal(outbound, INNER + b"more", IpProtocol.UDP))

    assert (packet.payload, packet.tfc) == (INNER + b"more", b"")


@pytest.mark.parametrize("payload", [b"", b"\x45", b"no IP packet"])
def test_what_is_no_inner_packet_stays_whole(payload):
    outbound, inbound = pair(GCM)

    assert inbound.open(seal(outbound, payload)).payload == payload


def test_dummy_packet_may_hold_anything():
    outbound, inbound = pair(GCM)

    packet = inbound.open(seal(outbound, b"random", IpProtocol.NO_NEXT_HEADER))

    assert packet.next_header == IpProtocol.NO_NEXT_HEADER


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


def test_packets_are_values():
    outbound, inbound = pair(GCM)
    packet = inbound.open(seal(outbound))

    with pytest.raises(FrozenInstanceError):
        packet.sequence = 2
    assert len({packet, replace(packet), replace(packet, sequence=2)}) == 2


def test_one_line_says_what_it_is():
    outbound, inbound = pair(GCM)

    tunnel = inbound.open(seal(outbound, tfc=bytes(3)))
    transport = inbound.open(seal(outbound, bytes(9), IpProtocol.UDP))

    assert str(tunnel) == (
        "ESP(0xc0ffee01, 1), 10.1.0.1 > 10.2.0.1 ICMP echo request 0x0007/1, 4 octets, TFC 3 octets"
    )
    assert str(transport) == "ESP(0xc0ffee01, 2), UDP, 9 octets"
