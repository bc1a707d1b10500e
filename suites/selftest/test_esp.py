"""ESP packets against published vectors, padding, traffic flow confidentiality, broken packets."""

from dataclasses import FrozenInstanceError, replace

import pytest

from peers.reference.crypto import protection
from peers.reference.errors import IntegrityFailure, MalformedMessage, ScriptError
from peers.reference.esp import InboundSa, OutboundSa, ReplayWindow
from peers.reference.numbers import Encr, IpProtocol
from suites.selftest.esp_ends import CBC, CHACHA, GCM, INNER, NULL, SPI, SUITES, make, pair, seal
from vectors.loader import load

PUBLISHED = [
    case
    for name in ("rfc3602-esp", "rfc7634-esp", "mcgrew-gcm-esp", "mcgrew-gmac-esp")
    for case in load(name).cases
]
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
