"""IKE and ESP in a TCP stream: the stream prefix and the Length field (RFC 9329, 3 and 4)."""

from __future__ import annotations

from collections.abc import Iterator

from peers.reference.errors import MalformedMessage, ScriptError

STREAM_PREFIX = b"IKETCP"
"""What the TCP Originator sends first on each connection (RFC 9329, 4)."""

LENGTH_SIZE = 2
LARGEST_MESSAGE = 0xFFFF - LENGTH_SIZE
"""Octets of a message that the Length field can tell of (RFC 9329, 3)."""


def framed(message: bytes) -> bytes:
    """Put the Length field before a message; it counts its own two octets (RFC 9329, 3).

    ScriptError for a message that is too large.
    """
    if len(message) > LARGEST_MESSAGE:
        raise ScriptError(f"{len(message)} octets do not go into a message over TCP")
    return (len(message) + LENGTH_SIZE).to_bytes(LENGTH_SIZE, "big") + message


class StreamReader:
    """One direction of a connection: octets in, as they come, whole messages out.

    ``expects_prefix`` is for the TCP Responder. Messages have at least one octet: an empty one is
    ignored (RFC 9329, 3). ``offset`` counts the octets of the stream that have been dealt with.
    """

    def __init__(self, *, expects_prefix: bool) -> None:
        self._octets = b""
        self._expects_prefix = expects_prefix
        self.offset = 0

    @property
    def unread(self) -> bytes:
        """What has come of a message that is not whole."""
        return self._octets

    def feed(self, octets: bytes) -> Iterator[bytes]:
        """Take octets of the stream in; give the messages that they complete.

        MalformedMessage when it does not start with the prefix, or for a Length of 0 or 1: the
        connection is of no more use then.
        """
        self._octets += octets
        if self._expects_prefix:
            self._take_prefix()
        while not self._expects_prefix and len(self._octets) >= LENGTH_SIZE:
            length = int.from_bytes(self._octets[:LENGTH_SIZE], "big")
            if length < LENGTH_SIZE:
                raise MalformedMessage(self.offset, f"Length {length} in a stream")
            if len(self._octets) < length:
                return
            message = self._take(length)[LENGTH_SIZE:]
            if message:
                yield message

    def _take_prefix(self) -> None:
        if not STREAM_PREFIX.startswith(self._octets[: len(STREAM_PREFIX)]):
            raise MalformedMessage(self.offset, "the stream does not begin with IKETCP")
        if len(self._octets) >= len(STREAM_PREFIX):
            self._take(len(STREAM_PREFIX))
            self._expects_prefix = False

    def _take(self, size: int) -> bytes:
        taken, self._octets = self._octets[:size], self._octets[size:]
        self.offset += size
        return taken
