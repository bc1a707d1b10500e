"""Which addresses a run takes, and what it refuses."""

from ipaddress import IPv4Network, ip_network

import pytest

from peers.lab.addresses import (
    BENCHMARKING,
    AddressPool,
    Plan,
    behind,
    candidates,
    host_routes,
    parse_subnet,
)
from peers.lab.errors import SetupError
from peers.reference.errors import Inconclusive

ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
br0\t000012C6\t00000000\t0001\t0\t0\t0\t00C0FFFF\t0\t0\t0
"""


def test_host_routes_leave_out_the_default_route():
    assert host_routes(lambda path: ROUTES) == [
        IPv4Network("172.17.0.0/16"),
        IPv4Network("198.18.0.0/18"),
    ]


def test_routes_of_the_first_process_that_cannot_be_read_are_replaced_by_ones_own():
    def read(path):
        if path.parts[2] == "1":
            raise PermissionError
        return ROUTES

    assert len(host_routes(read)) == 2


def test_the_first_free_part_is_chosen():
    plans = candidates(None, [IPv4Network("198.18.0.0/18"), IPv4Network("198.18.64.5/32")])

    assert str(plans[0].ipv4) == "198.18.128.0/18"
    assert len(plans) == 6


def test_a_full_range_is_one_line_with_the_mend():
    with pytest.raises(SetupError, match=r"198\.18\.0\.0/15 is taken.*--subnet"):
        candidates(None, [BENCHMARKING])


def test_a_taken_subnet_is_named_with_what_takes_it():
    with pytest.raises(SetupError, match=r"10\.0\.0\.0/16 is taken .* 10\.0\.0\.0/8"):
        candidates(IPv4Network("10.0.0.0/16"), [IPv4Network("10.0.0.0/8")])


@pytest.mark.parametrize(
    "text", ["", "x", "198.18.0.0/29", "0.0.0.0/0", "198.18.1.0/18", "fd00::/64"]
)
def test_a_subnet_that_cannot_carry_a_lab_is_refused(text):
    with pytest.raises(SetupError, match="--subnet"):
        parse_subnet(text)


@pytest.mark.parametrize("text", ["198.18.64.0/18", "10.9.0.0/16", "192.168.4.0/22"])
def test_no_address_has_two_uses(text):
    plan = Plan(parse_subnet(text))
    fixed = [plan.host(number) for number in (1, 2)] + [plan.target(index) for index in range(8)]

    assert not any(ipv4 in plan.range4 or ipv6 in plan.range6 for ipv4, ipv6 in fixed)
    assert all(ipv4 in plan.containers and ipv6 in plan.ipv6 for ipv4, ipv6 in fixed)
    assert len({ipv4 for ipv4, _ in fixed}) == len(fixed)


def test_every_part_has_an_ipv6_network_of_its_own():
    plans = [Plan(each) for each in BENCHMARKING.subnets(new_prefix=18)]

    assert len({plan.ipv6 for plan in plans}) == len(plans)
    assert all(plan.ipv6.is_private for plan in plans)


def test_networks_behind_targets_differ():
    networks = [network for index in range(8) for network in behind(index)]

    assert len(set(networks)) == 16
    assert not any(each.overlaps(ip_network("10.128.0.0/9")) for each, _ in map(behind, range(64)))


def test_the_pool_gives_each_address_once_and_then_says_so():
    plan = Plan(IPv4Network("192.168.4.0/22"))
    pool = AddressPool(plan)

    taken = [pool.take() for _ in range(plan.range4.num_addresses // 2 - 2)]

    everything = {address for each in taken for version in (4, 6) for address in each.of(version)}
    assert len(taken) == 254
    assert len(everything) == 4 * 254
    assert all(each in (plan.range4 if each.version == 4 else plan.range6) for each in everything)
    with pytest.raises(Inconclusive, match="--subnet"):
        pool.take()
