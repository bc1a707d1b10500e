"""Certificates told by hash and URL, which the other side looks up (RFC 7296, 3.6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha1

from peers.reference import der
from peers.reference.credentials import Publication
from peers.reference.errors import PeerError
from peers.reference.numbers import CertEncoding
from peers.reference.payloads import CERT

HASH_SIZE = 20

X509, BUNDLE = CertEncoding.HASH_AND_URL_X509, CertEncoding.HASH_AND_URL_BUNDLE


def payload(encoding: CertEncoding, value: bytes, url: str) -> CERT:
    """Tell the SHA-1 hash of a value, and its URL."""
    return CERT(encoding, sha1(value).digest() + url.encode())


def bundle(certificates: Sequence[bytes], crls: Sequence[bytes] = ()) -> bytes:
    """Encode a CertificateBundle of certificates and CRLs, all DER."""
    parts = [(0, each) for each in certificates] + [(1, each) for each in crls]
    return der.encode(der.SEQUENCE, *(der.encode(der.EXPLICIT + tag, each) for tag, each in parts))


def look_up(cert: CERT, published: Publication, *, checks_hash: bool = True) -> tuple[CERT, ...]:
    """Give what a CERT payload stands for, each certificate or CRL in a payload of its own.

    PeerError when the URL resolves to nothing, or to a value of another hash or form.
    """
    expected, url = cert.data[:HASH_SIZE], cert.data[HASH_SIZE:].decode("ascii", "replace")
    value = published.get(url)
    if value is None:
        raise PeerError(f"there is nothing at {url!r}")
    if checks_hash and sha1(value).digest() != expected:
        raise PeerError(f"what is at {url!r} does not have the hash that was told")
    if cert.encoding == X509:
        return (CERT(CertEncoding.X509_SIGNATURE, value),)
    return tuple(_parts(value))


def _parts(encoded: bytes) -> Iterator[CERT]:
    kinds = {
        der.EXPLICIT: CertEncoding.X509_SIGNATURE,
        der.EXPLICIT + 1: CertEncoding.CRL,
    }
    for tag, content in der.sequence(encoded):
        if tag not in kinds:
            raise PeerError(f"a bundle with a value of tag {tag}")
        yield CERT(kinds[tag], content)
