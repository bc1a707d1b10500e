"""The states of an IKE SA and of a Child SA as tables: what a table does not allow is forbidden.

Each event has a row: where it leads from which state, and the requirement that says so; from every
other state it is forbidden, and ``otherwise`` names the requirement that this would break. The ids
are those of the ledger (``suites/requirements``). ``docs/states.svg`` is drawn from these tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from peers.reference.errors import ScriptError


class State(Enum):
    """Where an IKE SA stands, from one side's point of view."""

    NEW = "new"
    INIT_SENT = "IKE_SA_INIT request sent"
    INIT_ANSWERED = "IKE_SA_INIT response sent"
    INTERMEDIATE_SENT = "IKE_INTERMEDIATE request sent"
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
    SEND_INTERMEDIATE = "send IKE_INTERMEDIATE request"
    ANSWER_INTERMEDIATE = "answer IKE_INTERMEDIATE request"
    SEND_AUTH = "send IKE_AUTH request"
    AUTHENTICATE = "the other side is authenticated"
    REKEY = "replace an established IKE SA"
    BE_REPLACED = "let the other side's IKE SA take over"
    SEND_DELETE = "send a delete of the IKE SA"
    CLOSE = "give the IKE SA up"


class ChildState(Enum):
    """Where a Child SA stands, from one side's point of view."""

    NEW = "new"
    WAITING = "made, the other side is not known to receive on it"
    IN_USE = "in use"
    DELETING = "delete sent"
    CLOSED = "closed"


class ChildEvent(Enum):
    """What moves a Child SA from one state to another."""

    MAKE = "make it, as initiator, or beside what there is"
    MAKE_SUCCESSOR = "make it as responder of a rekey"
    PROVE_READY = "hear a packet on it, or a delete of the one that it replaces"
    SEND_DELETE = "send a delete of the Child SA"
    CLOSE = "give the Child SA up"


S = TypeVar("S", bound=Enum)


@dataclass(frozen=True, slots=True)
class Row(Generic[S]):
    """One event: where it leads, the ledger row that says so, and the one that forbids the rest."""

    leads: Mapping[S, S]
    because: str
    otherwise: str

    def why(self, state: S) -> str:
        """Give the ledger row by which the event is allowed or forbidden in a state."""
        return self.because if state in self.leads else self.otherwise


IKE_SA: Mapping[Event, Row[State]] = {
    Event.SEND_INIT: Row(
        {State.NEW: State.INIT_SENT},
        because="rfc7296-1.2-init-exchange-shape",
        otherwise="rfc7296-2.6-spi-unique",
    ),
    Event.RETRY_INIT: Row(
        {State.INIT_SENT: State.INIT_SENT},
        because="rfc7296-2.6-cookie-returned-first",
        otherwise="rfc7296-2.21.1-unauthenticated-error-not-final",
    ),
    Event.ANSWER_INIT: Row(
        {State.NEW: State.INIT_ANSWERED},
        because="rfc7296-1.2-init-exchange-shape",
        otherwise="rfc7296-2.1-init-after-auth-ignored",
    ),
    Event.SEND_INTERMEDIATE: Row(
        {
            State.INIT_SENT: State.INTERMEDIATE_SENT,
            State.INTERMEDIATE_SENT: State.INTERMEDIATE_SENT,
        },
        because="rfc9242-3.2-completed-before-auth",
        otherwise="rfc9242-3.2-completed-before-auth",
    ),
    Event.ANSWER_INTERMEDIATE: Row(
        {State.INIT_ANSWERED: State.INIT_ANSWERED},
        because="rfc9242-3.2-not-established-before-auth",
        otherwise="rfc9242-3.2-completed-before-auth",
    ),
    Event.SEND_AUTH: Row(
        {State.INIT_SENT: State.AUTH_SENT, State.INTERMEDIATE_SENT: State.AUTH_SENT},
        because="rfc7296-1.2-auth-exchange-shape",
        otherwise="rfc7296-1.2-auth-exchange-shape",
    ),
    Event.AUTHENTICATE: Row(
        {State.INIT_ANSWERED: State.ESTABLISHED, State.AUTH_SENT: State.ESTABLISHED},
        because="rfc7296-1.2-auth-verified",
        otherwise="rfc7296-1.2-auth-verified",
    ),
    Event.REKEY: Row(
        {State.NEW: State.ESTABLISHED},
        because="rfc7296-1.3.2-ike-rekey-includes-ke",
        otherwise="rfc7296-1.3.2-new-ike-sa-counts-from-zero",
    ),
    Event.BE_REPLACED: Row(
        {State.ESTABLISHED: State.REPLACED},
        because="rfc7296-2.8.2-heir-has-the-children",
        otherwise="rfc7296-2.25.2-ike-rekey-while-closing-put-off",
    ),
    Event.SEND_DELETE: Row(
        {State.ESTABLISHED: State.DELETING},
        because="rfc7296-1.4.1-ike-delete-closes-children",
        otherwise="rfc7296-2.8-ike-delete-is-last",
    ),
    Event.CLOSE: Row(
        {
            State.INIT_SENT: State.CLOSED,
            State.INIT_ANSWERED: State.CLOSED,
            State.INTERMEDIATE_SENT: State.CLOSED,
            State.AUTH_SENT: State.CLOSED,
            State.ESTABLISHED: State.CLOSED,
            State.REPLACED: State.CLOSED,
            State.DELETING: State.CLOSED,
        },
        because="rfc7296-1.4.1-ike-delete-closes-children",
        otherwise="rfc7296-2.4-closed-ike-sa-announced",
    ),
}
"""The states of an IKE SA (RFC 7296, 1.2, 1.4, 2.6 and 2.25.2; RFC 9242, 3.2)."""

