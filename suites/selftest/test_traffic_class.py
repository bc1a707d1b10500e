"""DSCP and ECN of tunnels: the table of RFC 6040 against its rules, and the octet on the wire."""

import socket
import struct
from ipaddress import ip_address
from itertools import product

import pytest

from peers import link
from peers.reference.errors import Inconclusive
from peers.reference.events import Carrier, Endpoint, Packet, Transmission
from peers.reference.ip import IpPacket, echo_reply, echo_request
from peers.reference.traffic_class import LEAVING, Ecn, inside, outside
from reports.capture import build_capture, frames

SEVERITY = (Ecn.NOT_ECT, Ecn.ECT_0, Ecn.ECT_1, Ecn.CE)
PAIRS = [("198.18.0.1", "198.18.0.2"), ("fd69::1", "fd69::2")]


def test_table_says_what_the_rules_beside_it_say():
    for inner, outer in product(Ecn, repeat=2):
        if inner is Ecn.NOT_ECT:
            expected = None if outer is Ecn.CE else Ecn.NOT_ECT
        else:
            expected = max(inner, outer, key=SEVERITY.index)
        assert LEAVING[inner, outer] is expected


@pytest.mark.parametrize("traffic_class", range(256))
def test_marks_alike_in_both_headers_stay(traffic_class):
    assert outside(traffic_class) == traffic_class
    assert inside(traffic_class, traffic_class) == traffic_class


def test_dscp_of_the_outer_header_is_left_outside():
    assert inside(0x28 | Ecn.ECT_0, 0xB8 | Ecn.CE) == 0x28 | Ecn.CE


@pytest.mark.parametrize("pair", PAIRS, ids=["ipv4", "ipv6"])
def test_echo_reply_has_the_traffic_class_of_the_request(pair):
    request = echo_request(*map(ip_address, pair), 1, 1)
    marked = IpPacket.decode(
        IpPacket(
            request.source, request.destination, request.protocol, request.payload, 64, 0x2A
        ).encode()
    )
    assert echo_reply(marked).traffic_class == 0x2A


def test_kernel_tells_the_traffic_class_of_both_versions():
    assert link._traffic_class([(socket.IPPROTO_IP, socket.IP_TOS, b"\xb8")]) == 0xB8
    tclass = (socket.IPPROTO_IPV6, socket.IPV6_TCLASS, struct.pack("=i", 0xB9))
    assert link._traffic_class([(socket.IPPROTO_IPV6, 50, b""), tclass]) == 0xB9
    with pytest.raises(Inconclusive, match="traffic class"):
        link._traffic_class([])


@pytest.mark.parametrize("pair", PAIRS, ids=["ipv4", "ipv6"])
def test_capture_of_the_embedded_target_has_the_traffic_class(tmp_path, pair):
    ends = [Endpoint(ip_address(each)) for each in pair]
    sent = Transmission(1.0, True, Packet(Carrier.ESP, *ends, bytes(8), 0x2B), None)
    build_capture(tmp_path / "one.pcapng", [sent])
    [(_, _, frame)] = frames(tmp_path / "one.pcapng")
    found = frame[1] if frame[0] >> 4 == 4 else int.from_bytes(frame[:2], "big") >> 4 & 0xFF
    assert found == 0x2B
