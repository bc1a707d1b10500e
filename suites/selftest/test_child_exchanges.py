"""Several Child SAs, each with selectors of its own, and with key exchanges of their own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from peers.reference import ip
from peers.reference.connection import ChildPolicy
from peers.reference.errors import ScriptError
from peers.reference.message import Header
from peers.reference.negotiation import esp_proposal, ke, narrow, offered_groups, selectors
from peers.reference.numbers import IpProtocol, KeyExchangeMethod, NotifyType
from peers.reference.payloads import KE, SA, TSi, TSr
from peers.reference.traffic_selectors import admits, ports, traffic_selector
from suites import terms
from suites.selftest.crossing import PFS, Crossing, then, with_second
from suites.selftest.wires import LEFT, RIGHT, Wire, connection

SIDES = pytest.mark.parametrize("side", [LEFT, RIGHT], ids=["left", "right"])
NO_GROUP = ke(KeyExchangeMethod.NONE)


def established(described, right=None):
    wire = Crossing(described, right=right)
    wire.establish()
    assert wire.up()
    return wire


def do(wire, side, verb, **arguments):
    wire.start(side, verb, **arguments)
    wire.run(then(()))


def opened(wire, number):
    """Decode a packet of the record, whoever sent it."""
    packet = wire.sent[number]
    sas = [session.sa for endpoint in wire.both for session in endpoint.sessions]
    header = Header.decode(packet.octets)
    sa = next(sa for sa in sas if sa.initiator is not header.initiator)
    return sa.decode(packet.octets)


def selectors_of(child):
    return (child.terms.local_selectors, child.terms.remote_selectors)


@SIDES
def test_a_second_child_sa_has_selectors_of_its_own_and_carries_its_own_traffic(side):
    wire = established(with_second())

    do(wire, side, "create_child", name="second")

    for own, endpoint in zip((wire.left_connection, wire.right_connection), wire.both, strict=True):
        first, second = endpoint.sessions[0].sa.children
        assert (first.name, second.name) == ("c", "second")
        policy = own.more[0]
        assert selectors_of(second) == tuple(
            map(selectors, (policy.local_selectors, policy.remote_selectors))
        )
        before = second.packets_in, first.packets_in
        wire.carry(endpoint.echo(own, wire.now, name="second"))
        wire.carry(endpoint.echo(own, wire.now, name="c"))
        assert (second.packets_in, first.packets_in) == (before[0] + 1, before[1] + 1)


@SIDES
@pytest.mark.parametrize("name", ["c", "second"])
def test_each_child_sa_is_rekeyed_and_deleted_by_its_name(side, name):
    wire = established(with_second())
    do(wire, LEFT, "create_child", name="second")
    kept = [c.spis() for c in wire.left.sessions[0].sa.children if c.name != name]

    do(wire, side, "rekey_child", name=name)
    names = sorted(c.name for c in wire.left.sessions[0].sa.children)
    do(wire, side, "delete", child_only=True, name=name)

    assert names == ["c", "second"]
    assert [c.spis() for c in wire.left.sessions[0].sa.children] == kept


def test_a_policy_that_is_not_there_cannot_be_asked_for():
    with pytest.raises(ScriptError, match="third"):
        Wire().left.create_child(connection(), 0.0, "third")


def pfs(*proposals):
    return replace(connection(), esp_proposals=proposals)


@SIDES
def test_a_rekeyed_child_sa_has_a_key_exchange_of_its_own(side):
    wire = established(pfs(PFS))
    count = len(wire.sent)

    do(wire, side, "rekey_child")

    request, response = opened(wire, count), opened(wire, count + 1)
    assert request.get(KE).group == response.get(KE).group == terms.CURVE25519.id
    assert wire.echoes(LEFT)
    assert wire.echoes(RIGHT)


def test_ike_auth_offers_no_key_exchange_of_the_child_sa():
    wire = established(pfs(PFS))

    request = opened(wire, 2)

    assert request.find(KE) is None
    assert not offered_groups(request.get(SA))


TWO = esp_proposal(terms.AES_GCM_256, terms.CURVE25519, terms.ECP_256)
ONLY_ECP = esp_proposal(terms.AES_GCM_256, terms.ECP_256)
OR_NONE = esp_proposal(terms.AES_GCM_256, terms.ECP_256, NO_GROUP)
NONE_FIRST = esp_proposal(terms.AES_GCM_256, NO_GROUP, terms.ECP_256)


@SIDES
def test_another_group_is_asked_for_in_a_rekey_and_taken(side):
    sides = [pfs(ONLY_ECP), pfs(ONLY_ECP).mirrored()]
    sides[side] = replace(sides[side], esp_proposals=(TWO,))
    wire = established(sides[LEFT], sides[RIGHT])
    count = len(wire.sent)

    do(wire, side, "rekey_child")

    first, refusal, second = (opened(wire, count + number) for number in range(3))
    assert refusal.notify(NotifyType.INVALID_KE_PAYLOAD).data == terms.ECP_256.id.to_bytes(2, "big")
    assert [m.get(KE).group for m in (first, second)] == [terms.CURVE25519.id, terms.ECP_256.id]
    assert second.message_id == first.message_id + 1
    assert wire.echoes(LEFT)
    assert len(wire.left.sessions[0].sa.children) == 1


@SIDES
def test_another_group_is_asked_for_in_a_rekey_of_the_ike_sa_and_taken(side):
    """The first IKE SA came about by a retry as well; the guess is the first of the offer."""
    two = terms.ike(terms.AES_GCM_256, terms.CURVE25519, terms.ECP_256)
    only = terms.ike(terms.AES_GCM_256, terms.ECP_256)
    sides = [replace(connection(), ike_proposals=(only,))]
    sides.append(sides[0].mirrored())
    sides[side] = replace(sides[side], ike_proposals=(two,))
    wire = Crossing(sides[LEFT], right=sides[RIGHT])
    wire.establish()
    old = wire.left.sessions[0].sa.spi_i

    do(wire, side, "rekey_ike")

    assert wire.up()
    assert wire.left.sessions[0].sa.spi_i != old
    assert wire.left.sessions[0].sa.suite.ke == KeyExchangeMethod.ECP_256
    assert wire.echoes(RIGHT)


@pytest.mark.parametrize("left", [OR_NONE, NONE_FIRST], ids=["group first", "NONE first"])
@pytest.mark.parametrize("right", [OR_NONE, NONE_FIRST, ONLY_ECP], ids=["group", "NONE", "only"])
def test_group_none_means_no_key_exchange_unless_the_other_side_wants_one(left, right):
    wire = established(pfs(left), pfs(right).mirrored())

    do(wire, LEFT, "rekey_child")

    assert wire.echoes(LEFT)
    assert len(wire.left.sessions[0].sa.children) == 1
    assert len(wire.right.sessions[0].sa.children) == 1


def test_a_key_exchange_that_only_one_side_wants_shows_at_the_first_rekey():
    """F28: IKE_AUTH has no KE, so that the first Child SA works all the same."""
    wire = established(pfs(PFS), connection().mirrored())
    assert wire.echoes(LEFT)

    count = len(wire.sent)
    do(wire, LEFT, "rekey_child")

    assert NotifyType.NO_PROPOSAL_CHOSEN in opened(wire, count + 1).notifies
    assert wire.echoes(LEFT)


def policies(*texts):
    return tuple(map(traffic_selector, texts))


def test_a_request_is_narrowed_to_the_policy_and_more_is_said_to_be_possible():
    left = replace(connection(), local_selectors=policies("10.1.0.0/16"))
    left = replace(left, remote_selectors=policies("10.2.0.0/16"))
    right = with_second().mirrored()
    wire = established(left, right)

    response = opened(wire, 3)

    assert NotifyType.ADDITIONAL_TS_POSSIBLE in response.notifies
    assert response.get(TSi).ranges == policies("10.1.0.0/24")
    assert response.get(TSr).ranges == policies("10.2.0.0/24")
    assert wire.echoes(LEFT)


def test_nothing_more_is_possible_where_no_other_policy_allows_it():
    left = replace(connection(), local_selectors=policies("10.1.0.0/24", "10.99.0.0/24"))
    wire = established(left, with_second().mirrored())

    response = opened(wire, 3)

    assert response.get(TSi).ranges == policies("10.1.0.0/24"), "a part was left out"
    assert NotifyType.ADDITIONAL_TS_POSSIBLE not in response.notifies


def test_nothing_more_is_possible_when_all_was_granted():
    wire = established(with_second())

    assert NotifyType.ADDITIONAL_TS_POSSIBLE not in opened(wire, 3).notifies


@pytest.mark.parametrize(
    ("asked", "allowed", "granted"),
    [
        ("10.2.0.0/24[tcp/80]", "10.2.0.0/24", "10.2.0.0/24[tcp/80]"),
        ("10.2.0.0/24", "10.2.0.0/24[udp/4000-5000]", "10.2.0.0/24[udp/4000-5000]"),
        ("10.2.0.0/24[udp/1-4500]", "10.2.0.0/24[udp/4000-5000]", "10.2.0.0/24[udp/4000-4500]"),
        ("10.2.0.3-10.2.0.9", "10.2.0.5-10.2.0.20", "10.2.0.5-10.2.0.9"),
        ("10.2.0.0/24[icmp/2048]", "10.2.0.0/24[icmp]", "10.2.0.0/24[icmp/2048]"),
    ],
)
def test_protocols_ports_and_ranges_are_narrowed(asked, allowed, granted):
    left = replace(connection(), remote_selectors=policies(asked))
    right = replace(connection().mirrored(), local_selectors=policies(allowed))
    wire = established(left, right)

    assert opened(wire, 3).get(TSr).ranges == policies(granted)


@pytest.mark.parametrize("side", [LEFT, RIGHT], ids=["of request", "of policy"])
def test_other_ports_and_protocols_are_unacceptable(side):
    texts = ["10.2.0.0/24[tcp/80]", "10.2.0.0/24[udp/80]"]
    left = replace(connection(), remote_selectors=policies(texts[side]))
    right = replace(connection().mirrored(), local_selectors=policies(texts[1 - side]))
    wire = established(left, right)

    assert NotifyType.TS_UNACCEPTABLE in opened(wire, 3).notifies


def test_a_child_sa_for_a_single_pair_is_asked_for_again_with_one():
    left = connection()
    pair = ChildPolicy("pair", left.esp_proposals, policies("10.1.7.0/24"), policies("10.2.7.0/24"))
    right = replace(left.mirrored(), more=(replace(pair.mirrored(), single_pair=True),))
    wire = established(replace(left, more=(pair,)), right)
    count = len(wire.sent)

    do(wire, LEFT, "create_child", name="pair")

    assert NotifyType.SINGLE_PAIR_REQUIRED in opened(wire, count + 1).notifies
    response = opened(wire, count + 3)
    assert response.get(TSi).ranges == policies("10.1.7.1/32")
    assert response.get(TSr).ranges == policies("10.2.7.1/32")


def test_only_traffic_of_the_selectors_goes_through_a_child_sa():
    left = replace(
        connection(),
        local_selectors=policies("10.1.0.0/24[icmp]"),
        remote_selectors=policies("10.2.0.0/24[icmp]"),
    )
    wire = established(left)
    child = wire.right.sessions[0].sa.children[0]

    assert wire.echoes(LEFT)
    echo = ip.echo_request(*map(ip_of, ("10.1.0.1", "10.2.0.1")), 1, 1, b"x")
    assert child.covers(echo)
    assert not child.covers(replace(echo, protocol=IpProtocol.UDP))


def ip_of(text):
    return traffic_selector(text).start_address


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("10.1.0.0/24", "10.1.0.0/24"),
        ("fd00::/64", "fd00::/64"),
        ("10.1.0.7", "10.1.0.7"),
        ("10.1.0.5-10.1.0.9", "10.1.0.5-10.1.0.9"),
        ("10.1.0.0/24[tcp/80]", "10.1.0.0/24 TCP port 80"),
        ("10.1.0.0/24[17/1000-2000]", "10.1.0.0/24 UDP ports 1000-2000"),
        ("fd00::5-fd00::9[icmpv6]", "fd00::5-fd00::9 ICMPV6"),
        ("10.1.0.0/24[udp/opaque]", "10.1.0.0/24 UDP port OPAQUE"),
    ],
)
def test_a_selector_is_read_as_people_write_it(text, shown):
    assert str(traffic_selector(text)) == shown


@pytest.mark.parametrize(
    "text",
    ["", "10.1.0.0/33", "10.1.0.9-10.1.0.5", "10.1.0.1-fd00::1", "10.1.0.0/24[nothing]",
     "10.1.0.0/24[tcp/90-80]", "10.1.0.0/24[tcp/70000]", "10.1.0.1/24", "10.1.0.0/24["],
)  # fmt: skip
def test_other_texts_are_refused(text):
    with pytest.raises(ScriptError):
        traffic_selector(text)


@pytest.mark.parametrize(
    ("offered", "allowed", "common"),
    [
        ("[udp/opaque]", "[udp/opaque]", "[udp/opaque]"),
        ("[udp]", "[udp/opaque]", "[udp/opaque]"),
        ("[udp/opaque]", "", "[udp/opaque]"),
        ("[udp/80]", "[udp/opaque]", None),
        ("[udp/opaque]", "[udp/1-65535]", None),
        ("[tcp/opaque]", "[udp/opaque]", None),
        ("[udp/80-90]", "[udp/85-99]", "[udp/85-90]"),
        ("[udp/80]", "[udp/81]", None),
    ],
)
def test_any_port_alone_includes_opaque_ones(offered, allowed, common):
    narrowed = narrow(policies(f"10.1.0.0/24{offered}"), policies(f"10.1.0.0/24{allowed}"))

    assert narrowed == (policies(f"10.1.0.0/24{common}") if common is not None else ())


def packet(protocol, payload, fragmentation=0):
    ends = map(ip_of, ("10.1.0.1", "10.2.0.1"))
    return ip.IpPacket(*ends, protocol, payload, fragmentation=fragmentation)


def test_ports_are_those_of_the_protocols_that_have_them():
    octets = bytes.fromhex("03e8 0050 0000 0000")

    assert ports(packet(IpProtocol.UDP, octets)) == (1000, 80)
    assert ports(packet(IpProtocol.ICMP, octets)) == (0x03E8, 0x03E8)
    assert ports(packet(IpProtocol.ESP, octets)) is None
    assert ports(packet(IpProtocol.UDP, octets, fragmentation=5)) is None
    assert ports(packet(IpProtocol.UDP, b"")) is None


def test_a_packet_without_ports_fits_any_port_and_opaque_ones():
    address = ip_of("10.1.0.1")
    for text, fits in (("", True), ("[udp]", True), ("[udp/opaque]", True), ("[udp/80]", False)):
        assert admits(policies(f"10.1.0.0/24{text}"), address, IpProtocol.UDP, None) is fits
    assert not admits(policies("10.1.0.0/24[udp/opaque]"), address, IpProtocol.UDP, 80)
