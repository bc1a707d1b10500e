"""RFC 4806, 4.1: the target asked for an OCSP response, and judges by it what it was sent."""

import pytest

from peers import revocations
from peers.reference.credentials import Revocation
from peers.reference.revocation import Status
from peers.targets.base import Capability
from suites import revocation
from suites.judge import needs, requirement, turned_red_by, twin_of
from suites.methods import ECDSA_P256, authenticated
from suites.revocation import BOTH_ROLES, RELAXED, STALE, TO_COME, case, mistaken

pytestmark = [needs(Capability.OCSP_IN_CERT), authenticated(ECDSA_P256)]

IN_PATH_VALIDATION = "rfc4806-4.1-response-in-path-validation"


@pytest.fixture
def arrange(scene, strict):
    """Have the target ask for the status of the peer's certificate."""
    return lambda described: scene.judging(described, Revocation(asks=True, strict=strict))


GOOD = pytest.mark.parametrize(
    "build",
    [
        case("of-the-ca", lambda scene, of: scene.response(of, scene.authority.issuing),
             IN_PATH_VALIDATION, "rfc4806-3.1-three-groups"),
        case("of-the-ca-named-by-its-key",
             lambda scene, of: scene.response(of, scene.authority.issuing, by_key=True),
             IN_PATH_VALIDATION),
        case("of-a-designated-responder",
             lambda scene, of: scene.response(of, scene.authority.designated()),
             "rfc4806-3.1-three-groups", IN_PATH_VALIDATION),
        case("beside-that-of-another",
             lambda scene, of: revocations.joined(
                 scene.authority.issuing,
                 scene.response(scene.other, scene.authority.issuing, status=Status.REVOKED),
                 scene.response(of, scene.authority.issuing)),
             IN_PATH_VALIDATION),
        case("of-a-trusted-responder", lambda scene, of: scene.response(of, scene.trusted),
             "rfc4806-3.1-three-groups", IN_PATH_VALIDATION),
    ],
)  # fmt: skip
"""Responses by each of those who may sign them (RFC 6960, 2.2)."""

WRONG = pytest.mark.parametrize(
    "build",
    [
        case("another-certificate",
             lambda scene, of: scene.response(scene.other, scene.authority.issuing),
             "rfc6960-3.2-same-certificate"),
        case("another-certificate-of-this-number",
             lambda scene, of: scene.response(of, scene.authority.issuing, of_root=True),
             "rfc6960-3.2-same-certificate"),
        case("false-signature",
             lambda scene, of: revocations.forged(scene.response(of, scene.authority.issuing)),
             "rfc6960-3.2-signature-valid"),
        case("of-a-stranger", lambda scene, of: scene.response(of, scene.stranger().issuing),
             "rfc6960-4.2.2.2-signer-entitled"),
        case("of-a-strangers-responder",
             lambda scene, of: scene.response(of, scene.stranger().designated()),
             "rfc6960-4.2.2.2-signer-entitled"),
        case("of-the-roots-responder",
             lambda scene, of: scene.response(of, scene.authority.designated(by_root=True)),
             "rfc6960-4.2.2.2-signer-entitled"),
        case("of-somebody-not-designated",
             lambda scene, of: scene.response(of, scene.authority.designated(marked=False)),
             "rfc6960-4.2.2.2-designation-enforced", "rfc6960-4.2.2.2-signer-entitled"),
        case("designation-expired",
             lambda scene, of: scene.response(of, scene.authority.designated(expired=True)),
             "rfc6960-3.2-signer-currently-entitled"),
        case("stale", lambda scene, of: scene.response(of, scene.authority.issuing, valid=STALE),
             "rfc6960-3.2-next-update-to-come"),
        case("stale-beside-a-current-one",
             lambda scene, of: revocations.joined(
                 scene.authority.issuing,
                 scene.response(of, scene.authority.issuing, valid=STALE),
                 scene.response(scene.other, scene.authority.issuing)),
             "rfc6960-3.2-next-update-to-come"),
        case("of-a-time-to-come",
             lambda scene, of: scene.response(of, scene.authority.issuing, valid=TO_COME),
             "rfc6960-4.2.2.1-this-update-past"),
        case("cut-off",
             lambda scene, of: scene.response(of, scene.authority.issuing)[:-100],
             IN_PATH_VALIDATION),
        case("unsuccessful", lambda scene, of: revocations.unsuccessful(), IN_PATH_VALIDATION),
        case("unknown",
             lambda scene, of: scene.response(of, scene.authority.issuing, status=Status.UNKNOWN),
             "rfc6960-2.2-unknown-is-not-good"),
    ],
)  # fmt: skip
"""What is not to be accepted as a valid response about the peer's certificate."""

