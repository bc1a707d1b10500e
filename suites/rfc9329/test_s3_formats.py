"""RFC 9329, 2 to 5: what a stream holds. The target is the TCP Responder."""

import pytest

from peers.reference.events import Carrier, Transmission
from peers.reference.numbers import NotifyType
from peers.reference.stream import LENGTH_SIZE, framed
from peers.targets.base import Capability
from suites.judge import differs, needs, requirement, turned_red_by, twin_of
from suites.terms import FAMILIES

pytestmark = needs(Capability.TCP)

GRACE = 5.0
"""Seconds within which a connection that is of no use is closed."""


def _strays(peer):
    """List what the target sent otherwise than over TCP."""
    heard = (each for each in peer.events if isinstance(each, Transmission) and not each.sent)
    return [each.packet for each in heard if each.packet.carrier is not Carrier.TCP]


@FAMILIES
@requirement(
    "rfc9329-2-port-4500",
    "rfc9329-3.1-framing",
    "rfc9329-4-prefix-by-originator-only",
    "rfc9329-5-all-over-tcp",
    "rfc9329-3.2-spi-not-zero",
)
@turned_red_by(
    "takes-no-connections",
    "answers-with-a-prefix",
    "sends-plain-esp-beside-tcp",
    "sends-esp-of-spi-zero",
)
def test_ike_and_esp_go_over_tcp(peer):
    """
    peer                                        target
    TCP SYN (port 4500)                 -->
                                        <--     TCP SYN, ACK
    IKETCP | Length | 0 | HDR, SAi1, KEi, Ni -->
                                        <--     Length | 0 | HDR, SAr1, KEr, Nr
    Length | 0 | HDR, SK {IDi, ..}      -->
                                        <--     Length | 0 | HDR, SK {IDr, ..}
    Length | ESP {echo request}         -->
                                        <--     Length | ESP {echo reply}
    PREVENTS: a tunnel that is up where UDP is blocked, and carries nothing.
    """
    peer.connect()
    peer.establish()

    assert peer.echo(), "the Child SA carries no traffic"
    assert _strays(peer) == [], "not all of it goes over TCP"


@requirement("rfc9329-5-all-over-tcp")
@turned_red_by("sends-plain-esp-beside-tcp")
def test_rekeyed_sas_stay_in_the_stream(peer):
    """
    peer                                        target
    (IKE SA over TCP)
    Length | 0 | HDR, SK {N(REKEY_SA), ..} -->
    Length | 0 | HDR, SK {SA, Ni, KEi}  -->
    Length | ESP {echo request}         -->
                                        <--     Length | ESP {echo reply}
    """
    peer.connect()
    peer.establish()
    request = peer.rekey_child_sa()
    peer.take_up_child(request, peer.exchange(request))
    assert peer.echo(), "the rekeyed Child SA carries no traffic"
    new, request = peer.rekey_ike()
    peer.take_up_ike(new, request, peer.exchange(request))

    assert peer.echo(), "no traffic after a rekey of the IKE SA"
    assert _strays(peer) == [], "not all of it goes over TCP"


@requirement("rfc9329-3-empty-message-ignored")
@turned_red_by("closes-on-empty-message")
def test_empty_message_is_ignored(peer):
    """
    peer                                        target
    Length(2)                           -->
                                                nothing
    Length | 0 | HDR, SK {} (fence)     -->
                                        <--     Length | 0 | HDR, SK {}
    """
    stream = peer.connect()
    peer.establish()
    peer.remark("Length 2, and nothing else")
    stream.write(framed(b""))

    assert peer.reactions_so_far() == [], "an empty message is answered"
    assert stream.is_open, "the connection is closed because of an empty message"


@pytest.mark.parametrize("length", [0, 1])
@requirement("rfc9329-3.1-length-below-2-closes")
@turned_red_by("lives-with-short-lengths")
def test_length_that_cannot_be_closes_the_connection(peer, length):
    """
    peer                                        target
    Length(0 or 1)                      -->
                                        <--     TCP FIN or RST
    PREVENTS: a stream that is read at the wrong places from now on.
    """
    stream = peer.connect()
    peer.establish()
    peer.remark(f"Length {length}")
    stream.write(length.to_bytes(LENGTH_SIZE, "big"))

    closed = peer.sees_closed(stream, GRACE)
    assert closed, f"the connection is still open {GRACE:g} s later, by a target that is alive"


@requirement("rfc9329-3-segments-are-no-messages")
@turned_red_by("takes-segments-for-messages")
def test_message_in_two_segments(peer):
    """
    peer                                        target
    Length | 0 | HDR, S                 -->
    K {}                                -->
                                        <--     Length | 0 | HDR, SK {}
    """
    stream = peer.connect()
    peer.establish()
    request = peer.informational()
    octets = peer.spelled(request)
    peer.remark("the first half of a liveness check")
    stream.write(octets[:40])
    # It is read by the time that this is answered, most likely: together they would show less.
    peer.fence()
    peer.remark("the second half")
    stream.write(octets[40:])

    assert peer.hears_response(request), "a message in two segments is not answered"
    peer.ike.next_request_id += 1
    assert peer.echo(), "the Child SA carries no more traffic"


@twin_of(test_message_in_two_segments)
@requirement("rfc9329-3-segments-are-no-messages")
@turned_red_by("takes-segments-for-messages")
def test_two_messages_in_one_segment(peer):
    """
    peer                                        target
    Length(3) | FF | Length | 0 | HDR, SK {} -->
                                        <--     Length | 0 | HDR, SK {}
    """
    stream = peer.connect()
    peer.establish()
    request = peer.informational()
    peer.remark("a NAT-keepalive and a liveness check in one segment")
    stream.write(framed(b"\xff") + peer.spelled(request))

    assert peer.hears_response(request), "the second message is not answered"


@requirement("rfc9329-6.5-nat-detection-of-tcp-ports")
@turned_red_by("hashes-udp-ports-over-tcp", "sends-no-nat-detection")
def test_nat_detection_is_about_tcp_ports(peer):
    """
    peer                                        target
    IKETCP | Length | 0 | HDR, SAi1, .. -->
                                        <--     .., N(NAT_DETECTION_SOURCE_IP), N(.._DESTINATION_IP)
    """
    peer.connect()
    request = peer.ike_sa_init()
    response = peer.exchange(request)
    if NotifyType.NAT_DETECTION_SOURCE_IP not in response.notifies:
        differs("no NAT detection over TCP")
    peer.agree(request, response)
    if peer.ike.nat.found:
        differs(f"NAT detection finds a NAT where none is: {peer.ike.nat}")
