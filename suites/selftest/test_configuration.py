"""Configuration payloads: what is assigned, told, refused, and read (RFC 7296, 2.19 and 3.15)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from peers.reference import configuration
from peers.reference.configuration import LENGTHS, SUPPORTED, Assignment
from peers.reference.connection import AddressPool
from peers.reference.errors import PeerError
from peers.reference.message import Message
from peers.reference.numbers import ConfigAttributeType as A
from peers.reference.numbers import ConfigType, ExchangeType, NotifyType
from peers.reference.payloads import CP, ConfigAttribute, Notify
from suites.selftest.test_peer import Bench
from suites.selftest.wires import LEFT, RIGHT, Wire, connection

POOL = AddressPool(
    (ip_network("10.9.0.0/29"), ip_network("fd09::/64")),
    dns=(ip_address("10.9.9.9"), ip_address("fd09::53")),
    subnets=(ip_network("10.2.0.0/24"),),
)


def remote_access(pool=POOL, right_pool=None, **more):
    """Give a wire whose left side is to be given an address by the right one."""
    described = replace(connection(), local_selectors=pool.networks, takes=pool, **more)
    right = replace(described.mirrored(), gives=right_pool or pool)
    return Wire(described, right=right)


def message(*attributes, kind=ConfigType.CFG_REPLY):
    cp = CP(kind, tuple(attributes))
    return Message(b"i" * 8, b"r" * 8, ExchangeType.IKE_AUTH, True, False, 1, (cp,))


# Assigning.


def test_both_versions_are_assigned_from_the_pool_and_carry_traffic():
    wire = remote_access(AddressPool((ip_network("10.9.0.0/29"),)))
    wire.establish()

    [child] = wire.left.sessions[0].sa.children
    [mine] = child.terms.local_selectors
    assert mine.start_address == mine.end_address == ip_address("10.9.0.1")
    assert wire.left.sessions[0].sa.assigned == wire.right.sessions[0].sa.assigned
    assert wire.echoes(LEFT)
    assert wire.echoes(RIGHT)


def test_both_families_are_assigned_at_once():
    wire = remote_access()
    wire.establish()

    assert [str(each) for each in wire.left.sessions[0].sa.assigned] == ["10.9.0.1", "fd09::1"]
    [child] = wire.left.sessions[0].sa.children
    assert len(child.terms.local_selectors) == 2


def test_the_lease_goes_over_to_the_successor_and_ends_with_it():
    wire = remote_access(AddressPool((ip_network("10.9.0.0/29"),)))
    wire.establish()
    wire.carry(wire.left.rekey_ike(wire.left_connection, wire.now))
    wire.carry(wire.left.rekey_child(wire.left_connection, wire.now))

    assert len(wire.right.sessions) == 1
    assert wire.right.sessions[0].sa.assigned == (ip_address("10.9.0.1"),)
    assert wire.echoes()
    wire.carry(wire.left.delete(wire.left_connection, wire.now, child_only=False))
    assert wire.right.configurations._taken() == set()


def test_an_exhausted_pool_keeps_the_ike_sa_without_a_child():
    wire = remote_access(
        AddressPool((ip_network("10.9.0.1/32"),)), AddressPool((ip_network("10.9.0.1/32"),))
    )
    wire.establish()
    wire.carry(wire.left.initiate(wire.left_connection, wire.now))

    first, second = wire.right.sessions
    assert len(first.sa.children) == 1
    assert second.sa.children == []
    assert second.sa.assigned == ()


def test_who_asks_for_nothing_gets_no_child_sa_where_an_address_is_required():
    described = replace(connection(), local_selectors=POOL.networks)
    wire = Wire(described, right=replace(described.mirrored(), gives=POOL))
    wire.establish()

    assert wire.up()
    assert wire.right.sessions[0].sa.children == []


def test_who_asks_for_nothing_gets_a_child_sa_where_no_address_is_required():
    described = replace(connection(), local_selectors=POOL.networks[:1])
    pool = replace(POOL, networks=POOL.networks[:1], required=False)
    wire = Wire(described, right=replace(described.mirrored(), gives=pool))
    wire.establish()

    assert len(wire.right.sessions[0].sa.children) == 1


def test_who_needs_an_address_and_gets_none_deletes_the_ike_sa():
    described = replace(connection(), takes=POOL)
    wire = Wire(described, right=replace(described.mirrored(), gives=None))
    wire.establish()

    assert wire.left.sessions == wire.right.sessions == []


SUGGESTED = [
    # suggestion, taken, what is assigned
    (b"", (), "10.9.0.1"),
    (ip_address("10.9.0.4").packed, (), "10.9.0.4"),
    (ip_address("10.9.0.4").packed, ("10.9.0.4",), "10.9.0.1"),
    (ip_address("192.0.2.1").packed, (), "10.9.0.1"),
    (b"", ("10.9.0.1", "10.9.0.2"), "10.9.0.3"),
]


@pytest.mark.parametrize(("value", "taken", "given"), SUGGESTED)
def test_a_suggestion_is_followed_where_that_is_possible(value, taken, given):
    request = CP(ConfigType.CFG_REQUEST, (ConfigAttribute(A.INTERNAL_IP4_ADDRESS, value),))

    chosen = configuration.assign(POOL, request, {ip_address(each) for each in taken})

    assert chosen == (ip_address(given),)


def test_two_addresses_are_assigned_where_two_are_asked_for():
    request = CP(ConfigType.CFG_REQUEST, (ConfigAttribute(A.INTERNAL_IP4_ADDRESS),) * 2)

    assert configuration.assign(POOL, request, ()) == (
        ip_address("10.9.0.1"),
        ip_address("10.9.0.2"),
    )


def test_a_version_that_the_pool_does_not_have_is_ignored():
    request = CP(
        ConfigType.CFG_REQUEST,
        (ConfigAttribute(A.INTERNAL_IP6_ADDRESS), ConfigAttribute(A.INTERNAL_IP4_ADDRESS)),
    )
    only_four = replace(POOL, networks=POOL.networks[:1])

    assert configuration.assign(only_four, request, ()) == (ip_address("10.9.0.1"),)


# Telling and reading.


def test_what_is_told_is_read_again():
    request = configuration.asked(POOL)
    addresses = configuration.assign(POOL, request, ())

    told = configuration.read(configuration.reply(POOL, request, addresses))

    assert told == Assignment(addresses, ip_address("255.255.255.248"), POOL.dns, POOL.subnets)


def test_unknown_attributes_are_kept_and_ignored():
    strange = ConfigAttribute(A(16000), b"x")
    reply = CP(ConfigType.CFG_REPLY, (strange, ConfigAttribute(A.INTERNAL_IP4_ADDRESS, bytes(4))))

    told = configuration.read(reply)

    assert told.strange == (strange,)
    assert told.addresses == (ip_address("0.0.0.0"),)


@pytest.mark.parametrize("kind", LENGTHS, ids=str)
@pytest.mark.parametrize("size", [1, 3, 5, 9, 15, 18])
def test_a_value_of_another_length_is_refused(kind, size):
    """A short INTERNAL_IP4_ADDRESS ended a free5GC N3IWF (F65)."""
    found = message(ConfigAttribute(kind, bytes(size)))

    with pytest.raises(PeerError, match=f"{size} octets"):
        configuration.configuration(found, ConfigType.CFG_REPLY)


@pytest.mark.parametrize(
    "value",
    [b"\x0a\x00\x00\x00\xff\x00\xff\x00", bytes(16) + b"\x81"],
    ids=["mask", "prefix"],
)
def test_a_subnet_that_is_none_is_the_other_sides_error(value):
    kind = A.INTERNAL_IP4_SUBNET if len(value) == 8 else A.INTERNAL_IP6_SUBNET

    with pytest.raises(PeerError, match="makes no sense"):
        configuration.read(CP(ConfigType.CFG_REPLY, (ConfigAttribute(kind, value),)))


# INFORMATIONAL.


@pytest.fixture
def up():
    bench = Bench()
    bench.peer.establish()
    return bench


def test_the_version_and_the_supported_attributes_are_told(up):
    request = up.peer.configuration_request(
        ConfigAttribute(A.APPLICATION_VERSION), ConfigAttribute(A.SUPPORTED_ATTRIBUTES)
    )

    [reply] = up.peer.exchange(up.peer.informational(request)).all(CP)

    values = {attribute.type: attribute.value for attribute in reply.attributes}
    assert reply.config_type == ConfigType.CFG_REPLY
    assert values[A.APPLICATION_VERSION] == b"ikeproof"
    assert len(values[A.SUPPORTED_ATTRIBUTES]) == 2 * len(SUPPORTED)


def test_settings_are_answered_and_none_is_accepted(up):
    settings = CP(ConfigType.CFG_SET, (ConfigAttribute(A.INTERNAL_IP4_DNS, bytes(4)),))

    response = up.peer.exchange(up.peer.informational(settings))

    assert response.all(CP) == (CP(ConfigType.CFG_ACK),)


@pytest.mark.parametrize("kind", [ConfigType.CFG_REPLY, ConfigType.CFG_ACK, 77])
def test_other_types_in_a_request_are_ignored(up, kind):
    stray = CP(kind, (ConfigAttribute(A.INTERNAL_IP4_ADDRESS, bytes(4)),))

    assert up.peer.exchange(up.peer.informational(stray)).payloads == ()


def test_a_request_with_a_wrong_length_is_invalid_syntax(up):
    wrong = up.peer.configuration_request(ConfigAttribute(A.INTERNAL_IP4_ADDRESS, b"123"))

    response = up.peer.exchange(up.peer.informational(wrong))

    assert response.payloads == (Notify(NotifyType.INVALID_SYNTAX),)
