"""RFC 8247, section 2: the algorithms that every implementation of IKEv2 is to have, or none may.

What a target says that it lacks is judged here, not excused: that is what these rows ask about.
"""

import pytest

from peers.reference.negotiation import encr, esp_proposal, ike_proposal, integ, ke, prf
from peers.reference.numbers import Encr, Integ, KeyExchangeMethod, Prf
from peers.reference.payloads import SA
from suites.judge import as_responder, requirement, turned_red_by
from suites.terms import (
    AES_CBC_256,
    AES_GCM_256,
    CURVE25519,
    HMAC_SHA2_256_128,
    PRF_HMAC_SHA2_256,
    Suite,
)


def _with_cipher(number, bits=None, *integrity):
    return encr(number, bits), *integrity, PRF_HMAC_SHA2_256, CURVE25519


def _with_prf(number):
    return AES_GCM_256, prf(number), CURVE25519


def _with_integrity(number, beside):
    # Libreswan takes an integrity algorithm and the PRF of its kind in pairs.
    return AES_CBC_256, integ(number), prf(beside), CURVE25519


def _with_group(number):
    return AES_GCM_256, PRF_HMAC_SHA2_256, ke(number)


def _case(row, name, transforms):
    suite = Suite((ike_proposal(*transforms),), (esp_proposal(AES_GCM_256),))
    return pytest.param(suite, id=name, marks=requirement(f"rfc8247-{row}"))


TO_BE_IMPLEMENTED = pytest.mark.parametrize(
    "suite",
    [
        *(
            _case(
                "2.1-aes-cbc",
                f"AES_CBC-{bits}",
                _with_cipher(Encr.ENCR_AES_CBC, bits, HMAC_SHA2_256_128),
            )
            for bits in (128, 256)
        ),
        *(
            _case("2.1-aes-gcm-16", f"AES_GCM_16-{bits}", _with_cipher(Encr.ENCR_AES_GCM_16, bits))
            for bits in (128, 256)
        ),
        _case(
            "2.1-chacha20-poly1305", "CHACHA20_POLY1305", _with_cipher(Encr.ENCR_CHACHA20_POLY1305)
        ),
        _case("2.1-aes-ccm-8", "AES_CCM_8-128", _with_cipher(Encr.ENCR_AES_CCM_8, 128)),
        *(
            _case(f"2.2-{row}", str(number), _with_prf(number))
            for row, number in (
                ("prf-hmac-sha2-256", Prf.PRF_HMAC_SHA2_256),
                ("prf-hmac-sha2-512", Prf.PRF_HMAC_SHA2_512),
                ("prf-hmac-sha1", Prf.PRF_HMAC_SHA1),
                ("prf-aes128-xcbc", Prf.PRF_AES128_XCBC),
            )
        ),
        *(
            _case(f"2.3-{row}", str(number), _with_integrity(number, beside))
            for row, number, beside in (
                ("auth-hmac-sha2-256-128", Integ.AUTH_HMAC_SHA2_256_128, Prf.PRF_HMAC_SHA2_256),
                ("auth-hmac-sha2-512-256", Integ.AUTH_HMAC_SHA2_512_256, Prf.PRF_HMAC_SHA2_512),
                ("auth-hmac-sha1-96", Integ.AUTH_HMAC_SHA1_96, Prf.PRF_HMAC_SHA1),
                ("auth-aes-xcbc-96", Integ.AUTH_AES_XCBC_96, Prf.PRF_AES128_XCBC),
            )
        ),
        _case("2.4-group-14", "MODP_2048", _with_group(KeyExchangeMethod.MODP_2048)),
        _case("2.4-group-19", "ECP_256", _with_group(KeyExchangeMethod.ECP_256)),
    ],
)


@TO_BE_IMPLEMENTED
@turned_red_by("has-nothing-of-an-offer")
def test_algorithm_is_implemented(request, lacking):
    """
    peer                                        target
    HDR, SAi1(that algorithm), KEi, Ni  -->
                                        <--     HDR, SAr1, KEr, Nr
    HDR, SK {IDi, AUTH, SAi2, ...}      -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, ...}
    """
    assert not lacking, f"not implemented: {lacking}"
    peer = request.getfixturevalue("peer")

    peer.establish()

    assert peer.echo(), "the Child SA carries no traffic"


@TO_BE_IMPLEMENTED
@as_responder
@turned_red_by("swaps-child-keys")
def test_algorithm_is_offered(request, lacking, target):
    """
    peer                                        target
                                        <--     HDR, SAi1(that algorithm), KEi, Ni
    HDR, SAr1, KEr, Nr                  -->
                                        <--     HDR, SK {IDi, AUTH, SAi2, ...}
    HDR, SK {IDr, AUTH, SAr2, ...}      -->
    """
    assert not lacking, f"not implemented: {lacking}"
    peer = request.getfixturevalue("peer")

    target.initiate()
    peer.accept()

    assert peer.echo(), "the Child SA carries no traffic"


NOT_TO_BE_IMPLEMENTED = pytest.mark.parametrize(
    "suite",
    [
        _case("2.1-no-des", "DES", _with_cipher(Encr.ENCR_DES, None, HMAC_SHA2_256_128)),
        _case("2.1-no-null", "NULL", _with_cipher(Encr.ENCR_NULL, None, HMAC_SHA2_256_128)),
        _case("2.2-no-prf-hmac-md5", str(Prf.PRF_HMAC_MD5), _with_prf(Prf.PRF_HMAC_MD5)),
        _case(
            "2.3-no-auth-hmac-md5-96",
            str(Integ.AUTH_HMAC_MD5_96),
            _with_integrity(Integ.AUTH_HMAC_MD5_96, Prf.PRF_HMAC_SHA1),
        ),
        _case("2.4-no-group-1", "MODP_768", _with_group(KeyExchangeMethod.MODP_768)),
        _case("2.4-no-group-22", "MODP_1024_S160", _with_group(KeyExchangeMethod.MODP_1024_S160)),
    ],
)


@NOT_TO_BE_IMPLEMENTED
@turned_red_by("has-what-is-forbidden")
def test_forbidden_algorithm_is_not_implemented(request, lacking):
    """
    peer                                        target (told to take it, if it can be)
    HDR, SAi1(that algorithm), KEi, Ni  -->
                                        <--     HDR, N(NO_PROPOSAL_CHOSEN), or another refusal
    """
    if lacking:
        return
    peer = request.getfixturevalue("peer")

    response = peer.exchange(peer.ike_sa_init(), "an algorithm that nobody is to have")

    assert not response.has(SA), f"implemented, and chosen: {response.get(SA)}"
