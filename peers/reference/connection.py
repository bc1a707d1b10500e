"""The neutral description of a connection, from one side's point of view."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from ipaddress import IPv4Network, IPv6Network

from peers.reference.additional import has_additional
from peers.reference.credentials import Credential, Ppk
from peers.reference.events import IPAddress
from peers.reference.identity import Identity
from peers.reference.payloads import Proposal, TrafficSelector

IPNetwork = IPv4Network | IPv6Network

Traffic = IPNetwork | TrafficSelector
"""A network, or a selector with protocol and ports (`traffic_selectors.traffic_selector`)."""


class Mode(Enum):
    """IPsec mode of a Child SA (RFC 4301, 3.2)."""

    TUNNEL = "tunnel"
    TRANSPORT = "transport"


class Childless(Enum):
    """Whether IKE_AUTH may come without a Child SA (RFC 6023)."""

    NEVER = "never"
    ALLOW = "allow"
    FORCE = "force"


@dataclass(frozen=True, slots=True)
class ChildPolicy:
    """What a connection says about one Child SA, from the same side's point of view.

    ``single_pair`` wants a Child SA of its own for each pair of hosts (RFC 7296, 2.9). Without
    ``accepts_tfc`` the other side is told to send no TFC padding (RFC 7296, 1.3.1).
    """

    name: str
    esp_proposals: tuple[Proposal, ...]
    local_selectors: tuple[Traffic, ...]
    remote_selectors: tuple[Traffic, ...]
    mode: Mode = Mode.TUNNEL
    single_pair: bool = False
    accepts_tfc: bool = True

    def mirrored(self) -> ChildPolicy:
        """Give the same policy as the other side sees it."""
        return replace(
            self,
            local_selectors=self.remote_selectors,
            remote_selectors=self.local_selectors,
        )


@dataclass(frozen=True, slots=True)
class AddressPool:
    """What one side assigns to the other by a Configuration payload (RFC 7296, 3.15).

    ``networks`` hold the addresses, at most one network of each IP version. ``dns`` and
    ``subnets`` are told along with them. ``required`` refuses a Child SA to who asks for none.
    """

    networks: tuple[IPNetwork, ...]
    dns: tuple[IPAddress, ...] = ()
    subnets: tuple[IPNetwork, ...] = ()
    required: bool = True


class Tcp(Enum):
    """When an initiator goes over TCP (RFC 9329, 5)."""

    NO = "UDP only"
    ONLY = "TCP only"
    FALLBACK = "TCP when UDP is not answered"


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long one side uses its SAs, in seconds (RFC 7296, 2.8; 0: without end).

    Each is rekeyed ``margin`` seconds before its lifetime is over (0: not at all).
    """

    child: float = 0.0
    ike: float = 0.0
    margin: float = 0.0


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection as one side should have it; ``local`` is that side.

    A credential says how the side of that name proves its identity; the two may differ.
    Proposals are in that side's order of preference. Selectors are host prefixes or networks, or
    say protocol and ports as well; in transport mode the hosts themselves. They, the ESP
    proposals and the mode are those of the first Child SA, which has the connection's name;
    ``more`` are further ones. ``replay_window`` is in packets (0: no anti-replay service),
    ``liveness_delay`` in seconds (0: no liveness checks). Inner packets in tunnel mode are padded
    to ``tfc_size`` octets (RFC 4303, 2.7; 0: not at all). ``most_children`` is how many Child SAs
    may be made at a time (None: any number).
    ``gives`` is what this side assigns to the other one, whose selectors are within it; ``takes``
    is what the other side assigns to this one (RFC 7296, 2.19). ``window`` is how many requests
    this side takes at a time; ``reports_message_ids`` has it report those outside the window
    (2.3). ``initial_contact`` has it say so when there is no other IKE SA with the peer (2.4).
    ``ppks`` are post-quantum preshared keys that it has for the other side, as initiator it uses
    the first; without one nothing is established where ``ppk_required`` (RFC 8784).
    A side that ``claims_nat`` makes its NAT detection hash wrong, so that ESP is encapsulated in
    UDP although there is no NAT (2.23). With ``mobike`` addresses may change (RFC 4555);
    ``more_addresses`` are those of this side besides ``local``. The other side may come
    ``from_anywhere``: from other addresses than ``remote``, too, but then it has to begin.
    It takes IKE_INTERMEDIATE exchanges where ``intermediate`` says so (RFC 9242), and where its
    proposals have additional key exchanges (RFC 9370). Without ``ike_proposals`` it has those that
    a daemon has by itself.
    ``childless`` is about IKE_AUTH without a Child SA (RFC 6023): a responder never grants it or
    does, an initiator that is to ``FORCE`` it asks so where it may. None is as it is by default.
    An initiator that ``follows_redirects`` lets itself be sent elsewhere, a responder sends it
    where it ``redirects_to`` once it is authenticated (RFC 5685).
    With ``session_resumption`` IKE SAs can be resumed by tickets (RFC 5723).
    An initiator with ``message_id_sync`` says that it sets Message IDs anew (RFC 6311).
    IKE messages of more than ``fragment_size`` octets go in fragments, if the other side takes them
    too (RFC 7383; 0: none are taken). What is ``on_demand`` is begun when a packet wants it.
    Whether an initiator goes over ``tcp`` is configured, not negotiated; a responder takes both
    (RFC 9329, 5).
    """

    name: str
    local: IPAddress
    remote: IPAddress
    local_identity: Identity
    remote_identity: Identity
    local_credential: Credential
    remote_credential: Credential
    ike_proposals: tuple[Proposal, ...]
    esp_proposals: tuple[Proposal, ...]
    local_selectors: tuple[Traffic, ...]
    remote_selectors: tuple[Traffic, ...]
    mode: Mode = Mode.TUNNEL
    replay_window: int = 64
    liveness_delay: float = 0.0
    single_pair: bool = False
    more: tuple[ChildPolicy, ...] = ()
    most_children: int | None = None
    tfc_size: int = 0
    accepts_tfc: bool = True
    gives: AddressPool | None = None
    takes: AddressPool | None = None
    window: int = 1
    initial_contact: bool = False
    reports_message_ids: bool = False
    claims_nat: bool = False
    intermediate: bool = False
    ppks: tuple[Ppk, ...] = ()
    ppk_required: bool = False
    mobike: bool = False
    more_addresses: tuple[IPAddress, ...] = ()
    from_anywhere: bool = False
    childless: Childless | None = None
    follows_redirects: bool = False
    redirects_to: IPAddress | None = None
    message_id_sync: bool = False
    session_resumption: bool = False
    fragment_size: int = 0
    on_demand: bool = False
    tcp: Tcp = Tcp.NO
    lifetimes: Lifetimes = Lifetimes()

    @property
    def takes_intermediate(self) -> bool:
        """Whether this side takes IKE_INTERMEDIATE exchanges."""
        return self.intermediate or any(map(has_additional, self.ike_proposals))

    @property
    def children(self) -> tuple[ChildPolicy, ...]:
        """The policies of all Child SAs, that of IKE_AUTH first."""
        first = ChildPolicy(
            self.name,
            self.esp_proposals,
            self.local_selectors,
            self.remote_selectors,
            self.mode,
            self.single_pair,
            self.accepts_tfc,
        )
        return (first, *self.more)

    def mirrored(self) -> Connection:
        """Give the same connection as the other side sees it."""
        return replace(
            self,
            local=self.remote,
            remote=self.local,
            local_identity=self.remote_identity,
            remote_identity=self.local_identity,
            local_credential=self.remote_credential,
            remote_credential=self.local_credential,
            local_selectors=self.remote_selectors,
            remote_selectors=self.local_selectors,
            more=tuple(policy.mirrored() for policy in self.more),
            gives=self.takes,
            takes=self.gives,
            more_addresses=(),
            redirects_to=None,
            from_anywhere=False,
        )
