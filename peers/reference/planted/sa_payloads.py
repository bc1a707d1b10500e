"""Planted faults: what is offered and chosen in an SA payload (RFC 7296, 3.3)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace

from peers.reference.decisions import Decisions
from peers.reference.errors import MalformedMessage, PeerError
from peers.reference.message import HEADER_SIZE, Header, Message
from peers.reference.negotiation import KEY_LENGTH
from peers.reference.numbers import PayloadType, TransformType
from peers.reference.payloads import SA, Proposal, Transform
from peers.reference.planted.catalogue import fault

PRIVATE_TYPES = 241
"""Transform types from this number on are for private use (RFC 7296, 3.3.2)."""


def _has_unknown_type(proposal: Proposal) -> bool:
    return any(transform.type >= PRIVATE_TYPES for transform in proposal.transforms)


@fault("passes-over-unknown-transform-types")
class PassesOverUnknownTransformTypes(Decisions):
    """A transform of an unknown type is treated as if it were not there."""

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        known = tuple(
            replace(p, transforms=tuple(t for t in p.transforms if t.type < PRIVATE_TYPES))
            for p in offered.proposals
        )
        return super().choose(SA(known), acceptable)


@fault("refuses-offers-with-unknown-transform-types")
class RefusesOffersWithUnknownTransformTypes(Decisions):
    """An unknown transform type spoils the whole offer, and not its proposal alone."""

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        if any(map(_has_unknown_type, offered.proposals)):
            return None
        return super().choose(offered, acceptable)


@fault("wants-exactly-the-configured-key-length")
class WantsExactlyTheConfiguredKeyLength(Decisions):
    """A cipher with a longer key than the configured one is refused (3.3.5)."""

    def with_longer_keys(self, acceptable: Sequence[Proposal], offered: SA) -> tuple[Proposal, ...]:
        return tuple(acceptable)


@fault("supplies-missing-transforms")
class SuppliesMissingTransforms(Decisions):
    """A proposal without a PRF is completed with ours."""

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        ours = [t for proposal in acceptable for t in proposal.of(TransformType.PRF)][:1]
        complete = tuple(
            p if p.of(TransformType.PRF) else replace(p, transforms=(*p.transforms, *ours))
            for p in offered.proposals
        )
        return super().choose(SA(complete), acceptable)


def _is_plain(transform: Transform) -> bool:
    return transform.id < 1000 and all(each.type == KEY_LENGTH for each in transform.attributes)


@fault("refuses-proposals-with-unknown-transforms")
class RefusesProposalsWithUnknownTransforms(Decisions):
    """A transform that is not known spoils its proposal, and not itself alone."""

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        plain = tuple(
            each
            for each in offered.proposals
            if all(map(_is_plain, each.transforms)) or _has_unknown_type(each)
        )
        return super().choose(SA(plain), acceptable)


@fault("passes-over-unknown-attributes")
class PassesOverUnknownAttributes(Decisions):
    """A transform is taken without its unknown attribute."""

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        bare = tuple(
            replace(p, transforms=tuple(map(_without_strange, p.transforms)))
            for p in offered.proposals
        )
        return super().choose(SA(bare), acceptable)


def _without_strange(transform: Transform) -> Transform:
    known = tuple(each for each in transform.attributes if each.type == KEY_LENGTH)
    return replace(transform, attributes=known)


@fault("guesses-missing-key-lengths")
class GuessesMissingKeyLengths(Decisions):
    """A cipher without its key length is taken to have the length that is configured."""

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        ours = [t for proposal in acceptable for t in proposal.of(TransformType.ENCR)]

        def guessed(theirs: Transform) -> Transform:
            found = (each for each in ours if each.id == theirs.id)
            bare = theirs.type == TransformType.ENCR and not theirs.attributes
            return next(found, theirs) if bare else theirs

        complete = tuple(
            replace(p, transforms=tuple(map(guessed, p.transforms))) for p in offered.proposals
        )
        return super().choose(SA(complete), acceptable)


@fault("minds-reserved-octets-of-proposals")
class MindsReservedOctetsOfProposals(Decisions):
    """A message whose proposals or transforms have reserved octets set is dropped."""

    def minds_reserved(self, message: Message) -> bool:
        return any(
            proposal.reserved or any(t.reserved or t.reserved_2 for t in proposal.transforms)
            for payload in message.all(SA)
            for proposal in payload.proposals
        )


@fault("takes-unoffered-choices")
class TakesUnofferedChoices(Decisions):
    """The responder may choose whatever makes an SA, offered or not."""

    def check_choice(self, offer: SA, chosen: Proposal) -> None:
        if offer.proposals[0].of(TransformType.PRF) and not chosen.of(TransformType.PRF):
            super().check_choice(offer, chosen)


@fault("ignores-number-of-choice")
class IgnoresNumberOfChoice(Decisions):
    """The number of the chosen proposal is not looked at."""

    def check_choice(self, offer: SA, chosen: Proposal) -> None:
        last: PeerError | None = None
        for each in offer.proposals:
            try:
                super().check_choice(SA((each,)), replace(chosen, number=each.number))
            except PeerError as problem:
                last = problem
            else:
                return
        if last is not None:
            raise last


@fault("reads-sa-by-its-length-alone")
class ReadsSaByItsLengthAlone(Decisions):
    """What the proposals of an IKE_SA_INIT request count of themselves is passed over."""

    def read(self, octets: bytes) -> Message:
        try:
            return super().read(octets)
        except MalformedMessage:
            return Message.decode(_recounted(octets))


def _recounted(octets: bytes) -> bytes:
    """Count the transforms of a single proposal without SPI anew, in the first payload."""
    if len(octets) < HEADER_SIZE + 12 or Header.decode(octets).next_payload != PayloadType.SA:
        return octets
    end = HEADER_SIZE + int.from_bytes(octets[HEADER_SIZE + 2 : HEADER_SIZE + 4], "big")
    transforms = []
    at = HEADER_SIZE + 12
    while at + 8 <= end <= len(octets):
        has_attribute = octets[at + 8 : at + 9] == b"\x80" and at + 8 < end
        size = 12 if has_attribute else 8
        transforms.append(octets[at + 4 : at + size])
        at += size
    written = b"".join(
        struct.pack(">BBH", 3 if index < len(transforms) else 0, 0, 4 + len(each)) + each
        for index, each in enumerate(transforms, 1)
    )
    number, protocol = octets[HEADER_SIZE + 8 : HEADER_SIZE + 10]
    proposal = struct.pack(">BBHBBBB", 0, 0, 8 + len(written), number, protocol, 0, len(transforms))
    mended = octets[: HEADER_SIZE + 4] + proposal + written + octets[end:]
    return mended if len(mended) == len(octets) else octets
