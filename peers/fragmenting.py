"""Fragments of the scripted peer: messages of ours in pieces, as a test wants them (RFC 7383)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

from peers.conversation import HeardMessage, Said
from peers.exchanging import Exchanging
from peers.reference.events import Packet, Transmission
from peers.reference.fragments import split_into
from peers.reference.message import Message
from peers.reference.sa import IkeSa

IPV4_AND_UDP = 28
"""Octets of the headers of IPv4 and UDP."""


class Fragmenting(Exchanging):
    """What a peer does to send messages in fragments, and to look at those that it hears."""

    @abstractmethod
    def _say_again(self, said: Iterable[Said], sa: IkeSa, wrong: str = "") -> None:
        """Send what was encoded."""

    @abstractmethod
    def _heard_response(self, request: Message, said: Iterable[Said]) -> HeardMessage:
        """Wait for the response to what was said, and say it again meanwhile."""

    @abstractmethod
    def _answer_with(self, request: Message, said: tuple[Said, ...]) -> None:
        """Remember how a request was answered."""

    def fragments(self, message: Message, total: int = 3) -> tuple[Message, ...]:
        """Split a message of ours into that many fragments, whatever its size."""
        return split_into(message, total)

    def say_fragments(self, parts: Iterable[Message], wrong: str = "") -> tuple[Said, ...]:
        """Send fragments once, in the order given; ``wrong`` says what is wrong with them.

        They are sealed before the first is sent: what a daemon makes of the second may hang on
        whether it has computed its keys since the first.
        """
        said = tuple(Said(self.ike.encode(part), part) for part in parts)
        self._say_again(said, self.ike, wrong)
        return said

    def exchange_fragments(self, request: Message, parts: Iterable[Message]) -> Message:
        """Send the fragments of a request once; give the response.

        Nothing is sent again: a repetition would mend what the target made of them.
        """
        self.say_fragments(parts)
        return self._heard_response(request, ()).message

    def answer_in_fragments(self, request: Message, parts: Iterable[Message]) -> None:
        """Answer a request in fragments, once; a repetition of it gets nothing."""
        self.say_fragments(parts)
        self._answer_with(request, ())

    def fragments_heard(self, message: Message) -> list[Message]:
        """Give the fragments of a message that was heard, in order of arrival; none of a whole."""
        return [part for part, _ in self._fragments_of(message)]

    def fragment_sizes(self, message: Message) -> list[int]:
        """Give the octets of the IPv4 datagrams of those fragments."""
        return [IPV4_AND_UDP + len(packet.octets) for _, packet in self._fragments_of(message)]

    def _fragments_of(self, message: Message) -> list[tuple[Message, Packet]]:
        wanted = message.exchange, message.response, message.message_id
        heard = [
            (each.decoded, each.packet)
            for each in self.events
            if isinstance(each, Transmission)
            and not each.sent
            and isinstance(each.decoded, Message)
            and each.decoded.fragment is not None
        ]
        return [
            (part, packet)
            for part, packet in heard
            if (part.exchange, part.response, part.message_id) == wanted
        ]
