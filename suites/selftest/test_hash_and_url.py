"""Certificates by hash and URL: the payload, the bundle, and the server that has them."""

import socket
from hashlib import sha1
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.asn1.ber import BER_id_dec, BER_len_dec

from peers.lab.web import serving
from peers.reference import der, hash_and_url
from peers.reference.credentials import OcspResponder, Publication
from peers.reference.errors import Inconclusive, MalformedMessage, PeerError
from peers.reference.numbers import CertEncoding
from peers.reference.payloads import CERT

BASE = "http://192.0.2.1:8080/"
SEQUENCES = st.binary(max_size=300).map(lambda content: der.encode(der.SEQUENCE, content))
"""Certificates and CRLs are each a SEQUENCE; what is in it is not read here."""


def told(encoding, value, *, base=BASE):
    published = Publication(base, (value,))
    return hash_and_url.payload(encoding, value, published.url(value)), published


def x509(octets):
    return CERT(CertEncoding.X509_SIGNATURE, octets)


def test_payload_has_the_hash_and_the_url():
    cert, _ = told(hash_and_url.X509, b"a certificate")

    digest = sha1(b"a certificate")
    assert cert.data == digest.digest() + BASE.encode() + digest.hexdigest().encode()
    assert cert.encoding == 12


def test_payload_is_shown_with_its_url():
    cert, published = told(hash_and_url.BUNDLE, b"a bundle")

    assert str(cert) == f"CERT(HASH_AND_URL_BUNDLE, '{published.url(b'a bundle')}')"
    assert (
        str(CERT(hash_and_url.X509, bytes(20) + b"\n<b>")) == "CERT(HASH_AND_URL_X509, 24 octets)"
    )


@given(SEQUENCES)
def test_a_single_certificate_is_looked_up(value):
    assert hash_and_url.look_up(*told(hash_and_url.X509, value)) == (x509(value),)


@given(st.lists(SEQUENCES, max_size=4), st.lists(SEQUENCES, max_size=2))
def test_a_bundle_gives_back_what_went_in(certificates, crls):
    found = hash_and_url.look_up(
        *told(hash_and_url.BUNDLE, hash_and_url.bundle(certificates, crls))
    )

    expected = [x509(each) for each in certificates]
    assert found == (*expected, *(CERT(CertEncoding.CRL, each) for each in crls))


def read_by_scapy(octets):
    while octets:
        tag, rest = BER_id_dec(octets)
        size, rest = BER_len_dec(rest)
        yield tag, rest[:size]
        octets = rest[size:]


@given(st.lists(SEQUENCES, max_size=3), st.lists(SEQUENCES, max_size=2))
def test_scapy_reads_the_same_bundle(certificates, crls):
    [(tag, content)] = read_by_scapy(hash_and_url.bundle(certificates, crls))

    assert tag == 0x30
    parts = [(0xA0, each) for each in certificates] + [(0xA1, each) for each in crls]
    assert list(read_by_scapy(content)) == parts


def test_a_bundle_that_is_cut_anywhere_is_refused():
    whole = hash_and_url.bundle([der.encode(der.SEQUENCE, bytes(200))], [b"\x30\x00"])

    for size in range(len(whole)):
        with pytest.raises(PeerError):
            hash_and_url.look_up(*told(hash_and_url.BUNDLE, whole[:size]))


def test_a_bundle_of_something_else_is_refused():
    value = der.encode(der.SEQUENCE, der.encode(der.EXPLICIT + 2, b"\x30\x00"))

    with pytest.raises(PeerError, match="tag 162"):
        hash_and_url.look_up(*told(hash_and_url.BUNDLE, value))


def test_a_value_of_another_hash_is_refused_unless_that_is_overlooked():
    _, published = told(hash_and_url.X509, b"this")
    cert = hash_and_url.payload(hash_and_url.X509, b"that", published.url(b"this"))

    with pytest.raises(PeerError, match="does not have the hash"):
        hash_and_url.look_up(cert, published)
    assert hash_and_url.look_up(cert, published, checks_hash=False) == (x509(b"this"),)


@pytest.mark.parametrize("data", [b"", bytes(19), bytes(20), bytes(20) + b"http://x/\xff"])
def test_a_url_of_nothing_is_refused(data):
    with pytest.raises(PeerError, match="nothing at"):
        hash_and_url.look_up(CERT(hash_and_url.X509, data), Publication(BASE, (b"a value",)))


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_lengths_of_der_are_read_as_written(size):
    assert list(der.values(der.encode(der.SEQUENCE, bytes(size)))) == [(der.SEQUENCE, bytes(size))]


@pytest.mark.parametrize(
    "octets", ["3080", "308100", "30817f" + "00" * 127, "30820080" + "00" * 128]
)
def test_lengths_that_are_no_der_are_refused(octets):
    with pytest.raises(MalformedMessage, match="no length of DER"):
        list(der.values(bytes.fromhex(octets)))


# The server. It listens on loopback here.


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_what_is_published_can_be_had():
    published = Publication(f"http://127.0.0.1:{free_port()}/", (b"one", bytes(70000)))

    with serving(published, socket.socket):
        for value in published.values:
            with urlopen(published.url(value), timeout=5) as answer:
                assert answer.read() == value
        with pytest.raises(HTTPError) as refused, urlopen(f"{published.base}other", timeout=5):
            pass
    assert refused.value.code == 404


def test_a_responder_answers_every_request_with_its_response():
    responder = OcspResponder(f"http://127.0.0.1:{free_port()}/", b"a response")

    with serving(responder, socket.socket):
        for request in (b"a request", bytes(70000)):
            with urlopen(Request(responder.url, request), timeout=5) as answer:
                assert answer.read() == b"a response"
                assert answer.headers["Content-Type"] == "application/ocsp-response"
        with pytest.raises(HTTPError), urlopen(Request(responder.base, b"request"), timeout=5):
            pass


@pytest.mark.parametrize("length", ["-1", "many", "+9", "", "\xb2"])
def test_a_request_whose_length_is_no_number_is_refused_at_once(length):
    responder = OcspResponder(f"http://127.0.0.1:{free_port()}/", b"a response")

    with serving(responder, socket.socket):
        request = Request(responder.url, b"a request", {"Content-Length": length})
        with pytest.raises(HTTPError) as refused, urlopen(request, timeout=2):
            pass
    assert refused.value.code == 400


def test_an_address_that_is_taken_is_said():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        published = Publication(f"http://127.0.0.1:{holder.getsockname()[1]}/", ())
        holder.listen()

        with (
            pytest.raises(Inconclusive, match="nothing can be served"),
            serving(published, socket.socket),
        ):
            pass
