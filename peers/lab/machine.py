"""A target's container: with its own kernel or a guest's, the same from outside."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from docker import DockerClient
from docker.errors import APIError
from docker.models.containers import Container
from requests.exceptions import RequestException

from peers.lab.addresses import PEER, Plan, behind
from peers.lab.control import AGENT_PORT, NOT_YET, Agent, ControlSocket, connect
from peers.lab.errors import SetupError, refused
from peers.lab.logs import ContainerLog
from peers.lab.sockets import SocketMaker
from peers.reference.errors import Inconclusive

BOOT_PATIENCE = 60.0
RESTART_PATIENCE = 30.0
MOST_EXITS = 3

# What the daemons need where they run on the host's kernel; the guest kernel needs the first two.
CAPABILITIES = ["NET_ADMIN", "NET_RAW", "NET_BIND_SERVICE", "SETGID", "SETUID", "SETPCAP", "CHOWN"]
CAPABILITIES += ["DAC_OVERRIDE", "FOWNER", "KILL"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a target stands: its addresses, and the networks behind it."""

    ipv4: IPv4Address
    ipv6: IPv6Address
    behind4: IPv4Network
    behind6: IPv6Network
    plan: Plan

    @classmethod
    def of(cls, plan: Plan, index: int) -> Place:
        """Give the place of target ``index`` (from 0)."""
        return cls(*plan.target(index), *behind(index), plan)

    def environment(self, kernel: str) -> dict[str, str]:
        """Give the settings that docker/guest/entry and network read."""
        peer4, peer6 = self.plan.host(PEER)
        return {
            "IKEPROOF_KERNEL": kernel,
            "IKEPROOF_ADDRESS4": f"{self.ipv4}/24",
            "IKEPROOF_ADDRESS6": f"{self.ipv6}/112",
            "IKEPROOF_PEER4": str(peer4),
            "IKEPROOF_PEER6": str(peer6),
            "IKEPROOF_INNER4": f"{self.behind4[1]}/{self.behind4.prefixlen}",
            "IKEPROOF_INNER6": f"{self.behind6[1]}/{self.behind6.prefixlen}",
        }


