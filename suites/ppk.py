"""Post-quantum preshared keys as tests have them: who has which, and whether it is required."""

from __future__ import annotations

from dataclasses import replace

from peers.peer import Peer
from peers.reference.authentication import own_auth
from peers.reference.connection import Connection
from peers.reference.credentials import Ppk
from peers.reference.decisions_authentication import AuthenticationDecisions
from peers.reference.payloads import AUTH
from peers.reference.ppk import left_out
from peers.targets.base import Capability
from suites.terms import arranged

PPK = Ppk(b"ikeproof-ppk", bytes(range(32)))
"""The one that target and peer both have, unless a test says otherwise."""

OTHER = Ppk(b"ikeproof-other", bytes(range(32, 64)))
"""One that the target does not have."""


def _optional(described: Connection) -> Connection:
    return replace(described, ppks=(PPK,))


def _required(described: Connection) -> Connection:
    return replace(described, ppks=(PPK,), ppk_required=True)


optional = arranged(_optional, Capability.PPK)
"""Configure the target with a PPK that it need not use."""

required = arranged(_required, Capability.PPK)
"""Configure the target with a PPK without which nothing is to be established."""


def auth_without(peer: Peer) -> AUTH:
    """Build the peer's AUTH as it would be without the PPK that it has just mixed in."""
    ours = peer.connection
    identification = ours.local_identity.payload(of_initiator=peer.ike.initiator)
    with left_out(peer.ike):
        return own_auth(peer.ike, identification, ours.local_credential, AuthenticationDecisions())


def has(peer: Peer, *ppks: Ppk, required: bool = False) -> None:
    """Let the peer have other PPKs than the target, before it says anything."""
    peer.connection = replace(peer.connection, ppks=ppks, ppk_required=required)
