"""EAP-MD5, both ends (RFC 3748, 5.4; RFC 1994, 4.1): a challenge, and the MD5 over it.

It authenticates the peer alone and makes no key: IKE's AUTH is made with SK_pi and SK_pr then.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import md5
from typing import TYPE_CHECKING

from peers.reference.credentials import Md5
from peers.reference.eap import EapPacket
from peers.reference.errors import MalformedMessage
from peers.reference.numbers import EapType

if TYPE_CHECKING:
    from peers.reference.decisions_eap import EapDecisions

VALUE_SIZE = 16
"""Octets of a response, and of our challenges, which may have any number."""


def value_of(data: bytes) -> bytes:
    """Get the value of a challenge or response; MalformedMessage where there is none of its size.

    A name may follow it (RFC 1994, 4.1).
    """
    if not data or not data[0] or len(data) < 1 + data[0]:
        raise MalformedMessage(0, "the Value-Size of an MD5-Challenge is wrong")
    return data[1 : 1 + data[0]]


def _with_size(value: bytes) -> bytes:
    return bytes([len(value)]) + value


def _digest(identifier: int, credential: Md5, challenge: bytes) -> bytes:
    secret = credential.password.encode()
    return md5(bytes([identifier]) + secret + challenge, usedforsecurity=False).digest()


class Md5Peer:
    """The initiator's end."""

    type = EapType.MD5_CHALLENGE
    mutual = False
    msk = None

    def __init__(self, credential: Md5) -> None:
        self.done = False
        self._credential = credential

    def answer(self, packet: EapPacket) -> bytes:
        """Answer a challenge; nothing more is to come but Success."""
        challenge = value_of(packet.data)
        self.done = True
        return _with_size(_digest(packet.identifier, self._credential, challenge))


class Md5Server:
    """The responder's end."""

    type = EapType.MD5_CHALLENGE
    mutual = False
    msk = None

    def __init__(
        self, credential: Md5, random: Callable[[int], bytes], decide: EapDecisions
    ) -> None:
        self._credential = credential
        self._challenge = random(VALUE_SIZE)
        self._decide = decide

    def start(self) -> bytes:
        """Build the challenge."""
        return _with_size(self._challenge)

    def hear(self, packet: EapPacket) -> bool:
        """Say whether a response is right."""
        expected = _digest(packet.identifier, self._credential, self._challenge)
        return self._decide.accepts_response(expected, value_of(packet.data))
