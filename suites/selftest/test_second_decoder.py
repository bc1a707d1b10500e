"""``make decoders``: what it compares, what it says, and that nobody disagrees about a run."""

import subprocess
import sys
from dataclasses import replace
from ipaddress import ip_address

import pytest

from peers.reference.chain import PAYLOADS
from peers.reference.crypto import key_sizes
from peers.reference.ip import IpPacket
from peers.reference.keytables import esp_sa_lines, ikev2_decryption_line
from peers.reference.numbers import Encr, Integ, IpProtocol
from reports.second_decoder import __main__ as program
from reports.second_decoder import by_scapy, by_tshark, fields
from reports.second_decoder.captured import Batch, Captured
from reports.second_decoder.comparison import Comparison, Disagreement
from reports.second_decoder.keys import NOT_THE_LAST_KEY, Keys
from reports.second_decoder.known import NO_TRAILER, NOT_IN_ORDER, SCAPY, TSHARK, Known, explanation
from reports.second_decoder.ours import MIXED, NO_KEY, IkeReader
from reports.wireshark import ESP_TABLE, IKE_TABLE
from suites.conformance import ROOT
from suites.selftest.codec_strategies import IKE_SA_INIT
from suites.selftest.reports_events import CHILD_KEYS, IKE_KEYS

