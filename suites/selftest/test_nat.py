"""NAT traversal between two endpoints: detection, encapsulation, keepalives, moves (2.23)."""

from __future__ import annotations

import hashlib
import shutil
import struct
import subprocess
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from scapy.layers.inet import ICMP, IP, UDP

from peers.reference import ip, nat
from peers.reference.connection import Mode
from peers.reference.errors import MalformedMessage, PeerError
from peers.reference.events import Carrier, Packet
from peers.reference.events import Endpoint as At
from peers.reference.ip import IpPacket
from peers.reference.message import Message
from peers.reference.nat import Claim, Kind
from peers.reference.negotiation import selectors
from peers.reference.numbers import IpProtocol, NotifyType
from suites.selftest.wires import LEFT, RIGHT, Wire, connection, snapshot

SIDES = pytest.mark.parametrize("side", [LEFT, RIGHT], ids=["left", "right"])
FAMILIES = pytest.mark.parametrize("family", [4, 6], ids=["ipv4", "ipv6"])
MODES = pytest.mark.parametrize("mode", Mode)

OUTSIDE = {4: ip_address("192.0.2.77"), 6: ip_address("fd00::77")}


class Box:
    """A NAT on the wire, in front of the left endpoint; ``offset`` is added to its ports."""

    def __init__(self, described, offset=20000):
        self.inner = described.local
        self.outer = OUTSIDE[self.inner.version]
        self.offset = offset
        self.seen = []

    def __call__(self, number, packet):
        if packet.source.address == self.inner:
            port = packet.source.port + self.offset if packet.source.port else 0
            packet = replace(packet, source=At(self.outer, port))
            self.seen.append(packet)
        else:
            self.seen.append(packet)
            if packet.destination.port not in (0, 500 + self.offset, 4500 + self.offset):
                return []
            port = packet.destination.port - self.offset if packet.destination.port else 0
            packet = replace(packet, destination=At(self.inner, port))
        return [packet]


class NattedWire(Wire):
    """A wire with the left endpoint behind a NAT."""

    def __init__(self, family=4, mode=Mode.TUNNEL, **more):
        left = connection(family=family, mode=mode)
        outer = OUTSIDE[family]
        right = replace(left.mirrored(), remote=outer)
        if mode is Mode.TRANSPORT:
            right = replace(right, remote_selectors=(ip_network(str(outer)),))
        self.box = Box(left)
        super().__init__(left, self.box, right=right, **more)

    def carry(self, packets):
        super().carry(packets)


def sessions(wire):
    [left], [right] = wire.left.sessions, wire.right.sessions
    return left.sa, right.sa


@FAMILIES
@MODES
def test_a_nat_is_found_and_everything_goes_over_port_4500(family, mode):
    wire = NattedWire(family, mode)

    wire.establish()

    left, right = sessions(wire)
    assert (left.nat.ours, left.nat.theirs) == (True, False)
    assert (right.nat.ours, right.nat.theirs) == (False, True)
    assert wire.echoes(LEFT)
    assert wire.echoes(RIGHT)
    assert {p.carrier for p in wire.sent} == {Carrier.UDP}
    assert [p.destination.port for p in wire.sent[:4]] == [500, 20500, 4500, 24500]
    assert wire.sent[2].octets[:4] == bytes(4)
    assert wire.sent[4].octets[:4] != bytes(4), "ESP begins with an SPI"
    assert not wire.left.drops + wire.right.drops


@FAMILIES
def test_without_a_nat_nothing_is_encapsulated(family):
    wire = Wire(connection(family=family))
    wire.establish()

    assert wire.echoes()
    assert [p.carrier for p in wire.sent[4:]] == [Carrier.ESP, Carrier.ESP]
    assert {s.nat for s in sessions(wire)} == {nat.Detected(supported=True)}


@SIDES
@FAMILIES
def test_a_claimed_nat_has_the_effect_of_a_real_one(side, family):
    sides = [connection(family=family), connection(family=family).mirrored()]
    sides[side] = replace(sides[side], claims_nat=True)
    wire = Wire(sides[LEFT], right=sides[RIGHT])

    wire.establish()

    assert wire.echoes()
    assert {(p.carrier, p.source.port) for p in wire.sent[2:]} == {(Carrier.UDP, 4500)}
    assert sessions(wire)[1 - side].nat.theirs


