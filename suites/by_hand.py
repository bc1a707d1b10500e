"""Published ESP packets as a test sends them: their keys by hand, their selectors, their octets."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

import pytest

from peers.reference import ip
from peers.reference.connection import Connection, Mode
from peers.reference.keys import ChildKeys, SaKeys
from peers.reference.negotiation import encr, esp_proposal
from peers.reference.numbers import Encr, Esn, ProtocolId
from vectors.loader import Case, load


@dataclass(frozen=True, slots=True)
class Published:
    """One packet of a vector file of kind "esp"."""

    case: Case

    @property
    def mode(self) -> Mode:
        """The mode that the RFC names."""
        return Mode.TRANSPORT if "TRANSPORT" in self.case.flags else Mode.TUNNEL

    @property
    def terms(self) -> dict[str, Any]:
        """What a connection says of it, from the target's point of view."""
        case = self.case
        cipher = encr(Encr(case.number("encr")), case.optional_number("key_bits"))
        terms: dict[str, Any] = {"esp_proposals": (esp_proposal(cipher),)}
        if self.mode is Mode.TUNNEL:
            inner = ip.IpPacket.decode(case.octets("payload"))
            terms["local_selectors"] = (ip_network(str(inner.destination)),)
            terms["remote_selectors"] = (ip_network(str(inner.source)),)
        return terms

    def keys(self, other_spi: bytes) -> ChildKeys:
        """Give the published key to both directions; the other one has ``other_spi``."""
        case, key = self.case, SaKeys(self.case.octets("key"), b"")
        bits = case.optional_number("key_bits")
        encr_, spi = Encr(case.number("encr")), case.octets("spi")
        return ChildKeys(ProtocolId.ESP, encr_, bits, None, Esn.NO_ESN, other_spi, spi, key, key)

    def inner(self, ours: Connection) -> ip.IpPacket:
        """Give the packet that is to come out; ``ours`` is the peer's view of the connection."""
        payload = self.case.octets("payload")
        if self.mode is Mode.TUNNEL:
            return ip.IpPacket.decode(payload)
        number = self.case.number("next_header")
        return ip.IpPacket(ours.local, ours.remote, number, payload)


def published(name: str) -> pytest.MarkDecorator:
    """Run a test with each packet of a vector file."""
    packets = [Published(case) for case in load(name).cases]
    values = [(each, each.mode, each.terms) for each in packets]
    ids = [str(each.case) for each in packets]
    return pytest.mark.parametrize(("packet", "mode", "esp_terms"), values, ids=ids)
