"""What every target offers to a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from peers.reference.child import ChildSa
from peers.reference.connection import Connection, IPNetwork, Mode
from peers.reference.events import IPAddress
from peers.reference.payloads import Proposal

__all__ = [
    "Capability",
    "ChildSaState",
    "Connection",
    "IPNetwork",
    "IkeSaState",
    "KeyedByHand",
    "Mode",
    "Target",
    "TargetInfo",
]


class Capability(Enum):
    """A feature that a target may lack; declared by the adapter and probed at start."""

    IPV6 = "IPv6"
    TRANSPORT_MODE = "transport mode"
    CHACHA20_POLY1305 = "ChaCha20-Poly1305 in IKE and ESP"
    COOKIE_CHALLENGE = "cookie challenge on demand"
    INITIATOR = "can be told to initiate"
    ESP_COUNTERS = "counters of ESP drops"
    IKE = "IKEv2"
    KEYED_BY_HAND = "Child SAs keyed by hand"
    SETTABLE_COUNTER = "a sequence number counter that can be set"
    TFC_PADDING = "TFC padding of what it sends"
    LEGACY_ECDSA = "ECDSA by the methods 9 to 11 (RFC 4754)"
    RSA_PKCS1_SHA2 = "RSASSA-PKCS1-v1_5 with SHA-2 in method 14 (RFC 7427)"
    EDDSA = "Ed25519 and Ed448 (RFC 8420)"
    CRL_LOADED = "CRLs loaded while it runs"
    PPK = "post-quantum preshared keys (RFC 8784)"
    WINDOW = "a window of more than one request"
    MESSAGE_ID_REPORTS = "reports of Message IDs outside the window"
    ADDITIONAL_KEY_EXCHANGES = "several key exchanges, in IKE_INTERMEDIATE (RFC 9242, RFC 9370)"
    MOVES = "can lose the address that it is at, and go on from another one"
    REDIRECTING = "redirects initiators (RFC 5685)"
    CHILDLESS_SETTING = "can be told when IKE_AUTH goes without a Child SA (RFC 6023)"
    SESSION_RESUMPTION = "session resumption (RFC 5723)"
    SUSPENSION = "a session that can be interrupted, to be resumed (RFC 5723)"
    OPAQUE_PORTS = "traffic selectors for packets whose ports are not known"
    MESSAGE_ID_SYNC = "Message IDs set anew after a failover (RFC 6311)"
    EAP_MD5 = "EAP-MD5 (RFC 3748)"
    EAP_MSCHAPV2 = "EAP-MSCHAPv2"
    EAP_TLS = "EAP-TLS (RFC 5216)"
    EAP_INITIATOR = "EAP as initiator"
    ON_DEMAND = "begins when a packet wants it"
    HASH_AND_URL = "certificates looked up at URLs (RFC 7296, 3.6)"
    TCP = "IKE and ESP over TCP (RFC 9329)"
    CRL_IN_CERT = "CRLs in CERT payloads (RFC 7296, 3.6)"
    OCSP_IN_CERT = "OCSP responses in CERT payloads (RFC 4806)"
    NULL_AUTHENTICATION = "NULL authentication (RFC 7619)"


OF_DAEMONS = frozenset(Capability) - {
    Capability.KEYED_BY_HAND,
    Capability.SETTABLE_COUNTER,
    Capability.WINDOW,
    Capability.MESSAGE_ID_REPORTS,
}
"""What an adapter of an IKE daemon may declare: its Child SAs come of exchanges.