@SIDES
def test_after_rekeys_the_way_is_the_same(side):
    wire = NattedWire()
    wire.establish()
    own = (wire.left_connection, wire.right_connection)[side]

    wire.carry(wire.both[side].rekey_ike(own, wire.now))
    wire.carry(wire.both[side].rekey_child(own, wire.now))

    assert wire.up()
    assert wire.echoes(LEFT)
    assert wire.echoes(RIGHT)
    assert {p.carrier for p in wire.sent} == {Carrier.UDP}


def test_the_side_behind_the_nat_keeps_it_open():
    wire = NattedWire()
    wire.establish()
    before = len(wire.sent)

    wire.wait(65.0)

    said = wire.sent[before:]
    assert [p.octets for p in said] == [b"\xff"] * 3
    assert {(p.source.address, p.destination.port) for p in said} == {
        (wire.left_connection.local, 4500)
    }
    assert wire.echoes(RIGHT)


@pytest.mark.parametrize("what", ["IKE", "ESP"])
def test_a_peer_whose_nat_forgot_it_is_found_again_by_what_it_says(what):
    wire = NattedWire()
    wire.establish()
    wire.box.offset = 30000
    assert not wire.echoes(RIGHT), "the old mapping is gone"

    if what == "IKE":
        wire.carry(wire.left.rekey_child(wire.left_connection, wire.now))
    else:
        assert wire.echoes(LEFT)

    assert sessions(wire)[1].remote == At(OUTSIDE[4], 34500)
    assert wire.echoes(RIGHT)


def test_replayed_forged_and_empty_packets_move_nobody():
    wire = NattedWire()
    wire.establish()
    wire.echoes(LEFT)
    wire.carry(wire.left.rekey_child(wire.left_connection, wire.now))
    wire.echoes(LEFT)
    wire.echoes(LEFT)
    before, way = snapshot(wire.right), sessions(wire)[1].remote
    stranger = At(ip_address("192.0.2.66"), 666)
    at = At(wire.right_connection.local, 4500)
    heard = [p.octets for p in wire.box.seen if p.destination == at]

    for octets in (*heard, *(o[:-1] + bytes([o[-1] ^ 1]) for o in heard), b"\xff", b"", b"\0"):
        answers = wire.right.receive(Packet(Carrier.UDP, stranger, at, octets), wire.now)
        assert all(answer.destination == stranger for answer in answers)

    assert sessions(wire)[1].remote == way
    assert snapshot(wire.right) == before


def test_the_side_behind_the_nat_does_not_follow():
    wire = NattedWire()
    wire.establish()
    [packet] = wire.right.rekey_child(wire.right_connection, wire.now)
    moved = replace(
        packet, source=At(ip_address("192.0.2.99"), 4500), destination=At(wire.box.inner, 4500)
    )

    [answer] = wire.left.receive(moved, wire.now)

    assert answer.destination == moved.source, "a response goes where the request came from"
    assert sessions(wire)[0].remote == At(wire.right_connection.local, 4500)


def test_both_kinds_of_esp_are_understood_at_any_time():
    wire = Wire()
    wire.establish()
    [plain] = wire.left.echo(wire.left_connection, wire.now)
    ends = At(plain.source.address, 4500), At(plain.destination.address, 4500)

    answers = wire.right.receive(Packet(Carrier.UDP, *ends, plain.octets), wire.now)

    assert [a.carrier for a in answers] == [Carrier.ESP]
    wire = NattedWire()
    wire.establish()
    [wrapped] = wire.left.echo(wire.left_connection, wire.now)
    ends = At(wire.box.outer), At(wrapped.destination.address)
    answers = wire.right.receive(Packet(Carrier.ESP, *ends, wrapped.octets), wire.now)
    assert [a.carrier for a in answers] == [Carrier.UDP]


# Detection.


