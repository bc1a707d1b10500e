"""EAP-MSCHAPv2, both ends (draft-kamath-pppext-eap-mschapv2): challenge, response, success.

The server proves that it knows the password, too; but who watches can guess passwords.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from peers.reference import mschapv2
from peers.reference.credentials import Mschapv2
from peers.reference.eap import EapPacket
from peers.reference.errors import AuthenticationFailure, MalformedMessage
from peers.reference.numbers import EapType

if TYPE_CHECKING:
    from peers.reference.decisions_eap import EapDecisions

CHALLENGE_SIZE = 16
RESERVED_SIZE = 8
NT_RESPONSE_SIZE = 24
RESPONSE_SIZE = CHALLENGE_SIZE + RESERVED_SIZE + NT_RESPONSE_SIZE + 1
"""Octets of a response's value: challenge, reserved, NT-Response, flags (RFC 2759, 4)."""

SERVER_NAME = b"ikeproof"


class OpCode(IntEnum):
    """What a packet of the method says; a Success or Failure is acknowledged by its code alone."""

    CHALLENGE = 1
    RESPONSE = 2
    SUCCESS = 3
    FAILURE = 4


@dataclass(frozen=True, slots=True)
class Packet:
    """What stands after the EAP type: ``body`` follows code, identifier and length."""

    code: int
    identifier: int
    body: bytes

    def encode(self) -> bytes:
        """Write the packet."""
        size = (4 + len(self.body)).to_bytes(2, "big")
        return bytes([self.code, self.identifier]) + size + self.body

    @classmethod
    def decode(cls, octets: bytes) -> Packet:
        """Read a packet; MalformedMessage when its length is wrong."""
        if len(octets) < 4 or int.from_bytes(octets[2:4], "big") != len(octets):
            raise MalformedMessage(0, "the MS-Length of an MS-CHAPv2 packet is wrong")
        return cls(octets[0], octets[1], octets[4:])

    def value(self, size: int) -> tuple[bytes, bytes]:
        """Split a body into the value, which has to have so many octets, and the name."""
        if not self.body or self.body[0] != size or len(self.body) < 1 + size:
            raise MalformedMessage(4, f"no value of {size} octets in an MS-CHAPv2 packet")
        return self.body[1 : 1 + size], self.body[1 + size :]


class Mschapv2Peer:
    """The initiator's end."""

    type = EapType.MSCHAPV2
    mutual = False

    def __init__(
        self, credential: Mschapv2, random: Callable[[int], bytes], decide: EapDecisions
    ) -> None:
        self.msk = b""
        self.done = False
        self._user = credential.user
        self._hash = mschapv2.password_hash(credential.password.encode("utf-16-le"))
        self._random = random
        self._decide = decide
        self._expected = b""
        self._response = b""

    def answer(self, packet: EapPacket) -> bytes:
        """Answer a challenge; check the server's proof and acknowledge it."""
        return self._answer(Packet.decode(packet.data))

    def _answer(self, packet: Packet) -> bytes:
        if packet.code == OpCode.CHALLENGE:
            return self._respond(packet).encode()
        if packet.code == OpCode.SUCCESS and self._expected:
            proof = packet.body[: len(self._expected)]
            if not self._decide.knows_password(self._expected, proof):
                raise AuthenticationFailure("the EAP server does not know the password")
            self.msk, self.done = mschapv2.msk(self._hash, self._response), True
            return bytes([OpCode.SUCCESS])
        if packet.code == OpCode.FAILURE:
            return bytes([OpCode.FAILURE])
        raise AuthenticationFailure(f"MS-CHAPv2 packet {packet.code} out of order")

    def _respond(self, packet: Packet) -> Packet:
        theirs, _ = packet.value(CHALLENGE_SIZE)
        ours = self._random(CHALLENGE_SIZE)
        challenge = mschapv2.challenge_hash(ours, theirs, self._user)
        self._response = mschapv2.nt_response(challenge, self._hash)
        self._expected = mschapv2.authenticator_response(self._hash, self._response, challenge)
        value = ours + bytes(RESERVED_SIZE) + self._response + b"\0"
        body = bytes([RESPONSE_SIZE]) + value + self._user
        return Packet(OpCode.RESPONSE, packet.identifier, body)


class Mschapv2Server:
    """The responder's end."""

    type = EapType.MSCHAPV2
    mutual = False

    def __init__(
        self, credential: Mschapv2, random: Callable[[int], bytes], decide: EapDecisions
    ) -> None:
        self.msk = b""
        self._user = credential.user
        self._hash = mschapv2.password_hash(credential.password.encode("utf-16-le"))
        self._challenge = random(CHALLENGE_SIZE)
        self._random = random
        self._decide = decide
        self._said = OpCode.CHALLENGE
        self._identifier = 1

    def start(self) -> bytes:
        """Build the challenge."""
        body = bytes([CHALLENGE_SIZE]) + self._challenge + SERVER_NAME
        return Packet(OpCode.CHALLENGE, self._identifier, body).encode()

    def hear(self, packet: EapPacket) -> bytes | bool:
        """Judge a response; after it was acknowledged, say whether the method succeeded."""
        if self._said is OpCode.CHALLENGE:
            return self._judge(Packet.decode(packet.data))
        return self._said is OpCode.SUCCESS and packet.data[:1] == bytes([OpCode.SUCCESS])

    def _judge(self, packet: Packet) -> bytes:
        if packet.code != OpCode.RESPONSE:
            raise MalformedMessage(0, f"MS-CHAPv2 packet {packet.code} where a response is due")
        value, user = packet.value(RESPONSE_SIZE)
        theirs = value[:CHALLENGE_SIZE]
        response = value[CHALLENGE_SIZE + RESERVED_SIZE :][:NT_RESPONSE_SIZE]
        challenge = mschapv2.challenge_hash(theirs, self._challenge, user)
        expected = mschapv2.nt_response(challenge, self._hash)
        known = user == self._user
        if not self._decide.accepts_response(expected if known else b"", response):
            self._said = OpCode.FAILURE
            code = b"E=691 R=0 C=" + self._random(CHALLENGE_SIZE).hex().upper().encode() + b" V=3"
            return Packet(OpCode.FAILURE, packet.identifier, code + b" M=refused").encode()
        self._said = OpCode.SUCCESS
        self.msk = mschapv2.msk(self._hash, response)
        proof = mschapv2.authenticator_response(self._hash, response, challenge) + b" M=welcome"
        return Packet(OpCode.SUCCESS, packet.identifier, proof).encode()
