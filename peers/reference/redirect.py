"""REDIRECT: a responder that sends its clients to another one (RFC 5685). The notifies."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from peers.reference.errors import MalformedMessage, PeerError
from peers.reference.events import IPAddress
from peers.reference.message import Message
from peers.reference.numbers import NotifyType
from peers.reference.payloads import Notify

SUPPORTED = Notify(NotifyType.REDIRECT_SUPPORTED)

MAX_REDIRECTS, LOOP_PERIOD = 5, 300.0
"""So many redirects are followed within that time, in seconds (7)."""

KINDS = {4: 1, 6: 2}
SIZES = {1: 4, 2: 16}
FQDN = 3
"""GW Ident Type, by IP version; how long an identity of each type is (9.2)."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """Another responder, by address or by name, and the nonce that stands behind it, if any."""

    address: IPAddress | None
    name: str = ""
    nonce: bytes = b""


def _identity(address: IPAddress) -> bytes:
    return bytes([KINDS[address.version], len(address.packed)]) + address.packed


def redirect(to: IPAddress, nonce: bytes = b"") -> Notify:
    """Send an initiator there; ``nonce`` is Ni, in a response to IKE_SA_INIT alone (9.2)."""
    return Notify(NotifyType.REDIRECT, _identity(to) + nonce)


def redirected_from(address: IPAddress) -> Notify:
    """Tell the new responder which one has sent us (9.3)."""
    return Notify(NotifyType.REDIRECTED_FROM, _identity(address))


def gateway(notify: Notify) -> Gateway:
    """Read REDIRECT or REDIRECTED_FROM; PeerError when it names no gateway."""
    data = notify.data
    if len(data) < 2:
        raise MalformedMessage(len(data), "no gateway identity fits in")
    kind, size = data[0], data[1]
    identity, rest = data[2 : 2 + size], data[2 + size :]
    if len(identity) != size or size != SIZES.get(kind, size):
        raise PeerError(f"a gateway identity of type {kind} with {len(identity)} octets")
    if kind == FQDN and identity.isascii():
        return Gateway(None, identity.decode("ascii"), rest)
    if kind not in SIZES:
        raise PeerError(f"a gateway identity of type {kind}")
    return Gateway(ip_address(identity), "", rest)


def redirection(message: Message) -> Gateway | None:
    """Read what a message redirects to; None when it does not. PeerError for nonsense."""
    notify = message.find_notify(NotifyType.REDIRECT)
    return None if notify is None else gateway(notify)


def is_supported(request: Message) -> bool:
    """Say whether an IKE_SA_INIT request tells that its sender may be redirected (3, 9.3)."""
    kinds = (NotifyType.REDIRECT_SUPPORTED, NotifyType.REDIRECTED_FROM)
    return any(each in request.notifies for each in kinds)
