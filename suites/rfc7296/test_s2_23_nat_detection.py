"""RFC 7296, 2.23: the hashes by which NATs are detected."""

from peers.reference.events import Endpoint
from peers.reference.nat import detect, detection_payloads
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import Nonce, Notify
from suites.judge import as_responder, differs, requirement, turned_red_by
from suites.terms import FAMILIES

DETECTION = (NotifyType.NAT_DETECTION_SOURCE_IP, NotifyType.NAT_DETECTION_DESTINATION_IP)


def hashes(message):
    """Give the NAT detection notifies of a message."""
    return [n for n in message.all(Notify) if n.notify_type in DETECTION]


@FAMILIES
@requirement("rfc7296-2.23-nat-detection-hash", "rfc7296-2.23-nat-detection-sent")
@turned_red_by("sends-no-nat-detection", "hashes-zero-responder-spi")
def test_responder_hashes_the_ends_of_its_response(peer):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni, N(NAT_DETECTION_*_IP) -->
                                        <--     HDR, SAr1, KEr, Nr, N(NAT_DETECTION_*_IP)
    PREVENTS: hashes without the responder's SPI, which make a NAT of nothing.
    """
    heard = peer.exchange_heard(peer.ike_sa_init())
    response, packet = heard.message, heard.packet

    expected = detection_payloads(
        (response.spi_i, response.spi_r), packet.source, packet.destination
    )
    assert sorted(map(str, hashes(response))) == sorted(map(str, expected)), str(response)
    found = detect(response, packet.source, packet.destination)
    assert found.supported, f"no NAT detection in the response: {response}"
    assert not found.found, "the hashes are not those of SPIs, addresses and ports"


@FAMILIES
@as_responder
@requirement("rfc7296-2.23-nat-detection-hash", "rfc7296-2.23-nat-detection-sent")
@turned_red_by("sends-no-nat-detection")
def test_initiator_hashes_the_ends_of_its_request(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni, N(NAT_DETECTION_*_IP)
    """
    target.initiate()
    heard = peer.hear_request_octets(ExchangeType.IKE_SA_INIT)

    found = detect(heard.message, heard.packet.source, heard.packet.destination)
    assert found.supported, f"no NAT detection in the request: {heard.message}"
    assert not found.found, "the hashes are not those of SPIs, addresses and ports"
    peer.answer(heard.message, peer.ike_sa_init_response(heard.message))


@requirement("rfc7296-2.23-nat-detection-place")
@turned_red_by("puts-nat-detection-last", "sends-no-nat-detection")
def test_hashes_stand_after_the_nonce(peer):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni                  -->
                                        <--     HDR, SAr1, KEr, Nr, N(NAT_DETECTION_*_IP)
    """
    response = peer.exchange(peer.ike_sa_init())

    payloads = response.payloads
    at = next(i for i, payload in enumerate(payloads) if isinstance(payload, Nonce))
    after = [n for n in payloads[at + 1 : at + 3] if isinstance(n, Notify)]
    if [n.notify_type in DETECTION for n in after] != [True, True]:
        differs(f"NAT detection does not follow the nonce: {response}")


@requirement("rfc7296-2.11-any-source-port")
@turned_red_by("answers-to-first-port")
def test_request_from_another_port_is_answered_there(nat, established):
    """
    peer                NAT                     target
    HDR, SK {}          -->  (a new port)  -->
                             (the new port) <-- HDR, SK {}
    PREVENTS: F39, responses that go to the port of IKE_SA_INIT.
    """
    nat.rebind()

    heard = established.exchange_heard(established.informational())

    assert heard.packet.source == established.ike.remote, "the response comes from another port"
    assert isinstance(heard.packet.source, Endpoint)
    assert not nat.lost, "something was sent to a mapping that is no more"
