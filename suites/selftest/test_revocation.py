"""OCSP responses and CRLs: what they say, what speaks against them, and both ends of a wire."""

from dataclasses import replace
from hashlib import sha1

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from scapy.layers.x509 import X509_CRL, OCSP_Response

from peers import revocations
from peers.ca import Authority, KeyType
from peers.reference import certificates, der, revocation
from peers.reference import signature_schemes as schemes
from peers.reference.credentials import OcspResponder, Revocation
from peers.reference.decisions import Decisions
from peers.reference.identity import fqdn
from peers.reference.numbers import CertEncoding, HashAlgorithm
from peers.reference.payloads import CERT, CERTREQ
from peers.reference.revocation import Doubt, Evidence, Sources, Status
from peers.revocations import DAY
from suites.selftest.wires import LEFT, RIGHT, Wire, connection

NOW = 1_000_000_000.0
ECDSA = schemes.ECDSA[HashAlgorithm.SHA2_256]
CA = Authority(NOW)
OURS, OTHERS = (
    CA.credential(fqdn(name), KeyType.ECDSA_P256, ECDSA).chain[0] for name in ("a.test", "b.test")
)
CERTIFICATE = certificates.load(OURS)
ISSUER = certificates.load(CA.intermediate.public_bytes(Encoding.DER))
TRUSTED = CA.trusted_responder("trusted")
SOURCES = Sources(responders=(TRUSTED.certificate.public_bytes(Encoding.DER),), now=NOW)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\5\0")

STALE, TO_COME = (-3 * DAY, -DAY), (DAY, 2 * DAY)


def response(signer=None, of=OURS, issuer=None, **how):
    signed_by = signer or CA.issuing
    return revocations.ocsp_response(signed_by, of, issuer or CA.intermediate, NOW, **how)


def crl(signer=None, listed=(), **how):
    numbers = [x509.load_der_x509_certificate(each).serial_number for each in listed]
    return revocations.crl(signer or CA.issuing, NOW, numbers, **how)


def scope(**how):
    names = ("user_certs", "ca_certs", "attribute_certs")
    parts = {f"only_contains_{name}": False for name in names}
    parts |= {"indirect_crl": False, "only_some_reasons": None}
    parts |= {"full_name": None, "relative_name": None}
    return [(x509.IssuingDistributionPoint(**{**parts, **how}), True)]


URL = [x509.UniformResourceIdentifier("http://crl.test/")]
SOME = frozenset({x509.ReasonFlags.key_compromise})
STRANGERS = Authority(NOW, "nobody's")
STRANGER = STRANGERS.issuing

RESPONSES = [
    (response(), None),
    (response(by_key=True), None),
    (response(CA.designated()), None),
    (response(TRUSTED), None),
    (revocations.joined(CA.issuing, response(of=OTHERS, status=Status.REVOKED), response()), None),
    (response(of=OTHERS), Doubt.ANOTHER_CERTIFICATE),
    (response(issuer=CA.root), Doubt.ANOTHER_CERTIFICATE),
    (revocations.forged(response()), Doubt.FALSE_SIGNATURE),
    (response(STRANGER), Doubt.STRANGER),
    (response(STRANGERS.designated()), Doubt.ANOTHER_CAS_RESPONDER),
    (response(CA.designated(by_root=True)), Doubt.ANOTHER_CAS_RESPONDER),
    (response(status=Status.UNKNOWN), Doubt.UNKNOWN_CERTIFICATE),
    (response(CA.designated(marked=False)), Doubt.NOT_DESIGNATED),
    (response(CA.designated(expired=True)), Doubt.SIGNER_EXPIRED),
    (response(valid=STALE), Doubt.EXPIRED),
    (revocations.joined(CA.issuing, response(valid=STALE), response(of=OTHERS)), Doubt.EXPIRED),
    (response(valid=TO_COME), Doubt.NOT_YET),
    (revocations.unsuccessful(), Doubt.UNSUCCESSFUL),
    (b"0\0", Doubt.MALFORMED),
]

CRLS = [
    (crl(), None),
    (crl(listed=[OTHERS]), None),
    (crl(extensions=[(UNKNOWN, False)]), None),
    (crl(extensions=scope(only_contains_user_certs=True)), None),
    (revocations.forged(crl()), Doubt.FALSE_SIGNATURE),
    (crl(CA.above), Doubt.ANOTHER_ISSUER),
    (crl(extensions=scope(only_contains_ca_certs=True)), Doubt.OUT_OF_SCOPE),
    (crl(extensions=scope(only_contains_attribute_certs=True)), Doubt.OUT_OF_SCOPE),
    (crl(extensions=scope(indirect_crl=True)), Doubt.OUT_OF_SCOPE),
    (crl(extensions=scope(full_name=URL)), Doubt.OUT_OF_SCOPE),
    (crl(extensions=scope(only_some_reasons=SOME)), Doubt.SOME_REASONS),
    (crl(valid=STALE), Doubt.EXPIRED),
    (crl(valid=TO_COME), Doubt.NOT_YET),
    (crl(extensions=[(UNKNOWN, True)]), Doubt.CRITICAL_EXTENSION),
    (crl(extensions=[(x509.DeltaCRLIndicator(1), True)]), Doubt.CRITICAL_EXTENSION),
    (crl(listed=[OTHERS], of_entries=[(UNKNOWN, True)]), Doubt.CRITICAL_ENTRY_EXTENSION),
    (b"0\0", Doubt.MALFORMED),
]


