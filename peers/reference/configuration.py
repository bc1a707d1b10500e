"""Configuration payloads: what is asked for, assigned and told (RFC 7296, 2.19, 2.20 and 3.15)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from peers.reference.connection import AddressPool, ChildPolicy, Connection, IPNetwork
from peers.reference.errors import PeerError
from peers.reference.events import IPAddress
from peers.reference.message import Message
from peers.reference.numbers import ConfigAttributeType, ConfigType
from peers.reference.payloads import CP, ConfigAttribute

A = ConfigAttributeType

LENGTHS: Mapping[int, tuple[int, ...]] = {
    A.INTERNAL_IP4_ADDRESS: (0, 4),
    A.INTERNAL_IP4_NETMASK: (0, 4),
    A.INTERNAL_IP4_DNS: (0, 4),
    A.INTERNAL_IP4_NBNS: (0, 4),
    A.INTERNAL_IP4_DHCP: (0, 4),
    A.INTERNAL_IP6_ADDRESS: (0, 17),
    A.INTERNAL_IP6_DNS: (0, 16),
    A.INTERNAL_IP6_DHCP: (0, 16),
    A.INTERNAL_IP4_SUBNET: (0, 8),
    A.INTERNAL_IP6_SUBNET: (0, 17),
}
"""Octets of the values (3.15.1); a SUBNET of IPv6 is empty where a request asks for it."""

SUPPORTED = (
    A.INTERNAL_IP4_ADDRESS,
    A.INTERNAL_IP4_NETMASK,
    A.INTERNAL_IP4_DNS,
    A.APPLICATION_VERSION,
    A.INTERNAL_IP6_ADDRESS,
    A.INTERNAL_IP6_DNS,
    A.INTERNAL_IP4_SUBNET,
    A.SUPPORTED_ATTRIBUTES,
    A.INTERNAL_IP6_SUBNET,
)
"""What this peer acts on; everything else is ignored (3.15.1)."""

_ADDRESS = {4: A.INTERNAL_IP4_ADDRESS, 6: A.INTERNAL_IP6_ADDRESS}
_EVERYTHING = {4: "0.0.0.0/0", 6: "::/0"}
_DNS = {4: A.INTERNAL_IP4_DNS, 6: A.INTERNAL_IP6_DNS}


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a CFG_REPLY assigns and tells. ``strange`` are attributes that nobody here knows."""

    addresses: tuple[IPAddress, ...]
    netmask: IPv4Address | None = None
    dns: tuple[IPAddress, ...] = ()
    subnets: tuple[IPNetwork, ...] = ()
    strange: tuple[ConfigAttribute, ...] = ()


def configuration(message: Message, kind: ConfigType) -> CP | None:
    """Find the Configuration payload of a type in a message, with values of the right length.

    PeerError when a value has a length that its attribute cannot have.
    """
    found = next((each for each in message.all(CP) if each.config_type == kind), None)
    for attribute in found.attributes if found else ():
        size = len(attribute.value)
        if size not in LENGTHS.get(attribute.type, (size,)):
            raise PeerError(f"{A(attribute.type)!s} with {size} octets")
    return found


# Who asks.


def asked(pool: AddressPool) -> CP:
    """Build the CFG_REQUEST for an address of each network of the pool, and what goes with it."""
    versions = [network.version for network in pool.networks]
    wanted = [_ADDRESS[version] for version in versions]
    wanted += [_DNS[version] for version in versions]
    if 4 in versions:
        wanted.append(A.INTERNAL_IP4_NETMASK)
        wanted.append(A.INTERNAL_IP4_SUBNET)
    return CP(ConfigType.CFG_REQUEST, tuple(map(ConfigAttribute, wanted)))


def asking(policy: ChildPolicy, pool: AddressPool | None) -> ChildPolicy:
    """Give the policy by which a Child SA is asked for: any address may be assigned to us."""
    if pool is None:
        return policy
    everything = tuple(ip_network(_EVERYTHING[each.version]) for each in pool.networks)
    return replace(policy, local_selectors=everything)


def read(reply: CP) -> Assignment:
    """Read a CFG_REPLY; PeerError when it assigns something that is no address."""
    values: dict[int, list[bytes]] = {}
    for attribute in reply.attributes:
        if attribute.value:
            values.setdefault(attribute.type, []).append(attribute.value)

    def all_of(kind: ConfigAttributeType) -> list[bytes]:
        return values.get(kind, [])

    try:
        return Assignment(
            addresses=(
                *map(IPv4Address, all_of(A.INTERNAL_IP4_ADDRESS)),
                *(IPv6Address(each[:16]) for each in all_of(A.INTERNAL_IP6_ADDRESS)),
            ),
            netmask=next(map(IPv4Address, all_of(A.INTERNAL_IP4_NETMASK)), None),
            dns=(
                *map(IPv4Address, all_of(A.INTERNAL_IP4_DNS)),
                *map(IPv6Address, all_of(A.INTERNAL_IP6_DNS)),
            ),
            subnets=(
                *map(_network4, all_of(A.INTERNAL_IP4_SUBNET)),
                *map(_network6, all_of(A.INTERNAL_IP6_SUBNET)),
            ),
            strange=tuple(each for each in reply.attributes if each.type not in SUPPORTED),
        )
    except ValueError as problem:
        raise PeerError(f"a CFG_REPLY that makes no sense: {problem}") from None