Neither charon nor pluto ever takes more than one request at a time, or reports a Message ID.
"""


@dataclass(frozen=True, slots=True)
class ChildSaState:
    """A Child SA as the target lists it: SPIs are 4 octets, counts are packets."""

    inbound_spi: bytes
    outbound_spi: bytes
    mode: Mode
    packets_in: int
    packets_out: int


@dataclass(frozen=True, slots=True)
class IkeSaState:
    """An IKE SA as the target lists it.

    SPIs are 8 octets, or empty where the target does not tell them (Libreswan).
    """

    initiator_spi: bytes
    responder_spi: bytes
    established: bool
    children: tuple[ChildSaState, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetInfo:
    """What the report says about a target. ``kernel`` names who does its ESP."""

    name: str
    version: str
    kernel: str
    image: str = ""
    notes: tuple[str, ...] = ()


class KeyedByHand(Protocol):
    """What a target with the capabilities KEYED_BY_HAND and SETTABLE_COUNTER offers besides."""

    def install(self, connection: Connection, child: ChildSa) -> str:
        """Key a Child SA by hand; ``child`` is the target's side. Return what was configured."""

    def set_counters(self, connection: Connection, sent: int, received: int) -> None:
        """Let the SA go on after those sequence numbers, the last of each direction."""


class Moves(Protocol):
    """What a target with the capability MOVES offers besides."""

    def second_address(self, family: int) -> IPAddress:
        """Get another address (4 or 6), for a connection that is to begin there."""

    def leave(self, connection: Connection) -> None:
        """Lose the address that a connection is at; nothing happens where it is lost already."""


class Target(Protocol):
    """An implementation under test. Errors of the adapter or the lab are ``Inconclusive``."""

    info: TargetInfo
    capabilities: frozenset[Capability]

    def addresses(self) -> Sequence[IPAddress]:
        """Give the target's own addresses: one IPv4, and one IPv6 where the lab has it."""

    def network_behind(self, family: int) -> IPNetwork:
        """Give a network (4 or 6) behind the target, with a host ``[1]`` that answers echoes."""

    def lacks(self, proposal: Proposal) -> str:
        """Name what it has no algorithm for in a proposal, declared and probed; else "".

        A proposal for ESP is also its kernel's.
        """

    def configure(self, connection: Connection) -> str:
        """Load a connection; return the rendered configuration, as kept in the evidence."""

    def forget(self, connection: Connection) -> None:
        """Unload a connection and drop its SAs without telling the peer more than need be."""

    def initiate(self, connection: Connection) -> None:
        """Start the initial exchanges towards the peer; do not wait for their end."""

    def rekey_ike(self, connection: Connection) -> None:
        """Start a rekey of the connection's IKE SA."""

    def create_child(self, connection: Connection, name: str) -> None:
        """Start the exchange for one more Child SA, by the name of its policy."""

    def rekey_child(self, connection: Connection, name: str = "") -> None:
        """Start a rekey of the newest Child SA of that policy, by default the first."""

    def suspend(self, connection: Connection) -> None:
        """Interrupt the connection's session; `initiate` resumes it (RFC 5723)."""

    def delete_ike(self, connection: Connection) -> None:
        """Start the deletion of the connection's IKE SA."""

    def delete_child(self, connection: Connection, name: str = "") -> None:
        """Start the deletion of the newest Child SA of that policy, by default the first."""

    def echo(self, connection: Connection, name: str = "") -> None:
        """Make the target's side send one ICMP echo request through the Child SA of a policy."""

    def challenge_with_cookies(self, enabled: bool) -> None:
        """Make the target answer every IKE_SA_INIT request without a cookie with a challenge."""

    def sas(self, connection: Connection) -> Sequence[IkeSaState]:
        """List the connection's IKE SAs, half-open ones too."""

    def counters(self) -> Mapping[str, int]:
        """Read the target's counters of dropped ESP packets, by the target's own names."""

    def log(self, start: float, end: float) -> str:
        """Give the target's log between two times (seconds since the epoch)."""

    def restart(self) -> None:
        """Restart the daemon and wait until it answers its control interface."""

    def reachable(self) -> bool:
        """Say whether the machine that the daemon runs on answers; `restart` starts it anew."""

    def alive(self) -> bool:
        """Say whether the daemon still runs as the process that was started."""
