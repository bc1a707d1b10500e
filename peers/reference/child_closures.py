"""Closing Child SAs, both roles (RFC 7296, 1.4.1 and 2.25.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from peers.reference.child import ChildSa
from peers.reference.message import Message
from peers.reference.numbers import ExchangeType, ProtocolId
from peers.reference.payloads import Delete, Payload
from peers.reference.purposes import ChildEnd
from peers.reference.session import Session
from peers.reference.states import ChildEvent, ChildState

if TYPE_CHECKING:
    from peers.reference.endpoint import Endpoint

Payloads = tuple[Payload, ...]


class ChildClosures:
    """Asks for Child SAs to be closed, and closes those that the other side names."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._decide = endpoint.decide

    def delete(self, session: Session, *children: ChildSa) -> None:
        """Ask to close Child SAs that are still there (1.4.1)."""
        there = tuple(
            child
            for child in children
            if child in session.sa.children and child.state is not ChildState.DELETING
        )
        if not there:
            return
        if not self._decide.announces_child_delete():
            self.forget(session, there)
            return
        for child in there:
            child.move(ChildEvent.SEND_DELETE)
        spis = tuple(self._decide.own_delete_spi(child) for child in there)
        request = session.sa.request(ExchangeType.INFORMATIONAL, Delete(ProtocolId.ESP, spis))
        self._endpoint.request(session, request, ChildEnd(there))

    def hear(self, session: Session, end: ChildEnd) -> None:
        """Take up the response to a request to close Child SAs: both halves are gone."""
        self.forget(session, end.children)

    def answer(self, session: Session, request: Message) -> Payloads:
        """Close the Child SAs that a request names, and name our halves of them.

        Of those that we ask to close ourselves meanwhile nothing is said (2.25.1).
        """
        named = [
            child
            for delete in request.all(Delete)
            if delete.protocol == ProtocolId.ESP
            for child in self._decide.deletes_child(session.sa, delete)
        ]
        closed = [child for child in session.sa.children if child in named]
        ours = [child for child in closed if session.is_closing(child)]
        if self._decide.forgets_child():
            self.forget(session, closed)
        answer = self._decide.informational_answer(request)
        if request.has(Delete) and not named:
            answer = self._decide.unknown_child_answer(answer)
        if not self._decide.names_closed_twice():
            closed = [child for child in closed if child not in ours]
        return self._decide.delete_answer(closed) if closed else answer

    def forget(self, session: Session, gone: Sequence[ChildSa]) -> None:
        """Take Child SAs away that are closed."""
        for child in gone:
            if child in session.sa.children:
                child.move(ChildEvent.CLOSE)
                session.sa.children.remove(child)
        for child in session.sa.children:
            # Who closes the old Child SA is prepared to receive on the new one (2.8).
            if child.replaces in gone:
                child.prove_ready()
