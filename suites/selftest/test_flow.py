"""Faults of the way: what arrives, in which order, and what an exchange makes of it."""

from ipaddress import ip_address

import pytest

from peers.flow import Doubled, FaultyLink, Late, Lost, Replayed
from peers.reference.errors import NoAnswer
from peers.reference.events import Carrier, Endpoint, Packet
from suites.selftest.test_peer import Bench

HERE, THERE = Endpoint(ip_address("198.18.32.1"), 500), Endpoint(ip_address("198.18.0.20"), 500)


class Loop:
    """A link on which whatever is sent comes back."""

    def __init__(self):
        self.packets = []

    def now(self):
        return 0.0

    def send(self, packet):
        self.packets.append(packet)

    def receive(self, addresses, deadline):
        return self.packets.pop(0) if self.packets else None

    def close(self):
        self.packets.clear()


def arriving(fault, count=4):
    """Send that many packets through a link with one fault; give the numbers that come back."""
    link = FaultyLink(Loop(), [fault])
    for number in range(count):
        link.send(Packet(Carrier.UDP, HERE, THERE, bytes([number])))
    heard = []
    while (packet := link.receive({HERE.address}, 0.0)) is not None:
        heard.append(packet.octets[0])
    return heard


CASES = [
    (Lost(1), [0, 2, 3]),
    (Lost(), []),
    (Doubled(0), [0, 0, 1, 2, 3]),
    (Doubled(), [0, 0, 1, 1, 2, 2, 3, 3]),
    (Late(0), [1, 0, 2, 3]),
    (Late(1, by=2), [0, 2, 3, 1]),
    (Late(3), [0, 1, 2]),
    (Late(), [0, 1, 2]),
    (Replayed(2), [0, 1, 2, 0, 1, 3]),
    (Replayed(0), [0, 1, 2, 3]),
]


@pytest.mark.parametrize(("fault", "order"), CASES, ids=str)
@pytest.mark.parametrize("sent", [True, False], ids=["sent", "heard"])
def test_what_arrives(fault, order, sent):
    assert arriving(type(fault)(**{**_values(fault), "sent": sent})) == order


def _values(fault):
    return {name: getattr(fault, name) for name in fault.__dataclass_fields__}


def test_a_packet_that_no_fault_names_goes_on_as_it_is():
    assert arriving(Lost(99)) == [0, 1, 2, 3]


def test_an_exchange_survives_a_lost_request_and_a_lost_response():
    for fault in (Lost(0), Lost(0, sent=False)):
        peer = Bench().peer
        peer.establish()
        peer.disturb(fault)

        assert peer.exchange(peer.informational()).response, fault


def test_an_exchange_whose_every_request_is_lost_is_no_finding_of_silence():
    peer = Bench().peer
    peer.establish()
    peer.disturb(Lost(0), Lost(1), Lost(2))

    with pytest.raises(NoAnswer):
        peer.exchange(peer.informational())


def test_the_evidence_says_what_was_disturbed():
    peer = Bench().peer
    peer.disturb(Late(3, by=2), Doubled(sent=False))

    assert peer.events[-1].text == "packet 3 sent is late; every packet heard is doubled"
