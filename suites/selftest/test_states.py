"""The table of states: walked pair by pair."""

from __future__ import annotations

from itertools import product

import pytest

from peers.reference.errors import ScriptError
from peers.reference.states import TRANSITIONS, Event, State, after


@pytest.mark.parametrize(("state", "event"), [*product(State, Event)], ids=lambda each: each.name)
def test_every_pair_is_in_the_table_or_forbidden(state, event):
    if (state, event) in TRANSITIONS:
        assert after(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(ScriptError, match=f"{state.value}.*cannot.*{event.value}"):
            after(state, event)


def reachable(start, ways):
    seen, new = {start}, {start}
    while new:
        new = {end for begin, end in ways if begin in new} - seen
        seen |= new
    return seen


WAYS = {(state, end) for (state, _), end in TRANSITIONS.items()}


def test_every_state_is_reached_from_new():
    assert reachable(State.NEW, WAYS) == set(State)


@pytest.mark.parametrize("state", set(State) - {State.NEW}, ids=lambda each: each.name)
def test_every_state_that_was_entered_can_be_given_up_at_once(state):
    assert state is State.CLOSED or after(state, Event.CLOSE) is State.CLOSED


def test_closed_is_the_end():
    assert [pair for pair in TRANSITIONS if pair[0] is State.CLOSED] == []


def test_nothing_leads_back_to_new():
    assert State.NEW not in TRANSITIONS.values()


def test_every_event_is_of_use_somewhere():
    assert {event for _, event in TRANSITIONS} == set(Event)


def test_nobody_is_established_without_authentication():
    """Only AUTHENTICATE, and REKEY of an SA that is, lead to ESTABLISHED (RFC 7296, 1.2)."""
    leading = {event for (_, event), end in TRANSITIONS.items() if end is State.ESTABLISHED}

    assert leading == {Event.AUTHENTICATE, Event.REKEY}
