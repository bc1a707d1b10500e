"""What a target says because of what it should ignore: silence, proved by a later answer."""

from __future__ import annotations

from abc import ABC, abstractmethod

from peers.conversation import Conversation, HeardMessage
from peers.reference.errors import NoAnswer
from peers.reference.message import Message
from peers.reference.numbers import NotifyType
from peers.reference.payloads import Payload
from peers.reference.sa import IkeSa


class Silence(ABC):
    """Says something, raises a fence behind it, and gives what was heard in between."""

    _talk: Conversation
    _ike: IkeSa | None
    _strict_silence: float

    @abstractmethod
    def remark(self, text: str) -> None:
        """Write a sentence into the evidence."""

    @abstractmethod
    def say(self, message: Message, wrong: str = "") -> bytes:
        """Send a message once, as it is."""

    @abstractmethod
    def say_octets(self, octets: bytes, message: Message | None = None) -> None:
        """Send octets once, as they are."""

    @abstractmethod
    def informational(self, *payloads: Payload) -> Message:
        """Build an INFORMATIONAL request (RFC 7296, 1.4)."""

    @abstractmethod
    def exchange(self, request: Message, wrong: str = "") -> Message:
        """Send a request until it is answered, and give the response."""

    @abstractmethod
    def fence(self) -> None:
        """Prove that the target is alive, and is done with what came before."""

    def reactions(self, message: Message, wrong: str = "") -> list[Message]:
        """Send a message that should be ignored; give whatever the target says because of it.

        A fence follows: an exchange that is surely answered. Within an IKE SA that is a liveness
        check, which also proves that the SA is still there (NoAnswer if not, and if nothing was
        said before: a reaction that closed the SA is what the test wants to judge).
        """
        self.say(message, wrong)
        return self.reactions_so_far()

    def reactions_to_octets(self, octets: bytes) -> list[Message]:
        """Do `reactions` with octets that are no message."""
        self.say_octets(octets)
        return self.reactions_so_far()

    def reactions_so_far(self) -> list[Message]:
        """Raise a fence and give what was heard before its answer and has not been taken."""
        gone: NoAnswer | None = None
        if self._ike is not None and self._ike.children:
            self.remark("fence: a liveness check must be answered")
            try:
                self.exchange(self.informational())
            except NoAnswer as error:
                gone = error
        else:
            # What a target with threads was still at when it answered the first comes before this.
            self.fence()
            self.fence()
        if self._strict_silence:
            self._talk.hear(lambda heard: False, self._strict_silence)
        heard = [each for each in self._talk.take_all() if isinstance(each, HeardMessage)]
        if gone and all(_disowns(entry.message) for entry in heard):
            raise gone
        return [entry.message for entry in heard]


def _disowns(message: Message) -> bool:
    """Say whether a message tells no more than that an IKE SA is not known (2.21.4)."""
    return not message.protected and NotifyType.INVALID_IKE_SPI in message.notifies
