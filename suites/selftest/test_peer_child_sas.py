"""The scripted peer's Child SAs and successors: key exchanges, several of them, both roles."""

from __future__ import annotations

import random
from dataclasses import replace
from ipaddress import ip_network

import pytest

from peers.peer import Peer
from peers.reference.connection import ChildPolicy
from peers.reference.errors import ScriptError
from peers.reference.negotiation import esp_proposal
from peers.reference.numbers import ExchangeType, KeyExchangeMethod, NotifyType, ProtocolId
from peers.reference.payloads import KE, SA, Delete
from suites import terms
from suites.selftest.test_peer import Bench

PFS = (esp_proposal(terms.AES_GCM_256, terms.CURVE25519, terms.ECP_256),)
ECP_ONLY = (esp_proposal(terms.AES_GCM_256, terms.ECP_256),)
SECOND = ChildPolicy(
    "second", terms.DEFAULT.esp, (ip_network("10.65.0.0/24"),), (ip_network("10.129.1.0/24"),)
)


def bench_with(target=(), **ours):
    """Give a bench whose sides have these settings, those of the target differing further."""
    bench = Bench()
    described = replace(bench.connection, **ours)
    bench.connection = replace(described, **dict(target))
    bench.target.configure(bench.connection)
    bench.peer = Peer(bench.line, described.mirrored(), random.Random("peer").randbytes)
    bench.peer.establish()
    return bench


@pytest.fixture
def pfs():
    return bench_with(esp_proposals=PFS)


def replace_child(peer, request):
    """Carry out a request of ours that replaces a Child SA, and close the old one."""
    old = peer.child
    peer.take_up_child(request, peer.exchange(request))
    peer.close_child(old)


@pytest.mark.parametrize(
    ("target", "group"),
    [(PFS, KeyExchangeMethod.CURVE25519), (ECP_ONLY, KeyExchangeMethod.ECP_256)],
)
def test_a_rekey_of_ours_has_a_key_exchange(target, group):
    bench = bench_with({"esp_proposals": target}, esp_proposals=PFS)
    request = bench.peer.rekey_child_sa(group=group)

    assert request.get(KE).group == group
    replace_child(bench.peer, request)
    assert bench.peer.echo()
    assert len(bench.endpoint.sessions[0].sa.children) == 1


def test_the_targets_rekey_is_granted_with_a_key_exchange(pfs):
    old = pfs.peer.child
    pfs.target.rekey_child(pfs.connection)
    request = pfs.peer.hear_request(ExchangeType.CREATE_CHILD_SA)

    response = pfs.peer.grant_child(request)
    pfs.peer.answer(request, response)

    assert response.get(KE).group == request.get(KE).group
    assert pfs.peer.echo()
    assert old not in pfs.peer.ike.children, "the target's Delete was not obeyed"


def test_another_group_of_the_targets_is_refused_and_asked_for():
    bench = bench_with({"esp_proposals": PFS}, esp_proposals=ECP_ONLY)
    bench.target.rekey_child(bench.connection)
    request = bench.peer.hear_request(ExchangeType.CREATE_CHILD_SA)

    refusal = bench.peer.grant_child(request)
    bench.peer.answer(request, refusal)
    retry = bench.peer.hear_request(ExchangeType.CREATE_CHILD_SA)
    bench.peer.answer(retry, bench.peer.grant_child(retry))

    assert refusal.notify(NotifyType.INVALID_KE_PAYLOAD).data == b"\x00\x13"
    assert not refusal.has(SA)
    assert retry.get(KE).group == KeyExchangeMethod.ECP_256
    assert bench.peer.echo()


def test_a_key_exchange_can_be_left_out(pfs):
    request = pfs.peer.create_child_sa(group=KeyExchangeMethod.NONE)

    assert not request.has(KE)
    assert NotifyType.INVALID_KE_PAYLOAD in pfs.peer.exchange(request).notifies


