"""Our codec's reading of captured octets, with the keys that lie beside the capture."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from peers.reference.crypto import Protection
from peers.reference.errors import IntegrityFailure, MalformedMessage
from peers.reference.esp import HEADER_SIZE, InboundSa, NumbersSeen
from peers.reference.message import Message
from peers.reference.payloads import SK, SKF, Payload
from reports.second_decoder import fields
from reports.second_decoder.fields import Fields
from reports.second_decoder.keys import Key, Keys

NO_KEY, WRONG_ICV, FRAGMENT = "no key", "wrong ICV", "a fragment"


@dataclass(frozen=True, slots=True)
class Reading:
    """What our codec makes of octets; ``kind`` is the exchange, or ESP.

    ``refused`` says why they are malformed, ``closed`` why something encrypted was not opened.
    Of what was opened, ``key`` is the key; ``plaintext`` is what an SK payload held, with padding,
    and ``first`` the type of its first payload; ``high`` is the high half of an extended number.
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


def read_ike(octets: bytes, keys: Keys) -> Reading:
    """Read an IKE message, and open what is inside SK where there is a key."""
    try:
        message = Message.decode(octets)
    except MalformedMessage as problem:
        return Reading("malformed", refused=str(problem))
    reading = _reading(message, message.payloads)
    envelope = message.find(SK)
    if envelope is None:
        return replace(reading, closed=FRAGMENT) if message.has(SKF) else reading
    closed = replace(reading, closed=NO_KEY)
    for key in keys.ike.get((message.spi_i, message.spi_r, message.initiator), ()):
        closed = replace(reading, closed=WRONG_ICV, key=key)
        ((key, protection),) = key.candidates()
        try:
            plaintext = protection.open(octets[: len(octets) - len(envelope.data)], envelope.data)
            opened = message.opened(octets, protection)
        except IntegrityFailure:
            continue
        except MalformedMessage as problem:
            return replace(reading, refused=str(problem), key=key)
        both = (*message.payloads, *opened.payloads)
        return replace(_reading(opened, both), key=key, first=envelope.first, plaintext=plaintext)
    return closed


def _reading(message: Message, payloads: tuple[Payload, ...]) -> Reading:
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
