"""The rules about messages: each has a fault in the suite; here is what they must let pass."""

from dataclasses import replace

import pytest

from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import Nonce, Notify
from peers.reference.rules import RULES, seen_in
from suites.rfc7296 import test_every_message as suite
from suites.selftest.test_peer import Bench


@pytest.fixture
def bench():
    return Bench()


def _complaints(peer, row):
    return [each.what for each in RULES[row].complaints(seen_in(peer.events))]


def test_every_rule_is_judged_in_a_role():
    assert set(RULES) == set(suite.RESPONDER) | set(suite.INITIATOR)


@pytest.mark.parametrize("row", RULES)
def test_nobody_complains_of_our_own_target(bench, row):
    suite._lead(bench.peer)

    assert not _complaints(bench.peer, row)


@pytest.mark.parametrize("row", RULES)
def test_nobody_complains_of_messages_of_ours(bench, row):
    request = bench.peer.ike_sa_init()
    bench.peer.say(replace(request, minor=7, reserved_flags=0x40) + Nonce(b""))

    assert not _complaints(bench.peer, row)


def test_the_nonce_of_a_refused_request_may_be_used_again(bench):
    peer = bench.peer
    bench.target.configure(bench.connection)
    bench.target.initiate(bench.connection)
    peer.accept()
    kept = Nonce(bytes(32))
    bench.endpoint.decide.edit = lambda message: (
        message.replacing(kept)
        if message.exchange == ExchangeType.CREATE_CHILD_SA and not message.response
        else message
    )
    for refused in (True, False):
        bench.target.rekey_child(bench.connection)
        request = peer.hear_request(ExchangeType.CREATE_CHILD_SA)
        answer = peer.reply(request, Notify(NotifyType.NO_ADDITIONAL_SAS))
        peer.answer(request, answer if refused else peer.grant_child(request))
        assert not _complaints(peer, "rfc7296-2.10-nonce-fresh")

    bench.target.rekey_child(bench.connection)
    peer.hear_request(ExchangeType.CREATE_CHILD_SA)

    assert _complaints(peer, "rfc7296-2.10-nonce-fresh") == ["a nonce that was used before"]
