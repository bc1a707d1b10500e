"""DSCP and ECN of tunnels: what the outer header takes over, and what comes in again.

RFC 6040 for ECN, RFC 4301, 5.1.2, for DSCP. A traffic class is the octet of an IPv4 or IPv6 header
with both: DSCP in the upper six bits, ECN in the lower two.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

ECN_MASK = 0x03
DSCP_MASK = 0xFC


class Ecn(IntEnum):
    """The codepoints of the ECN field (RFC 3168, 5)."""

    NOT_ECT = 0
    ECT_1 = 1
    ECT_0 = 2
    CE = 3

    @classmethod
    def of(cls, traffic_class: int) -> Ecn:
        """Read the ECN field of a traffic class."""
        return cls(traffic_class & ECN_MASK)


LEAVING: Mapping[tuple[Ecn, Ecn], Ecn | None] = {
    # (inner, outer): what leaves the tunnel; None is dropped.
    (Ecn.NOT_ECT, Ecn.NOT_ECT): Ecn.NOT_ECT,
    (Ecn.NOT_ECT, Ecn.ECT_0): Ecn.NOT_ECT,
    (Ecn.NOT_ECT, Ecn.ECT_1): Ecn.NOT_ECT,
    (Ecn.NOT_ECT, Ecn.CE): None,
    (Ecn.ECT_0, Ecn.NOT_ECT): Ecn.ECT_0,
    (Ecn.ECT_0, Ecn.ECT_0): Ecn.ECT_0,
    (Ecn.ECT_0, Ecn.ECT_1): Ecn.ECT_1,
    (Ecn.ECT_0, Ecn.CE): Ecn.CE,
    (Ecn.ECT_1, Ecn.NOT_ECT): Ecn.ECT_1,
    (Ecn.ECT_1, Ecn.ECT_0): Ecn.ECT_1,
    (Ecn.ECT_1, Ecn.ECT_1): Ecn.ECT_1,
    (Ecn.ECT_1, Ecn.CE): Ecn.CE,
    (Ecn.CE, Ecn.NOT_ECT): Ecn.CE,
    (Ecn.CE, Ecn.ECT_0): Ecn.CE,
    (Ecn.CE, Ecn.ECT_1): Ecn.CE,
    (Ecn.CE, Ecn.CE): Ecn.CE,
}
"""The whole of RFC 6040, figure 4."""


def with_ecn(traffic_class: int, ecn: Ecn) -> int:
    """Give a traffic class with another ECN field."""
    return traffic_class & DSCP_MASK | ecn


def outside(inner: int) -> int:
    """Give the traffic class of the outer header that a packet is put behind.

    ECN is copied, which is normal mode (RFC 6040, 4.1), and DSCP too (RFC 4301, 5.1.2).
    """
    return inner


def inside(inner: int, outer: int) -> int | None:
    """Give the traffic class with which a packet leaves the tunnel; None when it is dropped.

    ECN is combined (RFC 6040, 4.2), DSCP stays as it is inside (RFC 4301, 5.1.2).
    """
    leaving = LEAVING[Ecn.of(inner), Ecn.of(outer)]
    return None if leaving is None else with_ecn(inner, leaving)
