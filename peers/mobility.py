"""MOBIKE of the scripted peer: it moves, and says so (RFC 4555)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from peers.conversation import HeardMessage
from peers.exchanging import Exchanging
from peers.reference import mobike
from peers.reference.events import IPAddress
from peers.reference.message import Message
from peers.reference.mobike import COOKIE2_SIZE, Mobility, Way
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import Notify, Payload
from peers.reference.sa import IkeSa


class Moving(Exchanging):
    """What a peer does to move, and what it answers to a target that does.

    ``spoils_cookies`` has it answer route checks with another COOKIE2 than the one asked with.
    """

    spoils_cookies: bool = False
    _requests: dict[Message, HeardMessage]

    @property
    def mobility(self) -> Mobility | None:
        """What MOBIKE has made of the IKE SA; None where the sides did not both support it."""
        return self.ike.mobility

    def move(self, local: IPAddress | None = None, remote: IPAddress | None = None) -> Way:
        """Go on from and to other addresses, and say nothing of it; give the way before."""
        sa = self.ike
        before = sa.local, sa.remote
        if local is not None:
            sa.local = replace(sa.local, address=local)
            self._talk.addresses.add(local)
        if remote is not None:
            sa.remote = replace(sa.remote, address=remote)
        return before

    def relocate(self, local: IPAddress | None = None, remote: IPAddress | None = None) -> Message:
        """Move, have the target follow, and answer its route check; give its response.

        The check, if there is one, was sent before the response to a second request of ours.
        """
        self.move(local, remote)
        response = self.exchange(self.update_addresses())
        self.exchange(self.request(ExchangeType.INFORMATIONAL))
        return response

    def also_at(self, address: IPAddress) -> None:
        """Hear what comes to another address of ours, too."""
        self._talk.addresses.add(address)

    @contextmanager
    def elsewhere(
        self, local: IPAddress | None = None, remote: IPAddress | None = None
    ) -> Iterator[None]:
        """Speak from and to other addresses for a while."""
        before = self.move(local, remote)
        try:
            yield
        finally:
            self.ike.local, self.ike.remote = before

    @abstractmethod
    def hear_request_octets(self, exchange: ExchangeType, timeout: float = ...) -> HeardMessage:
        """Wait for a request of the target; give it with its octets."""

    def update_addresses(self, *more: Payload, cookie: bytes | None = None) -> Message:
        """Build the request that has the target use our way from now on (RFC 4555, 3.5).

        It has a COOKIE2, which is drawn by default.
        """
        cookie = self.random(COOKIE2_SIZE) if cookie is None else cookie
        payloads = mobike.update(self.ike, cookie)
        return self.request(ExchangeType.INFORMATIONAL, *payloads, *more)

    def probe(self, *more: Payload) -> Message:
        """Build a request that asks what NAT is on our way, and changes nothing (3.8)."""
        return self.request(ExchangeType.INFORMATIONAL, *mobike.probe(self.ike), *more)

    def cookie2(self, size: int = COOKIE2_SIZE) -> Notify:
        """Draw a COOKIE2 of so many octets."""
        return Notify(NotifyType.COOKIE2, self.random(size))

    def answer_check(self, request: Message) -> Message:
        """Build the response to a target that asks whether it reaches us (3.7)."""
        return self.reply(request, *self._to_mobility(self._requests[request]))

    def follow_update(self, timeout: float) -> Message:
        """Wait for the target's update and go on where it came from; give it, unanswered.

        Requests before it try paths (3.10): they are answered. NoAnswer when none comes.
        """
        while True:
            heard = self.hear_request_octets(ExchangeType.INFORMATIONAL, timeout)
            if NotifyType.UPDATE_SA_ADDRESSES in heard.message.notifies:
                self.ike.local, self.ike.remote = heard.packet.destination, heard.packet.source
                self._talk.remote = replace(self._talk.remote, address=self.ike.remote.address)
                return heard.message
            self.answer(heard.message, self.answer_check(heard.message))

    def was_asked(self, sa: IkeSa, payload: Payload) -> bool:
        """Say whether a request of the target on that IKE SA has had this payload so far."""
        heard = (each for each in self._requests.values() if each.sa is sa)
        return any(payload in each.message.payloads for each in heard)

    def _to_mobility(self, heard: HeardMessage) -> tuple[Payload, ...]:
        """Answer NAT detection and COOKIE2 in a request of the target (3.7, 3.8)."""
        sa = heard.sa
        if sa is None or sa.mobility is None:
            return ()
        way = heard.packet.destination, heard.packet.source
        cookie = mobike.copied_cookie(heard.message)
        if cookie and self.spoils_cookies:
            cookie = (Notify(NotifyType.COOKIE2, self.random(len(cookie[0].data))),)
        return (*mobike.probe_answer(sa, heard.message, way), *cookie)

    @contextmanager
    def _back(self, sa: IkeSa, heard: HeardMessage) -> Iterator[None]:
        """Speak to where a request came from: with MOBIKE that is not where we go on to."""
        before = sa.local, sa.remote
        sa.local, sa.remote = heard.packet.destination, heard.packet.source
        try:
            yield
        finally:
            if sa.mobility is not None:
                sa.local, sa.remote = before
