"""The images of targets and of the peer: built from ``docker/``, rebuilt only when that changes."""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from docker import DockerClient
from docker.errors import APIError, ImageNotFound

from peers.lab.base_image import ensure_base
from peers.lab.errors import SetupError
from peers.lab.ownership import IMAGE

Say = Callable[[str], None]

FOLDER = Path(__file__).resolve().parents[2] / "docker"
SHARED = "guest"
"""The folder of docker/ that every image's build context contains under its own name."""

YOUNG = timedelta(hours=2)
"""An image of that age may be another checkout's, whose run is about to start from it."""

TAIL = 20
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an image is made from: a folder of ``docker/``, a Debian release and arguments."""

    folder: str
    release: str
    arguments: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What images of it are known by, whatever their version is."""
        return "+".join(filter(None, [f"{self.folder}@{self.release}", *self.arguments.values()]))

    @property
    def duration(self) -> str:
        """How long it takes to build it."""
        builds_kernel = "built" in self.arguments.values()
        return "ten minutes, for a kernel is built" if builds_kernel else "some minutes at most"

    @property
    def name(self) -> str:
        """The repository part of the image's tag."""
        return f"ikeproof/{self.folder}"

    def context(self) -> dict[str, Path]:
        """Give the files of the build context by their names in it."""
        found: dict[str, Path] = {}
        for prefix, folder in (("", FOLDER / self.folder), (f"{SHARED}/", FOLDER / SHARED)):
            files = sorted(each for each in folder.rglob("*") if each.is_file())
            found.update({f"{prefix}{each.relative_to(folder).as_posix()}": each for each in files})
        return found

    def digest(self, base: str) -> str:
        """Give the version of the image: what it is built from, the base image too."""
        seen = hashlib.sha256(f"{base}\0{self.release}\0{sorted(self.arguments.items())}".encode())
        for name, path in self.context().items():
            mode = path.stat().st_mode & 0o111
            octets = path.read_bytes()
            seen.update(f"\0{name}\0{bool(mode)}\0{len(octets)}\0".encode() + octets)
        return seen.hexdigest()[:12]


def ensure_image(client: DockerClient, recipe: Recipe, logs: Path, say: Say) -> str:
    """Have the image of a recipe, building it if need be; give its tag.

    ``logs`` is the folder for the build's log. SetupError with the log's end if the build fails.
    """
    base = ensure_base(client, recipe.release, say)
    version = recipe.digest(base)
    tag = f"{recipe.name}:{recipe.release}-{version}"
    try:
        client.images.get(tag)
    except ImageNotFound:
        say(f"building the image {tag} (once, {recipe.duration})")
        _build(client, recipe, tag, logs / f"build-{recipe.label}.log")
        _remove_outdated(client, recipe, tag)
    return tag


def _build(client: DockerClient, recipe: Recipe, tag: str, log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    error = ""
    try:
        with log.open("w") as file:
            for step in client.api.build(
                fileobj=_archive(recipe),
                custom_context=True,
                encoding="gzip",
                tag=tag,
                rm=True,
                forcerm=True,
                decode=True,
                buildargs={"RELEASE": recipe.release, **recipe.arguments, **_proxies()},
                labels={IMAGE: recipe.label},
            ):
                file.write(COLOURS.sub("", step.get("stream", "")))
                error = step.get("error", "") or error
    except APIError as refused:
        error = str(refused.explanation)
    if error:
        tail = log.read_text().splitlines()[-TAIL:]
        raise SetupError(_why(tag, error, log), "\n".join([*tail, error]))


def _why(tag: str, error: str, log: Path) -> str:
    if "no space left" in error.lower():
        return f"the disk is full: the image {tag} cannot be built; make room (the log is {log})"
    return f"the image {tag} cannot be built; the whole log is {log}"


def _archive(recipe: Recipe) -> io.BytesIO:
    """Pack the build context, always to the same octets."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, path in recipe.context().items():
            octets = path.read_bytes()
            member = tarfile.TarInfo(name)
            member.size = len(octets)
            member.mode = 0o755 if path.stat().st_mode & 0o111 else 0o644
            tar.addfile(member, io.BytesIO(octets))
    packed.seek(0)
    return packed


def _proxies() -> dict[str, str]:
    """Hand this machine's proxies to the build; Docker keeps them out of the image."""
    names = ("http_proxy", "https_proxy", "no_proxy")
    return {name: os.environ[name] for name in names if name in os.environ}


def _remove_outdated(client: DockerClient, recipe: Recipe, tag: str) -> None:
    """Remove earlier versions of an image, but those that somebody uses, or is about to."""
    label, now = f"{IMAGE}={recipe.label}", datetime.now(UTC)
    for image in client.images.list(name=recipe.name, filters={"label": label}):
        if now - datetime.fromisoformat(image.attrs["Created"]) < YOUNG:
            continue
        for other in image.tags:
            if other == tag:
                continue
            try:
                client.images.remove(other)
            except APIError as error:
                if error.status_code != 409:  # 409: in use by another run.
                    raise
