"""How a wire fault finds its place in a draft, and what it can do there; `faults` has the list."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import ClassVar, dataclass_transform

from peers.reference.draft import Draft, Place, Reach
from peers.reference.errors import ScriptError
from peers.reference.payloads import SA, Payload


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class WireFault:
    """A deliberate error in the octets of one message.

    ``before_sealing`` says that the integrity check of a protected message still comes right.
    Subclasses are frozen dataclasses.
    """

    before_sealing: ClassVar[bool] = True

    def __init_subclass__(cls) -> None:
        dataclass(frozen=True)(cls)

    @abstractmethod
    def edit(self, draft: Draft) -> None:
        """Make the error in a correct message; ScriptError when it has no such place."""

    def make(self, draft: Draft) -> None:
        """Do `edit`; ScriptError when everything is afterwards as it was: that is no error."""
        before = draft.parts()
        self.edit(draft)
        if draft.parts() == before:
            raise ScriptError(f"{self} changes nothing")

    def reach(self, draft: Draft) -> Reach:
        """Say where the error is made when the message goes in fragments; ScriptError as `edit`.

        What is about the header, the padding, or the way, is about each fragment.
        """
        return Reach.EACH

    def __str__(self) -> str:
        shown = [
            f"{each.name}={value.__name__ if isinstance(value, type) else value}"
            for each in sorted(fields(self), key=lambda each: bool(each.kw_only))  # type: ignore[arg-type]
            if (value := getattr(self, each.name)) != each.default
        ]
        return f"{type(self).__name__}({', '.join(shown)})"


@dataclass(frozen=True, slots=True)
class Spot:
    """A number in octets: ``size`` octets at ``offset`` of ``buffer``, most significant first."""

    buffer: bytearray
    offset: int
    size: int

    def change(self, change: Callable[[int], int]) -> None:
        """Change the number; ScriptError when it does not fit."""
        end = self.offset + self.size
        old = int.from_bytes(self.buffer[self.offset : end], "big")
        new = change(old)
        if not 0 <= new < 1 << 8 * self.size:
            raise ScriptError(f"{new} does not fit into {self.size} octets")
        self.buffer[self.offset : end] = new.to_bytes(self.size, "big")


# Where a fault finds its place: each of these gives the start of a structure.


class InHeader(WireFault):
    """A fault in the IKE header (RFC 7296, 3.1)."""

    def start(self, draft: Draft) -> tuple[bytearray, int]:
        """Give the buffer and the offset in it."""
        return draft.clear, 0


class InPayload(WireFault):
    """A fault in the payload ``of`` a class; ``which`` counts the payloads of that class from 0."""

    of: type[Payload]
    which: int = field(default=0, kw_only=True)

    def start(self, draft: Draft) -> tuple[bytearray, int]:
        """Give the buffer and the offset in it."""
        place = draft.find(self.of, self.which)
        return place.buffer, place.offset

    def reach(self, draft: Draft) -> Reach:
        """Go where the payload stands."""
        return draft.reach(draft.find(self.of, self.which))


class InProposal(WireFault):
    """A fault in a proposal of the SA payload; ``proposal`` counts from 0."""

    proposal: int = field(default=0, kw_only=True)

    def start(self, draft: Draft) -> tuple[bytearray, int]:
        """Give the buffer and the offset in it."""
        place = draft.find(SA)
        return place.buffer, _nth(proposals(place), self.proposal, "proposals")

    def reach(self, draft: Draft) -> Reach:
        """Go where the SA payload stands."""
        return draft.reach(draft.find(SA))


class InTransform(InProposal):
    """A fault in a transform of a proposal; ``transform`` counts from 0."""

    transform: int = field(default=0, kw_only=True)

    def start(self, draft: Draft) -> tuple[bytearray, int]:
        """Give the buffer and the offset in it."""
        buffer, proposal = super().start(draft)
        return buffer, _nth(transforms(buffer, proposal), self.transform, "transforms")


class InSelector(InPayload):
    """A fault in a traffic selector of TSi or TSr; ``selector`` counts from 0."""

    selector: int = field(default=0, kw_only=True)

    def start(self, draft: Draft) -> tuple[bytearray, int]:
        """Give the buffer and the offset in it."""
        place = draft.find(self.of, self.which)
        starts = structures(place.buffer, place.offset + 8, place.offset + place.size)
        return place.buffer, _nth(starts, self.selector, "selectors")


def structures(buffer: bytearray, offset: int, end: int) -> Iterator[int]:
    """Give the offsets of structures in a row, each with its length in its octets 2 and 3."""
    while offset < end:
        yield offset
        offset += int.from_bytes(buffer[offset + 2 : offset + 4], "big")


def proposals(place: Place) -> Iterator[int]:
    """Give the offsets of the proposals of an SA payload."""
    return structures(place.buffer, place.offset + 4, place.offset + place.size)


def transforms(buffer: bytearray, proposal: int) -> Iterator[int]:
    """Give the offsets of the transforms of the proposal at an offset."""
    end = proposal + int.from_bytes(buffer[proposal + 2 : proposal + 4], "big")
    return structures(buffer, proposal + 8 + buffer[proposal + 6], end)


def _nth(starts: Iterator[int], index: int, what: str) -> int:
    found = list(starts)
    if not 0 <= index < len(found):
        raise ScriptError(f"{len(found)} {what}: no number {index}")
    return found[index]


# What a fault does there.


class WrongNumber(WireFault):
    """A length, size, count or type that is off ``by`` so much, or set ``to`` something."""

    by: int = field(default=0, kw_only=True)
    to: int | None = field(default=None, kw_only=True)

    OFFSET: ClassVar[int]
    SIZE: ClassVar[int]

    @abstractmethod
    def start(self, draft: Draft) -> tuple[bytearray, int]:
        """Give the buffer and the offset in it from which ``OFFSET`` counts."""

    def edit(self, draft: Draft) -> None:
        """Falsify the number."""
        buffer, offset = self.start(draft)
        spot = Spot(buffer, offset + self.OFFSET, self.SIZE)
        spot.change(lambda old: old + self.by if self.to is None else self.to)


class WrongBits(WireFault):
    """Bits of one octet that are inverted."""

    OFFSET: ClassVar[int]
    MASK: ClassVar[int]

    @abstractmethod
    def start(self, draft: Draft) -> tuple[bytearray, int]:
        """Give the buffer and the offset in it from which ``OFFSET`` counts."""

    def edit(self, draft: Draft) -> None:
        """Invert the bits."""
        buffer, offset = self.start(draft)
        buffer[offset + self.OFFSET] ^= self.MASK


class Corrupted(WireFault):
    """An octet that was changed on the way, so that the integrity check fails."""

    before_sealing: ClassVar[bool] = False

    @abstractmethod
    def at(self, draft: Draft) -> int:
        """Give the offset in IV, ciphertext and ICV."""

    def edit(self, draft: Draft) -> None:
        """Invert one bit of the octet."""
        if not draft.sealed:
            raise ScriptError("an unprotected message has nothing sealed")
        draft.sealed[self.at(draft)] ^= 0x01
