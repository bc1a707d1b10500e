"""RFC 5723, 4 to 7: a gateway grants tickets, and takes them back. The peer is the client."""

from dataclasses import replace

import pytest

from peers.reference import authentication, resumption
from peers.reference.identity import fqdn
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import AUTH, CERT, KE, SA, Delete, Nonce, Notify
from peers.reference.resumption import Suspended, Ticket
from peers.reference.rules import seen_in
from peers.targets.base import Capability
from suites.judge import differs, requirement, turned_red_by
from suites.methods import ECDSA_P256, authenticated
from suites.terms import FAMILIES, SUITES, arranged

RESUMES = arranged(
    lambda described: replace(described, session_resumption=True), Capability.SESSION_RESUMPTION
)
"""Have the target grant and take tickets."""

ANSWERS = frozenset({NotifyType.TICKET_LT_OPAQUE, NotifyType.TICKET_ACK, NotifyType.TICKET_NACK})


def _asking(message):
    return replace(message, payloads=(*message.payloads, resumption.REQUEST))


def _ticket(response):
    """Get the ticket of a response; a gateway that puts it off or refuses is not judged by it."""
    ticket = Ticket.of(response)
    assert ticket is not None, f"no ticket: {response}"
    return ticket


def _establish(peer):
    """Do the initial exchanges, asking for a ticket; give it, and what the peer keeps with it."""
    peer.open_ike_sa()
    request = _asking(peer.ike_auth())
    response = peer.exchange(request)
    peer.take_up(request, response)
    return _ticket(response), Suspended.of(peer.ike)


def _resume(peer, ticket, kept):
    """Present a ticket, which has to be taken."""
    peer.resume(kept, peer.exchange(peer.ike_session_resume(ticket)))


@RESUMES
@requirement(
    "rfc5723-4.1-request-answered",
    "rfc5723-4.1-exchange-goes-on",
    "rfc5723-6.2-finite-lifetime",
    "rfc5723-7-no-protocol-no-spi",
)
@turned_red_by("ignores-ticket-request", "grants-ticket-without-lifetime")
def test_request_in_ike_auth_is_answered(peer):
    """
    peer                                        target
    HDR, SK {IDi, .., SAi2, TSi, TSr, N(TICKET_REQUEST)} -->
                                        <--     HDR, SK {IDr, .., N(TICKET_LT_OPAQUE)}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    peer.open_ike_sa()
    request = _asking(peer.ike_auth())
    response = peer.exchange(request)

    _assert_answered(response)
    peer.take_up(request, response)
    assert peer.echo(), "the Child SA carries no traffic"


@RESUMES
@requirement("rfc5723-4.1-request-answered", "rfc5723-7-no-protocol-no-spi")
@turned_red_by("ignores-ticket-request")
def test_request_later_on_is_answered(established):
    """
    peer                                        target
    HDR, SK {N(TICKET_REQUEST)}         -->
                                        <--     HDR, SK {N(TICKET_LT_OPAQUE)}
    """
    _assert_answered(established.exchange(established.informational(resumption.REQUEST)))


def _assert_answered(response):
    answers = [n for n in response.all(Notify) if n.notify_type in ANSWERS]
    assert len(answers) == 1, f"not one answer to TICKET_REQUEST: {response}"
    assert (answers[0].protocol, answers[0].spi) == (0, b""), f"for an SA: {answers[0]}"
    ticket = Ticket.of(response)
    assert ticket is None or ticket.lifetime, "a ticket that is over at once"


@FAMILIES
@SUITES
@RESUMES
@requirement(
    "rfc5723-4.3.2-ticket-taken-or-refused",
    "rfc5723-4.3.2-new-responder-spi",
    "rfc5723-4.3.3-auth-by-sk-p",
    "rfc5723-5.1-keys-from-old-sk-d",
)
@turned_red_by("refuses-each-ticket", "proves-resumption-with-key-pad")
def test_ike_sa_is_resumed(peer):
    """
    peer                                        target
                                        <--     HDR, SK {.., N(TICKET_LT_OPAQUE)}
    HDR, Ni, N(TICKET_OPAQUE)           -->
                                        <--     HDR, Nr
    HDR, SK {IDi, IDr, AUTH(SK_pi), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH(SK_pr), SAr2, TSi, TSr}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    ticket, kept = _establish(peer)
    old = peer.ike

    request = peer.ike_session_resume(ticket)
    response = peer.exchange(request)
    assert response.exchange == ExchangeType.IKE_SESSION_RESUME, f"{response}"
    assert response.has(Nonce), f"the ticket is not taken: {response}"
    assert not {SA, KE} & set(response.types), f"something was negotiated: {response}"
    assert response.spi_i == request.spi_i, "another initiator's SPI"
    assert response.spi_r not in (old.spi_i, old.spi_r), "an SPI of the old IKE SA"
    peer.resume(kept, response)
    peer.authenticate()

    assert peer.echo(), "the Child SA of the resumed IKE SA carries no traffic"


