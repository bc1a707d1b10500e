"""What happened in a conversation: the record that every piece of evidence is written from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from peers.reference.esp import EspPacket
    from peers.reference.ip import IpPacket
    from peers.reference.keys import ChildKeys, IkeKeys
    from peers.reference.message import Message

IPAddress = IPv4Address | IPv6Address


class Carrier(Enum):
    """What an IP packet of ours carries."""

    ICMP = 1
    TCP = 6
    UDP = 17
    ESP = 50
    ICMPV6 = 58


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and, for UDP or TCP (``transport``), a port (0 for all else)."""

    address: IPAddress
    port: int = 0
    transport: Carrier = Carrier.UDP

    def __str__(self) -> str:
        if not self.port:
            return str(self.address)
        address = f"[{self.address}]" if isinstance(self.address, IPv6Address) else self.address
        return f"{address}:{self.port}{'/tcp' if self.transport is Carrier.TCP else ''}"


Ends = tuple[Endpoint, Endpoint]
"""Two ends of a way: one's own, or the source, and the other one."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One UDP datagram, ESP or ICMP packet; ``octets`` is what follows the UDP or IP header.

    Over TCP it is one message of the stream (RFC 9329, 3); on a link, which knows no messages,
    octets of the stream as they were written or read, and none where the connection is closed.
    ``traffic_class`` is that octet of the IP header: DSCP, then ECN in the last two bits.
    """

    carrier: Carrier
    source: Endpoint
    destination: Endpoint
    octets: bytes
    traffic_class: int = 0


@dataclass(frozen=True, slots=True)
class Keepalive:
    """A NAT-keepalive (RFC 3948, 2.3): it says nothing, and keeps the mapping of a NAT alive."""

    def __str__(self) -> str:
        return "NAT-keepalive"


Decoded = Union["Message", "EspPacket", "IpPacket", Keepalive]
"""What a packet can hold: an IKE message, ESP, a keepalive, or an echo in the clear."""


@dataclass(frozen=True, slots=True)
class Transmission:
    """A packet that crossed the link. ``time`` is in seconds since the epoch.

    ``decoded`` is what we make of it: None with a ``problem`` that says why not. ``fault`` names
    the deliberate error in a packet of ours.
    """

    time: float
    sent: bool
    packet: Packet
    decoded: Decoded | None = None
    problem: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class IkeKeysDerived:
    """Keys of an IKE SA, as the Wireshark table ``ikev2_decryption_table`` wants them."""

    time: float
    keys: IkeKeys


@dataclass(frozen=True, slots=True)
class ChildKeysDerived:
    """Keys of both directions of a Child SA, as the Wireshark table ``esp_sa`` wants them."""

    time: float
    keys: ChildKeys


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence of the script's or of a target's: what is about to be judged, what was done."""

    time: float
    text: str


Event = Transmission | IkeKeysDerived | ChildKeysDerived | Remark
