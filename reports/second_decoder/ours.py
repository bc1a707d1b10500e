"""Our codec's reading of captured octets, with the keys that lie beside the capture."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import partial

from peers.reference.crypto import Protection
from peers.reference.errors import IntegrityFailure, MalformedMessage, PeerError
from peers.reference.esp import HEADER_SIZE, InboundSa, NumbersSeen
from peers.reference.fragment import Fragment
from peers.reference.fragments import WITHOUT_LIMIT, Reassembly
from peers.reference.message import Message
from peers.reference.payloads import SK, SKF
from reports.second_decoder import fields
from reports.second_decoder.fields import Fields
from reports.second_decoder.keys import Key, Keys

NO_KEY, WRONG_ICV = "no key", "wrong ICV"
MIXED = "it keeps no sets of fragments apart"
_Sender = tuple[bytes, bytes, bool]
"""The SPIs of an IKE SA, and whether its initiator sends."""

NO_PADDING = bytes(1)
"""The Pad Length of the content of fragments, each of which had padding of its own."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What our codec makes of octets; ``kind`` is the exchange, or ESP.

    ``refused`` says why they are malformed, ``closed`` why something encrypted was not opened.
    Of what was opened, ``key`` is the key; ``plaintext`` is what an SK payload held, with padding,
    or a message's fragments together, and ``first`` the type of its first payload; ``mixed`` says
    that there are fragments of other sets beside; ``high`` is the high half of an extended number.
    """

    kind: str
    fields: Fields = field(default_factory=dict)
    payloads: int = 0
    refused: str = ""
    closed: str = ""
    key: Key | None = None
    first: int = 0
    plaintext: bytes = b""
    high: int | None = None
    mixed: bool = False


class IkeReader:
    """Reads the IKE messages of captures, in order, and puts fragments together (RFC 7383)."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._fragments: dict[_Sender, Reassembly] = defaultdict(partial(Reassembly, WITHOUT_LIMIT))
        self._totals: dict[tuple[_Sender, bool, int], set[int]] = defaultdict(set)

    def read(self, octets: bytes) -> Reading:
        """Read a message, and open what is inside SK or SKF where there is a key.

        The reading of the last fragment of a message has the payloads of the whole.
        """
        try:
            message = Message.decode(octets)
        except MalformedMessage as problem:
            return Reading("malformed", refused=str(problem))
        reading = _reading(message)
        envelope = message.find(SK) or message.find(SKF)
        if envelope is None:
            return reading
        closed = NO_KEY
        for key in self._keys.ike.get(_sender(message), ()):
            ((key, protection),) = key.candidates()
            try:
                opened = message.opened(octets, protection)
                plaintext = protection.open(octets[: -len(envelope.data)], envelope.data)
                return replace(self._opened(opened, plaintext), key=key)
            except IntegrityFailure:
                closed = WRONG_ICV
            except MalformedMessage as problem:
                return replace(reading, refused=str(problem), key=key)
        return replace(reading, closed=closed)

    def _opened(self, message: Message, plaintext: bytes) -> Reading:
        if message.fragment is not None:
            return self._collected(message, message.fragment)
        assert message.envelope is not None
        return replace(_reading(message), first=message.envelope.first, plaintext=plaintext)

    def _collected(self, message: Message, part: Fragment) -> Reading:
        sender = _sender(message)
        totals = self._totals[sender, message.response, message.message_id]
        totals.add(part.total if 1 <= part.number <= part.total else 0)
        mixed = len(totals) > 1
        try:
            whole = self._fragments[sender].take(message)
        except MalformedMessage:
            raise
        except PeerError:
            whole = None  # Whoever receives the fragment discards it.
        if whole is None:
            return replace(_reading(message), mixed=mixed)
        first, content = whole.content()
        reading = _reading(replace(message, payloads=whole.payloads))
        return replace(reading, first=first, plaintext=content + NO_PADDING, mixed=mixed)


def _sender(message: Message) -> _Sender:
    return message.spi_i, message.spi_r, message.initiator


def _reading(message: Message) -> Reading:
    envelope = () if message.envelope is None else (message.envelope,)
    payloads = (*message.unprotected, *envelope, *message.payloads)
    return Reading(str(message.exchange), fields.of_message(message), len(payloads))


def read_esp(octets: bytes, keys: Keys, number: int | None = None) -> Reading:
    """Read an ESP packet, and open it where there is a key, with either kind of numbers.

    ``number`` is the full sequence number where it is known.
    """
    spi, sequence = octets[:4], int.from_bytes(octets[4:HEADER_SIZE], "big")
    reading = Reading("ESP", {"spi": spi, "sequence": sequence}, closed=NO_KEY)
    key = keys.esp.get(spi)
    if key is None:
        return reading
    for one, protection in key.candidates():
        for extended in (False, True):
            sa = _observer(spi, protection, sequence if number is None else number, extended)
            try:
                packet = sa.open(octets)
            except IntegrityFailure:
                continue
            except MalformedMessage as problem:
                return replace(reading, refused=str(problem), closed="")
            high = packet.sequence >> 32 if extended else None
            return Reading("ESP", fields.of_esp(packet), key=one, high=high)
    return replace(reading, closed=WRONG_ICV, key=key)


def _observer(spi: bytes, protection: Protection, number: int, extended: bool) -> InboundSa:
    """Make an SA that opens the packet with this number, whatever came before it."""
    window = NumbersSeen() if extended else None
    if window is not None:
        window.advance(number - 1)
    return InboundSa(spi, protection, window, extended=extended, inspects_padding=False)
