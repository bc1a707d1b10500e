"""Identities and credentials: each method between two endpoints, and each way to be refused."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from peers.reference import identity
from peers.reference.credentials import Null, Psk
from peers.reference.identity import NULL_IDENTITY, Identity
from peers.reference.numbers import IdType
from peers.reference.payloads import IDi, IDr
from suites.selftest.wires import LEFT, RIGHT, Wire, connection

IDENTITIES = [
    (identity.fqdn("target.test"), IdType.ID_FQDN, b"target.test", "target.test"),
    (identity.rfc822("a@b.test"), IdType.ID_RFC822_ADDR, b"a@b.test", "a@b.test"),
    (identity.address(ip_address("192.0.2.1")), IdType.ID_IPV4_ADDR, b"\xc0\0\2\1", "192.0.2.1"),
    (identity.address(ip_address("::1")), IdType.ID_IPV6_ADDR, bytes(15) + b"\1", "::1"),
    (identity.key_id(b"\0\xff"), IdType.ID_KEY_ID, b"\0\xff", "0x00ff"),
    (identity.distinguished_name(b"0\0"), IdType.ID_DER_ASN1_DN, b"0\0", "0x3000"),
    (NULL_IDENTITY, IdType.ID_NULL, b"", "ID_NULL"),
]


@pytest.mark.parametrize(("value", "kind", "data", "text"), IDENTITIES)
def test_an_identity_becomes_a_payload_and_comes_back(value, kind, data, text):
    assert value.payload(of_initiator=True) == IDi(kind, data)
    assert value.payload(of_initiator=False) == IDr(kind, data)
    assert Identity.of(IDi(kind, data)) == value
    assert str(value) == text


@pytest.mark.parametrize("value", [each[0] for each in IDENTITIES], ids=str)
def test_each_type_of_identity_authenticates(value):
    wire = Wire(replace(connection(), local_identity=value))

    wire.establish()

    assert wire.up()


CREDENTIALS = {"psk": Psk(b"one"), "another psk": Psk(b"two"), "null": Null()}


@pytest.mark.parametrize("right", CREDENTIALS)
@pytest.mark.parametrize("left", CREDENTIALS)
def test_each_side_has_a_method_of_its_own(left, right):
    described = replace(
        connection(),
        local_credential=CREDENTIALS[left],
        remote_credential=CREDENTIALS[right],
    )
    wire = Wire(described)

    wire.establish()

    assert wire.up()
    assert wire.echoes(LEFT)
    assert wire.echoes(RIGHT)


@pytest.mark.parametrize("has", CREDENTIALS)
@pytest.mark.parametrize("expected", CREDENTIALS)
@pytest.mark.parametrize("side", [LEFT, RIGHT], ids=["initiator", "responder"])
def test_another_credential_than_the_expected_is_refused(has, expected, side):
    described = replace(
        connection(),
        local_credential=CREDENTIALS[expected],
        remote_credential=CREDENTIALS[expected],
    )
    other = CREDENTIALS[has]
    left = replace(described, local_credential=other) if side == LEFT else described
    right = described.mirrored()
    wire = Wire(left, right=replace(right, local_credential=other) if side == RIGHT else right)

    wire.establish()

    assert wire.up() is (has == expected)
    if has != expected:
        assert wire.left.sessions == wire.right.sessions == []
