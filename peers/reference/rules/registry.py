"""Rules about messages: who judges them, and what they are told of a conversation.

A rule names the row of the ledger that it judges, and complains about messages that were heard. It
is told whole conversations, for some rules compare messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from peers.reference.errors import MalformedMessage, PeerError
from peers.reference.events import Carrier, Event, Transmission
from peers.reference.fragments import WITHOUT_LIMIT, Reassembly
from peers.reference.message import Header, Message
from peers.reference.payloads import SK, SKF

NON_ESP_MARKER = bytes(4)
NAT_TRAVERSAL_PORT = 4500


@dataclass(frozen=True, slots=True)
class Seen:
    """An IKE message as it crossed the link: ``octets`` without the marker of port 4500.

    ``marked`` says whether that marker stood there, None on port 500. ``message`` is opened where
    we have the keys, and None where the octets make none; ``problem`` then says why. A message in
    fragments is there once more where the last one missing crossed, whole, with that one's octets.
    """

    at: Transmission
    octets: bytes
    marked: bool | None
    message: Message | None
    problem: str = ""

    @property
    def heard(self) -> bool:
        """Say whether the target sent it."""
        return not self.at.sent

    @property
    def header(self) -> Header:
        """The header, of messages whose payloads are malformed too."""
        return Header.decode(self.octets)


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with a message, in words that do not change from run to run."""

    seen: Seen
    what: str


Judge = Callable[[Sequence[Seen]], Iterable[Complaint]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the ledger, and what judges it."""

    row: str
    judge: Judge

    def complaints(self, conversation: Sequence[Seen]) -> list[Complaint]:
        """List what breaks the rule in a conversation."""
        return list(self.judge(conversation))


RULES: dict[str, Rule] = {}
"""Every rule by its row, as `messages` and `sequences` register them."""


def of_conversation(row: str) -> Callable[[Judge], Judge]:
    """Register what judges a row by a whole conversation."""

    def register(judge: Judge) -> Judge:
        RULES[row] = Rule(row, judge)
        return judge

    return register


def of_message(row: str) -> Callable[[Callable[[Message], Iterable[str]]], Judge]:
    """Register what judges a row by each message alone that was heard and could be read."""

    def register(check: Callable[[Message], Iterable[str]]) -> Judge:
        def judge(conversation: Sequence[Seen]) -> Iterator[Complaint]:
            for seen in heard(conversation):
                assert seen.message is not None
                yield from (Complaint(seen, what) for what in check(seen.message))

        return of_conversation(row)(judge)

    return register


def heard(conversation: Sequence[Seen]) -> Iterator[Seen]:
    """Give the messages of the target that could be read."""
    return (seen for seen in conversation if seen.heard and seen.message is not None)


def seen_in(events: Iterable[Event]) -> list[Seen]:
    """Find the IKE messages in a record, in order; what is no IKE message at all is left out.

    Where a message is in fragments, they are there, and the whole behind the last one missing.
    """
    found: list[Seen] = []
    under_way = {sent: Reassembly(WITHOUT_LIMIT) for sent in (True, False)}
    for event in events:
        if isinstance(event, Transmission) and (seen := _seen(event)) is not None:
            found.append(seen)
            found += _together(under_way[event.sent], seen)
    return found


def _together(under_way: Reassembly, part: Seen) -> Iterator[Seen]:
    """Give the message that the fragment of a side completes, if it does."""
    if part.message is None or part.message.fragment is None:
        return
    try:
        whole = under_way.take(part.message)
    except MalformedMessage as problem:
        yield replace(part, message=None, problem=str(problem))
    except PeerError:
        return  # Whoever receives the fragment discards it (RFC 7383, 2.6).
    else:
        if whole is not None:
            yield replace(part, message=whole)


def _seen(at: Transmission) -> Seen | None:
    octets, marked = at.packet.octets, None
    if at.packet.carrier not in (Carrier.UDP, Carrier.TCP):
        return None
    if NAT_TRAVERSAL_PORT in (at.packet.source.port, at.packet.destination.port):
        marked = octets.startswith(NON_ESP_MARKER)
        octets = octets.removeprefix(NON_ESP_MARKER)
        if not marked and not isinstance(at.decoded, Message):
            return None  # Encapsulated ESP, or a keepalive.
    if isinstance(at.decoded, Message):
        return Seen(at, octets, marked, at.decoded)
    try:
        return Seen(at, octets, marked, Message.decode(octets), at.problem)
    except MalformedMessage as problem:
        return Seen(at, octets, marked, None, str(problem))


def is_encrypted(message: Message) -> bool:
    """Say whether a message has an Encrypted payload, opened or not."""
    return message.protected or message.has(SK) or message.has(SKF)
