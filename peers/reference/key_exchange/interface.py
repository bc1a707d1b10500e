"""What every key exchange method offers to both sides of an exchange."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from peers.reference.errors import PeerError
from peers.reference.numbers import KeyExchangeMethod

Random = Callable[[int], bytes]


class KeyExchange(ABC):
    """The initiator's half of a key exchange: ``public`` is the Key Exchange Data of its KE."""

    method: KeyExchangeMethod
    public: bytes

    @abstractmethod
    def shared(self, peer_public: bytes) -> bytes:
        """Give the shared secret that the responder's Key Exchange Data makes.

        Of a Diffie-Hellman group that is g^ir, padded as RFC 7296, 2.14 wants it. PeerError on
        data that its recipient must not use.
        """


@dataclass(frozen=True, slots=True)
class Response:
    """The responder's half: its Key Exchange Data, and the secret that both sides share."""

    public: bytes
    shared: bytes


class Method(ABC):
    """A key exchange method; the two sides of it need not do the same."""

    number: KeyExchangeMethod

    @abstractmethod
    def initiate(self, random: Random) -> KeyExchange:
        """Draw what the initiator keeps secret and compute what it sends."""

    @abstractmethod
    def respond(self, peer_public: bytes, random: Random) -> Response:
        """Answer the initiator's Key Exchange Data; PeerError when it must not be used."""


class DiffieHellman(Method):
    """A group: both sides do the same (RFC 7296, 1.2)."""

    def respond(self, peer_public: bytes, random: Random) -> Response:
        """Draw a private key of our own and combine it with the other side's public value."""
        ours = self.initiate(random)
        return Response(ours.public, ours.shared(peer_public))


def check_size(method: KeyExchangeMethod, data: bytes, size: int) -> None:
    """Raise PeerError for Key Exchange Data that is shorter or longer than the method's."""
    if len(data) != size:
        raise PeerError(f"{method.name}: {len(data)} octets of key exchange data instead of {size}")
