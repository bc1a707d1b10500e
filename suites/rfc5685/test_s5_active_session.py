"""RFC 5685, 5: redirected during a session, by the gateway that it is with."""

from dataclasses import replace

from peers.reference.errors import NoAnswer
from peers.reference.message import Message
from peers.reference.numbers import ExchangeType, ProtocolId
from peers.reference.payloads import Delete
from peers.reference.redirect import is_supported, redirect
from suites.judge import as_responder, differs, requirement, turned_red_by
from suites.terms import arranged

FOLLOWS = arranged(lambda described: replace(described, follows_redirects=True))


@FOLLOWS
@as_responder
@requirement("rfc5685-5-request-answered")
@turned_red_by("follows-no-redirect")
def test_redirect_during_a_session_is_followed(accepted, second):
    """
    peer                                        target
    HDR, SK {N(REDIRECT, second gateway)} -->
                                        <--     HDR, SK {}
    second gateway
                                        <--     HDR, SAi1, KEi, Ni, N(REDIRECTED_FROM, first one)
    """
    response = accepted.exchange(accepted.informational(redirect(second)))

    assert not response.payloads, "the redirect is not simply acknowledged"
    heard = accepted.hear_request_octets(ExchangeType.IKE_SA_INIT)
    assert heard.packet.destination.address == second, "not where it was sent"
    accepted.accept(heard.message)
    assert accepted.echo(), "the Child SA with the second gateway carries no traffic"


@FOLLOWS
@as_responder
@requirement("rfc5685-5-old-sas-deleted")
@turned_red_by("stays-when-redirected", "follows-no-redirect")
def test_redirected_client_leaves(accepted, second):
    """
    peer                                        target
    HDR, SK {N(REDIRECT, second gateway)} -->
                                        <--     HDR, SK {}
                                        <--     HDR, SK {D(IKE)}  (or after the next exchanges)
    HDR, SK {}                          -->
    second gateway
    ..  (both initial exchanges)
    """
    left = accepted.ike
    accepted.exchange(accepted.informational(redirect(second)))
    accepted.accept(accepted.hear_request(ExchangeType.IKE_SA_INIT))

    if accepted.was_asked(left, Delete(ProtocolId.IKE)):
        return
    try:
        request = accepted.hear_request(ExchangeType.INFORMATIONAL)
    except NoAnswer:
        differs("the first gateway is not told that its IKE SA is left")

    assert Delete(ProtocolId.IKE) in request.payloads, "not the end of the IKE SA"
    accepted.answer(request, accepted.reply(request))


@FOLLOWS
@requirement("rfc5685-10-responder-is-not-redirected")
@turned_red_by("is-redirected-by-clients")
def test_client_does_not_redirect_its_gateway(established, second):
    """
    peer (initiator)                            target
    HDR, SK {N(REDIRECT, second gateway)} -->
                                        <--     HDR, SK {}
                                                nothing at the second gateway
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    PREVENTS: a client that has its gateway open tunnels to others.
    """
    established.exchange(established.informational(redirect(second)))

    reactions = established.reactions_so_far()

    assert not began(reactions), "the gateway goes where its client sends it"
    assert not gives_up(established), "the IKE SA is given up"
    assert established.echo(), "the Child SA carries nothing any more"


@as_responder
@requirement("rfc5685-3-unsupporting-client-stays")
@turned_red_by("is-redirected-unasked")
def test_client_that_follows_no_redirects_stays(accepted, second, administrative):
    """
    peer                                        target (not told to follow redirects)
    HDR, SK {N(REDIRECT, second gateway)} -->
                                        <--     HDR, SK {}
                                                nothing at the second gateway
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    if is_supported(Message.decode(accepted.ike.request_octets)):
        administrative("says that it follows redirects without being told to")
        return
    accepted.exchange(accepted.informational(redirect(second)))

    reactions = accepted.reactions_so_far()

    assert not began(reactions), "redirected, though it did not ask for that"
    assert not gives_up(accepted), "the IKE SA is given up"
    assert accepted.echo(), "the Child SA carries nothing any more"


def began(messages):
    """Say whether the target started a new IKE SA."""
    return any(each.exchange == ExchangeType.IKE_SA_INIT for each in messages)


def gives_up(peer):
    """Say whether the target deletes the IKE SA; its timer may take a moment."""
    end = Delete(ProtocolId.IKE)
    if peer.was_asked(peer.ike, end):
        return True
    try:
        request = peer.hear_request(ExchangeType.INFORMATIONAL, timeout=2.0)
    except NoAnswer:
        return False
    peer.answer(request, peer.reply(request))
    return end in request.payloads
