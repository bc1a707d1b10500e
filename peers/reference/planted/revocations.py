"""Planted faults: OCSP responses and CRLs in IKE (RFC 4806; RFC 6960; RFC 5280, 5 and 6.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha1

from peers.reference import der
from peers.reference.credentials import OcspResponder, Revocation
from peers.reference.decisions import Decisions
from peers.reference.errors import AuthenticationFailure
from peers.reference.message import Message
from peers.reference.numbers import CertEncoding
from peers.reference.payloads import CERT, CERTREQ, Payload
from peers.reference.planted.catalogue import fault
from peers.reference.revocation import Doubt

OCSP = CertEncoding.OCSP_CONTENT


# Asking.


@fault("asks-for-no-status")
class AsksForNoStatus(Decisions):
    """OCSP responses are not asked for, though that is configured."""

    def status_request(self, responders: Sequence[bytes]) -> tuple[CERTREQ, ...]:
        return ()


@fault("names-one-responder")
class NamesOneResponder(Decisions):
    """Of several trusted responders only the first is named."""

    def status_request(self, responders: Sequence[bytes]) -> tuple[CERTREQ, ...]:
        return super().status_request(responders[:1])


@fault("hashes-responders-certificates")
class HashesRespondersCertificates(Decisions):
    """A responder is named by the hash of its certificate, not of its public key."""

    def status_request(self, responders: Sequence[bytes]) -> tuple[CERTREQ, ...]:
        return (CERTREQ(OCSP, b"".join(sha1(each).digest() for each in responders)),)


@fault("asks-each-responder-by-itself")
class AsksEachResponderByItself(Decisions):
    """There are as many requests for OCSP responses as there are trusted responders."""

    def status_request(self, responders: Sequence[bytes]) -> tuple[CERTREQ, ...]:
        ask = super().status_request
        return tuple(request for each in responders for request in ask([each]))


@fault("names-a-stranger")
class NamesAStranger(Decisions):
    """Behind the hashes of trusted responders there is one that is nobody's."""

    def status_request(self, responders: Sequence[bytes]) -> tuple[CERTREQ, ...]:
        (request,) = super().status_request(responders)
        return (replace(request, data=request.data + sha1(b"nobody").digest()),)


# Answering.


@fault("keeps-responses-back")
class KeepsResponsesBack(Decisions):
    """The OCSP response is not sent, though it was asked for."""

    def own_response(self, responder: OcspResponder | None, *, asked: bool) -> tuple[CERT, ...]:
        return ()


@fault("answers-named-responders-only")
class AnswersNamedRespondersOnly(Decisions):
    """A request that names no responder is taken for none."""

    def is_asked_for_status(self, requests: Sequence[CERTREQ]) -> bool:
        return super().is_asked_for_status([each for each in requests if each.data])


@fault("sends-responses-unasked")
class SendsResponsesUnasked(Decisions):
    """The OCSP response is sent to everybody."""

    def own_response(self, responder: OcspResponder | None, *, asked: bool) -> tuple[CERT, ...]:
        return super().own_response(responder, asked=True)


@fault("sends-the-basic-response")
class SendsTheBasicResponse(Decisions):
    """What is inside of the OCSPResponse is sent without it: BasicOCSPResponse."""

    def own_response(self, responder: OcspResponder | None, *, asked: bool) -> tuple[CERT, ...]:
        told = super().own_response(responder, asked=asked)
        return tuple(replace(each, data=_basic(each.data)) for each in told)


def _basic(response: bytes) -> bytes:
    _, (_, of_bytes) = der.sequence(response)
    _, (_, basic) = der.sequence(of_bytes)
    return basic


@fault("sends-responses-about-others")
class SendsResponsesAboutOthers(Decisions):
    """The serial number in the OCSP response is that of another certificate."""

    def own_response(self, responder: OcspResponder | None, *, asked: bool) -> tuple[CERT, ...]:
        told = super().own_response(responder, asked=asked)
        return tuple(replace(each, data=_about_another(each.data)) for each in told)


