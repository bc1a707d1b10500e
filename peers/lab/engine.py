"""Find a Docker Engine, or set one up on Debian and Ubuntu: ``python -m peers.lab.engine``."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import docker
from docker import DockerClient
from docker.errors import DockerException

from peers.lab.errors import SetupError

SOCKET = Path("/var/run/docker.sock")
LOG = Path("/var/log/ikeproof-dockerd.log")
PATIENCE = 60.0

Say = Callable[[str], None]


def connect() -> DockerClient:
    """Give a client of the engine; SetupError says what is missing."""
    if "DOCKER_HOST" not in os.environ:
        if not SOCKET.exists():
            raise SetupError(
                "no Docker Engine is running here: start it, or run `make conformance` as root "
                "(it installs one on Debian and Ubuntu)"
            )
        if not os.access(SOCKET, os.W_OK):
            raise SetupError(
                f"no right to use {SOCKET}: run as root, or become a member of the docker group "
                "(`usermod -aG docker USER`, then log in again)"
            )
    try:
        return docker.from_env(timeout=300)
    except DockerException as error:
        raise SetupError(f"the Docker Engine does not answer: {error}") from error


def ensure(say: Say) -> None:
    """Have an engine running; do nothing if there is one."""
    if answers():
        return
    if os.geteuid() != 0:
        connect()
    if not shutil.which("dockerd"):
        install(say)
    start(say)


def answers() -> bool:
    """Say whether an engine answers."""
    try:
        connect().close()
    except SetupError:
        return False
    return True


def install(say: Say) -> None:
    """Install the distribution's engine, on Debian and Ubuntu."""
    release = platform.freedesktop_os_release()
    if not {"debian", "ubuntu"} & {release["ID"], *release.get("ID_LIKE", "").split()}:
        raise SetupError(
            f"there is no Docker Engine, and how to install one on {release['ID']} is not known "
            "here: install it and start it"
        )
    say("there is no Docker Engine: installing docker.io and iptables (apt-get)")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-q"],
        ["apt-get", "install", "-q", "-y", "--no-install-recommends", "docker.io", "iptables"],
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SetupError(
                f"`{' '.join(command)}` failed: install a Docker Engine by hand",
                (done.stdout + done.stderr).strip()[-2000:],
            )


def start(say: Say) -> None:
    """Start the engine: by systemd where that runs, else in the background."""
    if Path("/run/systemd/system").is_dir():
        say("starting the Docker Engine (systemctl start docker)")
        done = subprocess.run(
            ["systemctl", "start", "docker"], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SetupError("`systemctl start docker` failed", done.stderr.strip())
        process = None
    else:
        say(f"starting the Docker Engine in the background (dockerd, its log is {LOG})")
        with LOG.open("ab") as log:
            process = subprocess.Popen(
                ["dockerd"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    _wait(process)


def _wait(process: subprocess.Popen[bytes] | None) -> None:
    deadline = time.monotonic() + PATIENCE
    while not answers():
        ended = process is not None and process.poll() is not None
        if ended or time.monotonic() > deadline:
            tail = LOG.read_text(errors="replace").splitlines()[-10:] if LOG.exists() else []
            raise SetupError(f"the Docker Engine does not start; its log is {LOG}", "\n".join(tail))
        # An engine that starts tells nobody; there is nothing else to wait on.
        time.sleep(0.2)


def main() -> int:
    """Have an engine running, saying what is done."""
    try:
        ensure(lambda line: print(line, flush=True))  # noqa: T201
    except SetupError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
