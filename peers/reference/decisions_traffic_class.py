"""Decisions about DSCP and ECN of tunnels (RFC 6040; RFC 4301, 5.1.2)."""

from __future__ import annotations

from peers.reference import traffic_class


class TrafficClassDecisions:
    """The part of `Decisions` that is about the traffic class of inner and outer headers."""

    def outer_traffic_class(self, inner: int) -> int:
        """Settle the traffic class of an outer header: that of the inner one."""
        return traffic_class.outside(inner)

    def inner_traffic_class(self, inner: int, outer: int) -> int | None:
        """Settle how a packet leaves the tunnel; None when it must not (RFC 6040, 4.2)."""
        return traffic_class.inside(inner, outer)
