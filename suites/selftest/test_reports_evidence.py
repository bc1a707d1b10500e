"""Evidence: the ladder says what happened, and the capture holds the test's packets, no others."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from scapy.all import IP, UDP, Ether, Raw, raw, rdpcap, wrpcap, wrpcapng

from peers.reference.errors import Inconclusive
from peers.reference.events import Carrier
from reports.capture import Cut, build_capture, cut_capture, outer_addresses
from reports.evidence import (
    cut_of,
    evidence_folder,
    hex_dump,
    ladder,
    messages_text,
    write_evidence,
)
from reports.model import Direction, FileKind, Note, printable
from reports.verdicts import Verdict
from suites.selftest.reports_events import PEER, TARGET, transmission
from suites.selftest.reports_sample import EVIL, record

AT = 1772357400.0


def frame(time, source, destination, text):
    made = Ether() / IP(src=source, dst=destination) / UDP(sport=500, dport=500) / Raw(text)
    made.time = time
    return made


def traffic():
    """Two tests, one after the other at the same address, and one beside them at another."""
    return [
        frame(AT + 0.1, "198.18.128.7", "198.19.0.10", b"first, sent"),
        frame(AT + 0.2, "198.18.128.8", "198.19.0.10", b"the neighbour"),
        frame(AT + 0.3, "198.19.0.10", "198.18.128.7", b"first, received"),
        Ether(type=0x0806) / Raw(b"\x00\x01" + bytes(26)),
        frame(AT + 5.0, "198.18.128.7", "198.19.0.10", b"second, sent"),
        frame(AT + 5.1, "198.19.0.10", "10.0.0.1", b"198.18.128.7 stands in the data only"),
    ]


@pytest.mark.parametrize("write", [wrpcap, wrpcapng])
def test_a_cut_has_exactly_the_packets_of_its_test(tmp_path, write):
    frames = traffic()
    frames[3].time = AT + 0.4
    write(str(tmp_path / "run"), frames)
    peer, neighbour = ip_address("198.18.128.7"), ip_address("198.18.128.8")
    cuts = [
        Cut(tmp_path / "first.pcapng", AT, AT + 1, frozenset([peer])),
        Cut(tmp_path / "second.pcapng", AT + 4, AT + 6, frozenset([peer])),
        Cut(tmp_path / "beside.pcapng", AT, AT + 1, frozenset([neighbour])),
        Cut(tmp_path / "silent.pcapng", AT + 2, AT + 3, frozenset([peer])),
    ]

    counts = cut_capture(tmp_path / "run", cuts)

    assert list(counts.values()) == [2, 1, 1, 0]
    first = rdpcap(str(tmp_path / "first.pcapng"))
    assert [raw(each) for each in first] == [raw(frames[0]), raw(frames[2])]
    assert [f"{float(each.time):.6f}" for each in first] == [f"{AT + 0.1:.6f}", f"{AT + 0.3:.6f}"]
    assert len(rdpcap(str(tmp_path / "silent.pcapng"))) == 0


def test_a_file_that_is_no_capture_is_the_labs_fault(tmp_path):
    (tmp_path / "run").write_bytes(b"no capture at all, but long enough for a header")

    with pytest.raises(Inconclusive, match="cannot be cut"):
        cut_capture(tmp_path / "run", [Cut(tmp_path / "cut", 0, 1, frozenset())])


LINKS = [
    (1, bytes(12) + b"\x08\x00", True),
    (1, bytes(12) + b"\x81\x00\x00\x07\x08\x00", True),
    (1, bytes(12) + b"\x08\x06", False),
    (113, bytes(14) + b"\x08\x00", True),
    (276, b"\x08\x00" + bytes(18), True),
    (101, b"", True),
]


@pytest.mark.parametrize(("link", "head", "found"), LINKS)
def test_outer_addresses_are_found_behind_each_link_layer(link, head, found):
    octets = raw(IP(src="198.18.128.7", dst="198.19.0.10") / UDP())

    addresses = outer_addresses(link, head + octets)

    assert addresses == (frozenset([PEER, TARGET]) if found else frozenset())
    assert outer_addresses(link, head + octets[:15]) == frozenset()


def test_an_unknown_link_layer_is_the_labs_fault():
    with pytest.raises(Inconclusive, match="link type 147"):
        outer_addresses(147, bytes(40))


@pytest.mark.parametrize("six", [False, True])
def test_without_a_capture_the_packets_are_built_from_the_record(tmp_path, six):
    kept = record()
    udp_sent = transmission(kept.start, True, b"an IKE message", six=six)
    esp = transmission(kept.start + 0.02, True, bytes(40), carrier=Carrier.ESP, six=six)
    kept = replace(kept, events=(udp_sent, esp))

    write_evidence(tmp_path, tmp_path / "test", kept, captured=False)

    udp, esp_read = rdpcap(str(tmp_path / "test" / "capture.pcapng"))
    assert (udp[UDP].sport, udp[UDP].dport) == (500, 500)
    assert raw(udp[UDP].payload) == kept.transmissions[0].packet.octets
    assert f"{float(udp.time):.6f}" == f"{kept.start:.6f}"
    assert raw(esp_read.payload) == esp.packet.octets
    assert (esp_read.nh if six else esp_read.proto) == 50


def test_times_are_kept_to_the_microsecond(tmp_path):
    times = [AT + step * 0.000977 for step in range(100)]

    build_capture(tmp_path / "built", [transmission(time, True, b"one") for time in times])

    read = [f"{float(each.time):.6f}" for each in rdpcap(str(tmp_path / "built"))]
    assert read == [f"{time:.6f}" for time in times]


def test_the_ladder_keeps_order_direction_faults_and_problems():
    kept = record()

    entries = ladder(kept.events, kept.start)

    assert [entry.kind for entry in entries] == ["note", "packet", "packet", "packet", "packet"]
    assert isinstance(entries[0], Note)
    assert [entry.direction for entry in entries[1:]] == [
        Direction.SENT,
        Direction.RECEIVED,
        Direction.RECEIVED,
        Direction.SENT,
    ]
    assert (entries[1].offset, entries[1].size) == (0.4, len(kept.transmissions[0].packet.octets))
    assert entries[1].fault == "CriticalBit(of=Unknown)"
    assert "CriticalBit" not in entries[1].summary
    assert entries[3].problem.startswith("octet ")
    assert entries[3].summary == "19 octets"
    assert bytes.fromhex(entries[1].octets) == kept.transmissions[0].packet.octets


def test_a_ladder_without_detail_has_no_octets():
    kept = record(verdict=Verdict.CONFORMS)

    lean = [step for step in ladder(kept.events, kept.start, detail=False) if step.kind == "packet"]

    assert lean
    assert not any(step.octets or step.decode for step in lean)


def test_what_a_terminal_would_act_on_is_escaped():
    assert printable("a\x1b[31m\u202eb\r\nc\té") == "a\\x1b[31m\\u202eb\\r\nc\té"
    assert printable("\udcff") == "\\udcff"
    assert "\x1b" not in messages_text(record())


def test_the_folder_of_the_evidence_has_every_file_and_lists_it(tmp_path):
    kept = record()
    folder = evidence_folder(tmp_path, "strongswan@trixie", "suites/a/test_b.py::test_c[x/../y]")

    files = write_evidence(tmp_path, folder, kept, captured=True)

    assert folder.is_relative_to(tmp_path / "evidence" / "strongswan@trixie")
    assert [file.kind for file in files] == [
        FileKind.CAPTURE,
        FileKind.README,
        FileKind.MESSAGES,
        FileKind.CONFIGURATION,
        FileKind.LOG,
    ]
    cut = cut_of(kept, folder)
    assert cut.path == tmp_path / files[0].path
    assert cut.addresses == frozenset([PEER])
    assert all((tmp_path / file.path).exists() for file in files[1:])
    assert EVIL in (folder / "target.log").read_text()
    assert "WIRESHARK_CONFIG_DIR" in (folder / "README").read_text()


def test_two_tests_never_share_a_folder(tmp_path):
    names = [evidence_folder(tmp_path, "t", f"suites/test_a.py::test_b[{x}]") for x in "/:"]

    assert names[0] != names[1]


def test_messages_show_faults_problems_decode_and_octets():
    text = messages_text(record())

    assert "peer --> target  HDR(IKE_SA_INIT, request, ID 0)" in text
    assert "[deliberate fault: CriticalBit(of=Unknown)]" in text
    assert "19 octets  [not decoded: octet 0: 19 octets" in text
    assert "id: ENCR_AES_GCM_16 (20)" in text
    assert "0000  8f 1e 02 c4 a9 d3 7b 60" in text


def test_hex_dump():
    assert hex_dump(b"IKE" + bytes(14)) == (
        "0000  49 4b 45 00 00 00 00 00 00 00 00 00 00 00 00 00  IKE.............\n"
        "0010  00                                               ."
    )
