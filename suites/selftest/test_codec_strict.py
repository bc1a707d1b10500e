"""Reading is strict: octets are a message, or they are MalformedMessage and nothing else."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peers.reference.errors import MalformedMessage
from peers.reference.message import HEADER_SIZE, Header, Message
from peers.reference.numbers import (
    CertEncoding,
    ConfigAttributeType,
    ConfigType,
    IdType,
    NotifyType,
    PayloadType,
    ProtocolId,
    TransformType,
)
from peers.reference.payloads import (
    AUTH,
    CERT,
    CP,
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
    Transform,
    TSi,
    Unknown,
    UnknownSelector,
    VendorID,
    read_payloads,
    write_payloads,
)
from suites.selftest.codec_strategies import IKE_SA_INIT, V4, V6, chains, messages

TLV = Attribute(700, b"some octets")
ONE_OF_EACH = (
    SA((Proposal(1, ProtocolId.ESP, (Transform(TransformType.ENCR, 12, (TLV,)),), b"\1\2\3\4"),)),
    IDi(IdType.ID_FQDN, b"peer.test"),
    CERT(CertEncoding.CRL, b"crl"),
    AUTH(2, b"auth"),
    Nonce(b"nonce"),
    Notify(NotifyType.REKEY_SA, b"data", ProtocolId.ESP, b"\1\2\3\4"),
    Delete(ProtocolId.ESP, (b"\1\2\3\4", b"\5\6\7\x08")),
    VendorID(b"vendor"),
    TSi((V4, V6, UnknownSelector(9, 0, b"selector"))),
    CP(ConfigType.CFG_REPLY, (ConfigAttribute(ConfigAttributeType.INTERNAL_IP4_DNS, b"\1\2\3\4"),)),
    Unknown(PayloadType(200), b"unknown"),
)


def read(first: int, octets: bytes) -> tuple[object, ...]:
    return read_payloads(first, octets, 0)


def with_length(octets: bytes) -> bytes:
    """Make the header's Length that of the octets."""
    return octets[:24] + struct.pack(">I", len(octets)) + octets[HEADER_SIZE:]


def message_or_malformed(octets: bytes) -> bool:
    """Say whether octets are a message; anything but MalformedMessage escapes."""
    refusal = None
    try:
        message = Message.decode(octets)
    except MalformedMessage as problem:
        refusal = problem
    if refusal is None:
        assert message.encode() == octets, "what is read is all that stood there"
        return True
    assert 0 <= refusal.offset <= len(octets)
    assert str(refusal) == f"octet {refusal.offset}: {refusal.reason}"
    return False


@given(st.binary(max_size=200))
def test_arbitrary_octets(octets):
    message_or_malformed(octets)


@given(st.sampled_from([0, *range(33, 49), 53, 200]), st.binary(max_size=120))
@settings(max_examples=300)
def test_arbitrary_octets_behind_a_good_header(first, body):
    header = bytes(16) + bytes([first, 0x20, 34, 8]) + bytes(4)
    message_or_malformed(header + struct.pack(">I", HEADER_SIZE + len(body)) + body)


@given(messages(chains()), st.data())
@settings(max_examples=200)
def test_one_changed_octet(message, data):
    octets = bytearray(message.encode())
    at = data.draw(st.integers(0, len(octets) - 1))
    octets[at] ^= data.draw(st.integers(1, 255))

    message_or_malformed(bytes(octets))


@given(messages(chains()), st.data())
def test_truncation_is_never_read_as_a_message(message, data):
    octets = message.encode()
    size = data.draw(st.integers(0, len(octets) - 1))

    assert not message_or_malformed(octets[:size]), "the Length in the header counts what is gone"
    if size >= HEADER_SIZE and size < len(octets):
        message_or_malformed(with_length(octets[:size]))