NEEDS_TSHARK = pytest.mark.skipif(not by_tshark.available(), reason="tshark is not installed")
RAW_IP = 101
SUITES = (
    "rfc7296/test_s1_2_initial_exchanges.py",
    "rfc7296/test_s1_3_2_rekey.py",
    "rfc7296/test_s2_05_versions.py",
    "rfc7296/test_s2_19_configuration.py",
    "rfc4303/test_s2_4_trailer.py",
    "rfc4303/test_s3_3_3_counter.py",
    "rfc5280",
    "rfc7383",
    "rfc9370/test_s2_2_initial.py",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run against the embedded target, with the evidence of every test."""
    folder = tmp_path_factory.mktemp("run")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    words += [f"suites/{suite}" for suite in SUITES]
    words += ["--target", "reference", "--evidence", "all", "--out", str(folder)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True, timeout=120)
    return folder


def told(capsys, monkeypatch, *arguments) -> tuple[int, str, str]:
    """Give exit code, output and errors of ``make decoders``."""
    monkeypatch.setattr(sys, "argv", ["make decoders", *map(str, arguments)])
    code = program.main()
    said = capsys.readouterr()
    return code, said.out, said.err


# A run.


@pytest.fixture(scope="module")
def comparison(run):
    return program.compare(run)


@NEEDS_TSHARK
def test_nobody_disagrees_about_a_run_for_unknown_reasons(comparison):
    assert [str(each) for each in comparison.unknown] == []
    assert comparison.refused == []
    assert {"IKE_SA_INIT", "INFORMATIONAL", "ESP"} < set(comparison.rows)


@NEEDS_TSHARK
@pytest.mark.parametrize("kind", ["IKE_AUTH", "CREATE_CHILD_SA"])
@pytest.mark.parametrize("decoder", [SCAPY, TSHARK])
def test_each_decoder_looks_inside_what_is_encrypted(comparison, kind, decoder):
    """Outside there are 17 fields, 11 of the header and 6 of SK."""
    row = comparison.rows[kind]

    assert row.tallies[decoder].agreed > 40 * row.messages


@NEEDS_TSHARK
def test_the_program_prints_a_table_and_the_reasons(run, capsys, monkeypatch):
    code, out, err = told(capsys, monkeypatch, run)

    assert (code, err) == (0, "")
    assert "IKE_AUTH" in out
    assert "it shows the padding of SK without its value" in out


@NEEDS_TSHARK
def test_a_disagreement_is_printed_with_both_readings_and_fails(run, capsys, monkeypatch):
    read = by_scapy.read

    def wrong(octets):
        found = read(octets)
        return found | {"message_id": 77} if found.get("exchange") == 34 else found

    monkeypatch.setattr(by_scapy, "read", wrong)

    code, out, _ = told(capsys, monkeypatch, run)

    assert code == 1
    assert "message_id: we read 0, scapy reads 77" in out


@NEEDS_TSHARK
@pytest.mark.parametrize("known", [NO_TRAILER, NOT_IN_ORDER], ids=["ESP", "fragments"])
def test_what_tshark_is_known_for_in_a_run_still_happens(comparison, known):
    assert comparison.known[known] > 0


@NEEDS_TSHARK
def test_sets_of_fragments_that_are_mixed_on_purpose_are_closed_to_tshark(comparison):
    assert comparison.closed[TSHARK, MIXED] > 0
    assert comparison.closed[SCAPY, MIXED] == 0


@NEEDS_TSHARK
def test_what_is_sealed_with_an_earlier_key_of_an_ike_sa_is_opened_by_us_and_closed_to_tshark(
    comparison,
):
    row = comparison.rows["IKE_INTERMEDIATE"]

    assert comparison.closed[TSHARK, NOT_THE_LAST_KEY] > 0
    assert comparison.closed[SCAPY, NOT_THE_LAST_KEY] == 0
    assert row.tallies[SCAPY].agreed > row.tallies[TSHARK].agreed


# What cannot be compared.


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda run, tmp: [], "which run? Give FOLDER=reports/out/<run>"),
        (lambda run, tmp: [tmp / "nothing"], "no results of a run"),
        (lambda run, tmp: [without_captures(run, tmp)], 'give ARGS="--evidence all"'),
    ],
    ids=["no folder", "no run", "no captures"],
)
def test_one_line_says_what_is_wrong(run, tmp_path, capsys, monkeypatch, make, line):
    monkeypatch.setattr(by_tshark, "available", lambda: True)

    code, out, err = told(capsys, monkeypatch, *make(run, tmp_path))

    assert (code, out) == (2, "")
    assert err.startswith("ikeproof: ")
    assert line in err
    assert err.count("\n") == 1


def without_captures(run, folder):
    (folder / "results.json").write_bytes((run / "results.json").read_bytes())
    return folder


def test_a_missing_tshark_is_told(run, capsys, monkeypatch):
    monkeypatch.setattr(by_tshark, "available", lambda: False)

    assert told(capsys, monkeypatch, run) == (
        2,
        "",
        "ikeproof: tshark is not installed: apt-get install tshark\n",
    )


# Octets that our codec refuses.


def one_message(octets, fault="") -> Batch:
    batch = Batch(RAW_IP)
    batch.captured[1] = Captured("a test", 1, False, octets, fault)
    return batch


def test_a_message_that_we_find_malformed_without_a_reason_is_a_disagreement():
    comparison = Comparison()
    comparison.add(one_message(IKE_SA_INIT.encode()[:-1]), {})

    assert len(comparison.refused) == 1
    assert "a test frame 1: octet 24: Length" in comparison.refused[0]


def test_one_that_was_made_malformed_on_purpose_is_none():
    comparison = Comparison()
    comparison.add(one_message(IKE_SA_INIT.encode()[:-1], "TruncateMessage(by=1)"), {})

    assert (comparison.refused, comparison.faulty) == ([], 1)


# The neutral fields and the keys.


def test_every_payload_class_has_its_fields():
    assert set(PAYLOADS.values()) == fields.PAYLOADS


def test_a_hidden_field_is_one_that_is_not_shown(monkeypatch):
    known = Known(TSHARK, r"sk\.padding", "it shows none", hidden=True)
    monkeypatch.setattr("reports.second_decoder.known.KNOWN", (known,))

    assert explanation(TSHARK, "sk.padding", {}, None) is known
    assert explanation(TSHARK, "sk.padding", {}, b"\0") is None
    assert explanation(SCAPY, "sk.padding", {}, None) is None


@pytest.mark.parametrize(
    ("encr", "bits", "integ"),
    [
        (Encr.ENCR_AES_GCM_16, 256, None),
        (Encr.ENCR_AES_CBC, 192, Integ.AUTH_HMAC_SHA2_512_256),
        (Encr.ENCR_AES_CCM_12, 128, None),
        (Encr.ENCR_3DES, None, Integ.AUTH_HMAC_MD5_96),
        (Encr.ENCR_CHACHA20_POLY1305, None, None),
        (Encr.ENCR_CAMELLIA_CBC, 256, Integ.AUTH_AES_CMAC_96),
    ],
    ids=str,
)
def test_keys_are_read_back_from_wiresharks_tables(encr, bits, integ):
    """Those too of which Wireshark knows no name, so that their lines are comments."""
    encryption, integrity = (bytes(size) for size in key_sizes(encr, bits, integ))
    algorithms = {"encr": encr, "key_bits": bits, "integ": integ}
    ike = replace(
        IKE_KEYS,
        **algorithms,
        sk_ei=encryption,
        sk_er=encryption,
        sk_ai=integrity,
        sk_ar=integrity,
    )
    sides = replace(CHILD_KEYS.from_initiator, encryption=encryption, integrity=integrity)
    child = replace(CHILD_KEYS, **algorithms, from_initiator=sides, from_responder=sides)

    keys = Keys([ikev2_decryption_line(ike)], esp_sa_lines(child))

    for key in (
        *keys.ike[ike.spi_i, ike.spi_r, True],
        *keys.ike[ike.spi_i, ike.spi_r, False],
        keys.esp[child.initiator_spi],
        keys.esp[child.responder_spi],
    ):
        found = [(one.encr, one.integs[0] or None) for one, _ in key.candidates()]
        assert (encr, integ) in found
        assert (key.encryption, key.integrity) == (encryption, integrity)


def test_a_message_without_a_key_is_read_on_the_outside():
    octets = bytes(24) + (28).to_bytes(4, "big")
    assert IkeReader(Keys([], [])).read(octets).closed == ""
    assert IkeReader(Keys([], [])).read(sealed()).closed == NO_KEY


def sealed():
    message = replace(IKE_SA_INIT, payloads=(), protected=True)
    return message.seal(IKE_KEYS.initiator, bytes(IKE_KEYS.initiator.iv_size))


# Captures.


def test_keys_that_contradict_each_other_are_not_put_together():
    batch = Batch(RAW_IP)
    batch.tables[ESP_TABLE]["spi 1"] = ("key 1",)
    more = {"spi 1": ("key 1",), "spi 2": ("key 2",)}

    assert batch.takes(RAW_IP, {ESP_TABLE: more, IKE_TABLE: {}})
    assert not batch.takes(RAW_IP, {ESP_TABLE: {"spi 1": ("key 2",)}})
    assert not batch.takes(1, {})


def udp(port, octets):
    ports = port.to_bytes(2, "big") * 2
    payload = ports + (8 + len(octets)).to_bytes(2, "big") + b"\0\0" + octets
    source, destination = ip_address("198.18.0.1"), ip_address("198.18.0.2")
    return IpPacket(source, destination, IpProtocol.UDP, payload)


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (udp(500, b"ike"), (False, b"ike")),
        (udp(4500, bytes(4) + b"ike"), (False, b"ike")),
        (udp(4500, b"esp in udp"), (True, b"esp in udp")),
        (udp(4500, b"\xff"), None),
        (udp(53, b"dns"), None),
        (replace(udp(500, b"a fragment"), fragmentation=0x2000), None),
        (
            replace(udp(500, b""), protocol=IpProtocol.ESP, payload=b"long enough"),
            (True, b"long enough"),
        ),
        (replace(udp(500, b""), protocol=IpProtocol.ICMP), None),
    ],
    ids=["IKE", "marker", "ESP in UDP", "keepalive", "other", "fragment", "ESP", "ICMP"],
)
def test_what_a_frame_carries(packet, expected):
    batch = Batch(RAW_IP)
    batch.add("a test", 1, packet.encode(), {})

    found = [(each.is_esp, each.octets) for each in batch.captured.values()]
    assert found == ([] if expected is None else [expected])
    assert len(batch.frames) == 1


def test_a_disagreement_shows_octets_in_hexadecimal():
    shown = str(Disagreement("a test frame 3", SCAPY, "payload[0].spi", b"", b"\xc0\xff"))

    assert shown == "a test frame 3: payload[0].spi: we read no octets, scapy reads c0ff"
