"""What ladders and evidence show of a message, and what tests ask of it."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from peers.reference.errors import PeerError, ScriptError
from peers.reference.message import Message
from peers.reference.numbers import (
    AttributeType,
    ConfigAttributeType,
    ExchangeType,
    IdType,
    IpProtocol,
    KeyExchangeMethod,
    NotifyType,
    PayloadType,
    ProtocolId,
    TrafficSelectorType,
    TransformType,
)
from peers.reference.payloads import (
    EAP,
    KE,
    SA,
    SK,
    SKF,
    Attribute,
    ConfigAttribute,
    Delete,
    IDi,
    Nonce,
    Notify,
    Proposal,
    TrafficSelector,
    Transform,
    TSi,
    Unknown,
    UnknownSelector,
    VendorID,
)
from suites.selftest.codec_strategies import IKE_AUTH, IKE_SA_INIT, INFORMATIONAL, V4, V6

LADDER = [
    (
        IKE_SA_INIT,
        "HDR(IKE_SA_INIT, request, ID 0), "
        "SA(1: AES_GCM_16_256, PRF_HMAC_SHA2_256, CURVE25519; "
        "2: AES_CBC_128, PRF_HMAC_SHA2_256, AUTH_HMAC_SHA2_256_128, MODP_2048), "
        "KE(CURVE25519, 32 octets), Nonce(32 octets), N(COOKIE, 20 octets), "
        "N(NAT_DETECTION_SOURCE_IP, 20 octets), V('ikeproof'), Unknown(type 200, 7 octets)",
    ),
    (
        IKE_AUTH,
        "HDR(IKE_AUTH, request, ID 1), SK{IDi(FQDN peer.test), IDr(IPV4_ADDR 198.18.0.1), "
        "AUTH(SHARED_KEY_MIC, 32 octets), CERTREQ(X509_SIGNATURE, 20 octets), "
        "CP(CFG_REQUEST, INTERNAL_IP4_ADDRESS, INTERNAL_IP4_DNS 198.18.0.53), "
        "SA(1: ESP 0xc0ffee01 AES_GCM_16_128, NO_ESN), "
        "TSi(198.18.0.0/24; 2001:db8::/112), TSr(198.18.0.0/24)}",
    ),
    (
        INFORMATIONAL,
        "HDR(INFORMATIONAL, request, ID 7), SK{D(ESP 0xc0ffee01 0xc0ffee02), D(IKE), "
        "N(INVALID_SELECTORS, ESP 0xc0ffee01, 2 octets), EAP(Request, 5 octets), "
        "CERT(X509_SIGNATURE, 2 octets)}",
    ),
    (replace(INFORMATIONAL, payloads=()), "HDR(INFORMATIONAL, request, ID 7), SK{}"),
    (
        replace(INFORMATIONAL, unprotected=(Unknown(PayloadType(200)),), payloads=()),
        "HDR(INFORMATIONAL, request, ID 7), Unknown(type 200, 0 octets), SK{}",
    ),
    (
        replace(
            IKE_SA_INIT,
            exchange=ExchangeType(250),
            response=True,
            major=3,
            higher_version=True,
            reserved_flags=0x41,
            payloads=(),
        ),
        "HDR(ExchangeType(250), response, ID 0, version 3.0, V, reserved flags 0x41)",
    ),
]


@pytest.mark.parametrize(("message", "line"), LADDER, ids=lambda value: str(value)[:40])
def test_a_message_in_a_ladder(message, line):
    assert str(message) == line


def range_of(start, end, protocol=IpProtocol.ANY, ports=(0, 65535)):
    first, last = ip_address(start), ip_address(end)
    kind = TrafficSelectorType.TS_IPV4_ADDR_RANGE
    return TrafficSelector(kind, protocol, *ports, first, last)


VALUES = [
    (Unknown(PayloadType.PS, b"x", critical=True), "Unknown(critical, type PS, 1 octet)"),
    (Nonce(b"", critical=True), "Nonce(critical, 0 octets)"),
    (KE(KeyExchangeMethod(9), b""), "KE(KeyExchangeMethod(9), 0 octets)"),
    (SK(PayloadType.IDI, b"abc"), "SK(first IDI, 3 octets)"),
    (SKF(PayloadType.NONE, 2, 5, b"abc"), "SKF(2 of 5, 3 octets)"),
    (EAP(b""), "EAP(0 octets)"),
    (EAP(b"\x09\x01"), "EAP(2 octets)"),
    (SA(()), "SA()"),
    (VendorID(b"\x01" * 9), "V(0x0101010101010101...)"),
    (IDi(IdType.ID_KEY_ID, b"\x00\x01"), "IDi(KEY_ID 0x0001)"),
    (IDi(IdType.ID_IPV6_ADDR, bytes(15) + b"\x01"), "IDi(IPV6_ADDR ::1)"),
    (IDi(IdType.ID_IPV4_ADDR, b"abc"), "IDi(IPV4_ADDR 0x616263)"),
    (IDi(IdType.ID_FQDN, b"a\nb"), "IDi(FQDN 0x610a62)"),
    (IDi(IdType.ID_RFC822_ADDR, "é@b".encode()), "IDi(RFC822_ADDR é@b)"),
    (Notify(NotifyType.INVALID_KE_PAYLOAD, b"\x00\x13"), "N(INVALID_KE_PAYLOAD, ECP_256)"),
    (Notify(NotifyType.INVALID_KE_PAYLOAD, b"\x13"), "N(INVALID_KE_PAYLOAD, 1 octet)"),
    (
        Notify(NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD, b"\xc8"),
        "N(UNSUPPORTED_CRITICAL_PAYLOAD, PayloadType(200))",
    ),
    (Notify(NotifyType.INVALID_MAJOR_VERSION, b"\2"), "N(INVALID_MAJOR_VERSION, major version 2)"),
    (Notify(NotifyType.SET_WINDOW_SIZE, bytes([0, 0, 0, 5])), "N(SET_WINDOW_SIZE, 5)"),
    (Notify(NotifyType(40000), protocol=ProtocolId.ESP), "N(NotifyType(40000), ESP)"),
    (Transform(TransformType.INTEG, 0), "INTEG NONE"),
    (Transform(TransformType.KE, 0), "KE NONE"),
    (Transform(TransformType(99), 5), "TransformType(99) 5"),
    (
        Transform(TransformType.ENCR, 12, (Attribute(14, b"\1"), Attribute(700, 5))),
        "AES_CBC [KEY_LENGTH 0x01] [AttributeType(700) 5]",
    ),
    (Proposal(3, ProtocolId.ESP, (), b"\1\2\3\4"), "3: ESP 0x01020304 no transforms"),
    (range_of("10.0.0.1", "10.0.0.1"), "10.0.0.1"),
    (range_of("10.0.0.1", "10.0.0.2"), "10.0.0.1-10.0.0.2"),
    (range_of("10.0.0.2", "10.0.0.1"), "10.0.0.2-10.0.0.1"),
    (range_of("0.0.0.0", "255.255.255.255"), "0.0.0.0/0"),
    (range_of("10.0.0.1", "10.0.0.1", IpProtocol.UDP, (53, 53)), "10.0.0.1 UDP port 53"),
    (range_of("10.0.0.1", "10.0.0.1", IpProtocol.TCP, (1, 9)), "10.0.0.1 TCP ports 1-9"),
    (
        range_of("10.0.0.1", "10.0.0.1", IpProtocol(99), (65535, 0)),
        "10.0.0.1 IpProtocol(99) port OPAQUE",
    ),
    (UnknownSelector(TrafficSelectorType.TS_SECLABEL, 0, b"x"), "TS_SECLABEL 0 0x78"),
    (
        ConfigAttribute(ConfigAttributeType.INTERNAL_IP6_ADDRESS, bytes(15) + b"\x01\x40"),
        "INTERNAL_IP6_ADDRESS ::1/64",
    ),
    (ConfigAttribute(ConfigAttributeType.APPLICATION_VERSION, b"x"), "APPLICATION_VERSION 0x78"),
]


@pytest.mark.parametrize(("value", "text"), VALUES, ids=lambda value: str(value)[:40])
def test_a_value_in_a_ladder(value, text):
    assert str(value) == text


def test_a_message_in_full():
    message = replace(IKE_AUTH, payloads=(IKE_AUTH.get(SA), Nonce(bytes(33))))
    lines = message.describe().splitlines()

    assert lines[0] == str(message)
    assert "  spi_i: a0a1a2a3a4a5a6a7 (8 octets)" in lines
    assert "  exchange: IKE_AUTH (35)" in lines
    start = lines.index("    1: SA(1: ESP 0xc0ffee01 AES_GCM_16_128, NO_ESN)")
    assert "      critical: False" in lines[start:]
    assert "          protocol: ESP (3)" in lines[start:]
    assert "          spi: c0ffee01 (4 octets)" in lines[start:]
    assert "              id: ENCR_AES_GCM_16 (20)" in lines[start:]
    assert "                  value: 128" in lines[start:]
    nonce = lines.index("      data: 33 octets")
    assert lines[nonce + 1 : nonce + 3] == ["        " + "00" * 32, "        00"]
    assert "  unprotected: none" in lines


def test_numbers_name_themselves():
    assert str(AttributeType.KEY_LENGTH) == f"{AttributeType.KEY_LENGTH}" == "KEY_LENGTH"
    assert str(NotifyType(40000)) == "NotifyType(40000)"
    assert f"{NotifyType.COOKIE:d} {NotifyType.COOKIE:04x}" == "16390 4006"
    assert f"{NotifyType.COOKIE:>8}" == "  COOKIE"
    assert NotifyType(40000) is NotifyType(40000)
    assert NotifyType.COOKIE.known
    assert not NotifyType(40000).known
    assert NotifyType.INVALID_SYNTAX.is_error
    assert NotifyType(16383).is_error
    assert not NotifyType(16384).is_error
    for impossible in (-1, 65536, "COOKIE"):
        with pytest.raises(ValueError, match="is not a valid NotifyType"):
            NotifyType(impossible)


def test_looking_inside():
    assert IKE_SA_INIT.types == [SA, KE, Nonce, Notify, Notify, VendorID, Unknown]
    assert IKE_SA_INIT.has(SA, KE, Nonce)
    assert not IKE_SA_INIT.has(SA, TSi)
    assert IKE_SA_INIT.get(KE).group == KeyExchangeMethod.CURVE25519
    assert IKE_SA_INIT.find(TSi) is None
    assert len(IKE_SA_INIT.all(Notify)) == 2
    assert IKE_SA_INIT.notifies == (NotifyType.COOKIE, NotifyType.NAT_DETECTION_SOURCE_IP)
    assert IKE_SA_INIT.notify(NotifyType.COOKIE).data == b"a cookie of 20 octet"
    assert IKE_SA_INIT.find_notify(NotifyType.REKEY_SA) is None
    with pytest.raises(PeerError, match="no TSi payload in IKE_SA_INIT request"):
        IKE_SA_INIT.get(TSi)
    with pytest.raises(PeerError, match=r"no N\(REKEY_SA\) in IKE_SA_INIT request"):
        IKE_SA_INIT.notify(NotifyType.REKEY_SA)


def test_variations_are_new_messages():
    before = IKE_SA_INIT.encode()
    cookie, two = Notify(NotifyType.COOKIE, b"another"), (Nonce(b""), EAP(b""))

    assert (IKE_SA_INIT + Nonce(b"")).payloads == (*IKE_SA_INIT.payloads, Nonce(b""))
    assert (IKE_SA_INIT + two).types[-2:] == [Nonce, EAP]
    assert IKE_SA_INIT.without(Notify, KE).types == [SA, Nonce, VendorID, Unknown]
    assert IKE_SA_INIT.replacing(Nonce(b"")).types == IKE_SA_INIT.types
    assert IKE_SA_INIT.replacing(Nonce(b"")).get(Nonce) == Nonce(b"")
    assert IKE_SA_INIT.replacing(cookie).notifies == IKE_SA_INIT.notifies
    assert IKE_SA_INIT.replacing(cookie).notify(NotifyType.COOKIE) == cookie
    for absent in (EAP(b""), Notify(NotifyType.REKEY_SA)):
        with pytest.raises(ScriptError, match="could replace"):
            IKE_SA_INIT.replacing(absent)
    assert IKE_SA_INIT.encode() == before


def test_a_reply_answers_its_request():
    reply = IKE_AUTH.reply(Notify(NotifyType.AUTHENTICATION_FAILED))

    assert (reply.spi_i, reply.spi_r, reply.message_id) == (IKE_AUTH.spi_i, IKE_AUTH.spi_r, 1)
    assert (reply.exchange, reply.protected) == (ExchangeType.IKE_AUTH, True)
    assert (reply.initiator, reply.response) == (False, True)
    assert reply.types == [Notify]
    assert not IKE_SA_INIT.reply().protected


def test_selectors_give_their_ranges():
    assert TSi((V4, UnknownSelector(9, 0, b""), V6)).ranges == (V4, V6)


def test_proposals_give_their_transforms_by_type():
    proposal = IKE_SA_INIT.get(SA).proposals[1]

    assert [t.id for t in proposal.of(TransformType.KE)] == [KeyExchangeMethod.MODP_2048]
    assert proposal.of(TransformType.ESN) == ()
    assert proposal.of(TransformType.ENCR)[0].key_length == 128
    assert Delete(ProtocolId.IKE) == Delete(ProtocolId.IKE, ())
    assert Message.decode(IKE_SA_INIT.encode()).get(SA).proposals[1] == proposal
