"""Every algorithm that both sides have, in each role, through each kind of rekey.

One of the IKE SA and the Child SA takes the algorithm. After each step an echo goes through the
Child SA, so that keys of every length are shown to agree in both directions.
"""

import pytest

from peers.reference.crypto import is_combined, is_for_ike
from peers.reference.implemented import FORBIDDEN_FOR_IKE
from peers.reference.negotiation import encr, esp_proposal, ike_proposal, integ, ke, prf
from peers.reference.numbers import (
    Encr,
    Integ,
    KeyExchangeMethod,
    Prf,
    TransformType,
)
from suites import trial
from suites.judge import as_responder, requirement, tries, turned_red_by
from suites.terms import AES_CBC_256, AES_GCM_256, CURVE25519, HMAC_SHA2_256_128, Suite
from suites.terms import PRF_HMAC_SHA2_256 as PRF_SHA2

AES = (128, 192, 256)
CIPHERS = [
    *((each, bits) for each in (Encr.ENCR_AES_CBC, Encr.ENCR_AES_CTR) for bits in AES),
    *(
        (each, bits)
        for each in range(Encr.ENCR_AES_CCM_8, Encr.ENCR_AES_CCM_16 + 1)
        for bits in AES
    ),
    *(
        (each, bits)
        for each in range(Encr.ENCR_AES_GCM_8, Encr.ENCR_AES_GCM_16 + 1)
        for bits in AES
    ),
    *((Encr.ENCR_CAMELLIA_CBC, bits) for bits in AES),
    *((Encr.ENCR_NULL_AUTH_AES_GMAC, bits) for bits in AES),
    (Encr.ENCR_CHACHA20_POLY1305, None),
    (Encr.ENCR_3DES, None),
    (Encr.ENCR_NULL, None),
    (Encr.ENCR_AES_GCM_16_IIV, 256),
    (Encr.ENCR_CHACHA20_POLY1305_IIV, None),
]
INTEGRITY = {
    Integ.AUTH_HMAC_MD5_96: Prf.PRF_HMAC_MD5,
    Integ.AUTH_HMAC_SHA1_96: Prf.PRF_HMAC_SHA1,
    Integ.AUTH_AES_XCBC_96: Prf.PRF_AES128_XCBC,
    Integ.AUTH_AES_CMAC_96: Prf.PRF_AES128_CMAC,
    Integ.AUTH_HMAC_SHA2_256_128: Prf.PRF_HMAC_SHA2_256,
    Integ.AUTH_HMAC_SHA2_384_192: Prf.PRF_HMAC_SHA2_384,
    Integ.AUTH_HMAC_SHA2_512_256: Prf.PRF_HMAC_SHA2_512,
}
"""Integrity algorithms, each with the PRF of its kind: Libreswan takes them in pairs in IKE."""

METHODS = [each for each in KeyExchangeMethod.__members__.values() if each]


IKE = ike_proposal(AES_GCM_256, PRF_SHA2, CURVE25519)
CHILD = esp_proposal(AES_GCM_256)


def cipher_of_ike(number, bits):
    """Take a cipher for the IKE SA, with HMAC-SHA2-256 where it needs an integrity algorithm."""
    cipher = encr(Encr(number), bits)
    beside = () if is_combined(Encr(number)) else (HMAC_SHA2_256_128,)
    return Suite((ike_proposal(cipher, *beside, PRF_SHA2, CURVE25519),), (CHILD,))


def cipher_of_esp(number, bits):
    """Take a cipher for the Child SA, with HMAC-SHA2-256 where it needs an integrity algorithm."""
    beside = () if is_combined(Encr(number)) else (HMAC_SHA2_256_128,)
    return Suite((IKE,), (esp_proposal(encr(Encr(number), bits), *beside),))


def integrity_of_ike(number):
    """Take an integrity algorithm for the IKE SA, beside AES-CBC."""
    ike = ike_proposal(AES_CBC_256, integ(number), prf(INTEGRITY[number]), CURVE25519)
    return Suite((ike,), (CHILD,))


def integrity_of_esp(number):
    """Take an integrity algorithm for the Child SA, beside AES-CBC."""
    return Suite((IKE,), (esp_proposal(AES_CBC_256, integ(number)),))


def with_prf(number):
    """Take a PRF for the IKE SA; it makes the keys of the Child SA too."""
    return Suite((ike_proposal(AES_GCM_256, prf(number), CURVE25519),), (CHILD,))


def with_method(number):
    """Take a key exchange method for the IKE SA and for Child SAs of CREATE_CHILD_SA."""
    ike = ike_proposal(AES_GCM_256, PRF_SHA2, ke(number))
    return Suite((ike,), (esp_proposal(AES_GCM_256, ke(number)),))


def _each(subject, suites):
    """Run a test with each suite, as the rows of the matrix about a subject."""
    cases = [pytest.param(suite, id=name) for name, suite in suites]

    def mark(test):
        return pytest.mark.parametrize("suite", cases)(tries(subject)(test))

    return mark


def _name(number, bits):
    return f"{Encr(number)}{f'-{bits}' if bits else ''}".removeprefix("ENCR_")


