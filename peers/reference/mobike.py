"""MOBIKE: the outer addresses of an IKE SA and of its Child SAs change (RFC 4555).

What both the endpoint and the scripted peer use: notifies to write and to read, and what an IKE SA
knows of the other side's addresses. The initiator here is who began the first of a series of IKE
SAs, whoever rekeyed it since (1.3).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from peers.reference.errors import PeerError
from peers.reference.events import Endpoint, IPAddress
from peers.reference.message import Message
from peers.reference.nat import detection_payloads
from peers.reference.numbers import NotifyType
from peers.reference.payloads import Notify

if TYPE_CHECKING:
    from peers.reference.sa import IkeSa

COOKIE2_SIZE = 16
"""Octets of a COOKIE2 of ours; 8 to 64 are allowed (4.2.5)."""

SIZES = {NotifyType.ADDITIONAL_IP4_ADDRESS: 4, NotifyType.ADDITIONAL_IP6_ADDRESS: 16}
KINDS = {4: NotifyType.ADDITIONAL_IP4_ADDRESS, 6: NotifyType.ADDITIONAL_IP6_ADDRESS}

Way = tuple[Endpoint, Endpoint]
"""Our end and the other one."""


@dataclass(slots=True)
class Mobility:
    """What an IKE SA has besides when both sides support MOBIKE.

    ``decides`` says whether the choice of addresses is ours: who began the first IKE SA has it
    (2.1). ``addresses`` are the other side's besides the one in use, ``esp`` the way that ESP goes
    still, in UDP or not, while another one of the IKE SA is not settled.
    """

    decides: bool
    addresses: tuple[IPAddress, ...] = ()
    esp: tuple[Way, bool] | None = None


def note(sa: IkeSa, message: Message) -> None:
    """Take from the other side's IKE_AUTH message whether MOBIKE is used, if we want it (3.2).

    PeerError when an address in it is none.
    """
    if sa.connection.mobike and NotifyType.MOBIKE_SUPPORTED in message.notifies:
        sa.mobility = Mobility(sa.initiator, addresses_in(message) or ())


def announcements(sa: IkeSa) -> tuple[Notify, ...]:
    """Give what an IKE_AUTH message of ours says: support, and our other addresses (3.2, 3.4).

    A responder says so to who said so.
    """
    if not sa.connection.mobike or not (sa.initiator or sa.mobility):
        return ()
    more = sa.connection.more_addresses
    return (
        Notify(NotifyType.MOBIKE_SUPPORTED),
        *(address_list(more) if more else ()),
        *(prohibition(sa) if sa.initiator else ()),
    )


def address_list(addresses: Iterable[IPAddress]) -> tuple[Notify, ...]:
    """List all addresses but the one in the IP header; say so when there are none (3.6)."""
    listed = tuple(Notify(KINDS[each.version], each.packed) for each in addresses)
    return listed or (Notify(NotifyType.NO_ADDITIONAL_ADDRESSES),)


def addresses_in(message: Message) -> tuple[IPAddress, ...] | None:
    """Read a list of addresses; None where a message has none. PeerError for a wrong size."""
    notifies = [each for each in message.all(Notify) if each.notify_type in SIZES]
    for each in notifies:
        if len(each.data) != SIZES[NotifyType(each.notify_type)]:
            raise PeerError(f"{each.notify_type!s} with {len(each.data)} octets")
    if not notifies and NotifyType.NO_ADDITIONAL_ADDRESSES not in message.notifies:
        return None
    return tuple(ip_address(each.data) for each in notifies)


def no_nats_allowed(source: Endpoint, destination: Endpoint) -> Notify:
    """Say between which addresses and ports a packet was sent (4.2.6)."""
    addresses = source.address.packed + destination.address.packed
    ports = source.port.to_bytes(2, "big") + destination.port.to_bytes(2, "big")
    return Notify(NotifyType.NO_NATS_ALLOWED, addresses + ports)


def prohibition(sa: IkeSa) -> tuple[Notify, ...]:
    """Give what forbids NATs where NAT traversal is not used: then addresses count (3.9)."""
    return () if sa.nat.supported else (no_nats_allowed(sa.local, sa.remote),)


def is_as_sent(message: Message, source: Endpoint, destination: Endpoint) -> bool:
    """Say whether a message came the way that it says it went, if it says so (3.9)."""
    notify = message.find_notify(NotifyType.NO_NATS_ALLOWED)
    return notify is None or notify.data == no_nats_allowed(source, destination).data


def update(sa: IkeSa, cookie: bytes = b"") -> tuple[Notify, ...]:
    """Ask the other side to use the addresses of the IKE SA from now on (3.5)."""
    return (
        Notify(NotifyType.UPDATE_SA_ADDRESSES),
        *probe(sa),
        *prohibition(sa),
        *((Notify(NotifyType.COOKIE2, cookie),) if cookie else ()),
    )


def probe(sa: IkeSa) -> tuple[Notify, ...]:
    """Ask whether there is a NAT on the way, where both sides traverse them (3.8)."""
    if not sa.nat.supported:
        return ()
    return detection_payloads((sa.spi_i, sa.spi_r), sa.local, sa.remote, sa.claim)


def probe_answer(sa: IkeSa, request: Message, way: Way) -> tuple[Notify, ...]:
    """Answer NAT detection in an INFORMATIONAL request, for the way that it came (3.8)."""
    if NotifyType.NAT_DETECTION_SOURCE_IP not in request.notifies:
        return ()
    return detection_payloads((sa.spi_i, sa.spi_r), *way, sa.claim)


def copied_cookie(request: Message) -> tuple[Notify, ...]:
    """Copy a COOKIE2 as it is (3.7)."""
    cookie = request.find_notify(NotifyType.COOKIE2)
    return () if cookie is None else (cookie,)


def returns_cookie(request: Message, response: Message) -> bool:
    """Say whether a response has the COOKIE2 of the request (3.7)."""
    return copied_cookie(request) == copied_cookie(response)
