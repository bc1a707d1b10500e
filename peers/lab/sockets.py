"""Sockets in the peer's network namespace, for a process that stays outside and needs no rights.

A sidecar container makes them there and passes their descriptors over a Unix socket, so that root
and an ordinary member of the docker group take the same way.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

from docker import DockerClient
from docker.models.containers import Container

from peers.lab.errors import SetupError
from peers.lab.logs import ContainerLog
from peers.lab.ownership import FOLDER, FOLDER_PREFIX, remove_container

SocketMaker = Callable[[int, int, int], socket.socket]
"""Makes a socket of an address family, a type and a protocol, unbound."""

PATIENCE = 15.0
UNPRIVILEGED_PORTS = {"net.ipv4.ip_unprivileged_port_start": "0"}
"""What the namespace needs so that UDP port 500 can be bound from outside by anybody."""


class SocketSource:
    """The sidecar that makes sockets in the namespace of the container called ``peer``."""

    def __init__(self, client: DockerClient, image: str, peer: str, labels: dict[str, str]) -> None:
        # Not the run's folder: the path of a Unix socket has at most 107 octets.
        self._folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX))
        self._path = self._folder / "sockets"
        self._container: Container = client.containers.create(
            image,
            entrypoint=["/opt/ikeproof/sockets"],
            command=[str(os.getuid()), str(os.getgid()), "/out/sockets"],
            name=f"{peer}-sockets",
            network_mode=f"container:{peer}",
            cap_drop=["ALL"],
            cap_add=["NET_RAW", "SETUID", "SETGID", "SETPCAP"],
            security_opt=["no-new-privileges"],
            volumes={str(self._folder): {"bind": "/out", "mode": "rw"}},
            labels={**labels, FOLDER: str(self._folder)},
        )

    def start(self) -> None:
        """Start the sidecar; return when it answers."""
        self._container.start()
        log = ContainerLog(self._container)
        if not log.wait_for("ikeproof: handing out", PATIENCE):
            raise SetupError("the peer's sockets cannot be made; the end of the log:", log.tail())

    def make(self, family: int, kind: int, protocol: int) -> socket.socket:
        """Give a new socket of the peer's namespace; SetupError when the sidecar is gone."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as channel:
                channel.settimeout(PATIENCE)
                channel.connect(str(self._path))
                channel.send(f"{family} {kind} {protocol}".encode())
                _, descriptors, _, _ = socket.recv_fds(channel, 16, 1)
        except OSError as error:
            raise SetupError(f"the peer's sockets cannot be had: {error}") from error
        if not descriptors:
            raise SetupError(f"no socket of family {family}, type {kind}, protocol {protocol}")
        return socket.socket(family, kind, protocol, fileno=descriptors[0])

    def close(self) -> None:
        """Remove the sidecar and its folder; sockets that were made live on."""
        remove_container(self._container)
        shutil.rmtree(self._folder, ignore_errors=True)