MISTAKEN = pytest.mark.parametrize(
    ("build", "may_refuse"),
    [
        mistaken("another-certificate",
                 lambda scene, of: scene.response(scene.other, scene.authority.issuing,
                                                  status=Status.REVOKED),
                 "rfc6960-3.2-same-certificate"),
        mistaken("another-certificate-of-this-number",
                 lambda scene, of: scene.response(of, scene.authority.issuing, of_root=True,
                                                  status=Status.REVOKED),
                 "rfc6960-3.2-same-certificate"),
        mistaken("false-signature",
                 lambda scene, of: revocations.forged(
                     scene.response(of, scene.authority.issuing, status=Status.REVOKED)),
                 "rfc6960-3.2-signature-valid", may_refuse=True),
        mistaken("of-a-stranger",
                 lambda scene, of: scene.response(of, scene.stranger().issuing,
                                                  status=Status.REVOKED),
                 "rfc6960-4.2.2.2-signer-entitled", may_refuse=True),
        mistaken("of-a-strangers-responder",
                 lambda scene, of: scene.response(of, scene.stranger().designated(),
                                                  status=Status.REVOKED),
                 "rfc6960-4.2.2.2-signer-entitled", may_refuse=True),
        mistaken("of-the-roots-responder",
                 lambda scene, of: scene.response(of, scene.authority.designated(by_root=True),
                                                  status=Status.REVOKED),
                 "rfc6960-4.2.2.2-signer-entitled", may_refuse=True),
        mistaken("of-somebody-not-designated",
                 lambda scene, of: scene.response(of, scene.authority.designated(marked=False),
                                                  status=Status.REVOKED),
                 "rfc6960-4.2.2.2-designation-enforced", "rfc6960-4.2.2.2-signer-entitled",
                 may_refuse=True),
    ],
)  # fmt: skip
"""What says "revoked", and is not to be believed."""


def _response(peer, scene, build):
    [certificate, *_] = peer.connection.local_credential.chain
    return revocation.response(build(scene, certificate))


@BOTH_ROLES
@GOOD
@turned_red_by("ignores-ocsp-responses", "knows-no-designated-responders")
def test_certificate_with_a_good_response_is_relied_on(peer, target, scene, taken, build):
    """
    peer                                        target (wants to know)
                                        <--     CERTREQ(OCSP content)
    HDR, SK {ID, CERT+, CERT(response: good), AUTH, ...} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH, SAr2, TSi, TSr}
    """
    good = _response(peer, scene, build)

    assert taken(peer, target, good), "refused in spite of a good response"


@BOTH_ROLES
@RELAXED
@requirement(IN_PATH_VALIDATION, "rfc5280-6.1-invalid-path-not-relied-on")
@turned_red_by("ignores-ocsp-responses")
def test_revoked_certificate_is_not_relied_on(peer, target, scene, taken):
    """
    peer                                        target
                                        <--     CERTREQ(OCSP content)
    HDR, SK {ID, CERT+, CERT(response: revoked), AUTH, ...} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    [certificate, *_] = peer.connection.local_credential.chain
    revoked = scene.response(certificate, scene.authority.issuing, status=Status.REVOKED)
    told = revocation.response(revoked)

    assert not taken(peer, target, told, wrong="certificate"), "a revoked certificate was accepted"


@BOTH_ROLES
@RELAXED
@requirement(IN_PATH_VALIDATION, "rfc5280-6.1-invalid-path-not-relied-on")
@turned_red_by("ignores-ocsp-responses", "looks-at-the-first-response")
def test_certificate_of_a_revoked_ca_is_not_relied_on(peer, target, scene, taken):
    """
    peer                                        target
                                        <--     CERTREQ(OCSP content)
    HDR, SK {ID, CERT+, CERT(response: good), CERT(response about the CA: revoked), AUTH, ...} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    [certificate, *_] = peer.connection.local_credential.chain
    good = revocation.response(scene.response(certificate, scene.authority.issuing))
    of_ca = revocation.response(scene.response_about_the_ca(Status.REVOKED))

    accepted = taken(peer, target, good, of_ca, wrong="certificate of the CA")

    assert not accepted, "a certificate of a revoked CA was accepted"


