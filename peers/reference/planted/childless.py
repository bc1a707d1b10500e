"""Planted faults: IKE_AUTH without a Child SA (RFC 6023)."""

from __future__ import annotations

from peers.reference.childless import SUPPORTED, announcement, asks_for_none
from peers.reference.connection import Childless, Connection
from peers.reference.decisions import Decisions
from peers.reference.message import Message
from peers.reference.payloads import Notify
from peers.reference.planted.catalogue import fault
from peers.reference.sa import IkeSa


@fault("announces-no-childless")
class AnnouncesNoChildless(Decisions):
    """A responder that grants IKE SAs without a Child SA does not say so."""

    def childless_announcement(self, connection: Connection) -> tuple[Notify, ...]:
        return ()


@fault("announces-childless-never-granted")
class AnnouncesChildlessNeverGranted(Decisions):
    """A responder says that it grants IKE SAs without a Child SA although it must not."""

    def childless_announcement(self, connection: Connection) -> tuple[Notify, ...]:
        return (SUPPORTED,)


@fault("refuses-childless")
class RefusesChildless(Decisions):
    """IKE_AUTH without a Child SA is refused although it was said to be granted."""

    def grants_childless(self, sa: IkeSa, request: Message) -> bool:
        return False


@fault("grants-childless-unasked")
class GrantsChildlessUnasked(Decisions):
    """IKE_AUTH is answered without the Child SA that it asks for."""

    def grants_childless(self, sa: IkeSa, request: Message) -> bool:
        return bool(announcement(sa.connection))


@fault("grants-childless-never-announced")
class GrantsChildlessNeverAnnounced(Decisions):
    """IKE_AUTH without a Child SA is granted by who is told not to support that."""

    def grants_childless(self, sa: IkeSa, request: Message) -> bool:
        return asks_for_none(request)


@fault("goes-childless-unannounced")
class GoesChildlessUnannounced(Decisions):
    """An initiator leaves the Child SA out of IKE_AUTH although the responder did not offer it."""

    def goes_childless(self, sa: IkeSa) -> bool:
        return sa.connection.childless is Childless.FORCE


@fault("never-goes-childless")
class NeverGoesChildless(Decisions):
    """An initiator that is to make IKE SAs alone asks for a Child SA in IKE_AUTH."""

    def goes_childless(self, sa: IkeSa) -> bool:
        return False
