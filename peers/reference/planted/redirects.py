"""Planted faults: redirects (RFC 5685)."""

from __future__ import annotations

from peers.reference.connection import Connection
from peers.reference.decisions import Decisions
from peers.reference.events import IPAddress
from peers.reference.message import Message
from peers.reference.payloads import Notify
from peers.reference.planted.catalogue import fault
from peers.reference.redirect import SUPPORTED, Gateway, redirect
from peers.reference.sa import IkeSa


@fault("tells-no-redirect-support")
class TellsNoRedirectSupport(Decisions):
    """An initiator that follows redirects does not say so."""

    def redirect_announcement(
        self, connection: Connection, origin: IPAddress | None
    ) -> tuple[Notify, ...]:
        return () if origin is None else super().redirect_announcement(connection, origin)


@fault("tells-not-who-redirected")
class TellsNotWhoRedirected(Decisions):
    """An initiator that was redirected does not tell the new responder by whom."""

    def redirect_announcement(
        self, connection: Connection, origin: IPAddress | None
    ) -> tuple[Notify, ...]:
        return (SUPPORTED,)


@fault("follows-no-redirect")
class FollowsNoRedirect(Decisions):
    """An initiator says that it follows redirects, and does not."""

    def follows_redirect(self, gateway: Gateway) -> bool:
        return False


@fault("is-redirected-by-clients")
class IsRedirectedByClients(Decisions):
    """A responder follows a redirect of who began the IKE SA."""

    def may_be_redirected(self, sa: IkeSa) -> bool:
        return sa.connection.follows_redirects


@fault("is-redirected-unasked")
class IsRedirectedUnasked(Decisions):
    """An initiator that did not say that it follows redirects follows one."""

    def may_be_redirected(self, sa: IkeSa) -> bool:
        return sa.original_initiator


@fault("follows-redirect-of-anybody")
class FollowsRedirectOfAnybody(Decisions):
    """A redirect in clear is followed whatever nonce it has."""

    def believes_redirect(self, request: Message, gateway: Gateway) -> bool:
        return True


@fault("follows-unauthenticated-redirect")
class FollowsUnauthenticatedRedirect(Decisions):
    """A redirect in IKE_AUTH is followed although AUTH is wrong."""

    def follows_unauthenticated_redirect(self) -> bool:
        return True


@fault("follows-redirects-forever")
class FollowsRedirectsForever(Decisions):
    """Two responders can send an initiator to and fro."""

    def follows_once_more(self, recent: int) -> bool:
        return True


@fault("stays-when-redirected")
class StaysWhenRedirected(Decisions):
    """The IKE SA with who redirected us is kept."""

    def leaves_when_redirected(self) -> bool:
        return False


@fault("redirects-everybody")
class RedirectsEverybody(Decisions):
    """Who did not say that it follows redirects is redirected, too."""

    def redirection(self, sa: IkeSa) -> tuple[Notify, ...]:
        to = sa.connection.redirects_to
        return () if to is None else (redirect(to),)


@fault("redirects-nobody")
class RedirectsNobody(Decisions):
    """A responder that is to redirect grants the Child SA instead."""

    def redirection(self, sa: IkeSa) -> tuple[Notify, ...]:
        return ()
