"""RFC 7296, 3.6: certificates that are told by hash and URL, and looked up over HTTP."""

from dataclasses import replace

import pytest

from peers.reference import hash_and_url
from peers.reference.credentials import Publication
from peers.reference.numbers import NotifyType
from peers.reference.payloads import AUTH, CERT
from peers.targets.base import Capability
from suites.judge import as_responder, differs, needs, requirement, turned_red_by, twin_of
from suites.methods import ECDSA_P256, authenticated

pytestmark = [needs(Capability.HASH_AND_URL), authenticated(ECDSA_P256)]

PORT = 8080

ENCODINGS = pytest.mark.parametrize("encoding", [hash_and_url.X509, hash_and_url.BUNDLE], ids=str)


@pytest.fixture
def arrange():
    """Publish the certificates of both sides at the peer's address, alone and as bundles."""

    def publish(described):
        ours, theirs = described.local_credential, described.remote_credential
        bundles = map(hash_and_url.bundle, (ours.chain, theirs.chain))
        values = (*ours.chain, *theirs.chain, *bundles)
        published = Publication(f"http://{described.remote}:{PORT}/", values)
        return replace(
            described,
            local_credential=replace(ours, published=published),
            remote_credential=replace(theirs, published=published),
        )

    return publish


@pytest.fixture(autouse=True)
def web(station, connection):
    """Serve what is published."""
    with station.serve(connection.remote_credential.published):
        yield


def _told(peer, message, encoding, *, of=None):
    """Tell the peer's chain by hash and URL; the hash is that of another value, if given."""
    credential = peer.connection.local_credential
    values = credential.chain
    if encoding is hash_and_url.BUNDLE:
        values = (hash_and_url.bundle(values),)
    told = [hash_and_url.payload(encoding, of or v, credential.published.url(v)) for v in values]
    at = next(i for i, payload in enumerate(message.payloads) if isinstance(payload, CERT))
    others = message.without(CERT).payloads
    return replace(message, payloads=(*others[:at], *told, *others[at:]))


@ENCODINGS
@requirement("rfc7296-3.6-hash-and-url")
@turned_red_by("looks-nothing-up", "looks-up-no-bundles", "keeps-lookups-to-itself")
def test_responder_looks_up_certificates(peer, encoding):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni                  -->
                                        <--     HDR, SAr1, KEr, Nr, CERTREQ,
                                                     N(HTTP_CERT_LOOKUP_SUPPORTED)
    HDR, SK {IDi, CERT(hash and URL)+, CERTREQ, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     (looks them up at the peer's address)
                                        <--     HDR, SK {IDr, CERT+, AUTH, SAr2, TSi, TSr}
    """
    peer.open_ike_sa()
    assert peer.ike.peer_looks_up, "no HTTP_CERT_LOOKUP_SUPPORTED, though it is to look up"
    request = _told(peer, peer.ike_auth(), encoding)

    response = peer.exchange(request)

    assert response.has(AUTH), f"certificates by {encoding} are not had: {response}"
    peer.take_up(request, response)
    assert peer.echo(), "the Child SA carries no traffic"


@ENCODINGS
@as_responder
@requirement("rfc7296-3.6-hash-and-url")
@turned_red_by("looks-nothing-up", "looks-up-no-bundles", "keeps-lookups-to-itself")
def test_initiator_looks_up_certificates(peer, target, encoding):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, CERT+, CERTREQ, AUTH, ...,
                                                         N(HTTP_CERT_LOOKUP_SUPPORTED)}
    HDR, SK {IDr, CERT(hash and URL)+, AUTH, SAr2, TSi, TSr} -->
                                        <--     (looks them up at the peer's address)
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    response = peer.ike_auth_response(request)
    assert peer.ike.peer_looks_up, "no HTTP_CERT_LOOKUP_SUPPORTED, though it is to look up"

    peer.answer(request, _told(peer, response, encoding))

    assert peer.is_answered(peer.informational()), f"certificates by {encoding} are not had"


@requirement("rfc7296-3.6-hash-and-url", "rfc7296-3.6-other-schemes-not-used")
@turned_red_by("tells-no-urls", "publishes-over-ftp")
def test_responder_tells_hash_and_url(peer):
    """
    peer                                        target (has its certificates published)
    HDR, SK {IDi, CERT+, N(HTTP_CERT_LOOKUP_SUPPORTED), CERTREQ, IDr, AUTH, ...} -->
                                        <--     HDR, SK {IDr, CERT(hash and URL)+, AUTH, ...}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    response = peer.exchange(request)

    _assert_told(response)
    peer.take_up(request, response)


@as_responder
@requirement("rfc7296-3.6-hash-and-url", "rfc7296-3.6-other-schemes-not-used")
@turned_red_by("tells-no-urls", "publishes-over-ftp")
def test_initiator_tells_hash_and_url(peer, target):
    """
    peer                                        target (has its certificates published)
    HDR, SAr1, KEr, Nr, N(HTTP_CERT_LOOKUP_SUPPORTED), CERTREQ -->
                                        <--     HDR, SK {IDi, CERT(hash and URL)+, AUTH, ...}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()

    _assert_told(request)
    peer.answer(request, peer.ike_auth_response(request))


def _assert_told(message):
    """The peer looks up what was told when it checks AUTH: here it is only seen to be told."""
    told = message.all(CERT)
    assert told, f"no certificate: {message}"
    for cert in told:
        assert cert.encoding == hash_and_url.X509, f"not told by hash and URL: {cert}"
        url = cert.data[hash_and_url.HASH_SIZE :]
        assert url.startswith(b"http://"), f"a URL of another scheme: {url!r}"


@requirement("rfc7296-3.6-urls-for-who-looks-up")
@turned_red_by("tells-urls-to-everybody")
@twin_of(test_responder_tells_hash_and_url)
def test_responder_sends_certificates_to_who_looks_nothing_up(peer):
    """
    peer                                        target (has its certificates published)
    HDR, SK {IDi, CERT+, CERTREQ, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH, SAr2, TSi, TSr}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    quiet = request.without_notify(NotifyType.HTTP_CERT_LOOKUP_SUPPORTED)

    response = peer.exchange(quiet)

    told = [cert for cert in response.all(CERT) if cert.encoding == hash_and_url.X509]
    assert not told, f"told by hash and URL, unasked: {told}"
    peer.take_up(quiet, response)


@requirement("rfc7296-3.6-looked-up-value-has-the-hash")
@turned_red_by("takes-what-a-url-gives")
def test_value_of_another_hash_is_not_taken(peer):
    """
    peer                                        target
    HDR, SK {IDi, CERT(another hash, URL)+, CERTREQ, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    peer.open_ike_sa()
    request = _told(peer, peer.ike_auth(), hash_and_url.X509, of=b"another value")

    response = peer.exchange(request, "certificates whose hashes are not those that are told")

    if response.has(AUTH):
        differs("what the URLs resolve to is taken, though it does not have the hashes told")
