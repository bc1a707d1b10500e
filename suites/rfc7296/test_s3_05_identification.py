"""RFC 7296, 3.5: the types of identities that a side is configured to send and to accept."""

from dataclasses import replace

import pytest

from peers.reference.identity import Identity, address, fqdn, key_id, rfc822
from peers.reference.payloads import IDi, IDr
from suites.judge import as_responder, requirement, turned_red_by


def _arranged(described, ours, theirs):
    return replace(described, local_identity=ours, remote_identity=theirs)


def _by_address(described):
    return _arranged(described, address(described.local), address(described.remote))


def _by_host_name(described):
    return _arranged(described, fqdn("gateway.target.test"), fqdn(f"{described.name}.peer.test"))


def _by_mail_address(described):
    return _arranged(described, rfc822("it@target.test"), rfc822(f"{described.name}@peer.test"))


def _by_key_id(described):
    return _arranged(
        described, key_id(b"\x01target\xfe"), key_id(described.name.encode() + b"\xff")
    )


EACH_TYPE = pytest.mark.parametrize(
    "arrange",
    [
        pytest.param(_by_address, id="ipv4-address"),
        pytest.param(_by_host_name, id="fqdn"),
        pytest.param(_by_mail_address, id="rfc822-address"),
        pytest.param(_by_key_id, id="key-id"),
    ],
)
IPV6_ADDRESS = pytest.mark.parametrize(
    ("family", "arrange"), [pytest.param(6, _by_address, id="ipv6-address")]
)


@EACH_TYPE
@requirement("rfc7296-3.5-identity-types-accepted")
@turned_red_by("knows-host-names-only", "looks-for-its-peer-in-idr")
def test_identity_of_an_initiator_is_accepted(peer):
    """
    peer                                        target (is told the peer's identity)
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    peer.establish()

    assert peer.echo(), "the Child SA carries no traffic"


@EACH_TYPE
@as_responder
@requirement("rfc7296-3.5-identity-types-accepted")
@turned_red_by("knows-host-names-only")
def test_identity_of_a_responder_is_accepted(peer, target):
    """
    peer                                        target (is told the peer's identity)
                                        <--     HDR, SK {IDi, [IDr,] AUTH, SAi2, TSi, TSr}
    HDR, SK {IDr, AUTH, SAr2, TSi, TSr} -->
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    target.initiate()
    peer.accept()

    assert peer.echo(), "the Child SA carries no traffic"


@IPV6_ADDRESS
@requirement("rfc7296-3.5-ipv6-address-accepted")
@turned_red_by("knows-host-names-only")
def test_ipv6_address_of_an_initiator_is_accepted(peer):
    """
    peer                                        target (is told the peer's identity)
    HDR, SK {IDi(ID_IPV6_ADDR), IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    peer.establish()

    assert peer.echo(), "the Child SA carries no traffic"


@EACH_TYPE
@requirement("rfc7296-3.5-identity-types-sent")
@turned_red_by("sends-every-identity-as-key-id")
def test_responder_sends_the_identity_that_it_is_configured_with(peer, target):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    peer.open_ike_sa()
    response = peer.exchange(peer.ike_auth())

    _assert_identity(response.get(IDr), target)


@EACH_TYPE
@as_responder
@requirement("rfc7296-3.5-identity-types-sent")
@turned_red_by("sends-every-identity-as-key-id")
def test_initiator_sends_the_identity_that_it_is_configured_with(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, [IDr,] AUTH, SAi2, TSi, TSr}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()

    _assert_identity(request.get(IDi), target)


def _assert_identity(payload, target):
    configured = target.connection.local_identity
    sent = Identity.of(payload)
    assert sent == configured, f"{sent} of type {sent.type} for {configured} of {configured.type}"
