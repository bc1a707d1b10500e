"""What is fuzzed: each harness takes octets, and nothing may escape that it does not catch.

A harness gets past integrity checks, as a peer with the right keys does: what it is given is the
plaintext. `suites/selftest/test_fuzz_harnesses.py` runs them without a fuzzer.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product

from cryptography import x509

from peers.ca import Authority, KeyType
from peers.reference import certificates, revocation
from peers.reference import signature_schemes as schemes
from peers.reference.crypto import Protection
from peers.reference.errors import MalformedMessage, Replayed
from peers.reference.esp import InboundSa, ReplayWindow
from peers.reference.events import Carrier, Endpoint, Packet
from peers.reference.identity import fqdn
from peers.reference.message import HEADER_SIZE, Message
from peers.reference.nat import KEEPALIVE, NON_ESP_MARKER
from peers.reference.numbers import ExchangeType, HashAlgorithm, PayloadType
from peers.reference.stream import STREAM_PREFIX, StreamReader, framed
from suites.selftest.wires import Wire

Harness = Callable[[bytes], None]

SPIS = bytes(range(0xA0, 0xB0))
ESP_SPI = bytes.fromhex("c0ffee01")
MOST_STEPS = 24
"""Steps of a script for an endpoint; what follows them is ignored."""


class NoProtection(Protection):
    """Seals nothing: the octets of a protected message are its plaintext."""

    __slots__ = ()
    combined = True

    def __init__(self) -> None:
        super().__init__(iv_size=0, block_size=1, icv_size=0)

    def seal(self, associated: bytes, plaintext: bytes, iv: bytes, implicit: bytes = b"") -> bytes:
        """Give the plaintext."""
        return plaintext

    def open(self, associated: bytes, octets: bytes, implicit: bytes = b"") -> bytes:
        """Give the plaintext."""
        return octets


def decode(octets: bytes) -> None:
    """A message is read, and written again as it was, or it is malformed and says where."""
    try:
        message = Message.decode(octets)
    except MalformedMessage as problem:
        _says_where(problem, len(octets))
        return
    assert message.encode() == octets
    str(message), message.describe()


def open_protected(octets: bytes) -> None:
    """The first octet is the type of the first payload, the others are the plaintext of SK."""
    whole = sealed(SPIS, NoProtection(), octets, ExchangeType.IKE_AUTH, 1, flags=0x08)
    try:
        message = Message.open(whole, NoProtection())
    except MalformedMessage as problem:
        _says_where(problem, len(whole))
        return
    assert message.seal(NoProtection(), b"", message.padding) == whole
    message.describe()


def open_esp(octets: bytes) -> None:
    """The first four octets are the Sequence Number, the others the plaintext of ESP packets."""
    for extended, inspects in product((False, True), repeat=2):
        window = ReplayWindow(64)
        sa = InboundSa(
            ESP_SPI, NoProtection(), window, extended=extended, inspects_padding=inspects
        )
        try:
            packet = sa.open(ESP_SPI + octets)
        except (Replayed, MalformedMessage):
            continue
        trailer = bytes([len(packet.padding), packet.next_header])
        assert packet.payload + packet.tfc + packet.padding + trailer == octets[4:]
        str(packet)
        _refuses_again(sa, octets)


def read_stream(octets: bytes) -> None:
    """The first octet says where a stream is cut; in two pieces it holds what it does in one."""
    cut, stream = octets[:1], octets[1:]
    at = (cut or b"\0")[0] % (len(stream) + 1)
    whole, wrong = _messages_of(stream)
    assert (whole, wrong) == _messages_of(stream[:at], stream[at:])
    if not wrong:
        reader = StreamReader(expects_prefix=True)
        assert list(reader.feed(STREAM_PREFIX + b"".join(map(framed, whole)))) == whole


def _messages_of(*pieces: bytes) -> tuple[list[bytes], str]:
    """Give the messages of a stream, and what is wrong with what follows them."""
    reader, found = StreamReader(expects_prefix=True), list[bytes]()
    try:
        for piece in pieces:
            found.extend(reader.feed(piece))
    except MalformedMessage as problem:
        _says_where(problem, sum(map(len, pieces)))
        return found, str(problem)
    return found, ""


def _says_where(problem: MalformedMessage, size: int) -> None:
    assert 0 <= problem.offset <= size, problem


def _refuses_again(sa: InboundSa, octets: bytes) -> None:
    try:
        sa.open(ESP_SPI + octets)
    except Replayed:
        return
    raise AssertionError("a packet was taken twice")


def sealed(
    spis: bytes,
    protection: Protection,
    octets: bytes,
    exchange: int,
    message_id: int,
    *,
    flags: int,
) -> bytes:
    """Build a protected message whose plaintext may be anything; ``octets`` begin with its type."""
    first, plaintext = octets[:1] or b"\0", octets[1:]
    plaintext += bytes(-len(plaintext) % protection.block_size)
    size = 4 + protection.iv_size + len(plaintext) + protection.icv_size
    head = spis + struct.pack(
        ">BBBBII", PayloadType.SK, 0x20, exchange & 0xFF, flags, message_id, HEADER_SIZE + size
    )
    head += first + struct.pack(">xH", size)
    return head + protection.seal(head, plaintext, bytes(protection.iv_size))


# An endpoint is given a script: steps of a kind (one octet), a size (one octet), and octets.


class Script:
    """Two endpoints with an IKE SA between them, to either of which anything may be sent."""

    def __init__(self) -> None:
        self._wire = Wire()
        self._wire.establish()
        self._sender, self._receiver = self._wire.both
        self._kinds: tuple[Harness, ...] = (
            self._raw,
            self._clear,
            self._protected,
            self._esp,
            self._raw_esp,
            self._wait,
            self._ask,
            self._stream,
        )

    def play(self, octets: bytes) -> None:
        """Take all steps; the lowest bit of a kind says which endpoint receives."""
        at = 0
        for _ in range(MOST_STEPS):
            if at + 2 > len(octets):
                break
            kind, size = octets[at], octets[at + 1]
            self._sender, self._receiver = self._wire.both[:: -1 if kind & 1 else 1]
            self._kinds[(kind >> 1) % len(self._kinds)](octets[at + 2 : at + 2 + size])
            at += 2 + size

    def _deliver(self, carrier: Carrier, octets: bytes, port: int = 500) -> None:
        ours = self._wire.left_connection
        ends = (ours.local, ours.remote)
        source, destination = ends if self._sender is self._wire.left else ends[::-1]
        at = port if carrier is Carrier.UDP else 0
        packet = Packet(carrier, Endpoint(source, at), Endpoint(destination, at), octets)
        self._wire.carry([packet])

    def _raw(self, octets: bytes) -> None:
        """A datagram to one of both ports."""
        self._deliver(Carrier.UDP, octets[1:], 4500 if octets[:1] > b"\x7f" else 500)

    def _clear(self, octets: bytes) -> None:
        """Payloads in clear, behind a good header: exchange, flags, Message ID, first payload."""
        if len(octets) >= 4:
            size = HEADER_SIZE + len(octets) - 4
            exchange, flags, message_id, first = octets[:4]
            head = struct.pack(">BBBBII", first, 0x20, exchange, flags, message_id, size)
            self._deliver(Carrier.UDP, self._spis(flags) + head + octets[4:])

    def _spis(self, flags: int) -> bytes:
        known = self._sender.sessions
        if not known or flags & 0x01:
            return bytes(range(8)) + bytes(8)
        return known[-1].sa.spi_i + known[-1].sa.spi_r

    def _protected(self, octets: bytes) -> None:
        """What only somebody with the keys can send: exchange, flags, then type and plaintext."""
        known = [s for s in self._sender.sessions if s.sa.keys is not None]
        if not known or len(octets) < 3:
            return
        sa = known[-1].sa
        keys = sa.established_keys()
        protection = keys.initiator if sa.initiator else keys.responder
        exchange, flags = octets[:2]
        response = flags & 0x20
        message_id = sa.expected_request_id - 1 if response else sa.next_request_id
        if response and self._receiver.sessions and self._receiver.sessions[-1].pending:
            message_id = self._receiver.sessions[-1].pending.message.message_id
        flags = response | (0x08 if sa.initiator else 0)
        whole = sealed(
            sa.spi_i + sa.spi_r,
            protection,
            octets[2:],
            exchange,
            max(message_id, 0),
            flags=flags,
        )
        if not response:
            sa.next_request_id += 1
        self._deliver(Carrier.UDP, whole)

    def _esp(self, octets: bytes) -> None:
        """A packet of a Child SA: the Next Header, then anything."""
        children = [child for s in self._sender.sessions for child in s.sa.children]
        if children and octets:
            outbound = children[-1].outbound
            iv = bytes(outbound.protection.iv_size)
            self._deliver(Carrier.ESP, outbound.seal(octets[0], octets[1:], iv))

    def _raw_esp(self, octets: bytes) -> None:
        self._deliver(Carrier.ESP, octets)

    def _stream(self, octets: bytes) -> None:
        """Octets of a TCP connection, the same one for all steps of a side."""
        ours = self._wire.left_connection
        ends = [Endpoint(each, 4500, Carrier.TCP) for each in (ours.local, ours.remote)]
        source, destination = ends if self._sender is self._wire.left else ends[::-1]
        self._wire.carry([Packet(Carrier.TCP, source, destination, octets)])

    def _wait(self, octets: bytes) -> None:
        self._wire.wait(octets[0] if octets else 1)

    def _ask(self, octets: bytes) -> None:
        """The receiver starts an exchange of its own; what it sends is lost for the others."""
        wire, endpoint = self._wire, self._receiver
        connection = wire.left_connection if endpoint is wire.left else wire.right_connection
        wish = (octets[0] if octets else 0) % 5
        lost = octets[1:2] > b"\x7f"
        packets = (
            lambda: endpoint.initiate(connection, wire.now),
            lambda: endpoint.rekey_child(connection, wire.now),
            lambda: endpoint.rekey_ike(connection, wire.now),
            lambda: endpoint.delete(connection, wire.now, child_only=True),
            lambda: endpoint.echo(connection, wire.now),
        )[wish]()
        if not lost:
            wire.carry(packets)


def endpoint(octets: bytes) -> None:
    """Play a script; packets are answered, counted as drops, or end an SA, and nothing else."""
    Script().play(octets)


@cache
def _certified() -> tuple[x509.Certificate, x509.Certificate, bytes, bytes]:
    """Give a certificate and its CA's, an OCSP response and a CRL."""
    authority = Authority(0.0)
    scheme = schemes.ECDSA[HashAlgorithm.SHA2_256]
    chain = authority.credential(fqdn("a.test"), KeyType.ECDSA_P256, scheme).chain
    certificate, issuer = map(certificates.load, chain)
    return certificate, issuer, authority.ocsp_response(chain[0]), authority.crl()


