"""Configuration payloads as the daemons' configurations write them: pools, and who is given one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from peers.reference.connection import AddressPool, Connection, IPNetwork

UNSPECIFIED = {4: "0.0.0.0", 6: "::"}
"""What strongSwan asks for with ``vips``: any address of that version."""


def strongswan_pools(connection: Connection) -> Mapping[str, Mapping[str, str | Sequence[str]]]:
    """Give the section ``pools``: one for each IP version that the connection assigns."""
    pool = connection.gives
    if pool is None:
        return {}
    return {
        f"{connection.name}-{network.version}": {
            "addrs": str(network),
            **_told("dns", pool.dns, network.version),
            **_told("subnet", pool.subnets, network.version),
        }
        for network in pool.networks
    }


def _told(key: str, values: Sequence[object], version: int) -> dict[str, list[str]]:
    own = [str(each) for each in values if getattr(each, "version", 0) == version]
    return {key: own} if own else {}


def strongswan_settings(connection: Connection) -> dict[str, Sequence[str]]:
    """Give the settings of a connection that assigns addresses, or asks for some."""
    settings: dict[str, Sequence[str]] = {}
    if connection.gives is not None:
        settings["pools"] = list(strongswan_pools(connection))
    if connection.takes is not None:
        settings["vips"] = [UNSPECIFIED[each.version] for each in connection.takes.networks]
    return settings


def libreswan_sides(connection: Connection) -> dict[str, str]:
    """Give the settings of a connection that assigns addresses, or asks for some.

    They stand in the place of the subnet of the side that the addresses are for.
    """
    settings: dict[str, str] = {}
    if connection.gives is not None:
        settings |= {"leftmodecfgserver": "yes", "rightmodecfgclient": "yes"}
        settings["rightaddresspool"] = ",".join(map(_range, connection.gives.networks))
        settings |= _libreswan_dns(connection.gives)
    if connection.takes is not None:
        settings |= {"leftmodecfgclient": "yes", "rightmodecfgserver": "yes"}
        # Without it pluto asks for its outer address; it is the other side that narrows.
        networks = connection.takes.networks
        settings["leftsubnet"] = ",".join(f"{UNSPECIFIED[each.version]}/0" for each in networks)
    return settings


def _range(network: IPNetwork) -> str:
    if network.version == 6 or network.num_addresses <= 2:
        return str(network)
    return f"{network[1]}-{network[-2]}"


def _libreswan_dns(pool: AddressPool) -> dict[str, str]:
    return {"modecfgdns": ",".join(map(str, pool.dns))} if pool.dns else {}
