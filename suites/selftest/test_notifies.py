"""What is done about each notify of RFC 7296, 3.10.1: the table is whole, the code keeps to it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import peers.reference
from peers.reference.notifies import TREATMENTS
from peers.reference.numbers import NotifyType
from peers.reference.payloads import Notify
from suites.selftest.test_peer import Bench

ERRORS = (1, 4, 5, 7, 9, 11, 14, 17, 24, 34, 35, 36, 37, 38, 39, 43, 44)
STATUS = range(16384, 16396)
SENT_ONLY = {
    NotifyType.ADDITIONAL_TS_POSSIBLE,
    NotifyType.FAILED_CP_REQUIRED,
    NotifyType.INTERNAL_ADDRESS_FAILURE,
    NotifyType.INVALID_IKE_SPI,
    NotifyType.INVALID_MAJOR_VERSION,
    NotifyType.INVALID_MESSAGE_ID,
    NotifyType.NO_ADDITIONAL_SAS,
    NotifyType.NO_PROPOSAL_CHOSEN,
    NotifyType.TS_UNACCEPTABLE,
}
"""We send these; to hear them changes nothing."""


def test_the_table_has_every_notify_of_the_rfc_and_no_other():
    assert set(TREATMENTS) == {NotifyType(number) for number in (*ERRORS, *STATUS)}
    assert all(each.reason for each in TREATMENTS.values())


def named_in_code():
    """Find the notifies that the endpoint's code names, besides the tables and the faults."""
    folder = Path(peers.reference.__file__).parent
    files = [f for f in folder.glob("*.py") if f.name not in ("numbers.py", "notifies.py")]
    return {
        NotifyType[node.attr]
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "NotifyType"
    }


def test_what_is_acted_on_is_in_the_code_and_what_is_not_is_only_sent():
    acted_on = {kind for kind, each in TREATMENTS.items() if each.acted_on}
    in_code = named_in_code() & set(TREATMENTS)

    assert acted_on - in_code == set(), "acted on, says the table"
    assert in_code - acted_on == SENT_ONLY, "named in the code, though the table says ignored"


@pytest.fixture
def up():
    bench = Bench()
    bench.peer.establish()
    bench.peer.exchange(bench.peer.informational())
    return bench


@pytest.mark.parametrize("kind", TREATMENTS, ids=str)
def test_no_notify_in_a_later_request_ends_anything(up, kind):
    session = up.endpoint.sessions[0]

    response = up.peer.exchange(up.peer.informational(Notify(kind, b"\0\0\0\1")))

    assert response.payloads == ()
    assert up.endpoint.sessions == [session]
    assert up.peer.echo()


ENDING = ["UNSUPPORTED_CRITICAL_PAYLOAD", "INVALID_SYNTAX", "AUTHENTICATION_FAILED"]


@pytest.mark.parametrize("kind", TREATMENTS, ids=str)
def test_three_of_them_end_the_ike_sa_right_after_ike_auth(kind):
    bench = Bench()
    bench.peer.establish()

    bench.peer.exchange(bench.peer.informational(Notify(kind)))

    assert bool(bench.endpoint.sessions) is (kind.name not in ENDING)
