"""One program of an image, run once in a container without a network."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from docker import DockerClient
from docker.errors import APIError
from docker.models.containers import Container
from docker.types import LogConfig
from requests.exceptions import RequestException

from peers.lab import ownership
from peers.lab.errors import SetupError, refused

PATIENCE = 120
"""Seconds that a program may take."""

NOBODY = "65534:65534"


@dataclass(frozen=True, slots=True)
class Ended:
    """What a program left: its exit status, standard output and the text of its errors."""

    status: int
    output: bytes
    errors: str


def run_once(
    client: DockerClient, image: str, command: Sequence[str], files: Mapping[str, bytes]
) -> Ended:
    """Run a command as nobody, with those files in the root folder by their names.

    SetupError if the engine refuses, the image lacks the program, or it does not come to an end.
    """
    what = f"{command[0]} of {image} cannot be run"
    container: Container | None = None
    try:
        container = client.containers.create(
            image,
            entrypoint=list(command),
            network_mode="none",
            user=NOBODY,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            log_config=LogConfig(type=LogConfig.types.JSON),
            labels=ownership.labels(ownership.new_run()),
        )
        container.put_archive("/", _packed(files))
        container.start()
        status = int(container.wait(timeout=PATIENCE)["StatusCode"])
        output = container.logs(stdout=True, stderr=False)
        errors = container.logs(stdout=False, stderr=True).decode(errors="replace")
        return Ended(status, output, errors.strip())
    except APIError as error:
        raise refused(what, error) from error
    except RequestException as error:
        raise SetupError(
            f"{what}: it did not end within {PATIENCE} seconds, or the Docker Engine went ({error})"
        ) from error
    finally:
        if container is not None:
            ownership.remove_container(container)


def _packed(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, octets in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(octets)
            member.mode = 0o644
            tar.addfile(member, io.BytesIO(octets))
    return packed.getvalue()
