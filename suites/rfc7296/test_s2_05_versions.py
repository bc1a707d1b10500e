"""RFC 7296, 2.5: version numbers, critical and unknown payloads, reserved bits."""

import pytest

from peers.reference.faults import CriticalBit, MajorVersion, MinorVersion, ReservedBits
from peers.reference.numbers import ExchangeType, NotifyType, PayloadType
from peers.reference.payloads import KE, SA, IDi, Nonce, Notify, TSi, Unknown
from suites.judge import as_responder, differs, requirement, turned_red_by, twin_of
from suites.observe import opens_ike_sa

UNKNOWN_TYPES = pytest.mark.parametrize("number", [1, 32, 100, 200, 255])
ONE_UNKNOWN_TYPE = pytest.mark.parametrize("number", [200])


@pytest.mark.parametrize("minor", [1, 15])
@requirement("rfc7296-2.5-minor-version-ignored")
@turned_red_by("refuses-higher-minor-version")
def test_higher_minor_version_is_ignored(peer, minor):
    """
    peer                                        target
    HDR(2.1), SAi1, KEi, Ni             -->
                                        <--     HDR(2.0), SAr1, KEr, Nr
    """
    response = peer.exchange(peer.ike_sa_init().with_fault(MinorVersion(to=minor)))

    assert response.has(SA, KE, Nonce), "a request of version 2.x is refused"
    assert (response.major, response.minor) == (2, 0)


@requirement("rfc7296-2.5-major-version-dropped")
@turned_red_by("accepts-higher-major-version")
def test_higher_major_version_is_not_processed(peer, target):
    """
    peer                                        target
    HDR(3.0), SAi1, KEi, Ni             -->
                                                no SAr1
    HDR(2.0), SAi1, KEi, Ni (fence)     -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    message = peer.ike_sa_init().with_fault(MajorVersion(to=3))

    assert not opens_ike_sa(peer, target, message), "version 3.0 was negotiated"


@requirement("rfc7296-2.5-invalid-major-version-sent")
@turned_red_by("silent-on-higher-major-version", "accepts-higher-major-version")
def test_higher_major_version_is_told(peer):
    """
    peer                                        target
    HDR(3.0), SAi1, KEi, Ni             -->
                                        <--     HDR(2.0), N(INVALID_MAJOR_VERSION)
    """
    reactions = peer.reactions(peer.ike_sa_init().with_fault(MajorVersion(to=3)))

    told = [each for each in reactions if NotifyType.INVALID_MAJOR_VERSION in each.notifies]
    assert told, "no INVALID_MAJOR_VERSION"
    assert told[0].major == 2, f"answered in version {told[0].major}"
    data = told[0].notify(NotifyType.INVALID_MAJOR_VERSION).data
    assert len(data) <= 1, f"{len(data)} octets of data instead of one version number or none"


@requirement("rfc7296-2.4-unprotected-message-not-failure")
@turned_red_by("restarts-at-ikev1")
def test_message_of_ikev1_does_no_harm(established):
    """
    peer                                        target
    HDR(1.0, Quick Mode), HASH          -->     (cookies: the SPIs of the IKE SA)
                                                nothing within the IKE SA
    HDR, SK {}                          -->
                                        <--     HDR, SK {}
    PREVENTS: a daemon that a message of the old protocol ends (F64).
    """
    cookies = established.ike.spi_i + established.ike.spi_r
    hash_payload = b"\0\0\0\x24" + bytes(32)
    quick_mode, encrypted, message_id = b"\x08\x10\x20", b"\1", b"\1\2\3\4"
    length = (28 + len(hash_payload)).to_bytes(4, "big")
    octets = cookies + quick_mode + encrypted + message_id + length + hash_payload

    reactions = established.reactions_to_octets(octets)

    assert not any(each.protected for each in reactions), f"within the IKE SA: {reactions}"
    assert established.echo(), "the Child SA carries no traffic"


@UNKNOWN_TYPES
@requirement("rfc7296-2.5-unknown-critical-rejected")
@turned_red_by("reads-critical-bit-in-the-wrong-place")
def test_unknown_critical_payload_is_rejected(peer, number):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni, X(critical)     -->
                                        <--     HDR, N(UNSUPPORTED_CRITICAL_PAYLOAD, X)
    PREVENTS: a mask error that reads the critical bit in the wrong place.
    """
    message = peer.ike_sa_init() + Unknown(PayloadType(number), critical=True)
    reactions = peer.reactions(message, "unknown critical payload")

    _assert_rejected(reactions, number)


def _assert_rejected(reactions, number):
    assert not any(each.has(SA) for each in reactions), "a rejected message must not be accepted"
    told = [each.find_notify(NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD) for each in reactions]
    if not any(told):
        differs(f"refused without UNSUPPORTED_CRITICAL_PAYLOAD: {[str(r) for r in reactions]}")
    named = [notify.data.hex() for notify in told if notify]
    assert named == [f"{number:02x}"], f"payload type {number} was sent, {named} is named"