def own_hash(spi_i, spi_r, address, port):
    """Compute a NAT detection hash a second time, by hand: SPIi | SPIr | IP | port (2.23)."""
    digest = hashlib.new("sha1")
    digest.update(struct.pack("!QQ", int.from_bytes(spi_i, "big"), int.from_bytes(spi_r, "big")))
    number = int(ip_address(address))
    digest.update(number.to_bytes(4 if "." in address else 16, "big"))
    digest.update(struct.pack("!H", port))
    return digest.digest()


@pytest.mark.parametrize(
    ("left", "right", "family"),
    [("192.0.2.1", "192.0.2.2", 4), ("fd00::1", "fd00::2", 6)],
    ids=["ipv4", "ipv6"],
)
def test_hashes_are_those_of_spis_address_and_port(left, right, family):
    wire = Wire(connection(family=family))
    wire.establish()

    for octets, source, destination in (
        (wire.sent[0].octets, left, right),
        (wire.sent[1].octets, right, left),
    ):
        message = Message.decode(octets)
        spis = message.spi_i, message.spi_r
        assert message.notify(NotifyType.NAT_DETECTION_SOURCE_IP).data == own_hash(
            *spis, source, 500
        )
        assert message.notify(NotifyType.NAT_DETECTION_DESTINATION_IP).data == own_hash(
            *spis, destination, 500
        )


def first_message(*more):
    wire = Wire()
    [packet] = wire.left.initiate(wire.left_connection, wire.now)
    return Message.decode(packet.octets), packet


def test_one_matching_source_hash_of_several_is_enough():
    message, packet = first_message()
    ends = packet.source, packet.destination
    wrong = replace(message.notify(NotifyType.NAT_DETECTION_SOURCE_IP), data=bytes(20))

    assert nat.detect(message + wrong, *ends) == nat.Detected(supported=True)
    only = replace(message, payloads=tuple(p for p in message.payloads if p != wrong))
    kept = tuple(
        wrong if p == message.notify(NotifyType.NAT_DETECTION_SOURCE_IP) else p
        for p in only.payloads
    )
    assert nat.detect(replace(only, payloads=kept), *ends).theirs


@pytest.mark.parametrize(
    "kind", [NotifyType.NAT_DETECTION_SOURCE_IP, NotifyType.NAT_DETECTION_DESTINATION_IP]
)
def test_without_both_hashes_there_is_no_nat_traversal(kind):
    message, packet = first_message()
    kept = tuple(p for p in message.payloads if getattr(p, "notify_type", None) != kind)

    found = nat.detect(replace(message, payloads=kept), packet.source, At(ip_address("::"), 1))

    assert found == nat.NOT_DETECTED
    assert not found.found


@pytest.mark.parametrize("claim", [Claim.OURS, Claim.THEIRS, Claim.OURS | Claim.THEIRS])
def test_a_claim_is_detected_by_the_other_side(claim):
    spis, source, destination = (bytes(8), bytes(8)), At(ip_address("192.0.2.1"), 500), None
    destination = At(ip_address("192.0.2.2"), 500)
    message, _ = first_message()
    hashes = nat.detection_payloads((message.spi_i, bytes(8)), source, destination, claim)
    assert spis[1] == message.spi_r

    found = nat.detect(replace(message, payloads=hashes), source, destination)

    assert (found.theirs, found.ours) == (Claim.OURS in claim, Claim.THEIRS in claim)


# What a datagram is.


HERE, THERE = At(ip_address("192.0.2.1"), 4500), At(ip_address("192.0.2.2"), 4500)


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (b"\xff", Kind.KEEPALIVE),
        (bytes(4), Kind.IKE),
        (bytes(3) + b"\x01", Kind.ESP),
        (b"\xff\xff\xff\xff", Kind.ESP),
        (bytes(4) + b"abc", Kind.IKE),
    ],
)
def test_what_a_datagram_on_port_4500_is(octets, kind):
    found, rest = nat.demultiplex(Packet(Carrier.UDP, THERE, HERE, octets))

    assert found is kind
    assert rest == (octets[4:] if kind is Kind.IKE else octets)


@pytest.mark.parametrize("octets", [b"", b"\x00", b"\xfe", bytes(3), b"\xff\xff"])
def test_what_is_too_short_for_anything_is_malformed(octets):
    with pytest.raises(MalformedMessage):
        nat.demultiplex(Packet(Carrier.UDP, THERE, HERE, octets))