IKE_CIPHERS = [
    each
    for each in CIPHERS
    if is_for_ike(Encr(each[0])) and (TransformType.ENCR, each[0]) not in FORBIDDEN_FOR_IKE
]
EACH_CIPHER_OF_IKE = _each(
    "Encryption of IKE", ((_name(*each), cipher_of_ike(*each)) for each in IKE_CIPHERS)
)
EACH_CIPHER_OF_ESP = _each(
    "Encryption of ESP", ((_name(*each), cipher_of_esp(*each)) for each in CIPHERS)
)
EACH_INTEGRITY_OF_IKE = _each(
    "Integrity of IKE", ((str(each), integrity_of_ike(each)) for each in INTEGRITY)
)
EACH_INTEGRITY_OF_ESP = _each(
    "Integrity of ESP", ((str(each), integrity_of_esp(each)) for each in INTEGRITY)
)
EACH_PRF = _each(
    "Pseudorandom function", ((str(each), with_prf(each)) for each in INTEGRITY.values())
)
EACH_METHOD = _each("Key exchange", ((str(each), with_method(each)) for each in METHODS))


@EACH_CIPHER_OF_IKE
@requirement("rfc7296-2.14-keys-derived")
@turned_red_by("rekeys-ike-sa-without-old-key")
def test_cipher_of_ike_as_responder(peer):
    """
    peer                                        target
    IKE_SA_INIT, IKE_AUTH               -->
                                        <--     their responses
    CREATE_CHILD_SA, the Child SA anew  -->
                                        <--     its response
    CREATE_CHILD_SA, the IKE SA anew    -->
                                        <--     its response
    after each: ESP {echo request}      -->
                                        <--     ESP {echo reply}
    PREVENTS: a key, a salt or an ICV of another size than the other side has.
    """
    trial.lead(peer)


@EACH_CIPHER_OF_IKE
@as_responder
@requirement("rfc7296-2.14-keys-derived")
@turned_red_by("rekeys-ike-sa-without-old-key")
def test_cipher_of_ike_as_initiator(peer, target):
    """
    peer                                        target
                                        <--     IKE_SA_INIT, IKE_AUTH
    their responses                     -->
                                        <--     CREATE_CHILD_SA, the Child SA anew
    its response                        -->
                                        <--     CREATE_CHILD_SA, the IKE SA anew
    its response                        -->
    after each: ESP {echo request}      -->
                                        <--     ESP {echo reply}
    PREVENTS: a key, a salt or an ICV of another size than the other side has.
    """
    trial.follow(peer, target)


@EACH_CIPHER_OF_ESP
@requirement("rfc7296-2.17-encryption-key-before-integrity-key")
@turned_red_by("takes-the-integrity-key-first")
def test_cipher_of_esp_as_responder(peer):
    """As with a cipher of IKE. PREVENTS: keys in another order or of another size."""
    trial.lead(peer)


@EACH_CIPHER_OF_ESP
@as_responder
@requirement("rfc7296-2.17-encryption-key-before-integrity-key")
@turned_red_by("takes-the-integrity-key-first")
def test_cipher_of_esp_as_initiator(peer, target):
    """As with a cipher of IKE. PREVENTS: keys in another order or of another size."""
    trial.follow(peer, target)


@EACH_INTEGRITY_OF_IKE
@requirement("rfc7296-3.14-icv-over-whole-message")
@turned_red_by("rekeys-ike-sa-without-old-key")
def test_integrity_of_ike_as_responder(peer):
    """As with a cipher of IKE. PREVENTS: an ICV over other octets, or of another size."""
    trial.lead(peer)


@EACH_INTEGRITY_OF_IKE
@as_responder
@requirement("rfc7296-3.14-icv-over-whole-message")
@turned_red_by("rekeys-ike-sa-without-old-key")
def test_integrity_of_ike_as_initiator(peer, target):
    """As with a cipher of IKE. PREVENTS: an ICV over other octets, or of another size."""
    trial.follow(peer, target)


@EACH_INTEGRITY_OF_ESP
@requirement("rfc7296-2.17-encryption-key-before-integrity-key")
@turned_red_by("makes-integrity-keys-of-32-octets")
def test_integrity_of_esp_as_responder(peer):
    """As with a cipher of IKE. PREVENTS: HMAC-SHA2-512 with keys of HMAC-SHA2-256's size."""
    trial.lead(peer)


@EACH_INTEGRITY_OF_ESP
@as_responder
@requirement("rfc7296-2.17-encryption-key-before-integrity-key")
@turned_red_by("makes-integrity-keys-of-32-octets")
def test_integrity_of_esp_as_initiator(peer, target):
    """As with a cipher of IKE. PREVENTS: HMAC-SHA2-512 with keys of HMAC-SHA2-256's size."""
    trial.follow(peer, target)


@EACH_PRF
@requirement("rfc7296-2.14-keys-derived")
@turned_red_by("makes-child-keys-with-hmac-sha2-256")
def test_prf_as_responder(peer):
    """As with a cipher of IKE. PREVENTS: a key length rule of a PRF that only one side keeps."""
    trial.lead(peer)


@EACH_PRF
@as_responder
@requirement("rfc7296-2.14-keys-derived")
@turned_red_by("makes-child-keys-with-hmac-sha2-256")
def test_prf_as_initiator(peer, target):
    """As with a cipher of IKE. PREVENTS: a key length rule of a PRF that only one side keeps."""
    trial.follow(peer, target)


@EACH_METHOD
@requirement("rfc7296-2.17-keymat-with-key-exchange")
@turned_red_by("leaves-the-key-exchange-out-of-keymat")
def test_key_exchange_as_responder(peer):
    """With a key exchange in each rekey. PREVENTS: another form of the shared secret."""
    trial.lead(peer)


@EACH_METHOD
@as_responder
@requirement("rfc7296-2.17-keymat-with-key-exchange")
@turned_red_by("leaves-the-key-exchange-out-of-keymat")
def test_key_exchange_as_initiator(peer, target):
    """With a key exchange in each rekey. PREVENTS: another form of the shared secret."""
    trial.follow(peer, target)
