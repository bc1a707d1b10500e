"""RFC 9329, 5 and 6: the target as TCP Originator. The peer is the TCP Responder."""

from dataclasses import replace

import pytest

from peers.reference.connection import Tcp
from peers.reference.errors import Inconclusive, NoAnswer
from peers.reference.events import Carrier, Transmission
from peers.reference.nat import Claim, detect
from peers.reference.numbers import ExchangeType, KeyExchangeMethod, NotifyType
from peers.reference.payloads import KE, Notify
from peers.targets.base import Capability
from suites.judge import as_responder, differs, requirement, turned_red_by, twin_of
from suites.observe import is_kept
from suites.terms import AES_GCM_256, CURVE25519, DEFAULT, ECP_256, Suite, arranged, configured, ike

OVER_TCP = arranged(lambda described: replace(described, tcp=Tcp.ONLY), Capability.TCP)
FALLS_BACK = arranged(lambda described: replace(described, tcp=Tcp.FALLBACK), Capability.TCP)
BOTH = configured(Suite((ike(AES_GCM_256, CURVE25519, ECP_256),), DEFAULT.esp))

FALLBACK_PATIENCE = 30.0
"""Seconds after which a target has given UDP up: its retransmissions are turned down to five."""

IDLE = 25.0
"""Seconds without traffic; over UDP a keepalive is due after 20 (RFC 3948, 4)."""

AT_ONCE = 2.0
"""Seconds for what nothing has to be waited for; the targets' retransmissions end after five."""

GLANCES = 40
"""A target gives a peer up within that many half seconds: its retransmissions are turned down."""

GRACE = 5.0
"""Seconds for what is to be done at once."""

INIT = ExchangeType.IKE_SA_INIT


def _accept(peer, target):
    """Let the target set up an IKE SA with a Child SA over TCP; give its connection."""
    peer.listen()
    target.initiate()
    peer.accept()
    peer.settle()
    return _stream(peer)


def _stream(peer):
    """Give the newest connection that the target has with us."""
    if not peer.streams():
        raise Inconclusive("the target has no connection with us")
    return peer.streams()[-1]


@OVER_TCP
@as_responder
@requirement("rfc9329-4-stream-begins-with-prefix", "rfc9329-5-all-over-tcp", "rfc9329-3.1-framing")
@turned_red_by("sends-no-prefix", "sends-plain-esp-beside-tcp")
def test_target_opens_a_stream(peer, target):
    """
    peer                                        target
                                        <--     TCP SYN (port 4500)
                                        <--     IKETCP | Length | 0 | HDR, SAi1, KEi, Ni
    Length | 0 | HDR, SAr1, KEr, Nr     -->
                                        <--     Length | 0 | HDR, SK {IDi, AUTH, SAi2, TSi, TSr}
    Length | 0 | HDR, SK {IDr, ..}      -->
                                        <--     Length | ESP {echo request}
    """
    _accept(peer, target)
    target.echo()
    peer.hear_esp()

    assert peer.echo(), "the Child SA carries no traffic"
    heard = (each for each in peer.events if isinstance(each, Transmission) and not each.sent)
    strays = [each.packet for each in heard if each.packet.carrier is not Carrier.TCP]
    assert strays == [], "not all of it goes over TCP"


@OVER_TCP
@as_responder
@requirement("rfc9329-6.1-one-connection-per-ike-sa")
@turned_red_by("opens-two-connections")
def test_target_has_one_connection(peer, target):
    """
    peer                                        target
    (IKE SA over TCP)
                                        <--     Length | 0 | HDR, SK {N(REKEY_SA), ..}
                                        <--     Length | 0 | HDR, SK {SA, Ni, KEi}
    Length | ESP {echo request}         -->
                                        <--     Length | ESP {echo reply}
    (all over one connection)
    """
    _accept(peer, target)
    target.rekey_ike()
    peer.grant_ike(peer.hear_request(ExchangeType.CREATE_CHILD_SA))
    peer.settle()
    target.rekey_child()
    request = peer.hear_request(ExchangeType.CREATE_CHILD_SA)
    peer.answer(request, peer.grant_child(request))

    if len(peer.streams()) > 1:
        differs(f"{len(peer.streams())} connections for one IKE SA")


@OVER_TCP
@as_responder
@requirement("rfc9329-6.5-nat-detection-of-tcp-ports")
@turned_red_by("sends-no-nat-detection")
def test_nat_detection_of_the_originator_is_about_tcp_ports(peer, target):
    """
    peer                                        target
                                        <--     IKETCP | Length | 0 | HDR, SAi1, KEi, Ni,
                                                N(NAT_DETECTION_SOURCE_IP), N(.._DESTINATION_IP)
    """
    peer.listen()
    target.initiate()
    request = peer.hear_request_octets(INIT)
    found = detect(request.message, request.packet.source, request.packet.destination)
    if not found.supported:
        differs("no NAT detection over TCP")
    if found.found:
        differs(f"NAT detection finds a NAT where none is: {found}")


