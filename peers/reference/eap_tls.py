"""EAP-TLS, both ends (RFC 5216; RFC 9190 for TLS 1.3), by OpenSSL over octets in memory.

OpenSSL draws its own random numbers. Certificates are judged as those of IKE are, not by OpenSSL.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from enum import IntFlag

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate
from OpenSSL import SSL

from peers.reference import certificates
from peers.reference.credentials import EapTls, Signature
from peers.reference.decisions_eap import EapDecisions
from peers.reference.eap import EapPacket
from peers.reference.errors import AuthenticationFailure, MalformedMessage
from peers.reference.identity import Identity
from peers.reference.numbers import EapType
from peers.reference.revocation import Sources
from peers.reference.signatures import private_key

MOST_OCTETS = 1 << 16
"""Octets of TLS that the other side may send in fragments before they have to be whole."""

COMMITMENT = b"\0"
"""What a server says under TLS 1.3 when it will send no more (RFC 9190, 2.5)."""


LEGACY_SERVER_CONNECT = 0x4
"""OpenSSL's option to take a server that does not know of RFC 5746; nothing is renegotiated."""


class Flag(IntFlag):
    """The octet after the EAP type (RFC 5216, 3.1)."""

    LENGTH = 0x80
    MORE = 0x40
    START = 0x20


def read(data: bytes) -> tuple[Flag, bytes]:
    """Read what stands after the type; MalformedMessage when it is too short."""
    if not data:
        raise MalformedMessage(0, "EAP-TLS without flags")
    flags = Flag(data[0] & 0xE0)
    start = 5 if Flag.LENGTH in flags else 1
    if len(data) < start:
        raise MalformedMessage(len(data), "EAP-TLS without the length that its flags tell of")
    return flags, data[start:]


def fragments(octets: bytes, width: int) -> Iterator[bytes]:
    """Cut a flight of TLS; the first of several fragments tells the whole length."""
    size = len(octets)
    for at in range(0, size or 1, width):
        more = at + width < size
        flags = Flag.MORE if more else Flag(0)
        length = b""
        if more and at == 0:
            flags, length = flags | Flag.LENGTH, size.to_bytes(4, "big")
        yield bytes([flags]) + length + octets[at : at + width]


class _End:
    """One end of TLS: flights in, flights out, in fragments; ``complete`` after the handshake."""

    type = EapType.TLS
    mutual = True

    def __init__(
        self,
        ends: tuple[Signature, Signature],
        identity: Identity,
        now: float,
        decide: EapDecisions,
        *,
        server: bool,
    ) -> None:
        ours, theirs = ends
        self._decide = decide
        self.msk = b""
        self.complete = False
        self._identity = identity
        self._trust = certificates.Trust(theirs.anchors, Sources(theirs.crls, now=now))
        self._incoming = b""
        self._outgoing: deque[bytes] = deque()
        self._server = server
        self._tls = SSL.Connection(_context(ours, theirs), None)
        if server:
            self._tls.set_accept_state()
        else:
            self._tls.set_connect_state()

    @property
    def is_version_3(self) -> bool:
        """Say whether TLS 1.3 was agreed on."""
        return self._tls.get_protocol_version_name() == "TLSv1.3"

    def take(self, data: bytes) -> bytes:
        """Take a packet in; give the next one, which may be empty but for its flags."""
        flags, octets = read(data)
        if self._decide.minds_reserved_flags(data[0]):
            raise MalformedMessage(0, "reserved flags are set")
        if self._outgoing and not octets and Flag.MORE not in flags:
            return self._outgoing.popleft()
        self._incoming = self._decide.joins(self._incoming, octets)
        if len(self._incoming) > MOST_OCTETS:
            raise MalformedMessage(0, f"more than {MOST_OCTETS} octets of TLS")
        if Flag.MORE in flags:
            return bytes(1)
        flight, self._incoming = self._incoming, b""
        width = self._decide.tls_fragment_size()
        self._outgoing.extend(fragments(self._drive(flight), width))
        return self._outgoing.popleft()

    def _drive(self, flight: bytes) -> bytes:
        if flight:
            self._tls.bio_write(flight)
        try:
            if not self.complete:
                self._tls.do_handshake()
                self._finish()
        except SSL.WantReadError:
            pass
        except SSL.Error as error:
            raise AuthenticationFailure(f"TLS: {error}") from error
        return self._pending()

    def _finish(self) -> None:
        self._judge()
        self.complete = True
        if self.is_version_3:
            label, context = b"EXPORTER_EAP_TLS_Key_Material", bytes([EapType.TLS])
            material = self._tls.export_keying_material(label, 128, context)
        else:
            material = self._tls.export_keying_material(b"client EAP encryption", 128)
        self.msk = material[:64]
        if self._server and self.is_version_3:
            self._tls.send(COMMITMENT)

    def _judge(self) -> None:
        first = self._tls.get_peer_certificate(as_cryptography=True)
        if first is None:
            raise AuthenticationFailure("no certificate came in TLS")
        # A server is given the chain without the first one, a client with it.
        rest = self._tls.get_peer_cert_chain(as_cryptography=True) or []
        chain = [
            certificates.load(each.public_bytes(Encoding.DER))
            for each in (first, *(each for each in rest if each != first))
        ]
        for objection, certificate in certificates.objections(chain, self._identity, self._trust):
            if self._decide.overlooks_in_tls(objection):
                continue
            subject = certificate.subject.rfc4514_string()
            raise AuthenticationFailure(f"certificate of {subject} in TLS: {objection.value}")

    def _pending(self) -> bytes:
        octets = b""
        try:
            while True:
                octets += self._tls.bio_read(MOST_OCTETS)
        except SSL.WantReadError:
            return octets

    def heard_commitment(self) -> bool:
        """Say whether the server has said under TLS 1.3 that it will send no more."""
        try:
            return self._tls.recv(1) == COMMITMENT
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            raise AuthenticationFailure(f"TLS: {error}") from error


class TlsPeer(_End):
    """The initiator's end: the TLS client."""

    def __init__(
        self, credential: EapTls, server: Identity, now: float, decide: EapDecisions
    ) -> None:
        ends = credential.client, credential.server
        super().__init__(ends, server, now, decide, server=False)
        self.done = False

    def answer(self, packet: EapPacket) -> bytes:
        """Answer a request: a flight, or the acknowledgement of one."""
        response = self.take(packet.data)
        if self.complete and not self.done:
            self.done = not self.is_version_3 or self.heard_commitment()
        return response


class TlsServer(_End):
    """The responder's end: the TLS server."""

    def __init__(
        self, credential: EapTls, client: Identity, now: float, decide: EapDecisions
    ) -> None:
        ends = credential.server, credential.client
        super().__init__(ends, client, now, decide, server=True)

    def start(self) -> bytes:
        """Build EAP-TLS Start."""
        return bytes([Flag.START])

    def hear(self, packet: EapPacket) -> bytes | bool:
        """Take a response in; the last one only acknowledges our last flight."""
        was_complete = self.complete
        request = self.take(packet.data)
        if was_complete and len(request) == 1:
            return True
        return request


def _context(ours: Signature, theirs: Signature) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_TICKET | LEGACY_SERVER_CONNECT)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    first, *rest = [load_der_x509_certificate(each) for each in ours.chain]
    context.use_certificate(first)
    for each in rest:
        context.add_extra_chain_cert(each)
    context.use_privatekey(private_key(ours.key))
    # Everything is let through here: _judge sees the chain after the handshake.
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    for anchor in theirs.anchors:
        context.add_client_ca(load_der_x509_certificate(anchor))
    return context