# Transport mode: checksums and selectors.


def udp_packet(source, destination, checksum=None):
    built = (
        IP(src=source, dst=destination) / UDP(sport=1000, dport=2000, chksum=checksum) / b"data!"
    )
    payload = bytes(built)[20:]
    return IpPacket(ip_address(source), ip_address(destination), IpProtocol.UDP, payload)


def test_a_mended_checksum_is_the_one_that_scapy_computes():
    before = udp_packet("10.0.0.1", "192.0.2.2")
    after = udp_packet("192.0.2.77", "198.51.100.9")
    seen = replace(after, payload=before.payload)

    mended = nat.mended(seen, (before.source, before.destination))

    assert mended.payload == after.payload
    wrong = replace(seen, payload=seen.payload[:-1] + b"?")
    assert (
        nat.mended(wrong, (before.source, before.destination)).payload[:-1] == (after.payload[:-1])
    ), "a wrong checksum must stay wrong"


def test_no_checksum_stays_none_and_icmp_has_no_addresses_in_it():
    seen = udp_packet("10.0.0.1", "192.0.2.2", checksum=0)
    other = ip_address("192.0.2.5"), ip_address("192.0.2.6")
    assert nat.mended(seen, other) == seen
    icmp = bytes(IP() / ICMP())[20:]
    packet = IpPacket(other[0], other[1], IpProtocol.ICMP, icmp)
    assert nat.mended(packet, other[::-1]) == packet
    short = replace(seen, payload=b"abc")
    assert nat.mended(short, other) == short


def test_an_icmpv6_echo_survives_the_change_of_its_addresses():
    old = ip_address("fd77::2"), ip_address("fd00::2")
    new = ip_address("fd00::77"), ip_address("fd00::2")
    echo = ip.echo_request(*old, 1, 2, b"data")
    seen = IpPacket(*new, echo.protocol, echo.payload)

    assert ip.echo_reply(seen) is None
    assert ip.echo_reply(nat.mended(seen, old)) == ip.echo_reply(
        ip.echo_request(*new, 1, 2, b"data")
    )


def test_selectors_of_transport_mode_need_one_address_behind_a_nat():
    wire = NattedWire(mode=Mode.TRANSPORT)
    wire.establish()
    _, right = sessions(wire)
    one = selectors((ip_network("10.0.0.1/32"),))
    several = selectors((ip_network("10.0.0.0/24"),))

    local = nat.localize(right, one, one)

    assert local.tsi[0].start_address == OUTSIDE[4]
    assert local.tsr == one
    assert local.original == (ip_address("10.0.0.1"),) * 2
    with pytest.raises(PeerError):
        nat.localize(right, several, one)


# Second decoders.


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
def test_tshark_decrypts_esp_in_udp_with_our_key_tables(tmp_path):
    from peers.reference.events import ChildKeysDerived, IkeKeysDerived, Transmission
    from reports.capture import build_capture
    from reports.wireshark import write_profile

    wire = NattedWire()
    wire.establish()
    keys = sessions(wire)[0]
    wire.echoes(LEFT)
    wire.wait(25.0)
    events = [
        IkeKeysDerived(1.0, keys.established_keys()),
        ChildKeysDerived(1.0, keys.children[0].keys),
        *(Transmission(1.0 + n, True, p) for n, p in enumerate(wire.box.seen)),
    ]
    write_profile(tmp_path / "wireshark", events)
    build_capture(tmp_path / "c.pcapng", [e for e in events if isinstance(e, Transmission)])
    done = subprocess.run(
        ["tshark", "-r", "c.pcapng", "-T", "fields", "-e", "udpencap.non_esp_marker",
         "-e", "isakmp.id.data.fqdn", "-e", "icmp.type", "-e", "udpencap.nat_keepalive"],
        cwd=tmp_path,
        env={"WIRESHARK_CONFIG_DIR": str(tmp_path / "wireshark"), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    rows = [line.split("\t") for line in done.stdout.splitlines()]

    assert [row[1] for row in rows[2:4]] == ["left.test,right.test", "right.test"]
    assert [row[2] for row in rows[4:6]] == ["8", "0"]
    assert rows[6][3], "the keepalive is not known as one"
