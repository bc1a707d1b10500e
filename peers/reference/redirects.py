"""The endpoint that is sent to another responder (RFC 5685)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from peers.reference import redirect
from peers.reference.errors import PeerError
from peers.reference.message import Message
from peers.reference.redirect import LOOP_PERIOD, Gateway
from peers.reference.session import Session, Wanted

if TYPE_CHECKING:
    from peers.reference.endpoint import Endpoint


class Redirects:
    """Follows redirects, and counts them."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._decide = endpoint.decide
        self._followed: dict[str, list[float]] = {}

    def hear_init(self, session: Session, request: Message, response: Message) -> bool:
        """Follow a redirect in the response to IKE_SA_INIT; say whether we did (3).

        PeerError for one that is not believed, so that another response is waited for.
        """
        found = self._followed_by(session, response)
        if found is None:
            return False
        if not self._decide.believes_redirect(request, found):
            raise PeerError("REDIRECT has not our nonce")
        self._endpoint.close(session, "redirected")
        self._begin(session, found)
        return True

    def hear_authenticated(self, session: Session, message: Message) -> bool:
        """Follow a redirect in IKE_AUTH or later, and leave who sends it; say whether we do."""
        found = self._followed_by(session, message)
        if found is None:
            return False
        if found.nonce:
            raise PeerError("REDIRECT has a nonce in a protected message")

        def leave(here: Session) -> None:
            self._begin(here, found)
            if self._decide.leaves_when_redirected():
                self._endpoint.successors.delete(here)

        session.waiting.append(Wanted(leave, alone=True))
        return True

    def _followed_by(self, session: Session, message: Message) -> Gateway | None:
        """Read a redirect that we follow; who follows none does not even read it."""
        if not self._decide.may_be_redirected(session.sa):
            return None
        found = redirect.redirection(message)
        return found if found and self._decide.follows_redirect(found) else None

    def _begin(self, session: Session, found: Gateway) -> None:
        connection = session.sa.connection
        earliest = self._endpoint.now - LOOP_PERIOD
        recent = [at for at in self._followed.get(connection.name, []) if at > earliest]
        if found.address is None or not self._decide.follows_once_more(len(recent)):
            self._endpoint.say(f"not redirected to {found.address}: {len(recent)} times lately")
            return
        self._followed[connection.name] = [*recent, self._endpoint.now]
        self._endpoint.say(f"redirected to {found.address}")
        there = replace(connection, remote=found.address)
        self._endpoint.begin(there, origin=connection.remote)
