"""A target as one test sees it: everything is about the test's own connection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

from peers.peer import Peer
from peers.reference.child import ChildSa
from peers.reference.connection import Connection
from peers.reference.keys import ChildKeys
from peers.targets.base import Capability, IkeSaState, KeyedByHand, Moves, Target, TargetInfo


class BoundTarget:
    """The verbs of a `Target`, for one connection."""

    def __init__(self, target: Target, connection: Connection) -> None:
        self._target = target
        self.connection = connection

    @property
    def info(self) -> TargetInfo:
        """What the report says about the target."""
        return self._target.info

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the target was declared and probed to have."""
        return self._target.capabilities

    def initiate(self) -> None:
        """Start the initial exchanges towards the peer."""
        self._target.initiate(self.connection)

    def rekey_ike(self) -> None:
        """Start a rekey of the IKE SA."""
        self._target.rekey_ike(self.connection)

    def suspend(self) -> None:
        """Interrupt the session; `initiate` resumes it."""
        self._target.suspend(self.connection)

    def create_child(self, name: str) -> None:
        """Start the exchange for one more Child SA, by the name of its policy."""
        self._target.create_child(self.connection, name)

    def rekey_child(self, name: str = "") -> None:
        """Start a rekey of the Child SA of that policy, by default the first."""
        self._target.rekey_child(self.connection, name)

    def delete_ike(self) -> None:
        """Start the deletion of the IKE SA."""
        self._target.delete_ike(self.connection)

    def delete_child(self, name: str = "") -> None:
        """Start the deletion of the Child SA of that policy, by default the first."""
        self._target.delete_child(self.connection, name)

    def echo(self, name: str = "") -> None:
        """Make the target's side send one echo request through the Child SA of a policy."""
        self._target.echo(self.connection, name)

    @contextmanager
    def challenging(self) -> Iterator[None]:
        """Have the target ask for cookies as long as the context is open."""
        self._target.challenge_with_cookies(True)
        try:
            yield
        finally:
            self._target.challenge_with_cookies(False)

    def install(self, child: ChildSa) -> None:
        """Key a Child SA by hand; ``child`` is the target's side."""
        cast(KeyedByHand, self._target).install(self.connection, child)

    def set_counters(self, sent: int, received: int) -> None:
        """Let the Child SA go on after those sequence numbers."""
        cast(KeyedByHand, self._target).set_counters(self.connection, sent, received)

    def leave(self) -> None:
        """Lose the address that the connection is at, so that the target moves."""
        cast(Moves, self._target).leave(self.connection)

    def alive(self) -> bool:
        """Say whether the target still runs."""
        return self._target.alive()

    def sas(self) -> Sequence[IkeSaState]:
        """List the connection's IKE SAs."""
        return self._target.sas(self.connection)

    def established(self) -> Sequence[IkeSaState]:
        """List the connection's IKE SAs that are established."""
        return [state for state in self.sas() if state.established]


def key_by_hand(peer: Peer, target: BoundTarget, keys: ChildKeys) -> None:
    """Give both sides the keys of a Child SA without IKE."""
    target.install(peer.take_keys(keys))
    peer.proof_of_life = target.alive
