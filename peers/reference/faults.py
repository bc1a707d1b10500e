"""The closed catalogue of ways to be wrong on the wire.

A fault names a place of a correct message and falsifies what stands there, so that nothing else is
wrong with the message. What a field of a payload can hold is no fault but a value: a message with
an unknown payload, a Notify of a strange type, a transform with an attribute too many.

F-numbers are those of the bugs from the field.
"""

from __future__ import annotations

from typing import ClassVar

from peers.reference.draft import Draft, Reach
from peers.reference.errors import ScriptError
from peers.reference.falsify import (
    Corrupted,
    InHeader,
    InPayload,
    InProposal,
    InSelector,
    InTransform,
    Spot,
    WireFault,
    WrongBits,
    WrongNumber,
    proposals,
    transforms,
)
from peers.reference.payloads import (
    AUTH,
    CP,
    KE,
    SA,
    SK,
    Delete,
    IDi,
    IDr,
    Payload,
    TSi,
    TSr,
)

_HEADER_SIZE, _HEADER_LENGTH = 28, 24
"""Octets of the IKE header, and the offset of Length in it (RFC 7296, 3.1)."""


# The IKE header (RFC 7296, 3.1).


class HeaderLength(InHeader, WrongNumber):
    """The Length in the IKE header is not that of the message."""

    OFFSET, SIZE = _HEADER_LENGTH, 4


class FirstPayload(InHeader, WrongNumber):
    """The Next Payload in the IKE header is not the type of the first payload."""

    OFFSET, SIZE = 16, 1


class MajorVersion(InHeader):
    """The major version in the IKE header is ``to`` (0 to 15)."""

    to: int

    def edit(self, draft: Draft) -> None:
        """Set the upper half of the octet."""
        Spot(draft.clear, 17, 1).change(lambda old: self.to << 4 | old & 0x0F)


class MinorVersion(InHeader):
    """The minor version in the IKE header is ``to`` (0 to 15)."""

    to: int

    def edit(self, draft: Draft) -> None:
        """Set the lower half of the octet."""
        if not 0 <= self.to < 16:
            raise ScriptError(f"{self.to} does not fit into 4 bits")
        Spot(draft.clear, 17, 1).change(lambda old: old & 0xF0 | self.to)


class InitiatorFlag(InHeader, WrongBits):
    """The I flag says that the message comes from the other side."""

    OFFSET, MASK = 19, 0x08


class ResponseFlag(InHeader, WrongBits):
    """The R flag calls a request a response, or a response a request."""

    OFFSET, MASK = 19, 0x20


class ReservedFlags(InHeader, WrongBits):
    """All five reserved flags of the IKE header are set."""

    OFFSET, MASK = 19, 0xC7


# The generic payload header (RFC 7296, 3.2), and any octet.


class NextPayload(InPayload, WrongNumber):
    """A payload announces another type than that of the payload after it."""

    OFFSET, SIZE = 0, 1


class CriticalBit(InPayload, WrongBits):
    """The critical bit of a payload is set where it must not be, or the other way round."""

    OFFSET, MASK = 1, 0x80


class ReservedBits(InPayload, WrongBits):
    """All seven reserved bits of a generic payload header are set."""

    OFFSET, MASK = 1, 0x7F


class PayloadLength(InPayload, WrongNumber):
    """A Payload Length is not that of the payload, of which no octet is missing."""

    OFFSET, SIZE = 2, 2


class FlipOctet(InPayload):
    """One octet of a payload, ``at`` octets from its start, has all its bits inverted."""

    at: int

    def edit(self, draft: Draft) -> None:
        """Invert the octet."""
        place = draft.find(self.of, self.which)
        if not 0 <= self.at < place.size:
            raise ScriptError(f"octet {self.at} of a payload of {place.size}")
        place.buffer[place.offset + self.at] ^= 0xFF


_RESERVED_FIELDS: dict[type[Payload], range] = {
    KE: range(6, 8),
    **dict.fromkeys((IDi, IDr, AUTH, TSi, TSr, CP), range(5, 8)),
}


class ReservedFields(InPayload):
    """Every RESERVED field in the body of a payload, and of what stands in it, is set."""

    def edit(self, draft: Draft) -> None:
        """Set the octets."""
        place = draft.find(self.of, self.which)
        offsets = [place.offset + at for at in _RESERVED_FIELDS.get(self.of, ())]
        if self.of is SA:
            for proposal in proposals(place):
                offsets.append(proposal + 1)
                for transform in transforms(place.buffer, proposal):
                    offsets += (transform + 1, transform + 5)
        if not offsets:
            raise ScriptError(f"{self.of.__name__} has no RESERVED field in its body")
        for offset in offsets:
            place.buffer[offset] = 0xFF


# Substructures (RFC 7296, 3.3, 3.10, 3.11, 3.13).


class LastProposal(InProposal, WrongNumber):
    """A proposal says wrongly whether it is the last one."""

    OFFSET, SIZE = 0, 1


class ProposalLength(InProposal, WrongNumber):
    """A Proposal Length is not that of the proposal."""

    OFFSET, SIZE = 2, 2


class ProposalSpiSize(InProposal, WrongNumber):
    """The SPI Size of a proposal is not that of its SPI."""

    OFFSET, SIZE = 6, 1