CHILD_SA: Mapping[ChildEvent, Row[ChildState]] = {
    ChildEvent.MAKE: Row(
        {ChildState.NEW: ChildState.IN_USE},
        because="rfc7296-2.8-child-ready-before-response",
        otherwise="rfc7296-1.3.3-rekey-granted-makes-new-child",
    ),
    ChildEvent.MAKE_SUCCESSOR: Row(
        {ChildState.NEW: ChildState.WAITING},
        because="rfc7296-2.8-responder-sends-on-old-sa",
        otherwise="rfc7296-1.3.3-rekey-granted-makes-new-child",
    ),
    ChildEvent.PROVE_READY: Row(
        {ChildState.WAITING: ChildState.IN_USE},
        because="rfc7296-2.8-responder-sends-on-old-sa",
        otherwise="rfc7296-2.8-old-sa-closed-after-new",
    ),
    ChildEvent.SEND_DELETE: Row(
        {
            ChildState.WAITING: ChildState.DELETING,
            ChildState.IN_USE: ChildState.DELETING,
        },
        because="rfc7296-1.4.1-delete-names-inbound-spi",
        otherwise="rfc7296-1.4.1-crossed-deletes-without-delete",
    ),
    ChildEvent.CLOSE: Row(
        {
            ChildState.WAITING: ChildState.CLOSED,
            ChildState.IN_USE: ChildState.CLOSED,
            ChildState.DELETING: ChildState.CLOSED,
        },
        because="rfc7296-1.4.1-both-directions-closed",
        otherwise="rfc7296-2.25.1-unknown-child-delete-answered-empty",
    ),
}
"""The states of a Child SA (RFC 7296, 1.4.1, 2.8 and 2.25.1)."""


def after(state: State, event: Event) -> State:
    """Give the state of an IKE SA that follows; ScriptError where the table has none."""
    return _after("an IKE SA", IKE_SA[event], state, event)


def child_after(state: ChildState, event: ChildEvent) -> ChildState:
    """Give the state of a Child SA that follows; ScriptError where the table has none."""
    return _after("a Child SA", CHILD_SA[event], state, event)


def _after(what: str, row: Row[S], state: S, event: Enum) -> S:
    if state not in row.leads:
        rule = row.otherwise
        raise ScriptError(f"{what} that is {state.value} cannot {event.value} ({rule})")
    return row.leads[state]
