"""Messages in fragments (RFC 7383) as the second decoders are given them: whole."""

from dataclasses import replace

import pytest

from peers.reference.faults import ReservedFields
from peers.reference.fragments import split_into
from peers.reference.keytables import ikev2_decryption_line
from peers.reference.payloads import AUTH
from reports.second_decoder import by_scapy, by_tshark
from reports.second_decoder.captured import Batch
from reports.second_decoder.comparison import Comparison
from reports.second_decoder.fields import of_message
from reports.second_decoder.keys import Keys
from reports.second_decoder.known import SCAPY, TSHARK
from reports.second_decoder.ours import WRONG_ICV, IkeReader
from reports.wireshark import IKE_TABLE
from suites.fragmentation import chunk, garbage, in_order
from suites.selftest.reports_events import IKE_KEYS, ike_auth
from suites.selftest.test_second_decoder import RAW_IP, udp

NEEDS_TSHARK = pytest.mark.skipif(not by_tshark.available(), reason="tshark is not installed")
MESSAGE = ike_auth()
LINE = ikev2_decryption_line(IKE_KEYS)


def sealed(part):
    side = IKE_KEYS.initiator if part.initiator else IKE_KEYS.responder
    return part.seal(side, bytes(range(side.iv_size)))


def readings(parts, keys=LINE):
    """Read fragments one after the other, as they stand in a capture."""
    reader = IkeReader(Keys([keys], []))
    return [reader.read(sealed(part)) for part in parts]


def inside(fields):
    return {path: value for path, value in fields.items() if path.startswith("inner")}


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (1, 1, 2, 2, 3)], ids=str)
def test_the_last_fragment_missing_is_read_with_the_payloads_of_the_whole(order):
    *before, last = readings(in_order(split_into(MESSAGE, 3), order))

    assert [inside(each.fields) for each in before] == [{}] * len(before)
    assert inside(last.fields) == inside(of_message(MESSAGE))
    assert last.fields["payload[0].fragment"] == order[-1]
    assert (last.payloads, last.closed, last.mixed) == (len(MESSAGE.payloads) + 1, "", False)


@pytest.mark.parametrize("total", [2, 7])
def test_scapy_reads_what_was_put_together(total):
    last = readings(split_into(MESSAGE, total))[-1]

    assert by_scapy.read_inside(last.first, last.plaintext) == inside(of_message(MESSAGE))


def test_requests_of_both_sides_with_one_message_id_are_kept_apart():
    first, last = split_into(MESSAGE, 2)
    theirs, _ = split_into(replace(MESSAGE, initiator=False), 2)

    *_, reading = readings([first, theirs, last])

    assert inside(reading.fields) == inside(of_message(MESSAGE))


@pytest.mark.parametrize(
    "other",
    [lambda part: chunk(part, number=0), lambda part: chunk(part, total=2)],
    ids=["no such number", "another total"],
)
def test_a_fragment_that_is_discarded_is_read_alone_and_makes_a_mixture(other):
    first, middle, last = split_into(MESSAGE, 3)

    clean, discarded, *_, whole = readings([first, other(first), middle, last])

    assert not clean.mixed
    assert discarded.mixed
    assert inside(discarded.fields) == {}
    assert whole.mixed
    assert inside(whole.fields) == inside(of_message(MESSAGE))


def test_fragments_that_make_no_message_are_refused():
    first, last = split_into(MESSAGE, 2)

    _, reading = readings([first, garbage(last)])

    assert "in the content of 2 fragments" in reading.refused


def test_a_fragment_that_no_key_opens_has_a_wrong_icv():
    foreign = ikev2_decryption_line(replace(IKE_KEYS, sk_ei=bytes(36)))

    reading, _ = readings(split_into(MESSAGE, 2), foreign)

    assert reading.closed == WRONG_ICV


def compared(parts, folder):
    """Give what the second decoders make of fragments that crossed in this order."""
    batch = Batch(RAW_IP)
    batch.tables[IKE_TABLE]["the IKE SA"] = (LINE,)
    for number, part in enumerate(parts, 1):
        batch.add("a test", number, udp(500, sealed(part)).encode(), {})
    comparison = Comparison()
    comparison.add(batch, by_tshark.read(*batch.write(folder)))
    return comparison


@NEEDS_TSHARK
@pytest.mark.parametrize("total", [2, 5])
def test_tshark_puts_together_what_we_do(tmp_path, total):
    comparison = compared(split_into(MESSAGE, total), tmp_path)

    assert [*comparison.unknown] == []
    paths = len(inside(of_message(MESSAGE)))
    assert comparison.rows["IKE_AUTH"].tallies[TSHARK].agreed > paths


@NEEDS_TSHARK
@pytest.mark.parametrize("decoder", [SCAPY, TSHARK])
def test_a_difference_inside_of_fragments_is_seen(tmp_path, monkeypatch, decoder):
    """Both sides read one message, of which our reading is falsified."""
    whole = replace(MESSAGE, payloads=MESSAGE.payloads[::-1])
    monkeypatch.setattr(
        "reports.second_decoder.ours.Reassembly.take",
        lambda self, part: whole if part.fragment.number == 2 else None,
    )
    monkeypatch.setattr(
        "reports.second_decoder.comparison.by_scapy.read_inside",
        lambda first, plaintext: inside(of_message(MESSAGE)),
    )

    comparison = compared(split_into(MESSAGE, 2), tmp_path)

    assert "inner[0].type" in {each.path for each in comparison.unknown if each.decoder == decoder}


def test_reserved_fields_inside_of_fragments_are_read_as_they_stand():
    wrong = MESSAGE.with_fault(ReservedFields(AUTH))

    assert readings(split_into(wrong, 2))[-1].fields["inner[1].reserved"] == 0xFFFFFF