class TransformCount(InProposal, WrongNumber):
    """Num Transforms of a proposal is not the number of its transforms."""

    OFFSET, SIZE = 7, 1


class LastTransform(InTransform, WrongNumber):
    """A transform says wrongly whether it is the last one."""

    OFFSET, SIZE = 0, 1


class TransformLength(InTransform, WrongNumber):
    """A Transform Length is not that of the transform."""

    OFFSET, SIZE = 2, 2


class SpiSize(InPayload, WrongNumber):
    """The SPI Size of a Notify or Delete payload is not that of its SPIs."""

    OFFSET, SIZE = 5, 1


class SpiCount(InPayload, WrongNumber):
    """Num of SPIs of a Delete payload is not the number of its SPIs."""

    of: type[Payload] = Delete

    OFFSET, SIZE = 6, 2


class SelectorCount(InPayload, WrongNumber):
    """Number of TSs of TSi or TSr is not the number of its selectors."""

    OFFSET, SIZE = 4, 1


class SelectorLength(InSelector, WrongNumber):
    """A Selector Length is not that of the selector."""

    OFFSET, SIZE = 2, 2


# The Encrypted payload (RFC 7296, 3.14) and the message as a whole.


class PadLength(WrongNumber):
    """The Pad Length is not that of the padding; the integrity check comes right (F65)."""

    OFFSET, SIZE = -1, 1

    def start(self, draft: Draft) -> tuple[bytearray, int]:
        """Give the end of the plaintext."""
        if not draft.trailer:
            raise ScriptError("an unprotected message has no Pad Length")
        return draft.inner, len(draft.inner)


class Padding(WireFault):
    """The padding is ``octets``, which all lengths count: too many, or other than zeros."""

    octets: bytes

    def edit(self, draft: Draft) -> None:
        """Put it in the place of the padding that is there."""
        if not draft.trailer:
            raise ScriptError("an unprotected message has no padding")
        if len(self.octets) > 255:
            raise ScriptError(f"{len(self.octets)} octets of padding, at most 255")
        grown = len(self.octets) + 1 - draft.trailer
        draft.inner[-draft.trailer :] = self.octets + bytes([len(self.octets)])
        draft.trailer += grown
        sk = draft.find(SK)
        Spot(sk.buffer, sk.offset + 2, 2).change(lambda old: old + grown)
        Spot(draft.clear, _HEADER_LENGTH, 4).change(lambda old: old + grown)


class IvCorrupted(Corrupted):
    """One bit of the first octet of the IV was changed on the way."""

    def at(self, draft: Draft) -> int:
        """Give the start."""
        return 0


class CiphertextCorrupted(Corrupted):
    """One bit of the first octet of the ciphertext was changed on the way."""

    def at(self, draft: Draft) -> int:
        """Give the end of the IV."""
        return draft.iv_size


class IcvCorrupted(Corrupted):
    """One bit of the last octet of the integrity check value was changed on the way."""

    def at(self, draft: Draft) -> int:
        """Give the last octet."""
        return -1


class HeaderCorrupted(InHeader):
    """One bit of the octet ``at`` an offset of the IKE header was changed on the way."""

    at: int
    before_sealing: ClassVar[bool] = False

    def edit(self, draft: Draft) -> None:
        """Invert the lowest bit."""
        if not 0 <= self.at < min(_HEADER_SIZE, len(draft.clear)):
            raise ScriptError(f"octet {self.at} of an IKE header of {_HEADER_SIZE}")
        draft.clear[self.at] ^= 0x01


class TruncateMessage(WireFault):
    """The last ``by`` octets are missing; the Length in the header still counts them."""

    by: int
    before_sealing: ClassVar[bool] = False

    def edit(self, draft: Draft) -> None:
        """Cut the end off."""
        whole = draft.clear + draft.sealed
        if not 0 < self.by <= len(whole):
            raise ScriptError(f"{self.by} octets cannot be cut off {len(whole)}")
        draft.clear, draft.sealed = whole[: -self.by], bytearray()


class TrailingOctets(WireFault):
    """After the message come ``octets`` that the Length in the header does not count."""

    octets: bytes
    before_sealing: ClassVar[bool] = False

    def edit(self, draft: Draft) -> None:
        """Append them."""
        draft.sealed += self.octets


class UnannouncedOctets(WireFault):
    """After the last payload of the chain come ``octets`` that all lengths count."""

    octets: bytes

    def edit(self, draft: Draft) -> None:
        """Put them behind the last payload, or what a fragment has of it: inside SK or SKF."""
        size = len(self.octets)
        Spot(draft.clear, _HEADER_LENGTH, 4).change(lambda old: old + size)
        if not draft.is_protected:
            draft.clear += self.octets
            return
        sk = draft.find(SK)
        Spot(sk.buffer, sk.offset + 2, 2).change(lambda old: old + size)
        end = len(draft.inner) - draft.trailer
        draft.inner[end:end] = self.octets

    def reach(self, draft: Draft) -> Reach:
        """Stand behind the last payload of all fragments."""
        return Reach.CONTENT


CATALOGUE: tuple[type[WireFault], ...] = tuple(
    each
    for each in list(globals().values())
    if isinstance(each, type) and issubclass(each, WireFault) and each.__module__ == __name__
)
"""Every fault, in the order of this file."""