def _ids(cases):
    return [f"{n}-{doubt.name.lower() if doubt else 'none'}" for n, (_, doubt) in enumerate(cases)]


@pytest.mark.parametrize(("octets", "doubt"), RESPONSES, ids=_ids(RESPONSES))
def test_one_doubt_speaks_against_a_response_that_is_wrong_in_one_way(octets, doubt):
    evidence = revocation.of_response(octets, CERTIFICATE, ISSUER, SOURCES)

    assert evidence == Evidence(Status.GOOD, frozenset({doubt} if doubt else ()))


@pytest.mark.parametrize(("octets", "doubt"), CRLS, ids=_ids(CRLS))
def test_one_doubt_speaks_against_a_crl_that_is_wrong_in_one_way(octets, doubt):
    evidence = revocation.of_crl(octets, CERTIFICATE, ISSUER, NOW)

    assert evidence == Evidence(Status.GOOD, frozenset({doubt} if doubt else ()))


def test_a_response_about_what_an_issuer_with_another_kind_of_key_signed_is_malformed():
    """An end entity's DSA key does for an issuer's: its hash is looked for first of all."""
    issuer = CA.credential(fqdn("dsa.test"), KeyType.DSA_1024, ECDSA).chain[0]

    evidence = revocation.of_response(response(), CERTIFICATE, certificates.load(issuer), SOURCES)

    assert evidence.doubts == {Doubt.MALFORMED}


def test_each_doubt_has_a_case():
    assert {doubt for _, doubt in RESPONSES + CRLS} == {None, *Doubt}


@pytest.mark.parametrize("how", [{"valid": STALE}, {"extensions": scope(only_some_reasons=SOME)}])
def test_what_an_old_or_partial_crl_lists_is_revoked(how):
    evidence = revocation.of_crl(crl(listed=[OURS], **how), CERTIFICATE, ISSUER, NOW)

    assert evidence == Evidence(Status.REVOKED)


def test_a_crl_of_ca_certificates_covers_those():
    [(of_cas, _), (of_others, _)] = (
        *scope(only_contains_ca_certs=True),
        *scope(only_contains_user_certs=True),
    )
    root = certificates.load(CA.root.public_bytes(Encoding.DER))
    doubts = [
        revocation.of_crl(crl(CA.above, extensions=[(each, True)]), ISSUER, root, NOW).doubts
        for each in (of_cas, of_others)
    ]

    assert doubts == [frozenset(), frozenset({Doubt.OUT_OF_SCOPE})]


GOOD, BAD = response(), response(status=Status.REVOKED)
LISTS, EMPTY = crl(listed=[OURS]), crl()

COMBINED = [
    ((), (), Status.UNKNOWN),
    ((GOOD,), (), Status.GOOD),
    ((BAD,), (), Status.REVOKED),
    ((response(status=Status.UNKNOWN),), (), Status.UNKNOWN),
    ((response(status=Status.UNKNOWN),), (LISTS,), Status.REVOKED),
    ((GOOD, BAD), (), Status.REVOKED),
    ((), (EMPTY,), Status.GOOD),
    ((), (LISTS,), Status.REVOKED),
    ((), (EMPTY, LISTS), Status.REVOKED),
    ((GOOD,), (LISTS,), Status.GOOD),
    ((BAD,), (EMPTY,), Status.REVOKED),
    ((b"", response(of=OTHERS)), (LISTS,), Status.REVOKED),
    ((b"",), (b"", crl(valid=STALE)), Status.UNKNOWN),
]


@pytest.mark.parametrize(("responses", "crls", "expected"), COMBINED)
def test_ocsp_comes_before_crls_and_doubtful_things_do_not_count(responses, crls, expected):
    sources = Sources(crls=crls, responses=responses, now=NOW)

    assert revocation.status(CERTIFICATE, ISSUER, sources) is expected


@pytest.mark.parametrize(
    "read",
    [
        lambda octets: revocation.of_response(octets, CERTIFICATE, ISSUER, SOURCES),
        lambda octets: revocation.of_crl(octets, CERTIFICATE, ISSUER, NOW),
    ],
    ids=["response", "crl"],
)
@pytest.mark.parametrize("octets", [GOOD, LISTS], ids=["of-response", "of-crl"])
def test_what_is_cut_off_anywhere_is_malformed(read, octets):
    for size in range(len(octets)):
        assert read(octets[:size]).doubts == {Doubt.MALFORMED}


