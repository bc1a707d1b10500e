"""RFC 9329, 6.1 and 6.2: connections come and go, the IKE SA stays. The target takes them."""

import pytest

from peers.over_tcp import Stream
from peers.reference.faults import IcvCorrupted, PayloadLength
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import VendorID
from peers.reference.stream import STREAM_PREFIX
from peers.targets.base import Capability
from suites.judge import differs, needs, requirement, turned_red_by

pytestmark = needs(Capability.TCP)

UNKNOWN_SPI = bytes.fromhex("12345678")


def _goes_on(peer):
    """Say whether the IKE SA answers, and its Child SA carries traffic, over the current stream."""
    return peer.is_answered(peer.informational()) and peer.echo()


@pytest.mark.parametrize("size", range(1, len(STREAM_PREFIX)))
@requirement("rfc9329-6.1-whole-prefix-awaited")
@turned_red_by("wants-prefix-in-one-segment")
def test_prefix_in_two_segments(peer, size):
    """
    peer                                        target
    IKE                                 -->
    TCP | Length | 0 | HDR, SAi1, ..    -->
                                        <--     Length | 0 | HDR, SAr1, ..
    PREVENTS: a peer that gets in or not by how its TCP cuts what it writes.
    """
    stream = peer.connect(STREAM_PREFIX[:size])
    # It is read by the time that these are answered, most likely: together they would show less.
    peer.fence()
    peer.fence()
    stream.write(STREAM_PREFIX[size:])
    peer.establish()

    assert peer.echo(), "the Child SA carries no traffic"


@pytest.mark.parametrize("prefix", [b"", b"IKETCq", b"iketcp"], ids=["none", "wrong", "lower-case"])
@requirement("rfc9329-6.1-prefix-on-new-connection")
@turned_red_by("takes-any-prefix")
def test_connection_without_the_prefix_is_not_used(peer, prefix):
    """
    peer                                        target
    (IKE SA over TCP)
    TCP SYN                             -->
    (another prefix, or none) Length | 0 | HDR, SK {} -->
                                                no response
    """
    first = peer.connect()
    peer.establish()
    request = peer.informational()
    octets = peer.spelled(request)
    second = peer.connect(prefix)
    second.write(octets)

    assert not peer.hears_response(request), "a stream without the prefix is taken"
    first.write(octets)
    assert peer.hears_response(request), "the IKE SA is gone"


@pytest.mark.parametrize("end", [Stream.hang_up, Stream.reset], ids=["fin", "rst"])
@requirement("rfc9329-6.1-ike-sa-outlives-connection")
@turned_red_by("closes-ike-sa-with-connection")
def test_ike_sa_goes_on_over_another_connection(peer, end):
    """
    peer                                        target
    (IKE SA over TCP)
    TCP FIN, or RST                     -->
    TCP SYN                             -->
    IKETCP | Length | 0 | HDR, SK {}    -->
                                        <--     Length | 0 | HDR, SK {}
    Length | ESP {echo request}         -->
                                        <--     Length | ESP {echo reply}
    PREVENTS: a tunnel that a middlebox ends by dropping its state.
    """
    first = peer.connect()
    peer.establish()
    end(first)
    peer.go_over(peer.connect())

    if not _goes_on(peer):
        differs("the IKE SA does not go on over another connection")


@requirement("rfc9329-1.2-originator-stays")
@turned_red_by("opens-connection-for-rekeyed-ike-sa")
def test_who_rekeys_does_not_become_the_originator(peer, target):
    """
    peer                                        target
    (IKE SA over TCP)
                                        <--     Length | 0 | HDR, SK {SA, Ni, KEi}
    Length | 0 | HDR, SK {SA, Nr, KEr}  -->
                                        <--     Length | 0 | HDR(new IKE SA), SK {N(REKEY_SA), ..}
                                                (over the same connection)
    PREVENTS: a gateway that tries to reach a client behind a NAT.
    """
    stream = peer.connect()
    peer.establish()
    peer.listen()
    target.rekey_ike()
    peer.grant_ike(peer.hear_request(ExchangeType.CREATE_CHILD_SA))
    peer.settle()
    target.rekey_child()
    request = peer.hear_request_octets(ExchangeType.CREATE_CHILD_SA)

    opened = [str(each.ends[1]) for each in peer.streams() if each.ends != stream.ends]
    assert not opened, f"the target has opened a connection: {', '.join(opened)}"
    assert request.packet.destination == stream.ends[0], "not over the connection that there is"


@requirement("rfc9329-6.1-partial-message-discarded")
@turned_red_by("keeps-partial-messages", "closes-ike-sa-with-connection")
def test_partial_message_is_discarded_with_its_connection(peer, administrative):
    """
    peer                                        target
    (IKE SA over a first connection)
    second: Length | 0 | HDR, SK {}     -->
                            second:     <--     Length | 0 | HDR, SK {}
    second: Length | 0 | HDR, S         -->
    second: TCP FIN                     -->
    third: Length | 0 | HDR, SK {}      -->
                            third:      <--     Length | 0 | HDR, SK {}
    """
    peer.connect()
    peer.establish()
    second = peer.connect()
    peer.go_over(second)
    if not (peer.is_answered(peer.informational()) and second.is_open):
        administrative("no IKE SA goes on over another connection, whatever came before")
        return
    request = peer.informational()
    peer.remark("half a message, and the end of its connection")
    second.write(peer.spelled(request)[:40])
    second.hang_up()
    peer.go_over(peer.connect())

    assert peer.is_answered(request), "a message behind a broken one is not taken"


