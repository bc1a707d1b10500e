"""As much of DER as IKE itself writes and reads: tag, length and content (X.690, 8.1 and 10.1)."""

from __future__ import annotations

from collections.abc import Iterator

from peers.reference.errors import MalformedMessage

INTEGER, NULL, OBJECT_IDENTIFIER, SEQUENCE = 0x02, 0x05, 0x06, 0x30
EXPLICIT = 0xA0
"""Context tag 0, constructed; add the tag's number."""

NULL_VALUE = bytes([NULL, 0])


def encode(tag: int, *content: bytes) -> bytes:
    """Write a value."""
    octets = b"".join(content)
    return bytes([tag]) + _length(len(octets)) + octets


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def object_identifier(dotted: str) -> bytes:
    """Write an OID: ``1.2.840.10045.4.3.2``."""
    first, second, *rest = map(int, dotted.split("."))
    return encode(OBJECT_IDENTIFIER, bytes([40 * first + second]), *map(_base_128, rest))


def _base_128(arc: int) -> bytes:
    octets = [arc & 0x7F]
    while arc := arc >> 7:
        octets.insert(0, 0x80 | arc & 0x7F)
    return bytes(octets)


def values(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Read values one after the other: tag and content.

    MalformedMessage when lengths do not fit, or are not as short as DER wants them.
    """
    offset = 0
    while offset < len(octets):
        size, start = _read_length(octets, offset + 1)
        if start + size > len(octets):
            raise MalformedMessage(offset, "a DER value does not fit into its container")
        yield octets[offset], octets[start : start + size]
        offset = start + size


def _read_length(octets: bytes, offset: int) -> tuple[int, int]:
    """Give a length and the offset behind it."""
    first = octets[offset : offset + 1]
    many = first[0] & 0x7F if first and first[0] & 0x80 else 0
    behind = offset + 1 + many
    size = int.from_bytes(octets[offset + 1 : behind] if many else first, "big")
    if octets[offset:behind] != _length(size):
        raise MalformedMessage(offset, "no length of DER")
    return size, behind


def sequence(octets: bytes) -> list[tuple[int, bytes]]:
    """Read exactly one SEQUENCE and give its values; MalformedMessage for anything else."""
    outer = list(values(octets))
    if [tag for tag, _ in outer] != [SEQUENCE]:
        raise MalformedMessage(0, "not one DER SEQUENCE")
    return list(values(outer[0][1]))