class Machine:
    """A running target, its control shell and its log."""

    def __init__(
        self, name: str, container: Container, place: Place, make_socket: SocketMaker
    ) -> None:
        self.name = name
        self.place = place
        self.kernel = ""
        self.log = ContainerLog(container)
        self._container = container
        self._make_socket = make_socket
        self._agent: Agent | None = None
        self._start = ""
        self._restarting = threading.Lock()

    @property
    def image(self) -> str:
        """The tag of the container's image."""
        return str(self._container.attrs["Config"]["Image"])

    def wait_for_agent(self, start: int = 0) -> None:
        """Wait until the control shell answers; SetupError with the log's end if it does not.

        ``start`` is the log's length when it was started.
        """
        if not self.log.wait_for("ikeproof: daemon started", BOOT_PATIENCE, start):
            unusable = self.log.find("ikeproof: unusable: ").partition("unusable: ")[2]
            if unusable:
                raise SetupError(
                    f"{self.name}: this host's kernel cannot be used ({unusable}): "
                    "take --kernel guest, built or auto"
                )
            raise SetupError(f"{self.name} does not start; the end of its log:", self.log.tail())
        self._agent = Agent(self.connect(AGENT_PORT))
        which = self.log.find("ikeproof: kernel ").partition("kernel ")[2]
        release = self.run("uname -r").strip()
        guest = which.startswith("guest")
        self.kernel = f"{'guest: User-Mode Linux' if guest else 'host: Linux'} {release}"
        self._start = self._daemon()

    def connect(self, port: int) -> ControlSocket:
        """Connect to a TCP port of the target as soon as somebody listens.

        SetupError with the log's end if nobody does, at once if the daemon keeps exiting.
        """
        start, deadline = len(self.log), time.monotonic() + RESTART_PATIENCE
        while True:
            try:
                return connect(self.place.ipv4, port, self._make_socket)
            except OSError as error:
                if error.errno not in NOT_YET and not isinstance(error, TimeoutError):
                    raise
            if self._is_hopeless(start, deadline):
                raise SetupError(
                    f"{self.name} does not answer on TCP port {port}; the end of its log:",
                    self.log.tail(),
                )
            self.log.wait(0.05)

    def run(self, script: str) -> str:
        """Run a script of sh in the target; Inconclusive if it fails. See `Agent` for its cost."""
        return self._shell.check(script)

    def attempt(self, script: str) -> tuple[int, str]:
        """Run a script of sh in the target; give its status and output."""
        reply = self._shell.run(script)
        return reply.status, reply.output

    def until(
        self, ready: Callable[[], bool], what: str, seconds: float = RESTART_PATIENCE
    ) -> None:
        """Wait until ``ready``, asking when the log has news; SetupError with the log's end."""
        start, deadline = len(self.log), time.monotonic() + seconds
        while not ready():
            if self._is_hopeless(start, deadline):
                raise SetupError(f"{self.name}: {what}; the end of its log:", self.log.tail())
            self.log.wait(0.05)

    def restart_daemon(self) -> bool:
        """Kill the daemon; return when the supervisor has started it again.

        A machine that does not answer is started anew, and what is in its /run is lost: True then.
        """
        with self._restarting:
            if not self.answers():
                self._restart()
                return True
            before = self._daemon()
            process = before.split()[1]
            self.run(f"kill -KILL {process} || true")
            self.until(lambda: self._daemon() != before, "the daemon does not come back")
            self._start = self._daemon()
            return False

    def answers(self) -> bool:
        """Say whether a control shell can be had: a guest kernel has been seen to hang.

        One that a script keeps busy is given up for a new one.
        """
        try:
            self._shell.run(":")
        except Inconclusive:
            self.hang_up()
        else:
            return True
        try:
            self._agent = Agent(self.connect(AGENT_PORT))
            self._shell.run(":")
        except (Inconclusive, SetupError, OSError):
            return False
        return True

    def _restart(self) -> None:
        start = len(self.log)
        self.hang_up()
        try:
            self._container.restart(timeout=1)
        except (APIError, RequestException) as error:
            raise Inconclusive(f"{self.name} hangs and cannot be started anew: {error}") from error
        # The old one ends with the container; the new one has all lines from the beginning.
        self.log = ContainerLog(self._container)
        self.wait_for_agent(start)

    def daemon_is_the_same(self) -> bool:
        """Say whether the daemon runs as the process that was started, or restarted on purpose."""
        status, output = self.attempt(
            "read start process </run/ikeproof && kill -0 $process && echo $start $process"
        )
        return status == 0 and output.strip() == self._start

    def read_log(self, start: float, end: float) -> str:
        """Give what the target printed between two times, waiting for what is under way."""
        try:
            self.log.catch_up(lambda line: self._shell.run(f"echo {line} >/proc/1/fd/1"))
        except Inconclusive as error:
            return f"{self.log.between(start, end)}[the log may end too early: {error}]\n"
        return self.log.between(start, end)

    def hang_up(self) -> None:
        """Close the control shell."""
        if self._agent:
            self._agent.close()

    def _is_hopeless(self, start: int, deadline: float) -> bool:
        """Say whether waiting on is no use; ``start`` is the log's length when it began."""
        exits = self.log.count("ikeproof: daemon exited", start)
        return exits >= MOST_EXITS or self.log.ended or time.monotonic() > deadline

    @property
    def _shell(self) -> Agent:
        if self._agent is None:
            raise Inconclusive(f"{self.name} has not started")
        return self._agent

    def _daemon(self) -> str:
        return self.run("read start process </run/ikeproof; echo $start $process").strip()


def start_container(
    client: DockerClient,
    image: str,
    name: str,
    place: Place,
    kernel: str,
    network: str,
    labels: dict[str, str],
) -> Container:
    """Create and start a target's container; SetupError if the engine refuses."""
    endpoint = client.api.create_endpoint_config(
        ipv4_address=str(place.ipv4), ipv6_address=str(place.ipv6)
    )
    try:
        container = client.containers.create(
            image,
            name=name,
            network=network,
            networking_config={network: endpoint},
            environment=place.environment(kernel),
            cap_drop=["ALL"],
            cap_add=CAPABILITIES,
            security_opt=["no-new-privileges"],
            sysctls={"net.ipv4.ip_forward": "0"},
            tmpfs={"/tmp/uml": "exec,size=200m"},
            labels=labels,
        )
        container.start()
    except APIError as error:
        raise refused(f"{name} cannot be started", error) from error
    return container
