"""IKE_AUTH without a Child SA, which a later exchange makes (RFC 6023)."""

from __future__ import annotations

from peers.reference.connection import Childless, Connection
from peers.reference.message import Message
from peers.reference.numbers import NotifyType
from peers.reference.payloads import SA, Notify, TSi, TSr
from peers.reference.sa import IkeSa

SUPPORTED = Notify(NotifyType.CHILDLESS_IKEV2_SUPPORTED)
"""Announces that a responder grants it.

RFC 6023, 4, wants Protocol ID 1 where RFC 7296, 3.10, wants zero: the SPI is empty. We follow the
latter, the newer one.
"""


def is_supported(message: Message) -> bool:
    """Say whether a response to IKE_SA_INIT announces it, with whatever Protocol ID."""
    return NotifyType.CHILDLESS_IKEV2_SUPPORTED in message.notifies


def announcement(connection: Connection) -> tuple[Notify, ...]:
    """Give what the response to IKE_SA_INIT says (3)."""
    allowed = connection.childless in (Childless.ALLOW, Childless.FORCE)
    return (SUPPORTED,) if allowed else ()


def asks_for_none(request: Message) -> bool:
    """Say whether an IKE_AUTH request is of the modified kind: nothing of a Child SA (5)."""
    return not any(request.has(kind) for kind in (SA, TSi, TSr))


class ChildlessDecisions:
    """The decisions about IKE_AUTH without a Child SA."""

    def childless_announcement(self, connection: Connection) -> tuple[Notify, ...]:
        """Give what the response to IKE_SA_INIT says (3)."""
        return announcement(connection)

    def goes_childless(self, sa: IkeSa) -> bool:
        """Say whether an initiator leaves the Child SA out: only where that is announced (3)."""
        wanted = sa.connection.childless is Childless.FORCE and sa.connection.takes is None
        return wanted and sa.childless

    def grants_childless(self, sa: IkeSa, request: Message) -> bool:
        """Say whether IKE_AUTH is answered without a Child SA: if it is asked so, and allowed."""
        return bool(announcement(sa.connection)) and asks_for_none(request)