@pytest.mark.parametrize("address", [0, 1], ids=["own-address", "another-address"])
@requirement(
    "rfc9329-6.1-new-source-taken",
    "rfc9329-6.1-newest-connection-used",
    "rfc9329-6.1-old-connection-read",
)
@turned_red_by("stays-on-first-connection", "forgets-older-connections")
def test_target_writes_where_it_was_spoken_to_last(peer, station, address):
    """
    peer                                        target
    (IKE SA over a first connection)
    second: Length | 0 | HDR, SK {}     -->
                            second:     <--     Length | 0 | HDR, SK {}
    second: Length | ESP {echo request} -->
                            second:     <--     Length | ESP {echo reply}
    first: Length | 0 | HDR, SK {}      -->
                            first:      <--     Length | 0 | HDR, SK {}
    """
    first = peer.connect()
    peer.establish()
    second = peer.connect(address=station.addresses.of(4)[address])
    for which, stream in (("second", second), ("first", first)):
        peer.go_over(stream)
        answer = peer.exchange_heard(peer.informational()).packet
        reply = peer.heard_echo().packet
        for packet in (answer, reply):
            if packet.destination != stream.ends[0]:
                differs(f"asked over the {which} connection, it answers at {packet.destination}")


FORGED = pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda peer: peer.say(peer.informational().with_fault(IcvCorrupted())),
                     id="forged"),
        pytest.param(lambda peer: peer.say_esp(UNKNOWN_SPI + peer.seal(peer.echo_request())[4:]),
                     id="unknown-spi"),
        pytest.param(lambda peer: peer.say_esp(peer.seal(peer.echo_request(), sequence=1)),
                     id="replayed-esp"),
    ],
)  # fmt: skip
"""What is of an IKE SA at first sight, and says nothing of where its peer is."""


@FORGED
@requirement("rfc9329-6.1-newest-connection-used")
@turned_red_by("follows-anybody-over-tcp")
def test_connection_that_says_nothing_valid_is_not_written_to(peer, target, write):
    """
    peer                                        target
    (IKE SA over a first connection, ESP with number 1 received)
    second: Length | (forged, unknown or replayed) -->
                                                nothing
                            first:      <--     Length | ESP {echo request of the target}
    PREVENTS: traffic that goes to whoever has seen an SPI.
    """
    first = peer.connect()
    peer.establish()
    assert peer.echo(), "the Child SA carries no traffic"
    peer.go_over(peer.connect())
    write(peer)
    peer.fence()
    target.echo()

    at = peer.hear_esp().packet.destination
    if at != first.ends[0]:
        differs(f"the target writes to {at}, where nothing valid came from")


@requirement("rfc9329-6.1-invalid-syntax-over-tcp")
@turned_red_by("is-silent-on-malformed-requests", "acknowledges-malformed-requests")
def test_syntax_error_is_answered_over_tcp(peer):
    """
    peer                                        target
    Length | 0 | HDR, SK {(a payload that ends beyond the message)} -->
                                        <--     Length | 0 | HDR, SK {N(INVALID_SYNTAX)}
    """
    peer.connect()
    peer.establish()
    last = VendorID(b"ikeproof")
    request = peer.informational(last).with_fault(PayloadLength(of=VendorID, to=0xFFFF))
    response = peer.exchange(request)

    assert NotifyType.INVALID_SYNTAX in response.notifies, f"no INVALID_SYNTAX: {response}"


@requirement("rfc9329-6.1-unknown-spis-tolerated")
@turned_red_by("closes-on-unknown-spi")
def test_few_packets_with_unknown_spis_close_nothing(peer):
    """
    peer                                        target
    Length | ESP (SPI 12345678)         -->     (three of them)
                                                nothing
    Length | 0 | HDR, SK {} (fence)     -->
                                        <--     Length | 0 | HDR, SK {}
    """
    stream = peer.connect()
    peer.establish()
    sealed = peer.seal(peer.echo_request())
    for _ in range(3):
        peer.say_esp(UNKNOWN_SPI + sealed[4:], "SPI that nobody has")

    answered = peer.is_answered(peer.informational()) if stream.is_open else False
    if not (answered and stream.is_open):
        differs("the connection is closed because of three unknown SPIs")


@requirement("rfc9329-6.2-response-repeated")
@turned_red_by("answers-nothing-a-second-time")
def test_repeated_request_is_answered_again(peer):
    """
    peer                                        target
    Length | 0 | HDR(ID n), SK {}       -->
                                        <--     Length | 0 | HDR(ID n), SK {}
    the same octets                     -->
                                        <--     the same octets
    PREVENTS: an initiator that asks again, as it may, and is not heard.
    """
    peer.connect()
    peer.establish()
    request = peer.informational()
    octets = peer.ike.encode(request)
    peer.say_octets(octets, request)
    assert peer.hears_response(request), "a liveness check is not answered"

    peer.repeated_response(request, octets)


@requirement("rfc9329-6.6-keepalive-dropped")
@turned_red_by("closes-on-keepalive", "hangs-up-on-keepalive")
def test_keepalive_over_tcp_is_dropped(peer):
    """
    peer                                        target
    Length(3) | FF                      -->
                                                nothing
    Length | 0 | HDR, SK {} (fence)     -->
                                        <--     Length | 0 | HDR, SK {}
    """
    stream = peer.connect()
    peer.establish()
    peer.say_keepalive()

    assert peer.reactions_so_far() == [], "a keepalive is answered"
    assert stream.is_open, "the connection is closed because of a keepalive"
    assert peer.echo(), "the Child SA carries no more traffic"
