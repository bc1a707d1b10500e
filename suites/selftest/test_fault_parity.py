"""Every fault of other people's test tools is ours too: the page's own code is run."""

import re
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from peers import flow
from peers.flow import FlowFault
from peers.reference import (
    authentication,
    connection,
    faults,
    identity,
    initial,
    numbers,
    payloads,
    planted,
    traffic_selectors,
)
from peers.reference.decisions import Decisions
from peers.reference.message import Message
from suites.selftest.test_flow import arriving
from suites.selftest.test_peer import Bench

PAGE = Path(__file__).parents[2] / "docs" / "fault-parity.md"
MODULES = (numbers, payloads, faults, flow, identity, traffic_selectors, connection)
IMPAIRMENTS = [
    line
    for line in (Path(__file__).parent / "libreswan_impairments.txt").read_text().splitlines()
    if not line.startswith("#")
]
HOOK_ROWS = 20
"""Rows of the first table."""

CODE = re.compile(r"`([^`]+)`")
REQUESTS = ("init", "auth", "create", "rekey", "rekey_ike", "delete", "liveness")


def _rows(page):
    """Give (what others call it, each piece of our code) for every row of the page's tables."""
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and len(cells) == 3 and cells[2] != "ours":
            yield cells[0], cells[2]


ROWS = list(_rows(PAGE.read_text()))
PIECES = [(row, code) for row, ours in ROWS for code in CODE.findall(ours)]


@pytest.fixture(scope="module")
def names():
    """What the page's code may use."""
    peer = Bench().peer
    found = {name: value for module in MODULES for name, value in vars(module).items()}
    found["init"] = peer.ike_sa_init()
    peer.agree(found["init"], peer.exchange(found["init"]))
    found["auth"] = peer.ike_auth()
    peer.take_up(found["auth"], peer.exchange(found["auth"]))
    found["create"] = peer.create_child_sa()
    found["rekey"] = peer.rekey_child_sa()
    found["rekey_ike"] = peer.rekey_ike()[1]
    found["delete"] = peer.deletion(peer.child)
    found["liveness"] = peer.informational()
    found["echo"] = peer.echo_request()
    found |= {"peer": peer, "replace": replace, "initial": initial, "planted": planted}
    found["authentication"] = authentication
    return found


def _wire(peer, message):
    """Write a message with an IV of zeros, so that two are different only if they say so."""
    if not message.protected:
        return message.encode()
    protection = peer.ike.established_keys().initiator
    return message.seal(protection, bytes(protection.iv_size))


@pytest.mark.parametrize(("row", "code"), PIECES, ids=[f"{r}: {c}"[:80] for r, c in PIECES])
def test_the_fault_changes_what_is_on_the_wire(names, row, code):
    made = eval(code, dict(names))
    peer = names["peer"]
    if isinstance(made, Message):
        honest = names[re.match(r"(?:replace\(|initial\.with_cookie\()?(\w+)", code)[1]]
        assert _wire(peer, made) != _wire(peer, honest)
    elif isinstance(made, FlowFault):
        assert arriving(made) != arriving(flow.Lost(99))
    elif isinstance(made, type):
        assert issubclass(made, Decisions)
    elif isinstance(made, bytes):
        assert made != peer.seal(names["echo"])
    else:
        assert callable(made) or made, "a verb of the peer, or its record"


def test_the_page_names_each_hook_of_conftest():
    hooks = {name for row, _ in ROWS[:HOOK_ROWS] for name in CODE.findall(row)}

    assert len(hooks) == 23


def _excuses(page):
    """Give the patterns in the paragraph on what is left out."""
    _, _, paragraph = page.partition("\nLeft out, because nothing of them is seen")
    return CODE.findall(paragraph)


def _rows_and_excuses(page):
    """Give, by impairment, the names in rows and the patterns of excuses that are for it."""
    shown = [name for row, _ in _rows(page) for name in CODE.findall(row)]
    return {
        impairment: [each for each in shown if each == impairment]
        + [each for each in _excuses(page) if fnmatchcase(impairment, each)]
        for impairment in IMPAIRMENTS
    }


def test_the_page_has_a_row_or_an_excuse_for_each_impairment_of_libreswan():
    places = _rows_and_excuses(PAGE.read_text())

    assert len(places) == len(IMPAIRMENTS) == 100
    assert {name: found for name, found in places.items() if len(found) != 1} == {}


def test_each_name_of_the_page_is_that_of_an_impairment():
    shown = {name for row, _ in ROWS[HOOK_ROWS:] for name in CODE.findall(row)}
    excuses = _excuses(PAGE.read_text())

    assert shown <= set(IMPAIRMENTS)
    assert excuses
    assert [e for e in excuses if not any(fnmatchcase(name, e) for name in IMPAIRMENTS)] == []


@pytest.mark.parametrize("name", ["send_keepalive", "allow_dns_insecure", "trigger_v2_liveness"])
def test_control_a_name_that_is_not_on_the_page_is_missed(name):
    page = PAGE.read_text()
    assert f"`{name}`" in page

    assert _rows_and_excuses(page.replace(f"`{name}`", ""))[name] == []
