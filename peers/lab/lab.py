"""The lab of a run: its isolated network, the peer's addresses, the targets, the capture."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType

from docker import DockerClient
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container

from peers.lab import ownership
from peers.lab.addresses import PEER, AddressPool, Plan, parse_subnet
from peers.lab.capture import Capture
from peers.lab.engine import connect
from peers.lab.errors import SetupError, refused
from peers.lab.images import Recipe, ensure_image
from peers.lab.logs import ContainerLog
from peers.lab.machine import Machine, Place, start_container
from peers.lab.network import create_network
from peers.lab.sockets import UNPRIVILEGED_PORTS, SocketMaker, SocketSource
from peers.lab.web import Site, serving
from peers.link import Link, SocketLink
from peers.targets.base import Target
from peers.targets.impairments import IMPAIRMENTS
from peers.targets.libreswan import Libreswan
from peers.targets.linux import Linux
from peers.targets.strongswan import StrongSwan

Say = Callable[[str], None]

ADAPTERS: dict[str, Callable[[Machine], Target]] = {
    "strongswan": StrongSwan,
    "libreswan": Libreswan,
    "linux": Linux,
}
RELEASES = ("trixie", "bookworm", "sid")
"""Debian releases that targets come from; the first is the default."""

KERNELS = ("auto", "host", "guest", "built")
"""Who does the targets' ESP: the first kernel that can; this host's; a guest, which is Debian's; or
one that is built from Debian's source, with what the package leaves out (ESP in TCP)."""

PEER_PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Spec:
    """A target to start, as in ``strongswan@bookworm``.

    ``libreswan!NAME`` is impaired (`peers.targets.impairments`).
    """

    text: str
    name: str
    release: str
    impairment: str = ""

    @classmethod
    def parse(cls, text: str) -> Spec:
        """Read a specification; SetupError for an unknown target or release."""
        target, _, impairment = text.partition("!")
        name, _, release = target.partition("@")
        if name not in ADAPTERS:
            raise SetupError(f"unknown target {name!r}: give one of {', '.join(ADAPTERS)}")
        if release and release not in RELEASES:
            raise SetupError(
                f"unknown release {release!r} in {text!r}: give one of {', '.join(RELEASES)}"
            )
        if impairment and (name != "libreswan" or impairment not in IMPAIRMENTS):
            raise SetupError(
                f"unknown impairment in {text!r}: libreswan has {', '.join(IMPAIRMENTS)}"
            )
        return cls(text, name, release or RELEASES[0], impairment)

    def recipe(self, kernel: str) -> Recipe:
        """Give the image of this target.

        The guest kernel is the unstable release's where its C library suffices: it is newer and
        faster (seccomp). Bookworm's has to be bookworm's own, unless it is built.
        """
        if kernel == "built":
            return Recipe(self.name, self.release, {"GUEST_KERNEL": "built"})
        if self.release == "bookworm":
            return Recipe(self.name, self.release, {"GUEST_RELEASE": "bookworm", "SECCOMP": ""})
        return Recipe(self.name, self.release)

    @property
    def container(self) -> str:
        """What its container's name ends in."""
        return re.sub(r"[^a-z0-9]+", "-", self.text)


