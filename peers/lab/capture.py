"""Every packet of a run, captured once and off the tests' path."""

from __future__ import annotations

import os
import re
from pathlib import Path

from docker import DockerClient
from docker.models.containers import Container

from peers.lab.control import AGENT_PORT, VICI_PORT
from peers.lab.errors import SetupError
from peers.lab.logs import ContainerLog
from peers.lab.ownership import remove_container

FILE = "run.pcap"
PATIENCE = 15.0

# The lab's own control and the neighbours' addresses are no part of what is judged.
DROPPED = re.compile(r"(\d+) packets? dropped by kernel")
FILTER = f"not (tcp and (port {AGENT_PORT} or port {VICI_PORT})) and not arp"


class Capture:
    """A tcpdump in the peer's network namespace that writes ``run.pcap`` to the output folder."""

    def __init__(
        self, client: DockerClient, image: str, peer: str, output: Path, labels: dict[str, str]
    ) -> None:
        self.path = output / FILE
        output.mkdir(parents=True, exist_ok=True)
        self._container: Container = client.containers.create(
            image,
            entrypoint=["/opt/ikeproof/capture"],
            command=[str(os.getuid()), str(os.getgid()), FILTER],
            name=f"{peer}-capture",
            network_mode=f"container:{peer}",
            cap_drop=["ALL"],
            cap_add=["NET_RAW", "SETUID", "SETGID", "SETPCAP"],
            security_opt=["no-new-privileges"],
            volumes={str(output.resolve()): {"bind": "/out", "mode": "rw"}},
            labels=labels,
        )

    def start(self) -> None:
        """Start capturing; return when packets are being captured."""
        self._container.start()
        self._log = ContainerLog(self._container)
        if not self._log.wait_for("listening on", PATIENCE):
            raise SetupError(f"the capture into {self.path} does not start", self._log.tail())

    def stop(self) -> str:
        """End the capture with everything in the file; say what is wrong with it, if anything."""
        self._container.kill("SIGINT")
        status = self._container.wait(timeout=PATIENCE)["StatusCode"]
        dropped = DROPPED.search(self._log.wait_for("dropped by kernel", PATIENCE))
        remove_container(self._container)
        if status or not dropped:
            return f"the capture {self.path} is not whole: {self._log.tail(3)}"
        if dropped[1] != "0":
            return f"the capture {self.path} lacks {dropped[1]} packets that the kernel dropped"
        return ""
