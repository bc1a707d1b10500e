"""RFC 9329, 6.3, 6.4 and 7.5: the initial exchanges over TCP. The target is the TCP Responder."""

from peers.reference.initial import with_cookie
from peers.reference.numbers import KeyExchangeMethod, NotifyType
from peers.reference.payloads import SA
from peers.targets.base import Capability
from suites.fragmentation import FRAGMENTED, LARGE
from suites.judge import differs, needs, requirement, turned_red_by
from suites.terms import AES_GCM_256, CURVE25519, DEFAULT, ECP_256, Suite, configured, ike

pytestmark = needs(Capability.TCP)

AT_ONCE = 1.0
"""Seconds; a few of them are what a responder should wait for another request (6.3.1)."""

ECP_ONLY = configured(Suite((ike(AES_GCM_256, ECP_256),), DEFAULT.esp))
OFFER = SA((ike(AES_GCM_256, CURVE25519, ECP_256),))


@needs(Capability.COOKIE_CHALLENGE)
@requirement("rfc9329-6.3-no-cookie")
@turned_red_by("challenges-over-tcp")
def test_no_cookie_is_asked_for_over_tcp(peer, target):
    """
    peer                                        target (would challenge over UDP)
    Length | 0 | HDR, SAi1, KEi, Ni     -->
                                        <--     Length | 0 | HDR, SAr1, KEr, Nr
    """
    peer.connect()
    with target.challenging():
        response = peer.exchange(peer.ike_sa_init())

    asked = set(response.notifies)
    if NotifyType.COOKIE in asked and NotifyType.PUZZLE not in asked:
        differs("a cookie is asked for over TCP, where the address is known to be right")


@needs(Capability.COOKIE_CHALLENGE)
@requirement("rfc9329-6.3-cookie-without-port")
@turned_red_by("hashes-port-into-cookie")
def test_cookie_comes_back_over_another_connection(peer, target, administrative):
    """
    peer                                        target (challenges)
    first: Length | 0 | HDR, SAi1, KEi, Ni -->
                            first:      <--     Length | 0 | HDR, N(COOKIE)
    second: Length | 0 | HDR, N(COOKIE), SAi1, KEi, Ni -->
                            second:     <--     Length | 0 | HDR, SAr1, KEr, Nr
    PREVENTS: a client that is never let in, for its cookie belongs to a connection that is closed.
    """
    peer.connect()
    request = peer.ike_sa_init()
    with target.challenging():
        cookie = peer.exchange(request).find_notify(NotifyType.COOKIE)
        if cookie is None:
            administrative("no cookie is asked for over TCP")
            return
        peer.go_over(peer.connect())
        response = peer.exchange(with_cookie(request, cookie.data))

    assert response.has(SA), f"a cookie is not known over another connection: {response}"


@ECP_ONLY
@requirement("rfc9329-6.4-connection-kept-for-a-retry")
@turned_red_by("hangs-up-after-invalid-ke")
def test_group_is_corrected_over_the_same_connection(peer):
    """
    peer                                        target (allows ECP_256 only)
    Length | 0 | HDR, SAi1, KEi(CURVE25519), Ni -->
                                        <--     Length | 0 | HDR, N(INVALID_KE_PAYLOAD, ECP_256)
    Length | 0 | HDR, SAi1, KEi(ECP_256), Ni -->
                                        <--     Length | 0 | HDR, SAr1, KEr, Nr
    PREVENTS: a tunnel that comes up over UDP and never over TCP.
    """
    stream = peer.connect()
    response = peer.exchange(peer.ike_sa_init(KeyExchangeMethod.CURVE25519).replacing(OFFER))
    assert NotifyType.INVALID_KE_PAYLOAD in response.notifies, f"no other group: {response}"
    if peer.sees_closed(stream, AT_ONCE):
        differs("the connection is closed before the request can be repeated")
    request = peer.ike_sa_init(KeyExchangeMethod.ECP_256).replacing(OFFER)

    assert peer.exchange(request).has(SA), "the right group is not taken"


@FRAGMENTED
@requirement("rfc9329-7.5-fragments-taken")
@turned_red_by("takes-no-fragments-over-tcp")
def test_fragments_are_taken_over_tcp(peer):
    """
    peer                                        target
    Length | 0 | HDR, SKF(1 of 3) {..}, .. HDR, SKF(3 of 3) {..} -->
                                        <--     Length | 0 | HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    peer.connect()
    peer.open_ike_sa()
    request = peer.ike_auth()
    response = peer.exchange_fragments(request, peer.fragments(request))
    peer.take_up(request, response)

    assert peer.echo(), "the Child SA carries no traffic"


@FRAGMENTED
@LARGE
@requirement("rfc9329-7.5-no-fragments-sent")
@turned_red_by("fragments-over-tcp")
def test_no_fragments_are_sent_over_tcp(peer):
    """
    peer                                        target
    Length | 0 | HDR, SK {IDi, CERT+, .., AUTH, SAi2, TSi, TSr} -->
                                        <--     Length | 0 | HDR, SK {IDr, CERT+, .., AUTH, ..}
    """
    peer.connect()
    peer.open_ike_sa()
    response = peer.exchange(peer.ike_auth())

    if parts := peer.fragments_heard(response):
        differs(f"the response comes in {len(parts)} fragments")
