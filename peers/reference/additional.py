"""Transforms of additional key exchanges in proposals (RFC 9370, 2.2.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from peers.reference.numbers import KeyExchangeMethod, TransformType
from peers.reference.payloads import Proposal, Transform

ADDITIONAL = tuple(map(TransformType, range(TransformType.ADDKE1, TransformType.ADDKE7 + 1)))
"""The types of additional key exchanges, in the order in which these are done (RFC 9370, 2.2.1)."""


def addke(place: int, method: KeyExchangeMethod) -> Transform:
    """Build the transform of an additional key exchange, ``place`` being 1 to 7 (RFC 9370)."""
    return Transform(ADDITIONAL[place - 1], method)


def has_additional(proposal: Proposal) -> bool:
    """Say whether a proposal has transforms of additional key exchanges, be it NONE (RFC 9370)."""
    return any(transform.type in ADDITIONAL for transform in proposal.transforms)


def without_additional(proposals: Iterable[Proposal]) -> tuple[Proposal, ...]:
    """Leave additional key exchanges out of proposals."""
    return tuple(
        replace(
            proposal,
            transforms=tuple(each for each in proposal.transforms if each.type not in ADDITIONAL),
        )
        for proposal in proposals
    )


def repeats(transforms: Iterable[Transform]) -> bool:
    """Say whether an additional key exchange method occurs twice; NONE may (RFC 9370, 2.2.1)."""
    methods = [
        (each.id, frozenset(each.attributes))
        for each in transforms
        if each.type in ADDITIONAL and each.id
    ]
    return len(methods) != len(set(methods))