@RESUMES
@requirement("rfc5723-4.3.2-nat-detected-anew")
@turned_red_by("detects-no-nat-when-resuming")
def test_nat_is_detected_anew(peer):
    """
    peer                                        target
    HDR, Ni, N(TICKET_OPAQUE), N(NAT_DETECTION_*) -->
                                        <--     HDR, Nr, N(NAT_DETECTION_*)
    """
    ticket, _ = _establish(peer)

    response = peer.exchange(peer.ike_session_resume(ticket))

    hashes = {NotifyType.NAT_DETECTION_SOURCE_IP, NotifyType.NAT_DETECTION_DESTINATION_IP}
    if not hashes <= set(response.notifies):
        differs("the response lets its client find out nothing about NATs")


@RESUMES
@requirement("rfc5723-4.3.4-old-ike-sa-dropped-silently")
@turned_red_by("keeps-what-was-resumed")
def test_old_ike_sa_is_dropped_silently(peer, target):
    """
    peer (its old IKE SA is still there)        target
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
                                                no Delete
    """
    ticket, kept = _establish(peer)

    _resume(peer, ticket, kept)
    peer.authenticate()
    peer.exchange(peer.informational())

    messages = [seen.message for seen in seen_in(peer.events) if seen.heard and seen.message]
    if [each for each in messages if each.has(Delete)]:
        differs("the old IKE SA is deleted by an exchange of its own")
    listed = len(target.established())
    assert listed, "no IKE SA is listed after one was resumed"
    if listed > 1:
        differs(f"{listed} IKE SAs are listed after one was resumed")


@RESUMES
@requirement("rfc5723-4.1-request-answered", "rfc5723-4.3.3-auth-by-sk-p")
@turned_red_by("ignores-ticket-request")
def test_resumed_ike_sa_is_resumed_again(peer):
    """
    peer                                        target
    HDR, SK {IDi, .., AUTH(SK_pi), .., N(TICKET_REQUEST)} -->
                                        <--     HDR, SK {.., AUTH(SK_pr), .., N(TICKET_LT_OPAQUE)}
    HDR, Ni, N(TICKET_OPAQUE, the new one) -->
                                        <--     HDR, Nr
    """
    ticket, kept = _establish(peer)
    _resume(peer, ticket, kept)
    request = _asking(peer.ike_auth())
    response = peer.exchange(request)
    peer.take_up(request, response)

    _resume(peer, _ticket(response), Suspended.of(peer.ike))
    peer.authenticate()

    assert peer.echo(), "the Child SA of the resumed IKE SA carries no traffic"


@authenticated(ECDSA_P256)
@RESUMES
@requirement("rfc5723-4.3.3-no-certificate", "rfc5723-4.3.3-auth-by-sk-p")
@turned_red_by("sends-certificate-when-resuming")
def test_resumed_ike_sa_needs_no_certificate(peer):
    """
    peer (was authenticated by a certificate)   target
    HDR, SK {IDi, IDr, AUTH(SK_pi), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH(SK_pr), SAr2, TSi, TSr}
    """
    ticket, kept = _establish(peer)
    _resume(peer, ticket, kept)

    request = peer.ike_auth()
    response = peer.exchange(request)

    assert not response.has(CERT), "a certificate, though the ticket says who is who"
    peer.take_up(request, response)
    assert peer.echo(), "the Child SA of the resumed IKE SA carries no traffic"


