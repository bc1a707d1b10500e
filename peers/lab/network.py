"""The isolated network of a run."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, ip_network

from docker import DockerClient
from docker.errors import APIError
from docker.models.networks import Network
from docker.types import IPAMConfig, IPAMPool

from peers.lab.addresses import GATEWAY, Plan, candidates, host_routes, prefix_for
from peers.lab.errors import SetupError, refused


def engine_subnets(client: DockerClient) -> list[IPv4Network]:
    """List the IPv4 subnets of the engine's networks."""
    found: list[IPv4Network] = []
    for network in client.networks.list():
        pools: Iterable[dict[str, str]] = (network.attrs.get("IPAM") or {}).get("Config") or ()
        subnets = [ip_network(pool["Subnet"]) for pool in pools if "Subnet" in pool]
        found.extend(each for each in subnets if isinstance(each, IPv4Network))
    return found


def create_network(
    client: DockerClient,
    run: str,
    wanted: IPv4Network | None,
    peers: int,
    labels: dict[str, str],
) -> tuple[Network, Plan]:
    """Make a dual-stack network without a way out, on the first subnet that is free.

    It has pairs of addresses for so many ``peers``, unless a subnet is wanted. SetupError if there
    is none, or if the subnet that the user wants is taken.
    """
    plans = candidates(wanted, host_routes() + engine_subnets(client), prefix_for(peers))
    for plan in plans:
        try:
            return _create(client, run, plan, labels), plan
        except APIError as error:
            # Another run may have taken it since we looked; anything else is the engine's trouble.
            if "overlap" not in str(error.explanation):
                raise refused("the lab's network cannot be made", error) from error
    raise SetupError(f"the subnet {plans[-1].ipv4} was taken meanwhile: give another with --subnet")


def _create(client: DockerClient, run: str, plan: Plan, labels: dict[str, str]) -> Network:
    gateway4, gateway6 = plan.host(GATEWAY)
    pools = [
        IPAMPool(subnet=str(plan.ipv4), iprange=str(plan.containers), gateway=str(gateway4)),
        IPAMPool(subnet=str(plan.ipv6), gateway=str(gateway6)),
    ]
    return client.networks.create(
        f"ikeproof-{run}",
        driver="bridge",
        internal=True,
        enable_ipv6=True,
        ipam=IPAMConfig(pool_configs=pools),
        labels=labels,
    )
