"""The catalogue of ESP faults: closed, documented, and each one wrong in the way it says."""

import inspect

import pytest

from peers.reference import esp_faults as faults
from peers.reference.errors import IntegrityFailure, MalformedMessage, Replayed, ScriptError
from peers.reference.esp import HEADER_SIZE
from peers.reference.numbers import IpProtocol
from suites.selftest.esp_ends import CBC, GCM, INNER, SUITES, make, pair

EVERY = [
    faults.WrongSpi(),
    faults.ReservedSpi(1),
    faults.SequenceZero(),
    faults.UsedNumber(7),
    faults.UsedIv(bytes(8)),
    faults.PaddingOctets(),
    faults.PadLengthBeyond(),
    faults.PadLengthShort(),
    faults.NextHeader(),
    faults.Unaligned(),
    faults.EmptyPayload(),
    faults.InnerCutShort(),
    faults.HighBitsLeftOut(),
    faults.WrongIcv(),
    faults.ChangedOctet(20),
    faults.Truncated(30),
    faults.Lengthened(),
    faults.HeaderOnly(),
    faults.WithoutIcv(),
]
REFUSED = [
    # fault, what our own receiver says
    (faults.WrongSpi(), "is not that of SA"),
    (faults.ReservedSpi(255), "SPI 000000ff is not"),
    (faults.SequenceZero(), "sequence number 0"),
    (faults.UsedNumber(7), "sequence number 7 was received before"),
    (faults.PaddingOctets(), "is not 1, 2, 3"),
    (faults.PadLengthBeyond(), "exceeds the packet"),
    (faults.WrongIcv(), "ICV"),
    (faults.ChangedOctet(4), "ICV"),
    (faults.Lengthened(), "ICV"),
    (faults.HeaderOnly(), "cannot hold"),
    (faults.WithoutIcv(), "ICV|cannot hold"),
]


def draft(suite=GCM, *, extended=False, sequence=8, body=INNER):
    outbound, inbound = pair(suite, extended=extended)
    inbound.window.advance(7)
    iv = bytes(range(outbound.protection.iv_size))
    return faults.Draft.of(outbound, IpProtocol.IPV4, body, iv, sequence), inbound


def test_catalogue_holds_every_fault_once():
    kinds = {
        each
        for _, each in inspect.getmembers(faults, inspect.isclass)
        if issubclass(each, faults.EspFault) and each is not faults.EspFault
    }

    assert set(faults.CATALOGUE) == kinds
    assert len(faults.CATALOGUE) == len(kinds)
    assert {type(each) for each in EVERY} == kinds, "each is exercised here"


@pytest.mark.parametrize("kind", faults.CATALOGUE, ids=lambda kind: kind.__name__)
def test_each_fault_is_said_in_one_sentence(kind):
    assert inspect.cleandoc(kind.__doc__).count("\n") == 0
    assert kind.__doc__.endswith(".")


@SUITES
def test_draft_without_a_fault_is_the_usual_packet(suite):
    made, inbound = draft(suite)
    usual = made.sa.seal(IpProtocol.IPV4, INNER, made.iv, sequence=8)

    assert made.seal() == usual
    assert faults.EspFault().seal(made) == usual
    assert inbound.open(usual).payload == INNER


@pytest.mark.parametrize("fault", EVERY, ids=lambda fault: type(fault).__name__)
def test_each_fault_changes_the_packet(fault):
    extended = isinstance(fault, faults.HighBitsLeftOut)
    made, _ = draft(extended=extended, sequence=(1 << 32) + 8 if extended else 8)

    assert fault.seal(made) != made.seal()


@pytest.mark.parametrize("suite", [GCM, CBC], ids=["gcm", "cbc"])
@pytest.mark.parametrize(("fault", "says"), REFUSED, ids=lambda each: type(each).__name__)
def test_our_receiver_refuses_and_says_why(suite, fault, says):
    made, inbound = draft(suite)

    with pytest.raises((IntegrityFailure, MalformedMessage, Replayed), match=says):
        inbound.open(fault.seal(made))


def test_truncation_at_each_octet_is_refused():
    made, inbound = draft()
    whole = made.seal()

    for size in range(len(whole)):
        with pytest.raises((IntegrityFailure, MalformedMessage)):
            inbound.open(faults.Truncated(size).seal(made))
    assert inbound.open(whole).sequence == 8


def test_unaligned_trailer_is_refused_after_a_good_icv():
    made, inbound = draft()

    with pytest.raises(MalformedMessage, match="not aligned"):
        inbound.open(faults.Unaligned().seal(made))


def test_pad_length_can_only_exceed_a_short_packet():
    made, _ = draft(body=bytes(300))

    with pytest.raises(ScriptError, match="cannot exceed"):
        faults.PadLengthBeyond().seal(made)


@SUITES
def test_high_bits_left_out_of_the_icv(suite):
    """F68: the packet verifies for who leaves them out as well, and only there."""
    number = (3 << 32) + 8
    made, inbound = draft(suite, extended=True, sequence=number)
    inbound.window.advance(number - 1)
    wrong = faults.HighBitsLeftOut().seal(made)

    with pytest.raises(IntegrityFailure):
        inbound.open(wrong)
    assert inbound.open(made.seal()).sequence == number
    assert wrong[:HEADER_SIZE] == made.seal()[:HEADER_SIZE]


def test_high_bits_can_only_be_left_out_where_there_are_some():
    made, _ = draft(extended=True)

    with pytest.raises(ScriptError, match="2\\^32"):
        faults.HighBitsLeftOut().seal(made)


def test_fault_reads_as_a_sentence_with_its_values():
    assert str(faults.UsedNumber(7)) == (
        "Another packet carries a sequence number that was used before (number=7)"
    )
    assert str(faults.UsedIv(b"\1\2")).endswith("(iv=0102)")
    assert make(GCM).icv_size == 16
