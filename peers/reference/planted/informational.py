"""Planted faults: informational exchanges (RFC 7296, 1.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from peers.reference.child import ChildSa
from peers.reference.decisions import Decisions
from peers.reference.message import Message
from peers.reference.numbers import (
    ExchangeType,
)
from peers.reference.payloads import (
    Delete,
    Payload,
    VendorID,
)
from peers.reference.planted.catalogue import fault


@fault("answers-liveness-with-vendor-id")
class AnswersLivenessWithVendorId(Decisions):
    """The response to an empty INFORMATIONAL request is not empty."""

    def informational_answer(self, request: Message) -> tuple[Payload, ...]:
        return () if request.payloads else (VendorID(b"alive"),)


@fault("fills-its-liveness-checks")
class FillsItsLivenessChecks(Decisions):
    """A liveness check of ours carries a payload."""

    def edit(self, message: Message) -> Message:
        informational = message.exchange == ExchangeType.INFORMATIONAL
        if informational and not message.response and not message.payloads:
            return message + VendorID(b"alive?")
        return message


@fault("answers-delete-with-peers-spi")
class AnswersDeleteWithPeersSpi(Decisions):
    """The answer to a Delete repeats the SPIs instead of naming those of the other direction."""

    def delete_answer(self, closed: Sequence[ChildSa]) -> tuple[Payload, ...]:
        return tuple(
            replace(payload, spis=tuple(child.outbound.spi for child in closed))
            for payload in super().delete_answer(closed)
            if isinstance(payload, Delete)
        )


@fault("keeps-deleted-child")
class KeepsDeletedChild(Decisions):
    """A Child SA that was deleted goes on to carry traffic."""

    def forgets_child(self) -> bool:
        return False


@fault("keeps-deleted-ike-sa")
class KeepsDeletedIkeSa(Decisions):
    """An IKE SA that was deleted goes on to answer."""

    def deletes_ike_sa(self, message: Message) -> bool:
        return False


@fault("answers-ike-delete-with-delete")
class AnswersIkeDeleteWithDelete(Decisions):
    """The response to a Delete of the IKE SA repeats the Delete payload."""

    def informational_answer(self, request: Message) -> tuple[Payload, ...]:
        return request.all(Delete) if self.deletes_ike_sa(request) else ()


@fault("deletes-child-by-peers-spi")
class DeletesChildByPeersSpi(Decisions):
    """A Delete of ours names the SPI of traffic towards the peer."""

    def own_delete_spi(self, child: ChildSa) -> bytes:
        return child.outbound.spi


@fault("deletes-ike-sa-with-spi")
class DeletesIkeSaWithSpi(Decisions):
    """A Delete of the IKE SA carries its SPI, which the header has already."""

    def edit(self, message: Message) -> Message:
        if message.response or not self.deletes_ike_sa(message):
            return message
        return message.replacing(replace(message.get(Delete), spis=(message.spi_i,)))
