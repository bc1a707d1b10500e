"""Planted faults: DSCP and ECN of inner and outer headers (RFC 6040; RFC 4301, 5.1.2)."""

from __future__ import annotations

from dataclasses import replace

from peers.reference import ip
from peers.reference.child import ChildSa
from peers.reference.decisions import Decisions
from peers.reference.planted.catalogue import fault
from peers.reference.traffic_class import DSCP_MASK, ECN_MASK, Ecn, with_ecn


@fault("clears-ecn-outside")
class ClearsEcnOutside(Decisions):
    """Every outer header is Not-ECT: compatibility mode towards a peer that has IKEv2."""

    def outer_traffic_class(self, inner: int) -> int:
        return with_ecn(inner, Ecn.NOT_ECT)


@fault("resets-ce-outside")
class ResetsCeOutside(Decisions):
    """CE inside becomes ECT(0) outside, as RFC 3168 had it."""

    def outer_traffic_class(self, inner: int) -> int:
        return with_ecn(inner, Ecn.ECT_0) if Ecn.of(inner) is Ecn.CE else inner


@fault("clears-dscp-outside")
class ClearsDscpOutside(Decisions):
    """The outer header has DSCP 0 whatever the inner one has."""

    def outer_traffic_class(self, inner: int) -> int:
        return inner & ECN_MASK


@fault("takes-dscp-from-outside")
class TakesDscpFromOutside(Decisions):
    """A packet leaves the tunnel with the DSCP of its outer header."""

    def inner_traffic_class(self, inner: int, outer: int) -> int | None:
        leaving = super().inner_traffic_class(inner, outer)
        return None if leaving is None else outer & DSCP_MASK | leaving & ECN_MASK


@fault("takes-ecn-from-outside")
class TakesEcnFromOutside(Decisions):
    """A packet leaves the tunnel with the ECN field of its outer header."""

    def inner_traffic_class(self, inner: int, outer: int) -> int | None:
        return with_ecn(inner, Ecn.of(outer))


@fault("ignores-ecn-outside")
class IgnoresEcnOutside(Decisions):
    """Congestion that was marked on the way is lost."""

    def inner_traffic_class(self, inner: int, outer: int) -> int | None:
        return inner


@fault("forwards-not-ect-under-ce")
class ForwardsNotEctUnderCe(Decisions):
    """A packet marked on the way leaves the tunnel unmarked if its transport knows no ECN."""

    def inner_traffic_class(self, inner: int, outer: int) -> int | None:
        leaving = super().inner_traffic_class(inner, outer)
        return inner if leaving is None else leaving


@fault("keeps-ect0-under-ect1")
class KeepsEct0UnderEct1(Decisions):
    """ECT(1) outside does not get the better of ECT(0) inside, as RFC 4301 has it."""

    def inner_traffic_class(self, inner: int, outer: int) -> int | None:
        return inner if Ecn.of(outer) is Ecn.ECT_1 else super().inner_traffic_class(inner, outer)


@fault("changes-ecn-inside")
class ChangesEcnInside(Decisions):
    """What goes into the tunnel loses its ECN field."""

    def seal_esp(self, child: ChildSa, inner: ip.IpPacket, iv: bytes) -> bytes:
        cleared = with_ecn(inner.traffic_class, Ecn.NOT_ECT)
        return super().seal_esp(child, replace(inner, traffic_class=cleared), iv)
