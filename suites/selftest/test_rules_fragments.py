"""The rules about messages that come in fragments (RFC 7383): they see them whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from peers.reference.events import Transmission
from peers.reference.faults import ReservedFields
from peers.reference.fragments import split_into
from peers.reference.message import Message
from peers.reference.numbers import ExchangeType
from peers.reference.payloads import AUTH, SA, Nonce
from peers.reference.rules import RULES, seen_in
from suites.fragmentation import chunk, garbage, in_order
from suites.selftest.reports_events import IKE_KEYS, ike_auth, said, transmission

RESPONSE = ike_auth(response=True)
WRONG = RESPONSE.with_fault(ReservedFields(AUTH))
RESERVED, READABLE = "rfc7296-2.5-reserved-sent-as-zero", "rfc7296-3.2-next-payload-chain"
FRESH = "rfc7296-2.10-nonce-fresh"
AUTH_IS_RESERVED = "AUTH: AUTH.reserved is not zero"


def crossed(parts: Iterable[Message], *, sent: bool = False) -> list[Transmission]:
    """Have fragments cross the link, opened as those are of whose IKE SA we have the keys."""
    events = []
    for part in parts:
        side = IKE_KEYS.initiator if part.initiator else IKE_KEYS.responder
        octets = part.seal(side, bytes(side.iv_size))
        events.append(transmission(1.0, sent, octets, Message.open(octets, side)))
    return events


def complaints(row, events):
    return [each.what for each in RULES[row].complaints(seen_in(events))]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 1, 1, 3)], ids=str)
def test_a_message_is_seen_whole_behind_the_last_fragment_missing(order):
    parts = in_order(split_into(RESPONSE, 3), order)

    seen = seen_in(crossed(parts))

    assert [each.message.fragment is None for each in seen] == [False] * len(order) + [True]
    assert seen[-1].message.payloads == RESPONSE.payloads
    assert seen[-1].octets == seen[-2].octets


@pytest.mark.parametrize("order", [(1, 2), (2, 3), (1, 1, 1)], ids=str)
def test_what_does_not_come_whole_is_seen_in_pieces_only(order):
    parts = in_order(split_into(WRONG, 3), order)

    assert all(each.message.fragment for each in seen_in(crossed(parts)))
    assert complaints(RESERVED, crossed(parts)) == []


def test_what_is_wrong_inside_of_fragments_is_complained_of():
    assert complaints(RESERVED, crossed(split_into(WRONG, 3))) == [AUTH_IS_RESERVED]
    assert complaints(RESERVED, crossed(split_into(RESPONSE, 3))) == []


def test_nobody_complains_of_what_we_send_in_fragments():
    assert complaints(RESERVED, crossed(split_into(WRONG, 3), sent=True)) == []


def test_fragments_of_both_sides_are_kept_apart():
    """Two requests of one IKE SA and one Message ID: ours and the target's."""
    first, last = split_into(WRONG, 2)
    ours, _ = split_into(RESPONSE, 2)

    events = crossed([first]) + crossed([ours], sent=True) + crossed([last])

    assert complaints(RESERVED, events) == [AUTH_IS_RESERVED]


@pytest.mark.parametrize("number", [0, 4])
def test_a_fragment_that_a_receiver_discards_hides_nothing(number):
    first, middle, last = split_into(WRONG, 3)

    assert complaints(RESERVED, crossed([first, chunk(first, number=number), middle, last])) == [
        AUTH_IS_RESERVED
    ]


def test_fragments_that_make_no_message_are_a_malformed_one():
    first, last = split_into(RESPONSE, 2)

    (found,) = complaints(READABLE, crossed([first, garbage(last)]))

    assert "a malformed message" in found
    assert "in the content of 2 fragments" in found


@pytest.mark.parametrize("refused", [False, True], ids=["granted", "refused"])
def test_a_nonce_is_used_again_unless_its_request_was_refused(refused):
    """Our response comes in fragments, none of which has an SA payload of its own."""
    request = replace(RESPONSE, exchange=ExchangeType.CREATE_CHILD_SA, response=False)
    request = replace(request, payloads=(*RESPONSE.all(SA), Nonce(bytes(32))))
    answer = request.reply(*(() if refused else RESPONSE.all(SA)), Nonce(bytes(range(32))))
    again = replace(request, message_id=request.message_id + 1)

    events = crossed(split_into(request, 2)) + crossed(split_into(answer, 2), sent=True)
    events.append(replace(said(2.0, again), sent=False))

    found = complaints(FRESH, events)
    assert found == ([] if refused else ["a nonce that was used before"])
