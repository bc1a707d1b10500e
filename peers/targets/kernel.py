"""What both daemons leave to their kernel: echoes, and counters of dropped ESP packets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping

from peers.lab.machine import Machine
from peers.reference.connection import Connection, IPNetwork, Mode
from peers.reference.events import IPAddress

STATISTICS = re.compile(r"stats:\s+replay-window (\d+) replay (\d+) failed (\d+)")
LINE = re.compile(r"^(Xfrm\w+)\s+(\d+)$", re.MULTILINE)

READ = "while read -r line; do echo $line; done </proc/net/xfrm_stat; ip -statistics xfrm state"
"""The shell reads the counters itself: that costs nothing, a program fifteen milliseconds."""


def kernel_counters(machine: Machine) -> Mapping[str, int]:
    """Read /proc/net/xfrm_stat, and the sums of every state's replay and failed counts."""
    return parse_counters(machine.run(READ))


def parse_counters(text: str) -> Mapping[str, int]:
    """Read what `READ` prints; the states' own counts are ``state replay`` and so on."""
    found = Counter({name: int(count) for name, count in LINE.findall(text)})
    names = ("state replay-window", "state replay", "state failed")
    found.update(dict.fromkeys(names, 0))
    for counts in STATISTICS.findall(text):
        found.update(dict(zip(names, map(int, counts), strict=True)))
    return found


def echo_script(connection: Connection, network_behind: Callable[[int], IPNetwork]) -> str:
    """Give the script that sends one echo request through the Child SA and waits for nothing."""
    source, destination = echo_addresses(connection, network_behind)
    return f"ping -c 1 -W 1 -n -I {source} {destination} >/dev/null 2>&1 &"


def echo_addresses(
    connection: Connection, network_behind: Callable[[int], IPNetwork]
) -> tuple[IPAddress, IPAddress]:
    """Choose the hosts: the outer ones in transport mode, else ones that the selectors cover."""
    if connection.mode is Mode.TRANSPORT:
        return connection.local, connection.remote
    selector = connection.local_selectors[0]
    own = network_behind(selector.version)[1]
    source = own if own in selector else first_host(selector)
    return source, first_host(connection.remote_selectors[0])


def first_host(network: IPNetwork) -> IPAddress:
    """Give the only host of a host prefix, the host ``[1]`` of a wider one."""
    return network[0] if network.num_addresses == 1 else network[1]
