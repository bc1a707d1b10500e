"""What a message did to the target: what it said, and what it holds since then."""

from __future__ import annotations

from collections.abc import Iterator

from peers.peer import Peer
from peers.reference import nat
from peers.reference.errors import PeerError
from peers.reference.events import Transmission
from peers.reference.message import Header, Message
from peers.reference.numbers import ExchangeType
from peers.reference.payloads import SA
from peers.reference.sa import IkeSa
from peers.targets.bound import BoundTarget


def opens_ike_sa(peer: Peer, target: BoundTarget, message: Message, wrong: str = "") -> bool:
    """Say whether an IKE_SA_INIT request of ours opens an IKE SA.

    Two witnesses: the responses heard before a fence is answered, and the list of IKE SAs of a
    target that tells their SPIs, which it makes after it has dealt with what came before.
    """
    granted = any(reaction.has(SA) for reaction in peer.reactions(message, wrong))
    return granted or any(state.initiator_spi == message.spi_i for state in target.sas())


def is_kept(target: BoundTarget, ike: IkeSa) -> bool:
    """Say whether the target still has an IKE SA established.

    Libreswan tells no SPIs: each test has an address of its own.
    """
    return any(each.initiator_spi in (b"", ike.spi_i) for each in target.established())


def sets_up_child_sa(peer: Peer) -> bool:
    """Do the initial exchanges, and say whether the target grants the Child SA."""
    peer.open_ike_sa()
    request = peer.ike_auth()
    response = peer.exchange(request)
    if not response.has(SA):
        return False
    peer.take_up(request, response)
    return True


def exchanges_heard(peer: Peer) -> list[ExchangeType]:
    """List the exchanges of the IKE messages heard so far, those that we cannot open too."""
    return [header.exchange for header in _headers(peer)]


def _headers(peer: Peer) -> Iterator[Header]:
    for event in peer.events:
        if isinstance(event, Transmission) and not event.sent:
            try:
                kind, octets = nat.demultiplex(event.packet)
                if kind is nat.Kind.IKE:
                    yield Header.decode(octets)
            except PeerError:
                continue
