"""Which addresses a run uses: subnets of the project's own that collide with nothing."""

from __future__ import annotations

import itertools
import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path

from peers.lab.errors import SetupError
from peers.reference.errors import Inconclusive
from peers.reference.events import IPAddress

BENCHMARKING = IPv4Network("198.18.0.0/15")
"""Set aside for tests of network devices (RFC 2544): no network in use has it."""

PREFIX = 18
UNASKED = 16
"""The prefix of the widest subnet that is taken unasked: 16,382 pairs of addresses."""

WIDEST, NARROWEST = 8, 22
UNIQUE_LOCAL = IPv6Network("fd69:6b65:7072::/48")

# Hosts of the lower half; the upper half is the peer's.
GATEWAY, PEER, FIRST_TARGET, MOST_TARGETS = 1, 2, 16, 64


@dataclass(frozen=True, slots=True)
class Plan:
    """The addresses of one run: an IPv4 subnet and the IPv6 subnet that goes with it.

    In both the upper half is the peer's range, which targets reach by a route and not by a
    neighbour's address for each.
    """

    ipv4: IPv4Network

    @property
    def ipv6(self) -> IPv6Network:
        """The IPv6 subnet, a /64 as different from others as the IPv4 subnet is."""
        number = int(self.ipv4.network_address) >> 10
        return IPv6Network((int(UNIQUE_LOCAL.network_address) | (number & 0xFFFF) << 64, 64))

    @property
    def containers(self) -> IPv4Network:
        """The part that the engine may choose addresses from."""
        return next(self.ipv4.subnets(new_prefix=24))

    @property
    def range4(self) -> IPv4Network:
        """The peer's IPv4 addresses."""
        return list(self.ipv4.subnets())[1]

    @property
    def range6(self) -> IPv6Network:
        """The peer's IPv6 addresses."""
        return list(self.ipv6.subnets())[1]

    def host(self, number: int) -> tuple[IPv4Address, IPv6Address]:
        """Give a host of the lower halves."""
        return self.ipv4[number], self.ipv6[number]

    def target(self, index: int) -> tuple[IPv4Address, IPv6Address]:
        """Give the addresses of target ``index`` (from 0)."""
        return self.host(FIRST_TARGET + index)


def behind(index: int) -> tuple[IPv4Network, IPv6Network]:
    """Give the networks behind target ``index`` (from 0): 10.1.0.0/24 and on, and a ULA each."""
    number = index + 1
    prefix = int(IPv6Address("fd69:6b65:7100::")) | number << 64
    return IPv4Network(f"10.{number}.0.0/24"), IPv6Network((prefix, 64))


@dataclass(frozen=True, slots=True)
class PeerAddresses:
    """Fresh addresses for one test, and its number in the run.

    The second pair is for a peer that moves, or whose NAT does.
    """

    index: int
    ipv4: IPv4Address
    ipv6: IPv6Address
    second_ipv4: IPv4Address
    second_ipv6: IPv6Address

    def of(self, family: int) -> tuple[IPAddress, IPAddress]:
        """Give both addresses of an IP version."""
        if family == 4:
            return self.ipv4, self.second_ipv4
        return self.ipv6, self.second_ipv6

    @classmethod
    def numbered(cls, index: int, range4: IPv4Network, range6: IPv6Network) -> PeerAddresses:
        """Take the addresses of that number: one in each half of the ranges."""
        second = index + range4.num_addresses // 2
        return cls(
            index, range4[index + 1], range6[index + 1], range4[second + 1], range6[second + 1]
        )


class AddressPool:
    """Gives out the peer's addresses, each one once."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._left: Iterator[int] = iter(range(plan.range4.num_addresses // 2 - 2))

    def take(self) -> PeerAddresses:
        """Give a pair that nobody had; Inconclusive when none is left."""
        index = next(self._left, None)
        if index is None:
            raise Inconclusive(
                f"every address of {self._plan.range4} is used up: take a wider --subnet"
            )
        return PeerAddresses.numbered(index, self._plan.range4, self._plan.range6)


def parse_subnet(text: str) -> IPv4Network:
    """Read the value of --subnet; SetupError for what cannot carry a lab."""
    try:
        subnet = IPv4Network(text)
    except ValueError as error:
        raise SetupError(f"--subnet {text}: {error}; give one like 198.18.64.0/18") from error
    if not WIDEST <= subnet.prefixlen <= NARROWEST:
        raise SetupError(f"--subnet {text}: the prefix must be /{WIDEST} to /{NARROWEST}")
    return subnet


def prefix_for(peers: int) -> int:
    """Give the prefix of a subnet that has pairs of addresses for so many peers."""
    return max(UNASKED, min(NARROWEST, 32 - (4 * (peers + 2) - 1).bit_length()))


def candidates(
    wanted: IPv4Network | None, taken: Iterable[IPv4Network], prefix: int = PREFIX
) -> list[Plan]:
    """Give the plans of that prefix that collide with nothing, best first.

    ``wanted`` is the only candidate if given. SetupError when all collide, naming with what.
    """
    taken = list(taken)
    subnets = [wanted] if wanted else list(BENCHMARKING.subnets(new_prefix=prefix))
    free = [each for each in subnets if not any(each.overlaps(other) for other in taken)]
    if free:
        return [Plan(each) for each in free]
    clash = next(other for other in taken if subnets[0].overlaps(other))
    what = f"the subnet {wanted}" if wanted else f"every /{prefix} of {BENCHMARKING}"
    raise SetupError(f"{what} is taken (for one by {clash}): give a free one with --subnet")


def host_routes(read: Callable[[Path], str] = Path.read_text) -> list[IPv4Network]:
    """List the destinations of the host's IPv4 routes, without the default route.

    The first process's view comes first: in a container that sees the host's processes, it is the
    host's.
    """
    try:
        table = read(Path("/proc/1/net/route"))
    except PermissionError:
        table = read(Path("/proc/net/route"))
    rows = (line.split() for line in itertools.islice(table.splitlines(), 1, None))
    found = (IPv4Network((_address(row[1]), _address(row[7]))) for row in rows)
    return [each for each in found if each.prefixlen]


def _address(little_endian_hex: str) -> str:
    return socket.inet_ntoa(struct.pack("=I", int(little_endian_hex, 16)))
