"""The tables of states, walked pair by pair, each with the row that allows or forbids it."""

from __future__ import annotations

from itertools import product

import pytest

from peers.reference.errors import ScriptError
from peers.reference.states import (
    CHILD_SA,
    IKE_SA,
    ChildEvent,
    ChildState,
    Event,
    State,
    after,
    child_after,
)
from suites import diagram
from suites.ledger import collect

TABLES = [(IKE_SA, State, Event, after), (CHILD_SA, ChildState, ChildEvent, child_after)]
NAMES = ["ike", "child"]
PAIRS = [
    pytest.param(
        table, state, event, follow, id=f"{type(state).__name__}.{state.name}-{event.name}"
    )
    for name, (table, states, events, follow) in zip(NAMES, TABLES, strict=True)
    for state, event in product(states, events)
]


@pytest.mark.parametrize(("table", "state", "event", "follow"), PAIRS)
def test_every_pair_is_in_the_table_or_forbidden(table, state, event, follow):
    row = table[event]
    if state in row.leads:
        assert follow(state, event) is row.leads[state]
        assert row.why(state) == row.because
    else:
        with pytest.raises(ScriptError, match=f"{state.value}.*cannot.*{event.value}"):
            follow(state, event)
        assert row.why(state) == row.otherwise


@pytest.fixture(scope="module")
def ledger():
    return collect().rows


@pytest.mark.parametrize(("table", "state", "event", "follow"), PAIRS)
def test_every_pair_names_a_requirement_of_the_ledger(ledger, table, state, event, follow):
    assert table[event].why(state) in ledger


def reachable(start, ways):
    seen, new = {start}, {start}
    while new:
        new = {end for begin, end in ways if begin in new} - seen
        seen |= new
    return seen


def ways(table):
    return {pair for row in table.values() for pair in row.leads.items()}


EACH = pytest.mark.parametrize(
    ("table", "states", "events", "follow"), TABLES, ids=["ike", "child"]
)


@EACH
def test_every_state_is_reached_from_new(table, states, events, follow):
    assert reachable(states.NEW, ways(table)) == set(states)


@EACH
def test_every_state_that_was_entered_can_be_given_up_at_once(table, states, events, follow):
    for state in set(states) - {states.NEW, states.CLOSED}:
        assert follow(state, events.CLOSE) is states.CLOSED


@EACH
def test_closed_is_the_end_and_nothing_leads_back_to_new(table, states, events, follow):
    assert not [pair for pair in ways(table) if pair[0] is states.CLOSED or pair[1] is states.NEW]


@EACH
def test_every_event_has_a_row_and_leads_somewhere(table, states, events, follow):
    assert set(table) == set(events)
    assert all(row.leads for row in table.values())


def test_nobody_is_established_without_authentication():
    """Only AUTHENTICATE, and REKEY of an SA that is, lead to ESTABLISHED (RFC 7296, 1.2)."""
    leading = {event for event, row in IKE_SA.items() if State.ESTABLISHED in row.leads.values()}

    assert leading == {Event.AUTHENTICATE, Event.REKEY}


def test_the_drawing_is_that_of_the_tables():
    drawn = diagram.PATH.read_text()

    assert drawn == diagram.draw(), "run: python -m suites.diagram"
