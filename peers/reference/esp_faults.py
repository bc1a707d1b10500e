"""The closed catalogue of ways to be wrong in an ESP packet (RFC 4303).

A fault falsifies one thing of a correct packet. What the ICV covers is falsified before the packet
is sealed, so that its ICV is right and the receiver has to see the one thing that is wrong; only
the faults of the second part leave a packet whose ICV does not verify.

F-numbers are those of the bugs from the field.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import ClassVar

from peers.reference.errors import ScriptError
from peers.reference.esp import HEADER_SIZE, OutboundSa, covered
from peers.reference.numbers import IpProtocol


@dataclass(frozen=True, slots=True)
class Draft:
    """An ESP packet before it is sealed.

    ``sequence`` is the full number, ``covered`` the one that the ICV covers. ``body`` is Payload
    Data with its TFC padding, ``trailer`` Pad Length and Next Header.
    """

    sa: OutboundSa
    spi: bytes
    sequence: int
    covered: int
    iv: bytes
    body: bytes
    padding: bytes
    trailer: bytes

    @classmethod
    def of(cls, sa: OutboundSa, next_header: int, body: bytes, iv: bytes, sequence: int) -> Draft:
        """Draft the correct packet."""
        padding = bytes(range(1, sa.padding_size(len(body)) + 1))
        trailer = bytes([len(padding), next_header])
        return cls(sa, sa.spi, sequence, sequence, iv, body, padding, trailer)

    @property
    def plaintext(self) -> bytes:
        """What is encrypted."""
        return self.body + self.padding + self.trailer

    def seal(self) -> bytes:
        """Give the packet; ScriptError where the cipher cannot encrypt what was drafted."""
        protection = self.sa.protection
        header = self.spi + (self.sequence & 0xFFFFFFFF).to_bytes(4, "big")
        if not self.sa.extended:
            return header + protection.seal(header, self.plaintext, self.iv)
        associated, implicit = covered(protection, header, self.covered)
        return header + protection.seal(associated, self.plaintext, self.iv, implicit)


@dataclass(frozen=True, slots=True)
class EspFault:
    """One way to be wrong. The class docstring says it in a sentence."""

    bug: ClassVar[str] = ""

    def draft(self, draft: Draft) -> Draft:
        """Falsify what is sealed."""
        return draft

    def edit(self, octets: bytes, draft: Draft) -> bytes:
        """Falsify octets of the sealed packet."""
        return octets

    def seal(self, draft: Draft) -> bytes:
        """Give the packet with this fault."""
        changed = self.draft(draft)
        return self.edit(changed.seal(), changed)

    def __str__(self) -> str:
        sentence = (type(self).__doc__ or "").split("\n", 1)[0].rstrip(".")
        values = ", ".join(
            f"{each.name}={_shown(getattr(self, each.name))}" for each in fields(self)
        )
        return f"{sentence} ({values})" if values else sentence


# With a good ICV.


@dataclass(frozen=True, slots=True)
class WrongSpi(EspFault):
    """The SPI is that of no SA."""

    mask: int = 0x80

    def draft(self, draft: Draft) -> Draft:
        """Change bits of the first octet."""
        return replace(draft, spi=bytes([draft.spi[0] ^ self.mask]) + draft.spi[1:])


@dataclass(frozen=True, slots=True)
class ReservedSpi(EspFault):
    """The SPI is one of 0 to 255, which no SA has."""

    to: int = 0

    def draft(self, draft: Draft) -> Draft:
        """Set the SPI."""
        return replace(draft, spi=self.to.to_bytes(4, "big"))


@dataclass(frozen=True, slots=True)
class SequenceZero(EspFault):
    """The sequence number is 0, which is never sent."""

    def draft(self, draft: Draft) -> Draft:
        """Set the number."""
        return replace(draft, sequence=0, covered=0)


@dataclass(frozen=True, slots=True)
class UsedNumber(EspFault):
    """Another packet carries a sequence number that was used before."""

    number: int

    def draft(self, draft: Draft) -> Draft:
        """Set the number."""
        return replace(draft, sequence=self.number, covered=self.number)


@dataclass(frozen=True, slots=True)
class UsedIv(EspFault):
    """Another packet carries an IV that was used before."""

    iv: bytes

    def draft(self, draft: Draft) -> Draft:
        """Set the IV."""
        return replace(draft, iv=self.iv)


@dataclass(frozen=True, slots=True)
class PaddingOctets(EspFault):
    """The padding is zeros instead of 1, 2, 3, ..."""

    def draft(self, draft: Draft) -> Draft:
        """Set the padding; it is made longer where there was none."""
        size = len(draft.padding) or max(4, draft.sa.protection.block_size)
        return replace(draft, padding=bytes(size), trailer=bytes([size, draft.trailer[1]]))


@dataclass(frozen=True, slots=True)
class PadLengthBeyond(EspFault):
    """Pad Length counts more octets than there are before it."""

    by: int = 1

    def draft(self, draft: Draft) -> Draft:
        """Set Pad Length; the packet has to be short enough for an octet to count beyond it."""
        pad_length = len(draft.body) + len(draft.padding) + self.by
        if pad_length > 255:
            raise ScriptError(f"Pad Length cannot exceed a packet of {pad_length} octets")
        return replace(draft, trailer=bytes([pad_length, draft.trailer[1]]))


@dataclass(frozen=True, slots=True)
class PadLengthShort(EspFault):
    """Pad Length counts one octet less than the padding has."""

    def draft(self, draft: Draft) -> Draft:
        """Set Pad Length; a whole alignment of padding is added where there was none."""
        padding = draft.padding or bytes(range(1, 1 + max(4, draft.sa.protection.block_size)))
        return replace(draft, padding=padding, trailer=bytes([len(padding) - 1, draft.trailer[1]]))


@dataclass(frozen=True, slots=True)
class NextHeader(EspFault):
    """Next Header does not say what the payload is."""

    to: int = int(IpProtocol.UDP)

    def draft(self, draft: Draft) -> Draft:
        """Set Next Header."""
        return replace(draft, trailer=bytes([draft.trailer[0], self.to]))


@dataclass(frozen=True, slots=True)
class Unaligned(EspFault):
    """The trailer does not end on a boundary of four octets; no block cipher can do that."""

    def draft(self, draft: Draft) -> Draft:
        """Add one octet of padding."""
        padding = bytes(range(1, len(draft.padding) + 2))
        return replace(draft, padding=padding, trailer=bytes([len(padding), draft.trailer[1]]))


@dataclass(frozen=True, slots=True)
class EmptyPayload(EspFault):
    """There is no payload at all, though Next Header announces one."""

    def draft(self, draft: Draft) -> Draft:
        """Leave only padding and trailer."""
        return Draft.of(draft.sa, draft.trailer[1], b"", draft.iv, draft.sequence)


@dataclass(frozen=True, slots=True)
class InnerCutShort(EspFault):
    """The inner packet says that it is longer than the payload is."""

    by: int = 8

    def draft(self, draft: Draft) -> Draft:
        """Leave out the end of the payload."""
        body = draft.body[: -self.by]
        return Draft.of(draft.sa, draft.trailer[1], body, draft.iv, draft.sequence)


# With an ICV that does not verify.


@dataclass(frozen=True, slots=True)
class HighBitsLeftOut(EspFault):
    """The ICV covers zeros in place of the high half of an extended sequence number."""

    bug: ClassVar[str] = "F68"

    def draft(self, draft: Draft) -> Draft:
        """Cover the low half only; it makes a difference from number 2^32 on."""
        if not draft.sa.extended or draft.sequence >> 32 == 0:
            raise ScriptError("only extended sequence numbers from 2^32 on have high bits")
        return replace(draft, covered=draft.sequence & 0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class WrongIcv(EspFault):
    """One bit of the ICV is inverted."""

    bit: int = 0

    def edit(self, octets: bytes, draft: Draft) -> bytes:
        """Invert a bit, counted from the end of the packet."""
        return _inverted(octets, 8 * len(octets) - 1 - self.bit)


@dataclass(frozen=True, slots=True)
class ChangedOctet(EspFault):
    """One bit of an octet behind the SPI is inverted on the way."""

    at: int

    def edit(self, octets: bytes, draft: Draft) -> bytes:
        """Invert the second bit of an octet, counted from the SPI on."""
        if not 4 <= self.at < len(octets):
            raise ScriptError(f"octet {self.at} of an ESP packet of {len(octets)}")
        return _inverted(octets, 8 * self.at + 1)


@dataclass(frozen=True, slots=True)
class Truncated(EspFault):
    """The end of the packet is missing."""

    to: int

    def edit(self, octets: bytes, draft: Draft) -> bytes:
        """Cut the packet to so many octets, from the SPI on."""
        return octets[: self.to]


@dataclass(frozen=True, slots=True)
class Lengthened(EspFault):
    """Octets follow the ICV."""

    by: int = 4

    def edit(self, octets: bytes, draft: Draft) -> bytes:
        """Append zeros."""
        return octets + bytes(self.by)


@dataclass(frozen=True, slots=True)
class HeaderOnly(EspFault):
    """Nothing follows the sequence number."""

    def edit(self, octets: bytes, draft: Draft) -> bytes:
        """Leave the header."""
        return octets[:HEADER_SIZE]


@dataclass(frozen=True, slots=True)
class WithoutIcv(EspFault):
    """The ICV is left out."""

    def edit(self, octets: bytes, draft: Draft) -> bytes:
        """Cut the ICV off."""
        return octets[: len(octets) - draft.sa.protection.icv_size]


def _shown(value: int | bytes) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _inverted(octets: bytes, bit: int) -> bytes:
    changed = bytearray(octets)
    changed[bit // 8] ^= 0x80 >> bit % 8
    return bytes(changed)


CATALOGUE: tuple[type[EspFault], ...] = (
    WrongSpi,
    ReservedSpi,
    SequenceZero,
    UsedNumber,
    UsedIv,
    PaddingOctets,
    PadLengthBeyond,
    PadLengthShort,
    NextHeader,
    Unaligned,
    EmptyPayload,
    InnerCutShort,
    HighBitsLeftOut,
    WrongIcv,
    ChangedOctet,
    Truncated,
    Lengthened,
    HeaderOnly,
    WithoutIcv,
)
"""Every fault that there is."""
