"""Message IDs that both sides agree on anew, after a cluster's standby took over (RFC 6311).

The peer of a cluster is who answers; the scripted peer plays the member that takes over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from peers.reference.errors import MalformedMessage
from peers.reference.message import Message
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import Notify

if TYPE_CHECKING:
    from peers.reference.sa import IkeSa

SUPPORTED = Notify(NotifyType.IKEV2_MESSAGE_ID_SYNC_SUPPORTED)
NONCE_SIZE = 4
SIZE = NONCE_SIZE + 4 + 4
"""Octets of the data of IKEV2_MESSAGE_ID_SYNC (6.3)."""


@dataclass(frozen=True, slots=True)
class MessageIdSync:
    """What IKEV2_MESSAGE_ID_SYNC says (6.3).

    ``sends`` is the Message ID of its sender's next request, ``expects`` that of the next one from
    the other side.
    """

    nonce: bytes
    sends: int
    expects: int

    def notify(self) -> Notify:
        """Write the notify."""
        data = self.nonce + self.sends.to_bytes(4, "big") + self.expects.to_bytes(4, "big")
        return Notify(NotifyType.IKEV2_MESSAGE_ID_SYNC, data)

    @classmethod
    def of(cls, message: Message) -> MessageIdSync | None:
        """Read the one of a message, None where it has none; MalformedMessage for another size."""
        notify = message.find_notify(NotifyType.IKEV2_MESSAGE_ID_SYNC)
        if notify is None:
            return None
        if len(notify.data) != SIZE:
            raise MalformedMessage(0, f"IKEV2_MESSAGE_ID_SYNC of {len(notify.data)} octets")
        sends, expects = notify.data[NONCE_SIZE:8], notify.data[8:]
        return cls(notify.data[:NONCE_SIZE], *(int.from_bytes(n, "big") for n in (sends, expects)))


def is_asked(message: Message) -> bool:
    """Say whether a message is the request of a member that has taken over (5.1)."""
    return (
        message.exchange == ExchangeType.INFORMATIONAL
        and not message.response
        and message.message_id == 0
        and NotifyType.IKEV2_MESSAGE_ID_SYNC in message.notifies
    )


def note(sa: IkeSa, message: Message) -> None:
    """Take from the other side's IKE_AUTH message whether both sides support this (5)."""
    ours = sa.connection.message_id_sync or not sa.initiator
    sa.synchronizes = ours and NotifyType.IKEV2_MESSAGE_ID_SYNC_SUPPORTED in message.notifies


class MessageIdSyncDecisions:
    """The part of `Decisions` that is about Message IDs set anew."""

    def announces_sync(self, sa: IkeSa) -> bool:
        """Say whether we say that we support this: as responder to who said so (5)."""
        return sa.connection.message_id_sync if sa.initiator else sa.synchronizes

    def synchronizes(self, sa: IkeSa) -> bool:
        """Say whether Message IDs may be set anew: where both sides said so (5)."""
        return sa.synchronizes

    def is_new(self, sync: MessageIdSync, highest: int) -> bool:
        """Say whether a request is no replay: above all Message IDs seen, and all told (5.1)."""
        return sync.sends > highest

    def synchronized(self, asked: MessageIdSync, ours: MessageIdSync) -> MessageIdSync:
        """Give the answer: of both sides' numbers the higher ones, and the nonce as it came (5.1).

        ``ours`` is what we would say unasked.
        """
        sends, expects = max(asked.expects, ours.sends), max(asked.sends, ours.expects)
        return MessageIdSync(asked.nonce, sends, expects)

    def adopted(self, agreed: MessageIdSync, before: MessageIdSync) -> MessageIdSync:
        """Give the numbers that we go on with: those that we said."""
        return agreed

    def sync_message_id(self, expected: int) -> int:
        """Give the Message ID of the answer: zero (5.1)."""
        return 0
