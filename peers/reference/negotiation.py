"""Choosing a proposal (RFC 7296, 2.7 and 3.3) and narrowing traffic selectors (2.9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from peers.reference.connection import IPNetwork
from peers.reference.events import IPAddress
from peers.reference.numbers import (
    Encr,
    Esn,
    Integ,
    IpProtocol,
    KeyExchangeMethod,
    Prf,
    ProtocolId,
    TrafficSelectorType,
    TransformType,
)
from peers.reference.payloads import (
    SA,
    Attribute,
    Proposal,
    TrafficSelector,
    Transform,
)

KEY_LENGTH = 14
"""The one transform attribute that is defined (RFC 7296, 3.3.5)."""


@dataclass(frozen=True, slots=True)
class Suite:
    """The algorithms of a chosen proposal; None where it has no transform of that type."""

    encr: Encr
    key_bits: int | None
    integ: Integ | None = None
    prf: Prf | None = None
    ke: KeyExchangeMethod | None = None
    esn: Esn | None = None

    @classmethod
    def of(cls, proposal: Proposal) -> Suite:
        """Read the first transform of each type of a proposal."""
        first = {transform.type: transform for transform in reversed(proposal.transforms)}

        def number(kind: TransformType) -> int:
            return first[kind].id if kind in first else 0

        encr = first[TransformType.ENCR]
        return cls(
            Encr(encr.id),
            encr.key_length,
            Integ(number(TransformType.INTEG)) if number(TransformType.INTEG) else None,
            Prf(number(TransformType.PRF)) if number(TransformType.PRF) else None,
            KeyExchangeMethod(number(TransformType.KE)) if number(TransformType.KE) else None,
            Esn(number(TransformType.ESN)) if TransformType.ESN in first else None,
        )


def encr(algorithm: Encr, key_bits: int | None = None) -> Transform:
    """Build an encryption transform; ``key_bits`` becomes its Key Length attribute."""
    attributes = () if key_bits is None else (Attribute(KEY_LENGTH, key_bits),)
    return Transform(TransformType.ENCR, algorithm, attributes)


def prf(algorithm: Prf) -> Transform:
    """Build a pseudorandom function transform."""
    return Transform(TransformType.PRF, algorithm)


def integ(algorithm: Integ) -> Transform:
    """Build an integrity transform."""
    return Transform(TransformType.INTEG, algorithm)


def ke(method: KeyExchangeMethod) -> Transform:
    """Build a key exchange method transform."""
    return Transform(TransformType.KE, method)


def esn(number: Esn) -> Transform:
    """Build an extended sequence numbers transform."""
    return Transform(TransformType.ESN, number)


def ike_proposal(*transforms: Transform, number: int = 1) -> Proposal:
    """Build a proposal for an IKE SA of the initial exchanges (no SPI)."""
    return Proposal(number, ProtocolId.IKE, transforms)


def esp_proposal(*transforms: Transform, number: int = 1) -> Proposal:
    """Build a proposal for an ESP SA without its SPI; 32-bit sequence numbers unless said."""
    if not any(transform.type == TransformType.ESN for transform in transforms):
        transforms = (*transforms, esn(Esn.NO_ESN))
    return Proposal(number, ProtocolId.ESP, transforms)


def numbered(proposals: Iterable[Proposal], spi: bytes = b"") -> tuple[Proposal, ...]:
    """Number proposals from 1 (RFC 7296, 3.3.1) and put our SPI into each."""
    return tuple(
        Proposal(number, proposal.protocol, proposal.transforms, spi)
        for number, proposal in enumerate(proposals, 1)
    )


def choose(offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
    """Choose by our own order of preference; None when nothing offered is acceptable.

    The result carries the number and the SPI of the offered proposal, and one transform of each
    type (RFC 7296, 2.7 and 3.3.6).
    """
    for ours in acceptable:
        for theirs in offered.proposals:
            chosen = _common(theirs, ours)
            if chosen is not None:
                return chosen
    return None


def _common(theirs: Proposal, ours: Proposal) -> Proposal | None:
    if theirs.protocol != ours.protocol:
        return None
    chosen = []
    kinds = dict.fromkeys(transform.type for transform in (*ours.transforms, *theirs.transforms))
    for kind in kinds:
        wanted, offered = ours.of(kind), theirs.of(kind)
        if not wanted or not offered:
            if all(transform.id == 0 for transform in (*wanted, *offered)):
                continue
            return None
        match = next((transform for transform in wanted if transform in offered), None)
        if match is None:
            return None
        chosen.append(match)
    return Proposal(theirs.number, theirs.protocol, tuple(chosen), theirs.spi)


def selectors(networks: Iterable[IPNetwork]) -> tuple[TrafficSelector, ...]:
    """Make a traffic selector of each network: any protocol, any port (RFC 7296, 3.13.1)."""
    return tuple(selector(network[0], network[-1]) for network in networks)


def selector(start: IPAddress, end: IPAddress) -> TrafficSelector:
    """Make a traffic selector of a range of addresses: any protocol, any port."""
    kind = (
        TrafficSelectorType.TS_IPV4_ADDR_RANGE
        if start.version == 4
        else TrafficSelectorType.TS_IPV6_ADDR_RANGE
    )
    return TrafficSelector(kind, IpProtocol.ANY, 0, 65535, start, end)


def narrow(
    offered: Sequence[TrafficSelector], allowed: Sequence[TrafficSelector]
) -> tuple[TrafficSelector, ...]:
    """Intersect what was offered with what we allow; empty when nothing is common."""
    common = (_intersection(theirs, ours) for theirs in offered for ours in allowed)
    return tuple(dict.fromkeys(selector for selector in common if selector is not None))


def _intersection(a: TrafficSelector, b: TrafficSelector) -> TrafficSelector | None:
    protocols = {a.ip_protocol, b.ip_protocol} - {IpProtocol.ANY}
    if a.type != b.type or len(protocols) > 1:
        return None
    start, end = max(_start(a), _start(b)), min(_end(a), _end(b))
    first_port, last_port = max(a.start_port, b.start_port), min(a.end_port, b.end_port)
    if start > end or first_port > last_port:
        return None
    make = IPv4Address if a.type == TrafficSelectorType.TS_IPV4_ADDR_RANGE else IPv6Address
    protocol = protocols.pop() if protocols else IpProtocol.ANY
    return TrafficSelector(a.type, protocol, first_port, last_port, make(start), make(end))


def _start(selector: TrafficSelector) -> int:
    return int(selector.start_address)


def _end(selector: TrafficSelector) -> int:
    return int(selector.end_address)


def within(inner: Sequence[TrafficSelector], outer: Sequence[TrafficSelector]) -> bool:
    """Say whether each selector of ``inner`` lies inside one of ``outer`` (RFC 7296, 2.9)."""
    return all(any(_intersection(ours, theirs) == ours for theirs in outer) for ours in inner)
