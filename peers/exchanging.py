"""What the parts of the scripted peer that make and replace SAs use of the rest of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from peers.conversation import Conversation
from peers.reference.child import ChildSa
from peers.reference.connection import Connection
from peers.reference.events import Event
from peers.reference.message import Message
from peers.reference.numbers import ExchangeType, KeyExchangeMethod
from peers.reference.payloads import Payload, Proposal
from peers.reference.sa import IkeSa, Random

TRIGGERED = 10.0
"""Seconds that a target may take to send what it was told to send, or to repeat itself."""


class Exchanging(ABC):
    """Requests and responses of one peer, and the SAs that it works with."""

    _talk: Conversation
    _ike: IkeSa | None
    random: Random
    connection: Connection

    @property
    @abstractmethod
    def events(self) -> list[Event]:
        """The record of everything said and heard."""

    @property
    @abstractmethod
    def ike(self) -> IkeSa:
        """The IKE SA that the script works with."""

    @property
    @abstractmethod
    def child(self) -> ChildSa:
        """The Child SA that the script works with."""

    @abstractmethod
    def request(self, exchange: ExchangeType, *payloads: Payload) -> Message:
        """Build the next request within the IKE SA."""

    @abstractmethod
    def exchange(self, request: Message, wrong: str = "") -> Message:
        """Send a request until it is answered, and give the response."""

    @abstractmethod
    def hear_request(self, exchange: ExchangeType, timeout: float = TRIGGERED) -> Message:
        """Wait for a request of the target; NoAnswer when none comes though it is alive."""

    @abstractmethod
    def exchange_on(self, sa: IkeSa, request: Message) -> Message:
        """Do `exchange` on another IKE SA of ours than the one that the script works with."""

    @abstractmethod
    def reply(self, request: Message, *payloads: Payload) -> Message:
        """Build a response of ours to a request of the target."""

    @abstractmethod
    def answer(self, request: Message, response: Message, wrong: str = "") -> None:
        """Send a response, and send it again whenever the request is retransmitted."""

    @abstractmethod
    def choose(self, request: Message) -> Proposal:
        """Choose from the target's offer for an IKE SA what fits its KE payload."""

    @abstractmethod
    def _expect_series(
        self, methods: tuple[KeyExchangeMethod, ...], make: Callable[..., object]
    ) -> tuple[Payload, ...]:
        """Make an SA of ours, after further key exchanges if there are any (RFC 9370, 2.2.4)."""

    @abstractmethod
    def _keys_derived(self, sa: IkeSa) -> None:
        """Record the keys of an IKE SA."""
