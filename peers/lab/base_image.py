"""The base image ``debian:<release>-slim``: pulled, or built here where it cannot be pulled."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from docker import DockerClient
from docker.errors import APIError, ImageNotFound, NotFound

from peers.lab.errors import SetupError
from peers.lab.ownership import BASE

Say = Callable[[str], None]

LEFT_OUT = ("man", "info", "locale", "lintian", "doc")


def ensure_base(client: DockerClient, release: str, say: Say) -> str:
    """Have the base image of a release; give its id."""
    tag = f"debian:{release}-slim"
    try:
        return str(client.images.get(tag).id)
    except ImageNotFound:
        say(f"pulling the base image {tag}")
    try:
        return str(client.images.pull("debian", f"{release}-slim").id)
    except (APIError, NotFound) as error:
        say(f"{tag} cannot be pulled ({_short(error)})")
    _bootstrap(client, release, say)
    return str(client.images.get(tag).id)


def _bootstrap(client: DockerClient, release: str, say: Say) -> None:
    if os.geteuid() != 0:
        raise SetupError(
            f"the base image debian:{release}-slim can be neither found nor pulled: pull it where "
            "you can, or run once as root to have it built from this machine's apt sources"
        )
    if not shutil.which("mmdebstrap"):
        _install_mmdebstrap(say)
    say(f"building debian:{release}-slim with mmdebstrap from this machine's apt sources instead")
    with tempfile.TemporaryDirectory(prefix="ikeproof-base-") as folder:
        # The tar comes first: a pipe would leave an empty image under the tag after a failure.
        tar = Path(folder) / "base.tar"
        command = ["mmdebstrap", "--variant=minbase", "--mode=root"]
        command += [f"--dpkgopt=path-exclude=/usr/share/{each}/*" for each in LEFT_OUT]
        command += ["--dpkgopt=path-include=/usr/share/doc/*/copyright"]
        command += ['--aptopt=APT::Install-Recommends "false"']
        if release == "sid":
            # The unstable release's index may be older than its validity where a mirror lags.
            command += ['--aptopt=Acquire::Check-Valid-Until "false"']
        done = subprocess.run(
            [*command, release, str(tar), *_archive()], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SetupError(
                f"mmdebstrap cannot build debian:{release}-slim",
                "\n".join(done.stderr.splitlines()[-20:]),
            )
        client.api.import_image_from_file(
            str(tar),
            repository="debian",
            tag=f"{release}-slim",
            changes=['CMD ["bash"]', f"LABEL {BASE}={release}"],
        )


def _install_mmdebstrap(say: Say) -> None:
    say("installing mmdebstrap (apt-get)")
    command = ["apt-get", "install", "-q", "-y", "--no-install-recommends"]
    command += ["mmdebstrap", "debian-archive-keyring"]
    subprocess.run(["apt-get", "update", "-q"], capture_output=True, check=False)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupError("mmdebstrap cannot be installed", done.stderr.strip()[-2000:])


def _archive() -> list[str]:
    """Give the address of the Debian archive that this machine's apt uses; none: the default."""
    command = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI)"]
    done = subprocess.run(
        [*command, "Created-By: Packages"], capture_output=True, text=True, check=False
    )
    rows = (line.split() for line in done.stdout.splitlines())
    return next(([row[1]] for row in rows if len(row) == 2 and row[0] == "Debian"), [])


def _short(error: APIError) -> str:
    return str(error.explanation or error).strip().splitlines()[0][:160]
