"""Each fault of the catalogue changes what its sentence says, and nothing else."""

from dataclasses import FrozenInstanceError, replace

import pytest

from peers.reference.crypto import protection
from peers.reference.errors import IntegrityFailure, MalformedMessage, ScriptError
from peers.reference.faults import (
    CATALOGUE,
    CiphertextCorrupted,
    CriticalBit,
    FirstPayload,
    FlipOctet,
    HeaderCorrupted,
    HeaderLength,
    IcvCorrupted,
    InitiatorFlag,
    IvCorrupted,
    LastProposal,
    LastTransform,
    MajorVersion,
    MinorVersion,
    NextPayload,
    Padding,
    PadLength,
    PayloadLength,
    ProposalLength,
    ProposalSpiSize,
    ReservedBits,
    ReservedFields,
    ReservedFlags,
    ResponseFlag,
    SelectorCount,
    SelectorLength,
    SpiCount,
    SpiSize,
    TrailingOctets,
    TransformCount,
    TransformLength,
    TruncateMessage,
    UnannouncedOctets,
)
from peers.reference.message import HEADER_SIZE, Message
from peers.reference.numbers import Encr, Integ
from peers.reference.payloads import (
    AUTH,
    CERT,
    CP,
    EAP,
    KE,
    SA,
    SK,
    Delete,
    IDi,
    IDr,
    Nonce,
    Notify,
    Payload,
    TSi,
    Unknown,
    write_payloads,
)
from suites.selftest.codec_strategies import IKE_AUTH, IKE_SA_INIT, INFORMATIONAL

CHILD = replace(IKE_AUTH, protected=False)
DELETE = replace(INFORMATIONAL, protected=False)
GCM = protection(Encr.ENCR_AES_GCM_16, 128, None, bytes(20), b"")
CBC = protection(Encr.ENCR_AES_CBC, 128, Integ.AUTH_HMAC_SHA2_256_128, bytes(16), bytes(32))
IV = bytes(range(8))


def start(payloads: tuple[Payload, ...], kind: type[Payload], which: int = 0) -> int:
    """Find the offset of a payload in its chain, by the lengths of those before it."""
    index = [i for i, payload in enumerate(payloads) if type(payload) is kind][which]
    return sum(len(octets) for octets in write_payloads(payloads)[:index])


