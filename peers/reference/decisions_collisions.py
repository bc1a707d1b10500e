"""Decisions about exchanges that cross each other (RFC 7296, 2.8 and 2.25)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from peers.reference import ip, purposes
from peers.reference.child import ChildSa
from peers.reference.message import Message
from peers.reference.purposes import TEMPORARY_FAILURE, Asked, Busy, Nonces

PUT_OFF = 10.0
"""Seconds after which, or twice as many, we ask again after a TEMPORARY_FAILURE (2.25)."""


class CollisionDecisions:
    """The decisions of `Decisions` about collisions, as the RFC wants them."""

    def loses(self, ours: Nonces, theirs: Nonces) -> bool:
        """Say whether ours is the exchange of a simultaneous rekey that is undone (2.8.1)."""
        return purposes.loses(ours, theirs)

    def has_to_wait(self, asked: Asked, busy: Collection[Busy]) -> bool:
        """Say whether a request is answered with TEMPORARY_FAILURE (2.25)."""
        return any((asked, each) in TEMPORARY_FAILURE for each in busy)

    def put_off(self) -> float:
        """Give the seconds after which we ask again after a TEMPORARY_FAILURE, or later (2.25)."""
        return PUT_OFF

    def starts_over(self) -> bool:
        """Say whether we make a new Child SA where the one to be rekeyed is not found (2.25)."""
        return True

    def outlives(self, refusal: Message) -> bool:
        """Say whether an IKE SA of ours goes on after a Child SA was refused (1.3.1)."""
        return True

    def may_ask(self, under_way: int, window: int) -> bool:
        """Say whether one more request fits into the peer's window of requests (2.3)."""
        return under_way < window

    def window(self, before: int, told: int) -> int:
        """Give the peer's window after a SET_WINDOW_SIZE: it only grows (2.3)."""
        return max(before, told)

    def obeys_first_contact(self) -> bool:
        """Say whether INITIAL_CONTACT ends the other IKE SAs with that peer (2.4)."""
        return True

    def names_closed_twice(self) -> bool:
        """Say whether we name a Child SA in an answer that we are closing ourselves (1.4.1)."""
        return False

    def sends_on(self, children: Sequence[ChildSa], inner: ip.IpPacket) -> ChildSa | None:
        """Choose the Child SA of an outbound packet: the newest that the peer awaits (2.8)."""
        fitting = [child for child in children if child.ready and child.carries(inner)]
        return fitting[-1] if fitting else None
