"""An IKE SA with what an endpoint keeps beside it: outstanding requests, responses, timers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from peers.reference.message import Message
from peers.reference.purposes import ChildEnd, Purpose
from peers.reference.sa import IkeSa

P = TypeVar("P")


@dataclass(slots=True)
class Pending:
    """A request of ours that waits for its response until ``due`` (seconds)."""

    message: Message
    octets: bytes
    due: float
    attempts: int = 0
    purpose: Purpose | None = None


@dataclass(slots=True, eq=False)
class Wanted:
    """An exchange of ours that waits for its turn.

    ``alone`` says that it changes the IKE SA, so that nothing else may be under way.
    """

    start: Callable[[Session], None]
    alone: bool = False


@dataclass(slots=True, eq=False)
class Later:
    """Something to be done to an IKE SA at ``due`` (seconds)."""

    due: float
    do: Callable[[Session], None]


@dataclass(slots=True, eq=False)
class Session:
    """An IKE SA of the endpoint.

    ``response`` holds the octets that answered ``answered``; ``heard`` is when the peer was last
    heard under the SA's protection, in seconds. ``outstanding`` are our requests by Message ID,
    ``waiting`` the exchanges of ours that are to follow (RFC 7296, 2.3), ``later`` what is to be
    done at a time. ``window`` is how many requests the peer takes at a time. ``putting_off`` is
    when the peer began to answer TEMPORARY_FAILURE (2.25).
    """

    sa: IkeSa
    answered: Message | None = None
    response: bytes = b""
    outstanding: dict[int, Pending] = field(default_factory=dict)
    window: int = 1
    closing: str = ""
    waiting: deque[Wanted] = field(default_factory=deque)
    later: list[Later] = field(default_factory=list)
    putting_off: float | None = None
    heard: float = 0.0

    @property
    def pending(self) -> Pending | None:
        """The oldest of our outstanding requests."""
        return next(iter(self.outstanding.values()), None)

    def under_way(self, kind: type[P]) -> list[P]:
        """List the purposes of that kind among our outstanding requests."""
        purposes = (pending.purpose for pending in self.outstanding.values())
        return [each for each in purposes if isinstance(each, kind)]

    def is_closing(self, child: object) -> bool:
        """Say whether we are asking to close that Child SA."""
        return any(child in end.children for end in self.under_way(ChildEnd))
