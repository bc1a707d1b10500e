"""A message on its way out: octets that a wire fault may still edit, and what stands where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from peers.reference.errors import ScriptError
from peers.reference.payloads import Payload


class Place(NamedTuple):
    """Where a payload stands: from ``offset`` on, ``size`` octets of ``buffer``.

    Of an SK payload only the generic payload header stands in a buffer before it is sealed.
    """

    payload: type[Payload]
    buffer: bytearray
    offset: int
    size: int


@dataclass(slots=True)
class Draft:
    """The octets of a message in three parts.

    ``clear`` is the header, the payloads outside SK, and the generic payload header of SK.
    ``inner`` is what will be sealed: the payloads inside SK, the padding and the Pad Length; it is
    empty in an unprotected message. ``sealed`` is what became of it: IV (``iv_size`` octets),
    ciphertext and ICV.
    """

    clear: bytearray
    inner: bytearray = field(default_factory=bytearray)
    sealed: bytearray = field(default_factory=bytearray)
    iv_size: int = 0
    places: list[Place] = field(default_factory=list)

    def add(self, buffer: bytearray, payloads: Sequence[Payload], written: Sequence[bytes]) -> None:
        """Append payloads, each with its octets, to ``clear`` or ``inner``."""
        for payload, octets in zip(payloads, written, strict=True):
            self.places.append(Place(type(payload), buffer, len(buffer), len(octets)))
            buffer += octets

    def find(self, payload: type[Payload], index: int = 0) -> Place:
        """Find the payload of a class, counted from 0; ScriptError when there is none."""
        places = [place for place in self.places if issubclass(place.payload, payload)]
        if index >= len(places):
            raise ScriptError(f"{len(places)} {payload.__name__} payloads: no number {index}")
        return places[index]

    def octets(self) -> bytes:
        """Give the whole message as it goes out."""
        return bytes(self.clear + self.sealed)
