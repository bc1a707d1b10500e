"""What an outstanding request of ours is for, and what crosses it (RFC 7296, 2.8 and 2.25)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from peers.reference.child import ChildSa
from peers.reference.connection import ChildPolicy
from peers.reference.followup import Series
from peers.reference.key_exchange import KeyExchange
from peers.reference.message import Message
from peers.reference.mobike import Way
from peers.reference.sa import IkeSa

Nonces = tuple[bytes, bytes]
"""Ni and Nr of one exchange."""


@dataclass(slots=True, eq=False)
class Rival:
    """A Child SA that the other side made of one that we are rekeying, and its nonces (2.8.1)."""

    child: ChildSa
    nonces: Nonces


@dataclass(slots=True, eq=False)
class ChildWish:
    """We ask for a Child SA as ``policy`` has it; ``spi`` is ours, ``exchange`` our half of the KE.

    ``replaced`` is the Child SA that it is to take the place of, if any; ``retries`` counts the
    requests that were repeated because the other side asked for it. ``series`` are key exchanges
    that follow the one which ``granted`` it, request and response; ``contender`` are the nonces of
    a series of the other side's for the same Child SA (RFC 9370, 2.2.4).
    """

    policy: ChildPolicy
    spi: bytes
    replaced: ChildSa | None = None
    exchange: KeyExchange | None = None
    retries: int = 0
    rival: Rival | None = None
    contender: Nonces | None = None
    series: Series | None = None
    granted: tuple[Message, Message] | None = None


@dataclass(slots=True, eq=False)
class IkeWish:
    """We ask for ``successor`` in the place of the IKE SA.

    ``rival`` is what the other side made of the same IKE SA meanwhile (2.8.2). The rest is as that
    of a `ChildWish`.
    """

    successor: IkeSa
    retries: int = 0
    rival: IkeSa | None = None
    contender: Nonces | None = None
    series: Series | None = None
    granted: tuple[Message, Message] | None = None


@dataclass(slots=True, eq=False)
class ChildEnd:
    """We ask to close these Child SAs (1.4.1)."""

    children: tuple[ChildSa, ...]


@dataclass(slots=True, eq=False)
class AddressUpdate:
    """We want ``way`` to be that of the IKE SA and its Child SAs (RFC 4555, 3.5).

    ``before`` is what it was; ``attempt`` counts the requests for it, from 1.
    """

    way: Way
    before: Way
    attempt: int


@dataclass(slots=True, eq=False)
class RouteCheck:
    """We ask whether the other side hears us on that way (RFC 4555, 3.7)."""

    way: Way


Purpose = ChildWish | IkeWish | ChildEnd | AddressUpdate | RouteCheck


class Asked(Enum):
    """What a request of the other side wants to change."""

    CREATE_CHILD = "create a Child SA"
    REKEY_CHILD = "rekey a Child SA"
    REKEY_IKE = "rekey the IKE SA"


class Busy(Enum):
    """What we are doing meanwhile to the same SA."""

    CREATING_CHILD = "creating or rekeying a Child SA"
    CLOSING_CHILD = "closing a Child SA"
    CLOSING_THAT_CHILD = "closing that very Child SA"
    REKEYING_IKE = "rekeying the IKE SA"
    EXCHANGING_KEYS = "doing further key exchanges for its successor"
    CLOSING_IKE = "closing the IKE SA"


TEMPORARY_FAILURE = frozenset(
    {
        (Asked.REKEY_CHILD, Busy.CLOSING_THAT_CHILD),
        (Asked.REKEY_IKE, Busy.CREATING_CHILD),
        (Asked.REKEY_IKE, Busy.CLOSING_CHILD),
        (Asked.REKEY_IKE, Busy.CLOSING_IKE),
        (Asked.CREATE_CHILD, Busy.REKEYING_IKE),
        (Asked.REKEY_CHILD, Busy.REKEYING_IKE),
        (Asked.REKEY_CHILD, Busy.EXCHANGING_KEYS),
        (Asked.REKEY_IKE, Busy.EXCHANGING_KEYS),
        (Asked.CREATE_CHILD, Busy.CLOSING_IKE),
        (Asked.REKEY_CHILD, Busy.CLOSING_IKE),
    }
)
"""The pairs of which 2.25.1, 2.25.2 and RFC 9370, 2.2.4 say that the request has to wait.

New Child SAs of an IKE SA that is being closed are ours to add: they would be gone at once.
"""


def loses(ours: Nonces, theirs: Nonces) -> bool:
    """Say whether the lowest of four nonces is of our exchange, octet by octet (2.8.1).

    A nonce that is the beginning of another one is the lower of the two, as Python has it.
    """
    return min(ours) < min(theirs)
