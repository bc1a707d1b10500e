"""RFC 7296, 2.15: AUTH by a shared secret: how it is computed, and over what."""

from dataclasses import replace

import pytest

from peers.reference.authentication import shared_key_mic
from peers.reference.credentials import Psk
from peers.reference.faults import ReservedBits
from peers.reference.numbers import AuthMethod, ExchangeType, NotifyType, PayloadType
from peers.reference.payloads import AUTH, KE, IDi, IDr, Notify, Unknown, VendorID
from suites.judge import as_responder, requirement, turned_red_by
from suites.terms import AES_GCM_256, CURVE25519, DEFAULT, ECP_256, Suite, configured, ike

CHARACTERS = b"of 64 octets: 0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ, and no end."
OCTETS = bytes(range(64))


def _knows(secret):
    def arrange(described):
        return replace(described, local_credential=Psk(secret), remote_credential=Psk(secret))

    return arrange


LONG_SECRETS = pytest.mark.parametrize(
    "arrange",
    [
        pytest.param(_knows(CHARACTERS), id="64-characters"),
        pytest.param(_knows(OCTETS), id="64-octets"),
    ],
)
"""As it is typed, and as only hexadecimal digits can tell it: with a zero in it, and at its end."""

STRANGE = (Unknown(PayloadType(200), b"counts too"), VendorID(b"and so does this"))


@requirement("rfc7296-2.15-shared-key-auth-value")
@turned_red_by("ends-key-pad-with-zero", "signs-identity-with-its-header")
def test_responder_proves_the_secret_with_the_key_pad(peer):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH(prf(prf(secret, pad), octets))}
    """
    peer.open_ike_sa()
    response = peer.exchange(peer.ike_auth())

    _assert_proof(peer, response.get(AUTH), response.get(IDr))


@as_responder
@requirement("rfc7296-2.15-shared-key-auth-value")
@turned_red_by("ends-key-pad-with-zero", "signs-identity-with-its-header")
def test_initiator_proves_the_secret_with_the_key_pad(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, AUTH(prf(prf(secret, pad), ..)), ..}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()

    _assert_proof(peer, request.get(AUTH), request.get(IDi))


def _assert_proof(peer, auth, identity):
    secret = peer.connection.remote_credential.secret
    assert auth.method == AuthMethod.SHARED_KEY_MIC, f"another method: {auth}"
    expected = shared_key_mic(peer.ike, identity, secret)
    assert auth.data == expected, "AUTH is not what 2.15 makes of the secret"


@LONG_SECRETS
@requirement("rfc7296-2.15-secret-of-64-octets")
@turned_red_by("cuts-secrets-at-32-octets", "ends-secrets-at-zero")
def test_all_of_a_long_secret_counts(peer):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH(by 64 octets), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH(by 64 octets), SAr2, TSi, TSr}
    PREVENTS: secrets that are cut, or end with the zero that ends a string.
    """
    peer.establish()

    assert peer.echo(), "the Child SA carries no traffic"


@LONG_SECRETS
@as_responder
@requirement("rfc7296-2.15-secret-of-64-octets")
@turned_red_by("cuts-secrets-at-32-octets", "ends-secrets-at-zero")
def test_all_of_a_long_secret_counts_for_an_initiator(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, AUTH(by 64 octets), SAi2, TSi, TSr}
    HDR, SK {IDr, AUTH(by 64 octets), SAr2, TSi, TSr} -->
    """
    target.initiate()
    peer.accept()

    assert peer.echo(), "the Child SA carries no traffic"


@requirement("rfc7296-2.15-auth-over-own-first-message")
@turned_red_by("signs-identity-with-its-header")
def test_all_octets_of_the_first_message_count(peer):
    """
    peer                                        target
    HDR, SAi1, KEi(reserved bits set), Ni, X, V -->
                                        <--     HDR, SAr1, KEr, Nr
    HDR, SK {IDi, IDr, AUTH(over all of it), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    PREVENTS: AUTH over a message that was parsed and written anew.
    """
    request = (peer.ike_sa_init() + STRANGE).with_fault(ReservedBits(of=KE))
    peer.agree(request, peer.exchange(request))
    request = peer.ike_auth()

    peer.take_up(request, peer.exchange(request))

    assert peer.echo(), "the Child SA carries no traffic"


@as_responder
@requirement("rfc7296-2.15-auth-over-own-first-message")
@turned_red_by("signs-identity-with-its-header")
def test_all_octets_of_the_response_count(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, SAr1, KEr(reserved bits set), Nr, X, V -->
                                        <--     HDR, SK {IDi, AUTH, SAi2, TSi, TSr}
    HDR, SK {IDr, AUTH(over all of it), SAr2, TSi, TSr} -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    response = peer.ike_sa_init_response(request) + STRANGE
    peer.answer(request, response.with_fault(ReservedBits(of=KE)))
    request = peer.hear_request(ExchangeType.IKE_AUTH)
    peer.answer(request, peer.ike_auth_response(request))

    assert peer.echo(), "the Child SA carries no traffic"


TWO_GROUPS = configured(Suite((ike(AES_GCM_256, CURVE25519, ECP_256),), DEFAULT.esp))
REFUSALS = [
    pytest.param(Notify(NotifyType.COOKIE, b"a cookie"), id="cookie"),
    pytest.param(Notify(NotifyType.INVALID_KE_PAYLOAD, b"\0\x13"), id="group"),
]


@TWO_GROUPS
@pytest.mark.parametrize("refusal", REFUSALS)
@as_responder
@requirement("rfc7296-2.15-latest-init-request-signed")
@turned_red_by("signs-first-of-its-requests")
def test_initiator_signs_the_latest_of_its_first_requests(peer, target, refusal):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, N(COOKIE) or N(INVALID_KE_PAYLOAD) -->
                                        <--     HDR, [N(COOKIE),] SAi1, KEi, Ni
    HDR, SAr1, KEr, Nr                  -->
                                        <--     HDR, SK {IDi, AUTH(over the second request), ..}
    """
    target.initiate()
    first = peer.hear_request(ExchangeType.IKE_SA_INIT)
    peer.answer(first, peer.refusal(first, refusal))
    request = peer.accept_ike_sa_init(peer.hear_request(ExchangeType.IKE_SA_INIT))

    _assert_proof(peer, request.get(AUTH), request.get(IDi))
