"""Every packet of a run, captured once and off the tests' path."""

from __future__ import annotations

import os
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
        log = ContainerLog(self._container)
        if not log.wait_for("listening on", PATIENCE):
            raise SetupError(f"the capture into {self.path} does not start", log.tail())

    def stop(self) -> None:
        """End the capture with everything in the file."""
        self._container.kill("SIGINT")
        self._container.wait(timeout=PATIENCE)
        remove_container(self._container)

    def abandon(self) -> None:
        """Drop the capture without caring for the file."""
        remove_container(self._container)
