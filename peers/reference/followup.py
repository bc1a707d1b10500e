"""IKE_FOLLOWUP_KE: key exchanges that follow CREATE_CHILD_SA, both roles (RFC 9370, 2.2.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from peers.reference.errors import PeerError
from peers.reference.key_exchange import KeyExchange, key_exchange, respond
from peers.reference.message import Message
from peers.reference.numbers import ExchangeType, KeyExchangeMethod, NotifyType
from peers.reference.payloads import KE, Notify, Payload

if TYPE_CHECKING:
    from peers.reference.decisions_key_exchanges import KeyExchangeDecisions
    from peers.reference.sa import IkeSa, Random

LINK = NotifyType.ADDITIONAL_KEY_EXCHANGE

LINK_SIZE = 8
"""Octets of the links that we draw as responder."""


@dataclass(slots=True, eq=False)
class Series:
    """The key exchanges that are left after a CREATE_CHILD_SA exchange, as one side holds them.

    ``link`` is what the responder said last: the next request has to say the same. ``secrets`` are
    SK(1) to SK(n) so far, joined; ``exchange`` is the initiator's half of one under way.
    """

    left: tuple[KeyExchangeMethod, ...]
    link: bytes
    secrets: bytes = b""
    exchange: KeyExchange | None = None

    def notify(self) -> Notify:
        """Build ADDITIONAL_KEY_EXCHANGE with the link."""
        return Notify(LINK, self.link)

    def add(self, secret: bytes) -> None:
        """Add the secret of the exchange that was due."""
        self.secrets += secret
        self.left, self.exchange = self.left[1:], None


# As initiator.


def begin(methods: tuple[KeyExchangeMethod, ...], response: Message) -> Series:
    """Begin the series that a CREATE_CHILD_SA response leaves to do; PeerError without a link."""
    return Series(methods, response.notify(LINK).data)


def request(sa: IkeSa, series: Series) -> Message:
    """Build the next request: HDR, SK {KEi(n), N(ADDITIONAL_KEY_EXCHANGE)}."""
    series.exchange = key_exchange(series.left[0], sa.random)
    public = KE(series.exchange.method, series.exchange.public)
    return sa.request(ExchangeType.IKE_FOLLOWUP_KE, public, series.notify())


def hear(decide: KeyExchangeDecisions, series: Series, response: Message) -> None:
    """Take up KEr(n), and the link to the next exchange if there is one.

    PeerError when the KE payload is of another method, or the link is missing.
    """
    assert series.exchange is not None
    theirs, due = response.get(KE), series.exchange.method
    if not decide.is_its_turn(theirs.group, due):
        raise PeerError(f"KE payload of {theirs.group} in answer to {due!s}")
    more = len(series.left) > 1
    link = decide.link(response.notify(LINK).data) if more else b""
    series.add(series.exchange.shared(theirs.data))
    series.link = link


# As responder.


def expect(methods: tuple[KeyExchangeMethod, ...], random: Random) -> Series:
    """Begin a series as responder, with a link to its first exchange."""
    return Series(methods, random(LINK_SIZE))


def answer(
    decide: KeyExchangeDecisions, series: Series, asked: Message, random: Random
) -> tuple[Payload, ...]:
    """Build the payloads of a response: KEr(n), and a link unless it was the last exchange.

    PeerError when KEi(n) is missing, or of another method than the one whose turn it is.
    """
    theirs, due = asked.get(KE), series.left[0]
    if not decide.is_its_turn(theirs.group, due):
        raise PeerError(f"KE payload of {theirs.group} where it is the turn of {due!s}")
    ours = respond(KeyExchangeMethod(theirs.group), theirs.data, random)
    series.add(ours.shared)
    series.link = random(LINK_SIZE)
    public = KE(theirs.group, ours.public)
    return (public, series.notify()) if series.left else (public,)
