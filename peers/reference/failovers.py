"""The endpoint whose peer is a cluster: it sets Message IDs anew when asked to (RFC 6311)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from peers.reference.errors import MalformedMessage
from peers.reference.events import Packet
from peers.reference.message import Message
from peers.reference.message_id_sync import MessageIdSync
from peers.reference.session import NOTHING_TAKEN, Session

if TYPE_CHECKING:
    from peers.reference.endpoint import Endpoint


class Failovers:
    """Answers members that have taken over."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._decide = endpoint.decide

    def answer(self, session: Session, packet: Packet, request: Message) -> None:
        """Answer a request to set Message IDs anew, or drop it without a word (5.1)."""
        try:
            asked = MessageIdSync.of(request)
        except MalformedMessage as problem:
            self._endpoint.drop(str(problem))
            return
        assert asked is not None
        sa = session.sa
        highest = max(sa.expected_request_id - 1, session.told_by_cluster)
        if not (self._decide.synchronizes(sa) and self._decide.is_new(asked, highest)):
            self._endpoint.drop("IKEV2_MESSAGE_ID_SYNC unasked, or not new")
            return
        ours = MessageIdSync(asked.nonce, sa.next_request_id, sa.expected_request_id)
        agreed = self._decide.synchronized(asked, ours)
        session.told_by_cluster = asked.sends
        self._adopt(session, self._decide.adopted(agreed, ours))
        message_id = self._decide.sync_message_id(ours.expects)
        response = replace(request.reply(agreed.notify()), message_id=message_id)
        response = self._decide.edit(response)
        self._endpoint.respond(session, packet, self._decide.datagrams(sa, response))

    def _adopt(self, session: Session, agreed: MessageIdSync) -> None:
        """Go on with new numbers, and wait for nothing that was asked before (9)."""
        session.sa.next_request_id = agreed.sends
        session.sa.expected_request_id = agreed.expects
        session.taken = NOTHING_TAKEN
        session.outstanding.clear()
