"""Fragments (RFC 7383): what is split comes back, in any order; what is wrong is refused."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.contrib.ikev2 import IKEv2, IKEv2_Encrypted_Fragment

from peers.reference.crypto import protection
from peers.reference.errors import IntegrityFailure, MalformedMessage, PeerError, ScriptError
from peers.reference.faults import CriticalBit
from peers.reference.fragments import (
    MOST_FRAGMENTS,
    Reassembly,
    TooManyOctets,
    sealed_size,
    split,
    split_into,
)
from peers.reference.message import Message
from peers.reference.numbers import Encr, ExchangeType, IdType, Integ, NotifyType, PayloadType
from peers.reference.payloads import IDi, Nonce, Notify, Unknown

GCM = protection(Encr.ENCR_AES_GCM_16, 256, None, bytes(36), b"")
CBC = protection(Encr.ENCR_AES_CBC, 128, Integ.AUTH_HMAC_SHA2_256_128, bytes(16), bytes(32))
WHOLE = Message(
    bytes(range(8)),
    bytes(range(8, 16)),
    ExchangeType.IKE_AUTH,
    initiator=True,
    response=False,
    message_id=1,
    payloads=(IDi(IdType.ID_FQDN, b"left.test"), Nonce(bytes(range(200)))),
    protected=True,
)


def sealed(part, how):
    return part.seal(how, bytes(how.iv_size))


def opened(parts, how=GCM):
    return [Message.open(sealed(part, how), how) for part in parts]


@pytest.mark.parametrize("how", [GCM, CBC], ids=["GCM", "CBC"])
@settings(max_examples=40)
@given(
    sizes=st.lists(st.integers(0, 300), max_size=4), limit=st.integers(120, 400), seed=st.integers()
)
def test_what_is_split_comes_back_in_any_order(how, sizes, limit, seed):
    message = replace(WHOLE, payloads=tuple(Nonce(bytes(size)) for size in sizes))
    parts = split(message, how, limit)
    assert all(len(sealed(part, how)) <= limit for part in parts)

    heard = opened(parts, how)
    Random(seed).shuffle(heard)
    kept = Reassembly()
    taken = [kept.take(part) for part in heard]

    assert taken[:-1] == [None] * (len(heard) - 1)
    assert taken[-1] == message


@pytest.mark.parametrize("how", [GCM, CBC], ids=["GCM", "CBC"])
@pytest.mark.parametrize("size", [0, 1, 15, 16, 100])
def test_the_size_of_a_whole_message_is_known_beforehand(how, size):
    message = replace(
        WHOLE, payloads=(Nonce(bytes(size)),), unprotected=(Notify(NotifyType.COOKIE),)
    )
    assert sealed_size(message, how) == len(sealed(message, how))


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_fragment_survives_sealing_and_scapy_reads_the_same(number):
    part = split_into(WHOLE, 3)[number]
    octets = sealed(part, GCM)

    assert Message.open(octets, GCM) == part
    read = IKEv2(octets)[IKEv2_Encrypted_Fragment]
    assert (read.frag_number, read.frag_total) == (number + 1, 3)
    assert read.next_payload == (WHOLE.payloads[0].type if number == 0 else 0)


def test_a_fragment_that_is_cut_anywhere_is_refused():
    octets = sealed(split_into(WHOLE, 2)[0], GCM)

    for size in range(len(octets)):
        with pytest.raises((MalformedMessage, IntegrityFailure)):
            Message.open(octets[:size], GCM)
        cut = octets[:24] + size.to_bytes(4, "big") + octets[28:size]
        if size >= 28:
            with pytest.raises((MalformedMessage, IntegrityFailure)):
                Message.open(cut, GCM)


def test_number_and_total_are_under_the_icv():
    octets = bytearray(sealed(split_into(WHOLE, 2)[0], GCM))
    for place in (33, 35):
        octets[place] ^= 3
        with pytest.raises(IntegrityFailure):
            Message.open(bytes(octets), GCM)
        octets[place] ^= 3


def test_what_is_unprotected_stands_in_the_first_fragment_alone():
    message = replace(WHOLE, unprotected=(Notify(NotifyType.COOKIE, b"x"),))
    first, *later = split_into(message, 3)
    assert first.unprotected == message.unprotected
    assert not any(part.unprotected for part in later)
    kept = Reassembly()
    whole = [kept.take(part) for part in opened([first, *later])][-1]
    assert whole == message


def renumbered(part, **changes):
    return replace(part, fragment=replace(part.fragment, **changes))


@pytest.mark.parametrize(
    ("number", "total"), [(0, 3), (4, 3), (0, 0), (1, 0), (1, MOST_FRAGMENTS + 1)]
)
def test_wrong_numbers_are_refused_and_change_nothing(number, total):
    parts = split_into(WHOLE, 3)
    kept = Reassembly()
    kept.take(parts[0])
    with pytest.raises(PeerError):
        kept.take(renumbered(parts[1], number=number, total=total))
    assert kept.take(parts[1]) is None
    assert kept.take(parts[2]) == WHOLE


def test_a_repeated_fragment_and_one_of_a_smaller_total_are_refused():
    parts = split_into(WHOLE, 3)
    kept = Reassembly()
    kept.take(parts[0])
    with pytest.raises(PeerError, match="came already"):
        kept.take(parts[0])
    with pytest.raises(PeerError, match="of 2 after one of 3"):
        kept.take(split_into(WHOLE, 2)[1])
    kept.take(parts[2])
    assert kept.take(parts[1]) == WHOLE


def test_a_larger_total_starts_over():
    kept = Reassembly()
    kept.take(split_into(WHOLE, 2)[0])
    results = [kept.take(part) for part in split_into(WHOLE, 3)]
    assert results == [None, None, WHOLE]


def test_messages_in_pieces_are_kept_apart_and_few():
    kept = Reassembly()
    parts = [split_into(replace(WHOLE, message_id=number), 2) for number in range(6)]
    for first, _ in parts:
        kept.take(first)
    assert [kept.count(first) for first, _ in parts] == [0, 0, 1, 1, 1, 1]
    assert kept.take(parts[5][1]) == replace(WHOLE, message_id=5)
    assert kept.forget(parts[4][0])
    assert not kept.forget(parts[4][0])


def test_content_that_is_no_chain_of_payloads_is_refused():
    parts = list(split_into(WHOLE, 2))
    parts[0] = renumbered(parts[0], chunk=b"\xff" * 20)
    kept = Reassembly()
    kept.take(parts[0])
    with pytest.raises(MalformedMessage, match="in the content of 2 fragments"):
        kept.take(parts[1])


def test_no_more_octets_are_kept_than_the_limit():
    parts = opened(split_into(WHOLE, 3))
    sizes = [len(part.fragment.chunk) for part in parts]
    kept = Reassembly(sum(sizes) - 1)
    assert [kept.take(part) for part in parts[:2]] == [None, None]

    with pytest.raises(TooManyOctets, match=f"more than {sum(sizes) - 1} octets"):
        kept.take(parts[2])
    assert kept.count(parts[0]) == 0
    assert [Reassembly(sum(sizes)).take(part) for part in parts[:1]] == [None]


def test_a_size_without_room_is_our_own_error():
    with pytest.raises(ScriptError, match="fragments of 60 octets"):
        split(WHOLE, GCM, 60)
    with pytest.raises(ScriptError, match="is no fragment"):
        Reassembly().take(WHOLE)


def test_faults_are_made_in_the_whole_before_it_is_split():
    message = replace(WHOLE, payloads=(*WHOLE.payloads, Unknown(PayloadType(200), b"x")))
    kept = Reassembly()
    parts = split_into(message.with_fault(CriticalBit(Unknown)), 2)
    whole = [kept.take(part) for part in opened(parts)][-1]
    assert whole.get(Unknown).critical
