"""Values become octets and octets become the same values, octet for octet."""

import pickle
from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peers.reference.errors import ScriptError
from peers.reference.message import Header, Message
from peers.reference.numbers import (
    AttributeType,
    Encr,
    ExchangeType,
    KeyExchangeMethod,
    NotifyType,
    PayloadType,
    ProtocolId,
    TransformType,
)
from peers.reference.payloads import (
    KE,
    SA,
    Attribute,
    Delete,
    IDi,
    Nonce,
    Notify,
    Payload,
    TrafficSelector,
    Transform,
    TSi,
    Unknown,
    read_payloads,
    write_payloads,
)
from suites.selftest.codec_strategies import EVERY, IKE_SA_INIT, V4, chains, messages
from vectors.loader import load


def written(*payloads: Payload) -> bytes:
    return b"".join(write_payloads(payloads))


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_payload_survives_a_round_trip(kind, data):
    payload = data.draw(EVERY[kind])

    octets = written(payload)
    (again,) = read_payloads(payload.type, octets, 0)

    assert again == payload
    assert hash(again) == hash(payload)
    assert written(again) == octets
    assert int.from_bytes(octets[2:4], "big") == len(octets)


@given(messages(chains()))
def test_every_message_survives_a_round_trip(message):
    octets = message.encode()
    again = Message.decode(octets)

    assert again == message
    assert again.encode() == octets


@given(messages(st.just(())))
def test_the_header_alone_says_the_same_as_the_message(message):
    header = Header.decode(message.encode() + b"and more")

    for name in ("spi_i", "spi_r", "exchange", "initiator", "response", "message_id"):
        assert getattr(header, name) == getattr(message, name)
    for name in ("major", "minor", "higher_version", "reserved_flags"):
        assert getattr(header, name) == getattr(message, name)
    assert (header.next_payload, header.length) == (PayloadType.NONE, 28)


# Octets of the figures of RFC 7296, section 3, written by hand.
FIGURES = [
    (KE(KeyExchangeMethod.ECP_256, b"\xaa\xbb"), "0000000a 00130000 aabb"),
    (IDi(2, b"a.b"), "0000000b 02000000 612e62"),
    (Nonce(b"\x01\x02"), "00000006 0102"),
    (Nonce(b"", critical=True), "00800004"),
    (Nonce(b"", reserved_bits=0x55), "00550004"),
    (Notify(NotifyType.COOKIE, b"\x09"), "00000009 00004006 09"),
    (Notify(NotifyType.REKEY_SA, b"", ProtocolId.ESP, b"\1\2\3\4"), "0000000c 03044009 01020304"),
    (Delete(ProtocolId.IKE), "00000008 01000000"),
    (Delete(ProtocolId.ESP, (b"\1\2\3\4", b"\5\6\7\x08")), "00000010 03040002 01020304 05060708"),
    (Delete(ProtocolId.IKE, empty_spi_size=8), "00000008 01080000"),
    (TSi((V4,)), "00000018 01000000 07000010 0000ffff c6120000 c61200ff"),
    (SA(()), "00000004"),
]


@pytest.mark.parametrize(("payload", "octets"), FIGURES, ids=lambda value: str(value)[:40])
def test_payloads_look_as_in_the_figures(payload, octets):
    assert written(payload) == bytes.fromhex(octets)
    assert read_payloads(payload.type, bytes.fromhex(octets), 0) == (payload,)


def test_proposals_and_transforms_say_which_is_the_last():
    octets = written(IKE_SA_INIT.get(SA))

    assert octets.hex() == (
        "00000054"  # Payload Length 84
        "02000024 01010003"  # more follow; 36 octets, number 1, IKE, no SPI, 3 transforms
        "0300000c 01000014 800e0100"  # AES-GCM-16, Key Length 256 as TV
        "03000008 02000005"
        "00000008 0400001f"  # the last transform
        "0000002c 02010004"  # the last proposal: 44 octets, 4 transforms
        "0300000c 0100000c 800e0080"
        "03000008 02000005"
        "03000008 0300000c"
        "00000008 0400000e"
    ).replace(" ", "")


def test_attributes_take_the_form_of_their_value():
    short = Attribute(AttributeType.KEY_LENGTH, 256)
    long = Attribute(AttributeType.KEY_LENGTH, b"\x01\x00")

    assert short.write_item() == bytes.fromhex("800e0100")
    assert long.write_item() == bytes.fromhex("000e00020100")
    assert Transform(TransformType.ENCR, Encr.ENCR_AES_CBC, (short,)).key_length == 256
    assert Transform(TransformType.ENCR, Encr.ENCR_AES_CBC, (long,)).key_length is None


@pytest.mark.parametrize("case", load("rfc5903-ecp").cases, ids=lambda case: case.id)
@pytest.mark.parametrize("side", ["i", "r"])
def test_ke_payloads_of_rfc_5903(case, side):
    payload = KE(KeyExchangeMethod(case.number("method")), case.octets(f"public_{side}"))

    assert written(payload) == case.octets(f"payload_{side}")


def test_values_are_frozen_and_can_be_pickled():
    message = Message.decode(IKE_SA_INIT.encode())

    with pytest.raises(FrozenInstanceError):
        message.get(KE).data = b""
    with pytest.raises(FrozenInstanceError):
        message.message_id = 1
    assert pickle.loads(pickle.dumps(message)) == message


def test_equal_fields_of_different_payloads_differ():
    assert Nonce(b"x") != Unknown(PayloadType.NONCE, b"x")


# What no octets can say is an error of the script's, whatever the reason.
IMPOSSIBLE = [
    Delete(ProtocolId.ESP, (b"\1\2\3\4", b"\1")),
    KE(70000, b""),
    Nonce(bytes(65536)),
    Notify(NotifyType.COOKIE, spi=bytes(256)),
    IDi(2, b"", reserved=1 << 24),
    SA(tuple(replace(p, number=256) for p in IKE_SA_INIT.get(SA).proposals)),
    TSi((replace(V4, type=8),)),
    TSi((replace(V4, type=9),)),
    TSi((V4,) * 256),
]


@pytest.mark.parametrize("payload", IMPOSSIBLE, ids=lambda payload: type(payload).__name__)
def test_values_that_do_not_fit_are_refused(payload):
    with pytest.raises(ScriptError):
        replace(IKE_SA_INIT, payloads=(payload,)).encode()


HEADERS = [
    {"spi_i": b"short"},
    {"spi_r": bytes(9)},
    {"message_id": 1 << 32},
    {"major": 16},
    {"minor": 16},
    {"exchange": 256},
    {"protected": True},
    {"unprotected": (Nonce(b""),)},
]


@pytest.mark.parametrize("fields", HEADERS, ids=lambda fields: next(iter(fields)))
def test_headers_that_cannot_be_are_refused(fields):
    with pytest.raises(ScriptError):
        replace(IKE_SA_INIT, **fields).encode()


@pytest.mark.parametrize("number", [0, 38, 200, 255])
def test_an_unknown_exchange_keeps_its_number(number):
    message = replace(IKE_SA_INIT, exchange=ExchangeType(number))

    assert Message.decode(message.encode()).exchange == number


def test_selectors_of_unknown_types_are_not_ranges():
    octets = bytes.fromhex("00000017 02000000 0a550007 112233 f1000008 01020304")
    (payload,) = read_payloads(PayloadType.TSI, octets, 0)

    assert [selector.type for selector in payload.selectors] == [10, 0xF1]
    assert payload.ranges == ()
    assert written(payload) == octets
    assert isinstance(V4, TrafficSelector)
