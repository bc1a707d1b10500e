"""An IKE SA with what an endpoint keeps beside it: outstanding requests, responses, timers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from peers.reference.events import Endpoint
from peers.reference.followup import Series
from peers.reference.fragments import Reassembly
from peers.reference.message import Message
from peers.reference.purposes import ChildEnd, Purpose
from peers.reference.sa import Datagrams, IkeSa
from peers.reference.states import State

if TYPE_CHECKING:
    from peers.reference.eap_exchange import EapInitiator, EapResponder
    from peers.reference.resumption import Suspended

P = TypeVar("P")

NOTHING_TAKEN: frozenset[int] = frozenset()
"""The same for all: an empty set of its own is 216 octets for each IKE SA."""


@dataclass(slots=True)
class Pending:
    """A request of ours that waits for its response until ``due`` (seconds)."""

    message: Message
    datagrams: Datagrams
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
class Awaited:
    """A series of key exchanges that the peer is to go on with (RFC 9370, 2.2.4).

    ``finish`` makes the SA, with the further secrets joined.
    """

    series: Series
    finish: Callable[[bytes], None]


@dataclass(slots=True, eq=False)
class Session:
    """An IKE SA of the endpoint.

    ``response`` holds the datagrams that answered ``answered``; ``heard`` is when the peer was last
    heard under the SA's protection, ``spoke`` when anything was last sent to it, in seconds,
    ``keepalives`` how many NAT-keepalives were. ``outstanding`` are our requests by Message ID,
    ``waiting`` the exchanges of ours that are to follow (RFC 7296, 2.3), ``later`` what is to be
    done at a time. ``window`` is how many requests the peer takes at a time, ``own_window`` how
    many we do; ``taken`` are those that came before an earlier one, and ``answers`` the last
    responses of ours by Message ID, as many as that. ``reported`` is when a Message ID outside
    the window was reported last, ``putting_off`` when the peer began to answer TEMPORARY_FAILURE
    (2.25). ``came`` is the way that the newest message came, our end first, if not the
    IKE SA's own. ``last_auth`` is the
    Message ID of the IKE_AUTH request that authenticated the peer, ``eap`` the conversation in
    IKE_AUTH before that.
    ``fragments`` are the peer's messages that are under way in pieces (RFC 7383).
    ``told_by_cluster`` is the highest Message ID that a cluster said it goes on with (RFC 6311).
    ``resumes`` is what a ticket stood for that was presented (RFC 5723).
    ``awaited`` are series of key exchanges that the peer is to go on with, by their links.
    """

    sa: IkeSa
    answered: Message | None = None
    response: Datagrams = ()
    outstanding: dict[int, Pending] = field(default_factory=dict)
    window: int = 1
    closing: str = ""
    waiting: list[Wanted] = field(default_factory=list)
    later: tuple[Later, ...] = ()
    putting_off: float | None = None
    heard: float = 0.0
    last_auth: int | None = None
    eap: EapInitiator | EapResponder | None = None
    reported: float = float("-inf")
    own_window: int = 1
    told_by_cluster: int = -1
    resumes: Suspended | None = None
    taken: frozenset[int] = NOTHING_TAKEN
    awaited: dict[bytes, Awaited] = field(default_factory=dict)
    answers: dict[int, tuple[Message, Datagrams]] = field(default_factory=dict)
    spoke: float = 0.0
    keepalives: int = 0
    fragments: Reassembly | None = None
    came: tuple[Endpoint, Endpoint] | None = None

    @property
    def way(self) -> tuple[Endpoint, Endpoint]:
        """The way that the newest message of the peer came: our end, and the other one."""
        return self.came or (self.sa.local, self.sa.remote)

    @property
    def pending(self) -> Pending | None:
        """The oldest of our outstanding requests."""
        return next(iter(self.outstanding.values()), None)

    def is_half_open(self) -> bool:
        """Say whether the other side is not authenticated yet."""
        return self.sa.state in (
            State.INIT_SENT,
            State.INIT_ANSWERED,
            State.INTERMEDIATE_SENT,
            State.AUTH_SENT,
        )

    def keep(self, response: Message, datagrams: Datagrams) -> None:
        """Keep a response for whoever asks again, and as many before it as the window has."""
        self.answered, self.response = response, datagrams
        self.answers[response.message_id] = response, datagrams
        oldest = self.sa.expected_request_id - self.own_window
        self.answers = {number: each for number, each in self.answers.items() if number >= oldest}

    def take_in(self, message_id: int) -> None:
        """Move the window of the peer's requests on: its left edge is the first that is missing."""
        taken = self.taken | {message_id}
        while self.sa.expected_request_id in taken:
            taken -= {self.sa.expected_request_id}
            self.sa.expected_request_id += 1
        self.taken = taken or NOTHING_TAKEN

    def put_back(self, message_id: int) -> None:
        """Undo `take_in` for a request that is dropped after all."""
        later = range(message_id + 1, self.sa.expected_request_id)
        self.taken -= {message_id}
        if message_id < self.sa.expected_request_id:
            self.taken = self.taken.union(later)
            self.sa.expected_request_id = message_id

    def span(self) -> int:
        """Count our requests from the oldest without a response on.

        Of a window of N requests the response to the Nth last one has to be there (2.3).
        """
        return self.sa.next_request_id - min(self.outstanding, default=self.sa.next_request_id)

    def under_way(self, kind: type[P]) -> list[P]:
        """List the purposes of that kind among our outstanding requests."""
        purposes = (pending.purpose for pending in self.outstanding.values())
        return [each for each in purposes if isinstance(each, kind)]

    def is_closing(self, child: object) -> bool:
        """Say whether we are asking to close that Child SA."""
        return any(child in end.children for end in self.under_way(ChildEnd))
