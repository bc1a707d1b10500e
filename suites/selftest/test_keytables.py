"""Wireshark's key tables, judged by tshark: does it decrypt what we seal?

tshark 4.0 decrypts AES-CBC with HMAC, AES-GCM and NULL, in IKE and in ESP. It does not know
ChaCha20-Poly1305 in either, nor does 4.4: its lines are comments.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from ipaddress import ip_address

import pytest

from peers.reference.esp import OutboundSa
from peers.reference.ip import IpPacket, echo_request
from peers.reference.keys import ChildKeys, IkeKeys, SaKeys, derive_child_keys, derive_ike_keys
from peers.reference.keytables import esp_sa_lines, ikev2_decryption_line
from peers.reference.message import Message
from peers.reference.negotiation import Suite
from peers.reference.numbers import (
    AuthMethod,
    Encr,
    Esn,
    ExchangeType,
    IdType,
    Integ,
    IpProtocol,
    KeyExchangeMethod,
    Prf,
    ProtocolId,
)
from peers.reference.payloads import AUTH, KE, IDi, IDr, Nonce

TSHARK = shutil.which("tshark")
NEEDS_TSHARK = pytest.mark.skipif(
    TSHARK is None, reason="tshark is not installed: nothing else here reads Wireshark's tables"
)

CBC_128 = Suite(Encr.ENCR_AES_CBC, 128, Integ.AUTH_HMAC_SHA2_256_128, Prf.PRF_HMAC_SHA2_256)
CBC_256 = Suite(Encr.ENCR_AES_CBC, 256, Integ.AUTH_HMAC_SHA2_256_128, Prf.PRF_HMAC_SHA2_256)
CBC_512 = Suite(Encr.ENCR_AES_CBC, 192, Integ.AUTH_HMAC_SHA2_512_256, Prf.PRF_HMAC_SHA2_512)
CBC_384 = Suite(Encr.ENCR_AES_CBC, 256, Integ.AUTH_HMAC_SHA2_384_192, Prf.PRF_HMAC_SHA2_384)
CBC_SHA1 = Suite(Encr.ENCR_AES_CBC, 128, Integ.AUTH_HMAC_SHA1_96, Prf.PRF_HMAC_SHA1)
GCM_128 = Suite(Encr.ENCR_AES_GCM_16, 128, None, Prf.PRF_HMAC_SHA2_256)
GCM_256 = Suite(Encr.ENCR_AES_GCM_16, 256, None, Prf.PRF_HMAC_SHA2_256)
GCM_12 = Suite(Encr.ENCR_AES_GCM_12, 192, None, Prf.PRF_HMAC_SHA2_256)
GCM_8 = Suite(Encr.ENCR_AES_GCM_8, 256, None, Prf.PRF_HMAC_SHA2_256)
CHACHA = Suite(Encr.ENCR_CHACHA20_POLY1305, None, None, Prf.PRF_HMAC_SHA2_256)
CBC_MD5 = Suite(Encr.ENCR_3DES, None, Integ.AUTH_HMAC_MD5_96, Prf.PRF_HMAC_MD5)
CTR = Suite(Encr.ENCR_AES_CTR, 192, Integ.AUTH_HMAC_SHA1_96, Prf.PRF_AES128_XCBC)
NULL_256 = Suite(Encr.ENCR_NULL, None, Integ.AUTH_HMAC_SHA2_256_128, Prf.PRF_HMAC_SHA2_256)
READABLE = [
    CBC_128,
    CBC_256,
    CBC_512,
    CBC_384,
    CBC_SHA1,
    CBC_MD5,
    CTR,
    GCM_128,
    GCM_256,
    GCM_12,
    GCM_8,
    NULL_256,
]
EVERY = [*READABLE, CHACHA]
LINKTYPE_RAW = 101
ADDRESSES = {
    4: (ip_address("198.18.0.1"), ip_address("198.18.0.2")),
    6: (ip_address("fd00::1"), ip_address("fd00::2")),
}
INNER = {
    4: (ip_address("10.1.0.1"), ip_address("10.2.0.1")),
    6: (ip_address("fd01::1"), ip_address("fd02::1")),
}
VERSIONS = pytest.mark.parametrize("version", [4, 6], ids=["IPv4", "IPv6"])
MODES = pytest.mark.parametrize("tunnel", [1, 0], ids=["tunnel", "transport"])


def name(suite):
    return f"{suite.encr}-{suite.key_bits}-{suite.integ}"


SUITES = pytest.mark.parametrize("suite", READABLE, ids=name)


@dataclass(frozen=True)
class Sas:
    """An IKE SA and a Child SA of one suite, with SPIs of their own."""

    ike: IkeKeys
    child: ChildKeys


def make(suite):
    number = EVERY.index(suite)
    nonces = {"nonce_i": bytes(32), "nonce_r": bytes(range(32))}
    ike = derive_ike_keys(
        suite,
        shared=b"shared",
        spi_i=b"initiat" + bytes([number]),
        spi_r=b"respond" + bytes([number]),
        **nonces,
    )
    spis = {
        "initiator_spi": b"\xc0\xff\xee" + bytes([2 * number]),
        "responder_spi": b"\xc0\xff\xee" + bytes([2 * number + 1]),
    }
    return Sas(ike, derive_child_keys(ike, suite, **spis, **nonces))


def udp(source, destination, payload):
    """A datagram between two ports 500, without a checksum."""
    header = b"\x01\xf4\x01\xf4" + (8 + len(payload)).to_bytes(2, "big") + b"\0\0"
    return IpPacket(source, destination, IpProtocol.UDP, header + payload)


def ike_packets(ike):
    """IKE_SA_INIT in clear, then both IKE_AUTH messages sealed."""
    initiator, responder = ADDRESSES[4]
    payloads = (KE(KeyExchangeMethod.CURVE25519, bytes(32)), Nonce(bytes(32)))
    auth = AUTH(AuthMethod.SHARED_KEY_MIC, bytes(32))
    init = Message(ike.spi_i, bytes(8), ExchangeType.IKE_SA_INIT, True, False, 0, payloads)
    request = Message(
        ike.spi_i,
        ike.spi_r,
        ExchangeType.IKE_AUTH,
        True,
        False,
        1,
        (IDi(IdType.ID_FQDN, b"initiator.test"), auth),
        protected=True,
    )
    response = request.reply(IDr(IdType.ID_FQDN, b"responder.test"), auth)
    iv = bytes(range(ike.initiator.iv_size))
    return [
        udp(initiator, responder, init.encode()),
        udp(responder, initiator, replace(init.reply(*payloads), spi_r=ike.spi_r).encode()),
        udp(initiator, responder, request.seal(ike.initiator, iv)),
        udp(responder, initiator, response.seal(ike.responder, iv)),
    ]


def esp_packets(child, version, tunnel):
    """An echo request from the initiator and one from the responder."""
    packets = []
    for protection, spi, order in (
        (child.to_responder(), child.responder_spi, 1),
        (child.to_initiator(), child.initiator_spi, -1),
    ):
        outer = ADDRESSES[version][::order]
        inner = echo_request(*(INNER[version][::order] if tunnel else outer), 7, 1, bytes(56))
        next_header, payload = inner.protocol, inner.payload
        if tunnel:
            next_header = IpProtocol.IPV4 if version == 4 else IpProtocol.IPV6
            payload = inner.encode()
        iv = bytes(range(protection.iv_size))
        sealed = OutboundSa(spi, protection).seal(next_header, payload, iv)
        packets.append(IpPacket(*outer, IpProtocol.ESP, sealed))
    return packets


def tshark(folder, packets, fields, *, ike=(), esp=()):
    """What tshark shows of each packet, with a profile that holds these tables."""
    utils = pytest.importorskip("scapy.utils")
    (folder / "ikev2_decryption_table").write_text("".join(f"{line}\n" for line in ike))
    (folder / "esp_sa").write_text("".join(f"{line}\n" for line in esp))
    capture = str(folder / "capture.pcap")
    with utils.RawPcapWriter(capture, linktype=LINKTYPE_RAW) as writer:
        for packet in packets:
            writer.write(packet.encode())
    options = ["-o", "esp.enable_encryption_decode:TRUE"]
    options += ["-o", "esp.enable_authentication_check:TRUE"]
    shown = [word for field in fields for word in ("-e", field)]
    run = subprocess.run(
        [TSHARK, "-n", "-r", capture, *options, "-T", "fields", *shown],
        env={**os.environ, "WIRESHARK_CONFIG_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "Error loading table" not in run.stderr, run.stderr
    return [tuple(line.split("\t")) for line in run.stdout.splitlines()]


# One run of tshark costs most of a second, so all suites share a capture.

IKE_FIELDS = ("isakmp.exchangetype", "isakmp.id.data.fqdn", "isakmp.auth.method")
ESP_FIELDS = ("ip.src", "ipv6.src", "esp.icv_good", "icmp.type", "icmpv6.type")
KINDS = [(suite, version, tunnel) for suite in EVERY for version in (4, 6) for tunnel in (0, 1)]


@pytest.fixture(scope="module")
def ike_shown(tmp_path_factory):
    """By suite, four rows of fields."""
    sas = [make(suite).ike for suite in EVERY]
    packets = [packet for ike in sas for packet in ike_packets(ike)]
    lines = [ikev2_decryption_line(ike) for ike in sas]
    shown = tshark(tmp_path_factory.mktemp("ike"), packets, IKE_FIELDS, ike=lines)
    return {suite: shown[4 * at : 4 * at + 4] for at, suite in enumerate(EVERY)}


def esp_lines(child, *, exact):
    if not exact:
        return esp_sa_lines(child)
    return [line for pair in ADDRESSES.values() for line in esp_sa_lines(child, *pair)]


@pytest.fixture(scope="module", params=[True, False], ids=["exact addresses", "any address"])
def esp_shown(request, tmp_path_factory):
    """By suite, version and mode, two rows of fields."""
    packets = [
        packet
        for suite, version, tunnel in KINDS
        for packet in esp_packets(make(suite).child, version, tunnel)
    ]
    lines = [line for suite in EVERY for line in esp_lines(make(suite).child, exact=request.param)]
    shown = tshark(tmp_path_factory.mktemp("esp"), packets, ESP_FIELDS, esp=lines)
    return {kind: shown[2 * at : 2 * at + 2] for at, kind in enumerate(KINDS)}


@NEEDS_TSHARK
@SUITES
def test_tshark_reads_ike_auth(ike_shown, suite):
    assert ike_shown[suite] == [
        ("34", "", ""),
        ("34", "", ""),
        ("35", "initiator.test", "2"),
        ("35", "responder.test", "2"),
    ]


@NEEDS_TSHARK
@SUITES
@VERSIONS
@MODES
def test_tshark_reads_the_echo_in_esp(esp_shown, suite, version, tunnel):
    """It also finds the ICV good, which it computes on its own."""
    rows = []
    for side in (0, 1):
        addresses = [str(ADDRESSES[version][side])]
        if tunnel:
            addresses.append(str(INNER[version][side]))
        sources = ",".join(addresses)
        rows.append((sources, "", "1", "8", "") if version == 4 else ("", sources, "1", "", "128"))

    assert esp_shown[suite, version, tunnel] == rows


@NEEDS_TSHARK
def test_tshark_is_not_disturbed_by_what_it_cannot_read(ike_shown, esp_shown):
    """The lines of ChaCha20-Poly1305 stand in the same tables, as comments."""
    assert ike_shown[CHACHA][2:] == [("35", "", ""), ("35", "", "")]
    assert [row[2:] for row in esp_shown[CHACHA, 4, 1]] == [("", "", "")] * 2


def test_lines_of_chacha20_poly1305_are_comments():
    sas = make(CHACHA)
    lines = [ikev2_decryption_line(sas.ike), *esp_sa_lines(sas.child)]

    assert len(lines) == 5
    assert all(line.startswith("# ") for line in lines)
    assert all('"ChaCha20 with Poly1305 [RFC7634]"' in line for line in lines)


def test_lines_hold_the_keys_in_their_places():
    """The columns, as Wireshark's user guide names them; wrong ones would decrypt nothing."""
    ike = IkeKeys(
        bytes(range(8)),
        bytes(range(8, 16)),
        Encr.ENCR_AES_CBC,
        256,
        Integ.AUTH_HMAC_SHA1_96,
        Prf.PRF_HMAC_SHA1,
        *(bytes([number]) for number in range(0xD0, 0xD7)),
    )
    child = ChildKeys(
        ProtocolId.ESP,
        Encr.ENCR_AES_GCM_16,
        256,
        None,
        Esn.NO_ESN,
        b"toin",
        b"tore",
        SaKeys(b"\x01", b""),
        SaKeys(b"\x02", b""),
    )

    assert ikev2_decryption_line(ike) == (
        '0001020304050607,08090a0b0c0d0e0f,d3,d4,"AES-CBC-256 [RFC3602]",d1,d2,'
        '"HMAC_SHA1_96 [RFC2404]"'
    )
    assert esp_sa_lines(child, *ADDRESSES[6]) == (
        '"IPv6","fd00::1","fd00::2","0x746f7265","AES-GCM with 16 octet ICV [RFC4106]","0x01",'
        '"NULL",""',
        '"IPv6","fd00::2","fd00::1","0x746f696e","AES-GCM with 16 octet ICV [RFC4106]","0x02",'
        '"NULL",""',
    )


@pytest.mark.parametrize(
    "unreadable",
    [
        {"encr": Encr.ENCR_CAMELLIA_CBC},
        {"integ": Integ.AUTH_AES_XCBC_96},
        {"integ": Integ.AUTH_AES_CMAC_96},
    ],
    ids=str,
)
def test_what_wireshark_has_no_name_for_is_a_comment(unreadable):
    keys = replace(make(CBC_128).ike, **unreadable)

    line = ikev2_decryption_line(keys)

    assert line.startswith("# ")
    assert str(next(iter(unreadable.values()))) in line
