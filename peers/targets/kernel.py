"""What both daemons leave to their kernel: echoes, and counters of dropped ESP packets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping

from peers.lab.machine import Machine
from peers.reference.child import first_host
from peers.reference.connection import ChildPolicy, Connection, IPNetwork, Mode
from peers.reference.events import IPAddress
from peers.reference.negotiation import selectors
from peers.targets.keywords import check_policy

STATISTICS = re.compile(r"stats:\s+replay-window (\d+) replay (\d+) failed (\d+)")
LINE = re.compile(r"^(Xfrm\w+)\s+(\d+)$", re.MULTILINE)

READ = "while read -r line; do echo $line; done </proc/net/xfrm_stat; ip -statistics xfrm state"
"""The shell reads the counters itself: that costs nothing, a program fifteen milliseconds."""

TRY_ESP_IN_TCP = (
    "ip xfrm state add {ends} proto esp spi 0x1000 mode tunnel"
    f" aead 'rfc4106(gcm(aes))' 0x{'00' * 36} 128 encap espintcp 4500 4500 {{any}} 2>/dev/null"
    " && ip xfrm state delete {ends} proto esp spi 0x1000 && echo yes || true"
)


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


def has_esp_in_tcp(machine: Machine) -> bool:
    """Try to install a state of ESP in TCP (RFC 9329), which many kernels are built without."""
    return all(
        "yes" in machine.run(TRY_ESP_IN_TCP.format(ends=f"src {here} dst {there}", any=nobody))
        for here, there, nobody in (
            ("192.0.2.1", "192.0.2.2", "0.0.0.0"),
            ("2001:db8::1", "2001:db8::2", "::"),
        )
    )


def echo_script(
    connection: Connection, network_behind: Callable[[int], IPNetwork], name: str = ""
) -> str:
    """Give the script that sends one echo request through the Child SA and waits for nothing.

    ``name`` is that of the Child SA's policy, by default the first.
    """
    name = check_policy(connection, name)
    policy = next(each for each in connection.children if each.name == name)
    source, destination = echo_addresses(connection, policy, network_behind)
    return f"ping -c 1 -W 1 -n -I {source} {destination} >/dev/null 2>&1 &"


def echo_addresses(
    connection: Connection, policy: ChildPolicy, network_behind: Callable[[int], IPNetwork]
) -> tuple[IPAddress, IPAddress]:
    """Choose the hosts: the outer ones in transport mode, else ones that the selectors cover."""
    if policy.mode is Mode.TRANSPORT:
        return connection.local, connection.remote
    local, remote = map(selectors, (policy.local_selectors, policy.remote_selectors))
    first, last = local[0].start_address, local[0].end_address
    own = network_behind(first.version)[1]
    source = own if int(first) <= int(own) <= int(last) else first_host(local)
    return source, first_host(remote)
