"""What is made of valid vectors: one thing is wrong, and a peer that misses it is found out."""

from collections import Counter
from dataclasses import replace
from functools import partial

import pytest

from peers.reference.errors import MalformedMessage
from peers.reference.esp import InboundSa
from peers.reference.key_exchange import respond
from vectors import loader, primitives
from vectors.checks import CHECKS, Disagreement
from vectors.judge import judge
from vectors.spoiled import coefficient, spoiled, with_coefficient

ESP = ["rfc3602-esp", "rfc7634-esp", "mcgrew-gcm-esp", "mcgrew-gmac-esp"]
Q = 3329
"""ML-KEM's modulus (FIPS 203, 8)."""

KEMS = primitives.SUBJECTS["ml-kem"]().cases[::20]
"""One case of each parameter set."""

EACH_KEM = pytest.mark.parametrize("kem", KEMS, ids=["512", "768", "1024"])


def kinds_of(kind, case):
    return Counter(each for each, _ in spoiled(kind, case))


def worse(kind, case):
    """By the name of what was done: the kind and the case that came of it."""
    return {
        each.id.removeprefix(f"{case.id}-"): (its_kind, each)
        for its_kind, each in spoiled(kind, case)
    }


@pytest.mark.parametrize("name", ESP)
def test_every_packet_is_spoiled(name):
    """Without an ICV only trailers are wrong; a block cipher seals none of odd sizes."""
    expected = {"esp-trailer": 6} if name == "rfc3602-esp" else {"esp": 8, "esp-trailer": 8}

    for case in loader.load(name).cases:
        assert kinds_of("esp", case) == expected


@pytest.mark.parametrize("name", ESP)
def test_trailers_alone_are_wrong(name):
    """Each is refused with its place and what is wrong there, so the ICV verified."""
    for case in loader.load(name).cases:
        for what, (kind, each) in worse("esp", case).items():
            if kind != "esp-trailer":
                continue
            with pytest.raises(MalformedMessage, match=REASONS[what]):
                CHECKS[kind](each)


REASONS = {
    "padding-of-zeros": "padding 00.* is not 1, 2, 3",
    "padding-from-0": "padding 0001.* is not 1, 2, 3",
    "padding-last-bit": "padding 01.* is not 1, 2, 3",
    "pad-length-less": "padding 02.* is not 1, 2, 3",
    "pad-length-exceeds-by-1": r"Pad Length \d+ exceeds the packet",
    "pad-length-255": "Pad Length 255 exceeds the packet",
    "trailer-not-aligned": "trailer is not aligned",
    "trailer-cut-off": "trailer is cut off",
}


def test_a_peer_that_inspects_no_padding_is_found_out(monkeypatch):
    case = loader.load("mcgrew-gmac-esp").cases[0]
    monkeypatch.setattr("vectors.checks.InboundSa", partial(InboundSa, inspects_padding=False))

    found = worse("esp", case)
    for what in ("padding-of-zeros", "padding-from-0", "padding-last-bit", "pad-length-less"):
        with pytest.raises(Disagreement):
            judge(*found[what])
    judge(*found["pad-length-255"])


def test_a_packet_refused_by_its_icv_proves_nothing_of_its_trailer():
    case = loader.load("rfc7634-esp").cases[0]

    with pytest.raises(Disagreement, match="refused by its ICV"):
        judge("esp-trailer", worse("esp", case)["last-bit"][1])


@pytest.mark.parametrize("name", ["mcgrew-gmac-esp", "rfc7634-ike", "rfc8439-aead"])
def test_icvs_are_cut_to_every_size(name):
    vectors = loader.load(name)
    made = worse(vectors.kind, vectors.cases[0])

    value = {"esp": "packet", "ike-message": "message", "cipher": "icv"}[vectors.kind]
    whole = len(vectors.cases[0].octets(value))
    assert [whole - len(made[f"icv-of-{kept}"][1].octets(value)) for kept in (0, 4, 8, 12)] == [
        16,
        12,
        8,
        4,
    ]


@EACH_KEM
def test_coefficients_are_read_and_written(kem):
    """Against the encoding as one number: twelve bits each, low ones first (FIPS 203, 4.2.1)."""
    public = kem.octets("public")
    number = int.from_bytes(public[:-32], "little")
    count = (len(public) - 32) * 2 // 3

    for index in range(count):
        assert coefficient(public, index) == number >> 12 * index & 0xFFF
        assert with_coefficient(public, index, coefficient(public, index)) == public
    changed = with_coefficient(public, 5, 0xABC)
    assert [at for at in range(count) if coefficient(changed, at) != coefficient(public, at)] == [5]


@EACH_KEM
def test_largest_reduced_coefficient_is_taken(kem):
    """The twin of q, which is refused: q - 1 is a coefficient like any other (FIPS 203, 7.2)."""
    for value, result in ((Q - 1, "valid"), (Q, "invalid")):
        public = with_coefficient(kem.octets("public"), 0, value).hex()

        case = replace(kem, result=result, values={**kem.values, "public": public})
        judge("encapsulation-key", case)


@EACH_KEM
def test_keys_and_ciphertexts_are_spoiled(kem):
    made = worse("key-encapsulation", kem)

    assert kinds_of("key-encapsulation", kem) == {"encapsulation-key": 9, "ciphertext": 5}
    assert len(made["octet-less"][1].octets("public")) == len(kem.octets("public")) - 1
    sizes = [len(made[f"ciphertext-octet-{each}"][1].octets("ciphertext")) for each in LESS_MORE]
    assert sizes == [len(kem.octets("ciphertext")) - 1, len(kem.octets("ciphertext")) + 1]
    same = made["same-modulo-q"][1].octets("public")
    count = (len(same) - 32) * 2 // 3
    assert [coefficient(same, at) % Q for at in range(count)] == [
        coefficient(kem.octets("public"), at) for at in range(count)
    ]


LESS_MORE = ("less", "more")


def test_a_peer_without_the_modulus_check_is_found_out(monkeypatch):
    made = worse("key-encapsulation", KEMS[0])
    right = KEMS[0].octets("public")

    def lenient(method, public, random):
        return respond(method, right if len(public) == len(right) else public, random)

    monkeypatch.setattr("vectors.checks.respond", lenient)

    for what in ("first-is-q", "first-is-4095", "last-is-q", "same-modulo-q"):
        with pytest.raises(Disagreement, match="taken, though invalid"):
            judge(*made[what])
    judge(*made["octet-less"])


def test_every_kind_that_is_made_can_be_judged():
    cases = [("esp", loader.load(name).cases[0]) for name in ESP]
    cases.append(("key-encapsulation", KEMS[0]))

    assert {kind for each in cases for kind in kinds_of(*each)} <= set(CHECKS)
