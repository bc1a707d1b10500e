"""RFC 5723, 4 and 6: a client gets a ticket, and comes back with it. The peer is the gateway."""

from contextlib import suppress
from dataclasses import replace

from peers.reference import resumption
from peers.reference.errors import AuthenticationFailure, Inconclusive, NoAnswer
from peers.reference.events import Transmission
from peers.reference.message import Message
from peers.reference.numbers import ExchangeType, NotifyType, ProtocolId
from peers.reference.payloads import CERT, KE, SA, Delete, Nonce
from peers.targets.base import Capability
from suites.judge import as_responder, differs, requirement, turned_red_by, twin_of
from suites.methods import ECDSA_P256, authenticated
from suites.observe import exchanges_heard
from suites.terms import arranged

pytestmark = arranged(
    lambda described: replace(described, session_resumption=True),
    Capability.SESSION_RESUMPTION,
    Capability.SUSPENSION,
)

RESUME, INIT = ExchangeType.IKE_SESSION_RESUME, ExchangeType.IKE_SA_INIT


def _establish(peer, target, lifetime=3600):
    """Let the target set up an IKE SA, and grant it a ticket; give that and what is kept."""
    target.initiate()
    request = peer.accept_ike_sa_init()
    if NotifyType.TICKET_REQUEST not in request.notifies:
        raise Inconclusive(f"no ticket is asked for, so none can be presented: {request}")
    response = peer.ike_auth_response(request)
    ticket, kept = peer.grant_ticket(lifetime)
    peer.answer(request, response + ticket.granted())
    peer.settle()
    return ticket, kept


def _take(peer, kept):
    """Take the ticket that the target presents; give its IKE_AUTH request."""
    request = peer.hear_request(RESUME)
    peer.answer(request, peer.take_ticket(request, kept))
    return peer.hear_request(ExchangeType.IKE_AUTH)


def _comes_back_without_a_ticket(peer, target):
    """Have the target initiate once more, and say whether it begins without a ticket."""
    before = len(exchanges_heard(peer))
    target.initiate()
    with suppress(NoAnswer):  # What comes instead of it is looked at below.
        peer.hear_request(INIT)
    heard = exchanges_heard(peer)[before:]
    if INIT not in heard and RESUME not in heard:
        raise Inconclusive("told to initiate, the target sends no first message")
    return RESUME not in heard


def _is_deleted(peer):
    """Say whether the target has deleted its IKE SA."""
    heard = (each.decoded for each in peer.events if isinstance(each, Transmission))
    messages = (each for each in heard if isinstance(each, Message) and not each.response)
    return any(
        each.protocol == ProtocolId.IKE for message in messages for each in message.all(Delete)
    )


@as_responder
@requirement(
    "rfc5723-4.3.2-ticket-presented",
    "rfc5723-7-no-protocol-no-spi",
    "rfc5723-5.1-keys-from-old-sk-d",
)
@turned_red_by("presents-ticket-with-its-lifetime")
def test_ticket_is_presented_as_it_was_granted(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, .., N(TICKET_REQUEST)}
    HDR, SK {IDr, .., N(TICKET_LT_OPAQUE)} -->
                                        <--     HDR(38, SPIi, 0), Ni, N(TICKET_OPAQUE)
    HDR, Nr                             -->
                                        <--     HDR, SK {IDi, AUTH, ..}
    """
    ticket, kept = _establish(peer, target)
    old = peer.ike.spi_i
    target.suspend()
    target.initiate()

    request = peer.hear_request(RESUME)
    peer.answer(request, peer.take_ticket(request, kept))
    peer.hear_request(ExchangeType.IKE_AUTH)

    presented = request.notify(NotifyType.TICKET_OPAQUE)
    assert presented.data == ticket.octets, "the ticket is another than the one that was granted"
    assert (presented.protocol, presented.spi) == (ProtocolId.NONE, b""), f"{presented}"
    assert request.has(Nonce), "no nonce"
    assert not request.find(SA), "an offer, though the ticket says what was agreed on"
    assert not request.find(KE), "a key exchange, though the ticket stands for keys"
    assert request.spi_i != old, "the initiator's SPI is that of the old IKE SA"
    assert request.spi_r == bytes(8), "the responder's SPI is not zero"
    assert request.message_id == 0, f"Message ID {request.message_id}"


@as_responder
@requirement("rfc5723-4.3.2-nat-detected-anew")
@turned_red_by("resumes-without-nat-detection")
def test_client_has_nat_detected_anew(peer, target):
    """
    peer                                        target
                                        <--     HDR, Ni, N(TICKET_OPAQUE),
                                                N(NAT_DETECTION_*)
    """
    _establish(peer, target)
    target.suspend()
    target.initiate()

    request = peer.hear_request(RESUME)

    wanted = {NotifyType.NAT_DETECTION_SOURCE_IP, NotifyType.NAT_DETECTION_DESTINATION_IP}
    if not wanted <= set(request.notifies):
        differs(f"no NAT detection in {request}")


@as_responder
@requirement("rfc5723-4.3.3-auth-by-sk-p")
@turned_red_by("proves-resumption-with-key-pad")
def test_session_is_resumed(peer, target):
    """
    peer                                        target
                                        <--     HDR, Ni, N(TICKET_OPAQUE)
    HDR, Nr                             -->
                                        <--     HDR, SK {IDi, AUTH by SK_pi, SAi2, TSi, TSr}
    HDR, SK {IDr, AUTH by SK_pr, SAr2, TSi, TSr} -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    _, kept = _establish(peer, target)
    target.suspend()
    target.initiate()

    request = _take(peer, kept)
    peer.answer(request, peer.ike_auth_response(request))

    assert peer.echo(), "the Child SA carries no traffic"