@pytest.mark.parametrize(
    ("octets", "load", "read"),
    [
        (
            GOOD,
            ocsp.load_der_ocsp_response,
            lambda octets: revocation.of_response(octets, CERTIFICATE, ISSUER, SOURCES),
        ),
        (
            EMPTY,
            x509.load_der_x509_crl,
            lambda octets: revocation.of_crl(octets, CERTIFICATE, ISSUER, NOW),
        ),
    ],
    ids=["response", "crl"],
)
def test_no_bit_can_be_changed(octets, load, read):
    """But in one octet: how many bits the BIT STRING of the signature leaves unused at its end."""
    unused = len(octets) - len(load(octets).signature) - 1
    for bit in range(8 * len(octets)):
        changed = bytearray(octets)
        changed[bit // 8] ^= 1 << bit % 8
        believed = not read(bytes(changed)).doubts
        assert not believed or bit // 8 == unused, f"octet {bit // 8}, bit {bit % 8}"


def test_scapy_reads_the_same_response():
    [single] = OCSP_Response(BAD).responseBytes.tbsResponseData.responses

    assert single.certID.serialNumber.val == CERTIFICATE.serial_number
    assert type(single.certStatus.certStatus).__name__ == "OCSP_RevokedInfo"
    assert single.certID.issuerNameHash.val == sha1(ISSUER.subject.public_bytes()).digest()


def test_scapy_reads_the_same_crl():
    listed = X509_CRL(LISTS).tbsCertList.revokedCertificates

    assert [each.serialNumber.val for each in listed] == [CERTIFICATE.serial_number]


def test_a_responder_is_named_by_the_hash_of_what_stands_in_its_certificate():
    """SubjectPublicKeyInfo is cut out of the certificate, octet by octet."""
    octets = TRUSTED.certificate.public_bytes(Encoding.DER)
    (_, signed), *_ = der.sequence(octets)
    tag, key = list(der.values(signed))[6]
    request = certificates.request([octets, octets], CertEncoding.OCSP_CONTENT)

    assert request == CERTREQ(CertEncoding.OCSP_CONTENT, 2 * sha1(der.encode(tag, key)).digest())


# Two endpoints.

NOT_STRICT, STRICT = (Revocation(asks=True, strict=each) for each in (False, True))


def wire_of(told, how, side=LEFT, **options):
    """Have one side judge the other one's certificate by the response that this one sends."""
    described = connection()
    described = replace(
        described,
        local_credential=CA.credential(described.local_identity, KeyType.ECDSA_P256, ECDSA),
        remote_credential=CA.credential(described.remote_identity, KeyType.ECDSA_P256, ECDSA),
    )
    [certificate, *_] = described.local_credential.chain
    responder = OcspResponder("http://x/", told(certificate)) if told else None
    of_the_ca = (crl(CA.above),)
    theirs = replace(
        described.local_credential, responder=responder, revocation=how, crls=of_the_ca
    )
    described = replace(described, local_credential=theirs)
    wire = Wire(described if side == LEFT else described.mirrored(), **options)
    wire.now = NOW
    wire.establish()
    return wire


SIDES = pytest.mark.parametrize("side", [LEFT, RIGHT], ids=["initiator", "responder"])


@SIDES
@pytest.mark.parametrize(
    ("told", "how", "expected"),
    [
        (lambda of: response(of=of), STRICT, True),
        (lambda of: response(of=of, status=Status.REVOKED), NOT_STRICT, False),
        (lambda of: response(STRANGER, of, status=Status.REVOKED), NOT_STRICT, True),
        (lambda of: response(of=OTHERS), STRICT, False),
        (lambda of: response(of=of), Revocation(strict=True), False),
        (None, NOT_STRICT, True),
        (None, STRICT, False),
    ],
    ids=["good", "revoked", "strange", "another", "not-asked", "none-relaxed", "none-strict"],
)
def test_a_side_asks_and_judges_by_what_it_is_told(told, how, expected, side):
    wire = wire_of(told, how, side)

    assert wire.up() is expected, wire.left.log + wire.right.log


@SIDES
def test_the_response_goes_behind_the_certificates_in_a_payload_of_its_own(side):
    told = []

    class Listens(Decisions):
        def told_of_revocation(self, certs):
            told.extend(certs)
            return certs

    listener = (None, Listens()) if side == LEFT else (Listens(), None)
    wire = wire_of(lambda of: response(of=of), NOT_STRICT, side, decisions=listener)

    assert wire.up()
    assert [type(each) for each in told] == [CERT] * 3
    assert [each.encoding for each in told] == [4, 4, 14]
