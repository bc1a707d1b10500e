"""RFC 6311: the notify that sets Message IDs anew, and what an endpoint does with one."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peers.reference.errors import MalformedMessage
from peers.reference.message_id_sync import SIZE, MessageIdSync
from peers.reference.nat import ike_packet
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import Notify
from suites.selftest.wires import Wire, connection, receives

NUMBERS = st.integers(0, 2**32 - 1)


def established(*, agreed=True):
    wire = Wire(replace(connection(), message_id_sync=agreed))
    wire.establish()
    return wire


def request(wire, notify):
    """Let the right endpoint, a cluster, say that with Message ID zero."""
    sa = wire.right.sessions[0].sa
    message = replace(sa.request(ExchangeType.INFORMATIONAL, notify), message_id=0)
    return message, ike_packet(sa.local, sa.remote, sa.encode(message))


MESSAGE, _ = request(established(), MessageIdSync(bytes(4), 0, 0).notify())


@given(st.binary(min_size=4, max_size=4), NUMBERS, NUMBERS)
def test_what_is_written_is_read(nonce, sends, expects):
    sync = MessageIdSync(nonce, sends, expects)

    assert MessageIdSync.of(MESSAGE.replacing(sync.notify())) == sync


@pytest.mark.parametrize("size", [*range(SIZE), SIZE + 1])
def test_another_size_is_malformed(size):
    notify = Notify(NotifyType.IKEV2_MESSAGE_ID_SYNC, bytes(size))

    with pytest.raises(MalformedMessage):
        MessageIdSync.of(MESSAGE.replacing(notify))


def test_a_message_without_it_has_none():
    assert MessageIdSync.of(MESSAGE.without(Notify)) is None


def test_both_sides_support_it_only_where_the_initiator_says_so():
    for agreed in (True, False):
        wire = established(agreed=agreed)
        sas = [endpoint.sessions[0].sa for endpoint in wire.both]

        assert [sa.synchronizes for sa in sas] == [agreed, agreed]


def test_an_endpoint_goes_on_with_the_higher_numbers_and_waits_for_nothing():
    wire = established()
    session = wire.left.sessions[0]
    wire.left.rekey_ike(wire.left_connection, wire.now)
    assert session.outstanding

    _, packet = request(wire, MessageIdSync(b"abcd", 9, 0).notify())
    [answer] = receives(wire, packet)

    agreed = MessageIdSync.of(wire.right.sessions[0].sa.decode(answer.octets))
    assert agreed == MessageIdSync(b"abcd", 3, 9)
    assert (session.sa.next_request_id, session.sa.expected_request_id) == (3, 9)
    assert not session.outstanding


@pytest.mark.parametrize(
    ("agreed", "data"),
    [(False, bytes(7) + b"\x09" + bytes(4)), (True, bytes(11)), (True, bytes(13))],
    ids=["not-agreed-on", "too-short", "too-long"],
)
def test_an_endpoint_drops_what_it_must_not_obey(agreed, data):
    wire = established(agreed=agreed)
    sa = wire.left.sessions[0].sa
    before = sa.next_request_id, sa.expected_request_id

    _, packet = request(wire, Notify(NotifyType.IKEV2_MESSAGE_ID_SYNC, data))

    assert not receives(wire, packet)
    assert (sa.next_request_id, sa.expected_request_id) == before
    assert sum(wire.left.drops.values()) == 1
