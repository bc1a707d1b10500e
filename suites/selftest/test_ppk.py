"""Post-quantum preshared keys between two endpoints: RFC 8784, 3, Table 1, from both sides."""

from __future__ import annotations

from dataclasses import fields, replace
from hmac import digest

import pytest

from peers.reference.credentials import Null, Ppk
from peers.reference.keys import mix_ppk
from peers.reference.numbers import Prf
from suites.selftest.wires import LEFT, RIGHT, Wire, connection

ONE, TWO = Ppk(b"one", b"1" * 32), Ppk(b"two", b"2" * 32)
FALSE_ONE = Ppk(b"one", b"!" * 32)

# initiator: its PPKs, required; responder: its PPKs, required; established, with which PPK
OUTCOMES = [
    ((ONE,), False, (ONE,), False, True, ONE),
    ((ONE,), True, (ONE,), True, True, ONE),
    ((ONE,), True, (ONE,), False, True, ONE),
    ((ONE, TWO), False, (TWO, ONE), False, True, ONE),
    ((), False, (), False, True, None),
    # One side has none.
    ((ONE,), False, (), False, True, None),
    ((ONE,), True, (), False, False, None),
    ((), False, (ONE,), False, True, None),
    ((), False, (ONE,), True, False, None),
    # The responder does not know it.
    ((ONE,), False, (TWO,), False, True, None),
    ((ONE,), True, (TWO,), False, False, None),
    ((ONE,), False, (TWO,), True, False, None),
    # Two keys by one name.
    ((ONE,), False, (FALSE_ONE,), False, False, None),
]


@pytest.mark.parametrize(("left", "left_needs", "right", "right_needs", "up", "used"), OUTCOMES)
def test_what_becomes_of_it(left, left_needs, right, right_needs, up, used):
    wire = between((left, left_needs), (right, right_needs))

    wire.establish()

    assert wire.up() is up
    if not up:
        wire.wait()
        assert wire.left.sessions == wire.right.sessions == []
        return
    assert [session.sa.ppk for end in wire.both for session in end.sessions] == [used, used]
    assert wire.echoes(LEFT)
    assert wire.echoes(RIGHT)


def between(left, right, **more):
    described = replace(connection(), **more)
    ours, theirs = ({"ppks": ppks, "ppk_required": required} for ppks, required in (left, right))
    return Wire(replace(described, **ours), right=replace(described.mirrored(), **theirs))


def test_null_authentication_takes_the_ppk_as_required():
    null = {"local_credential": Null(), "remote_credential": Null()}

    known = between(((ONE,), False), ((ONE,), False), **null)
    unknown = between(((ONE,), False), ((TWO,), False), **null)
    known.establish()
    unknown.establish()

    assert known.up()
    assert not unknown.up()


def test_the_ppk_is_mixed_into_three_keys_by_one_iteration_of_prf_plus():
    wire = Wire()
    wire.establish()
    keys = wire.left.sessions[0].sa.established_keys()
    assert keys.prf is Prf.PRF_HMAC_SHA2_256

    mixed = mix_ppk(keys, ONE.secret)

    for field in fields(keys):
        before, after = getattr(keys, field.name), getattr(mixed, field.name)
        if field.name in ("sk_d", "sk_pi", "sk_pr"):
            assert after == digest(ONE.secret, before + b"\1", "sha256")
        else:
            assert after == before


def test_a_rekeyed_ike_sa_and_its_child_sas_work_without_mixing_again():
    wire = between(((ONE,), True), ((ONE,), True))
    wire.establish()

    wire.carry(wire.left.rekey_ike(wire.left_connection, wire.now))
    wire.wait(1.0)
    wire.carry(wire.right.create_child(wire.right_connection, wire.now, "c"))

    assert [session.sa.ppk for end in wire.both for session in end.sessions] == [None, None]
    assert wire.up()
    assert wire.echoes(LEFT)


def test_a_secret_is_not_printed():
    assert ONE.secret.decode() not in repr(ONE)
