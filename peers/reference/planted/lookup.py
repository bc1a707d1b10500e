"""Planted faults: certificates by hash and URL (RFC 7296, 3.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from peers.reference import hash_and_url
from peers.reference.credentials import Publication, Signature
from peers.reference.decisions import Decisions
from peers.reference.errors import PeerError
from peers.reference.message import Message
from peers.reference.numbers import NotifyType
from peers.reference.payloads import CERT
from peers.reference.planted.catalogue import fault


@fault("looks-nothing-up")
class LooksNothingUp(Decisions):
    """Certificates that are told by hash and URL are never had."""

    def look_up(self, cert: CERT, published: Publication) -> Sequence[CERT]:
        raise PeerError("nothing is looked up")


@fault("looks-up-no-bundles")
class LooksUpNoBundles(Decisions):
    """A bundle that is told by hash and URL is never had."""

    def look_up(self, cert: CERT, published: Publication) -> Sequence[CERT]:
        if cert.encoding == hash_and_url.BUNDLE:
            raise PeerError("no bundle is looked up")
        return super().look_up(cert, published)


@fault("takes-what-a-url-gives")
class TakesWhatAUrlGives(Decisions):
    """What a URL resolves to is taken, whatever hash was told."""

    def look_up(self, cert: CERT, published: Publication) -> Sequence[CERT]:
        return hash_and_url.look_up(cert, published, checks_hash=False)


@fault("keeps-lookups-to-itself")
class KeepsLookupsToItself(Decisions):
    """HTTP_CERT_LOOKUP_SUPPORTED is never sent, though certificates are looked up."""

    def edit(self, message: Message) -> Message:
        return message.without_notify(NotifyType.HTTP_CERT_LOOKUP_SUPPORTED)


@fault("tells-no-urls")
class TellsNoUrls(Decisions):
    """The certificates themselves are sent, though they are published and would be looked up."""

    def own_certificates(self, credential: Signature, *, looked_up: bool) -> tuple[CERT, ...]:
        return super().own_certificates(credential, looked_up=False)


@fault("tells-urls-to-everybody")
class TellsUrlsToEverybody(Decisions):
    """What is published is told by hash and URL, also to who does not look anything up."""

    def own_certificates(self, credential: Signature, *, looked_up: bool) -> tuple[CERT, ...]:
        return super().own_certificates(credential, looked_up=True)


@fault("publishes-over-ftp")
class PublishesOverFtp(Decisions):
    """The URLs of certificates are of the scheme ftp."""

    def own_certificates(self, credential: Signature, *, looked_up: bool) -> tuple[CERT, ...]:
        certs = super().own_certificates(credential, looked_up=looked_up)
        return tuple(replace(each, data=each.data.replace(b"http:", b"ftp:")) for each in certs)