def revoke(octets: bytes) -> None:
    """An OCSP response or a CRL, whatever it is, says something or is doubtful."""
    certificate, issuer, *_ = _certified()
    for evidence in (
        revocation.of_response(octets, certificate, issuer, revocation.Sources()),
        revocation.of_crl(octets, certificate, issuer, 0.0),
    ):
        assert evidence.doubts or evidence.status is not revocation.Status.REVOKED


HARNESSES: dict[str, Harness] = {
    "decode": decode,
    "open": open_protected,
    "esp": open_esp,
    "stream": read_stream,
    "endpoint": endpoint,
    "revoke": revoke,
}


# Where a fuzzer starts from: our own messages.


@cache
def seeds(name: str) -> tuple[bytes, ...]:
    """Give the seed corpus of a harness."""
    return tuple(_SEEDS[name]())


def _messages() -> Iterator[Message]:
    from suites.selftest.codec_samples import messages_of_each_kind

    yield from messages_of_each_kind(4)


def _decode_seeds() -> Iterator[bytes]:
    for message in _messages():
        yield message.encode()


def _open_seeds() -> Iterator[bytes]:
    for message in _messages():
        octets = message.encode()
        yield octets[16:17] + octets[HEADER_SIZE:] + b"\0"
        yield octets[16:17] + octets[HEADER_SIZE:] + b"\0\0\2"


