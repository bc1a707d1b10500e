"""An IKE SA with what an endpoint keeps beside it: the outstanding request, the last response."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from peers.reference.child import ChildSa
from peers.reference.message import Message
from peers.reference.sa import IkeSa


@dataclass(slots=True)
class Pending:
    """A request of ours that waits for its response until ``due`` (seconds)."""

    message: Message
    octets: bytes
    due: float
    attempts: int = 0


@dataclass(slots=True)
class Session:
    """An IKE SA of the endpoint.

    ``response`` holds the octets that answered ``answered``; ``heard`` is when the peer was last
    heard under the SA's protection, in seconds. ``successor`` is the IKE SA that we asked for,
    ``replaced`` the Child SA that we asked to replace. ``waiting`` are the exchanges of ours that
    are to follow the one under way, for our window is one (RFC 7296, 2.3).
    """

    sa: IkeSa
    answered: Message | None = None
    response: bytes = b""
    pending: Pending | None = None
    child_spi: bytes = b""
    closing: str = ""
    successor: IkeSa | None = None
    replaced: ChildSa | None = None
    waiting: deque[Callable[[Session], None]] = field(default_factory=deque)
    heard: float = 0.0
