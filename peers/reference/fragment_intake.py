"""Fragments that an endpoint hears: kept, put together, given up (RFC 7383, 2.6)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from peers.reference.errors import PeerError
from peers.reference.fragments import TooManyOctets
from peers.reference.message import Message
from peers.reference.session import Later, Session

if TYPE_CHECKING:
    from peers.reference.endpoint import Endpoint


class FragmentIntake:
    """Makes whole messages of fragments that verified."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._decide = endpoint.decide

    def whole(self, session: Session, message: Message) -> Message | None:
        """Give a message that is none; of a fragment the whole, if it was the last one missing."""
        kept = session.fragments
        if message.fragment is None:
            if kept is not None and not self._decide.takes_whole(kept, message):
                self._endpoint.drop("a whole message while fragments of it are kept")
                return None
            return message
        if not self._decide.takes_fragments(session.sa):
            self._endpoint.drop("a fragment, and no fragmentation was agreed")
            return None
        if session.fragments is None:
            session.fragments = self._decide.reassembly()
        try:
            whole = self._decide.reassemble(session.fragments, message)
        except TooManyOctets as problem:
            if self._decide.ends_beyond_the_limit():
                self._endpoint.close(session, str(problem))
            return None
        except PeerError as problem:
            self._endpoint.drop(f"fragment refused: {problem}")
            return None
        if whole is None and message.response and not self._decide.asks_on():
            session.outstanding[message.message_id].due = float("inf")
        if whole is None and session.fragments.count(message) == 1:
            due = self._endpoint.now + sum(self._endpoint.retransmissions)
            session.later += (Later(due, partial(self._expire, part=message)),)
        return whole

    def forged(self, session: Session) -> None:
        """Hear that a message did not verify, which changes nothing."""
        if session.fragments is not None and self._decide.spoils_fragments():
            session.fragments.clear()

    def _expire(self, session: Session, *, part: Message) -> None:
        if session.fragments is not None and session.fragments.forget(part):
            self._endpoint.drop(f"the fragments of a {part.title} that did not come whole")
