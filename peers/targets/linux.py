"""The Linux kernel alone as a target: ESP keyed by hand with ``ip xfrm``, no daemon, no IKE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from peers.lab.machine import Machine
from peers.reference.child import ChildSa
from peers.reference.connection import Connection, IPNetwork
from peers.reference.errors import ScriptError
from peers.reference.events import IPAddress
from peers.reference.numbers import ProtocolId
from peers.reference.payloads import Proposal
from peers.targets.algorithms import kernel_lacks
from peers.targets.base import Capability, IkeSaState, TargetInfo
from peers.targets.kernel import echo_script, kernel_counters
from peers.targets.xfrm import rules

CAPABILITIES = frozenset(
    {
        Capability.IPV6,
        Capability.TRANSPORT_MODE,
        Capability.CHACHA20_POLY1305,
        Capability.ESP_COUNTERS,
        Capability.KEYED_BY_HAND,
        Capability.SETTABLE_COUNTER,
    }
)


@dataclass(slots=True)
class _Installed:
    child: ChildSa
    request: int
    undo: list[str]


class Linux:
    """Adapter of the kernel (the protocols `base.Target` and `base.KeyedByHand`)."""

    capabilities = CAPABILITIES

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._installed: dict[str, _Installed] = {}
        self._requests = 0
        self._kernel_lacks = kernel_lacks(machine)
        tool = self._machine.run("ip -Version").strip()
        self.info = TargetInfo(
            name=machine.name,
            version=f"Linux {self._machine.run('uname -r').strip()}",
            kernel=machine.kernel,
            image=machine.image,
            notes=(tool,),
        )

    def addresses(self) -> Sequence[IPAddress]:
        """Give the target's IPv4 and IPv6 address."""
        return (self._machine.place.ipv4, self._machine.place.ipv6)

    def network_behind(self, family: int) -> IPNetwork:
        """Give the network behind the target."""
        place = self._machine.place
        return place.behind4 if family == 4 else place.behind6

    def lacks(self, proposal: Proposal) -> str:
        """Ask the kernel for the algorithms of an ESP proposal; there is no IKE to ask."""
        return self._kernel_lacks(proposal) if proposal.protocol == ProtocolId.ESP else ""

    def configure(self, connection: Connection) -> str:
        """Do nothing yet: the keys come with `install`."""
        return f"# Keyed by hand.\n{connection!r}\n"

    def install(self, connection: Connection, child: ChildSa) -> str:
        """Key a Child SA by hand; ``child`` is the target's side. Return the commands."""
        self._requests += 1
        self._installed[connection.name] = _Installed(child, self._requests, [])
        return self._add(connection, (0, 0))

    def set_counters(self, connection: Connection, sent: int, received: int) -> None:
        """Let the SA go on after those sequence numbers, the last of each direction."""
        self._undo(connection)
        self._add(connection, (sent, received))

    def forget(self, connection: Connection) -> None:
        """Delete states and policies, and the addresses that `install` added."""
        self._undo(connection)
        self._installed.pop(connection.name, None)

    def initiate(self, connection: Connection) -> None:
        """Fail: there is no IKE."""
        self._no_ike()

    def rekey_ike(self, connection: Connection) -> None:
        """Fail: there is no IKE."""
        self._no_ike()

    def suspend(self, connection: Connection) -> None:
        """Fail: there is no IKE."""
        self._no_ike()

    def create_child(self, connection: Connection, name: str) -> None:
        """Fail: there is no IKE."""
        self._no_ike()

    def rekey_child(self, connection: Connection, name: str = "") -> None:
        """Fail: there is no IKE."""
        self._no_ike()

    def delete_ike(self, connection: Connection) -> None:
        """Fail: there is no IKE."""
        self._no_ike()

    def delete_child(self, connection: Connection, name: str = "") -> None:
        """Fail: there is no IKE."""
        self._no_ike()

    def echo(self, connection: Connection, name: str = "") -> None:
        """Have the target's side send one echo request."""
        self._machine.run(echo_script(connection, self.network_behind))

    def challenge_with_cookies(self, enabled: bool) -> None:
        """Fail: there is no IKE."""
        self._no_ike()

    def sas(self, connection: Connection) -> Sequence[IkeSaState]:
        """List no IKE SA: there is none."""
        return ()

    def counters(self) -> Mapping[str, int]:
        """Read the kernel's counters of dropped packets (XfrmIn..., and those of its states)."""
        return kernel_counters(self._machine)

    def log(self, start: float, end: float) -> str:
        """Give what the machine printed between two times."""
        return self._machine.read_log(start, end)

    def restart(self) -> None:
        """Flush states and policies."""
        self._machine.restart_daemon()
        self._installed.clear()

    def reachable(self) -> bool:
        """Say whether the machine answers."""
        return self._machine.answers()

    def alive(self) -> bool:
        """Say whether the machine still answers."""
        return self._machine.daemon_is_the_same()

    def _add(self, connection: Connection, last: tuple[int, int]) -> str:
        installed = self._installed[connection.name]
        made = rules(connection, installed.child, installed.request, last)
        added, removed = self._own_addresses(installed.child)
        commands = [*added, *(f"ip xfrm {each}" for each in made.add)]
        installed.undo = [*(f"ip xfrm {each}" for each in made.delete), *removed]
        self._machine.run(" && ".join(commands))
        return "".join(f"{each}\n" for each in commands)

    def _own_addresses(self, child: ChildSa) -> tuple[list[str], list[str]]:
        """Give the commands that make hosts of the local selectors the target's own."""
        known = {*self.addresses()}
        hosts = {
            each.start_address
            for each in child.terms.local_selectors
            if each.start_address == each.end_address and each.start_address not in known
        }
        words = [f"{host}/{host.max_prefixlen} dev lo" for host in sorted(hosts, key=str)]
        return [f"ip address add {each}" for each in words], [
            f"ip address delete {each}" for each in words
        ]

    def _undo(self, connection: Connection) -> None:
        installed = self._installed.get(connection.name)
        if installed and installed.undo:
            self._machine.run("; ".join([*installed.undo, "true"]))
            installed.undo = []

    def _no_ike(self) -> NoReturn:
        raise ScriptError(f"{self.info.name} has no IKE: the test needs {Capability.IKE}")
