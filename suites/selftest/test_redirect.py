"""Redirects: the notifies, and two endpoints of which one sends the other away (RFC 5685)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from peers.reference import redirect
from peers.reference.decisions import Decisions
from peers.reference.errors import PeerError, ScriptError
from peers.reference.message import Message
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import Nonce, Notify
from peers.reference.redirect import Gateway
from peers.targets.libreswan_config import ipsec_conf
from peers.targets.strongswan_config import connection_section
from suites.selftest.test_peer import Bench
from suites.selftest.wires import Wire, connection

THERE = {4: ip_address("192.0.2.200"), 6: ip_address("2001:db8::200")}
FAMILIES = pytest.mark.parametrize("family", [4, 6], ids=["ipv4", "ipv6"])


@FAMILIES
@pytest.mark.parametrize("nonce", [b"", bytes(range(32))], ids=["no-nonce", "nonce"])
def test_a_gateway_round_trip(family, nonce):
    said = redirect.redirect(THERE[family], nonce)

    assert redirect.gateway(said) == Gateway(THERE[family], "", nonce)
    assert said.data[:2] == (b"\x01\x04" if family == 4 else b"\x02\x10")


def test_a_gateway_by_name_is_read():
    notify = Notify(NotifyType.REDIRECT, b"\x03\x07gw.test" + bytes(16))

    assert redirect.gateway(notify) == Gateway(None, "gw.test", bytes(16))


BROKEN = [
    b"",
    b"\x01",
    b"\x01\x04\xc0\0\2",
    b"\x01\x03abc",
    b"\x02\x04abcd",
    b"\x04\x01a",
    b"\x03\2\xff\xff",
]
"""Cut, of a wrong size, of an unknown type, no name."""


@pytest.mark.parametrize("data", BROKEN, ids=bytes.hex)
def test_what_names_no_gateway_is_refused(data):
    with pytest.raises(PeerError):
        redirect.gateway(Notify(NotifyType.REDIRECT, data))


@FAMILIES
@pytest.mark.parametrize("size", range(18))
def test_a_cut_gateway_is_refused(family, size):
    whole = redirect.redirect(THERE[family]).data
    if size < len(whole):
        with pytest.raises(PeerError):
            redirect.gateway(Notify(NotifyType.REDIRECT, whole[:size]))


class InTheFirstAnswer(Decisions):
    """Redirects whoever asks for an IKE SA, for a test: to ``to``, with that nonce."""

    def __init__(self, to, nonce=None):
        self.to, self.nonce, self.heard = to, nonce, None

    def read(self, octets):
        self.heard = Message.decode(octets)
        return super().read(octets)

    def edit(self, message):
        if message.exchange != ExchangeType.IKE_SA_INIT or not message.response:
            return message
        nonce = self.heard.get(Nonce).data if self.nonce is None else self.nonce
        sent = redirect.redirect(self.to, nonce)
        return replace(message, payloads=(sent,), spi_r=bytes(8), protected=False)


def wire(left=None, right=None, **more):
    described = replace(connection(), **(left or {"follows_redirects": True}))
    return Wire(described, right=replace(described.mirrored(), **(right or {})), **more)


def first_requests(carried):
    sent = [p for p in carried.sent if p.source.address == carried.left_connection.local]
    messages = [(p, Message.decode(p.octets)) for p in sent if p.destination.port == 500]
    return [(p, m) for p, m in messages if m.exchange == ExchangeType.IKE_SA_INIT]


def test_an_initiator_goes_where_it_is_sent_and_says_by_whom():
    carried = wire(decisions=(None, InTheFirstAnswer(THERE[4])))
    carried.at = lambda packet: (
        carried.left
        if packet.destination.address == carried.left_connection.local
        else carried.right
    )
    carried.meddler = lambda number, packet: [packet] if number < 2 else []

    carried.establish()

    (_, first), (packet, second) = first_requests(carried)
    assert NotifyType.REDIRECT_SUPPORTED in first.notifies
    assert packet.destination.address == THERE[4]
    origin = second.find_notify(NotifyType.REDIRECTED_FROM)
    assert redirect.gateway(origin).address == carried.left_connection.remote
    assert len(carried.left.sessions) == 1


@pytest.mark.parametrize("nonce", [b"", bytes(32)], ids=["none", "another"])
def test_a_redirect_with_another_nonce_is_dropped(nonce):
    carried = wire(decisions=(None, InTheFirstAnswer(THERE[4], nonce)))

    carried.establish()

    assert len(first_requests(carried)) == 1
    assert any("has not our nonce" in reason for reason in carried.left.drops)
    assert carried.left.sessions[0].outstanding, "it goes on waiting"


def test_a_loop_ends_and_later_on_redirects_are_followed_again():
    carried = wire(decisions=(None, InTheFirstAnswer(connection().remote)))

    carried.establish()

    assert len(first_requests(carried)) == 1 + redirect.MAX_REDIRECTS
    assert not carried.left.sessions
    carried.now += redirect.LOOP_PERIOD + 1
    carried.establish()
    assert len(first_requests(carried)) == 2 * (1 + redirect.MAX_REDIRECTS)


def test_who_does_not_follow_is_not_redirected():
    carried = wire({"follows_redirects": False}, {"redirects_to": THERE[4]})

    carried.establish()

    assert carried.up()
    assert carried.echoes()


def test_a_responder_redirects_in_ike_auth_and_is_left():
    carried = wire(right={"redirects_to": THERE[4]})
    carried.meddler = lambda number, packet: (
        [] if packet.destination.address == THERE[4] else [packet]
    )

    carried.establish()

    assert [p.destination.address for p, _ in first_requests(carried)][1] == THERE[4]
    assert not carried.right.sessions
    assert [s.sa.remote.address for s in carried.left.sessions] == [THERE[4]]


@pytest.mark.parametrize("follows", [False, True])
@pytest.mark.parametrize(
    "data", [*BROKEN, redirect.redirect(THERE[4], bytes(16)).data], ids=bytes.hex
)
def test_a_broken_redirect_in_a_session_is_a_syntax_error_or_nothing(follows, data):
    bench = Bench()
    bench.peer.establish()
    for session in bench.endpoint.sessions:
        session.sa.connection = replace(session.sa.connection, follows_redirects=follows)
        session.sa.original_initiator = True
    bench.peer.exchange(bench.peer.informational())

    response = bench.peer.exchange(bench.peer.informational(Notify(NotifyType.REDIRECT, data)))

    assert (NotifyType.INVALID_SYNTAX in response.notifies) is follows
    assert bench.peer.echo() is not follows, "INVALID_SYNTAX ends an IKE SA (RFC 7296, 2.21.3)"


def test_adapters_say_what_they_can():
    described = connection()
    assert "redirect" not in ipsec_conf(described)
    assert "accept-redirect=yes" in ipsec_conf(replace(described, follows_redirects=True))
    assert "redirect-to=192.0.2.200" in ipsec_conf(replace(described, redirects_to=THERE[4]))
    with pytest.raises(ScriptError, match="plugin"):
        connection_section(replace(described, redirects_to=THERE[4]))