# The fault, the message, the payload (None: the header), an offset in it, the octets that stand
# there, those that are to stand there, and the reader's refusal ("": it is still well-formed).
EDITS = [
    (HeaderLength(by=1), IKE_SA_INIT, None, 24, "0000010b", "0000010c", "Length 268 in 267"),
    (HeaderLength(to=0), IKE_SA_INIT, None, 24, "0000010b", "00000000", "Length 0 in 267"),
    (FirstPayload(to=34), IKE_SA_INIT, None, 16, "21", "22", ""),
    (MajorVersion(3), IKE_SA_INIT, None, 17, "20", "30", ""),
    (MinorVersion(15), IKE_SA_INIT, None, 17, "20", "2f", ""),
    (InitiatorFlag(), IKE_SA_INIT, None, 19, "08", "00", ""),
    (ResponseFlag(), IKE_SA_INIT, None, 19, "08", "28", ""),
    (ReservedFlags(), IKE_SA_INIT, None, 19, "08", "cf", ""),
    (NextPayload(KE, to=0), IKE_SA_INIT, KE, 0, "28", "00", "octets after the last payload"),
    (CriticalBit(KE), IKE_SA_INIT, KE, 1, "00", "80", ""),
    (ReservedBits(Nonce), IKE_SA_INIT, Nonce, 1, "00", "7f", ""),
    (PayloadLength(KE, by=-4), IKE_SA_INIT, KE, 2, "0028", "0024", "Nonce payload Length"),
    (PayloadLength(KE, to=3), IKE_SA_INIT, KE, 2, "0028", "0003", "KE payload Length 3"),
    (PayloadLength(Unknown, by=1), IKE_SA_INIT, Unknown, 2, "000b", "000c", "11 octets are left"),
    (FlipOctet(Nonce, 4), IKE_SA_INIT, Nonce, 4, "20", "df", ""),
    (ReservedFields(KE), IKE_SA_INIT, KE, 6, "0000", "ffff", ""),
    (ReservedFields(IDi), CHILD, IDi, 5, "000000", "ffffff", ""),
    (ReservedFields(IDr), CHILD, IDr, 5, "000000", "ffffff", ""),
    (ReservedFields(AUTH), CHILD, AUTH, 5, "000000", "ffffff", ""),
    (ReservedFields(TSi), CHILD, TSi, 5, "000000", "ffffff", ""),
    (ReservedFields(CP), CHILD, CP, 5, "000000", "ffffff", ""),
    (
        ReservedFields(SA),
        CHILD,
        SA,
        4,
        "00000020 01030402 c0ffee01 0300000c 01000014 800e0080 00000008 05000000",
        "00ff0020 01030402 c0ffee01 03ff000c 01ff0014 800e0080 00ff0008 05ff0000",
        "",
    ),
    (LastProposal(to=0), IKE_SA_INIT, SA, 4, "02", "00", "Proposal begins with 0, 2 is due"),
    (LastProposal(proposal=1, to=2), IKE_SA_INIT, SA, 40, "00", "02", "with 2, 0 is due"),
    (ProposalLength(by=4), IKE_SA_INIT, SA, 6, "0024", "0028", "begins with 0, 3 is due"),
    (ProposalLength(proposal=1, by=4), IKE_SA_INIT, SA, 42, "002c", "0030", "44 octets are left"),
    (ProposalSpiSize(by=4), CHILD, SA, 10, "04", "08", "Transform Length"),
    (TransformCount(by=-1), IKE_SA_INIT, SA, 11, "03", "02", "2 announced, 3 found"),
    (TransformCount(by=250), IKE_SA_INIT, SA, 11, "03", "fd", "253 announced, 3 found"),
    (LastTransform(transform=2, to=3), IKE_SA_INIT, SA, 32, "00", "03", "with 3, 0 is due"),
    (TransformLength(by=-4), IKE_SA_INIT, SA, 14, "000c", "0008", "Transform Length 256"),
    (
        TransformLength(proposal=1, transform=3, by=1),
        IKE_SA_INIT,
        SA,
        78,
        "0008",
        "0009",
        "8 octets are left",
    ),
    (SpiSize(Notify, by=-4), DELETE, Notify, 5, "04", "00", ""),
    (SpiSize(Notify, to=255), DELETE, Notify, 5, "04", "ff", "255 octets announced"),
    (SpiSize(Delete, to=8), DELETE, Delete, 5, "04", "08", "2 SPIs of 8 octets announced"),
    (SpiCount(by=1), DELETE, Delete, 6, "0002", "0003", "3 SPIs of 4 octets announced"),
    (SpiCount(by=1, which=1), DELETE, (Delete, 1), 6, "0000", "0001", ""),
    (SelectorCount(TSi, by=-1), CHILD, TSi, 4, "02", "01", "1 announced, 2 found"),
    (SelectorLength(TSi, by=4), CHILD, TSi, 10, "0010", "0014", "Selector Length 20"),
    (SelectorLength(TSi, selector=1, to=16), CHILD, TSi, 26, "0028", "0010", "Length 16, 40"),
]


@pytest.mark.parametrize("row", EDITS, ids=lambda row: str(row[0]))
def test_what_a_fault_changes(row):
    fault, message, kind, at, before, after, refusal = row
    good, wrong = message.encode(), message.with_fault(fault).encode()
    if kind is not None:
        at += HEADER_SIZE + start(message.payloads, *(kind if isinstance(kind, tuple) else (kind,)))
    before, after = bytes.fromhex(before), bytes.fromhex(after)

    assert good[at : at + len(before)] == before
    assert wrong == good[:at] + after + good[at + len(after) :]
    if refusal:
        with pytest.raises(MalformedMessage, match=refusal):
            Message.decode(wrong)
    else:
        assert Message.decode(wrong) != message


SEALED = [row for row in EDITS if row[2] is not None and row[1] is not IKE_SA_INIT]


@pytest.mark.parametrize("row", SEALED, ids=lambda row: str(row[0]))
def test_a_fault_inside_sk_leaves_the_integrity_check_right(row):
    fault, message, kind, at, before, after, _ = row
    message = replace(message, protected=True)
    good, wrong = message.seal(GCM, IV), message.with_fault(fault).seal(GCM, IV)
    at += start(message.payloads, *(kind if isinstance(kind, tuple) else (kind,)))
    plaintext = GCM.open(good[:32], good[32:])

    assert wrong[:32] == good[:32]
    assert plaintext[at : at + len(bytes.fromhex(before))] == bytes.fromhex(before)
    changed = plaintext[:at] + bytes.fromhex(after) + plaintext[at + len(bytes.fromhex(after)) :]
    assert GCM.open(wrong[:32], wrong[32:]) == changed


HEADERS = [row for row in EDITS if row[2] is None and row[0] != FirstPayload(to=34)]


