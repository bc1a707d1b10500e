"""RFC 4555, 3.2 and 3.3: who supports MOBIKE says so, and goes on on port 4500."""

from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import Notify
from suites.judge import as_responder, requirement, turned_red_by
from suites.terms import FAMILIES, arranged, lets_the_peer_move, may_move


@FAMILIES
@arranged(lets_the_peer_move)
@requirement("rfc4555-3.2-supported-in-ike-auth", "rfc4555-4.2.1-sent-empty")
@turned_red_by("announces-no-mobike")
def test_responder_says_that_it_supports_mobike(peer):
    """
    peer                                        target
    HDR, SK {IDi, .., SAi2, .., N(MOBIKE_SUPPORTED)} -->
                                        <--     HDR, SK {IDr, .., SAr2, .., N(MOBIKE_SUPPORTED)}
    """
    peer.open_ike_sa()

    response = peer.exchange(peer.ike_auth())

    said = response.find_notify(NotifyType.MOBIKE_SUPPORTED)
    assert said is not None, "MOBIKE is configured, and not answered"
    assert said == Notify(NotifyType.MOBIKE_SUPPORTED), "not empty"


@arranged(lets_the_peer_move)
@requirement("rfc4555-4.2.1-data-ignored")
@turned_red_by("minds-mobike-data", "announces-no-mobike")
def test_data_in_mobike_supported_is_ignored(peer):
    """
    peer                                        target
    HDR, SK {.., N(MOBIKE_SUPPORTED, 3 octets)} -->
                                        <--     HDR, SK {.., N(MOBIKE_SUPPORTED)}
    """
    peer.open_ike_sa()
    request = peer.ike_auth().replacing(Notify(NotifyType.MOBIKE_SUPPORTED, b"\1\2\3"))

    response = peer.exchange(request)

    peer.take_up(request, response)
    assert NotifyType.MOBIKE_SUPPORTED in response.notifies, "three octets make MOBIKE unknown"


@FAMILIES
@arranged(may_move)
@as_responder
@requirement("rfc4555-3.2-supported-in-ike-auth", "rfc4555-4.2.1-sent-empty")
@turned_red_by("announces-no-mobike")
def test_initiator_says_that_it_supports_mobike(peer, target):
    """
    peer                                        target
    ..
                                        <--     HDR, SK {IDi, .., SAi2, .., N(MOBIKE_SUPPORTED)}
    """
    target.initiate()

    request = peer.accept_ike_sa_init()

    said = request.find_notify(NotifyType.MOBIKE_SUPPORTED)
    assert said is not None, "MOBIKE is configured, and not said"
    assert said == Notify(NotifyType.MOBIKE_SUPPORTED), "not empty"


@FAMILIES
@arranged(may_move)
@as_responder
@requirement("rfc4555-3.3-port-4500-without-nat")
@turned_red_by("stays-on-port-500")
def test_initiator_goes_on_on_port_4500_without_a_nat(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni, N(NAT_DETECTION_*_IP)
    HDR, SAr1, KEr, Nr, N(NAT_DETECTION_*_IP)  (no NAT) -->
                                        <--     marker, HDR, SK {..}  (port 4500)
    """
    target.initiate()
    first = peer.hear_request(ExchangeType.IKE_SA_INIT)
    peer.answer(first, peer.ike_sa_init_response(first))

    packet = peer.hear_request_octets(ExchangeType.IKE_AUTH).packet

    ports = packet.source.port, packet.destination.port
    assert ports == (4500, 4500), f"IKE_AUTH on ports {ports} although MOBIKE is configured"
