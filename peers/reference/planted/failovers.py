"""Planted faults: Message IDs that are set anew after a failover (RFC 6311)."""

from __future__ import annotations

from dataclasses import replace

from peers.reference.decisions import Decisions
from peers.reference.message import Message
from peers.reference.message_id_sync import MessageIdSync
from peers.reference.numbers import NotifyType
from peers.reference.payloads import Notify
from peers.reference.planted.catalogue import fault
from peers.reference.sa import IkeSa


@fault("announces-sync-unasked")
class AnnouncesSyncUnasked(Decisions):
    """A responder says that it sets Message IDs anew to who has not said so."""

    def announces_sync(self, sa: IkeSa) -> bool:
        return True


@fault("drops-each-sync")
class DropsEachSync(Decisions):
    """A request to set Message IDs anew is dropped, though both sides support it."""

    def synchronizes(self, sa: IkeSa) -> bool:
        return False


@fault("synchronizes-unasked")
class SynchronizesUnasked(Decisions):
    """Message IDs are set anew although neither side has said that it supports it."""

    def synchronizes(self, sa: IkeSa) -> bool:
        return True


@fault("takes-replayed-sync")
class TakesReplayedSync(Decisions):
    """A request to set Message IDs anew is obeyed however old it is."""

    def is_new(self, sync: MessageIdSync, highest: int) -> bool:
        return True


@fault("changes-sync-nonce")
class ChangesSyncNonce(Decisions):
    """The nonce comes back with one bit changed."""

    def synchronized(self, asked: MessageIdSync, ours: MessageIdSync) -> MessageIdSync:
        right = super().synchronized(asked, ours)
        return replace(right, nonce=right.nonce[:-1] + bytes([right.nonce[-1] ^ 1]))


@fault("says-its-own-next-message-id")
class SaysItsOwnNextMessageId(Decisions):
    """The answer's send value is our own, although a higher one was told."""

    def synchronized(self, asked: MessageIdSync, ours: MessageIdSync) -> MessageIdSync:
        return replace(super().synchronized(asked, ours), sends=ours.sends)


@fault("says-the-send-value-told")
class SaysTheSendValueTold(Decisions):
    """The answer's send value is what was told, although our own is higher."""

    def synchronized(self, asked: MessageIdSync, ours: MessageIdSync) -> MessageIdSync:
        return replace(super().synchronized(asked, ours), sends=asked.expects)


@fault("says-its-own-expected-message-id")
class SaysItsOwnExpectedMessageId(Decisions):
    """The answer's receive value is our own, although a higher one was told."""

    def synchronized(self, asked: MessageIdSync, ours: MessageIdSync) -> MessageIdSync:
        return replace(super().synchronized(asked, ours), expects=ours.expects)


@fault("forgets-what-it-synchronized")
class ForgetsWhatItSynchronized(Decisions):
    """The numbers are agreed on, and not used."""

    def adopted(self, agreed: MessageIdSync, before: MessageIdSync) -> MessageIdSync:
        return before


@fault("numbers-sync-answer")
class NumbersSyncAnswer(Decisions):
    """The answer has the Message ID that would be next, not zero."""

    def sync_message_id(self, expected: int) -> int:
        return expected


@fault("adds-to-sync-answer")
class AddsToSyncAnswer(Decisions):
    """The answer has another notify as well."""

    def edit(self, message: Message) -> Message:
        if not message.response or NotifyType.IKEV2_MESSAGE_ID_SYNC not in message.notifies:
            return message
        more = Notify(NotifyType.INITIAL_CONTACT)
        return replace(message, payloads=(*message.payloads, more))
