"""RFC 5280, 5 and 6.3: CRLs, which come in CERT payloads (RFC 7296, 3.6)."""

import pytest
from cryptography import x509

from peers import revocations
from peers.reference.credentials import Revocation
from peers.targets.base import Capability
from suites import revocation
from suites.judge import needs, requirement, turned_red_by, twin_of
from suites.methods import ECDSA_P256, authenticated
from suites.revocation import BOTH_ROLES, RELAXED, STALE, TO_COME, case, mistaken

pytestmark = [needs(Capability.CRL_IN_CERT), authenticated(ECDSA_P256)]

UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\5\0")
"""An extension that nobody has defined."""


@pytest.fixture
def arrange(scene, strict):
    """Have the target judge the peer's certificate by what it gets."""
    return lambda described: scene.judging(described, Revocation(strict=strict))


def _scope(**how):
    flags = dict.fromkeys(
        [
            "only_contains_user_certs",
            "only_contains_ca_certs",
            "indirect_crl",
            "only_contains_attribute_certs",
        ],
        False,
    )
    parts = {"full_name": None, "relative_name": None, "only_some_reasons": None}
    return [(x509.IssuingDistributionPoint(**{**flags, **parts, **how}), True)]


CA_CERTIFICATES = _scope(only_contains_ca_certs=True)
SOME_REASONS = _scope(only_some_reasons=frozenset({x509.ReasonFlags.ca_compromise}))
ELSEWHERE = _scope(full_name=[x509.UniformResourceIdentifier("http://crl.test/other.crl")])


GOOD = pytest.mark.parametrize(
    "build",
    [
        case("lists-nobody", lambda scene, of: scene.crl(scene.authority.issuing),
             "rfc7296-3.6-crl-in-cert", "rfc5280-6.3-status-as-by-the-algorithm"),
        case("lists-another", lambda scene, of: scene.crl(scene.authority.issuing, scene.other),
             "rfc5280-6.3-status-as-by-the-algorithm"),
        case("unknown-extension",
             lambda scene, of: scene.crl(scene.authority.issuing, scene.other,
                                         extensions=[(UNKNOWN, False)],
                                         of_entries=[(UNKNOWN, False)]),
             "rfc5280-6.3-status-as-by-the-algorithm"),
    ],
)  # fmt: skip
"""CRLs by which the peer's certificate is good."""

UNDETERMINED = pytest.mark.parametrize(
    "build",
    [
        case("false-signature",
             lambda scene, of: revocations.forged(scene.crl(scene.authority.issuing)),
             "rfc5280-6.3.3-signature-of-crl"),
        case("of-another-ca", lambda scene, of: scene.crl(scene.authority.above),
             "rfc5280-6.3.3-issuer-of-crl"),
        case("of-ca-certificates",
             lambda scene, of: scene.crl(scene.authority.issuing, extensions=CA_CERTIFICATES),
             "rfc5280-5.2.5-scope-of-crl"),
        case("of-another-distribution-point",
             lambda scene, of: scene.crl(scene.authority.issuing, extensions=ELSEWHERE),
             "rfc5280-5.2.5-scope-of-crl"),
        case("of-some-reasons",
             lambda scene, of: scene.crl(scene.authority.issuing, extensions=SOME_REASONS),
             "rfc5280-5.2.5-some-reasons"),
        case("delta",
             lambda scene, of: scene.crl(scene.authority.issuing,
                                         extensions=[(x509.DeltaCRLIndicator(1), True)]),
             "rfc5280-6.3.3-complete-crl"),
        case("stale", lambda scene, of: scene.crl(scene.authority.issuing, valid=STALE),
             "rfc5280-6.3.3-crl-is-current"),
        case("of-a-time-to-come",
             lambda scene, of: scene.crl(scene.authority.issuing, valid=TO_COME),
             "rfc5280-5.1.2.4-issued-by-now"),
        case("critical-extension",
             lambda scene, of: scene.crl(scene.authority.issuing, extensions=[(UNKNOWN, True)]),
             "rfc5280-5.2-unknown-critical-extension"),
        case("critical-entry-extension",
             lambda scene, of: scene.crl(scene.authority.issuing, scene.other,
                                         of_entries=[(UNKNOWN, True)]),
             "rfc5280-5.3-unknown-critical-entry-extension"),
        case("cut-off", lambda scene, of: scene.crl(scene.authority.issuing)[:-20],
             "rfc5280-6.3.3-signature-of-crl"),
    ],
)  # fmt: skip
"""CRLs that list nobody and leave the status of the peer's certificate undetermined."""

MISTAKEN = pytest.mark.parametrize(
    ("build", "may_refuse"),
    [
        mistaken("false-signature",
                 lambda scene, of: revocations.forged(scene.crl(scene.authority.issuing, of)),
                 "rfc5280-6.3.3-signature-of-crl", may_refuse=True),
        mistaken("of-another-ca", lambda scene, of: scene.crl(scene.authority.above, of),
                 "rfc5280-6.3.3-issuer-of-crl"),
        mistaken("of-a-stranger", lambda scene, of: scene.crl(scene.stranger().issuing, of),
                 "rfc5280-6.3.3-issuer-of-crl", may_refuse=True),
    ],
)  # fmt: skip
"""CRLs that list the number of the peer's certificate and do not revoke it.

What the CA above lists is a certificate of its own that has the same number.
"""