@pytest.mark.parametrize("row", HEADERS, ids=lambda row: str(row[0]))
def test_a_fault_in_the_header_is_covered_by_the_integrity_check(row):
    fault, good = row[0], IKE_AUTH.seal(GCM, IV)
    wrong = IKE_AUTH.with_fault(fault).seal(GCM, IV)

    assert len(wrong) == len(good)
    assert wrong[:HEADER_SIZE] != good[:HEADER_SIZE]
    assert wrong[HEADER_SIZE:32] == good[HEADER_SIZE:32]
    assert GCM.open(wrong[:32], wrong[32:]) == GCM.open(good[:32], good[32:])


@pytest.mark.parametrize(
    ("fault", "at", "octets"),
    [
        (CriticalBit(SK), 29, "80"),
        (ReservedBits(SK), 29, "7f"),
        (PayloadLength(SK, to=7), 30, "0007"),
    ],
    ids=str,
)
def test_the_header_of_sk_is_covered_too(fault, at, octets):
    good, wrong = IKE_AUTH.seal(GCM, IV), IKE_AUTH.with_fault(fault).seal(GCM, IV)
    changed = bytes.fromhex(octets)

    assert wrong[:32] == good[:at] + changed + good[at + len(changed) : 32]
    assert GCM.open(wrong[:32], wrong[32:]) == GCM.open(good[:32], good[32:])


@pytest.mark.parametrize(
    ("fault", "before", "after"), [(PadLength(by=200), 0, 200), (PadLength(to=7), 0, 7)], ids=str
)
def test_pad_length(fault, before, after):
    good, wrong = IKE_AUTH.seal(GCM, IV), IKE_AUTH.with_fault(fault).seal(GCM, IV)
    plaintext = GCM.open(good[:32], good[32:])

    assert plaintext[-1] == before
    assert GCM.open(wrong[:32], wrong[32:]) == plaintext[:-1] + bytes([after])
    with pytest.raises(MalformedMessage, match="in the plaintext of SK"):
        Message.open(wrong, GCM)


@pytest.mark.parametrize("padding", [b"", b"\xaa", bytes(range(255))], ids=len)
def test_padding_of_any_size_and_content_is_read_as_it_stands(padding):
    good = Message.open(IKE_AUTH.seal(GCM, IV), GCM)
    wrong = IKE_AUTH.with_fault(Padding(padding)).seal(GCM, IV, padding=bytes(4))
    padded = Message.open(wrong, GCM)

    assert padded == good
    assert padded.padding == padding


@pytest.mark.parametrize(
    ("fault", "at"),
    [
        (IvCorrupted(), 32),
        (CiphertextCorrupted(), 32 + CBC.iv_size),
        (IcvCorrupted(), -1),
        (HeaderCorrupted(19), 19),
    ],
    ids=str,
)
def test_what_is_changed_on_the_way_fails_the_integrity_check(fault, at):
    iv = bytes(range(16))
    good, wrong = IKE_AUTH.seal(CBC, iv), IKE_AUTH.with_fault(fault).seal(CBC, iv)
    expected = bytearray(good)
    expected[at] ^= 0x01

    assert wrong == expected
    assert Message.open(good, CBC) == IKE_AUTH
    with pytest.raises(IntegrityFailure):
        Message.open(wrong, CBC)


@pytest.mark.parametrize("by", [1, 40, 266, 267])
def test_truncated_messages(by):
    good = IKE_SA_INIT.encode()

    assert IKE_SA_INIT.with_fault(TruncateMessage(by)).encode() == good[:-by]
    sealed = IKE_AUTH.seal(GCM, IV)
    assert IKE_AUTH.with_fault(TruncateMessage(by)).seal(GCM, IV) == sealed[:-by]


def test_octets_that_the_length_does_not_count():
    fault = TrailingOctets(b"more")

    assert IKE_SA_INIT.with_fault(fault).encode() == IKE_SA_INIT.encode() + b"more"
    assert IKE_AUTH.with_fault(fault).seal(GCM, IV) == IKE_AUTH.seal(GCM, IV) + b"more"


def test_octets_that_all_lengths_count():
    good = IKE_SA_INIT.encode()
    wrong = IKE_SA_INIT.with_fault(UnannouncedOctets(b"more")).encode()

    assert wrong == good[:24] + (len(good) + 4).to_bytes(4, "big") + good[28:] + b"more"
    with pytest.raises(MalformedMessage, match="4 octets after the last payload"):
        Message.decode(wrong)


