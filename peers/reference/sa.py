"""An IKE SA as one side holds it: SPIs, keys, message IDs, and what protects its messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from peers.reference import states
from peers.reference.child import ChildSa
from peers.reference.connection import Connection
from peers.reference.credentials import Ppk
from peers.reference.errors import PeerError, ScriptError
from peers.reference.events import Carrier, Endpoint, IPAddress
from peers.reference.fragments import sealed_size, split
from peers.reference.intermediate import Intermediate
from peers.reference.ip import IpPacket
from peers.reference.key_exchange import KeyExchange
from peers.reference.keys import IkeKeys
from peers.reference.message import Message
from peers.reference.mobike import Mobility
from peers.reference.nat import NOT_DETECTED, Claim
from peers.reference.negotiation import Suite
from peers.reference.numbers import ExchangeType
from peers.reference.payloads import CERTREQ, SK, SKF, Payload
from peers.reference.states import State

if TYPE_CHECKING:
    from peers.reference.crypto import Protection

Random = Callable[[int], bytes]
"""Gives that many unpredictable octets."""

Datagrams = tuple[bytes, ...]
"""An IKE message as it goes out: one datagram, or one for each fragment (RFC 7383)."""

NO_SPI = bytes(8)
FIRST_EXCHANGES = frozenset({ExchangeType.IKE_SA_INIT, ExchangeType.IKE_SESSION_RESUME})
"""Those that an IKE SA begins with, in clear (RFC 7296, 1.2; RFC 5723, 4.3.2)."""


class IkeSa:
    """One IKE SA from one side's point of view (RFC 7296, 2.2 and 2.6).

    ``initiator`` says whether this side started the SA, ``original_initiator`` whether it started
    the first one of those that were rekeyed to it. ``request_octets`` and
    ``response_octets`` are the IKE_SA_INIT messages as they were sent: AUTH signs them (2.15),
    and a responder knows the request again by its octets (2.1).
    ``peer_hashes`` are the hash algorithms that the other side announced, if it did (RFC 7427, 4);
    ``peer_looks_up`` says whether it looks certificates up at URLs (RFC 7296, 3.6);
    ``peer_requests`` are its CERTREQ payloads (3.7).
    ``peer_uses_ppk`` says that the other side sent USE_PPK, ``ppk`` is the one mixed into the keys,
    and ``keys_without_ppk`` are those before it was, until the SA is established (RFC 8784).
    ``msk`` is the key that EAP made, None where its method makes none (2.16).
    ``fragments`` is whether both sides take fragments (RFC 7383, 2.3).
    ``assigned`` are the addresses that one side has assigned to the other (2.19).
    ``local`` and ``remote`` are where it speaks from and to, ``nat`` is what was detected between
    the two, ``claim`` what this side pretends (2.23). ``mobility`` is there when both sides support
    MOBIKE (RFC 4555, 3.2), ``synchronizes`` when both set Message IDs anew after a failover
    (RFC 6311), ``resumed`` when a ticket made it (RFC 5723), ``childless`` when the responder said
    that IKE_AUTH may come without a Child SA (RFC 6023), ``redirectable`` when the initiator said
    that it follows (RFC 5685, 3).
    ``intermediate`` are the exchanges between IKE_SA_INIT and IKE_AUTH, where they were agreed on
    (RFC 9242).
    ``because_of`` is the packet that it was begun for, until it is established (2.9).
    ``key_exchange`` is the initiator's half of one under way, ``shared`` its secret once agreed.
    """

    __slots__ = (
        "assigned",
        "because_of",
        "childless",
        "children",
        "claim",
        "connection",
        "expected_request_id",
        "fragments",
        "initiator",
        "intermediate",
        "key_exchange",
        "keys",
        "keys_without_ppk",
        "local",
        "mobility",
        "msk",
        "nat",
        "next_request_id",
        "nonce",
        "original_initiator",
        "peer_hashes",
        "peer_looks_up",
        "peer_nonce",
        "peer_requests",
        "peer_uses_ppk",
        "ppk",
        "random",
        "redirectable",
        "remote",
        "request_octets",
        "response_octets",
        "resumed",
        "shared",
        "spi_i",
        "spi_r",
        "state",
        "suite",
        "synchronizes",
    )

    def __init__(
        self,
        connection: Connection,
        *,
        initiator: bool,
        local: Endpoint,
        remote: Endpoint,
        random: Random,
        spi_i: bytes = NO_SPI,
        spi_r: bytes = NO_SPI,
    ) -> None:
        self.connection = connection
        self.initiator = initiator
        self.local = local
        self.remote = remote
        self.random = random
        self.spi_i = random(8) if initiator and spi_i == NO_SPI else spi_i
        self.spi_r = spi_r if initiator else random(8)
        self.state = State.NEW
        self.nonce = random(32)
        self.peer_nonce = b""
        self.key_exchange: KeyExchange | None = None
        self.shared = b""
        self.suite: Suite | None = None
        self.peer_hashes: tuple[int, ...] | None = None
        self.peer_looks_up = False
        self.peer_requests: tuple[CERTREQ, ...] = ()
        self.peer_uses_ppk = False
        self.ppk: Ppk | None = None
        self.keys_without_ppk: IkeKeys | None = None
        self.because_of: IpPacket | None = None
        self.msk: bytes | None = b""
        self.fragments = False
        self.request_octets = b""
        self.response_octets = b""
        self.keys: IkeKeys | None = None
        self.intermediate: Intermediate | None = None
        self.children: list[ChildSa] = []
        self.assigned: tuple[IPAddress, ...] = ()
        self.next_request_id = 0
        self.expected_request_id = 0
        self.nat = NOT_DETECTED
        self.mobility: Mobility | None = None
        self.synchronizes = False
        self.resumed = False
        self.childless = False
        self.redirectable = False
        self.original_initiator = initiator
        self.claim = Claim.OURS if connection.claims_nat else Claim.NOTHING

    def __str__(self) -> str:
        return f"IKE SA {self.spi_i.hex()}_i {self.spi_r.hex()}_r"

    @property
    def traverses_nat(self) -> bool:
        """Say whether everything goes over port 4500, ESP too: a NAT was detected or is claimed."""
        return self.nat.found or bool(self.claim)

    @property
    def encapsulates(self) -> bool:
        """Say whether ESP goes between the ports of IKE: over TCP always, over UDP with a NAT."""
        return self.local.transport is Carrier.TCP or self.traverses_nat

    def move(self, event: states.Event) -> None:
        """Follow the state table."""
        self.state = states.after(self.state, event)

    def authenticated(self) -> None:
        """Follow the state table, and forget what only the initial exchanges needed (2.12)."""
        self.move(states.Event.AUTHENTICATE)
        self.key_exchange = None
        self.keys_without_ppk = None
        self.because_of = None
        self.intermediate = None
        self.shared = self.msk = b""
        self.nonce = self.peer_nonce = self.response_octets = b""
        if self.initiator:
            self.request_octets = b""

    def established_keys(self) -> IkeKeys:
        """Give the keys; ScriptError before IKE_SA_INIT has been completed."""
        if self.keys is None:
            raise ScriptError(f"{self} has no keys yet")
        return self.keys

    def nonces(self) -> tuple[bytes, bytes]:
        """Give Ni and Nr of the exchange that made this SA."""
        mine_first = (self.nonce, self.peer_nonce)
        return mine_first if self.initiator else (self.peer_nonce, self.nonce)

    def request(self, exchange: ExchangeType, *payloads: Payload) -> Message:
        """Build the next request of ours; the first of all is not protected."""
        return Message(
            self.spi_i,
            self.spi_r,
            exchange,
            initiator=self.initiator,
            response=False,
            message_id=self.next_request_id,
            payloads=payloads,
            protected=exchange not in FIRST_EXCHANGES,
        )

    def encode(self, message: Message) -> bytes:
        """Turn a message of ours into octets, sealed with our keys when it is protected."""
        if not message.protected:
            return message.encode()
        protection = self._own_protection()
        return message.seal(protection, self.random(protection.iv_size))

    def datagrams(self, message: Message) -> Datagrams:
        """Do `encode` for each of its `parts`."""
        return tuple(map(self.encode, self.parts(message)))

    def parts(self, message: Message) -> tuple[Message, ...]:
        """Give the fragments of a message that is larger than the connection allows; else itself.

        Only what is protected can be split, and only where both sides take fragments (RFC 7383).
        TCP needs none (RFC 9329, 7.5).
        """
        size = self.connection.fragment_size if self.local.transport is Carrier.UDP else 0
        if not self.fragments or not size or not message.protected or message.fragment:
            return (message,)
        protection = self._own_protection()
        if sealed_size(message, protection) <= size:
            return (message,)
        return split(message, protection, size)

    def _own_protection(self) -> Protection:
        keys = self.established_keys()
        return keys.initiator if self.initiator else keys.responder

    def decode(self, octets: bytes) -> Message:
        """Read a message of the other side, opened with its keys when it is protected.

        A fragment stays one (RFC 7383). Raises MalformedMessage, IntegrityFailure, or PeerError
        when it is protected and there are no keys.
        """
        message = Message.decode(octets)
        if not message.has(SK) and not message.has(SKF):
            return message
        if self.keys is None:
            raise PeerError("a protected message before there are keys")
        # Former keys belong to exchanges of the initiator; the responder counts its own requests.
        asked_by_initiator = message.response == self.initiator
        former = self.intermediate.generations if self.intermediate and asked_by_initiator else {}
        keys = former.get(message.message_id, self.keys)
        protection = keys.responder if self.initiator else keys.initiator
        return message.opened(octets, protection)

    def child(self, spi: bytes) -> ChildSa | None:
        """Find the Child SA whose inbound or outbound SPI this is."""
        return next((child for child in self.children if spi in child.spis()), None)