def _crl(peer, scene, build):
    [certificate, *_] = peer.connection.local_credential.chain
    return revocation.crl(build(scene, certificate))


@BOTH_ROLES
@GOOD
@turned_red_by("ignores-crls-in-cert", "takes-no-unknown-extensions")
def test_certificate_that_a_crl_does_not_list_is_relied_on(peer, target, scene, taken, build):
    """
    peer                                        target (wants to know)
    HDR, SK {ID, CERT+, CERT(CRL), AUTH, ...} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH, SAr2, TSi, TSr}
    """
    good = _crl(peer, scene, build)

    assert taken(peer, target, good), "refused though the CRL of its CA does not list it"


@BOTH_ROLES
@RELAXED
@requirement(
    "rfc5280-6.3-status-as-by-the-algorithm",
    "rfc5280-6.1-invalid-path-not-relied-on",
    "rfc7296-3.6-crl-in-cert",
)
@turned_red_by("ignores-crls-in-cert")
def test_certificate_that_a_crl_lists_is_not_relied_on(peer, target, scene, taken):
    """
    peer                                        target
    HDR, SK {ID, CERT+, CERT(CRL with its number), AUTH, ...} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    listed = _crl(peer, scene, lambda scene, of: scene.crl(scene.authority.issuing, of))

    assert not taken(peer, target, listed, wrong="certificate"), "a revoked certificate was taken"


@BOTH_ROLES
@RELAXED
@requirement("rfc5280-6.1-invalid-path-not-relied-on", "rfc5280-6.3-status-as-by-the-algorithm")
@turned_red_by("ignores-crls-in-cert")
def test_certificate_of_a_ca_that_a_crl_lists_is_not_relied_on(peer, target, scene, taken):
    """
    peer                                        target
    HDR, SK {ID, CERT+, CERT(CRL), CERT(CRL of the root CA with the CA's number), AUTH, ...} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    good = _crl(peer, scene, lambda scene, of: scene.crl(scene.authority.issuing))
    of_ca = revocation.crl(scene.crl_about_the_ca(revoked=True))

    accepted = taken(peer, target, good, of_ca, wrong="certificate of the CA")

    assert not accepted, "a certificate of a revoked CA was taken"


@BOTH_ROLES
@RELAXED
@twin_of(test_certificate_of_a_ca_that_a_crl_lists_is_not_relied_on)
@requirement("rfc5280-6.3-status-as-by-the-algorithm")
@turned_red_by("takes-crls-of-other-cas")
def test_certificate_of_a_ca_that_no_crl_lists_is_relied_on(peer, target, scene, taken):
    """
    peer                                        target
    HDR, SK {ID, CERT+, CERT(CRL), CERT(CRL of the root CA without the CA's number), AUTH, ...} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH, SAr2, TSi, TSr}
    """
    [certificate, *_] = peer.connection.local_credential.chain
    good = _crl(peer, scene, lambda scene, of: scene.crl(scene.authority.issuing))
    of_ca = revocation.crl(scene.crl(scene.authority.above, certificate))

    assert taken(peer, target, good, of_ca), "refused for a number in the CRL of another CA"


@BOTH_ROLES
@UNDETERMINED
@twin_of(test_certificate_that_a_crl_does_not_list_is_relied_on)
@turned_red_by(
    "takes-status-with-false-signature",
    "takes-crls-of-other-cas",
    "takes-crls-of-any-scope",
    "takes-some-reasons-for-all",
    "takes-stale-status",
    "takes-status-of-tomorrow",
    "passes-over-critical-crl-extensions",
    "passes-over-critical-entry-extensions",
    "takes-broken-status",
)
def test_crl_that_determines_nothing_does_not_count(peer, target, scene, taken, build):
    """
    peer                                        target (wants to know)
    HDR, SK {ID, CERT+, CERT(CRL that does not count), AUTH, ...} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    wrong = _crl(peer, scene, build)

    accepted = taken(peer, target, wrong, wrong="CRL")

    assert not accepted, "a CRL that determines nothing was taken for a good one"


@BOTH_ROLES
@RELAXED
@MISTAKEN
@twin_of(test_certificate_that_a_crl_lists_is_not_relied_on)
@turned_red_by("takes-crls-of-other-cas")
def test_crl_that_does_not_count_revokes_nothing(
    peer, target, scene, taken, build, may_refuse, administrative
):
    """
    peer                                        target
    HDR, SK {ID, CERT+, CERT(CRL with its number, that does not count), AUTH, ...} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH, SAr2, TSi, TSr}
    or, if somebody signed it who may not:
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    wrong = _crl(peer, scene, build)

    accepted = taken(peer, target, wrong, wrong="CRL")

    if may_refuse and not accepted:
        administrative("a CRL that nobody signed who may ends in a refusal")
        return
    assert accepted, "a number in the CRL of another CA revoked a certificate"
