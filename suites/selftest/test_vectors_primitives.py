"""The vectors of the package `cryptography-vectors`, read and judged."""

from collections import Counter
from dataclasses import replace

import pytest

from vectors.checks import Disagreement
from vectors.judge import judge, verdict
from vectors.primitives import SUBJECTS
from vectors.primitives.responses import blocks

COUNTS = {
    "aes-cbc": {"valid": 2138},
    "aes-gcm": {"valid": 1681, "invalid": 1694},
    "aes-ccm": {"valid": 30},
    "camellia-cbc": {"valid": 12},
    "3des-cbc": {"valid": 530},
    "des-cbc": {"valid": 470},
    "chacha20-poly1305": {"valid": 4, "invalid": 1},
    "aes-cmac": {"valid": 4},
    "ecp-exchanges": {"valid": 108},
    "ecp-public-values": {"valid": 12, "invalid": 16},
    "brainpool-exchanges": {"valid": 3},
    "ml-kem": {"valid": 60},
    "rsa-pkcs1": {"valid": 60, "invalid": 300},
    "rsa-pss": {"valid": 60, "invalid": 300},
    "ecdsa": {"valid": 45, "invalid": 180},
    "ed25519": {"valid": 1024},
}
"""Cases of each subject: a reader that passes tests over is seen here."""


@pytest.mark.parametrize("name", SUBJECTS)
def test_subject_is_read_whole(name):
    cases = SUBJECTS[name]().cases

    assert Counter(case.result for case in cases) == COUNTS[name]
    assert len({case.id for case in cases}) == len(cases)


@pytest.mark.parametrize("name", SUBJECTS)
def test_peer_agrees(name):
    found = verdict(SUBJECTS[name]())

    assert not found.disagreements
    assert not found.missing


OUTPUTS = {
    "cipher": "ciphertext",
    "key-encapsulation": "secret_of_nobody",
    "key-exchange": "shared",
    "prf": "output",
}


@pytest.mark.parametrize("name", SUBJECTS)
def test_wrong_value_or_result_is_a_disagreement(name):
    """The twin: one bit of what a case says is changed, or a good one called invalid."""
    vectors = SUBJECTS[name]()
    case = next(case for case in vectors.cases if case.result == "valid")
    if vectors.kind in OUTPUTS:
        cases = [each for each in vectors.cases if each.values[OUTPUTS[vectors.kind]]]
        case = next(each for each in cases if each.result == "valid")
        octets = case.octets(OUTPUTS[vectors.kind])
        changed = (octets[:-1] + bytes([octets[-1] ^ 1])).hex()
        case = replace(case, values={**case.values, OUTPUTS[vectors.kind]: changed})
    else:
        case = replace(case, result="invalid")

    with pytest.raises(Disagreement):
        judge(vectors.kind, case)


def test_what_was_told_before_is_told_of_each_test():
    first, *_ = blocks("ciphers/AES/CCM/VNT128.rsp", "NONCE", "CT")

    assert (first["ALEN"], first["NLEN"], len(first["KEY"])) == ("32", "7", 32)
    assert first.number == 1


def test_a_section_is_of_the_tests_behind_it():
    sections = Counter(block.section for block in blocks(FILE, "QX", "RESULT"))

    assert {"P-256": 12, "P-384": 12, "P-521": 12}.items() <= sections.items()


FILE = "asymmetric/ECDSA/FIPS_186-3/PKV.rsp"