class Lab:
    """Everything a run needs, from entering to leaving the context.

    ``specs`` name the targets; ``kernel`` is one of KERNELS; ``subnet`` an IPv4 network or
    None; ``output`` the run's folder, where the capture and build logs go; ``peers`` the number of
    pairs of addresses that will be asked for; ``say`` takes a line before each step. Entering
    raises SetupError for what the user can mend.
    """

    link: Link
    addresses: AddressPool
    targets: dict[str, Target]
    capture: Path
    kernel: str
    """Which kernel does the targets' ESP, for the report."""

    def __init__(
        self,
        specs: Sequence[str],
        *,
        output: Path,
        peers: int,
        say: Say,
        kernel: str = "auto",
        subnet: str | None = None,
    ) -> None:
        if kernel not in KERNELS:
            raise SetupError(f"unknown kernel {kernel!r}: give one of {', '.join(KERNELS)}")
        self.run = ownership.new_run()
        self.machines: dict[str, Machine] = {}
        self._specs = [Spec.parse(each) for each in dict.fromkeys(specs)]
        self._wanted_kernel = kernel
        self._subnet = parse_subnet(subnet) if subnet else None
        self._output = output
        self._peers = peers
        self._say = say
        self._stack = ExitStack()

    def __enter__(self) -> Lab:
        try:
            self._stack.enter_context(_termination_interrupts())
            self._set_up()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def serve(self, site: Site) -> AbstractContextManager[None]:
        """Serve a site over HTTP, from the peer's side of the network."""
        return serving(site, self._make_socket)

    def close(self) -> None:
        """Remove everything that this run made, last made first. May be called again."""
        self._stack.close()

    def _set_up(self) -> None:
        began = time.monotonic()
        client = connect()
        self._stack.callback(client.close)
        ownership.clear_dead(client, self._say)
        images = ensure_images(client, self._specs, self._output, self._say, self._wanted_kernel)
        labels = ownership.labels(self.run)
        # Whatever is made from here on goes by label, also what was only half made.
        self._stack.callback(self._remove_all, client)
        network, plan = create_network(client, self.run, self._subnet, self._peers, labels)
        self._say(f"network {plan.ipv4} and {plan.ipv6}, the peer's addresses {plan.range4}")
        with ThreadPoolExecutor(thread_name_prefix="lab") as threads:
            try:
                self._start_all(client, threads, images, str(network.name), plan, labels)
            except BaseException:
                # With its container gone, whoever waits for a target stops waiting.
                self._remove_all(client)
                raise
        self.kernel = ", ".join(sorted({each.kernel for each in self.machines.values()}))
        self._say(f"the lab is ready after {time.monotonic() - began:.1f} s")

    def _start_all(
        self,
        client: DockerClient,
        threads: ThreadPoolExecutor,
        images: dict[str, str],
        network: str,
        plan: Plan,
        labels: dict[str, str],
    ) -> None:
        """Start everything at the same time; the peer's side is up first."""
        starting = [
            threads.submit(self._start_target, client, images[spec.text], network, plan, labels, at)
            for at, spec in enumerate(self._specs)
        ]
        peer = start_peer(client, images["peer"], network, plan, labels)
        sockets = SocketSource(client, images["peer"], str(peer.name), labels)
        self._stack.callback(sockets.close)
        sockets.start()
        self._start_capture(client, images["peer"], peer, labels)
        link = SocketLink(sockets.make)
        self._make_socket = sockets.make
        self._stack.callback(link.close)
        self.link, self.addresses = link, AddressPool(plan)
        containers = [each.result() for each in starting]
        readying = [
            threads.submit(self._ready, spec, container, Place.of(plan, at), sockets.make)
            for at, (spec, container) in enumerate(zip(self._specs, containers, strict=True))
        ]
        self.targets = {
            spec.text: ready.result() for spec, ready in zip(self._specs, readying, strict=True)
        }

    def _start_target(
        self,
        client: DockerClient,
        image: str,
        network: str,
        plan: Plan,
        labels: dict[str, str],
        index: int,
    ) -> Container:
        spec = self._specs[index]
        self._say(f"starting {spec.text}")
        return start_container(
            client,
            image,
            f"ikeproof-{self.run}-{spec.container}",
            Place.of(plan, index),
            self._wanted_kernel,
            network,
            labels,
        )

    def _ready(
        self, spec: Spec, container: Container, place: Place, make_socket: SocketMaker
    ) -> Target:
        machine = Machine(spec.text, container, place, make_socket)
        self._stack.callback(machine.hang_up)
        machine.wait_for_agent()
        impairment = IMPAIRMENTS.get(spec.impairment)
        target = Libreswan(machine, impairment) if impairment else ADAPTERS[spec.name](machine)
        self.machines[spec.text] = machine
        self._say(f"{spec.text} is up: {target.info.version}, {machine.kernel}")
        return target

    def _start_capture(
        self, client: DockerClient, image: str, peer: Container, labels: dict[str, str]
    ) -> None:
        capture = Capture(client, image, str(peer.name), self._output, labels)
        capture.start()
        self._stack.callback(self._stop_capture, capture)
        self.capture = capture.path

    def _stop_capture(self, capture: Capture) -> None:
        try:
            problem = capture.stop()
        except NotFound:
            # A lab that could not be set up has removed everything already.
            return
        except (DockerException, OSError) as error:
            problem = f"the capture {capture.path} may not be whole: {error}"
        if problem:
            self._say(problem)

    def _remove_all(self, client: DockerClient) -> None:
        ownership.clear(client, lambda marks: marks.get(ownership.RUN) == self.run, lambda _: None)


def ensure_images(
    client: DockerClient, specs: Sequence[Spec], output: Path, say: Say, kernel: str = "auto"
) -> dict[str, str]:
    """Have the images of targets and of the peer, built where they are missing; give their ids."""
    recipes = {"peer": Recipe("peer", RELEASES[0])}
    recipes.update({spec.text: spec.recipe(kernel) for spec in specs})
    return {text: ensure_image(client, recipe, output, say) for text, recipe in recipes.items()}


def start_peer(
    client: DockerClient, image: str, network: str, plan: Plan, labels: dict[str, str]
) -> Container:
    """Start the container that holds the peer's addresses; its kernel answers no echo itself."""
    ipv4, ipv6 = plan.host(PEER)
    endpoint = client.api.create_endpoint_config(ipv4_address=str(ipv4), ipv6_address=str(ipv6))
    try:
        peer = client.containers.create(
            image,
            name=f"{network}-peer",
            network=network,
            networking_config={network: endpoint},
            environment={
                "IKEPROOF_RANGE4": str(plan.range4),
                "IKEPROOF_RANGE6": str(plan.range6),
            },
            cap_drop=["ALL"],
            cap_add=["NET_ADMIN", "SETPCAP"],
            sysctls={
                **UNPRIVILEGED_PORTS,
                "net.ipv4.ip_forward": "0",
                "net.ipv4.icmp_echo_ignore_all": "1",
                "net.ipv6.icmp.echo_ignore_all": "1",
            },
            labels=labels,
        )
        peer.start()
    except APIError as error:
        raise refused("the peer's container cannot be started", error) from error
    log = ContainerLog(peer)
    if not log.wait_for("ikeproof: holding", PEER_PATIENCE):
        raise SetupError("the peer's container does not start; the end of its log:", log.tail())
    peer.reload()
    return peer


@contextmanager
def _termination_interrupts() -> Iterator[None]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does, so that the lab is taken down then too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt(f"signal {number}")

    before = {each: signal.signal(each, interrupt) for each in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
