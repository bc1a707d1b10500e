"""Decisions about requests, their responses and the waits between (RFC 7296, 2.1 to 2.6)."""

from __future__ import annotations

from collections.abc import Sequence

from peers.reference.errors import PeerError
from peers.reference.message import Header, Message
from peers.reference.numbers import ExchangeType, NotifyType, PayloadType
from peers.reference.payloads import Nonce, Notify
from peers.reference.sa import IkeSa
from peers.reference.states import State

REPORT_INTERVAL = 60.0
"""Seconds between two reports of Message IDs outside the window."""


class ExchangeDecisions:
    """The decisions of `Decisions` about single exchanges, as the RFC wants them."""

    # What comes again (2.1).

    def is_first_request(self, sa: IkeSa, octets: bytes) -> bool:
        """Say whether these octets are the request that opened an IKE SA: all of them (2.1)."""
        return sa.request_octets == octets

    def still_has(self, response: Message) -> bool:
        """Say whether a response within the window is still there: always (2.1)."""
        return True

    def is_carried_out_again(self, request: Message) -> bool:
        """Say whether a request within the window that came before is carried out again: never."""
        return False

    # What goes out (2.1 and 2.4).

    def wait(self, waits: Sequence[float], attempt: int) -> float:
        """Give the seconds from one attempt (of 0) to the next: each time more (2.4)."""
        return waits[attempt]

    def gives_up(self, message: Message, attempts: int, most: int) -> bool:
        """Say whether so many attempts without an answer are enough (2.4)."""
        return attempts >= most

    def may_start(self, state: State) -> bool:
        """Say whether new exchanges may be started on an IKE SA: not if it is replaced (1.3.2)."""
        return state is State.ESTABLISHED

    # What is taken in (2.3, 2.5 and 2.6).

    def phase(self, state: State, exchange: ExchangeType) -> State:
        """Give the state in which a request is taken: the one that the IKE SA is in (1)."""
        return state

    def obeys_unprotected(self, request: Message) -> bool:
        """Say whether a request in clear within an IKE SA is taken for one of it: never (1.4)."""
        return False

    def answer_to_stranger(self, header: Header) -> Notify | None:
        """Answer a request for an IKE SA that we do not know: optional, if it is encrypted (1.5).

        The unprotected notice of an unknown SPI is never answered.
        """
        if header.next_payload in (PayloadType.SK, PayloadType.SKF):
            return Notify(NotifyType.INVALID_IKE_SPI)
        return None

    def nonce_fits(self, nonce: bytes) -> bool:
        """Say whether a nonce is of a size that there may be (2.10, 3.9)."""
        return 16 <= len(nonce) <= 256

    def check_nonce(self, message: Message) -> None:
        """Raise PeerError for a nonce that is refused."""
        nonce = message.get(Nonce).data
        if not self.nonce_fits(nonce):
            raise PeerError(f"a nonce of {len(nonce)} octets")

    def takes_requests_meanwhile(self, request: Message) -> bool:
        """Say whether a request is taken while one of ours is unanswered: always (2.3)."""
        return True

    def minds_order(self, message: Message) -> bool:
        """Say whether the order of its payloads makes us refuse a message: never (2.5)."""
        return False

    def follows_refusal(self, response: Message) -> bool:
        """Say whether we follow a COOKIE or a group, whatever the responder's SPI is (2.6)."""
        return True

    def follows_cookie(self, cookie: bytes) -> bool:
        """Say whether a cookie is of a size that there may be (2.6)."""
        return 1 <= len(cookie) <= 64

    # What the peer announces (2.3 and 2.4).

    def window_of_successor(self, before: int) -> int:
        """Give the peer's window on an IKE SA that replaces another: it starts anew (2.3)."""
        return 1

    def obeys_unauthenticated_contact(self) -> bool:
        """Say whether INITIAL_CONTACT is obeyed before its sender is authenticated: never (2.4)."""
        return False

    def checks_liveness_on_hint(self, message: Message) -> bool:
        """Say whether a message in clear makes us see whether the peer is alive: a MAY (2.4)."""
        return False

    def report_interval(self) -> float:
        """Give the seconds between two reports of Message IDs: they are rate limited (2.3)."""
        return REPORT_INTERVAL

    # Lifetimes (2.8).

    def minds_lifetimes(self) -> bool:
        """Say whether an SA is closed when its lifetime is over: always."""
        return True

    def rekeys_in_time(self) -> bool:
        """Say whether a Child SA is rekeyed before its lifetime is over, where that is wanted."""
        return True

    # Closing (2.4).

    def announces_child_delete(self) -> bool:
        """Say whether we tell the peer that we close a Child SA: always (2.4)."""
        return True

    def announces_ike_delete(self) -> bool:
        """Say whether we tell the peer that we close an IKE SA (2.4)."""
        return True