@UNKNOWN_TYPES
@twin_of(test_unknown_critical_payload_is_rejected)
@requirement("rfc7296-2.5-unknown-noncritical-ignored")
@turned_red_by("refuses-unknown-payloads")
def test_the_same_payload_without_the_critical_bit_is_ignored(peer, number):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni, X               -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    response = peer.exchange(peer.ike_sa_init() + Unknown(PayloadType(number)))

    assert response.has(SA, KE, Nonce)


@ONE_UNKNOWN_TYPE
@requirement("rfc7296-2.5-unknown-critical-rejected")
@turned_red_by("reads-critical-bit-in-the-wrong-place")
def test_unknown_critical_payload_inside_sk_is_rejected(established, number):
    """
    peer                                        target
    HDR, SK {}                          -->
                                        <--     HDR, SK {}
    HDR, SK {X(critical)}               -->
                                        <--     HDR, SK {N(UNSUPPORTED_CRITICAL_PAYLOAD, X)}
    HDR, SK {}                          -->
                                        <--     HDR, SK {}
    """
    unknown = Unknown(PayloadType(number), critical=True)
    established.exchange(established.informational())
    request = established.informational(unknown)
    response = established.exchange(request, "unknown critical payload")

    _assert_rejected([response], number)
    assert response.types == [Notify], "something was answered besides"
    if not established.is_answered(established.informational()):
        differs("the IKE SA was closed because of one message that was rejected")


@ONE_UNKNOWN_TYPE
@twin_of(test_unknown_critical_payload_inside_sk_is_rejected)
@requirement("rfc7296-2.5-unknown-noncritical-ignored")
@turned_red_by("refuses-unknown-payloads")
def test_the_same_payload_inside_sk_without_the_critical_bit_is_ignored(established, number):
    """
    peer                                        target
    HDR, SK {X}                         -->
                                        <--     HDR, SK {}
    """
    unknown = Unknown(PayloadType(number))

    response = established.exchange(established.informational(unknown))

    assert response.payloads == (), f"the unknown payload is not ignored: {response}"


@as_responder
@requirement("rfc7296-2.5-unknown-critical-in-response-rejected")
@turned_red_by("ignores-critical-bit-in-responses")
def test_unknown_critical_payload_in_a_response_is_rejected(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, SAr1, KEr, Nr, X(critical)     -->
                                                no IKE_AUTH
    """
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    response = peer.ike_sa_init_response(request)
    critical = Unknown(PayloadType(200), critical=True)
    peer.answer(request, response + critical, "unknown critical payload")
    reactions = peer.reactions_so_far()

    went_on = [each for each in reactions if each.exchange == ExchangeType.IKE_AUTH]
    assert not went_on, "the initiator goes on to IKE_AUTH"


@as_responder
@twin_of(test_unknown_critical_payload_in_a_response_is_rejected)
@requirement("rfc7296-2.5-unknown-noncritical-ignored")
@turned_red_by("refuses-unknown-payloads-in-responses")
def test_the_same_payload_in_a_response_without_the_critical_bit_is_ignored(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, SAr1, KEr, Nr, X               -->
                                        <--     HDR, SK {IDi, AUTH, SAi2, TSi, TSr}
    """
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    response = peer.ike_sa_init_response(request)
    peer.answer(request, response + Unknown(PayloadType(200)))

    went_on = peer.hear_request(ExchangeType.IKE_AUTH)

    assert went_on.protected, "IKE_AUTH is not protected"


@pytest.mark.parametrize("kind", [SA, KE, Nonce])
@requirement("rfc7296-2.5-reserved-ignored", "rfc7296-3.2-reserved-bits-ignored")
@turned_red_by("minds-reserved-payload-bits")
def test_reserved_bits_of_a_payload_header_are_ignored(peer, kind):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni with RESERVED set in a payload header -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    response = peer.exchange(peer.ike_sa_init().with_fault(ReservedBits(of=kind)))

    assert response.has(SA, KE, Nonce)


@pytest.mark.parametrize("kind", [IDi, SA, TSi])
@requirement("rfc7296-2.5-reserved-ignored", "rfc7296-3.2-reserved-bits-ignored")
@turned_red_by("minds-reserved-payload-bits")
def test_reserved_bits_inside_sk_are_ignored(peer, kind):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr} with RESERVED set -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()

    peer.take_up(request, peer.exchange(request.with_fault(ReservedBits(of=kind))))

    assert peer.echo(), "the Child SA carries no traffic"


@pytest.mark.parametrize("kind", [SA, KE, Nonce])
@requirement("rfc7296-3.2-known-payload-critical-ignored")
@turned_red_by("refuses-known-critical-payloads")
def test_critical_bit_of_a_known_payload_is_ignored(peer, kind):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni, one of them critical -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    response = peer.exchange(peer.ike_sa_init().with_fault(CriticalBit(of=kind)))

    assert response.has(SA, KE, Nonce)
