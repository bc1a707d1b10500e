"""RFC 8247, section 3: the authentication methods that every implementation of IKEv2 is to have.

What a target says that it lacks is judged here, not excused: that is what these rows ask about.
"""

from dataclasses import replace

import pytest

from peers.ca import KeyType
from peers.reference import signature_schemes as schemes
from peers.reference.numbers import CertEncoding, ExchangeType, HashAlgorithm, NotifyType
from peers.reference.payloads import AUTH, CERT
from peers.targets.base import Capability
from suites import signing
from suites.judge import as_responder, differs, requirement, turned_red_by, twin_of
from suites.methods import (
    ECDSA_P256,
    P256,
    P384,
    P521,
    RSA_2048,
    RSA_3072,
    SHA1,
    SHA2_256,
    SHA2_512,
    Signs,
    authenticated,
    authority,
    psk,
    short_rsa_key,
)


def _case(method, name, *rows, lacked_by=None):
    marks = requirement(*(f"rfc8247-{row}" for row in rows))
    return pytest.param(method, lacked_by, id=name, marks=marks)


def _old_ecdsa(kind, scheme):
    row = f"3.1-{kind.value}"
    return _case(Signs(kind, scheme), str(scheme), row, lacked_by=Capability.LEGACY_ECDSA)


def _pss(kind, algorithm, *rows):
    scheme = schemes.RSA_PSS[algorithm]
    return _case(Signs(kind, scheme), f"{scheme}-{kind.value}", *rows)


TO_BE_IMPLEMENTED = pytest.mark.parametrize(
    ("method", "lacked_by"),
    [
        _case(
            Signs(RSA_2048, schemes.RSA[SHA1]), "rsa-sha1", "3.1-rsa-signature", "3.1.1-rsa-2048"
        ),
        _case(psk, "shared-key", "3.1-shared-key"),
        _old_ecdsa(P256, schemes.ECDSA_256),
        _old_ecdsa(P384, schemes.ECDSA_384),
        _old_ecdsa(P521, schemes.ECDSA_521),
        _case(ECDSA_P256, "ecdsa-sha2-256", "3.1-digital-signature", "3.2-ecdsa-with-sha2-256"),
        _pss(RSA_2048, SHA2_256, "3.2-rsassa-pss", "3.2-sha2-256", "3.1.1-rsa-2048"),
        _pss(RSA_2048, SHA2_512, "3.2-sha2-512"),
        _pss(RSA_3072, SHA2_256, "3.1.1-rsa-3072-and-4096"),
    ],
)
"""Methods, each with the capability that a target lacks which does not have it."""

BREAKS_PROOFS = turned_red_by("signs-shortened-octets", "ends-key-pad-with-zero")


@TO_BE_IMPLEMENTED
@BREAKS_PROOFS
def test_method_is_implemented(request, station, connection, lacked_by):
    """
    peer                                        target
    HDR, SK {IDi, [CERT+,] [CERTREQ,] IDr, AUTH(that method), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, [CERT+,] AUTH, SAr2, TSi, TSr}
    """
    _assert_has(station, lacked_by)
    peer = request.getfixturevalue("peer")

    peer.establish()

    assert peer.echo(), "the Child SA carries no traffic"


@TO_BE_IMPLEMENTED
@as_responder
@BREAKS_PROOFS
def test_method_is_used(request, station, lacked_by, target):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, [CERT+,] AUTH(that method), SAi2, ..}
    HDR, SK {IDr, [CERT+,] AUTH, SAr2, TSi, TSr} -->
    """
    _assert_has(station, lacked_by)
    peer = request.getfixturevalue("peer")

    target.initiate()
    peer.accept()

    assert peer.echo(), "the Child SA carries no traffic"


def _assert_has(station, lacked_by):
    has = lacked_by is None or lacked_by in station.target.capabilities
    assert has, f"not implemented: {lacked_by.value}"


@authenticated(ECDSA_P256)
@requirement("rfc8247-3.2-no-sha1")
@turned_red_by("announces-sha1")
def test_responder_does_not_announce_sha1(peer):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni, N(SIGNATURE_HASH_ALGORITHMS) -->
                                        <--     HDR, SAr1, KEr, Nr, N(SIGNATURE_HASH_ALGORITHMS)
    """
    _assert_without_sha1(peer.exchange(peer.ike_sa_init()))