def test_truncation_at_each_octet_of_a_message():
    octets = IKE_SA_INIT.encode()

    assert not any(message_or_malformed(octets[:size]) for size in range(len(octets)))
    corrected = [with_length(octets[:size]) for size in range(HEADER_SIZE, len(octets))]
    assert not any(map(message_or_malformed, corrected)), "the chain announces what is gone"


@pytest.mark.parametrize("payload", ONE_OF_EACH, ids=lambda payload: type(payload).__name__)
def test_truncation_at_each_octet_of_a_payload(payload):
    (octets,) = write_payloads((payload,))

    for size in range(len(octets)):
        with pytest.raises(MalformedMessage):
            read(payload.type, octets[:size])
    assert read(payload.type, octets) == (payload,)


@pytest.mark.parametrize("after", [(), (Nonce(bytes(64)),)], ids=["last", "followed"])
@pytest.mark.parametrize("payload", ONE_OF_EACH, ids=lambda payload: type(payload).__name__)
def test_a_payload_cut_at_each_octet_with_its_length_corrected(payload, after):
    """What stands inside reads nothing beyond the payload, whatever comes after it."""
    octets = b"".join(write_payloads((payload, *after)))
    whole = len(payload.body()) + 4

    for size in range(4, whole):
        cut = octets[:2] + size.to_bytes(2, "big") + octets[4:size] + octets[whole:]
        try:
            payloads = read(payload.type, cut)
        except MalformedMessage:
            continue
        assert b"".join(write_payloads(payloads)) == cut


@pytest.mark.parametrize("by", [-1, 1])
def test_the_length_in_the_header_is_exact(by):
    octets = IKE_SA_INIT.encode()
    wrong = octets[:24] + struct.pack(">I", len(octets) + by) + octets[28:]

    with pytest.raises(MalformedMessage, match="octet 24: Length"):
        Message.decode(wrong)
    assert Header.decode(wrong).length == len(octets) + by


# Every length, size and count, with its offset in the payload, its size, and its correct value.
SA_OCTETS = write_payloads((ONE_OF_EACH[0],))[0]
NUMBERS = [
    (ONE_OF_EACH[0], 2, 2, 39, "SA payload Length"),
    (ONE_OF_EACH[0], 4 + 2, 2, 35, "Proposal Length"),
    (ONE_OF_EACH[0], 4 + 6, 1, 4, "SPI Size of the proposal"),
    (ONE_OF_EACH[0], 4 + 7, 1, 1, "Num Transforms"),
    (ONE_OF_EACH[0], 16 + 2, 2, 23, "Transform Length"),
    (ONE_OF_EACH[0], 24 + 2, 2, 11, "Attribute Length"),
    (ONE_OF_EACH[0], 4, 1, 0, "Last Substruc of the proposal"),
    (ONE_OF_EACH[0], 16, 1, 0, "Last Substruc of the transform"),
    (ONE_OF_EACH[5], 5, 1, 4, None),  # The SPI Size of a Notify moves into the data: no error.
    (ONE_OF_EACH[6], 5, 1, 4, "SPI Size of Delete"),
    (ONE_OF_EACH[6], 6, 2, 2, "Num of SPIs"),
    (ONE_OF_EACH[8], 4, 1, 3, "Number of TSs"),
    (ONE_OF_EACH[8], 8 + 2, 2, 16, "Selector Length, IPv4"),
    (ONE_OF_EACH[8], 24 + 2, 2, 40, "Selector Length, IPv6"),
    (ONE_OF_EACH[8], 64 + 2, 2, 12, "Selector Length, unknown type"),
    (ONE_OF_EACH[9], 8 + 2, 2, 4, "Length of a configuration attribute"),
]


