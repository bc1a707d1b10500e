"""Traffic classes of the tests of tunnels: codepoints, and echoes that are marked with them."""

from __future__ import annotations

import pytest

from peers.conversation import HeardEsp
from peers.peer import Peer
from peers.reference.errors import PeerError
from peers.reference.traffic_class import Ecn

CODEPOINTS = pytest.mark.parametrize(
    "codepoint", [Ecn.NOT_ECT, Ecn.ECT_0, Ecn.ECT_1], ids=["not-ect", "ect0", "ect1"]
)
"""Every codepoint that is no sign of congestion."""


def alike(peer: Peer, traffic_class: int) -> HeardEsp:
    """Send an echo request with a traffic class inside and outside; give its reply."""
    reply = peer.marked_echo(traffic_class, traffic_class)
    if reply is None:
        raise PeerError(f"traffic class {traffic_class:#04x} in both headers: it is dropped")
    return reply