@authenticated(ECDSA_P256)
@as_responder
@requirement("rfc8247-3.2-no-sha1")
@turned_red_by("announces-sha1")
def test_initiator_does_not_announce_sha1(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni, N(SIGNATURE_HASH_ALGORITHMS)
    """
    target.initiate()

    _assert_without_sha1(peer.hear_request(ExchangeType.IKE_SA_INIT))


def _assert_without_sha1(message):
    announced = message.find_notify(NotifyType.SIGNATURE_HASH_ALGORITHMS)
    data = b"" if announced is None else announced.data
    numbers = [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]
    assert HashAlgorithm.SHA1 not in numbers, f"SHA-1 is announced: {numbers}"


@authenticated(short_rsa_key)
@requirement("rfc8247-3.1.1-no-rsa-below-2048")
@turned_red_by("takes-short-rsa-keys")
def test_initiator_with_a_short_rsa_key_gets_no_sa(peer):
    """
    peer                                        target
    HDR, SK {IDi, CERT+ (RSA, 1024 bits), CERTREQ, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    peer.open_ike_sa()

    response = peer.exchange(peer.ike_auth(), "a signature by an RSA key of 1024 bits")

    if response.has(AUTH):
        differs("a signature by an RSA key of 1024 bits is taken")


@authenticated(short_rsa_key)
@as_responder
@requirement("rfc8247-3.1.1-no-rsa-below-2048")
@turned_red_by("takes-short-rsa-keys")
def test_responder_with_a_short_rsa_key_gets_no_sa(peer, target):
    """
    peer                                        target
    HDR, SK {IDr, CERT+ (RSA, 1024 bits), AUTH, SAr2, TSi, TSr} -->
                                        <--     [HDR, SK {N(AUTHENTICATION_FAILED)}]
    """
    target.initiate()
    request = peer.accept_ike_sa_init()

    peer.answer(request, peer.ike_auth_response(request), "an RSA key of 1024 bits")
    peer.ike.children.clear()
    peer.reactions_so_far()

    if target.established():
        differs("a signature by an RSA key of 1024 bits is taken")


def _by_dsa(peer, station, scheme):
    """Prove the peer by a DSA key of 1024 bits and its certificate; give the target's answer."""
    peer.open_ike_sa()
    request = peer.ike_auth()
    identity = peer.connection.local_identity
    credential = authority(station.link.now()).credential(identity, KeyType.DSA_1024, scheme)
    peer.connection = replace(peer.connection, local_credential=credential)
    certificate = CERT(CertEncoding.X509_SIGNATURE, credential.chain[0])
    proof = signing.by(peer, scheme)
    return peer.exchange(request.replacing(certificate).replacing(proof), f"AUTH by {scheme}")


@authenticated(Signs(RSA_2048, schemes.RSA[SHA1]))
@requirement("rfc8247-3.1-no-dss")
@turned_red_by("takes-dss-signatures")
def test_dss_signature_is_not_taken(peer, station):
    """
    peer                                        target
    HDR, SK {IDi, CERT+ (DSA), CERTREQ, IDr, AUTH(DSS Digital Signature), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    if _by_dsa(peer, station, schemes.DSS).has(AUTH):
        differs("AUTH by method 3, DSS Digital Signature, is taken")


@authenticated(ECDSA_P256)
@requirement("rfc8247-3.2-no-dsa-with-sha1")
@turned_red_by("takes-signatures-over-sha1")
def test_signature_by_dsa_is_not_taken(peer, station):
    """
    peer                                        target
    HDR, SK {IDi, CERT+ (DSA), CERTREQ, IDr, AUTH(method 14, dsa-with-sha1), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    assert not _by_dsa(peer, station, schemes.DSA_SHA1).has(AUTH), "AUTH by dsa-with-sha1 is taken"


_RSA = Signs(RSA_2048, schemes.RSA_PSS[SHA2_256])
_EMPTY = bytes.fromhex("300d06092a864886f70d01010a3000")
_DEFAULT = bytes.fromhex(
    "303e06092a864886f70d01010a3031a00b300906052b0e03021a0500a1183016"
    "06092a864886f70d010108300906052b0e03021a0500a203020114a303020101"
)
"""RSASSA-PSS by its defaults, which are SHA-1, not written out and written out (RFC 7427, A.4)."""


def _signature(method, scheme, row, name="", identifier=b""):
    marks = requirement(f"rfc8247-{row}")
    return pytest.param(method, scheme, identifier, id=name or str(scheme), marks=marks)


OVER_SHA1 = pytest.mark.parametrize(
    ("method", "scheme", "identifier"),
    [
        _signature(ECDSA_P256, schemes.ECDSA[SHA1], "3.2-no-ecdsa-with-sha1"),
        _signature(_RSA, schemes.RSA_PKCS1[SHA1], "3.2-no-rsa-with-sha1"),
        _signature(_RSA, schemes.RSA_PSS[SHA1], "3.2-no-pss-with-sha1", "rsa-pss-empty", _EMPTY),
        _signature(
            _RSA, schemes.RSA_PSS[SHA1], "3.2-no-pss-with-sha1", "rsa-pss-default", _DEFAULT
        ),
    ],
)
OVER_SHA2 = pytest.mark.parametrize(
    ("method", "scheme", "identifier"),
    [
        _signature(ECDSA_P256, schemes.ECDSA[SHA2_256], "3.2-ecdsa-with-sha2-256"),
        _signature(_RSA, schemes.RSA_PSS[SHA2_256], "3.2-rsassa-pss"),
    ],
)


@OVER_SHA1
@turned_red_by("takes-signatures-over-sha1")
def test_initiator_that_signs_over_sha1_gets_no_sa(peer, target, scheme, identifier):
    """
    peer                                        target
    HDR, SK {IDi, CERT+, CERTREQ, IDr, AUTH(14, SHA-1), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    peer.open_ike_sa()
    auth = signing.by_scheme(peer, scheme, identifier)

    response = peer.exchange(peer.ike_auth().replacing(auth), "a signature over SHA-1")

    assert not response.has(AUTH), "a signature over SHA-1 was accepted"
    assert not target.established(), "the target lists an established IKE SA"


@OVER_SHA1
@as_responder
@turned_red_by("takes-signatures-over-sha1")
def test_responder_that_signs_over_sha1_gets_no_sa(peer, target, scheme, identifier):
    """
    peer                                        target
                                        <--     HDR, SK {IDi, CERT+, [IDr,] AUTH, SAi2, TSi, TSr}
    HDR, SK {IDr, CERT+, AUTH(14, SHA-1), SAr2, TSi, TSr} -->
                                        <--     [HDR, SK {N(AUTHENTICATION_FAILED)}]
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    response = peer.ike_auth_response(request)
    auth = signing.by_scheme(peer, scheme, identifier)

    peer.answer(request, response.replacing(auth), "a signature over SHA-1")
    peer.ike.children.clear()
    peer.reactions_so_far()

    assert not target.established(), "the target lists the IKE SA as established"


@OVER_SHA2
@twin_of(test_initiator_that_signs_over_sha1_gets_no_sa)
@turned_red_by("refuses-method-14")
def test_initiator_that_signs_over_sha2_gets_one(peer, scheme, identifier):
    """
    peer                                        target
    HDR, SK {IDi, CERT+, CERTREQ, IDr, AUTH(14, SHA2-256), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, CERT+, AUTH, SAr2, TSi, TSr}
    """
    peer.open_ike_sa()
    request = peer.ike_auth().replacing(signing.by_scheme(peer, scheme, identifier))

    peer.take_up(request, peer.exchange(request))
