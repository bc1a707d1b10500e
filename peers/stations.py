"""Where a test meets its target: the lab for daemons, this process for the embedded target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Self

from peers.lab.addresses import PeerAddresses
from peers.lab.errors import SetupError
from peers.lab.lab import ADAPTERS, Lab, Spec
from peers.lab.web import Site
from peers.link import Link
from peers.memory import MemoryLink
from peers.reference import planted
from peers.reference.endpoint import Endpoint
from peers.reference.sa import Random
from peers.targets.base import Target, TargetInfo
from peers.targets.reference import ReferenceTarget

EMBEDDED = "reference"
"""The embedded target's name; ``reference!FAULT`` has a planted fault."""

PEERS4, PEERS6 = IPv4Network("198.18.32.0/19"), IPv6Network("fd69:6b65:7072:1::/64")
"""Where the embedded target's peers have their addresses."""

INNER_IPV4 = IPv4Network("10.128.0.0/9")
INNER_IPV6 = IPv6Network("fd80::/16")


@dataclass(frozen=True, slots=True)
class Station:
    """A target, the link to it, and fresh addresses for one peer.

    ``serve`` has a site to be had over HTTP as long as the context is open. The embedded target
    fetches nothing: it reads the site itself.
    """

    target: Target
    link: Link
    addresses: PeerAddresses
    serve: Callable[[Site], AbstractContextManager[None]] = lambda _: nullcontext()

    def network_behind_peer(self, family: int) -> IPv4Network | IPv6Network:
        """Give the network (a /24 or a /64) behind this test's peer."""
        index = self.addresses.index
        if family == 4:
            return IPv4Network((int(INNER_IPV4[0]) + (index << 8), 24))
        return IPv6Network((int(INNER_IPV6[0]) + (index << 64), 64))


def embedded_name(spec: str) -> tuple[bool, str]:
    """Say whether a target is the embedded one, and which fault is planted in it."""
    name, _, fault = spec.partition("!")
    return name == EMBEDDED, fault


class Stations:
    """Opens the lab for the daemons among the targets; the embedded one needs none."""

    def __init__(
        self,
        specs: Sequence[str],
        *,
        version: str,
        kernel: str,
        subnet: str | None,
        output: Path,
        peers: int,
        start: float,
        say: Callable[[str], None],
    ) -> None:
        self._daemons = [spec for spec in specs if not embedded_name(spec)[0]]
        self._version = version
        self._kernel = kernel
        self._subnet = subnet
        self._output = output
        self._peers = peers
        self._start = start
        self._say = say
        self._stack = ExitStack()
        self._taken = 0
        self.lab: Lab | None = None

    def __enter__(self) -> Self:
        if self._daemons:
            self.lab = self._stack.enter_context(
                Lab(
                    self._daemons,
                    kernel=self._kernel,
                    subnet=self._subnet,
                    output=self._output,
                    peers=self._peers,
                    say=self._say,
                )
            )
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def station(self, spec: str, random: Random) -> Station:
        """Give a test its station; the embedded target is made anew for each."""
        embedded, fault = embedded_name(spec)
        if not embedded:
            assert self.lab is not None
            lab = self.lab
            return Station(lab.targets[spec], lab.link, lab.addresses.take(), lab.serve)
        endpoint = Endpoint(random, planted.find(fault)() if fault else None)
        link = MemoryLink(endpoint, self._start)
        target = ReferenceTarget(endpoint, link, self.info(spec))
        self._taken += 1
        index = self._taken % 4000
        return Station(target, link, PeerAddresses.numbered(index, PEERS4, PEERS6))

    def info(self, spec: str) -> TargetInfo:
        """Describe a target for the report."""
        embedded, fault = embedded_name(spec)
        if embedded:
            notes = (f"planted fault: {fault}",) if fault else ()
            return TargetInfo(spec, self._version, "none: ESP in this process", notes=notes)
        assert self.lab is not None
        return self.lab.targets[spec].info


def check_spec(spec: str) -> None:
    """Raise SetupError or ScriptError for a target or a fault that there is not."""
    embedded, fault = embedded_name(spec)
    if embedded and fault:
        planted.find(fault)
    name = spec.partition("!")[0].partition("@")[0]
    if not embedded and name not in ADAPTERS:
        known = ", ".join([EMBEDDED, *ADAPTERS])
        raise SetupError(f"unknown target {name!r}: there are {known}")
    if not embedded:
        Spec.parse(spec)
