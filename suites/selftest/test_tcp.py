"""TCP segments against scapy: their checksums, what answers them, and what is no segment."""

from dataclasses import replace
from ipaddress import ip_address

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6

from peers.reference.errors import MalformedMessage
from peers.reference.ip import IpPacket, describe
from peers.reference.numbers import IpProtocol
from peers.reference.tcp import (
    ACK,
    RST,
    SYN,
    Segment,
    is_sound,
    refusal,
    with_wrong_checksum,
)

PAIRS = {
    4: (ip_address("198.18.0.1"), ip_address("198.18.0.2")),
    6: (ip_address("fd00::1"), ip_address("fd00::2")),
}
LAYERS = {4: IP, 6: IPv6}
VERSIONS = pytest.mark.parametrize("version", PAIRS, ids=["IPv4", "IPv6"])
FIRST = Segment(40000, 9, 0xFFFFFFFF, 0, SYN)


@VERSIONS
def test_scapy_reads_a_segment(version):
    octets = FIRST.between(*PAIRS[version]).encode()
    read = LAYERS[version](octets)
    del read[TCP].chksum

    assert bytes(read) == octets, "scapy computes another checksum"
    assert (read[TCP].sport, read[TCP].dport, read[TCP].seq) == (40000, 9, 0xFFFFFFFF)
    assert read[TCP].flags == "S"


@VERSIONS
def test_segment_survives(version):
    packet = IpPacket.decode(FIRST.between(*PAIRS[version]).encode())

    assert Segment.find(packet) == FIRST
    assert is_sound(packet)


@VERSIONS
@pytest.mark.parametrize("at", range(20))
def test_every_octet_is_covered_by_the_checksum(version, at):
    packet = FIRST.between(*PAIRS[version])
    octets = bytearray(packet.payload)
    octets[at] ^= 0x20

    assert not is_sound(replace(packet, payload=bytes(octets)))


@VERSIONS
def test_addresses_are_covered_by_the_checksum(version):
    packet = FIRST.between(*PAIRS[version])

    assert not is_sound(replace(packet, source=packet.destination))
    assert not is_sound(with_wrong_checksum(packet))
    assert Segment.find(with_wrong_checksum(packet)) == FIRST


@VERSIONS
def test_syn_is_answered_with_a_reset(version):
    """RFC 9293, 3.10.7.1: sequence number zero, and the next number acknowledged."""
    answer = refusal(FIRST.between(*PAIRS[version]))

    assert (answer.source, answer.destination) == PAIRS[version][::-1]
    assert Segment.find(answer) == Segment(9, 40000, 0, 0, RST | ACK)
    assert is_sound(answer)
    assert refusal(answer) is None, "a reset is not answered"


@pytest.mark.parametrize("length", range(20))
def test_segment_that_is_cut_off_is_malformed(length):
    packet = FIRST.between(*PAIRS[4])
    packet = replace(packet, payload=packet.payload[:length])

    with pytest.raises(MalformedMessage, match=f"octet {length}"):
        Segment.find(packet)
    assert refusal(packet) is None


def test_other_packets_hold_no_segment():
    packet = replace(FIRST.between(*PAIRS[4]), protocol=IpProtocol.UDP)

    assert Segment.find(packet) is None
    assert refusal(packet) is None


def test_description_names_ports_and_control_bits():
    assert describe(6, FIRST.between(*PAIRS[4]).payload) == "TCP 40000 > 9 SYN, 20 octets"
    answer = refusal(FIRST.between(*PAIRS[4]))
    assert describe(6, answer.payload) == "TCP 9 > 40000 RST ACK, 20 octets"
    assert describe(6, bytes(19)) == "TCP, 19 octets"