@FALLS_BACK
@as_responder
@requirement("rfc9329-5.1-fallback-begins-anew", "rfc9329-5.1-udp-first")
@turned_red_by(
    "falls-back-with-the-same-spi",
    "keeps-nat-detection-of-first-request",
    "goes-over-tcp-at-once",
)
def test_fallback_begins_anew(peer, target):
    """
    peer                                        target
                                        <--     UDP {HDR(SPIi 1), SAi1, ..} (again and again)
                                        <--     TCP SYN (port 4500)
                                        <--     IKETCP | Length | 0 | HDR(SPIi 2), SAi1, ..
    """
    peer.listen()
    target.initiate()
    first = peer.hear_request_octets(INIT)
    if first.packet.carrier is not Carrier.UDP:
        differs("TCP is tried before UDP")
    peer.remark("UDP is not answered")
    second = peer.hear_over_tcp(INIT, FALLBACK_PATIENCE)
    if second is None:
        raise Inconclusive(f"no TCP within {FALLBACK_PATIENCE:g} s, so nothing can be said of it")

    assert second.message.spi_i != first.message.spi_i, "over TCP the initiator's SPI is the same"
    found = detect(second.message, second.packet.source, second.packet.destination)
    if found.supported:
        assert not found.found, "NAT detection is not computed anew for TCP"


@FALLS_BACK
@as_responder
@twin_of(test_fallback_begins_anew)
@requirement("rfc9329-9-udp-is-favoured")
@turned_red_by("goes-over-tcp-at-once")
def test_answered_udp_is_stayed_with(peer, target):
    """
    peer                                        target (may go over TCP)
                                        <--     UDP {HDR, SAi1, KEi, Ni}
    UDP {HDR, SAr1, KEr, Nr}            -->
                                        <--     UDP {HDR, SK {IDi, AUTH, SAi2, TSi, TSr}}
                                                no connection
    """
    peer.listen()
    target.initiate()
    peer.accept()
    peer.settle()

    assert peer.echo(), "the Child SA carries no traffic"
    assert peer.streams() == [], "a TCP connection although UDP is answered"


@OVER_TCP
@as_responder
@requirement("rfc9329-6.1-originator-connects-again", "rfc9329-4-stream-begins-with-prefix")
@turned_red_by("never-connects-again")
def test_originator_connects_again(peer, target):
    """
    peer                                        target
    TCP FIN                             -->
                                        <--     TCP SYN
                                        <--     IKETCP | Length | 0 | HDR, SK {..}
    PREVENTS: a tunnel that stays down after a middlebox has dropped its state.
    """
    _accept(peer, target).hang_up()
    target.echo()
    seen = peer.sees_connection(GRACE)
    assert seen, f"no new connection within {GRACE:g} s, though there is an echo request to send"
    if not peer.is_answered(peer.informational()):
        differs("the IKE SA does not go on over the new connection")


@OVER_TCP
@as_responder
@requirement("rfc9329-6.2-asked-again-over-new-connection")
@turned_red_by("asks-nothing-over-new-connection")
def test_unanswered_request_is_sent_over_the_new_connection(peer, target, administrative):
    """
    peer                                        target
                                        <--     Length | 0 | HDR(ID n), SK {N(REKEY_SA), ..}
    TCP FIN                             -->
                                        <--     TCP SYN
                                        <--     IKETCP | Length | 0 | HDR(ID n), SK {..}
    """
    stream = _accept(peer, target)
    target.rekey_child()
    request = peer.hear_request(ExchangeType.CREATE_CHILD_SA)
    stream.hang_up()
    again = peer.hears_again(request, GRACE)
    peer.fence()
    if not peer.streams():
        administrative(f"no new connection within {GRACE:g} s, over which it could be sent")
        return

    assert again, "the request is not sent over the new connection"


@OVER_TCP
@as_responder
@requirement("rfc9329-6.2-no-retransmission")
@turned_red_by("retransmits-over-tcp")
def test_request_is_not_retransmitted_over_tcp(peer, target):
    """
    peer                                        target
                                        <--     Length | 0 | HDR(ID n), SK {N(REKEY_SA), ..}
    (no answer)
                                                nothing
    """
    _accept(peer, target)
    target.rekey_child()
    request = peer.hear_request(ExchangeType.CREATE_CHILD_SA)

    again = peer.hears_again(request, GRACE)
    peer.fence()
    if again:
        differs("a request is sent again over TCP")