def _esp_seeds() -> Iterator[bytes]:
    from suites.selftest.codec_samples import INNER

    for next_header, octets in INNER:
        for padding in (b"", b"\1\2", bytes(range(1, 256))):
            yield bytes([0, 0, 0, 1]) + octets + padding + bytes([len(padding), next_header])


def _stream_seeds() -> Iterator[bytes]:
    for message in _messages():
        octets = framed(NON_ESP_MARKER + message.encode())
        yield bytes([len(octets) // 2]) + STREAM_PREFIX + octets + framed(b"") + framed(KEEPALIVE)
    yield b"\3" + STREAM_PREFIX + b"\0\1"


def _endpoint_seeds() -> Iterator[bytes]:
    from suites.selftest.codec_samples import INNER

    def step(kind: int, octets: bytes) -> bytes:
        return bytes([kind, min(len(octets), 255)]) + octets[:255]

    for message in _messages():
        octets = message.encode()
        inside = octets[16:17] + octets[HEADER_SIZE:] + b"\0"
        for side in (0, 1):
            yield step(side, b"\0" + octets)
            stream = STREAM_PREFIX + framed(NON_ESP_MARKER + octets)
            yield step(14 | side, stream[:90]) + step(14 | side, stream[90:]) + step(14 | side, b"")
            yield step(2 | side, bytes([message.exchange, 8, 0]) + inside[:-1])
            yield step(4 | side, bytes([message.exchange, 0]) + inside)
            yield step(12 | side, b"\1\xff") + step(4 | side, bytes([36, 0x20]) + inside)
    for next_header, octets in INNER:
        yield step(6, bytes([next_header]) + octets) + step(10, b"\5")
    for wish in range(5):
        yield step(12, bytes([wish, 0])) + step(13, bytes([wish, 0xFF])) + step(10, b"\x20")


def _revoke_seeds() -> Iterator[bytes]:
    _, _, *octets = _certified()
    yield from octets


_SEEDS: dict[str, Callable[[], Iterator[bytes]]] = {
    "decode": _decode_seeds,
    "open": _open_seeds,
    "esp": _esp_seeds,
    "stream": _stream_seeds,
    "endpoint": _endpoint_seeds,
    "revoke": _revoke_seeds,
}
