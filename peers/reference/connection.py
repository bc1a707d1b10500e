"""The neutral description of a connection, from one side's point of view."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from ipaddress import IPv4Network, IPv6Network

from peers.reference.events import IPAddress
from peers.reference.payloads import Proposal

IPNetwork = IPv4Network | IPv6Network


class Mode(Enum):
    """IPsec mode of a Child SA (RFC 4301, 3.2)."""

    TUNNEL = "tunnel"
    TRANSPORT = "transport"


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection as one side should have it; ``local`` is that side.

    Identities are FQDNs (ID_FQDN). Proposals are in that side's order of preference. Selectors
    are host prefixes or networks; in transport mode the hosts themselves. ``replay_window`` is in
    packets, ``liveness_delay`` in seconds (0: no liveness checks).
    """

    name: str
    local: IPAddress
    remote: IPAddress
    local_identity: str
    remote_identity: str
    psk: bytes = field(repr=False)
    ike_proposals: tuple[Proposal, ...]
    esp_proposals: tuple[Proposal, ...]
    local_selectors: tuple[IPNetwork, ...]
    remote_selectors: tuple[IPNetwork, ...]
    mode: Mode = Mode.TUNNEL
    replay_window: int = 64
    liveness_delay: float = 0.0

    def mirrored(self) -> Connection:
        """Give the same connection as the other side sees it."""
        return replace(
            self,
            local=self.remote,
            remote=self.local,
            local_identity=self.remote_identity,
            remote_identity=self.local_identity,
            local_selectors=self.remote_selectors,
            remote_selectors=self.local_selectors,
        )