@OVER_TCP
@as_responder
@requirement("rfc9329-6.1-unused-connection-closed")
@turned_red_by("keeps-unused-connection")
def test_connection_of_a_deleted_ike_sa_is_closed(peer, target):
    """
    peer                                        target
                                        <--     Length | 0 | HDR, SK {D}
    Length | 0 | HDR, SK {}             -->
                                        <--     TCP FIN
    """
    stream = _accept(peer, target)
    target.delete_ike()
    request = peer.hear_request(ExchangeType.INFORMATIONAL)
    peer.answer(request, peer.reply(request))

    if not peer.sees_closed(stream, GRACE):
        differs(f"the connection is still open {GRACE:g} s after its IKE SA was deleted")


@BOTH
@OVER_TCP
@as_responder
@requirement("rfc7296-1.2-invalid-ke-retried")
@turned_red_by("retries-with-same-group")
def test_initiator_corrects_its_group_over_tcp(peer, target):
    """
    peer                                        target
                                        <--     IKETCP | Length | 0 | HDR, SAi1, KEi(one), Ni
    Length | 0 | HDR, N(INVALID_KE_PAYLOAD, the other) -->
                                        <--     Length | 0 | HDR, SAi1, KEi(the other), Ni
    PREVENTS: a tunnel that comes up over UDP and never over TCP.
    """
    peer.listen()
    target.initiate()
    request = peer.hear_request(INIT)
    first = request.get(KE).group == KeyExchangeMethod.CURVE25519
    other = KeyExchangeMethod.ECP_256 if first else KeyExchangeMethod.CURVE25519
    wanted = Notify(NotifyType.INVALID_KE_PAYLOAD, other.to_bytes(2, "big"))
    peer.answer(request, peer.refusal(request, wanted))
    retry = peer.hear_request(INIT)

    assert retry.get(KE).group == other, "the retry is not of the group that was asked for"
    peer.accept(retry)
    assert peer.echo(), "the Child SA carries no traffic"


@OVER_TCP
@as_responder
@requirement("rfc9329-6.4-no-waiting-after-an-error")
@turned_red_by("waits-after-an-error-over-tcp")
def test_initiator_does_not_wait_after_an_error(peer, target):
    """
    peer                                        target
                                        <--     IKETCP | Length | 0 | HDR, SAi1, KEi, Ni
    Length | 0 | HDR, N(NO_PROPOSAL_CHOSEN) -->
                                                no IKE SA that is half open
    """
    peer.listen()
    target.initiate()
    request = peer.hear_request(INIT)
    refused = Notify(NotifyType.NO_PROPOSAL_CHOSEN)
    peer.answer(request, peer.refusal(request, refused))
    peer.sees_closed(_stream(peer), AT_ONCE)

    # Libreswan tells no SPIs: each test has an address of its own.
    ours = [each for each in target.sas() if each.initiator_spi in (b"", request.spi_i)]
    if ours:
        differs(f"the IKE SA is half open still, {AT_ONCE:g} s after an error over TCP")


@pytest.mark.parametrize("claim", [Claim.THEIRS], ids=["target-natted"])
@OVER_TCP
@as_responder
@requirement("rfc9329-6.6-no-keepalives")
@turned_red_by("sends-keepalives-over-tcp")
def test_no_keepalives_are_sent_over_tcp(peer, target):
    """
    peer (its destination hash is wrong)        target (behind a NAT, as far as it knows)
    (nothing for 25 seconds)
                                                nothing
    """
    _accept(peer, target)
    try:
        peer.hear_keepalive(IDLE)
    except NoAnswer:
        return
    differs("a NAT-keepalive over TCP")


@pytest.mark.parametrize("liveness_delay", [1.0], ids=[""])
@OVER_TCP
@as_responder
@requirement("rfc9329-6.2-unanswered-request-ends-ike-sa")
@turned_red_by("keeps-ike-sa-of-dead-peer")
def test_tcp_that_is_alive_is_no_sign_of_life(peer, target):
    """
    peer                                        target (checks liveness after a second)
                                        <--     Length | 0 | HDR(ID n), SK {}
    TCP ACK                             -->
                                                no IKE SA
    PREVENTS: an SA that lives on with a peer of which only the kernel is left.
    """
    _accept(peer, target)
    check = peer.hear_request(ExchangeType.INFORMATIONAL)
    peer.remark("no answer from now on; our TCP acknowledges what comes")
    for _ in range(GLANCES):
        if not is_kept(target, peer.ike):
            break
        peer.hears_again(check, 0.5)

    kept = is_kept(target, peer.ike)
    assert not kept, "the IKE SA of a peer of which only TCP is alive is still there"
