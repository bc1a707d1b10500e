"""As much of DER as AlgorithmIdentifiers need: tag, length and content, both ways (X.690)."""

from __future__ import annotations

from collections.abc import Iterator

from peers.reference.errors import MalformedMessage

INTEGER, NULL, OBJECT_IDENTIFIER, SEQUENCE = 0x02, 0x05, 0x06, 0x30
EXPLICIT = 0xA0
"""Context tag 0, constructed; add the tag's number."""

NULL_VALUE = bytes([NULL, 0])


def encode(tag: int, *content: bytes) -> bytes:
    """Write a value of less than 128 octets."""
    octets = b"".join(content)
    return bytes([tag, len(octets)]) + octets


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
    """Read values of less than 128 octets one after the other: tag and content.

    MalformedMessage when lengths do not fit.
    """
    offset = 0
    while offset < len(octets):
        header = octets[offset : offset + 2]
        if len(header) < 2 or header[1] > 127 or offset + 2 + header[1] > len(octets):
            raise MalformedMessage(offset, "a DER value does not fit into its container")
        start, offset = offset + 2, offset + 2 + header[1]
        yield header[0], octets[start:offset]


def sequence(octets: bytes) -> list[tuple[int, bytes]]:
    """Read exactly one SEQUENCE and give its values; MalformedMessage for anything else."""
    outer = list(values(octets))
    if [tag for tag, _ in outer] != [SEQUENCE]:
        raise MalformedMessage(0, "not one DER SEQUENCE")
    return list(values(outer[0][1]))
