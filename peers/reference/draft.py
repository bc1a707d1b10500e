"""A message on its way out: octets that a wire fault may still edit, and what stands where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from peers.reference.errors import ScriptError
from peers.reference.payloads import SK, SKF, Payload


class Reach(Enum):
    """Where a fault of a message is made when that goes in fragments (RFC 7383, 2.5)."""

    CONTENT = "in the content, before it is split"
    FIRST = "in the first fragment, where the payloads stand that are not protected"
    EACH = "in each fragment"


class Place(NamedTuple):
    """Where a payload stands: from ``offset`` on, ``size`` octets of ``buffer``.

    Of SK and SKF only what is not sealed stands in a buffer: the generic payload header, and the
    two numbers of SKF.
    """

    payload: type[Payload]
    buffer: bytearray
    offset: int
    size: int


@dataclass(slots=True)
class Draft:
    """The octets of a message in three parts.

    ``clear`` is the header, the payloads outside SK, and the generic payload header of SK.
    ``inner`` is what will be sealed: the payloads inside SK, or the piece of them that SKF holds,
    then ``trailer`` octets of padding and Pad Length; it is empty in an unprotected message, and
    there is no trailer in a content that is still to be split. ``sealed`` is what became of it: IV
    (``iv_size`` octets), ciphertext and ICV.
    """

    clear: bytearray
    inner: bytearray = field(default_factory=bytearray)
    sealed: bytearray = field(default_factory=bytearray)
    iv_size: int = 0
    trailer: int = 0
    places: list[Place] = field(default_factory=list)

    def add(self, buffer: bytearray, payloads: Sequence[Payload], written: Sequence[bytes]) -> None:
        """Append payloads, each with its octets, to ``clear`` or ``inner``."""
        for payload, octets in zip(payloads, written, strict=True):
            self.places.append(Place(type(payload), buffer, len(buffer), len(octets)))
            buffer += octets

    def find(self, payload: type[Payload], index: int = 0) -> Place:
        """Find the payload of a class, counted from 0; ScriptError when there is none.

        SKF stands where SK does in a message that is not split, and is found as SK too.
        """
        wanted = (SK, SKF) if payload is SK else payload
        places = [place for place in self.places if issubclass(place.payload, wanted)]
        if index >= len(places):
            raise ScriptError(f"{len(places)} {payload.__name__} payloads: no number {index}")
        return places[index]

    def reach(self, place: Place) -> Reach:
        """Say where a fault in a payload of this message is made when that goes in fragments."""
        if place.buffer is self.inner:
            return Reach.CONTENT
        return Reach.EACH if issubclass(place.payload, (SK, SKF)) else Reach.FIRST

    @property
    def is_protected(self) -> bool:
        """Say whether there is an SK or SKF payload."""
        return any(issubclass(place.payload, (SK, SKF)) for place in self.places)

    def parts(self) -> tuple[bytes, bytes, bytes]:
        """Give the three parts as they are now."""
        return bytes(self.clear), bytes(self.inner), bytes(self.sealed)

    def octets(self) -> bytes:
        """Give the whole message as it goes out."""
        return bytes(self.clear + self.sealed)