# What is not to be taken.


def _one_bit_wrong(octets):
    return octets[:-1] + bytes([octets[-1] ^ 1])


WRONG = pytest.mark.parametrize(
    "change",
    [_one_bit_wrong, lambda octets: octets[: len(octets) // 2] + bytes(len(octets) // 2)],
    ids=["one-bit-wrong", "half-is-zero"],
)


@WRONG
@RESUMES
@requirement("rfc5723-4.3.2-ticket-taken-or-refused")
@turned_red_by("takes-changed-ticket", "refuses-ticket-by-no-proposal-chosen")
def test_ticket_that_nobody_granted_is_refused(peer, change):
    """
    peer                                        target
    HDR, Ni, N(TICKET_OPAQUE, changed)  -->
                                        <--     HDR, N(TICKET_NACK)
    """
    ticket, _ = _establish(peer)
    changed = replace(ticket, octets=change(ticket.octets))

    response = peer.exchange(peer.ike_session_resume(changed), "the ticket")

    _assert_refused(response)


def _assert_refused(response):
    assert not response.has(Nonce), "the ticket is taken"
    assert NotifyType.TICKET_NACK in response.notifies, f"refused otherwise: {response}"


@pytest.mark.parametrize("size", [0, 1, 16, 512])
@RESUMES
@requirement("rfc5723-4.3.2-ticket-taken-or-refused")
@turned_red_by("refuses-ticket-by-no-proposal-chosen")
def test_what_is_no_ticket_is_refused(peer, size):
    """
    peer                                        target
    HDR, Ni, N(TICKET_OPAQUE, some octets) -->
                                        <--     HDR, N(TICKET_NACK)
    """
    response = peer.exchange(peer.ike_session_resume(Ticket(bytes(size), 0)), "the ticket")

    _assert_refused(response)


@RESUMES
@requirement("rfc5723-4.3.1-used-ticket-rejected")
@turned_red_by("takes-used-ticket")
def test_used_ticket_is_refused(peer):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    HDR, Ni, N(TICKET_OPAQUE, the same) -->
                                        <--     HDR, N(TICKET_NACK)
    """
    ticket, kept = _establish(peer)
    _resume(peer, ticket, kept)
    peer.authenticate()

    response = peer.exchange(peer.ike_session_resume(ticket), "a ticket that was used")

    if response.has(Nonce):
        differs("a ticket that was used is taken again")


@RESUMES
@requirement("rfc5723-4.3.3-auth-verified")
@turned_red_by("accepts-any-auth")
def test_who_does_not_know_what_the_ticket_stands_for_resumes_nothing(peer, target):
    """
    peer (presents a ticket that is right)      target
    HDR, SK {IDi, IDr, AUTH(one bit wrong), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    PREVENTS: a ticket that was overheard, in the hands of somebody else.
    """
    ticket, kept = _establish(peer)
    _resume(peer, ticket, kept)
    request = peer.ike_auth()
    auth = request.get(AUTH)
    wrong = replace(auth, data=_one_bit_wrong(auth.data))

    response = peer.exchange(request.replacing(wrong), "AUTH")

    _assert_not_resumed(response, target)


@RESUMES
@requirement("rfc5723-4.3.3-identities-of-the-ticket")
@turned_red_by("takes-any-identity")
def test_ticket_of_one_identity_resumes_nothing_for_another(peer, target):
    """
    peer                                        target
    HDR, SK {IDi(another), IDr, AUTH(right for that), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    ticket, kept = _establish(peer)
    _resume(peer, ticket, kept)
    request = peer.ike_auth()
    other = fqdn("other.test").payload(of_initiator=True)
    octets = authentication.octets_to_sign(peer.ike, other)
    auth = replace(request.get(AUTH), data=resumption.mic(peer.ike, other, octets))

    response = peer.exchange(request.replacing(other).replacing(auth), "IDi")

    _assert_not_resumed(response, target)


def _assert_not_resumed(response, target):
    assert not response.has(AUTH), "resumed by somebody else"
    listed = len(target.established())
    assert listed <= 1, f"the target lists {listed} IKE SAs: the old one, and one that was resumed"
