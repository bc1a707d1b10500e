"""Planted faults: message IDs and retransmission (RFC 7296, 2.1 to 2.4)."""

from __future__ import annotations

from collections.abc import Collection

from peers.reference.decisions import Decisions, MessageId
from peers.reference.message import Message
from peers.reference.numbers import (
    NotifyType,
)
from peers.reference.payloads import (
    Nonce,
)
from peers.reference.planted.catalogue import fault
from peers.reference.sa import IkeSa


@fault("draws-new-nonce-for-repeated-response")
class DrawsNewNonceForRepeatedResponse(Decisions):
    """A repeated IKE_SA_INIT request gets a response with another nonce."""

    def repeat_response(self, sa: IkeSa, response: bytes, message: Message) -> bytes:
        if message.protected or not message.has(Nonce):
            return response
        return message.replacing(Nonce(sa.random(32))).encode()


@fault("reseals-repeated-response")
class ResealsRepeatedResponse(Decisions):
    """A repeated request gets its response encrypted anew, with another IV."""

    def repeat_response(self, sa: IkeSa, response: bytes, message: Message) -> bytes:
        return sa.encode(message) if message.protected else response


@fault("reseals-repeated-request")
class ResealsRepeatedRequest(Decisions):
    """A request is retransmitted encrypted anew, with another IV."""

    def repeat_request(self, sa: IkeSa, octets: bytes, message: Message) -> bytes:
        return sa.encode(message)


@fault("answers-any-message-id")
class AnswersAnyMessageId(Decisions):
    """A request is answered whatever its Message ID is (F66)."""

    def place(
        self, message_id: int, expected: int, window: int = 1, taken: Collection[int] = ()
    ) -> MessageId:
        place = super().place(message_id, expected, window, taken)
        return MessageId.NEXT if place is MessageId.OUTSIDE else place


@fault("never-retransmits")
class NeverRetransmits(Decisions):
    """A request of ours is sent once, and waits for its response for ever."""

    def retransmits(self) -> bool:
        return False


@fault("refuses-ninth-message")
class RefusesNinthMessage(Decisions):
    """Requests are answered up to Message ID 7 and no further."""

    def place(
        self, message_id: int, expected: int, window: int = 1, taken: Collection[int] = ()
    ) -> MessageId:
        place = super().place(message_id, expected, window, taken)
        return MessageId.OUTSIDE if message_id == 8 else place


@fault("believes-unprotected-notify")
class BelievesUnprotectedNotify(Decisions):
    """An INVALID_IKE_SPI that anybody can send in the clear ends the IKE SA."""

    def believes(self, message: Message) -> bool:
        return NotifyType.INVALID_IKE_SPI in message.notifies


@fault("closes-ike-sa-on-forgery")
class ClosesIkeSaOnForgery(Decisions):
    """A message that fails its integrity check closes the IKE SA."""

    def survives_forgery(self) -> bool:
        return False


@fault("ignores-the-window-of-its-peer")
class IgnoresTheWindowOfItsPeer(Decisions):
    """Requests of ours go out whenever there is a reason, whatever the peer's window is."""

    def may_ask(self, under_way: int, window: int) -> bool:
        return True
