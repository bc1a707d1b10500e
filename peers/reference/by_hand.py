"""Child SAs keyed by hand, without an IKE SA: both sides are told the keys (RFC 4301, 4.5.1)."""

from __future__ import annotations

from peers.reference.child import SPI_SIZE, ChildSa, ChildTerms
from peers.reference.connection import Connection
from peers.reference.crypto import key_sizes
from peers.reference.keys import ChildKeys, SaKeys
from peers.reference.negotiation import Suite, selectors
from peers.reference.numbers import Esn, ProtocolId
from peers.reference.payloads import Proposal
from peers.reference.sa import Random
from peers.reference.states import ChildEvent


def draw_keys(proposal: Proposal, random: Random) -> ChildKeys:
    """Draw keys and SPIs for the first transforms of a proposal."""
    suite = Suite.of(proposal)
    encryption, integrity = key_sizes(suite.encr, suite.key_bits, suite.integ)
    return ChildKeys(
        ProtocolId.ESP,
        suite.encr,
        suite.key_bits,
        suite.integ,
        suite.esn if suite.esn is not None else Esn.NO_ESN,
        draw_spi(random),
        draw_spi(random),
        SaKeys(random(encryption), random(integrity)),
        SaKeys(random(encryption), random(integrity)),
    )


def draw_spi(random: Random) -> bytes:
    """Draw an SPI outside the reserved range, 0 to 255 (RFC 4303, 2.1)."""
    octets = random(SPI_SIZE)
    return bytes([octets[0] | 0x80]) + octets[1:]


def child_by_hand(connection: Connection, keys: ChildKeys, *, initiator: bool) -> ChildSa:
    """Make one side's Child SA; ``connection`` is that side's view.

    "Initiator" only says whose packets ``keys.from_initiator`` protect.
    """
    spi, peer_spi = (
        (keys.initiator_spi, keys.responder_spi)
        if initiator
        else (keys.responder_spi, keys.initiator_spi)
    )
    terms = ChildTerms(
        initiator,
        connection.esp_proposals[0],
        spi,
        peer_spi,
        connection.mode,
        selectors(connection.local_selectors),
        selectors(connection.remote_selectors),
    )
    child = ChildSa.keyed(terms, connection, keys)
    child.move(ChildEvent.MAKE)
    return child