@pytest.mark.parametrize("by", [-1, 1])
@pytest.mark.parametrize(("payload", "at", "size", "value", "name"), NUMBERS)
def test_lengths_and_counts_that_are_off_by_one(payload, at, size, value, name, by):
    octets = bytearray(write_payloads((payload,))[0])
    assert int.from_bytes(octets[at : at + size], "big") == value
    if value + by < 0:
        octets[at] = 0xFF
    else:
        octets[at : at + size] = (value + by).to_bytes(size, "big")

    if name is None:
        (read_payload,) = read(payload.type, bytes(octets))
        assert len(read_payload.spi) == value + by
        return
    with pytest.raises(MalformedMessage):
        read(payload.type, bytes(octets))


WRONG_LENGTHS = {
    "0": lambda size: 0,
    "1": lambda size: 1,
    "3": lambda size: 3,
    "size - 1": lambda size: size - 1,
    "size + 1": lambda size: size + 1,
    "65535": lambda size: 65535,
}


@pytest.mark.parametrize("payload", ONE_OF_EACH, ids=lambda payload: type(payload).__name__)
@pytest.mark.parametrize("wrong", WRONG_LENGTHS)
def test_payload_lengths_that_are_wrong(payload, wrong):
    octets = bytearray(write_payloads((payload,))[0])
    octets[2:4] = WRONG_LENGTHS[wrong](len(octets)).to_bytes(2, "big")

    with pytest.raises(MalformedMessage):
        read(payload.type, bytes(octets))


@pytest.mark.parametrize("last", [1, 2, 3, 255])
def test_the_only_proposal_is_the_last(last):
    octets = bytearray(SA_OCTETS)
    octets[4] = last

    with pytest.raises(MalformedMessage, match=f"Proposal begins with {last}, 0 is due"):
        read(PayloadType.SA, bytes(octets))


@pytest.mark.parametrize(("at", "due"), [(4, 2), (12, 3)])
@pytest.mark.parametrize("wrong", [0, 1, 4])
def test_all_but_the_last_say_that_more_follow(at, due, wrong):
    octets = bytearray(write_payloads((IKE_SA_INIT.get(SA),))[0])
    assert octets[at] == due
    octets[at] = wrong

    with pytest.raises(MalformedMessage, match=f"begins with {wrong}, {due} is due"):
        read(PayloadType.SA, bytes(octets))


def test_octets_after_the_last_payload():
    with pytest.raises(MalformedMessage, match="octet 6: 1 octets after the last payload"):
        read(PayloadType.NONCE, bytes.fromhex("000000061122 00"))
    with pytest.raises(MalformedMessage, match="octet 0: 2 octets after"):
        read(PayloadType.NONE, b"xx")


@pytest.mark.parametrize("payload", [SK(PayloadType.IDI, b"sealed"), SKF(0, 2, 5, b"sealed")])
def test_an_encrypted_payload_is_the_last(payload):
    octets = b"".join(write_payloads((Nonce(b"x"), payload)))

    assert read(PayloadType.NONCE, octets) == (Nonce(b"x"), payload)
    with pytest.raises(MalformedMessage, match="after the last payload"):
        read(PayloadType.NONCE, octets + write_payloads((Nonce(b"x"),))[0])


def test_every_major_version_can_be_looked_at():
    octets = bytearray(IKE_SA_INIT.encode())
    octets[17] = 0x3F

    message = Message.decode(bytes(octets))
    assert (message.major, message.minor) == (3, 15)
    assert message.payloads == IKE_SA_INIT.payloads


@pytest.mark.parametrize("size", range(HEADER_SIZE))
def test_a_header_has_28_octets(size):
    with pytest.raises(MalformedMessage, match="octet 0"):
        Header.decode(IKE_SA_INIT.encode()[:size])


def test_the_offset_points_at_the_fault():
    octets = bytearray(IKE_SA_INIT.encode())
    ke = HEADER_SIZE + len(write_payloads((IKE_SA_INIT.payloads[0],))[0])
    octets[ke + 2 : ke + 4] = b"\x00\x07"

    with pytest.raises(MalformedMessage) as caught:
        Message.decode(bytes(octets))
    assert caught.value.offset == ke + 2
    assert caught.value.reason == "KE payload Length 7, it is at least 8"
