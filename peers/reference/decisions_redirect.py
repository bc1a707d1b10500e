"""Decisions about redirects (RFC 5685)."""

from __future__ import annotations

from peers.reference.connection import Connection
from peers.reference.events import IPAddress
from peers.reference.message import Message
from peers.reference.payloads import Nonce, Notify
from peers.reference.redirect import MAX_REDIRECTS, SUPPORTED, Gateway, redirect, redirected_from
from peers.reference.sa import IkeSa


class RedirectDecisions:
    """The part of `Decisions` that is about redirects."""

    def redirect_announcement(
        self, connection: Connection, origin: IPAddress | None
    ) -> tuple[Notify, ...]:
        """Give what a request for an IKE SA says: that we follow, or who has sent us (3, 9.3)."""
        if not connection.follows_redirects:
            return ()
        return (SUPPORTED,) if origin is None else (redirected_from(origin),)

    def may_be_redirected(self, sa: IkeSa) -> bool:
        """Say whether the other side may send us away: we are its client, and said so (3, 10)."""
        return sa.original_initiator and sa.connection.follows_redirects

    def follows_redirect(self, gateway: Gateway) -> bool:
        """Say whether we go where we are sent: to an address, for names are not resolved."""
        return gateway.address is not None

    def believes_redirect(self, request: Message, gateway: Gateway) -> bool:
        """Say whether a redirect in clear is an answer to our request: it has our nonce (3)."""
        return gateway.nonce == request.get(Nonce).data

    def follows_unauthenticated_redirect(self) -> bool:
        """Say whether IKE_AUTH redirects us if AUTH is wrong: never (6)."""
        return False

    def follows_once_more(self, recent: int) -> bool:
        """Say whether we follow after so many redirects lately (7)."""
        return recent < MAX_REDIRECTS

    def leaves_when_redirected(self) -> bool:
        """Say whether the IKE SA with who redirects us is deleted (5, 6)."""
        return True

    def redirection(self, sa: IkeSa) -> tuple[Notify, ...]:
        """Redirect in IKE_AUTH, but only who can be redirected (3, 6)."""
        to = sa.connection.redirects_to
        return () if to is None or not sa.redirectable else (redirect(to),)
