"""What daemons and kernels print about their state, as they printed it."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from peers.reference.connection import Mode
from peers.targets.kernel import parse_counters
from peers.targets.libreswan_status import ike_sas, parse_states
from suites.selftest.lab_connections import CONNECTION

HERE = replace(CONNECTION, name="c1", local=ip_address("198.18.0.17"),
               remote=ip_address("198.18.0.16"))  # fmt: skip

ESTABLISHED = """\
#1: "c1"[1] 198.18.0.16:500 ESTABLISHED_IKE_SA (established IKE SA); EXPIRE in 28799s; newest; idle;
#2: "c1"[1] 198.18.0.16:500 ESTABLISHED_CHILD_SA (established Child SA); EXPIRE in 28799s; newest; \
eroute owner; IKE SA #1; idle;
#2: "c1"[1] 198.18.0.16 esp.ceae2770@198.18.0.16 esp.8d2a7af@198.18.0.17 tun.0@198.18.0.16 \
tun.0@198.18.0.17 Traffic: ESPin=0B ESPout=0B ESPmax=2^63B
"""

KERNEL = """\
src 198.18.0.17 dst 198.18.0.16
\tproto esp spi 0xceae2770(3467519856) reqid 16393(0x00004009) mode transport
\treplay-window 0 seq 0x00000000 flag af-unspec
\tlifetime current:
\t  84(bytes), 3(packets)
\t  add 2026-11-24 00:00:21 use -
\tstats:
\t  replay-window 0 replay 0 failed 0
src 198.18.0.16 dst 198.18.0.17
\tproto esp spi 0x08d2a7af(147498927) reqid 16393(0x00004009) mode transport
\treplay-window 32 seq 0x00000000 flag af-unspec
\tlifetime current:
\t  56(bytes), 2(packets)
\t  add 2026-11-24 00:00:20 use -
\tstats:
\t  replay-window 1 replay 2 failed 3
"""

OLDER = """\
000 #1: "c1"[1] 198.18.32.1:500 STATE_V2_PARENT_I1 (sent IKE_SA_INIT request); \
RETRANSMIT in 0s; idle;
000 #1: pending CHILD SA for "c1"[1] 198.18.32.1
"""


def test_an_established_sa_with_its_child():
    (ike,) = ike_sas(HERE, ESTABLISHED, KERNEL)
    (child,) = ike.children

    assert ike.established
    assert child.inbound_spi == bytes.fromhex("08d2a7af")
    assert child.outbound_spi == bytes.fromhex("ceae2770")
    assert child.mode is Mode.TRANSPORT
    assert (child.packets_in, child.packets_out) == (2, 3)


def test_another_connections_sas_are_not_listed():
    assert not ike_sas(replace(HERE, name="c2"), ESTABLISHED, KERNEL)


def test_a_half_open_sa_is_listed_and_not_established():
    (ike,) = ike_sas(HERE, OLDER, "")

    assert not ike.established
    assert not ike.children


@pytest.mark.parametrize(("text", "numbers"), [(ESTABLISHED, [1, 2]), (OLDER, [1]), ("", [])])
def test_states_of_old_and_new_releases(text, numbers):
    assert [each.number for each in parse_states(text)] == numbers


def test_counters_sum_what_states_dropped_and_not_what_they_are_configured_to():
    counters = parse_counters(f"XfrmInNoStates 4\nXfrmAcquireError 0\n{KERNEL}")

    assert counters["XfrmInNoStates"] == 4
    assert counters["state replay-window"] == 1
    assert counters["state replay"] == 2
    assert counters["state failed"] == 3