def _about_another(response: bytes) -> bytes:
    """Change the INTEGER behind the two hashes of SHA-1 in CertID (RFC 6960, 4.1.1)."""
    at = _of_key_hash(response) + KEY_HASH
    return _changed(response, at + 1 + response[at + 1])


KEY_HASH = 22
"""Octets of an OCTET STRING with a hash of SHA-1 in it."""


def _of_key_hash(response: bytes) -> int:
    """Find the second hash in CertID, that of the issuer's key: the first one is of its name."""
    start = b"\x04\x14"
    return response.index(start, response.index(start) + KEY_HASH)


def _changed(octets: bytes, at: int) -> bytes:
    return octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :]


@fault("sends-responses-about-other-cas")
class SendsResponsesAboutOtherCas(Decisions):
    """The OCSP response is about the certificate of another CA that has the same serial number."""

    def own_response(self, responder: OcspResponder | None, *, asked: bool) -> tuple[CERT, ...]:
        told = super().own_response(responder, asked=asked)
        return tuple(
            replace(each, data=_changed(each.data, _of_key_hash(each.data) + KEY_HASH - 1))
            for each in told
        )


@fault("joins-response-and-certificate")
class JoinsResponseAndCertificate(Decisions):
    """The OCSP response stands behind the certificate, in one CERT payload."""

    def edit(self, message: Message) -> Message:
        told = [each for each in message.all(CERT) if each.encoding == OCSP]
        if not told:
            return message
        first, *others = (each for each in message.payloads if each not in told)
        certs = [each for each in others if isinstance(each, CERT)]
        joined = replace(certs[0], data=certs[0].data + told[0].data)
        payloads: list[Payload] = [joined if each is certs[0] else each for each in others]
        return replace(message, payloads=(first, *payloads))


@fault("fails-for-want-of-status")
class FailsForWantOfStatus(Decisions):
    """Nobody is authenticated where an OCSP response is asked for and cannot be had."""

    def own_response(self, responder: OcspResponder | None, *, asked: bool) -> tuple[CERT, ...]:
        if asked and responder is None:
            raise AuthenticationFailure("a status is asked for that cannot be had")
        return super().own_response(responder, asked=asked)


# Judging.


@fault("ignores-ocsp-responses")
class IgnoresOcspResponses(Decisions):
    """OCSP responses are asked for, and not looked at."""

    def told_of_revocation(self, certs: Sequence[CERT]) -> Sequence[CERT]:
        return [each for each in certs if each.encoding != OCSP]


@fault("looks-at-the-first-response")
class LooksAtTheFirstResponse(Decisions):
    """Of several OCSP responses only the first is looked at."""

    def told_of_revocation(self, certs: Sequence[CERT]) -> Sequence[CERT]:
        later = [each for each in certs if each.encoding == OCSP][1:]
        return [each for each in certs if each not in later]


@fault("ignores-crls-in-cert")
class IgnoresCrlsInCert(Decisions):
    """CRLs in CERT payloads are not looked at."""

    def told_of_revocation(self, certs: Sequence[CERT]) -> Sequence[CERT]:
        return [each for each in certs if each.encoding != CertEncoding.CRL]


@fault("refuses-unknown-status")
class RefusesUnknownStatus(Decisions):
    """Who asked for an OCSP response refuses a certificate that it has none of."""

    def wants_known_status(self, how: Revocation) -> bool:
        return how.asks or how.strict


class _Credulous(Decisions):
    """Takes what one doubt speaks against."""

    overlooked: Doubt

    def believes_in_spite_of(self, doubt: Doubt) -> bool:
        return doubt is self.overlooked


@fault("takes-responses-about-others")
class TakesResponsesAboutOthers(_Credulous):
    """An OCSP response counts whatever certificate it is about."""

    overlooked = Doubt.ANOTHER_CERTIFICATE


@fault("takes-responses-of-strangers")
class TakesResponsesOfStrangers(_Credulous):
    """An OCSP response counts whoever has signed it."""

    overlooked = Doubt.STRANGER


