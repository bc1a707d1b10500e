"""The endpoint's part in IKE_FOLLOWUP_KE: series that go on, end, or are given up (RFC 9370)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from peers.reference import followup
from peers.reference.followup import Series
from peers.reference.message import Message
from peers.reference.numbers import KeyExchangeMethod
from peers.reference.payloads import KE, Notify, Payload
from peers.reference.purposes import ChildWish, IkeWish
from peers.reference.refusal import Refusal
from peers.reference.session import Awaited, Later, Pending, Session

if TYPE_CHECKING:
    from peers.reference.endpoint import Endpoint

MAX_RETRIES = 3
"""After so many series that the other side has lost the IKE SA is deleted (2.2.4)."""

PATIENCE = 20.0
"""Seconds that a responder waits for the next exchange of a series (2.2.4)."""


class FollowupExchanges:
    """Does the key exchanges after CREATE_CHILD_SA, as initiator and as responder."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._decide = endpoint.decide

    # As initiator.

    def begin(
        self,
        session: Session,
        wish: ChildWish | IkeWish,
        methods: tuple[KeyExchangeMethod, ...],
        asked: Message,
        response: Message,
    ) -> None:
        """Start the series that a response to CREATE_CHILD_SA leaves to do."""
        wish.series, wish.granted = followup.begin(methods, response), (asked, response)
        self._ask(session, wish, wish.series)

    def _ask(self, session: Session, wish: ChildWish | IkeWish, series: Series) -> None:
        self._endpoint.request(session, followup.request(session.sa, series), wish)

    def hear(self, session: Session, pending: Pending, response: Message) -> None:
        """Take up the response to a request of a series; after the last one the SA is made."""
        wish = pending.purpose
        assert isinstance(wish, ChildWish | IkeWish)
        assert wish.series is not None
        if not response.has(KE):
            self._failed(session, wish, response)
            return
        followup.hear(self._decide, wish.series, response)
        if wish.series.left:
            self._ask(session, wish, wish.series)
        elif isinstance(wish, ChildWish):
            self._endpoint.children.finish(session, wish)
        else:
            self._endpoint.successors.finish(session, wish)

    def _failed(self, session: Session, wish: ChildWish | IkeWish, response: Message) -> None:
        """Give a series up; one that the other side has lost is started anew (2.2.4)."""
        self._endpoint.say(f"a series of key exchanges failed: {response}")
        if not self._decide.cancels_series(response):
            assert wish.series is not None
            self._ask(session, wish, wish.series)
            return
        wish.series = None
        if not self._decide.starts_series_again(response):
            return
        if wish.retries >= MAX_RETRIES:
            self._endpoint.successors.delete(session)
        elif isinstance(wish, ChildWish):
            self._endpoint.children.start_again(session, wish)
        else:
            self._endpoint.successors.start_again(session, wish)

    # As responder.

    def expect(
        self,
        session: Session,
        methods: tuple[KeyExchangeMethod, ...],
        finish: Callable[[bytes], None],
    ) -> tuple[Notify, ...]:
        """Call ``finish`` with the further secrets: at once, or after the series is done.

        Gives the notify that a response then needs. What does not go on is forgotten.
        """
        if not methods:
            finish(b"")
            return ()
        return (self._await(session, Awaited(followup.expect(methods, self._random), finish)),)

    def _random(self, size: int) -> bytes:
        return self._endpoint.random(size)

    def _await(self, session: Session, awaited: Awaited) -> Notify:
        link = awaited.series.link
        session.awaited[link] = awaited
        due = self._endpoint.now + self._decide.patience(PATIENCE)
        session.later += (Later(due, partial(self._expire, link=link)),)
        return self._decide.link_notify(awaited.series)

    def _expire(self, session: Session, *, link: bytes) -> None:
        if session.awaited.pop(link, None) is not None:
            self._endpoint.say("a series of key exchanges did not go on")

    def answer(self, session: Session, request: Message) -> tuple[Payload, ...]:
        """Answer a request of a series, or raise the `Refusal` of it."""
        said = request.find_notify(followup.LINK)
        link = said.data if said is not None else b""
        awaited = self._decide.finds_series(session.awaited, link)
        if awaited is None:
            raise Refusal(self._decide.unknown_series())
        session.awaited.pop(awaited.series.link, None)
        payloads = followup.answer(self._decide, awaited.series, request, self._random)
        if awaited.series.left:
            self._await(session, awaited)
        else:
            awaited.finish(self._decide.further_secrets(awaited.series.secrets))
        return payloads


def is_busy(session: Session, kind: type[ChildWish] | type[IkeWish], old: object = None) -> bool:
    """Say whether a series of ours replaces that SA: the other side then has to wait (2.2.4)."""
    wishes = session.under_way(kind)
    return any(
        wish.series is not None
        for wish in wishes
        if isinstance(wish, IkeWish) or (old is not None and wish.replaced is old)
    )
