"""What the sides tell each other of themselves when an IKE SA is made (RFC 7296, 2.3 and 2.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peers.reference import message_id_sync, mobike
from peers.reference.events import Packet
from peers.reference.message import Header, Message
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import Notify
from peers.reference.session import Session, Wanted

if TYPE_CHECKING:
    from peers.reference.endpoint import Endpoint

HALF_OPEN = 30.0
"""Seconds that an IKE SA of which only IKE_SA_INIT was done waits for IKE_AUTH (2.4, 2.6)."""

STRANGER_INTERVAL = 1.0
"""Seconds between two answers to requests for IKE SAs that there are not (2.21.4)."""


def set_window_size(size: int) -> Notify:
    """Build the notify that promises to keep that many requests (2.3)."""
    return Notify(NotifyType.SET_WINDOW_SIZE, size.to_bytes(4, "big"))


def answer_in_clear(header: Header, notify: Notify) -> Message:
    """Build the answer to a request that belongs to no IKE SA of ours (1.5 and 2.21.4)."""
    return Message(
        header.spi_i,
        header.spi_r,
        header.exchange,
        initiator=not header.initiator,
        response=True,
        message_id=header.message_id,
        payloads=(notify,),
    )


class Announcements:
    """Tells windows, first contacts and strange Message IDs, and hears of them."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._decide = endpoint.decide
        self._told_stranger = float("-inf")

    def refuse_stranger(self, packet: Packet, header: Header) -> None:
        """Answer a request for an IKE SA that we do not know; seldom, for anybody can send it."""
        if self._endpoint.now - self._told_stranger < STRANGER_INTERVAL:
            return
        answer = self._decide.answer_to_stranger(header)
        if answer is not None:
            self._told_stranger = self._endpoint.now
        self.refuse(packet, header, answer)

    def refuse(self, packet: Packet, header: Header, answer: Notify | None) -> None:
        """Answer a request that belongs to no IKE SA of ours, if there is an answer (1.5)."""
        if answer is None or (header.response and not self._decide.answers_stray_response()):
            return
        response = answer_in_clear(header, answer)
        self._endpoint.transmit(packet.destination, packet.source, response.encode())

    def own(self, session: Session) -> tuple[Notify, ...]:
        """Give what an IKE_AUTH message of ours announces; our window has that size from then on.

        INITIAL_CONTACT says that there is no other IKE SA between the identities.
        """
        connection = session.sa.connection
        announced = []
        if connection.initial_contact and not self._others(session):
            announced.append(Notify(NotifyType.INITIAL_CONTACT))
        if connection.window > 1:
            announced.append(set_window_size(connection.window))
            session.own_window = connection.window
        if self._decide.announces_sync(session.sa):
            announced.append(message_id_sync.SUPPORTED)
        return (*announced, *mobike.announcements(session.sa))

    def hear(self, session: Session, message: Message) -> None:
        """Take up what a message of an authenticated peer announces."""
        notify = message.find_notify(NotifyType.SET_WINDOW_SIZE)
        if notify is not None and len(notify.data) == 4:
            session.window = self._decide.window(session.window, int.from_bytes(notify.data, "big"))
        if message.exchange == ExchangeType.IKE_AUTH:
            message_id_sync.note(session.sa, message)
        first = NotifyType.INITIAL_CONTACT in message.notifies
        if (
            first
            and message.exchange == ExchangeType.IKE_AUTH
            and self._decide.obeys_first_contact()
        ):
            self._end_others(session)

    def hear_unauthenticated(self, session: Session, message: Message) -> None:
        """Take no notice of what whoever sends it announces: only a fault does."""
        first = NotifyType.INITIAL_CONTACT in message.notifies
        if first and self._decide.obeys_unauthenticated_contact():
            self._end_others(session)

    def hear_in_clear(self, session: Session, message: Message) -> None:
        """Discard an unprotected message within an IKE SA, a hint at most (2.4 and 2.21.4)."""
        self._endpoint.drop("an unprotected message within an IKE SA")
        if self._decide.believes(message):
            self._endpoint.close(session, "an unprotected notify said so")
        elif self._decide.checks_liveness_on_hint(message):
            self.check_liveness(session)

    def _end_others(self, session: Session) -> None:
        for other in self._others(session):
            self._endpoint.close(other, "the peer says that it is new")

    def _others(self, session: Session) -> list[Session]:
        """List the other IKE SAs between the same identities."""
        ours = session.sa.connection
        pair = ours.local_identity, ours.remote_identity
        return [
            other
            for other in self._endpoint.sessions
            if other is not session
            and not other.is_half_open()
            and (other.sa.connection.local_identity, other.sa.connection.remote_identity) == pair
        ]

    def report(self, session: Session, message_id: int) -> None:
        """Tell the peer of a Message ID outside the window: optional, and seldom (2.3)."""
        since, interval = self._endpoint.now - session.reported, self._decide.report_interval()
        if not session.sa.connection.reports_message_ids or since < interval:
            return
        session.reported = self._endpoint.now
        notify = Notify(NotifyType.INVALID_MESSAGE_ID, message_id.to_bytes(4, "big"))

        def ask(here: Session) -> None:
            self._endpoint.request(here, here.sa.request(ExchangeType.INFORMATIONAL, notify))

        session.waiting.append(Wanted(ask))

    def check_liveness(self, session: Session) -> None:
        """See whether the peer is alive, as soon as the window lets us (2.4)."""
        empty = Wanted(lambda here: self._endpoint.request(here, _empty(here)))
        session.waiting.append(empty)
        self._endpoint.ask_next()

    def expire(self, session: Session) -> None:
        """Give an IKE SA up that is half open still (2.4)."""
        if session.is_half_open():
            self._endpoint.close(session, "half open for too long")


def _empty(session: Session) -> Message:
    return session.sa.request(ExchangeType.INFORMATIONAL)
