"""Choosing a proposal (RFC 7296, 2.7 and 3.3) and narrowing traffic selectors (2.9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from itertools import product

from peers.reference.additional import ADDITIONAL, repeats
from peers.reference.connection import IPNetwork, Traffic
from peers.reference.errors import PeerError
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
from peers.reference.traffic_selectors import ANY_PORT, OPAQUE

KEY_LENGTH = 14
"""The one transform attribute that is defined (RFC 7296, 3.3.5)."""

KEY_LENGTHS = (128, 192, 256)
"""Of the ciphers that have keys of several lengths, in bits."""

MOST_SELECTORS = 255
"""Traffic selectors that one payload can count (RFC 7296, 3.13)."""

_OPTIONAL = {TransformType.INTEG, TransformType.KE, TransformType.ESN, *ADDITIONAL}
"""Types of which a transform with the ID 0 says the same as none (RFC 7296, 3.3.2; RFC 9370)."""


@dataclass(frozen=True, slots=True)
class Suite:
    """The algorithms of a chosen proposal; None where it has no transform of that type.

    ``additional`` are the methods of further key exchanges, in their order (RFC 9370, 2.2.1).
    """

    encr: Encr
    key_bits: int | None
    integ: Integ | None = None
    prf: Prf | None = None
    ke: KeyExchangeMethod | None = None
    esn: Esn | None = None
    additional: tuple[KeyExchangeMethod, ...] = ()

    @classmethod
    def of(cls, proposal: Proposal) -> Suite:
        """Read the first transform of each type of a proposal."""
        return _suite(proposal.transforms)


@lru_cache(maxsize=256)
def _suite(transforms: tuple[Transform, ...]) -> Suite:
    first = {transform.type: transform for transform in reversed(transforms)}

    def number(kind: TransformType) -> int:
        return first[kind].id if kind in first else 0

    encr = first[TransformType.ENCR]
    return Suite(
        Encr(encr.id),
        encr.key_length,
        Integ(number(TransformType.INTEG)) if number(TransformType.INTEG) else None,
        Prf(number(TransformType.PRF)) if number(TransformType.PRF) else None,
        KeyExchangeMethod(number(TransformType.KE)) if number(TransformType.KE) else None,
        Esn(number(TransformType.ESN)) if TransformType.ESN in first else None,
        tuple(KeyExchangeMethod(number(kind)) for kind in ADDITIONAL if number(kind)),
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


def offered_groups(offer: SA) -> tuple[KeyExchangeMethod, ...]:
    """List the key exchange methods of an offer, in order and without repetition."""
    return tuple(
        dict.fromkeys(
            KeyExchangeMethod(transform.id)
            for proposal in offer.proposals
            for transform in proposal.of(TransformType.KE)
        )
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


def with_longer_keys(acceptable: Sequence[Proposal], offered: SA) -> tuple[Proposal, ...]:
    """Accept the same ciphers with longer keys too, as far as they are offered (3.3.5)."""
    ciphers = [each for theirs in offered.proposals for each in theirs.of(TransformType.ENCR)]

    def longer_than_in(ours: Proposal) -> Iterator[Transform]:
        for mine, cipher in product(ours.of(TransformType.ENCR), ciphers):
            longer = (bits for bits in KEY_LENGTHS if mine.key_length and bits > mine.key_length)
            if cipher in [encr(Encr(mine.id), bits) for bits in longer]:
                yield cipher

    return tuple(
        replace(ours, transforms=(*ours.transforms, *longer_than_in(ours))) for ours in acceptable
    )


def _common(theirs: Proposal, ours: Proposal) -> Proposal | None:
    if theirs.protocol != ours.protocol:
        return None
    chosen: list[Transform] = []
    kinds = dict.fromkeys(transform.type for transform in (*ours.transforms, *theirs.transforms))
    further: list[list[Transform]] = []
    for kind in kinds:
        wanted, offered = ours.of(kind), theirs.of(kind)
        matches = [transform for transform in wanted if _among(transform, offered)]
        if not matches and not (_may_be_none(kind, theirs) and _may_be_none(kind, ours)):
            return None
        if not matches and offered:
            matches = [next(transform for transform in offered if transform.id == 0)]
        if matches and kind in ADDITIONAL:
            further.append(matches)
        else:
            chosen += matches[:1]
    different = next((each for each in product(*further) if not repeats(each)), None)
    if different is None:
        return None
    return Proposal(theirs.number, theirs.protocol, (*chosen, *different), theirs.spi)


def _among(transform: Transform, others: Sequence[Transform]) -> bool:
    """Look for a transform; reserved octets say nothing (RFC 7296, 2.5)."""
    wanted = (transform.type, transform.id, transform.attributes)
    return wanted in [(other.type, other.id, other.attributes) for other in others]


def _may_be_none(kind: TransformType, proposal: Proposal) -> bool:
    """Say whether a proposal allows that there is no algorithm of this type."""
    offered = proposal.of(kind)
    return not offered or (kind in _OPTIONAL and any(transform.id == 0 for transform in offered))


ChoiceCheck = Callable[[SA, Proposal], None]
"""Raises PeerError when a chosen proposal is none of an offer, as `check_choice` does."""


def check_choice(offer: SA, chosen: Proposal) -> None:
    """Check that a chosen proposal is one of the offer, one transform of each type (2.7)."""
    offered = next((p for p in offer.proposals if p.number == chosen.number), None)
    if offered is None:
        raise PeerError(f"proposal {chosen.number} was chosen, which was not offered")
    if chosen.protocol != offered.protocol:
        raise PeerError(f"proposal {chosen.number} came back as one for {chosen.protocol!s}")
    strange = [each for each in chosen.transforms if not _among(each, offered.transforms)]
    if strange:
        raise PeerError(f"chosen, but not offered in proposal {chosen.number}: {strange[0]}")
    kinds = [transform.type for transform in chosen.transforms]
    if len(kinds) != len(set(kinds)):
        raise PeerError("more than one transform of a type was chosen")
    if repeats(chosen.transforms):
        raise PeerError("an additional key exchange method was chosen twice (RFC 9370, 2.2.1)")
    missing = {transform.type for transform in offered.transforms} - set(kinds)
    if not all(_may_be_none(kind, offered) for kind in missing):
        raise PeerError("the choice leaves out a type of transform that was offered")


def selectors(traffic: Iterable[Traffic]) -> tuple[TrafficSelector, ...]:
    """Make a traffic selector of each network: any protocol, any port (RFC 7296, 3.13.1)."""
    return tuple(each if isinstance(each, TrafficSelector) else _covering(each) for each in traffic)


@lru_cache
def _covering(network: IPNetwork) -> TrafficSelector:
    return selector(network[0], network[-1])


def selector(start: IPAddress, end: IPAddress, protocol: int = IpProtocol.ANY) -> TrafficSelector:
    """Make a traffic selector of a range of addresses, by default for any protocol; any port."""
    kind = (
        TrafficSelectorType.TS_IPV4_ADDR_RANGE
        if start.version == 4
        else TrafficSelectorType.TS_IPV6_ADDR_RANGE
    )
    return TrafficSelector(kind, IpProtocol(protocol), 0, 65535, start, end)


def narrow(
    offered: Sequence[TrafficSelector], allowed: Sequence[TrafficSelector]
) -> tuple[TrafficSelector, ...]:
    """Intersect what was offered with what we allow; empty when nothing is common.

    No more come of it than a payload can hold: the first ones.
    """
    common = (_intersection(theirs, ours) for theirs in offered for ours in allowed)
    unique = dict.fromkeys(selector for selector in common if selector is not None)
    return tuple(unique)[:MOST_SELECTORS]


def _intersection(a: TrafficSelector, b: TrafficSelector) -> TrafficSelector | None:
    protocol = a.ip_protocol or b.ip_protocol  # ANY is 0
    if a.type != b.type or b.ip_protocol not in (protocol, IpProtocol.ANY):
        return None
    start, end = max(_start(a), _start(b)), min(_end(a), _end(b))
    ports = _common_ports((a.start_port, a.end_port), (b.start_port, b.end_port))
    if start > end or ports is None:
        return None
    if a == b:
        return b
    make = IPv4Address if a.type == TrafficSelectorType.TS_IPV4_ADDR_RANGE else IPv6Address
    return TrafficSelector(a.type, protocol, *ports, make(start), make(end))


def _common_ports(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int] | None:
    """Intersect ranges of ports; ANY alone includes OPAQUE (RFC 4301, 4.4.1)."""
    if OPAQUE in (a, b):
        return OPAQUE if {a, b} <= {OPAQUE, ANY_PORT} else None
    first, last = max(a[0], b[0]), min(a[1], b[1])
    return (first, last) if first <= last else None


def _start(selector: TrafficSelector) -> int:
    return int(selector.start_address)


def _end(selector: TrafficSelector) -> int:
    return int(selector.end_address)


def within(inner: Sequence[TrafficSelector], outer: Sequence[TrafficSelector]) -> bool:
    """Say whether each selector of ``inner`` lies inside one of ``outer`` (RFC 7296, 2.9).

    There has to be one: without selectors a Child SA is for no traffic.
    """
    return bool(inner) and all(
        any(_intersection(ours, theirs) == ours for theirs in outer) for ours in inner
    )
