"""What the tests of IKE fragmentation share: a connection that takes fragments, large messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from peers.reference import signature_schemes as schemes
from peers.reference.message import Message
from peers.reference.numbers import HashAlgorithm, NotifyType, PayloadType
from suites.judge import differs
from suites.methods import RSA_3072, Signs, authenticated
from suites.terms import arranged

FRAGMENTED = arranged(lambda described: replace(described, fragment_size=1000))
"""Have both sides take fragments; the embedded target sends them from 1000 octets on."""

WHOLE = arranged(lambda described: replace(described, fragment_size=0))
"""Have the target take no fragments, nor the peer."""

LARGE = authenticated(Signs(RSA_3072, schemes.RSA_PSS[HashAlgorithm.SHA2_384]))
"""Have both sides send certificates: IKE_AUTH has some 1500 octets then."""


def chunk(part: Message, octets: bytes | None = None, **changes: int) -> Message:
    """Give a fragment with other content, or another number or total: it still verifies."""
    assert part.fragment is not None
    content = part.fragment.chunk if octets is None else octets
    return replace(part, fragment=replace(part.fragment, chunk=content, **changes))  # type: ignore[arg-type]


def garbage(part: Message, **changes: int) -> Message:
    """Give a fragment whose content is not that of the message; it verifies all the same."""
    assert part.fragment is not None
    return chunk(part, bytes(len(part.fragment.chunk)), **changes)


def in_order(parts: Sequence[Message], order: Sequence[int]) -> list[Message]:
    """Give fragments in another order; numbers count from 1."""
    return [parts[number - 1] for number in order]


def without_announcement(message: Message) -> Message:
    """Leave out what says that fragments are taken."""
    return message.without_notify(NotifyType.IKEV2_FRAGMENTATION_SUPPORTED)


def assert_well_made(parts: Sequence[Message], whole: Message) -> None:
    """Look at the fragments of a message that was too large: numbers, first payload, headers."""
    if not parts:
        differs("a message of more than 1280 octets was not split")
    fragments = [part.fragment for part in parts if part.fragment]
    numbers = [(fragment.number, fragment.total) for fragment in fragments]
    total = len(parts)
    assert numbers == [(number, total) for number in range(1, total + 1)], f"numbers {numbers}"
    firsts = [fragment.first for fragment in fragments]
    assert firsts == [whole.payloads[0].type, *[PayloadType.NONE] * (total - 1)], "Next Payload"
    headers = {replace(part, fragment=None, unprotected=()) for part in parts}
    assert len(headers) == 1, f"the headers differ: {', '.join(map(str, headers))}"
    assert not any(part.unprotected for part in parts[1:]), "payloads before a later fragment"