def _network4(value: bytes) -> IPv4Network:
    return IPv4Network((value[:4], str(IPv4Address(value[4:]))), strict=False)


def _network6(value: bytes) -> IPv6Network:
    return IPv6Network((value[:16], value[16]), strict=False)


def with_local(connection: Connection, addresses: Iterable[IPAddress]) -> Connection:
    """Give the connection as it is once these addresses are assigned to us."""
    own = hosts(addresses)
    more = tuple(replace(policy, local_selectors=own) for policy in connection.more)
    return replace(connection, local_selectors=own, more=more)


def with_remote(connection: Connection, addresses: Iterable[IPAddress]) -> Connection:
    """Give the connection as it is once these addresses are assigned to the other side."""
    return with_local(connection.mirrored(), addresses).mirrored()


def hosts(addresses: Iterable[IPAddress]) -> tuple[IPNetwork, ...]:
    """Give each address as a network of its own."""
    return tuple(ip_network(address) for address in addresses)


# Who assigns.


def assign(pool: AddressPool, request: CP, taken: Collection[IPAddress]) -> tuple[IPAddress, ...]:
    """Choose an address for each that is asked for, and that there is one of (3.15.4).

    A value in the request is a suggestion: it is followed where that address is free.
    """
    chosen: list[IPAddress] = []
    for network in pool.networks:
        for attribute in request.attributes:
            if attribute.type == _ADDRESS[network.version]:
                free = _free(network, attribute.value, {*taken, *chosen})
                chosen += [] if free is None else [free]
    return tuple(chosen)


def wants_address(pool: AddressPool, request: CP) -> bool:
    """Say whether a request asks for an address of a version that the pool has."""
    kinds = {_ADDRESS[network.version] for network in pool.networks}
    return any(attribute.type in kinds for attribute in request.attributes)


def _free(network: IPNetwork, suggested: bytes, taken: Collection[IPAddress]) -> IPAddress | None:
    make: Callable[[bytes], IPAddress] = IPv4Address if network.version == 4 else IPv6Address
    wished = make(suggested[: network.max_prefixlen // 8]) if suggested else None
    if wished is not None and wished in network and wished not in taken:
        return wished
    return next((each for each in _addresses(network) if each not in taken), None)


def _addresses(network: IPNetwork) -> Iterator[IPAddress]:
    """List a network's hosts; a network of one address is that host."""
    return iter(network.hosts())


def reply(pool: AddressPool | None, request: CP, addresses: Iterable[IPAddress]) -> CP:
    """Build the CFG_REPLY that assigns addresses, and tells what the pool has beside them.

    Multiples and what was not asked for are allowed, but only DNS servers and subnets of the
    versions that an address is assigned of are of any use.
    """
    attributes: list[ConfigAttribute] = []
    for address in addresses:
        assert pool is not None
        network = next(each for each in pool.networks if each.version == address.version)
        attributes += _assigned(network, address)
        attributes += [_dns(each) for each in pool.dns if each.version == address.version]
        attributes += [_subnet(each) for each in pool.subnets if each.version == address.version]
    return CP(ConfigType.CFG_REPLY, tuple(attributes))


def _assigned(network: IPNetwork, address: IPAddress) -> list[ConfigAttribute]:
    if address.version == 6:
        value = address.packed + bytes([network.prefixlen])
        return [ConfigAttribute(A.INTERNAL_IP6_ADDRESS, value)]
    return [
        ConfigAttribute(A.INTERNAL_IP4_ADDRESS, address.packed),
        ConfigAttribute(A.INTERNAL_IP4_NETMASK, network.netmask.packed),
    ]


def _dns(address: IPAddress) -> ConfigAttribute:
    return ConfigAttribute(_DNS[address.version], address.packed)


def _subnet(network: IPNetwork) -> ConfigAttribute:
    start = network.network_address.packed
    if network.version == 4:
        return ConfigAttribute(A.INTERNAL_IP4_SUBNET, start + network.netmask.packed)
    return ConfigAttribute(A.INTERNAL_IP6_SUBNET, start + bytes([network.prefixlen]))


def information(request: CP, version: bytes) -> tuple[ConfigAttribute, ...]:
    """Answer what a request asks about the peer itself: its version, what it supports (2.20)."""
    kinds = {attribute.type for attribute in request.attributes}
    told = []
    if A.APPLICATION_VERSION in kinds:
        told.append(ConfigAttribute(A.APPLICATION_VERSION, version))
    if A.SUPPORTED_ATTRIBUTES in kinds:
        numbers = b"".join(int(each).to_bytes(2, "big") for each in SUPPORTED)
        told.append(ConfigAttribute(A.SUPPORTED_ATTRIBUTES, numbers))
    return tuple(told)
