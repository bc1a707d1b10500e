"""RFC 7296, 3.4, 3.5, 3.8 and 3.13: reserved octets in the bodies of payloads are ignored."""

from dataclasses import replace

from peers.reference.authentication import own_auth
from peers.reference.decisions_authentication import AuthenticationDecisions
from peers.reference.faults import ReservedFields
from peers.reference.payloads import AUTH, KE, SA, IDi, IDr, Nonce, TSi, TSr
from suites.judge import as_responder, requirement, turned_red_by

ALL_SET = 0xFFFFFF


@requirement("rfc7296-2.5-reserved-ignored")
@turned_red_by("minds-reserved-octets-of-ke")
def test_reserved_octets_of_ke_are_ignored(peer):
    """
    peer                                        target
    HDR, SAi1, KEi(RESERVED set), Ni    -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    response = peer.exchange(peer.ike_sa_init().with_fault(ReservedFields(of=KE)))

    assert response.has(SA, KE, Nonce)


@requirement("rfc7296-3.8-reserved-ignored")
@turned_red_by("minds-reserved-octets-of-auth")
def test_reserved_octets_of_auth_are_ignored(peer):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH(RESERVED set), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    _is_granted(peer, AUTH)


@requirement("rfc7296-3.13-reserved-ignored")
@turned_red_by("minds-reserved-octets-of-selectors")
def test_reserved_octets_of_selectors_are_ignored(peer):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi(RESERVED set), TSr(RESERVED set)} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    _is_granted(peer, TSi, TSr)


@requirement("rfc7296-2.5-reserved-ignored")
@turned_red_by("minds-reserved-octets-of-identities")
def test_reserved_octets_of_the_identity_asked_for_are_ignored(peer):
    """
    peer                                        target
    HDR, SK {IDi, IDr(RESERVED set), AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    _is_granted(peer, IDr)


def _is_granted(peer, *kinds):
    peer.open_ike_sa()
    request = peer.ike_auth()
    wrong = request
    for kind in kinds:
        wrong = wrong.with_fault(ReservedFields(of=kind))

    peer.take_up(request, peer.exchange(wrong))

    assert peer.echo(), "the Child SA carries no traffic"


@requirement("rfc7296-2.15-auth-over-own-first-message")
@turned_red_by("minds-reserved-octets-of-identities", "authenticates-identity-without-its-reserved")
def test_reserved_octets_of_an_identity_count_for_auth(peer):
    """
    peer                                        target
    HDR, SK {IDi(RESERVED set), IDr, AUTH(over IDi as it stands), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    PREVENTS: AUTH over an identity that was parsed and written anew.
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    mine = replace(request.get(IDi), reserved=ALL_SET)
    credential = peer.connection.local_credential
    auth = own_auth(peer.ike, mine, credential, AuthenticationDecisions())
    request = request.replacing(mine).replacing(auth)

    peer.take_up(request, peer.exchange(request))

    assert peer.echo(), "the Child SA carries no traffic"


@as_responder
@requirement("rfc7296-3.8-reserved-ignored")
@turned_red_by("minds-reserved-octets-of-auth")
def test_reserved_octets_of_auth_in_a_response_are_ignored(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, [IDr,] AUTH, SAi2, TSi, TSr}
    HDR, SK {IDr, AUTH(RESERVED set), SAr2, TSi, TSr} -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    _grant(peer, target, AUTH)


@as_responder
@requirement("rfc7296-3.13-reserved-ignored")
@turned_red_by("minds-reserved-octets-of-selectors")
def test_reserved_octets_of_selectors_in_a_response_are_ignored(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, [IDr,] AUTH, SAi2, TSi, TSr}
    HDR, SK {IDr, AUTH, SAr2, TSi(RESERVED set), TSr(RESERVED set)} -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    _grant(peer, target, TSi, TSr)


def _grant(peer, target, *kinds):
    target.initiate()
    request = peer.accept_ike_sa_init()
    response = peer.ike_auth_response(request)
    for kind in kinds:
        response = response.with_fault(ReservedFields(of=kind))
    peer.answer(request, response)

    assert peer.echo(), "the Child SA carries no traffic"