@pytest.mark.parametrize("message", [IKE_AUTH, replace(IKE_AUTH, payloads=())], ids=["8", "none"])
def test_octets_behind_the_last_payload_inside_sk(message):
    good = message.seal(GCM, IV)
    wrong = message.with_fault(UnannouncedOctets(b"more")).seal(GCM, IV)
    plaintext = GCM.open(good[:32], good[32:])

    assert len(wrong) == len(good) + 4 == int.from_bytes(wrong[24:28], "big")
    assert int.from_bytes(wrong[30:32], "big") == len(wrong) - HEADER_SIZE
    assert GCM.open(wrong[:32], wrong[32:]) == plaintext[:-1] + b"more" + plaintext[-1:]
    with pytest.raises(MalformedMessage, match="4 octets after the last payload"):
        Message.open(wrong, GCM)


def test_faults_add_up():
    message = IKE_SA_INIT.with_fault(CriticalBit(KE)).with_fault(HeaderLength(by=4))

    octets = message.encode()
    assert octets == IKE_SA_INIT.with_fault(HeaderLength(by=4)).with_fault(CriticalBit(KE)).encode()
    assert sum(a != b for a, b in zip(octets, IKE_SA_INIT.encode(), strict=True)) == 2


# A fault that has no place in the message is an error of the script's.
NOWHERE = [
    (PayloadLength(EAP, by=1), "0 EAP payloads: no number 0"),
    (PayloadLength(Notify, which=2, by=1), "2 Notify payloads: no number 2"),
    (ProposalLength(proposal=2, by=1), "2 proposals: no number 2"),
    (TransformLength(transform=3, by=1), "3 transforms: no number 3"),
    (ReservedFields(Nonce), "Nonce has no RESERVED field"),
    (FlipOctet(Nonce, 36), "octet 36 of a payload of 36"),
    (PayloadLength(KE, by=-41), "-1 does not fit"),
    (MajorVersion(16), "does not fit"),
    (TransformCount(to=256), "256 does not fit"),
    (PadLength(to=1), "an unprotected message has no Pad Length"),
    (MinorVersion(16), "16 does not fit into 4 bits"),
    (HeaderCorrupted(28), "octet 28 of an IKE header"),
    (Padding(b""), "an unprotected message has no padding"),
    (IcvCorrupted(), "an unprotected message has nothing sealed"),
    (TruncateMessage(0), "0 octets cannot be cut off"),
    (TruncateMessage(268), "268 octets cannot be cut off 267"),
]


@pytest.mark.parametrize(("fault", "reason"), NOWHERE, ids=str)
def test_a_fault_without_a_place(fault, reason):
    with pytest.raises(ScriptError, match=reason):
        IKE_SA_INIT.with_fault(fault).encode()


# So is a fault that leaves everything as it was: nothing would be wrong.
IDLE = [
    HeaderLength(),
    HeaderLength(to=267),
    FirstPayload(to=33),
    MajorVersion(2),
    MinorVersion(0),
    NextPayload(Unknown, to=0),
    LastProposal(to=2),
    TransformCount(by=0),
    TrailingOctets(b""),
    UnannouncedOctets(b""),
]


@pytest.mark.parametrize("fault", IDLE, ids=str)
def test_a_fault_that_changes_nothing(fault):
    with pytest.raises(ScriptError, match="changes nothing"):
        IKE_SA_INIT.with_fault(fault).encode()


def test_padding_that_is_there_already_or_is_too_much():
    with pytest.raises(ScriptError, match="changes nothing"):
        IKE_AUTH.with_fault(Padding(bytes(4))).seal(GCM, IV, padding=bytes(4))
    with pytest.raises(ScriptError, match="256 octets of padding"):
        IKE_AUTH.with_fault(Padding(bytes(256))).seal(GCM, IV)


def test_the_catalogue_is_closed_and_each_fault_has_a_test_and_a_sentence():
    in_rows = {type(row[0]) for row in EDITS}
    in_other_tests = {
        PadLength,
        Padding,
        IvCorrupted,
        CiphertextCorrupted,
        IcvCorrupted,
        HeaderCorrupted,
        TruncateMessage,
        TrailingOctets,
        UnannouncedOctets,
    }

    assert set(CATALOGUE) == in_rows | in_other_tests
    for fault in CATALOGUE:
        assert fault.__doc__.endswith(".")
        assert fault.__doc__.count(".") == 1


def test_a_fault_shows_where_it_is():
    assert str(PayloadLength(KE, by=-4)) == "PayloadLength(of=KE, by=-4)"
    assert str(TransformLength(transform=1, to=0)) == "TransformLength(to=0, transform=1)"
    assert str(IcvCorrupted()) == "IcvCorrupted()"
    assert str(IKE_SA_INIT.with_fault(ReservedFlags())).endswith("  [ReservedFlags()]")
    with pytest.raises(FrozenInstanceError):
        PayloadLength(CERT, by=1).by = 2
