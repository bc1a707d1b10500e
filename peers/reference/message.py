"""IKE messages: header, payloads, the Encrypted payload (RFC 7296, 3.1, 3.2, 3.14; RFC 5282).

And its fragments, each a message with an Encrypted Fragment payload (RFC 7383, 2.5).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from peers.reference.describe import describe
from peers.reference.draft import Draft, Reach
from peers.reference.errors import MalformedMessage, MalformedPlaintext, PeerError, ScriptError
from peers.reference.fragment import Fragment
from peers.reference.numbers import ExchangeType, NotifyType, PayloadType
from peers.reference.payloads import SK, SKF, Notify, Payload, read_payloads, write_payloads
from peers.reference.wire import Members, fast_constructor

if TYPE_CHECKING:
    from peers.reference.crypto import Protection
    from peers.reference.falsify import WireFault

P = TypeVar("P", bound=Payload)

_HEADER = struct.Struct(">8s8sBBBBII")
HEADER_SIZE = _HEADER.size
"""Octets of the IKE header."""

_PAYLOAD_TYPES, _EXCHANGE_TYPES = Members(PayloadType), Members(ExchangeType)
_SK_HEADER, _SKF_HEADER = struct.Struct(">BBH"), struct.Struct(">BBHHH")
_INITIATOR, _VERSION, _RESPONSE = 0x08, 0x10, 0x20
_RESERVED_FLAGS = 0xFF & ~(_INITIATOR | _VERSION | _RESPONSE)


@dataclass(frozen=True, slots=True)
class Header:
    """The IKE header (RFC 7296, 3.1), also of messages whose payloads are not well-formed.

    SPIs are 8 octets; ``length`` is the field, whatever the number of octets is;
    ``higher_version`` is the V flag; ``reserved_flags`` are the X bits where they stand.
    """

    spi_i: bytes
    spi_r: bytes
    next_payload: PayloadType
    major: int
    minor: int
    exchange: ExchangeType
    initiator: bool
    response: bool
    higher_version: bool
    reserved_flags: int
    message_id: int
    length: int

    @classmethod
    def decode(cls, octets: bytes) -> Header:
        """Read the header of any major version; MalformedMessage when there are under 28 octets."""
        if len(octets) < HEADER_SIZE:
            raise MalformedMessage(0, f"{len(octets)} octets, an IKE header has {HEADER_SIZE}")
        spi_i, spi_r, first, version, exchange, flags, message_id, length = _HEADER.unpack_from(
            octets
        )
        return _header(
            spi_i,
            spi_r,
            _PAYLOAD_TYPES[first],
            version >> 4,
            version & 15,
            _EXCHANGE_TYPES[exchange],
            flags & _INITIATOR != 0,
            flags & _RESPONSE != 0,
            flags & _VERSION != 0,
            flags & _RESERVED_FLAGS,
            message_id,
            length,
        )


_header = fast_constructor(Header)


@dataclass(frozen=True, slots=True)
class Message:
    """An IKE message.

    ``initiator`` is the I flag (sent by the original initiator of the IKE SA), ``higher_version``
    the V flag, ``reserved_flags`` the X bits where they stand. In a ``protected`` message
    ``payloads`` are those inside SK, and ``unprotected`` stand in front of it; ``padding`` and
    ``envelope``, the SK payload as it was heard, are kept of one that was opened. A message with a
    ``fragment`` has that in SKF, and no payloads of its own.
    """

    spi_i: bytes
    spi_r: bytes
    exchange: ExchangeType
    initiator: bool
    response: bool
    message_id: int
    payloads: tuple[Payload, ...] = ()
    major: int = 2
    minor: int = 0
    higher_version: bool = False
    reserved_flags: int = 0
    protected: bool = False
    unprotected: tuple[Payload, ...] = ()
    faults: tuple[WireFault, ...] = ()
    padding: bytes = field(default=b"", compare=False)
    envelope: SK | SKF | None = field(default=None, compare=False)
    fragment: Fragment | None = None

    # Reading.

    @classmethod
    def decode(cls, octets: bytes) -> Message:
        """Read a message of any version; an SK payload stays one. Raises MalformedMessage."""
        header = Header.decode(octets)
        if header.length != len(octets):
            raise MalformedMessage(24, f"Length {header.length} in {len(octets)} octets")
        return _message(
            header.spi_i,
            header.spi_r,
            header.exchange,
            header.initiator,
            header.response,
            header.message_id,
            read_payloads(header.next_payload, octets, HEADER_SIZE),
            header.major,
            header.minor,
            header.higher_version,
            header.reserved_flags,
        )

    @classmethod
    def open(cls, octets: bytes, protection: Protection) -> Message:
        """Read a message and open its SK payload: `decode`, then `opened`."""
        return cls.decode(octets).opened(octets, protection)

    def opened(self, octets: bytes, protection: Protection) -> Message:
        """Open the SK payload of a message that ``octets`` are (RFC 7296, 3.14; RFC 5282, 5.1).

        Or its SKF payload, which makes it a message with a fragment (RFC 7383, 2.5).

        Raises IntegrityFailure, and MalformedMessage, whose offset counts within the plaintext
        when the reason says that the plaintext is at fault.
        """
        envelope = self.find(SK) or self.find(SKF)
        if envelope is None:
            raise MalformedMessage(HEADER_SIZE, "no SK payload")
        associated = octets[: len(octets) - len(envelope.data)]
        plaintext = protection.open(associated, envelope.data)
        payloads: tuple[Payload, ...] = ()
        fragment = None
        try:
            content, padding = _unpad(plaintext)
            if isinstance(envelope, SKF):
                fragment = Fragment(envelope.fragment, envelope.total, envelope.first, content)
            else:
                payloads = read_content(envelope.first, content)
        except MalformedMessage as problem:
            reason = f"in the plaintext of {envelope.label()}: {problem.reason}"
            kind = MalformedPlaintext if isinstance(envelope, SK) else MalformedMessage
            raise kind(problem.offset, reason) from None
        return replace(
            self,
            payloads=payloads,
            protected=True,
            unprotected=self.payloads[:-1],
            padding=padding,
            envelope=envelope,
            fragment=fragment,
        )

    # Writing.

    def encode(self) -> bytes:
        """Write an unprotected message; ScriptError when a field cannot hold its value."""
        if self.protected or self.unprotected:
            raise ScriptError(f"{self.title} is protected: it is sealed, not encoded")
        written = self._written(self.payloads)
        size = HEADER_SIZE + sum(map(len, written))
        header = self._header(self.payloads[0].type if self.payloads else 0, size)
        if not self.faults:
            return header + b"".join(written)
        draft = Draft(bytearray(header))
        draft.add(draft.clear, self.payloads, written)
        self._err(draft, before_sealing=True)
        self._err(draft, before_sealing=False)
        return draft.octets()

    def seal(self, protection: Protection, iv: bytes, padding: bytes | None = None) -> bytes:
        """Write a protected message (RFC 7296, 3.14; RFC 5282, 5.1).

        ``iv`` has ``protection.iv_size`` octets; ``padding`` is by default the least there can be,
        of zeros. ScriptError when a field cannot hold its value or the padding does not align.
        """
        if not self.protected:
            raise ScriptError(f"{self.title} is not protected: it is encoded, not sealed")
        written = self._written(self.payloads)
        size = len(self.fragment.chunk) if self.fragment else sum(map(len, written))
        if padding is None:
            padding = bytes(-(size + 1) % protection.block_size)
        if len(padding) > 255:
            raise ScriptError(f"{self.title}: {len(padding)} octets of padding, at most 255")
        trailer = padding + bytes([len(padding)])
        size += len(trailer) + protection.iv_size + protection.icv_size
        envelope, opening = self._opening(size)
        before = self._written(self.unprotected, envelope.type)
        header = self._header(
            self.unprotected[0].type if self.unprotected else envelope.type,
            HEADER_SIZE + sum(map(len, before)) + len(opening) + size,
        )
        draft = Draft(bytearray(header), iv_size=len(iv), trailer=len(trailer))
        draft.add(draft.clear, self.unprotected, before)
        draft.add(draft.clear, [envelope], [opening])
        draft.add(draft.inner, self.payloads, written)
        draft.inner += (self.fragment.chunk if self.fragment else b"") + trailer
        self._err(draft, before_sealing=True)
        draft.sealed += protection.seal(bytes(draft.clear), bytes(draft.inner), iv)
        self._err(draft, before_sealing=False)
        return draft.octets()

    def unsealed(self) -> bytes:
        """Write a protected message in clear: up to the SK header, then what SK holds.

        IV, padding and ICV are neither there nor counted in the lengths (RFC 9242, 3.3.2). Faults
        are not in it: who wants the other side's view gives ``envelope`` and payloads as sent.
        """
        if not self.protected:
            raise ScriptError(f"{self.title} is not protected")
        inside = b"".join(self._written(self.payloads))
        before = b"".join(self._written(self.unprotected, PayloadType.SK))
        first = self.payloads[0].type if self.payloads else PayloadType.NONE
        heard = self.envelope or SK(first, b"")
        size = _SK_HEADER.size + len(inside)
        header = self._header(
            self.unprotected[0].type if self.unprotected else PayloadType.SK,
            HEADER_SIZE + len(before) + size,
        )
        flags = heard.critical << 7 | heard.reserved_bits
        return header + before + self._packed(_SK_HEADER, first, flags, size) + inside

    def _opening(self, size: int) -> tuple[SK | SKF, bytes]:
        """Give the envelope without its data, ``size`` octets of it, and the octets before that."""
        if self.fragment is None:
            first = self.payloads[0].type if self.payloads else PayloadType.NONE
            return SK(first, b""), self._packed(_SK_HEADER, first, 0, _SK_HEADER.size + size)
        part = self.fragment
        numbers = part.first, 0, _SKF_HEADER.size + size, part.number, part.total
        envelope = SKF(part.first, part.number, part.total, b"")
        return envelope, self._packed(_SKF_HEADER, *numbers)

    def content(self) -> tuple[PayloadType, bytes]:
        """Write what goes into SK before padding, with the faults that are made in it.

        Gives the type of its first payload too (RFC 7383, 2.5: what fragments are made of).
        """
        draft = self._undivided()
        for fault in self.faults_made(Reach.CONTENT):
            fault.make(draft)
        return self.payloads[0].type if self.payloads else PayloadType.NONE, bytes(draft.inner)

    def faults_made(self, *where: Reach) -> tuple[WireFault, ...]:
        """Give the faults that are made there if this goes in fragments.

        ScriptError when one of all faults has no place in the message.
        """
        if not self.faults:
            return ()
        draft = self._undivided()
        return tuple([fault for fault in self.faults if fault.reach(draft) in where])

    def _undivided(self) -> Draft:
        """Give what fragments are made of: as a message of one, whose lengths count nothing."""
        draft = Draft(bytearray(self._header(PayloadType.SKF, HEADER_SIZE)))
        draft.add(draft.clear, self.unprotected, self._written(self.unprotected, PayloadType.SKF))
        envelope = SKF(PayloadType.NONE, 1, 1, b"")
        draft.add(draft.clear, [envelope], [_SKF_HEADER.pack(0, 0, _SKF_HEADER.size, 1, 1)])
        draft.add(draft.inner, self.payloads, self._written(self.payloads))
        return draft

    def _err(self, draft: Draft, *, before_sealing: bool) -> None:
        for fault in self.faults:
            if fault.before_sealing == before_sealing:
                fault.make(draft)

    def _written(self, payloads: tuple[Payload, ...], following: int = 0) -> list[bytes]:
        try:
            return write_payloads(payloads, following)
        except struct.error as problem:
            raise ScriptError(f"{self.title}: a field cannot hold its value: {problem}") from None

    def _packed(self, layout: struct.Struct, *numbers: int | bytes) -> bytes:
        try:
            return layout.pack(*numbers)
        except struct.error as problem:
            raise ScriptError(f"{self.title}: a field cannot hold its value: {problem}") from None

    def _header(self, first: int, size: int) -> bytes:
        if len(self.spi_i) != 8 or len(self.spi_r) != 8:
            raise ScriptError(f"{self.title}: SPIs of an IKE SA have 8 octets")
        if not 0 <= self.minor < 16:
            raise ScriptError(f"{self.title}: minor version {self.minor}")
        flags = (
            self.initiator * _INITIATOR
            | self.response * _RESPONSE
            | self.higher_version * _VERSION
            | self.reserved_flags
        )
        version = self.major << 4 | self.minor
        numbers = first, version, self.exchange, flags, self.message_id, size
        return self._packed(_HEADER, self.spi_i, self.spi_r, *numbers)

    # Looking inside.

    @property
    def title(self) -> str:
        """Name the message: ``IKE_SA_INIT request``."""
        return f"{ExchangeType(self.exchange)} {'response' if self.response else 'request'}"

    @property
    def types(self) -> list[type[Payload]]:
        """List the classes of the payloads, in order."""
        return [type(payload) for payload in self.payloads]

    def has(self, *kinds: type[Payload]) -> bool:
        """Say whether there is a payload of each of these classes."""
        return all(self.find(kind) is not None for kind in kinds)

    def all(self, kind: type[P]) -> tuple[P, ...]:
        """Give the payloads of a class, in order."""
        return tuple([payload for payload in self.payloads if isinstance(payload, kind)])

    def find(self, kind: type[P]) -> P | None:
        """Give the first payload of a class, if there is one."""
        for payload in self.payloads:
            if isinstance(payload, kind):
                return payload
        return None

    def get(self, kind: type[P]) -> P:
        """Give the first payload of a class; PeerError when there is none."""
        found = self.find(kind)
        if found is None:
            raise PeerError(f"no {kind.__name__} payload in {self.title}")
        return found

    @property
    def notifies(self) -> tuple[NotifyType, ...]:
        """List the types of the Notify payloads, in order."""
        return tuple([each.notify_type for each in self.payloads if isinstance(each, Notify)])

    def find_notify(self, kind: NotifyType) -> Notify | None:
        """Give the first Notify of a type, if there is one."""
        for payload in self.payloads:
            if isinstance(payload, Notify) and payload.notify_type == kind:
                return payload
        return None

    def notify(self, kind: NotifyType) -> Notify:
        """Give the first Notify of a type; PeerError when there is none."""
        found = self.find_notify(kind)
        if found is None:
            raise PeerError(f"no N({NotifyType(kind)}) in {self.title}")
        return found

    # Variations: each gives a new message.

    def __add__(self, more: Payload | Iterable[Payload]) -> Message:
        added = (more,) if isinstance(more, Payload) else tuple(more)
        return replace(self, payloads=(*self.payloads, *added)) if added else self

    def without(self, *kinds: type[Payload]) -> Message:
        """Leave out all payloads of these classes."""
        kept = tuple(payload for payload in self.payloads if not isinstance(payload, kinds))
        return replace(self, payloads=kept)

    def without_notify(self, notify_type: NotifyType) -> Message:
        """Leave out all Notify payloads of that type."""
        kept = tuple(
            payload
            for payload in self.payloads
            if not isinstance(payload, Notify) or payload.notify_type != notify_type
        )
        return replace(self, payloads=kept)

    def replacing(self, payload: Payload) -> Message:
        """Put ``payload`` where the first one of its class (a Notify: of its type) stands.

        ScriptError when there is none.
        """
        for index, old in enumerate(self.payloads):
            if type(old) is type(payload) and _same_notify(old, payload):
                payloads = (*self.payloads[:index], payload, *self.payloads[index + 1 :])
                return replace(self, payloads=payloads)
        raise ScriptError(f"{self.title} has nothing that {payload} could replace")

    def with_fault(self, fault: WireFault) -> Message:
        """Add a deliberate error, made when the message is written."""
        return replace(self, faults=(*self.faults, fault))

    def reply(self, *payloads: Payload) -> Message:
        """Begin the response: same SPIs, exchange, Message ID and protection, other I flag."""
        return Message(
            self.spi_i,
            self.spi_r,
            self.exchange,
            initiator=not self.initiator,
            response=True,
            message_id=self.message_id,
            payloads=payloads,
            protected=self.protected,
        )

    # Showing.

    def __str__(self) -> str:
        inside = ", ".join(map(str, self.payloads))
        parts = [self._shown_header(), *map(str, self.unprotected)]
        if self.fragment:
            parts.append(f"SKF({self.fragment})")
        elif self.protected:
            parts.append(f"SK{{{inside}}}")
        elif inside:
            parts.append(inside)
        line = ", ".join(parts)
        return f"{line}  [{'; '.join(map(str, self.faults))}]" if self.faults else line

    def _shown_header(self) -> str:
        details = [
            str(ExchangeType(self.exchange)),
            "response" if self.response else "request",
            f"ID {self.message_id}",
        ]
        if (self.major, self.minor) != (2, 0):
            details.append(f"version {self.major}.{self.minor}")
        if self.higher_version:
            details.append("V")
        if self.reserved_flags:
            details.append(f"reserved flags 0x{self.reserved_flags:02x}")
        return f"HDR({', '.join(details)})"

    def describe(self) -> str:
        """Give every field of the header and of each payload, one a line, octets in hexadecimal."""
        return describe(self)


_message = fast_constructor(Message)


def _same_notify(old: Payload, new: Payload) -> bool:
    if isinstance(old, Notify) and isinstance(new, Notify):
        return old.notify_type == new.notify_type
    return True


def _unpad(plaintext: bytes) -> tuple[bytes, bytes]:
    """Split a plaintext into content and padding; the last octet is the Pad Length (3.14)."""
    if not plaintext:
        raise MalformedMessage(0, "no Pad Length")
    end = len(plaintext) - 1 - plaintext[-1]
    if end < 0:
        reason = f"Pad Length {plaintext[-1]}, {len(plaintext) - 1} octets are left"
        raise MalformedMessage(len(plaintext) - 1, reason)
    return plaintext[:end], plaintext[end:-1]


def read_content(first: PayloadType, content: bytes) -> tuple[Payload, ...]:
    """Read the content of an SK payload; MalformedMessage when it is no chain of payloads."""
    payloads = read_payloads(first, content, 0)
    if payloads and isinstance(payloads[-1], SK | SKF):
        raise MalformedMessage(0, f"{payloads[-1].label()} inside SK")
    return payloads
