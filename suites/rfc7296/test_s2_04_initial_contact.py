"""RFC 7296, 2.4: INITIAL_CONTACT, said and heard, of who is authenticated and of who is not."""

from dataclasses import replace

from peers.reference.numbers import AuthMethod, ExchangeType, NotifyType
from peers.reference.payloads import AUTH, SA, Notify
from suites.judge import as_responder, requirement, turned_red_by, twin_of
from suites.terms import arranged

FIRST_CONTACT = Notify(NotifyType.INITIAL_CONTACT)


def _says_first_contact(described):
    return replace(described, initial_contact=True)


SAID = arranged(_says_first_contact)


@SAID
@as_responder
@requirement("rfc7296-2.4-initial-contact-in-first-auth")
@turned_red_by("says-first-contact-again")
def test_target_says_that_it_is_new_in_ike_auth_only(peer, target, administrative):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, [N(INITIAL_CONTACT),] IDr, AUTH, ..}
    HDR, SK {IDr, AUTH, SAr2, TSi, TSr} -->
                                        <--     HDR, SK {N(REKEY_SA), SA, Ni, TSi, TSr}
    HDR, SK {SA, Nr, TSi, TSr}          -->
                                        <--     HDR, SK {D(ESP)}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    said = request.find_notify(NotifyType.INITIAL_CONTACT)
    peer.answer(request, peer.ike_auth_response(request))
    peer.settle()
    target.rekey_child()
    rekey = peer.hear_request(ExchangeType.CREATE_CHILD_SA)
    peer.answer(rekey, peer.grant_child(rekey))
    delete = peer.hear_request(ExchangeType.INFORMATIONAL)
    peer.answer(delete, peer.reply(delete, *peer.deleted(delete)))

    for later in (rekey, delete):
        again = NotifyType.INITIAL_CONTACT in later.notifies
        assert not again, f"INITIAL_CONTACT after IKE_AUTH: {later}"
    if said is None:
        administrative("the target does not say that it is new")
    else:
        assert (said.protocol, said.spi, said.data) == (0, b"", b""), f"more than a type: {said}"


@SAID
@requirement("rfc7296-2.4-initial-contact-needs-authentication")
@turned_red_by("obeys-first-contact-of-anybody")
def test_first_contact_in_clear_ends_nothing(established, target):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni, N(INITIAL_CONTACT) -->
                                        <--     HDR, SAr1, KEr, Nr
    HDR(the first IKE SA), SK {}        -->
                                        <--     HDR, SK {}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    PREVENTS: anybody who can send from that address ends its IKE SAs.
    """
    first, child = established.ike, established.child
    response = established.exchange(established.ike_sa_init() + FIRST_CONTACT)
    assert response.has(SA), f"the second IKE SA is refused: {response}"
    established.fence()

    _assert_alive(established, first, child)


@SAID
@requirement("rfc7296-2.4-initial-contact-needs-authentication")
@turned_red_by("obeys-first-contact-of-anybody", "accepts-any-auth", "refuses-first-contact")
def test_first_contact_with_a_wrong_auth_ends_nothing(established, target):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH(wrong), SAi2, TSi, TSr, N(INITIAL_CONTACT)} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    HDR(the first IKE SA), SK {}        -->
                                        <--     HDR, SK {}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    first, child = established.ike, established.child
    established.open_ike_sa()
    wrong = AUTH(AuthMethod.SHARED_KEY_MIC, bytes(32))
    request = established.ike_auth().replacing(wrong) + FIRST_CONTACT
    response = established.exchange(request, "AUTH")
    assert not response.has(AUTH), f"a wrong AUTH is accepted: {response}"
    established.fence()

    _assert_alive(established, first, child)


@SAID
@twin_of(test_first_contact_with_a_wrong_auth_ends_nothing)
@requirement("rfc7296-1.2-initial-exchanges-set-up-child", "rfc7296-2.4-initial-contact-obeyed")
@turned_red_by("refuses-first-contact")
def test_first_contact_of_who_is_authenticated_is_taken(established, target, observed):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr, N(INITIAL_CONTACT)} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    ESP of the second {echo request}    -->
                                        <--     ESP of the second {echo reply}
    """
    established.open_ike_sa()
    request = established.ike_auth() + FIRST_CONTACT
    established.take_up(request, established.exchange(request))

    assert established.echo(), "the Child SA of the second IKE SA carries no traffic"
    left = len(target.established())
    observed("the first IKE SA is gone" if left == 1 else "the first IKE SA stays")


def _assert_alive(peer, sa, child):
    answered = peer.exchange_on(sa, sa.request(ExchangeType.INFORMATIONAL))
    assert answered.protected, "the first IKE SA is gone"
    with peer.using(child):
        assert peer.echo(), "the Child SA of the first IKE SA is gone"
