"""Choosing proposals and narrowing selectors: tables, and properties of what comes of them."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peers.reference.errors import PeerError
from peers.reference.negotiation import (
    MOST_SELECTORS,
    Suite,
    check_choice,
    choose,
    encr,
    esn,
    esp_proposal,
    ike_proposal,
    integ,
    ke,
    narrow,
    numbered,
    prf,
    selector,
    within,
)
from peers.reference.numbers import (
    Encr,
    Esn,
    Integ,
    IpProtocol,
    KeyExchangeMethod,
    Prf,
    ProtocolId,
    TransformType,
)
from peers.reference.payloads import SA, Attribute, Transform

# A busy machine is no finding, so no example has a deadline.
RELAXED = settings(deadline=None, max_examples=60)

GCM_128, GCM_256 = encr(Encr.ENCR_AES_GCM_16, 128), encr(Encr.ENCR_AES_GCM_16, 256)
CBC_256 = encr(Encr.ENCR_AES_CBC, 256)
CHACHA = encr(Encr.ENCR_CHACHA20_POLY1305)
SHA2, NO_INTEG = integ(Integ.AUTH_HMAC_SHA2_256_128), integ(Integ.NONE)
PRF = prf(Prf.PRF_HMAC_SHA2_256)
X25519, MODP = ke(KeyExchangeMethod.CURVE25519), ke(KeyExchangeMethod.MODP_2048)
NO_KE = ke(KeyExchangeMethod.NONE)
UNKNOWN = Transform(TransformType(200), 0)
ADDKE = Transform(TransformType.ADDKE1, KeyExchangeMethod.NONE)


def chosen(offered, *acceptable):
    """Give the transforms that are chosen, None when nothing is."""
    found = choose(SA(tuple(offered)), acceptable)
    return None if found is None else found.transforms


CHOICES = {
    "the same": ([GCM_256, PRF, X25519], [GCM_256, PRF, X25519], [GCM_256, PRF, X25519]),
    "ours decides between two": (
        [GCM_128, GCM_256, PRF, MODP, X25519],
        [GCM_256, GCM_128, PRF, X25519, MODP],
        [GCM_256, PRF, X25519],
    ),
    "another key length": ([GCM_128, PRF, X25519], [GCM_256, PRF, X25519], None),
    "no key length": ([encr(Encr.ENCR_AES_GCM_16), PRF, X25519], [GCM_256, PRF, X25519], None),
    "a key length where none belongs": (
        [encr(Encr.ENCR_CHACHA20_POLY1305, 256), PRF, X25519],
        [CHACHA, PRF, X25519],
        None,
    ),
    "a second attribute": (
        [replace(GCM_256, attributes=(*GCM_256.attributes, Attribute(99, 1))), PRF, X25519],
        [GCM_256, PRF, X25519],
        None,
    ),
    "a key length in the long form": (
        [replace(GCM_256, attributes=(Attribute(14, b"\x01\x00"),)), PRF, X25519],
        [GCM_256, PRF, X25519],
        None,
    ),
    "AEAD with INTEG NONE": (
        [GCM_256, NO_INTEG, PRF, X25519],
        [GCM_256, PRF, X25519],
        [GCM_256, PRF, X25519, NO_INTEG],
    ),
    "AEAD without INTEG, ours says NONE": (
        [GCM_256, PRF, X25519],
        [GCM_256, NO_INTEG, PRF, X25519],
        [GCM_256, PRF, X25519],
    ),
    "INTEG NONE or another": (
        [GCM_256, SHA2, NO_INTEG, PRF, X25519],
        [GCM_256, PRF, X25519],
        [GCM_256, PRF, X25519, NO_INTEG],
    ),
    "AEAD with INTEG": ([GCM_256, SHA2, PRF, X25519], [GCM_256, PRF, X25519], None),
    "no INTEG where ours has one": ([CBC_256, PRF, X25519], [CBC_256, SHA2, PRF, X25519], None),
    "no KE": ([GCM_256, PRF], [GCM_256, PRF, X25519], None),
    "KE NONE where ours has one": ([GCM_256, PRF, NO_KE], [GCM_256, PRF, X25519], None),
    "no PRF": ([GCM_256, X25519], [GCM_256, PRF, X25519], None),
    "PRF 0": ([GCM_256, prf(Prf(0)), X25519], [GCM_256, X25519], None),
    "ENCR 0": ([encr(Encr(0)), PRF, X25519], [PRF, X25519], None),
    "an unknown type": ([GCM_256, PRF, X25519, UNKNOWN], [GCM_256, PRF, X25519], None),
    "no additional key exchange": (
        [GCM_256, PRF, X25519, ADDKE],
        [GCM_256, PRF, X25519],
        [GCM_256, PRF, X25519, ADDKE],
    ),
    "nothing": ([], [GCM_256, PRF, X25519], None),
    "reserved octets": (
        [replace(GCM_256, reserved=7, reserved_2=9), PRF, X25519],
        [GCM_256, PRF, X25519],
        [GCM_256, PRF, X25519],
    ),
}


@pytest.mark.parametrize("name", CHOICES)
def test_choices(name):
    theirs, ours, expected = CHOICES[name]

    found = chosen([ike_proposal(*theirs)], ike_proposal(*ours))

    assert found == (tuple(expected) if expected is not None else None)


def test_our_order_of_proposals_decides():
    first, second = ike_proposal(GCM_256, PRF, X25519), ike_proposal(CBC_256, SHA2, PRF, MODP)

    assert chosen([second, first], first, second) == first.transforms
    assert chosen([second, first], second, first) == second.transforms


def test_number_and_spi_are_those_of_the_offer():
    offered = [
        esp_proposal(CBC_256, SHA2),
        replace(esp_proposal(GCM_256), number=7, spi=b"1234"),
    ]

    found = choose(SA(tuple(offered)), [replace(esp_proposal(GCM_256), number=1, spi=b"ours")])

    assert (found.number, found.spi) == (7, b"1234")


def test_another_protocol_is_not_chosen():
    offered = replace(esp_proposal(GCM_256), protocol=ProtocolId.AH)

    assert chosen([offered], esp_proposal(GCM_256)) is None


def test_esn_that_is_left_out_says_no_esn():
    offered = replace(esp_proposal(GCM_256), transforms=(GCM_256,))

    assert chosen([offered], esp_proposal(GCM_256)) == (GCM_256,)
    assert chosen([offered], esp_proposal(GCM_256, esn(Esn.ESN))) is None


def test_an_offer_of_pfs_or_none_is_met_without_pfs():
    offered = esp_proposal(GCM_256, MODP, NO_KE)

    assert set(chosen([offered], esp_proposal(GCM_256))) == {GCM_256, NO_KE, esn(Esn.NO_ESN)}


def test_proposals_are_numbered_from_one_and_carry_the_spi():
    proposals = numbered([esp_proposal(GCM_256, number=9), esp_proposal(CHACHA, number=9)], b"spi!")

    assert [(each.number, each.spi) for each in proposals] == [(1, b"spi!"), (2, b"spi!")]


def test_the_suite_of_a_choice():
    suite = Suite.of(ike_proposal(CBC_256, SHA2, PRF, MODP))

    assert (suite.encr, suite.key_bits, suite.integ) == (CBC_256.id, 256, SHA2.id)
    assert (suite.prf, suite.ke, suite.esn) == (PRF.id, MODP.id, None)
    assert Suite.of(esp_proposal(GCM_256, NO_INTEG, NO_KE)) == Suite(
        Encr.ENCR_AES_GCM_16, 256, esn=Esn.NO_ESN
    )


OFFER = ike_proposal(GCM_128, GCM_256, PRF, X25519, MODP)
CHOICE = ike_proposal(GCM_256, PRF, X25519)


@pytest.mark.parametrize(
    ("choice", "complaint"),
    [
        (replace(CHOICE, number=2), "not offered"),
        (replace(CHOICE, protocol=ProtocolId.ESP), "came back as one for ESP"),
        (ike_proposal(CHACHA, PRF, X25519), "not offered in proposal 1"),
        (ike_proposal(GCM_128, GCM_256, PRF, X25519), "more than one"),
        (ike_proposal(GCM_256, X25519), "leaves out"),
        (ike_proposal(GCM_256, PRF), "leaves out"),
        (ike_proposal(), "leaves out"),
    ],
)
def test_a_choice_that_was_not_offered(choice, complaint):
    with pytest.raises(PeerError, match=complaint):
        check_choice(SA((OFFER,)), choice)


@pytest.mark.parametrize(
    ("offer", "choice"),
    [
        (OFFER, CHOICE),
        (OFFER, ike_proposal(replace(GCM_256, reserved=1), PRF, X25519)),
        (ike_proposal(GCM_256, NO_INTEG, PRF, X25519), CHOICE),
        (ike_proposal(GCM_256, NO_INTEG, PRF, X25519),) * 2,
    ],
)
def test_a_choice_that_was_offered(offer, choice):
    check_choice(SA((offer,)), choice)


TRANSFORMS = st.lists(
    st.sampled_from(
        [
            GCM_128,
            GCM_256,
            CBC_256,
            CHACHA,
            SHA2,
            NO_INTEG,
            PRF,
            X25519,
            MODP,
            NO_KE,
            UNKNOWN,
            ADDKE,
        ]
    ),
    max_size=8,
    unique=True,
)
PROPOSALS = st.lists(TRANSFORMS.map(lambda each: ike_proposal(*each)), max_size=4)


@RELAXED
@given(PROPOSALS, PROPOSALS)
def test_what_is_chosen_passes_the_initiators_check(offered, acceptable):
    offer = SA(numbered(offered))

    found = choose(offer, acceptable)

    if found is not None:
        check_choice(offer, found)


# Traffic selectors.


def ts(start, end=None, protocol=IpProtocol.ANY, ports=(0, 65535)):
    made = selector(ip_address(start), ip_address(end or start))
    return replace(made, ip_protocol=protocol, start_port=ports[0], end_port=ports[1])


TCP, UDP = IpProtocol.TCP, IpProtocol.UDP
NET = ts("10.0.0.0", "10.0.0.255")
TCP_NET, UDP_NET = (replace(NET, ip_protocol=each) for each in (TCP, UDP))

NARROWED = {
    "the same": ([NET], [NET], [NET]),
    "a part": ([ts("10.0.0.0", "10.255.255.255")], [NET], [NET]),
    "a range that is no prefix": (
        [ts("10.0.0.3", "10.0.0.77")],
        [ts("10.0.0.50", "10.0.1.9")],
        [ts("10.0.0.50", "10.0.0.77")],
    ),
    "one address": ([ts("10.0.0.255", "10.0.1.9")], [NET], [ts("10.0.0.255")]),
    "beside it": ([ts("10.0.1.0", "10.0.1.9")], [NET], []),
    "IPv6": (
        [ts("fd00::", "fd00::ffff")],
        [ts("fd00::7", "fd01::")],
        [ts("fd00::7", "fd00::ffff")],
    ),
    "IPv6 and IPv4": ([ts("::", "ffff::")], [NET], []),
    "a protocol of theirs": (
        [TCP_NET],
        [NET],
        [TCP_NET],
    ),
    "a protocol of ours": ([NET], [UDP_NET], [UDP_NET]),
    "two protocols": ([TCP_NET], [UDP_NET], []),
    "ports": (
        [ts("10.0.0.1", protocol=TCP, ports=(80, 443))],
        [ts("10.0.0.1", protocol=TCP, ports=(443, 500))],
        [ts("10.0.0.1", protocol=TCP, ports=(443, 443))],
    ),
    "other ports": (
        [ts("10.0.0.1", protocol=TCP, ports=(80, 80))],
        [ts("10.0.0.1", protocol=TCP, ports=(81, 81))],
        [],
    ),
    "two of three": (
        [ts("10.0.0.1"), ts("10.9.0.1"), ts("10.0.0.2")],
        [NET],
        [ts("10.0.0.1"), ts("10.0.0.2")],
    ),
    "the same twice": ([NET, NET], [NET], [NET]),
    "nothing offered": ([], [NET], []),
    "backwards": ([ts("10.0.0.9", "10.0.0.1")], [NET], []),
}


@pytest.mark.parametrize("name", NARROWED)
def test_narrowing(name):
    offered, allowed, expected = NARROWED[name]

    assert narrow(offered, allowed) == tuple(expected)


def test_narrowing_fits_into_a_payload():
    many = [ts(f"10.0.0.{number}") for number in range(200)]
    halves = [ts("10.0.0.0", "10.0.0.255"), ts("10.0.0.0", "10.0.0.255", protocol=UDP)]

    assert len(narrow(many, halves)) == MOST_SELECTORS


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [
        ([NET], [NET], True),
        ([ts("10.0.0.7")], [NET], True),
        ([ts("10.0.0.255", "10.0.1.0")], [NET], False),
        ([NET], [ts("10.0.0.1", "10.0.0.255")], False),
        ([TCP_NET], [NET], True),
        ([NET], [TCP_NET], False),
        ([replace(NET, end_port=80)], [NET], True),
        ([NET], [replace(NET, start_port=1)], False),
        ([NET, ts("10.1.0.1")], [NET], False),
        ([NET, ts("10.1.0.1")], [NET, ts("10.1.0.0", "10.1.0.9")], True),
        ([ts("::", "::1")], [NET], False),
        ([], [NET], False),
        ([NET], [], False),
    ],
)
def test_within(inner, outer, expected):
    assert within(inner, outer) is expected


def ranges(make, bits):
    numbers = st.lists(st.integers(0, 40), min_size=2, max_size=2).map(sorted)
    ports = st.lists(st.integers(0, 9), min_size=2, max_size=2).map(tuple)
    base = 1 << (bits - 2)
    return st.builds(
        lambda ends, protocol, port: ts(
            make(base + ends[0]), make(base + ends[1]), protocol, tuple(sorted(port))
        ),
        numbers,
        st.sampled_from([IpProtocol.ANY, TCP, UDP]),
        ports,
    )


def address(number):
    return str(ip_address(number))


SELECTORS = st.lists(st.one_of(ranges(address, 32), ranges(address, 128)), max_size=5)


@RELAXED
@given(SELECTORS, SELECTORS)
def test_what_is_narrowed_lies_within_both_and_leaves_nothing_out(offered, allowed):
    common = narrow(offered, allowed)

    assert common == () or (within(common, offered) and within(common, allowed))
    for one in offered:
        for other in allowed:
            first = max(one.start_address, other.start_address, key=int)
            if all(_contains(each, first) for each in (one, other)) and _meet(one, other):
                assert any(_contains(each, first) for each in common)


def _contains(entry, at):
    same = entry.start_address.version == at.version
    return same and entry.start_address <= at <= entry.end_address


def _meet(one, other):
    protocols = {one.ip_protocol, other.ip_protocol} - {IpProtocol.ANY}
    ports = max(one.start_port, other.start_port) <= min(one.end_port, other.end_port)
    return len(protocols) < 2 and ports and one.type == other.type


@RELAXED
@given(SELECTORS, SELECTORS)
def test_narrowing_twice_is_narrowing_once(offered, allowed):
    common = narrow(offered, allowed)

    assert set(narrow(common, allowed)) >= set(common)
