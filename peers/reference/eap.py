"""EAP, which IKE_AUTH may carry: its packets, and both ends of a conversation (RFC 3748).

A method is one of `eap_md5`, `eap_mschapv2` and `eap_tls`; here is what all of them have in common.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from peers.reference.errors import AuthenticationFailure, MalformedMessage, PeerError, ScriptError
from peers.reference.numbers import EapCode, EapType

if TYPE_CHECKING:
    from peers.reference.decisions_eap import EapDecisions

HEADER = 4
"""Octets of code, identifier and length."""

TYPED = (EapCode.REQUEST, EapCode.RESPONSE)


@dataclass(frozen=True, slots=True)
class EapPacket:
    """An EAP packet (RFC 3748, 4): ``type`` and ``data`` are those of requests and responses."""

    code: int
    identifier: int
    type: int | None = None
    data: bytes = b""

    def __str__(self) -> str:
        kind = "" if self.type is None else f"/{EapType(self.type)!s}"
        return f"EAP {EapCode(self.code)!s}{kind}"

    def encode(self) -> bytes:
        """Write the packet; ScriptError for a type where there is none, or none where one is."""
        if (self.type is not None) is not (self.code in TYPED) or (self.data and self.type is None):
            raise ScriptError(f"no EAP packet is like this: {self!r}")
        body = b"" if self.type is None else bytes([self.type]) + self.data
        size = (HEADER + len(body)).to_bytes(2, "big")
        return bytes([self.code, self.identifier]) + size + body

    @classmethod
    def decode(cls, octets: bytes) -> EapPacket:
        """Read a packet that fills an EAP payload (RFC 7296, 3.16); MalformedMessage if none."""
        if len(octets) < HEADER:
            raise MalformedMessage(len(octets), "an EAP packet has at least 4 octets")
        code, identifier = octets[0], octets[1]
        if int.from_bytes(octets[2:4], "big") != len(octets):
            raise MalformedMessage(2, "the Length of an EAP packet is not that of its payload")
        if code in TYPED:
            if len(octets) == HEADER:
                raise MalformedMessage(HEADER, "an EAP request or response without a type")
            return cls(code, identifier, octets[HEADER], octets[HEADER + 1 :])
        if code not in (EapCode.SUCCESS, EapCode.FAILURE):
            raise MalformedMessage(0, f"EAP code {code}")
        if len(octets) != HEADER:
            raise MalformedMessage(HEADER, "EAP Success and Failure have 4 octets")
        return cls(code, identifier)


class PeerMethod(Protocol):
    """A method as the initiator has it. ``msk`` is there, and ``done`` True, after it succeeded.

    ``msk`` is None with a method that makes no key.
    ``mutual``: it authenticates both ends, makes a key and leaves nothing to guess passwords by, as
    RFC 5998, 4, wants it where nothing else authenticates the responder.
    """

    type: EapType
    mutual: bool
    done: bool

    @property
    def msk(self) -> bytes | None:
        """Get the key that the method made."""

    def answer(self, packet: EapPacket) -> bytes:
        """Answer a request of the method; AuthenticationFailure where the server fails."""


class ServerMethod(Protocol):
    """A method as the responder has it; ``msk`` is as with the initiator."""

    type: EapType
    mutual: bool

    @property
    def msk(self) -> bytes | None:
        """Get the key that the method made."""

    def start(self) -> bytes:
        """Build the first request."""

    def hear(self, packet: EapPacket) -> bytes | bool:
        """Take a response in; give the next request, or whether the method succeeded."""


class EapPeer:
    """The initiator's end: answers requests, and judges Success (RFC 3748, 4 and 5)."""

    def __init__(self, method: PeerMethod, identity: bytes, decide: EapDecisions) -> None:
        self.method = method
        self._identity = identity
        self._decide = decide

    def hear(self, octets: bytes) -> bytes | None:
        """Answer a packet; None for a Success that is believed.

        AuthenticationFailure for a Success that comes before the method is done, and where the
        server fails in the method; PeerError for Failure.
        """
        packet = EapPacket.decode(octets)
        if packet.code == EapCode.FAILURE:
            raise PeerError("EAP Failure")
        if packet.code == EapCode.SUCCESS:
            if not self._decide.believes_success(done=self.method.done):
                raise AuthenticationFailure("EAP Success before the method is done")
            return None
        if packet.code != EapCode.REQUEST or packet.type is None:
            raise AuthenticationFailure(f"{packet} where a request is due")
        kind, data = self._answer(packet.type, packet)
        identifier = self._decide.eap_identifier(packet.identifier)
        return EapPacket(EapCode.RESPONSE, identifier, kind, data).encode()

    def _answer(self, kind: int, packet: EapPacket) -> tuple[int, bytes]:
        if kind == self.method.type:
            return kind, self.method.answer(packet)
        if kind == EapType.IDENTITY:
            return kind, self._identity
        if kind == EapType.NOTIFICATION:
            return kind, b""
        return self._decide.answer_to_unknown_type(kind, self.method.type)


class EapServer:
    """The responder's end: asks, until the method has succeeded or failed."""

    def __init__(self, method: ServerMethod) -> None:
        self.method = method
        self.succeeded = False
        self._identifier = 0

    def start(self) -> bytes:
        """Build the first request."""
        return self._request(self.method.start())

    def hear(self, octets: bytes) -> bytes:
        """Take a packet in; give the next request, Success or Failure."""
        try:
            packet = EapPacket.decode(octets)
            fits = packet.code == EapCode.RESPONSE and packet.identifier == self._identifier
            following = fits and packet.type == self.method.type and self.method.hear(packet)
        except PeerError:
            following = False
        if isinstance(following, bytes):
            return self._request(following)
        self.succeeded = following
        code = EapCode.SUCCESS if following else EapCode.FAILURE
        return EapPacket(code, self._identifier).encode()

    def _request(self, data: bytes) -> bytes:
        self._identifier = (self._identifier + 1) % 256
        return EapPacket(EapCode.REQUEST, self._identifier, self.method.type, data).encode()
