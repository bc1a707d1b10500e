"""Inner packets against scapy, RFC vectors, and what is wrong with broken ones."""

import struct
from ipaddress import ip_address

import pytest

from peers.reference.errors import MalformedMessage, ScriptError
from peers.reference.ip import (
    DONT_FRAGMENT,
    Echo,
    IpPacket,
    checksum,
    describe,
    echo_reply,
    echo_request,
    size,
)
from peers.reference.numbers import IpProtocol
from vectors.loader import load

PAIRS = {
    4: (ip_address("198.18.0.1"), ip_address("198.18.0.2")),
    6: (ip_address("fd00::1"), ip_address("fd00::2")),
}
VERSIONS = pytest.mark.parametrize("version", PAIRS, ids=["IPv4", "IPv6"])
DATA = bytes(range(56))
PUBLISHED = [case for name in ("rfc3602-esp", "rfc7634-esp") for case in load(name).cases]


def request(version, data=DATA):
    return echo_request(*PAIRS[version], 0x1EE7, 3, data)


def changed(octets, at, value):
    return octets[:at] + bytes([value]) + octets[at + 1 :]


def summed(octets):
    """The same IPv4 header with a correct checksum."""
    bare = octets[:10] + b"\0\0" + octets[12:20]
    return bare[:10] + struct.pack("!H", checksum(bare)) + bare[12:] + octets[20:]


@pytest.mark.parametrize("data", [b"", b"x", DATA, bytes(1400)], ids=len)
def test_scapy_reads_an_ipv4_echo(data):
    inet = pytest.importorskip("scapy.layers.inet")
    octets = request(4, data).encode()

    read = inet.IP(octets)

    assert (read.src, read.dst, read.ttl, read.len) == ("198.18.0.1", "198.18.0.2", 64, len(octets))
    assert (read.tos, read.id, int(read.flags), read.frag) == (0, 0, 0, 0)
    echo = read[inet.ICMP]
    assert (echo.type, echo.code, echo.id, echo.seq) == (8, 0, 0x1EE7, 3)
    assert bytes(echo.payload) == data
    # scapy computes both checksums anew where they are left out.
    del read.chksum, echo.chksum
    assert bytes(read) == octets


@pytest.mark.parametrize("data", [b"", b"x", DATA, bytes(1400)], ids=len)
def test_scapy_reads_an_ipv6_echo(data):
    inet6 = pytest.importorskip("scapy.layers.inet6")
    octets = request(6, data).encode()

    read = inet6.IPv6(octets)

    assert (read.src, read.dst, read.hlim, read.plen) == ("fd00::1", "fd00::2", 64, 8 + len(data))
    assert (read.tc, read.fl) == (0, 0)
    echo = read[inet6.ICMPv6EchoRequest]
    assert (echo.type, echo.id, echo.seq, echo.data) == (128, 0x1EE7, 3, data)
    del echo.cksum
    assert bytes(read) == octets


def test_every_ipv4_field_as_scapy_builds_it():
    inet = pytest.importorskip("scapy.layers.inet")
    theirs = bytes(
        inet.IP(
            src="198.18.0.1",
            dst="198.18.0.2",
            tos=0xB8,
            id=0x1234,
            flags="DF",
            frag=6,
            ttl=3,
            proto=17,
            options=[inet.IPOption_NOP()] * 4,
        )
        / b"payload"
    )
    ours = IpPacket(
        *PAIRS[4],
        IpProtocol.UDP,
        b"payload",
        hop_limit=3,
        traffic_class=0xB8,
        identification=0x1234,
        fragmentation=DONT_FRAGMENT | 6,
        options=b"\1\1\1\1",
    )

    assert ours.encode() == theirs
    assert IpPacket.decode(theirs) == ours


def test_every_ipv6_field_as_scapy_builds_it():
    inet6 = pytest.importorskip("scapy.layers.inet6")
    theirs = bytes(
        inet6.IPv6(src="fd00::1", dst="fd00::2", tc=0xB8, fl=0x54321, hlim=3, nh=17) / b"payload"
    )
    ours = IpPacket(
        *PAIRS[6],
        IpProtocol.UDP,
        b"payload",
        hop_limit=3,
        traffic_class=0xB8,
        flow_label=0x54321,
    )

    assert ours.encode() == theirs
    assert IpPacket.decode(theirs) == ours


@pytest.mark.parametrize("case", PUBLISHED, ids=str)
def test_published_packets_survive(case):
    """Their checksums, IP's and ICMP's, were computed by somebody else."""
    original, outer = case.octets("original"), case.octets("outer")
    packet = IpPacket.decode(original)
    esp = IpPacket.decode(outer + case.octets("packet"))

    assert packet.encode() == original
    assert Echo.find(packet).request
    assert esp.protocol == IpProtocol.ESP
    assert esp.encode() == outer + case.octets("packet")


@VERSIONS
@pytest.mark.parametrize("data", [b"", b"x", bytes(1400)], ids=len)
def test_echo_survives(version, data):
    packet = IpPacket.decode(request(version, data).encode())

    assert packet == request(version, data)
    assert Echo.find(packet) == Echo(True, 0x1EE7, 3, data)


@pytest.mark.parametrize(
    ("octets", "sum_"),
    [
        ("", 0xFFFF),
        ("0001f203f4f5f6f7", 0x220D),  # RFC 1071, 3: the sum is ddf2
        ("ffff0001", 0xFFFE),  # 10000 is folded
        ("ffffffff", 0),
        ("01", 0xFEFF),  # padded with zeros
    ],
)
def test_checksum(octets, sum_):
    assert checksum(bytes.fromhex(octets)) == sum_


