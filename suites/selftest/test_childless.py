"""IKE SAs without a Child SA between two endpoints (RFC 6023)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from peers.reference import childless
from peers.reference.connection import Childless
from peers.reference.errors import ScriptError
from peers.reference.message import Message
from peers.targets.libreswan_config import ipsec_conf
from peers.targets.strongswan_config import connection_section
from suites.selftest.wires import LEFT, RIGHT, Wire, connection


def wire(left, right):
    described = replace(connection(), childless=left)
    return Wire(described, right=replace(described.mirrored(), childless=right))


def exchanges(carried):
    return [Message.decode(p.octets).exchange for p in carried.sent if p.source.port == 500]


@pytest.mark.parametrize("right", [Childless.ALLOW, Childless.FORCE])
def test_the_child_sa_comes_in_an_exchange_of_its_own(right):
    carried = wire(Childless.FORCE, right)

    carried.establish()

    assert exchanges(carried) == [34, 34, 35, 35, 36, 36]
    assert [len(e.sessions[0].sa.children) for e in carried.both] == [1, 1]
    assert carried.echoes(LEFT)
    assert carried.echoes(RIGHT)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (Childless.FORCE, None),
        (Childless.FORCE, Childless.NEVER),
        (Childless.ALLOW, Childless.ALLOW),
        (Childless.NEVER, Childless.FORCE),
        (None, Childless.ALLOW),
    ],
)
def test_otherwise_it_goes_along_with_ike_auth(left, right):
    carried = wire(left, right)

    carried.establish()

    assert exchanges(carried) == [34, 34, 35, 35]
    assert carried.echoes()


@pytest.mark.parametrize(
    ("choice", "announced"),
    [(None, 0), (Childless.NEVER, 0), (Childless.ALLOW, 1), (Childless.FORCE, 1)],
)
def test_who_grants_it_says_so(choice, announced):
    assert len(childless.announcement(replace(connection(), childless=choice))) == announced


def test_libreswan_cannot_be_told():
    for choice in (Childless.NEVER, Childless.FORCE):
        with pytest.raises(ScriptError, match="when it is asked to, only"):
            ipsec_conf(replace(connection(), childless=choice))
    assert ipsec_conf(replace(connection(), childless=Childless.ALLOW))


def test_strongswan_is_told_by_the_same_words():
    for choice in Childless:
        section = connection_section(replace(connection(), childless=choice))
        assert section["childless"] == choice.value
    assert "childless" not in connection_section(connection())
