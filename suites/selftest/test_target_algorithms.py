"""What a target's ``lacks`` says: charon's list, the kernel's answer, our own refusal."""

import random

import pytest

from peers.memory import MemoryLink
from peers.reference.endpoint import Endpoint
from peers.reference.negotiation import encr, esp_proposal, ike_proposal, integ, ke, prf
from peers.reference.numbers import Encr, Integ, KeyExchangeMethod, Prf
from peers.reference.planted.algorithms import HasWhatIsForbidden
from peers.targets.algorithms import charon_lacks, charon_name, kernel_lacks
from peers.targets.base import TargetInfo
from peers.targets.reference import ReferenceTarget
from suites.terms import AES_CBC_256, AES_GCM_256, CURVE25519, HMAC_SHA2_256_128
from suites.terms import PRF_HMAC_SHA2_256 as PRF_SHA2

LISTED = {"AES_CBC", "HMAC_SHA2_256_128", "PRF_HMAC_SHA2_256", "CURVE_25519"}


@pytest.mark.parametrize(
    ("transform", "name"),
    [
        (AES_CBC_256, "AES_CBC"),
        (encr(Encr.ENCR_DES), "DES_CBC"),
        (encr(Encr.ENCR_3DES), "3DES_CBC"),
        (encr(Encr.ENCR_CHACHA20_POLY1305), "CHACHA20_POLY1305"),
        (integ(Integ.AUTH_AES_XCBC_96), "AES_XCBC_96"),
        (prf(Prf.PRF_AES128_CMAC), "PRF_AES128_CMAC"),
        (ke(KeyExchangeMethod.ECP_256), "ECP_256"),
        (ke(KeyExchangeMethod.BRAINPOOL_P224R1), "ECP_224_BP"),
        (ke(KeyExchangeMethod.MODP_1024_S160), "MODP_1024_160"),
    ],
)
def test_charon_lists_an_algorithm_by_its_own_name(transform, name):
    assert charon_name(transform) == name


def test_charon_has_what_it_listed():
    assert not charon_lacks(
        LISTED, ike_proposal(AES_CBC_256, HMAC_SHA2_256_128, PRF_SHA2, CURVE25519)
    )


def test_charon_lacks_what_it_did_not_list():
    proposal = ike_proposal(AES_GCM_256, PRF_SHA2, ke(KeyExchangeMethod.ML_KEM_768))
    said = charon_lacks(LISTED, proposal)
    assert "AES_GCM_16_256" in said
    assert "ML_KEM_768" in said
    assert "PRF_HMAC_SHA2_256" not in said


class Kernel:
    """Answers ``ip xfrm`` with an error for ciphers it does not have; counts the questions."""

    def __init__(self):
        self.asked = []

    def run(self, command):
        self.asked.append(command)
        return "RTNETLINK answers: Function not implemented\n" if "camellia" in command else ""


def test_kernel_is_asked_once_for_each_combination():
    kernel = Kernel()
    lacks = kernel_lacks(kernel)
    camellia = esp_proposal(encr(Encr.ENCR_CAMELLIA_CBC, 256), HMAC_SHA2_256_128)
    assert "Function not implemented" in lacks(camellia)
    assert lacks(camellia)
    assert len(kernel.asked) == 1
    assert not lacks(esp_proposal(AES_CBC_256, HMAC_SHA2_256_128))
    assert not lacks(esp_proposal(AES_GCM_256))
    assert len(kernel.asked) == 3
    assert all("ip xfrm state delete" in each for each in kernel.asked)


def test_kernel_is_not_asked_for_what_it_has_no_name_for():
    kernel = Kernel()
    assert kernel_lacks(kernel)(esp_proposal(encr(Encr.ENCR_AES_GCM_16_IIV, 256)))
    assert not kernel.asked


def reference(decisions=None):
    endpoint = Endpoint(random.Random(1).randbytes, decisions)
    return ReferenceTarget(endpoint, MemoryLink(endpoint, 0.0), TargetInfo("reference", "0", ""))


def test_reference_target_lacks_what_its_endpoint_does_not_implement():
    assert not reference().lacks(esp_proposal(AES_GCM_256))
    assert reference().lacks(esp_proposal(encr(Encr.ENCR_IDEA)))


def test_reference_target_lacks_what_is_forbidden_for_ike():
    forbidden = ike_proposal(AES_GCM_256, prf(Prf.PRF_HMAC_MD5), CURVE25519)

    assert "RFC 8247" in reference().lacks(forbidden)
    assert not reference(HasWhatIsForbidden()).lacks(forbidden)
    assert not reference().lacks(esp_proposal(encr(Encr.ENCR_DES), HMAC_SHA2_256_128))