@BOTH_ROLES
@twin_of(test_certificate_of_a_revoked_ca_is_not_relied_on)
@requirement("rfc4806-3.2-correlated-by-certid")
@turned_red_by("ignores-ocsp-responses", "looks-at-the-first-response")
def test_responses_are_matched_with_certificates(peer, target, scene, taken):
    """
    peer                                        target (wants to know)
                                        <--     CERTREQ(OCSP content)
    HDR, SK {ID, CERT+, CERT(response about the CA: good), CERT(response: good), AUTH, ...} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH, SAr2, TSi, TSr}
    """
    [certificate, *_] = peer.connection.local_credential.chain
    of_ca = revocation.response(scene.response_about_the_ca(Status.GOOD))
    good = revocation.response(scene.response(certificate, scene.authority.issuing))

    assert taken(peer, target, of_ca, good), "refused in spite of two good responses"


@BOTH_ROLES
@WRONG
@twin_of(test_certificate_with_a_good_response_is_relied_on)
@turned_red_by(
    "takes-responses-about-others",
    "takes-status-with-false-signature",
    "takes-responses-of-strangers",
    "takes-responses-of-any-marked-signer",
    "takes-responses-of-any-certificate-of-the-ca",
    "takes-responses-of-former-responders",
    "takes-stale-status",
    "takes-status-of-tomorrow",
    "takes-broken-status",
    "takes-error-responses",
    "takes-unknown-for-good",
    "takes-crls-of-other-cas",
)
def test_response_that_is_not_valid_does_not_count(peer, target, scene, taken, build):
    """
    peer                                        target (wants to know)
                                        <--     CERTREQ(OCSP content)
    HDR, SK {ID, CERT+, CERT(response: good, not valid), AUTH, ...} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    wrong = _response(peer, scene, build)

    accepted = taken(peer, target, wrong, wrong="OCSP response")

    assert not accepted, "a response that is not valid was taken for a good one"


@BOTH_ROLES
@RELAXED
@MISTAKEN
@twin_of(test_revoked_certificate_is_not_relied_on)
@turned_red_by("takes-responses-about-others", "refuses-unknown-status")
def test_response_that_is_not_valid_revokes_nothing(
    peer, target, scene, taken, build, may_refuse, administrative
):
    """
    peer                                        target
                                        <--     CERTREQ(OCSP content)
    HDR, SK {ID, CERT+, CERT(response: revoked, not valid), AUTH, ...} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH, SAr2, TSi, TSr}
    or, if somebody signed it who may not:
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    wrong = _response(peer, scene, build)

    accepted = taken(peer, target, wrong, wrong="OCSP response")

    if may_refuse and not accepted:
        administrative("a response that nobody signed who may ends in a refusal")
        return
    assert accepted, "a response about another certificate revoked this one"


@BOTH_ROLES
@RELAXED
@requirement("rfc4806-4.1-nothing-required-unasked")
@turned_red_by("refuses-unknown-status")
def test_certificate_without_a_response_is_relied_on(peer, target, taken):
    """
    peer                                        target
                                        <--     CERTREQ(OCSP content)
    HDR, SK {ID, CERT+, AUTH, ...}      -->
                                        <--     HDR, SK {IDr, CERT+, AUTH, SAr2, TSi, TSr}
    """
    assert taken(peer, target), "refused for want of a response that is not required"


@BOTH_ROLES
@RELAXED
@needs(Capability.CRL_IN_CERT)
@twin_of(test_certificate_without_a_response_is_relied_on)
@requirement("rfc4806-4.1-other-means-without-response")
@turned_red_by("ignores-crls-in-cert")
def test_without_a_response_a_crl_decides(peer, target, scene, taken):
    """
    peer                                        target
                                        <--     CERTREQ(OCSP content)
    HDR, SK {ID, CERT+, CERT(CRL), AUTH, ...} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    [certificate, *_] = peer.connection.local_credential.chain
    listed = revocation.crl(scene.crl(scene.authority.issuing, certificate))

    assert not taken(peer, target, listed, wrong="certificate"), "a revoked certificate was taken"
