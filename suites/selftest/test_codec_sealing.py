"""The Encrypted payload (RFC 7296, 3.14; RFC 5282): what it covers and what it refuses."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peers.reference.crypto import key_sizes, protection
from peers.reference.errors import IntegrityFailure, MalformedMessage, ScriptError
from peers.reference.message import HEADER_SIZE, Message
from peers.reference.numbers import Encr, ExchangeType, Integ, NotifyType, PayloadType
from peers.reference.payloads import (
    SK,
    SKF,
    Nonce,
    Notify,
    Unknown,
    read_payloads,
    write_payloads,
)
from suites.selftest.codec_strategies import (
    CLEAR,
    IKE_AUTH,
    IKE_SA_INIT,
    INFORMATIONAL,
    messages,
)
from vectors.loader import load

SUITES = {
    "AES-GCM-16": (Encr.ENCR_AES_GCM_16, 256, None),
    "ChaCha20-Poly1305": (Encr.ENCR_CHACHA20_POLY1305, None, None),
    "AES-CBC": (Encr.ENCR_AES_CBC, 128, Integ.AUTH_HMAC_SHA2_256_128),
}


def protected_by(encr, key_bits, integ):
    encryption, integrity = key_sizes(encr, key_bits, integ)
    return protection(encr, key_bits, integ, bytes(range(encryption)), bytes(range(integrity)))


@pytest.fixture(params=SUITES)
def suite(request):
    return protected_by(*SUITES[request.param])


GCM = protected_by(*SUITES["AES-GCM-16"])
CBC = protected_by(*SUITES["AES-CBC"])


def iv(suite):
    return bytes(range(0xC0, 0xC0 + suite.iv_size))


def sealed_plaintext(message, suite, plaintext, first):
    """Seal a plaintext that no message would have, in the message's place."""
    octets = message.seal(suite, iv(suite))
    head = octets[:HEADER_SIZE]
    size = 4 + suite.iv_size + len(plaintext) + suite.icv_size
    head = head[:24] + (HEADER_SIZE + size).to_bytes(4, "big")
    associated = head + bytes([first, 0]) + size.to_bytes(2, "big")
    return associated + suite.seal(associated, plaintext, iv(suite))


def test_the_message_of_rfc_7634():
    (case,) = load("rfc7634-ike").cases
    suite = protection(Encr(case.number("encr")), None, None, case.octets("key"), b"")
    message = Message(
        bytes.fromhex("c0c1c2c3c4c5c6c7"),
        bytes.fromhex("d0d1d2d3d4d5d6d7"),
        ExchangeType.INFORMATIONAL,
        initiator=False,
        response=False,
        message_id=9,
        payloads=(Notify(NotifyType.SET_WINDOW_SIZE, (10).to_bytes(4, "big")),),
        protected=True,
    )

    assert message.seal(suite, case.octets("iv")) == case.octets("message")
    assert Message.open(case.octets("message"), suite) == message


@pytest.mark.parametrize("message", [IKE_AUTH, INFORMATIONAL], ids=lambda m: m.title)
def test_sealed_and_opened(suite, message):
    octets = message.seal(suite, iv(suite))
    opened = Message.open(octets, suite)

    assert opened == message
    assert opened.envelope.data.startswith(iv(suite))
    assert (len(octets) - HEADER_SIZE - 4 - suite.iv_size - suite.icv_size) % suite.block_size == 0
    assert Message.decode(octets).types == [SK]


@given(
    messages(
        st.lists(st.one_of(*CLEAR.values()), max_size=4).map(tuple),
        unprotected=st.lists(CLEAR[Unknown] | CLEAR[Notify], max_size=2).map(tuple),
        protected=st.just(True),
    )
)
def test_every_message_survives_sealing(message):
    octets = message.seal(GCM, iv(GCM))

    assert Message.open(octets, GCM) == message


def test_every_octet_is_covered(suite):
    message = replace(IKE_AUTH, unprotected=(Unknown(PayloadType(200), b"outside"),))
    octets = message.seal(suite, iv(suite))
    sealed = len(octets) - len(Message.open(octets, suite).envelope.data)

    for at in range(len(octets)):
        changed = octets[:at] + bytes([octets[at] ^ 0x01]) + octets[at + 1 :]
        with pytest.raises((IntegrityFailure, MalformedMessage)) as caught:
            Message.open(changed, suite)
        assert at < sealed or caught.type is IntegrityFailure


