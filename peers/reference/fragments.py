"""IKE fragmentation: a message split into fragments, and put together again (RFC 7383)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from peers.reference.draft import Reach
from peers.reference.errors import MalformedMessage, PeerError, ScriptError
from peers.reference.fragment import Fragment
from peers.reference.message import Message, read_content
from peers.reference.numbers import PayloadType

if TYPE_CHECKING:
    from peers.reference.crypto import Protection

__all__ = [
    "MOST_FRAGMENTS",
    "MOST_OCTETS",
    "WITHOUT_LIMIT",
    "Reassembly",
    "TooManyOctets",
    "overhead",
    "sealed_size",
    "split",
    "split_into",
]

HEADER_SIZE, SK_SIZE, SKF_SIZE = 28, 4, 8
MOST_FRAGMENTS = 64
"""Fragments of one message that are kept; whoever sends more is not answered."""

MOST_OCTETS = 64 * 1024
"""Octets of content of one message that are kept (RFC 7383, 5)."""

WITHOUT_LIMIT = 1 << 32
"""Octets that an observer keeps: as many as there are."""

KEPT_MESSAGES = 4
"""Messages that may be under way at a time, in pieces."""


def overhead(protection: Protection) -> int:
    """Count the octets that a fragment needs beside its chunk, with the most padding."""
    beside = protection.iv_size + protection.icv_size + protection.block_size
    return HEADER_SIZE + SKF_SIZE + beside


def sealed_size(message: Message, protection: Protection) -> int:
    """Count the octets of a protected message that is not split, with the least padding."""
    padded = len(message.content()[1]) + 1
    padded += -padded % protection.block_size
    before = sum(len(each.write(0)) for each in message.unprotected)
    return HEADER_SIZE + before + SK_SIZE + protection.iv_size + padded + protection.icv_size


def split(message: Message, protection: Protection, size: int) -> tuple[Message, ...]:
    """Split a protected message into fragments of at most ``size`` octets, header included.

    ScriptError when a fragment of that size has no room for a chunk.
    """
    room = size - overhead(protection)
    if room < 1:
        raise ScriptError(f"fragments of {size} octets: {overhead(protection)} are needed for less")
    return split_into(message, -(-len(message.content()[1]) // room))


def split_into(message: Message, total: int) -> tuple[Message, ...]:
    """Split a protected message into that many fragments of about the same size.

    What is unprotected stands in the first one (2.5.3). Each fault is made in the content before
    it is split, or handed on: to the first fragment, or to each (`Reach`). ScriptError when one has
    no place, or the message is not to be split.
    """
    if not message.protected or message.fragment:
        what = "a fragment" if message.fragment else "not protected"
        raise ScriptError(f"{message.title} is {what}: it is not split")
    first, content = message.content()
    total = max(total, 1)
    room = -(-len(content) // total)
    later = message.faults_made(Reach.EACH)
    bare = replace(message, payloads=(), unprotected=(), faults=later)
    fragments = [
        Fragment(
            number,
            total,
            first if number == 1 else PayloadType.NONE,
            content[(number - 1) * room : number * room],
        )
        for number in range(1, total + 1)
    ]
    parts = [replace(bare, fragment=each) for each in fragments]
    handed = message.faults_made(Reach.FIRST, Reach.EACH)
    parts[0] = replace(parts[0], unprotected=message.unprotected, faults=handed)
    return tuple(parts)


class TooManyOctets(PeerError):
    """The fragments of a message hold more than is kept: an attack, or a broken sender."""


@dataclass(slots=True)
class _Partial:
    total: int
    parts: dict[int, Message] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Octets of content in what is kept."""
        return sum(len(part.fragment.chunk) for part in self.parts.values() if part.fragment)


Key = tuple[bytes, bytes, bool, int]
"""SPIs, the Response flag and the Message ID: what the fragments of one message share."""


class Reassembly:
    """The messages of one side that are under way in pieces (RFC 7383, 2.6)."""

    def __init__(self, most_octets: int = MOST_OCTETS) -> None:
        self.most_octets = most_octets
        self._partial: dict[Key, _Partial] = {}

    def take(self, part: Message) -> Message | None:
        """Take a fragment that verified; give the whole message when it was the last one missing.

        PeerError for a fragment that is to be discarded: its numbers are wrong, it belongs to an
        older set, or it came already. TooManyOctets for one beyond the limit, and all kept ones go.
        MalformedMessage when the whole is no message.
        """
        fragment, key = part.fragment, _key(part)
        if fragment is None:
            raise ScriptError(f"{part.title} is no fragment")
        check_numbers(fragment)
        kept = self._partial.get(key)
        if kept is None or self.starts_over(kept.total, fragment):
            kept = self._begin(key, fragment.total)
        elif fragment.total < kept.total:
            raise PeerError(f"a fragment of {fragment.total} after one of {kept.total}")
        if fragment.number in kept.parts:
            raise PeerError(f"fragment {fragment.number} came already")
        kept.parts[fragment.number] = part
        if kept.size > self.most_octets:
            del self._partial[key]
            raise TooManyOctets(
                f"more than {self.most_octets} octets in the fragments of a message"
            )
        if len(kept.parts) < kept.total:
            return None
        del self._partial[key]
        return _joined([kept.parts[number] for number in range(1, kept.total + 1)])

    def starts_over(self, total: int, fragment: Fragment) -> bool:
        """Say whether a fragment is of a newer set, made of smaller ones (2.5.2)."""
        return fragment.total > total

    def forget(self, part: Message) -> bool:
        """Discard the fragments of a message that did not come whole; say if there were any."""
        return self._partial.pop(_key(part), None) is not None

    def count(self, part: Message) -> int:
        """Count the fragments that are kept of that one's message."""
        kept = self._partial.get(_key(part))
        return len(kept.parts) if kept else 0

    def total(self, part: Message) -> int:
        """Give of how many fragments that one's message is, by those that are kept; 0 of none."""
        kept = self._partial.get(_key(part))
        return kept.total if kept else 0

    def drop(self, part: Message) -> None:
        """Discard a fragment that is kept, if it is."""
        kept = self._partial.get(_key(part))
        if kept is not None and part.fragment is not None:
            kept.parts.pop(part.fragment.number, None)

    def clear(self) -> None:
        """Discard everything."""
        self._partial.clear()

    def _begin(self, key: Key, total: int) -> _Partial:
        while len(self._partial) >= KEPT_MESSAGES:
            self._partial.pop(next(iter(self._partial)))
        self._partial[key] = _Partial(total)
        return self._partial[key]


def _key(part: Message) -> Key:
    return part.spi_i, part.spi_r, part.response, part.message_id


def check_numbers(fragment: Fragment) -> None:
    """Raise PeerError for a fragment that is to be discarded whatever came before (2.6)."""
    number, total = fragment.number, fragment.total
    if not 1 <= number <= total:
        raise PeerError(f"fragment {number} of {total}")
    if total > MOST_FRAGMENTS:
        raise PeerError(f"a message of {total} fragments, at most {MOST_FRAGMENTS} are kept")


def _joined(parts: list[Message]) -> Message:
    fragments = [part.fragment for part in parts if part.fragment]
    content = b"".join(fragment.chunk for fragment in fragments)
    try:
        payloads = read_content(fragments[0].first, content)
    except MalformedMessage as problem:
        reason = f"in the content of {len(parts)} fragments: {problem.reason}"
        raise MalformedMessage(problem.offset, reason) from None
    return replace(parts[0], payloads=payloads, fragment=None)
