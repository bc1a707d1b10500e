"""Remove everything of ours from the engine: ``python -m peers.lab.clean``."""

from __future__ import annotations

import sys
from collections.abc import Callable

from docker import DockerClient
from docker.errors import APIError, ImageNotFound

from peers.lab import ownership
from peers.lab.engine import connect
from peers.lab.errors import SetupError

Say = Callable[[str], None]


def clean(client: DockerClient, say: Say) -> None:
    """Remove containers, networks and images that carry our labels, those of running runs too."""
    ownership.clear(client, lambda marks: True, say)
    removed = sum(
        _remove(client, str(image.id))
        for label in (ownership.IMAGE, ownership.BASE)
        for image in client.images.list(filters={"label": label})
    )
    say(f"removed {removed} image(s)")


def _remove(client: DockerClient, image: str) -> bool:
    try:
        client.images.remove(image, force=True)
    except ImageNotFound:
        return False
    except APIError as error:
        if error.status_code != 409:  # 409: another image, not of ours, is built on it.
            raise
        return False
    return True


def main() -> int:
    """Clean up, saying what is removed."""
    try:
        clean(connect(), print)
    except SetupError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
