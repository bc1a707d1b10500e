"""Vectors through the runners that targets bring along: their own primitives, without an IKE SA."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from docker import DockerClient

from peers.lab import ownership
from peers.lab.engine import connect
from peers.lab.errors import SetupError
from peers.lab.images import ensure_image
from peers.lab.lab import ADAPTERS, Spec
from peers.stations import EMBEDDED
from vectors.runners.libreswan import Cavp

RUNNERS: Mapping[str, Callable[[DockerClient, str], Cavp]] = {"libreswan": Cavp}
"""By target: what takes its image."""

LOGS = Path("reports/out")
"""Where the logs of images that have to be built go."""


def specs(targets: Sequence[str]) -> list[Spec]:
    """Read the targets that have a runner; the embedded one is judged anyhow.

    SetupError for a target that there is not, that has no runner, or that is to be impaired.
    """
    found = []
    for target in dict.fromkeys(targets):
        if target == EMBEDDED:
            continue
        if target.partition("!")[0].partition("@")[0] not in ADAPTERS:
            known = ", ".join([EMBEDDED, *RUNNERS])
            raise SetupError(f"unknown target {target!r}: give one of {known}")
        spec = Spec.parse(target)
        if spec.name not in RUNNERS:
            raise SetupError(
                f"{spec.name} brings no runner of vectors along: give one of {', '.join(RUNNERS)}"
            )
        if spec.impairment:
            raise SetupError(f"{target!r}: a runner of vectors cannot be impaired")
        found.append(spec)
    return found


@contextmanager
def runners(wanted: Sequence[Spec], say: Callable[[str], None]) -> Iterator[list[Cavp]]:
    """Give the runners of targets; images that are missing are built, nothing is left running.

    SetupError for all that keeps them from running.
    """
    if not wanted:
        yield []
        return
    client = connect()
    try:
        ownership.clear_dead(client, say)
        images = [ensure_image(client, spec.recipe("auto"), LOGS, say) for spec in wanted]
        pairs = zip(wanted, images, strict=True)
        yield [RUNNERS[spec.name](client, image) for spec, image in pairs]
    finally:
        client.close()
