"""The decisions about what was revoked, one method each: part of `Decisions`."""

from __future__ import annotations

from collections.abc import Sequence

from peers.reference import certificates
from peers.reference.credentials import OcspResponder, Revocation
from peers.reference.numbers import CertEncoding
from peers.reference.payloads import CERT, CERTREQ
from peers.reference.revocation import Doubt


class RevocationDecisions:
    """The decisions about OCSP responses and CRLs (RFC 4806; RFC 6960, 3.2; RFC 5280, 6.3)."""

    def status_request(self, responders: Sequence[bytes]) -> tuple[CERTREQ, ...]:
        """Ask for an OCSP response, in a CERTREQ of its own (RFC 4806, 4.1)."""
        return (certificates.request(responders, CertEncoding.OCSP_CONTENT),)

    def is_asked_for_status(self, requests: Sequence[CERTREQ]) -> bool:
        """Say whether CERTREQ payloads ask for an OCSP response, with hashes or without (3.1)."""
        return any(each.encoding == CertEncoding.OCSP_CONTENT for each in requests)

    def own_response(self, responder: OcspResponder | None, *, asked: bool) -> tuple[CERT, ...]:
        """Send who asked the response about our certificate, if it can be had (4.2)."""
        if responder is None or not asked:
            return ()
        return (CERT(CertEncoding.OCSP_CONTENT, responder.response),)

    def told_of_revocation(self, certs: Sequence[CERT]) -> Sequence[CERT]:
        """Give the CERT payloads in which CRLs and OCSP responses are looked for: all of them."""
        return certs

    def believes_in_spite_of(self, doubt: Doubt) -> bool:
        """Say whether a response or a CRL is believed in spite of a doubt: never."""
        return False

    def wants_known_status(self, how: Revocation) -> bool:
        """Say whether a certificate of unknown status is refused: where that is configured."""
        return how.strict
