"""ESP packets, their sequence numbers and the replay window (RFC 4303)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from peers.reference import ip
from peers.reference.crypto import Protection
from peers.reference.errors import IntegrityFailure, MalformedMessage, Replayed, ScriptError
from peers.reference.numbers import IpProtocol
from peers.reference.wire import Members, fast_constructor

HEADER_SIZE = 8
"""Octets of SPI and Sequence Number (RFC 4303, 2.1 and 2.2)."""

_HEADER = struct.Struct(">4sI")
_LOW, _LAST_EXTENDED = (1 << 32) - 1, (1 << 64) - 1
_TRAILER_SIZE = 2
_ALIGNMENT = 4
_PADDING = tuple(bytes(range(1, size + 1)) for size in range(256))
"""The default padding of each size: 1, 2, 3, ... (RFC 4303, 2.4)."""


@dataclass(frozen=True, slots=True)
class EspPacket:
    """An ESP packet in clear: ``sequence`` is the full number, 64 bits with ESN.

    ``tfc`` is what follows the IP packet in ``payload`` before the padding (RFC 4303, 2.7); it
    can be told apart in tunnel mode only.
    """

    spi: bytes
    sequence: int
    next_header: IpProtocol
    payload: bytes
    padding: bytes = b""
    tfc: bytes = b""

    def __str__(self) -> str:
        tfc = f", TFC {len(self.tfc)} octets" if self.tfc else ""
        inner = ip.describe(self.next_header, self.payload)
        return f"ESP(0x{self.spi.hex()}, {self.sequence}), {inner}{tfc}"


_packet, _protocols = fast_constructor(EspPacket), Members(IpProtocol)
_IP_VERSIONS = (IpProtocol.IPV4, IpProtocol.IPV6)


MOST_PACKETS = 1 << 31
"""The widest window from which the high half of a number can be inferred (RFC 4303, A2)."""


class ReplayWindow:
    """The receive window of an SA with anti-replay (RFC 4303, 3.4.3), of any size.

    Its right edge ``top`` is the highest number whose packet verified, at first 0; it covers
    ``size`` numbers, of which bit i of ``_seen`` stands for top-i. Number 0 counts as received:
    it is never sent (RFC 4303, 3.3.3).
    """

    __slots__ = ("_seen", "size", "top")

    def __init__(self, size: int = 64) -> None:
        if size < 1:
            raise ScriptError(f"a replay window of {size} packets")
        self.size = size
        self.top = 0
        self._seen = 1

    def check(self, sequence: int) -> None:
        """Raise Replayed for a number left of the window or received before; change nothing."""
        distance = self.top - sequence
        if distance < 0:
            return
        if distance >= self.size:
            raise Replayed(
                f"sequence number {sequence} is left of the window"
                f" {self.top - self.size + 1} .. {self.top}"
            )
        if self._seen >> distance & 1:
            raise Replayed(f"sequence number {sequence} was received before")

    def advance(self, sequence: int) -> None:
        """Note a number that ``check`` allowed and whose packet verified."""
        step = sequence - self.top
        if step <= 0:
            self._seen |= 1 << -step
            return
        kept = self._seen << step & (1 << self.size) - 1 if step < self.size else 0
        self._seen = kept | 1
        self.top = sequence

    def extend(self, low: int) -> int:
        """Infer the full number of an ESN packet from its low half (RFC 4303, A2.2).

        Raises Replayed where that would lie before the first number of the SA or after its last.
        """
        top_high, top_low = self.top >> 32, self.top & _LOW
        left = top_low - self.size + 1
        if left >= 0:
            high = top_high if low >= left else top_high + 1
        else:
            high = top_high - 1 if low >= left & _LOW else top_high
        if high < 0:
            raise Replayed(f"sequence number {low} is left of the SA's first")
        if high > _LOW:
            raise Replayed(f"sequence number {low} is right of the SA's last")
        return high << 32 | low


class NumbersSeen(ReplayWindow):
    """What an observer of extended numbers needs: it infers them and refuses none."""

    def __init__(self) -> None:
        super().__init__(MOST_PACKETS)

    def check(self, sequence: int) -> None:
        """Refuse nothing."""

    def advance(self, sequence: int) -> None:
        """Note the highest number."""
        self.top = max(self.top, sequence)

    def extend(self, low: int) -> int:
        """Infer the number that is nearest to the highest one."""
        return low if self.top < self.size and low >= self.size else super().extend(low)


@dataclass(slots=True)
class Recovery:
    """How a receiver of extended numbers gets over a loss of 2^32 packets or more (RFC 4303, A3).

    After ``trigger`` packets in a row that fail authentication it tries one of them with up to
    ``limit`` higher values of the high half. Both are local parameters (A3.1, A3.2).
    """

    trigger: int = 8
    limit: int = 4
    failures: int = 0

    def candidates(self, sequence: int) -> range:
        """Count a failure; give the numbers that are now worth a try."""
        self.failures += 1
        if self.failures < self.trigger:
            return range(0)
        self.failures = 0
        last = min(sequence + (self.limit << 32), (_LOW << 32) + _LOW)
        return range(sequence + (1 << 32), last + 1, 1 << 32)


def covered(protection: Protection, header: bytes, sequence: int) -> tuple[bytes, bytes]:
    """Give what the ICV covers, with ESN, before the IV and after the ciphertext.

    A combined mode covers SPI and 64-bit number (RFC 4106, 5; RFC 7634, 2.1), a separate algorithm
    the header and, implicitly, the high half (RFC 4303, 2.2.1).
    """
    high = (sequence >> 32).to_bytes(4, "big")
    if protection.combined:
        return header[:4] + high + header[4:], b""
    return header, high


class OutboundSa:
    """The sending side of an ESP SA. ``sequence`` is the last number that was counted."""

    __slots__ = ("_alignment", "_last", "extended", "protection", "sequence", "spi")

    def __init__(self, spi: bytes, protection: Protection, *, extended: bool = False) -> None:
        self.spi = spi
        self.protection = protection
        self.extended = extended
        self.sequence = 0
        self._last = _LAST_EXTENDED if extended else _LOW
        self._alignment = max(protection.block_size, _ALIGNMENT)

    def seal(
        self,
        next_header: int,
        payload: bytes,
        iv: bytes,
        *,
        sequence: int | None = None,
        padding: bytes | None = None,
        tfc: bytes = b"",
    ) -> bytes:
        """Build the packet: header | IV | ciphertext | ICV.

        ``sequence`` takes that number, whatever it is, and leaves the counter alone; by default
        the counter's next. ``padding`` is 1, 2, 3, ... of the smallest size that aligns (2.4)
        unless given. Raises ScriptError when the counter would cycle (3.3.3), for padding of more
        than 255 octets, and for an IV or padding that does not fit the cipher.
        """
        if sequence is None:
            sequence = self.sequence + 1
            if sequence > self._last:
                raise ScriptError("the sequence number would cycle (RFC 4303, 3.3.3)")
            self.sequence = sequence
        body = payload + tfc
        if padding is None:
            padding = _PADDING[-(len(body) + _TRAILER_SIZE) % self._alignment]
        elif len(padding) > 255:
            raise ScriptError(f"{len(padding)} octets of padding: at most 255 (RFC 4303, 2.5)")
        plaintext = b"%b%b%c%c" % (body, padding, len(padding), next_header)
        header = _HEADER.pack(self.spi, sequence & _LOW)
        if not self.extended:
            return header + self.protection.seal(header, plaintext, iv)
        associated, implicit = covered(self.protection, header, sequence)
        return header + self.protection.seal(associated, plaintext, iv, implicit)

    @property
    def used_up(self) -> bool:
        """Whether the last sequence number was sent (RFC 4303, 3.3.3)."""
        return self.sequence >= self._last

    def padding_size(self, size: int) -> int:
        """Give the least padding, in octets, that aligns a body of ``size`` octets (2.4)."""
        return -(size + _TRAILER_SIZE) % self._alignment


class InboundSa:
    """The receiving side of an ESP SA.

    ``window`` None means no anti-replay service; without ``inspects_padding`` any padding will do
    (RFC 4303, 2.4: a receiver should inspect it). With ``recovery`` it gets over the loss of so
    many packets that the high half of an extended number is inferred wrongly.
    """

    __slots__ = (
        "_fixed",
        "extended",
        "inspects_padding",
        "protection",
        "recovery",
        "spi",
        "window",
    )

    def __init__(
        self,
        spi: bytes,
        protection: Protection,
        window: ReplayWindow | None,
        *,
        extended: bool = False,
        inspects_padding: bool = True,
        recovery: Recovery | None = None,
    ) -> None:
        if extended and window is None:
            raise ScriptError("extended sequence numbers need a replay window to be inferred from")
        if extended and window is not None and window.size > MOST_PACKETS:
            raise ScriptError(f"a window of {window.size} packets with extended sequence numbers")
        self.spi = spi
        self.protection = protection
        self.window = window
        self.extended = extended
        self.inspects_padding = inspects_padding
        self.recovery = recovery
        self._fixed = HEADER_SIZE + protection.iv_size + _TRAILER_SIZE

    def open(self, octets: bytes) -> EspPacket:
        """Verify and read a packet: the window is checked, then the ICV, then the window moves.

        Raises Replayed, IntegrityFailure, or MalformedMessage: for a header that is cut off, the
        SPI of another SA, padding that is not 1, 2, 3, ..., a Pad Length that exceeds the packet,
        or a trailer that is not aligned (RFC 4303, 2.4). Offsets count from the SPI on.
        """
        if len(octets) < HEADER_SIZE:
            raise MalformedMessage(len(octets), "an ESP header is cut off")
        spi, sequence = _HEADER.unpack_from(octets)
        if spi != self.spi:
            raise MalformedMessage(0, f"SPI {spi.hex()} is not that of SA {self.spi.hex()}")
        associated, implicit = octets[:HEADER_SIZE], b""
        window = self.window
        if window is not None:
            if self.extended:
                sequence = window.extend(sequence)
                associated, implicit = covered(self.protection, associated, sequence)
            window.check(sequence)
        try:
            plaintext = self.protection.open(associated, octets[HEADER_SIZE:], implicit)
        except MalformedMessage as problem:
            raise MalformedMessage(HEADER_SIZE + problem.offset, problem.reason) from None
        except IntegrityFailure:
            if self.recovery is None or not self.extended:
                raise
            sequence, plaintext = self._recovered(octets, sequence, self.recovery)
        if window is not None:
            window.advance(sequence)
            if self.recovery is not None:
                self.recovery.failures = 0
        return self._read(sequence, plaintext)

    def _recovered(self, octets: bytes, sequence: int, recovery: Recovery) -> tuple[int, bytes]:
        """Try higher values of the high half when it is time for that (RFC 4303, A3.2)."""
        for candidate in recovery.candidates(sequence):
            associated, implicit = covered(self.protection, octets[:HEADER_SIZE], candidate)
            try:
                return candidate, self.protection.open(associated, octets[HEADER_SIZE:], implicit)
            except (IntegrityFailure, MalformedMessage):
                continue
        raise IntegrityFailure(f"wrong ICV, with {sequence} and with no higher number tried")

    def _read(self, sequence: int, plaintext: bytes) -> EspPacket:
        trailer = len(plaintext) - _TRAILER_SIZE
        if trailer < 0 or (self._fixed + trailer) % _ALIGNMENT or plaintext[-2] > trailer:
            raise self._bad_trailer(plaintext)
        pad_length, next_header = plaintext[-2], plaintext[-1]
        body_size = trailer - pad_length
        padding = plaintext[body_size:trailer]
        if padding != _PADDING[pad_length] and self.inspects_padding:
            at = HEADER_SIZE + self.protection.iv_size + body_size
            raise MalformedMessage(at, f"padding {padding.hex()} is not 1, 2, 3, ...")
        body, tfc = plaintext[:body_size], b""
        if next_header in _IP_VERSIONS:
            body, tfc = _without_tfc(body)
        return _packet(self.spi, sequence, _protocols[next_header], body, padding, tfc)

    def _bad_trailer(self, plaintext: bytes) -> MalformedMessage:
        end = HEADER_SIZE + self.protection.iv_size + len(plaintext)
        if len(plaintext) < _TRAILER_SIZE:
            return MalformedMessage(end, "an ESP trailer is cut off")
        if end % _ALIGNMENT:
            return MalformedMessage(end - _TRAILER_SIZE, "the ESP trailer is not aligned")
        reason = f"Pad Length {plaintext[-2]} exceeds the packet"
        return MalformedMessage(end - _TRAILER_SIZE, reason)


def observing(inbound: InboundSa) -> InboundSa:
    """Give the same SA as a script sees it: every packet that verifies, whatever else is wrong."""
    window = NumbersSeen() if inbound.extended else None
    return InboundSa(
        inbound.spi,
        inbound.protection,
        window,
        extended=inbound.extended,
        inspects_padding=False,
    )


def _without_tfc(body: bytes) -> tuple[bytes, bytes]:
    """Split an inner packet from TFC padding; what is no IP packet stays as it is."""
    try:
        end = ip.size(body)
    except MalformedMessage:
        return body, b""
    return (body, b"") if end == len(body) else (body[:end], body[end:])
