"""Planted faults: message IDs and retransmission (RFC 7296, 2.1 to 2.4)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from peers.reference.decisions import Decisions, MessageId
from peers.reference.message import Message
from peers.reference.numbers import (
    ExchangeType,
    NotifyType,
)
from peers.reference.payloads import (
    Nonce,
    Notify,
)
from peers.reference.planted.catalogue import fault
from peers.reference.sa import Datagrams, IkeSa


@fault("draws-new-nonce-for-repeated-response")
class DrawsNewNonceForRepeatedResponse(Decisions):
    """A repeated IKE_SA_INIT request gets a response with another nonce."""

    def repeat_response(self, sa: IkeSa, response: Datagrams, message: Message) -> Datagrams:
        if message.protected or not message.has(Nonce):
            return response
        return (message.replacing(Nonce(sa.random(32))).encode(),)


@fault("reseals-repeated-response")
class ResealsRepeatedResponse(Decisions):
    """A repeated request gets its response encrypted anew, with another IV."""

    def repeat_response(self, sa: IkeSa, response: Datagrams, message: Message) -> Datagrams:
        return sa.datagrams(message) if message.protected else response


@fault("reseals-repeated-request")
class ResealsRepeatedRequest(Decisions):
    """A request is retransmitted encrypted anew, with another IV."""

    def repeat_request(self, sa: IkeSa, request: Datagrams, message: Message) -> Datagrams:
        return sa.datagrams(message)


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

    def retransmits(self, sa: IkeSa) -> bool:
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


@fault("keeps-the-window-across-rekeys")
class KeepsTheWindowAcrossRekeys(Decisions):
    """The peer's window is what it was on the IKE SA that was replaced."""

    def window_of_successor(self, before: int) -> int:
        return before


@fault("announces-its-window-in-two-octets")
class AnnouncesItsWindowInTwoOctets(Decisions):
    """SET_WINDOW_SIZE has two octets of data."""

    def edit(self, message: Message) -> Message:
        told = message.find_notify(NotifyType.SET_WINDOW_SIZE)
        return message.replacing(replace(told, data=told.data[2:])) if told else message


@fault("takes-one-request-whatever-it-announced")
class TakesOneRequestWhateverItAnnounced(Decisions):
    """The window of requests is one, though a larger one was announced."""

    def place(
        self, message_id: int, expected: int, window: int = 1, taken: Collection[int] = ()
    ) -> MessageId:
        return super().place(message_id, expected, 1, taken)


@fault("forgets-all-but-its-last-response")
class ForgetsAllButItsLastResponse(Decisions):
    """Of the responses that the announced window covers only the last one is kept."""

    _last = 0

    def edit(self, message: Message) -> Message:
        if message.response and message.protected:
            self._last = message.message_id
        return message

    def still_has(self, response: Message) -> bool:
        return response.message_id == self._last


@fault("reports-message-id-in-two-octets")
class ReportsMessageIdInTwoOctets(Decisions):
    """INVALID_MESSAGE_ID carries the lower half of the Message ID."""

    def edit(self, message: Message) -> Message:
        told = message.find_notify(NotifyType.INVALID_MESSAGE_ID)
        return message.replacing(replace(told, data=told.data[2:])) if told else message


@fault("reports-every-message-id")
class ReportsEveryMessageId(Decisions):
    """Each Message ID outside the window is reported, however many there are."""

    def report_interval(self) -> float:
        return 0.0


@fault("obeys-first-contact-of-anybody")
class ObeysFirstContactOfAnybody(Decisions):
    """INITIAL_CONTACT ends the other IKE SAs before its sender is authenticated."""

    def obeys_unauthenticated_contact(self) -> bool:
        return True


@fault("says-first-contact-again")
class SaysFirstContactAgain(Decisions):
    """INITIAL_CONTACT is in requests for Child SAs too."""

    def edit(self, message: Message) -> Message:
        later = message.exchange == ExchangeType.CREATE_CHILD_SA and not message.response
        return message + Notify(NotifyType.INITIAL_CONTACT) if later else message


@fault("refuses-first-contact")
class RefusesFirstContact(Decisions):
    """An IKE_AUTH request with INITIAL_CONTACT is dropped."""

    def objection(self, message: Message) -> str:
        if message.protected and NotifyType.INITIAL_CONTACT in message.notifies:
            return "INITIAL_CONTACT"
        return super().objection(message)