@pytest.mark.parametrize("blocks", [0, 1, 15])
def test_padding_of_any_aligned_length_and_content(blocks):
    least = Message.open(IKE_AUTH.seal(CBC, iv(CBC)), CBC).padding
    padding = bytes(range(1, 1 + len(least) + 16 * blocks))

    opened = Message.open(IKE_AUTH.seal(CBC, iv(CBC), padding), CBC)

    assert len(least) < 16
    assert opened == IKE_AUTH
    assert opened.padding == padding


@pytest.mark.parametrize("size", [0, 255])
def test_padding_of_a_cipher_without_blocks(size):
    opened = Message.open(IKE_AUTH.seal(GCM, iv(GCM), b"\xaa" * size), GCM)

    assert opened == IKE_AUTH
    assert opened.padding == b"\xaa" * size


def test_no_payloads_at_all():
    message = replace(INFORMATIONAL, payloads=())
    octets = message.seal(GCM, iv(GCM))

    assert octets[HEADER_SIZE] == PayloadType.NONE
    assert Message.open(octets, GCM) == message


NOTIFY = b"".join(write_payloads((Notify(NotifyType.COOKIE),)))
PLAINTEXTS = [
    (b"", PayloadType.NONE, "no Pad Length"),
    (NOTIFY + b"\x09", PayloadType.NOTIFY, "Pad Length 9, 8 octets are left"),
    (NOTIFY + b"\xff", PayloadType.NOTIFY, "Pad Length 255, 8 octets are left"),
    (NOTIFY + b"\x01", PayloadType.NOTIFY, "Notify payload of 7 octets"),
    (NOTIFY + b"\x00\x00", PayloadType.NOTIFY, "1 octets after the last payload"),
    (NOTIFY + b"\x00", PayloadType.NONE, "8 octets after the last payload"),
    (write_payloads((SK(0, b"x"),))[0] + b"\x00", PayloadType.SK, "SK inside SK"),
    (write_payloads((SKF(0, 1, 1, b"x"),))[0] + b"\x00", PayloadType.SKF, "SKF inside SK"),
]


@pytest.mark.parametrize(("plaintext", "first", "reason"), PLAINTEXTS)
def test_plaintexts_that_are_refused(plaintext, first, reason):
    octets = sealed_plaintext(INFORMATIONAL, GCM, plaintext, first)

    with pytest.raises(MalformedMessage, match=f"in the plaintext of SK: .*{reason}"):
        Message.open(octets, GCM)


def test_the_twin_of_the_refused_plaintexts():
    octets = sealed_plaintext(INFORMATIONAL, GCM, NOTIFY + b"\x00", PayloadType.NOTIFY)

    assert Message.open(octets, GCM).notifies == (NotifyType.COOKIE,)


@given(st.binary(max_size=60), st.sampled_from([0, *range(33, 49), 53, 200]))
def test_arbitrary_plaintexts(plaintext, first):
    octets = sealed_plaintext(INFORMATIONAL, GCM, plaintext, first)
    try:
        opened = Message.open(octets, GCM)
    except MalformedMessage:
        return
    assert read_payloads(first, plaintext[: -1 - len(opened.padding)], 0) == opened.payloads


def test_there_must_be_an_encrypted_payload():
    with pytest.raises(MalformedMessage, match="no SK payload"):
        Message.open(IKE_SA_INIT.encode(), GCM)


@pytest.mark.parametrize("size", [0, 7, 23])
def test_an_encrypted_payload_that_is_too_short(size):
    message = replace(IKE_SA_INIT, payloads=(SK(PayloadType.NONE, bytes(size)),))

    with pytest.raises(IntegrityFailure):
        Message.open(message.encode(), GCM)


def test_what_cannot_be_sealed():
    with pytest.raises(ScriptError, match="it is encoded, not sealed"):
        IKE_SA_INIT.seal(GCM, iv(GCM))
    with pytest.raises(ScriptError, match="at most 255"):
        IKE_AUTH.seal(GCM, iv(GCM), bytes(256))
    with pytest.raises(ScriptError, match="no multiple of 16"):
        IKE_AUTH.seal(CBC, iv(CBC), Message.open(IKE_AUTH.seal(CBC, iv(CBC)), CBC).padding + b"x")
    with pytest.raises(ScriptError, match="an IV of 7 octets"):
        IKE_AUTH.seal(GCM, bytes(7))
    with pytest.raises(ScriptError, match="a field cannot hold its value"):
        replace(IKE_AUTH, payloads=(Nonce(bytes(65531 - 4)), Nonce(b""))).seal(GCM, iv(GCM))
