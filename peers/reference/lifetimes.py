"""The end of an SA's lifetime: it is rekeyed before, or closed (RFC 7296, 2.8)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from peers.reference.child import ChildSa
from peers.reference.session import Later, Session, Wanted
from peers.reference.states import State

if TYPE_CHECKING:
    from peers.reference.endpoint import Endpoint
    from peers.reference.sa import IkeSa


class LifetimeKeeper:
    """Rekeys SAs in time and closes those that nothing has replaced."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._decide = endpoint.decide

    def begin_child(self, session: Session, child: ChildSa) -> None:
        """Note when a new Child SA is to be rekeyed and closed."""
        lifetimes = session.sa.connection.lifetimes
        if not lifetimes.child:
            return
        if lifetimes.margin:
            rekey = partial(self._rekey_child, child=child)
            self._later(session, lifetimes.child - lifetimes.margin, rekey)
        self._later(session, lifetimes.child, partial(self._end_child, child=child))

    def begin_ike(self, session: Session) -> None:
        """Note when a new IKE SA is to be rekeyed and closed."""
        lifetimes = session.sa.connection.lifetimes
        if not lifetimes.ike:
            return
        if lifetimes.margin:
            rekey = partial(self._rekey_ike, sa=session.sa)
            self._later(session, lifetimes.ike - lifetimes.margin, rekey)
        self._later(session, lifetimes.ike, partial(self._end_ike, sa=session.sa))

    def _later(self, session: Session, seconds: float, start: Callable[[Session], None]) -> None:
        """Start an exchange after so many seconds, as soon as the window then lets us."""
        wanted = Wanted(start, alone=True)
        due = self._endpoint.now + seconds
        session.later += (Later(due, lambda here: here.waiting.append(wanted)),)

    def _rekey_child(self, session: Session, *, child: ChildSa) -> None:
        if self._decide.rekeys_in_time() and child in session.sa.children:
            self._endpoint.children.rekey(session, child.name)

    def _end_child(self, session: Session, *, child: ChildSa) -> None:
        if self._decide.minds_lifetimes() and child in session.sa.children:
            self._endpoint.closures.delete(session, child)

    # What is wanted is handed on to the successor of an IKE SA: then there is nothing to do.

    def _rekey_ike(self, session: Session, *, sa: IkeSa) -> None:
        if session.sa is sa and sa.state is State.ESTABLISHED:
            self._endpoint.successors.rekey(session)

    def _end_ike(self, session: Session, *, sa: IkeSa) -> None:
        if self._decide.minds_lifetimes() and session.sa is sa and sa.state is State.ESTABLISHED:
            self._endpoint.successors.delete(session)