@VERSIONS
def test_echo_is_answered(version):
    answer = echo_reply(IpPacket.decode(request(version).encode()))

    assert (answer.source, answer.destination) == PAIRS[version][::-1]
    assert Echo.find(answer) == Echo(False, 0x1EE7, 3, DATA)
    assert answer.payload[0] == {4: 0, 6: 129}[version]
    assert echo_reply(answer) is None, "a reply is not answered"


@VERSIONS
@pytest.mark.parametrize("at", range(8 + 4))
def test_echo_with_a_changed_octet_is_broken(version, at):
    """Type, code, checksum, identifier, sequence number and data are all covered."""
    packet = request(version)
    broken = IpPacket(
        packet.source,
        packet.destination,
        packet.protocol,
        changed(packet.payload, at, packet.payload[at] ^ 0x20),
    )

    assert echo_reply(broken) is None
    if at:
        with pytest.raises(MalformedMessage, match="checksum"):
            Echo.find(broken)


def test_icmpv6_checksum_covers_the_addresses():
    """RFC 8200, 8.1: the pseudo-header; ICMP of IPv4 has none."""
    for version, covered in ((4, False), (6, True)):
        packet = request(version)
        moved = IpPacket(packet.source, packet.source, packet.protocol, packet.payload)
        assert (echo_reply(moved) is None) == covered


@pytest.mark.parametrize("length", range(1, 8))
@VERSIONS
def test_echo_that_is_cut_off_is_malformed(version, length):
    packet = request(version)
    cut = IpPacket(packet.source, packet.destination, packet.protocol, packet.payload[:length])

    with pytest.raises(MalformedMessage, match="cut off") as caught:
        Echo.find(cut)

    assert caught.value.offset == length


def test_echo_of_another_code_is_malformed():
    packet = request(4)
    coded = changed(packet.payload, 1, 1)
    summed_ = coded[:2] + b"\0\0" + coded[4:]
    payload = coded[:2] + struct.pack("!H", checksum(summed_)) + coded[4:]

    with pytest.raises(MalformedMessage, match="code 1"):
        Echo.find(IpPacket(packet.source, packet.destination, packet.protocol, payload))


@pytest.mark.parametrize(
    ("protocol", "payload"),
    [(IpProtocol.UDP, bytes(8)), (IpProtocol.ICMPV6, bytes(8)), (IpProtocol.ICMP, b"\x03" * 8)],
)
def test_other_packets_hold_no_echo(protocol, payload):
    assert Echo.find(IpPacket(*PAIRS[4], protocol, payload)) is None


V4, V6 = request(4).encode(), request(6).encode()
BROKEN = [
    (b"", 0, "no octets"),
    (changed(V4, 0, 0x55), 0, "IP version 5"),
    (V4[:19], 19, "an IPv4 header is cut off"),
    (V6[:39], 39, "an IPv6 header is cut off"),
    (V4[:-1], len(V4) - 1, f"the header says {len(V4)} octets, there are {len(V4) - 1}"),
    (V6 + b"\0", len(V6), f"the header says {len(V6)} octets, there are {len(V6) + 1}"),
    (changed(V4, 0, 0x44), 0, "an IPv4 header length of 16 octets"),
    (V4[:2] + b"\0\x14" + V4[4:20].replace(b"\x45", b"\x46"), 10, "wrong IPv4 header checksum"),
    (summed(b"\x46\0\0\x14" + V4[4:20]), 0, "an IPv4 header length of 24 octets"),
    (changed(V4, 8, 63), 10, "wrong IPv4 header checksum"),
    (changed(V4, 10, V4[10] ^ 1), 10, "wrong IPv4 header checksum"),
]


@pytest.mark.parametrize(("octets", "offset", "reason"), BROKEN)
def test_broken_packet_is_malformed(octets, offset, reason):
    with pytest.raises(MalformedMessage) as caught:
        IpPacket.decode(octets)

    assert (caught.value.offset, caught.value.reason) == (offset, reason)


@VERSIONS
def test_size_is_the_headers_claim(version):
    octets = request(version).encode()

    assert size(octets + b"TFC padding") == len(octets)


def test_two_versions_in_one_packet_is_our_error():
    with pytest.raises(ScriptError, match=r"198\.18\.0\.1 and fd00::2"):
        IpPacket(PAIRS[4][0], PAIRS[6][1], IpProtocol.UDP, b"").encode()


@pytest.mark.parametrize(
    ("protocol", "payload", "text"),
    [
        (4, V4, "198.18.0.1 > 198.18.0.2 ICMP echo request 0x1ee7/3, 56 octets"),
        (41, V6, "fd00::1 > fd00::2 ICMPv6 echo request 0x1ee7/3, 56 octets"),
        (1, echo_reply(request(4)).payload, "ICMP echo reply 0x1ee7/3, 56 octets"),
        (58, echo_reply(request(6, b"")).payload, "ICMPv6 echo reply 0x1ee7/3, 0 octets"),
        (1, b"", "ICMP, 0 octets"),
        (4, b"\x45", "malformed IP packet of 1 octets (octet 1: an IPv4 header is cut off)"),
        (1, b"\x08", "ICMP, 1 octets"),
        (17, bytes(9), "UDP, 9 octets"),
        (59, b"", "NO_NEXT_HEADER, 0 octets"),
    ],
)
def test_description(protocol, payload, text):
    assert describe(protocol, payload) == text
