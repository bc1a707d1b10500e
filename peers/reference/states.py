"""The states of an IKE SA as a table: what is absent is forbidden (RFC 7296, 1.2, 1.4, 2.6)."""

from __future__ import annotations

from enum import Enum

from peers.reference.errors import ScriptError


class State(Enum):
    """Where an IKE SA stands, from one side's point of view."""

    NEW = "new"
    INIT_SENT = "IKE_SA_INIT request sent"
    INIT_ANSWERED = "IKE_SA_INIT response sent"
    AUTH_SENT = "IKE_AUTH request sent"
    ESTABLISHED = "established"
    REPLACED = "replaced, the other side is to delete it"
    DELETING = "delete sent"
    CLOSED = "closed"


class Event(Enum):
    """What moves an IKE SA from one state to another."""

    SEND_INIT = "send IKE_SA_INIT request"
    RETRY_INIT = "send IKE_SA_INIT request again, with a cookie or another group"
    ANSWER_INIT = "answer IKE_SA_INIT request"
    SEND_AUTH = "send IKE_AUTH request"
    AUTHENTICATE = "the other side is authenticated"
    REKEY = "replace an established IKE SA"
    BE_REPLACED = "let the other side's IKE SA take over"
    SEND_DELETE = "send a delete of the IKE SA"
    CLOSE = "give the IKE SA up"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.NEW, Event.SEND_INIT): State.INIT_SENT,
    (State.NEW, Event.ANSWER_INIT): State.INIT_ANSWERED,
    (State.NEW, Event.REKEY): State.ESTABLISHED,
    (State.INIT_SENT, Event.RETRY_INIT): State.INIT_SENT,
    (State.INIT_SENT, Event.SEND_AUTH): State.AUTH_SENT,
    (State.INIT_SENT, Event.CLOSE): State.CLOSED,
    (State.INIT_ANSWERED, Event.AUTHENTICATE): State.ESTABLISHED,
    (State.INIT_ANSWERED, Event.CLOSE): State.CLOSED,
    (State.AUTH_SENT, Event.AUTHENTICATE): State.ESTABLISHED,
    (State.AUTH_SENT, Event.CLOSE): State.CLOSED,
    (State.ESTABLISHED, Event.SEND_DELETE): State.DELETING,
    (State.ESTABLISHED, Event.CLOSE): State.CLOSED,
    (State.ESTABLISHED, Event.BE_REPLACED): State.REPLACED,
    (State.REPLACED, Event.CLOSE): State.CLOSED,
    (State.DELETING, Event.CLOSE): State.CLOSED,
}


def after(state: State, event: Event) -> State:
    """Give the state that follows; ScriptError where the table has none."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise ScriptError(f"an IKE SA that is {state.value} cannot {event.value}") from None
