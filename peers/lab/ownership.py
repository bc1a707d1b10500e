"""What belongs to us, by label: none of ours is left behind, nothing of others' is touched."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from docker import DockerClient
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from docker.models.networks import Network

RUN = "org.ikeproof.run"
PID = "org.ikeproof.pid"
STARTED = "org.ikeproof.started"
IMAGE = "org.ikeproof.image"
BASE = "org.ikeproof.base"
FOLDER = "org.ikeproof.folder"
"""A temporary folder of the host's that goes with a container."""

FOLDER_PREFIX = "ikeproof-"

Say = Callable[[str], None]


def new_run() -> str:
    """Name a run."""
    return secrets.token_hex(4)


def labels(run: str) -> dict[str, str]:
    """Give the labels of everything that a run of this process makes."""
    pid = os.getpid()
    return {RUN: run, PID: str(pid), STARTED: _started(pid)}


def is_dead(marks: Mapping[str, str]) -> bool:
    """Say whether the process that made something with these labels is gone."""
    pid = marks.get(PID, "")
    return not (pid.isdigit() and _started(int(pid)) == marks.get(STARTED))


def clear(client: DockerClient, doomed: Callable[[Mapping[str, str]], bool], say: Say) -> None:
    """Remove those containers and networks of ours whose labels are doomed."""
    containers: list[Container] = client.containers.list(
        all=True, filters={"label": RUN}, ignore_removed=True
    )
    gone = [each for each in containers if doomed(each.labels)]
    with ThreadPoolExecutor(thread_name_prefix="clear") as threads:
        list(threads.map(remove_container, gone))
    for container in gone:
        _remove_folder(container.labels.get(FOLDER, ""))
    networks: list[Network] = client.networks.list(filters={"label": RUN})
    doomed_networks = [each for each in networks if doomed(each.attrs.get("Labels") or {})]
    for network in doomed_networks:
        remove_network(network)
    if gone or doomed_networks:
        say(
            f"cleared {len(gone)} container(s) and {len(doomed_networks)} network(s) "
            "that an earlier run left"
        )


def clear_dead(client: DockerClient, say: Say) -> None:
    """Remove what runs left whose process is gone."""
    clear(client, is_dead, say)


def remove_container(container: Container) -> None:
    """Kill and remove a container; one that is gone or going is fine."""
    try:
        container.remove(force=True, v=True)
    except NotFound:
        return
    except APIError as error:
        if error.status_code != 409:  # 409: its removal is already in progress.
            raise


def _remove_folder(path: str) -> None:
    """Remove a temporary folder that a label names, if it is one that we make."""
    folder = Path(path)
    if folder.parent == Path(tempfile.gettempdir()) and folder.name.startswith(FOLDER_PREFIX):
        shutil.rmtree(folder, ignore_errors=True)


def remove_network(network: Network) -> None:
    """Remove a network; one that is gone is fine."""
    try:
        network.remove()
    except NotFound:
        return


def _started(pid: int) -> str:
    """Give when a process started, in clock ticks since boot; nothing if there is none."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return status.rpartition(")")[2].split()[19]
