"""Child SAs: what is offered, what is accepted, and the SA that comes of it (RFC 7296, 2.17)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import ip_address
from typing import TypeVar

from peers.reference import ip
from peers.reference.additional import ADDITIONAL
from peers.reference.connection import ChildPolicy, Connection, Mode
from peers.reference.errors import PeerError
from peers.reference.esp import EspPacket, InboundSa, OutboundSa, ReplayWindow
from peers.reference.events import IPAddress
from peers.reference.key_exchange import KeyExchange
from peers.reference.keys import ChildKeys, IkeKeys, derive_child_keys
from peers.reference.message import Message
from peers.reference.nat import mended
from peers.reference.negotiation import (
    ChoiceCheck,
    Suite,
    check_choice,
    numbered,
    offered_groups,
    selector,
    selectors,
    within,
)
from peers.reference.numbers import (
    Esn,
    IpProtocol,
    KeyExchangeMethod,
    NotifyType,
    TransformType,
)
from peers.reference.payloads import (
    KE,
    SA,
    Notify,
    Payload,
    Proposal,
    TrafficSelector,
    TSi,
    TSr,
)
from peers.reference.states import ChildEvent, ChildState, child_after
from peers.reference.traffic_selectors import admits, ports

USE_TRANSPORT_MODE = Notify(NotifyType.USE_TRANSPORT_MODE)
NO_TFC = Notify(NotifyType.ESP_TFC_PADDING_NOT_SUPPORTED)

KEY_EXCHANGES = (TransformType.KE, *ADDITIONAL)
"""Types of transforms that stand in no proposal of IKE_AUTH."""

SPI_SIZE = 4
"""Octets of the SPI of an ESP SA (RFC 4303, 2.1)."""


T = TypeVar("T")


@lru_cache(maxsize=1024)
def _one(value: T) -> T:
    """Give the first of all values that are equal to this one."""
    return value


@dataclass(frozen=True, slots=True)
class ChildTerms:
    """What both sides agreed on for a Child SA, before its keys.

    ``initiator`` says whether this side started the exchange that makes it. ``spi`` is ours
    (traffic towards us), ``peer_spi`` theirs; 4 octets each. ``accepts_tfc`` is whether we take TFC
    padding, ``peer_accepts_tfc`` whether they do (RFC 7296, 1.3.1). ``original`` are the addresses
    that checksums of the other side cover, in transport mode behind a NAT (2.23.1).
    """

    initiator: bool
    proposal: Proposal
    spi: bytes
    peer_spi: bytes
    mode: Mode
    local_selectors: tuple[TrafficSelector, ...]
    remote_selectors: tuple[TrafficSelector, ...]
    accepts_tfc: bool = True
    peer_accepts_tfc: bool = True
    original: tuple[IPAddress, IPAddress] | None = None

    def shared(self) -> ChildTerms:
        """Give the same terms, with what is equal in many Child SAs there only once."""
        return replace(
            self,
            proposal=replace(self.proposal, transforms=_one(self.proposal.transforms)),
            local_selectors=_one(self.local_selectors),
            remote_selectors=_one(self.remote_selectors),
        )


@dataclass(frozen=True, slots=True)
class ChildSeed:
    """What the keys of a Child SA are made of (RFC 7296, 2.17).

    ``keys`` are those of its IKE SA, ``nonces`` Ni and Nr of the exchange that makes it, and
    ``shared`` is g^ir of a key exchange in CREATE_CHILD_SA, empty without one; ``more`` are the
    secrets of those that follow it, joined (RFC 9370).
    """

    keys: IkeKeys
    nonces: tuple[bytes, bytes]
    shared: bytes = b""
    more: bytes = b""


@dataclass(slots=True, eq=False)
class ChildSa:
    """A pair of ESP SAs, one for each direction, as one side holds it.

    ``name`` is that of its policy. ``replaces`` is the Child SA that it was made of by the other
    side; until that side is known to be ``ready``, traffic stays on the old one (2.8). What is sent
    in tunnel mode is padded to ``tfc_size`` octets (RFC 4303, 2.7).
    """

    terms: ChildTerms
    keys: ChildKeys
    inbound: InboundSa
    outbound: OutboundSa
    local: IPAddress
    remote: IPAddress
    packets_in: int = 0
    name: str = ""
    replaces: ChildSa | None = None
    state: ChildState = ChildState.NEW
    tfc_size: int = 0

    @classmethod
    def derive(cls, terms: ChildTerms, connection: Connection, seed: ChildSeed) -> ChildSa:
        """Derive KEYMAT from SK_d, the key exchange if there is one, and the nonces (2.17)."""
        suite = Suite.of(terms.proposal)
        initiator_spi, responder_spi = (
            (terms.spi, terms.peer_spi) if terms.initiator else (terms.peer_spi, terms.spi)
        )
        keys = derive_child_keys(
            seed.keys,
            suite,
            initiator_spi=initiator_spi,
            responder_spi=responder_spi,
            nonce_i=seed.nonces[0],
            nonce_r=seed.nonces[1],
            shared=seed.shared,
            more=seed.more,
        )
        return cls.keyed(terms, connection, keys)

    @classmethod
    def keyed(cls, terms: ChildTerms, connection: Connection, keys: ChildKeys) -> ChildSa:
        """Make the Child SA of keys that are there, drawn or derived."""
        towards_responder, towards_initiator = keys.to_responder(), keys.to_initiator()
        sending, receiving = (
            (towards_responder, towards_initiator)
            if terms.initiator
            else (towards_initiator, towards_responder)
        )
        extended = keys.esn is Esn.ESN
        window = ReplayWindow(connection.replay_window) if connection.replay_window else None
        return cls(
            terms.shared(),
            keys,
            InboundSa(terms.spi, receiving, window, extended=extended),
            OutboundSa(terms.peer_spi, sending, extended=extended),
            connection.local,
            connection.remote,
            tfc_size=connection.tfc_size if terms.peer_accepts_tfc else 0,
        )

    @property
    def ready(self) -> bool:
        """Whether our traffic may go through it."""
        return self.state in (ChildState.IN_USE, ChildState.DELETING)

    def move(self, event: ChildEvent) -> None:
        """Follow the table of states."""
        self.state = child_after(self.state, event)

    def prove_ready(self) -> None:
        """Note that the other side is prepared to receive on it (RFC 7296, 2.8)."""
        if self.state is ChildState.WAITING:
            self.move(ChildEvent.PROVE_READY)

    def spis(self) -> tuple[bytes, bytes]:
        """Give the SPI of traffic towards us, then that of traffic towards the other side."""
        return self.inbound.spi, self.outbound.spi

    def inner(self, packet: EspPacket) -> ip.IpPacket:
        """Give the inner packet of tunnel mode, or the packet that transport mode stands for.

        PeerError when the next header does not fit the mode (RFC 4303, 2.6).
        """
        if self.terms.mode is Mode.TRANSPORT:
            seen = ip.IpPacket(self.remote, self.local, packet.next_header, packet.payload)
            return mended(seen, self.terms.original) if self.terms.original else seen
        if packet.next_header not in (IpProtocol.IPV4, IpProtocol.IPV6):
            raise PeerError(f"next header {packet.next_header} in tunnel mode")
        return ip.IpPacket.decode(packet.payload)

    def covers(self, inner: ip.IpPacket) -> bool:
        """Say whether the selectors allow this packet inbound (RFC 4301, 5.2)."""
        return self._matches(inner, self.terms.remote_selectors, self.terms.local_selectors)

    def carries(self, inner: ip.IpPacket) -> bool:
        """Say whether the selectors are for this outbound packet (RFC 4301, 5.1)."""
        return self._matches(inner, self.terms.local_selectors, self.terms.remote_selectors)

    def _matches(
        self,
        inner: ip.IpPacket,
        sources: Sequence[TrafficSelector],
        destinations: Sequence[TrafficSelector],
    ) -> bool:
        source_port, destination_port = ports(inner) or (None, None)
        protocol = inner.protocol
        return admits(sources, inner.source, protocol, source_port) and admits(
            destinations, inner.destination, protocol, destination_port
        )

    def seal(
        self,
        inner: ip.IpPacket,
        iv: bytes,
        *,
        sequence: int | None = None,
        padding: Callable[[int], bytes] | None = None,
        tfc: bytes | None = None,
    ) -> bytes:
        """Put a packet into ESP as the mode wants it.

        ``sequence`` overrides the next number; ``padding`` makes that many octets of padding;
        ``tfc`` is TFC padding other than that of the terms.
        """
        next_header, payload = self.payload(inner)
        if tfc is None:
            tfc = bytes(max(0, self._tfc_size() - len(payload)))
        fill = padding(self.outbound.padding_size(len(payload + tfc))) if padding else None
        return self.outbound.seal(
            next_header, payload, iv, sequence=sequence, padding=fill, tfc=tfc
        )

    def _tfc_size(self) -> int:
        return self.tfc_size if self.terms.mode is Mode.TUNNEL else 0

    def payload(self, inner: ip.IpPacket) -> tuple[int, bytes]:
        """Give Next Header and Payload Data of a packet as the mode wants them (3.1)."""
        if self.terms.mode is Mode.TRANSPORT:
            return inner.protocol, inner.payload
        version4 = inner.source.version == 4
        return int(IpProtocol.IPV4 if version4 else IpProtocol.IPV6), inner.encode()


def offer(
    policy: ChildPolicy,
    spi: bytes,
    *,
    with_key_exchange: bool,
    because_of: ip.IpPacket | None = None,
) -> tuple[Payload, ...]:
    """Build the payloads that ask for a Child SA (RFC 7296, 1.2 and 1.3.1).

    Key exchange transforms are left out of IKE_AUTH, which has no KE payload (1.2). Selectors of
    the packet that it is asked for because of come first (2.9).
    """
    proposals = policy.esp_proposals
    if not with_key_exchange:
        proposals = without_key_exchange(proposals)
    first_source, first_destination = _of_packet(because_of) if because_of else ((), ())
    return (
        *_notifies(policy.mode, accepts_tfc=policy.accepts_tfc),
        SA(numbered(proposals, spi)),
        TSi((*first_source, *selectors(policy.local_selectors))),
        TSr((*first_destination, *selectors(policy.remote_selectors))),
    )


def _of_packet(
    packet: ip.IpPacket,
) -> tuple[tuple[TrafficSelector, ...], tuple[TrafficSelector, ...]]:
    """Make the selectors of one packet: its source, and its destination."""
    ends = (packet.source, packet.destination)
    source, destination = (selector(end, end, packet.protocol) for end in ends)
    return (source,), (destination,)


def first_echo(connection: Connection) -> ip.IpPacket:
    """Build an echo request between the first hosts that the connection is for."""
    ends = (connection.local_selectors, connection.remote_selectors)
    source, destination = (first_host(selectors(each)) for each in ends)
    return echo(source, destination, 0x1EE7, 1)


def first_group(policy: ChildPolicy) -> KeyExchangeMethod:
    """Give the key exchange method that a request for a Child SA guesses; NONE without PFS."""
    groups = offered_groups(SA(policy.esp_proposals))
    return groups[0] if groups else KeyExchangeMethod.NONE


def shared_secret(proposal: Proposal, exchange: KeyExchange | None, response: Message) -> bytes:
    """Give g^ir of the key exchange that a response completes, empty if it chose none (1.3.1).

    PeerError when KEr is missing, or is of another group than the chosen one or than KEi.
    """
    method = Suite.of(proposal).ke
    if method is None:
        return b""
    theirs = response.get(KE)
    if exchange is None or {exchange.method, theirs.group} != {method}:
        raise PeerError(f"{method!s} was chosen, with a KE payload of {theirs.group}")
    return exchange.shared(theirs.data)


def without_key_exchange(proposals: Sequence[Proposal]) -> tuple[Proposal, ...]:
    """Leave the key exchange transforms out of proposals."""
    return tuple(
        Proposal(
            proposal.number,
            proposal.protocol,
            tuple(t for t in proposal.transforms if t.type not in KEY_EXCHANGES),
            proposal.spi,
        )
        for proposal in proposals
    )


def answer(terms: ChildTerms) -> tuple[Payload, ...]:
    """Build the payloads of a responder that grants a Child SA."""
    chosen = terms.proposal
    proposal = Proposal(chosen.number, chosen.protocol, chosen.transforms, terms.spi)
    notifies = _notifies(terms.mode, accepts_tfc=terms.accepts_tfc)
    return (*notifies, SA((proposal,)), TSi(terms.remote_selectors), TSr(terms.local_selectors))


def _notifies(mode: Mode, *, accepts_tfc: bool) -> tuple[Notify, ...]:
    transport = (USE_TRANSPORT_MODE,) if mode is Mode.TRANSPORT else ()
    return transport if accepts_tfc else (*transport, NO_TFC)


def takes_tfc(message: Message) -> bool:
    """Say whether the sender of a message about a Child SA takes TFC padding (RFC 7296, 1.3.1)."""
    return NotifyType.ESP_TFC_PADDING_NOT_SUPPORTED not in message.notifies


def before_selectors(payloads: tuple[Payload, ...], *more: Payload) -> tuple[Payload, ...]:
    """Put nonce and key exchange where CREATE_CHILD_SA has them: before TSi (RFC 7296, 1.3.1)."""
    at = next(index for index, payload in enumerate(payloads) if isinstance(payload, TSi))
    return (*payloads[:at], *more, *payloads[at:])


def check_grant(request: Message, response: Message, check: ChoiceCheck = check_choice) -> Proposal:
    """Give the ESP proposal that a response grants; PeerError when we did not offer it (2.7)."""
    chosen = response.get(SA).proposals
    if len(chosen) != 1:
        raise PeerError(f"{len(chosen)} proposals in a response: exactly one is to be chosen")
    check(request.get(SA), chosen[0])
    if len(chosen[0].spi) != SPI_SIZE:
        raise PeerError(f"the SPI of an ESP SA has {len(chosen[0].spi)} octets")
    return chosen[0]


def granted(request: Message, response: Message, spi: bytes) -> ChildTerms:
    """Read the terms that a responder granted to a request of ours.

    PeerError when the response grants what was not asked for (RFC 7296, 2.7 and 2.9).
    """
    chosen = check_grant(request, response)
    local, remote = response.get(TSi).ranges, response.get(TSr).ranges
    if not within(local, request.get(TSi).ranges):
        raise PeerError("TSi of the response is empty or wider than that of the request")
    if not within(remote, request.get(TSr).ranges):
        raise PeerError("TSr of the response is empty or wider than that of the request")
    both = (request, response)
    transport = all(NotifyType.USE_TRANSPORT_MODE in message.notifies for message in both)
    mode = Mode.TRANSPORT if transport else Mode.TUNNEL
    return ChildTerms(
        True,
        chosen,
        spi,
        chosen.spi,
        mode,
        local,
        remote,
        accepts_tfc=takes_tfc(request),
        peer_accepts_tfc=takes_tfc(response),
    )


def echo(source: IPAddress, destination: IPAddress, identifier: int, sequence: int) -> ip.IpPacket:
    """Build an ICMP or ICMPv6 echo request with 56 octets of data."""
    data = bytes(range(56))
    return ip.echo_request(source, destination, identifier, sequence, data)


def first_host(selectors_: Sequence[TrafficSelector]) -> IPAddress:
    """Give the host that lab networks answer at: the address itself, or the network's first."""
    start, end = selectors_[0].start_address, selectors_[0].end_address
    return start if start == end else ip_address(int(start) + 1)
