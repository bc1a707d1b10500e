"""What an Encrypted Fragment payload holds: a piece of a message's content (RFC 7383, 2.5)."""

from __future__ import annotations

from dataclasses import dataclass

from peers.reference.numbers import PayloadType


@dataclass(frozen=True, slots=True)
class Fragment:
    """Fragment ``number`` of ``total``, counted from 1; ``chunk`` is its piece of the content.

    ``first`` is the type of the content's first payload in the first fragment, and NONE in others.
    """

    number: int
    total: int
    first: PayloadType
    chunk: bytes

    def __str__(self) -> str:
        return f"{self.number} of {self.total}, {len(self.chunk)} octets"