def test_each_of_several_child_sas_carries_its_traffic():
    bench = bench_with(more=(SECOND,))
    peer, first = bench.peer, bench.peer.child
    request = peer.create_child_sa(name="second")
    second = peer.take_up_child(request, peer.exchange(request), "second")

    assert peer.child is second
    assert peer.heard_echo().child is second
    with peer.using(first):
        assert peer.heard_echo().child is first
    replace_child(peer, peer.rekey_child_sa())
    assert peer.child.name == "second"
    assert peer.echo()


def test_the_targets_second_child_sa_is_granted_by_its_own_policy():
    bench = bench_with(more=(SECOND,))
    now = bench.line.now()
    bench.line.deliver(bench.endpoint.create_child(bench.connection, now, "second"))
    request = bench.peer.hear_request(ExchangeType.CREATE_CHILD_SA)

    bench.peer.answer(request, bench.peer.grant_child(request))

    assert bench.peer.child.name == "second"
    assert bench.peer.echo()


def test_an_unknown_policy_is_our_error(pfs):
    with pytest.raises(ScriptError, match="other"):
        pfs.peer.create_child_sa(name="other")


def test_the_old_ike_sa_answers_its_delete_after_the_targets_rekey(pfs):
    old = pfs.peer.ike
    pfs.target.rekey_ike(pfs.connection)
    pfs.peer.grant_ike(pfs.peer.hear_request(ExchangeType.CREATE_CHILD_SA))

    deletion = pfs.peer.hear_request(ExchangeType.INFORMATIONAL)
    assert deletion.all(Delete) == (Delete(ProtocolId.IKE),)
    assert deletion.spi_i == old.spi_i
    pfs.peer.answer(deletion, pfs.peer.reply(deletion))
    pfs.peer.exchange(pfs.peer.informational())

    assert len(pfs.endpoint.sessions) == 1
    assert pfs.peer.echo()


def test_what_nobody_waits_for_on_the_old_ike_sa_is_answered(pfs):
    pfs.target.rekey_ike(pfs.connection)
    pfs.peer.grant_ike(pfs.peer.hear_request(ExchangeType.CREATE_CHILD_SA))

    pfs.peer.exchange(pfs.peer.informational())

    assert len(pfs.endpoint.sessions) == 1, "the Delete of the old IKE SA was not answered"


def test_a_request_that_the_script_withholds_its_answer_to_is_left_alone(pfs):
    pfs.target.rekey_child(pfs.connection)
    request = pfs.peer.hear_request(ExchangeType.CREATE_CHILD_SA)
    asked = pfs.line.heard[-1]
    pfs.line.receive(set(), pfs.line.now() + 1.5)
    pfs.peer.exchange(pfs.peer.informational())
    assert pfs.line.heard.count(asked) == 2, "the target has not retransmitted"

    pfs.peer.answer(request, pfs.peer.grant_child(request))

    assert pfs.peer.echo()
    assert pfs.endpoint.sessions[0].outstanding == {}


def test_successors_of_both_sides_are_settled_by_the_script(pfs):
    old = pfs.peer.ike
    pfs.target.rekey_ike(pfs.connection)
    theirs_request = pfs.peer.hear_request(ExchangeType.CREATE_CHILD_SA)
    ours, request = pfs.peer.rekey_ike()
    pfs.peer.agree_ike(ours, request, pfs.peer.exchange(request))
    theirs, _ = pfs.peer.answer_ike(theirs_request)

    assert pfs.peer.ike is old
    lost = min(ours.nonces()) < min(theirs.nonces())
    heir, redundant = (theirs, ours) if lost else (ours, theirs)
    pfs.peer.follow_ike(heir)
    for each, by_us in ((redundant, redundant is ours), (old, heir is ours)):
        if by_us:
            deletion = each.request(ExchangeType.INFORMATIONAL, Delete(ProtocolId.IKE))
            pfs.peer.exchange_on(each, deletion)
    pfs.peer.exchange(pfs.peer.informational())

    assert [session.sa.spi_i for session in pfs.endpoint.sessions] == [heir.spi_i]
    assert pfs.peer.echo()
