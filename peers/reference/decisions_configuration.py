"""Decisions about Configuration payloads (RFC 7296, 2.19, 2.20 and 3.15)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from peers.reference import configuration
from peers.reference.configuration import Assignment
from peers.reference.connection import AddressPool
from peers.reference.events import IPAddress
from peers.reference.negotiation import narrow, selectors
from peers.reference.numbers import ConfigType
from peers.reference.payloads import CP, ConfigAttribute, TrafficSelector

VERSION = b"ikeproof"


class ConfigurationDecisions:
    """The decisions of `Decisions` about configuration, as the RFC wants them."""

    def requires_configuration(self, pool: AddressPool | None, request: CP | None) -> bool:
        """Say whether a Child SA is refused because no address was asked for (2.19)."""
        return pool is not None and pool.required and request is None

    def assign(
        self, pool: AddressPool, request: CP, taken: Collection[IPAddress]
    ) -> tuple[IPAddress, ...]:
        """Choose the addresses that a request gets (3.15.4)."""
        return configuration.assign(pool, request, taken)

    def configuration_reply(
        self, pool: AddressPool | None, request: CP | None, addresses: Sequence[IPAddress]
    ) -> CP | None:
        """Build the CFG_REPLY; never one that nobody asked for (2.19)."""
        if request is None:
            return None
        told = configuration.reply(pool, request, addresses)
        more = configuration.information(request, self.application_version())
        return replace(told, attributes=(*told.attributes, *more))

    def application_version(self) -> bytes:
        """Give our version, or nothing (2.20)."""
        return VERSION

    def acknowledged(self, settings: CP) -> CP:
        """Build the CFG_ACK: its attributes are those that we accept, without values (3.15.1)."""
        return CP(ConfigType.CFG_ACK, self.accepted(settings))

    def accepted(self, settings: CP) -> tuple[ConfigAttribute, ...]:
        """Choose what we accept of what the other side wants to set: nothing."""
        return ()

    def is_enough(self, assignment: Assignment | None) -> bool:
        """Say whether an initiator that needs an address goes on with what it was given."""
        return assignment is not None and bool(assignment.addresses)

    def own_selectors(
        self, granted: Sequence[TrafficSelector], addresses: Sequence[IPAddress]
    ) -> tuple[TrafficSelector, ...]:
        """Choose our side's selectors: of a grant that is wider only the addresses assigned."""
        hosts = configuration.hosts(addresses)
        return narrow(granted, selectors(hosts))