@authenticated(ECDSA_P256)
@as_responder
@requirement("rfc5723-4.3.3-no-certificate")
@turned_red_by("sends-certificate-when-resuming")
def test_client_sends_no_certificate(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, AUTH, SAi2, TSi, TSr}  (no CERT)
    """
    _, kept = _establish(peer, target)
    target.suspend()
    target.initiate()

    request = _take(peer, kept)

    assert not request.has(CERT), "a certificate comes with a resumed IKE SA"


@as_responder
@requirement("rfc5723-4.3.1-expired-ticket-not-presented")
@turned_red_by("presents-expired-ticket")
def test_expired_ticket_is_not_presented(peer, target):
    """
    peer                                        target
    HDR, SK {.., N(TICKET_LT_OPAQUE, 0 seconds)} -->
                                        <--     HDR, SAi1, KEi, Ni, or nothing
    """
    _establish(peer, target, lifetime=0)
    target.suspend()

    assert _comes_back_without_a_ticket(peer, target), "a ticket of no lifetime is presented"


@as_responder
@requirement("rfc5723-4.3.1-ticket-not-reused")
@turned_red_by("presents-ticket-twice")
def test_ticket_is_not_presented_twice(peer, target, administrative):
    """
    peer                                        target
                                        <--     HDR, Ni, N(TICKET_OPAQUE), and so on
    HDR, SK {IDr, AUTH, ..}  (no ticket) -->
                                        <--     HDR, SAi1, KEi, Ni, or nothing
    """
    _, kept = _establish(peer, target)
    target.suspend()
    target.initiate()
    request = _take(peer, kept)
    try:
        response = peer.ike_auth_response(request)
    except AuthenticationFailure as problem:
        administrative(f"no ticket is used up, as nothing is resumed: {problem}")
        return
    peer.answer(request, response)
    peer.settle()
    target.suspend()

    assert _comes_back_without_a_ticket(peer, target), "the ticket is presented again"


@as_responder
@requirement("rfc5723-4.3.2-refused-ticket-starts-over")
@turned_red_by("gives-up-when-its-ticket-is-refused")
def test_refused_ticket_is_followed_by_the_initial_exchanges(peer, target):
    """
    peer                                        target
                                        <--     HDR, Ni, N(TICKET_OPAQUE)
    HDR, N(TICKET_NACK)                 -->
                                        <--     HDR, SAi1, KEi, Ni
    """
    _establish(peer, target)
    target.suspend()
    target.initiate()
    request = peer.hear_request(RESUME)
    peer.answer(request, peer.refusal(request, resumption.NACK))

    try:
        request = peer.hear_request(INIT)
    except NoAnswer as silence:
        differs(f"after TICKET_NACK: {silence}")
    peer.accept(request)
    assert peer.echo(), "the Child SA carries no traffic"


@as_responder
@requirement("rfc5723-6.2-ticket-goes-with-its-ike-sa")
@turned_red_by("keeps-ticket-of-deleted-ike-sa", "suspends-with-a-delete")
def test_ticket_of_an_ike_sa_that_the_gateway_deletes_is_not_presented(peer, target):
    """
    peer                                        target
    HDR, SK {D(IKE)}                    -->
                                        <--     HDR, SK {}
                                        <--     HDR, SAi1, KEi, Ni, or nothing
    """
    _establish(peer, target)
    peer.exchange(peer.informational(Delete(ProtocolId.IKE)))

    assert _comes_back_without_a_ticket(peer, target), "the ticket is presented"


@twin_of(test_ticket_of_an_ike_sa_that_the_gateway_deletes_is_not_presented)
@as_responder
@requirement("rfc5723-6.2-ticket-goes-with-its-ike-sa")
@turned_red_by("suspends-with-a-delete")
def test_ticket_of_an_ike_sa_that_the_client_deletes_is_not_presented(peer, target, observed):
    """
    peer                                        target (is told to interrupt the session)
                                        <--     nothing, or HDR, SK {D(IKE)}
                                        <--     HDR, Ni, N(TICKET_OPAQUE), but not after a Delete
    """
    _establish(peer, target)
    target.suspend()

    without = _comes_back_without_a_ticket(peer, target)

    assert without or not _is_deleted(peer), "it deletes the IKE SA, and presents its ticket"
    if without:
        observed("the session is begun anew, not resumed")