@fault("takes-responses-of-any-marked-signer")
class TakesResponsesOfAnyMarkedSigner(_Credulous):
    """Whose certificate is for signing OCSP responses may do so for every CA."""

    overlooked = Doubt.ANOTHER_CAS_RESPONDER


@fault("takes-unknown-for-good")
class TakesUnknownForGood(_Credulous):
    """What an OCSP response does not call revoked is good: the status "unknown", too."""

    overlooked = Doubt.UNKNOWN_CERTIFICATE


@fault("takes-responses-of-any-certificate-of-the-ca")
class TakesResponsesOfAnyCertificateOfTheCa(_Credulous):
    """Everybody who has a certificate of the CA may sign OCSP responses."""

    overlooked = Doubt.NOT_DESIGNATED


@fault("takes-responses-of-former-responders")
class TakesResponsesOfFormerResponders(_Credulous):
    """The certificate of a designated responder counts after its end."""

    overlooked = Doubt.SIGNER_EXPIRED


@fault("takes-error-responses")
class TakesErrorResponses(_Credulous):
    """The answer of a responder that cannot answer counts as good."""

    overlooked = Doubt.UNSUCCESSFUL


@fault("takes-status-with-false-signature")
class TakesStatusWithFalseSignature(_Credulous):
    """The signatures of OCSP responses and CRLs are not verified."""

    overlooked = Doubt.FALSE_SIGNATURE


@fault("takes-stale-status")
class TakesStaleStatus(_Credulous):
    """OCSP responses and CRLs count after their nextUpdate."""

    overlooked = Doubt.EXPIRED


@fault("takes-status-of-tomorrow")
class TakesStatusOfTomorrow(_Credulous):
    """OCSP responses and CRLs count before their thisUpdate."""

    overlooked = Doubt.NOT_YET


@fault("takes-broken-status")
class TakesBrokenStatus(_Credulous):
    """An OCSP response or a CRL that cannot be read counts as good."""

    overlooked = Doubt.MALFORMED


@fault("takes-crls-of-other-cas")
class TakesCrlsOfOtherCas(_Credulous):
    """A CRL counts for the certificates of every CA."""

    overlooked = Doubt.ANOTHER_ISSUER


@fault("takes-crls-of-any-scope")
class TakesCrlsOfAnyScope(_Credulous):
    """What certificates a CRL covers is not looked at."""

    overlooked = Doubt.OUT_OF_SCOPE


@fault("takes-some-reasons-for-all")
class TakesSomeReasonsForAll(_Credulous):
    """A CRL of some reasons counts as one of all."""

    overlooked = Doubt.SOME_REASONS


@fault("passes-over-critical-crl-extensions")
class PassesOverCriticalCrlExtensions(_Credulous):
    """Critical extensions of a CRL are skipped."""

    overlooked = Doubt.CRITICAL_EXTENSION


@fault("passes-over-critical-entry-extensions")
class PassesOverCriticalEntryExtensions(_Credulous):
    """Critical extensions of a CRL's entries are skipped."""

    overlooked = Doubt.CRITICAL_ENTRY_EXTENSION


@fault("knows-no-designated-responders")
class KnowsNoDesignatedResponders(Decisions):
    """An OCSP response is that of the CA itself, or none."""

    def told_of_revocation(self, certs: Sequence[CERT]) -> Sequence[CERT]:
        return [each for each in certs if each.encoding != OCSP or not _has_certificates(each)]


def _has_certificates(cert: CERT) -> bool:
    """Look behind the signature: certificates are the fourth value, if there are any."""
    return len(der.sequence(_basic(cert.data))) > OF_THE_CA


OF_THE_CA = 3
"""Values in a BasicOCSPResponse without certificates: data, algorithm and signature."""


@fault("takes-no-unknown-extensions")
class TakesNoUnknownExtensions(Decisions):
    """A CRL with any extension that is not understood does not count, critical or not."""

    def told_of_revocation(self, certs: Sequence[CERT]) -> Sequence[CERT]:
        return [each for each in certs if UNKNOWN_ARC not in each.data]


UNKNOWN_ARC = der.object_identifier("1.3.6.1.4.1.99999.1")
"""The OID of an extension that nobody has defined."""
