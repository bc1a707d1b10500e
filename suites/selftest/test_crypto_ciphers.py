"""Ciphers, integrity algorithms and PRFs against published vectors, and what they refuse."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from peers.reference.crypto import (
    is_combined,
    key_sizes,
    prf,
    prf_plus,
    prf_size,
    protection,
    skeyseed_key,
)
from peers.reference.errors import IntegrityFailure, MalformedMessage, ScriptError
from peers.reference.message import Message
from peers.reference.numbers import Encr, ExchangeType, Integ, NotifyType, Prf
from peers.reference.payloads import Notify
from vectors.loader import load

ASSOCIATED = b"associated"
PLAINTEXT = bytes(range(48))

# Encryption, key length in bits, integrity; then octets of encryption key with salt, integrity
# key, IV, block and ICV (RFC 3602, RFC 4106, RFC 4868, RFC 7634, RFC 2404, RFC 2410).
SUITES = [
    (Encr.ENCR_AES_CBC, 128, Integ.AUTH_HMAC_SHA1_96, (16, 20, 16, 16, 12)),
    (Encr.ENCR_AES_CBC, 192, Integ.AUTH_HMAC_SHA2_256_128, (24, 32, 16, 16, 16)),
    (Encr.ENCR_AES_CBC, 256, Integ.AUTH_HMAC_SHA2_384_192, (32, 48, 16, 16, 24)),
    (Encr.ENCR_AES_CBC, 256, Integ.AUTH_HMAC_SHA2_512_256, (32, 64, 16, 16, 32)),
    (Encr.ENCR_AES_CBC, 128, None, (16, 0, 16, 16, 0)),
    (Encr.ENCR_AES_CBC, 128, Integ.NONE, (16, 0, 16, 16, 0)),
    (Encr.ENCR_NULL, None, Integ.AUTH_HMAC_SHA2_256_128, (0, 32, 0, 1, 16)),
    (Encr.ENCR_AES_GCM_8, 128, None, (20, 0, 8, 1, 8)),
    (Encr.ENCR_AES_GCM_12, 192, None, (28, 0, 8, 1, 12)),
    (Encr.ENCR_AES_GCM_16, 128, None, (20, 0, 8, 1, 16)),
    (Encr.ENCR_AES_GCM_16, 256, Integ.NONE, (36, 0, 8, 1, 16)),
    (Encr.ENCR_CHACHA20_POLY1305, None, None, (36, 0, 8, 1, 16)),
    (Encr.ENCR_3DES, None, Integ.AUTH_HMAC_MD5_96, (24, 16, 8, 8, 12)),
    (Encr.ENCR_CAMELLIA_CBC, 192, Integ.AUTH_AES_XCBC_96, (24, 16, 16, 16, 12)),
    (Encr.ENCR_AES_CTR, 256, Integ.AUTH_AES_CMAC_96, (36, 16, 8, 1, 12)),
    (Encr.ENCR_AES_CCM_8, 128, None, (19, 0, 8, 1, 8)),
    (Encr.ENCR_AES_CCM_12, 192, None, (27, 0, 8, 1, 12)),
    (Encr.ENCR_AES_CCM_16, 256, None, (35, 0, 8, 1, 16)),
    (Encr.ENCR_NULL_AUTH_AES_GMAC, 128, None, (20, 0, 8, 1, 16)),
]
IMPLICIT = [
    (Encr.ENCR_AES_CCM_8_IIV, 128, Encr.ENCR_AES_CCM_8),
    (Encr.ENCR_AES_GCM_16_IIV, 256, Encr.ENCR_AES_GCM_16),
    (Encr.ENCR_CHACHA20_POLY1305_IIV, None, Encr.ENCR_CHACHA20_POLY1305),
]
"""Ciphers with an implicit IV (RFC 8750), and those that send theirs."""

IDS = [f"{encr}-{bits}-{integ}" for encr, bits, integ, _ in SUITES]
BY_SUITE = pytest.mark.parametrize(("encr", "bits", "integ", "sizes"), SUITES, ids=IDS)
VERIFYING = pytest.mark.parametrize(
    ("encr", "bits", "integ", "sizes"),
    [suite for suite in SUITES if suite[3][4]],
    ids=[name for name, suite in zip(IDS, SUITES, strict=True) if suite[3][4]],
)


def pattern(size, first=1):
    """Distinct octets, so that a key or a salt cut at the wrong place is another one."""
    return bytes((first + index) % 256 for index in range(size))


def make(encr, bits, integ, sizes):
    return protection(encr, bits, integ, pattern(sizes[0]), pattern(sizes[1], 101))


@pytest.mark.parametrize("case", load("rfc3602-aes-cbc").cases, ids=str)
def test_cbc_blocks(case):
    aes_cbc = protection(
        Encr(case.number("encr")), case.number("key_bits"), None, case.octets("key"), b""
    )
    iv, plaintext = case.octets("iv"), case.octets("plaintext")

    assert aes_cbc.seal(b"", plaintext, iv) == iv + case.octets("ciphertext")
    assert aes_cbc.open(b"", iv + case.octets("ciphertext")) == plaintext


@pytest.mark.parametrize("case", load("rfc7634-ike").cases, ids=str)
def test_combined_mode_of_an_ike_message(case):
    aead = protection(Encr(case.number("encr")), None, None, case.octets("key"), b"")
    associated, iv = case.octets("associated"), case.octets("iv")

    sealed = aead.seal(associated, case.octets("plaintext"), iv)

    assert associated + sealed == case.octets("message")
    assert aead.open(associated, sealed) == case.octets("plaintext")


@pytest.mark.parametrize("case", load("rfc7634-ike").cases, ids=str)
def test_published_ike_message(case):
    """RFC 7634, B (pages 11 and 12): a request of the original responder, SET_WINDOW_SIZE 10."""
    aead = protection(Encr(case.number("encr")), None, None, case.octets("key"), b"")
    message = Message(
        bytes(range(0xC0, 0xC8)),
        bytes(range(0xD0, 0xD8)),
        ExchangeType.INFORMATIONAL,
        initiator=False,
        response=False,
        message_id=9,
        payloads=(Notify(NotifyType.SET_WINDOW_SIZE, (10).to_bytes(4, "big")),),
        protected=True,
    )

    assert message.seal(aead, case.octets("iv")) == case.octets("message")
    assert Message.open(case.octets("message"), aead) == message


@pytest.mark.parametrize("case", load("rfc4868-prf").cases, ids=str)
def test_prf(case):
    assert prf(Prf(case.number("prf")), case.octets("key"), case.octets("data")) == case.octets(
        "output"
    )


@pytest.mark.parametrize("case", load("rfc4868-integrity").cases, ids=str)
def test_integrity(case):
    """ENCR_NULL shows the ICV alone: the data's start is associated, its end the plaintext."""
    null = protection(Encr.ENCR_NULL, None, Integ(case.number("integ")), b"", case.octets("key"))
    data = case.octets("data")

    assert null.seal(data[:3], data[3:], b"") == data[3:] + case.octets("icv")
    assert prf(Prf(case.number("prf")), case.octets("key"), data) == case.octets("output")


@pytest.mark.parametrize(
    ("number", "size"),
    [
        (Prf.PRF_HMAC_SHA1, 20),
        (Prf.PRF_HMAC_SHA2_256, 32),
        (Prf.PRF_HMAC_SHA2_384, 48),
        (Prf.PRF_HMAC_SHA2_512, 64),
    ],
    ids=str,
)
def test_prf_output_is_its_preferred_key_size(number, size):
    assert len(prf(number, b"key", b"data")) == prf_size(number) == size


def test_prf_hmac_sha1_of_rfc_2202():
    """RFC 2202, 3, test case 2."""
    output = prf(Prf.PRF_HMAC_SHA1, b"Jefe", b"what do ya want for nothing?")

    assert output.hex() == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 64, 200, 255 * 32])
def test_prf_plus_is_the_chain_of_rfc_7296(size):
    """RFC 7296, 2.13: T1 = prf(K, S | 1), Tn = prf(K, Tn-1 | S | n)."""
    key, seed = b"key", b"seed"
    t = [hmac.new(key, seed + b"\x01", hashlib.sha256).digest()]
    for number in range(2, 256):
        t.append(hmac.new(key, t[-1] + seed + bytes([number]), hashlib.sha256).digest())

    assert prf_plus(Prf.PRF_HMAC_SHA2_256, key, seed, size) == b"".join(t)[:size]


def test_prf_plus_ends_at_255_blocks():
    with pytest.raises(ScriptError, match="not defined for 8161 octets"):
        prf_plus(Prf.PRF_HMAC_SHA2_256, b"key", b"seed", 255 * 32 + 1)


@BY_SUITE
def test_sizes(encr, bits, integ, sizes):
    made = make(encr, bits, integ, sizes)

    assert key_sizes(encr, bits, integ) == sizes[:2]
    assert (made.iv_size, made.block_size, made.icv_size) == sizes[2:]
    assert made.combined == is_combined(encr)
    assert len(made.seal(ASSOCIATED, PLAINTEXT, pattern(sizes[2]))) == len(PLAINTEXT) + (
        sizes[2] + sizes[4]
    )


@BY_SUITE
def test_what_was_sealed_opens(encr, bits, integ, sizes):
    made = make(encr, bits, integ, sizes)

    sealed = made.seal(ASSOCIATED, PLAINTEXT, pattern(sizes[2]))

    assert make(encr, bits, integ, sizes).open(ASSOCIATED, sealed) == PLAINTEXT


@VERIFYING
def test_every_octet_is_covered(encr, bits, integ, sizes):
    made = make(encr, bits, integ, sizes)
    sealed = made.seal(ASSOCIATED, PLAINTEXT, pattern(sizes[2]))

    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(IntegrityFailure):
            made.open(ASSOCIATED, bytes(changed))


@VERIFYING
def test_associated_data_is_covered(encr, bits, integ, sizes):
    made = make(encr, bits, integ, sizes)
    sealed = made.seal(ASSOCIATED, PLAINTEXT, pattern(sizes[2]))

    with pytest.raises(IntegrityFailure):
        made.open(ASSOCIATED[:-1], sealed)


@VERIFYING
def test_every_shortened_text_is_refused(encr, bits, integ, sizes):
    """Truncated ICVs, and texts that are shorter than IV and ICV, down to nothing."""
    made = make(encr, bits, integ, sizes)
    sealed = made.seal(ASSOCIATED, PLAINTEXT, pattern(sizes[2]))

    for size in range(len(sealed)):
        with pytest.raises(IntegrityFailure):
            made.open(ASSOCIATED, sealed[:size])


@VERIFYING
def test_another_key_does_not_open(encr, bits, integ, sizes):
    sealed = make(encr, bits, integ, sizes).seal(ASSOCIATED, PLAINTEXT, pattern(sizes[2]))
    others = [pattern(sizes[0]), pattern(sizes[1], 101)]
    covering = 1 if sizes[1] else 0
    # The last octet of a combined mode's key is the salt's.
    others[covering] = others[covering][:-1] + b"\xff"

    with pytest.raises(IntegrityFailure):
        protection(encr, bits, integ, *others).open(ASSOCIATED, sealed)


def test_implicit_octets_follow_the_ciphertext():
    """RFC 4303, 2.2.1: the high half of an ESN is covered behind the ciphertext, and not sent."""
    null = make(Encr.ENCR_NULL, None, Integ.AUTH_HMAC_SHA2_256_128, (0, 32))
    sealed = null.seal(b"head", b"text", b"", b"high")

    assert sealed == b"text" + prf(Prf.PRF_HMAC_SHA2_256, pattern(32, 101), b"headtexthigh")[:16]
    assert null.open(b"head", sealed, b"high") == b"text"
    with pytest.raises(IntegrityFailure):
        null.open(b"head", sealed, b"low")


def test_combined_mode_takes_no_implicit_octets():
    gcm = make(Encr.ENCR_AES_GCM_16, 128, None, (20, 0))
    sealed = gcm.seal(b"", b"text", bytes(8))

    with pytest.raises(ScriptError, match="associated data"):
        gcm.seal(b"", b"text", bytes(8), b"high")
    with pytest.raises(ScriptError, match="associated data"):
        gcm.open(b"", sealed, b"high")


@pytest.mark.parametrize("size", [1, 15, 17])
def test_correct_icv_over_a_broken_block_is_malformed(size):
    """Whoever knows the keys can still send what is no whole number of blocks."""
    cbc = make(Encr.ENCR_AES_CBC, 128, Integ.AUTH_HMAC_SHA2_256_128, (16, 32))
    text = bytes(16 + size)
    icv = prf(Prf.PRF_HMAC_SHA2_256, pattern(32, 101), b"head" + text)[:16]

    with pytest.raises(MalformedMessage, match=rf"{size} octets is no multiple of 16") as caught:
        cbc.open(b"head", text + icv)

    assert caught.value.offset == 16


def test_correct_icv_over_no_block_opens_to_nothing():
    """The twin: zero blocks are a whole number."""
    cbc = make(Encr.ENCR_AES_CBC, 128, Integ.AUTH_HMAC_SHA2_256_128, (16, 32))
    icv = prf(Prf.PRF_HMAC_SHA2_256, pattern(32, 101), b"head" + bytes(16))[:16]

    assert cbc.open(b"head", bytes(16) + icv) == b""


@pytest.mark.parametrize("size", [0, 15, 17])
def test_iv_of_a_wrong_size_is_our_error(size):
    cbc = make(Encr.ENCR_AES_CBC, 128, None, (16, 0))

    with pytest.raises(ScriptError, match=f"an IV of {size} octets instead of 16"):
        cbc.seal(b"", bytes(16), bytes(size))


def test_plaintext_of_a_wrong_size_is_our_error():
    cbc = make(Encr.ENCR_AES_CBC, 128, None, (16, 0))

    with pytest.raises(ScriptError, match="15 octets is no multiple of 16"):
        cbc.seal(b"", bytes(15), bytes(16))


REFUSED = [
    ((Encr.ENCR_CAST, None, Integ.AUTH_HMAC_SHA1_96, 24, 20), "ENCR_CAST"),
    ((Encr(1000), None, None, 0, 0), r"Encr\(1000\)"),
    ((Encr.ENCR_AES_CBC, 128, Integ.AUTH_KPDK_MD5, 16, 16), "AUTH_KPDK_MD5"),
    ((Encr.ENCR_AES_CTR, 128, None, 20, 0), "without integrity"),
    ((Encr.ENCR_AES_CBC, None, Integ.AUTH_HMAC_SHA1_96, 16, 20), "key length of None"),
    ((Encr.ENCR_AES_CBC, 64, Integ.AUTH_HMAC_SHA1_96, 8, 20), "key length of 64"),
    ((Encr.ENCR_CHACHA20_POLY1305, 256, None, 36, 0), "key length of 256"),
    ((Encr.ENCR_AES_GCM_16, 128, None, 16, 0), r"keys of \(16, 0\) octets"),
    ((Encr.ENCR_AES_CBC, 128, Integ.AUTH_HMAC_SHA2_256_128, 16, 16), r"keys of \(16, 16\)"),
    ((Encr.ENCR_AES_GCM_16, 128, Integ.AUTH_HMAC_SHA1_96, 20, 20), "takes no"),
    ((Encr.ENCR_NULL, None, None, 0, 0), "neither encryption nor integrity"),
]


@pytest.mark.parametrize(("arguments", "reason"), REFUSED, ids=[row[1] for row in REFUSED])
def test_what_makes_no_sense_is_our_error(arguments, reason):
    encr, bits, integ, encryption, integrity = arguments

    with pytest.raises(ScriptError, match=reason):
        protection(encr, bits, integ, bytes(encryption), bytes(integrity))


def test_unknown_prf_is_our_error():
    with pytest.raises(ScriptError, match="PRF_HMAC_TIGER"):
        prf(Prf.PRF_HMAC_TIGER, b"", b"")


@pytest.mark.parametrize(("encr", "bits", "explicit"), IMPLICIT)
def test_an_implicit_iv_is_the_sequence_number(encr, bits, explicit):
    """The twin is told the same IV: what it seals is the same but for the IV in front."""
    key = pattern(key_sizes(encr, bits, None)[0])
    ours, twin = (protection(each, bits, None, key, b"") for each in (encr, explicit))
    for associated in (b"spi!" + pattern(4), b"spi!" + pattern(8)):
        iv = associated[4:].rjust(8, b"\0")

        sealed = ours.seal(associated, PLAINTEXT, b"")

        assert iv + sealed == twin.seal(associated, PLAINTEXT, iv)
        assert ours.open(associated, sealed) == PLAINTEXT
        with pytest.raises(IntegrityFailure):
            ours.open(associated[:-1] + b"\xff", sealed)


def test_an_implicit_iv_needs_a_sequence_number_and_takes_no_other():
    iiv = protection(Encr.ENCR_AES_GCM_16_IIV, 128, None, pattern(20), b"")

    with pytest.raises(ScriptError, match="no sequence number"):
        iiv.seal(b"spi!", PLAINTEXT, b"")
    with pytest.raises(ScriptError, match="an IV of 8 octets instead of 0"):
        iiv.seal(b"spi!" + bytes(4), PLAINTEXT, bytes(8))


def test_gmac_leaves_the_payload_in_clear_and_covers_the_iv():
    """RFC 4543, 3: the IV is in the nonce and in what is authenticated."""
    gmac = protection(Encr.ENCR_NULL_AUTH_AES_GMAC, 128, None, pattern(20), b"")
    iv = pattern(8, 40)
    icv = AESGCM(pattern(16)).encrypt(pattern(20)[16:] + iv, b"", ASSOCIATED + iv + PLAINTEXT)

    assert gmac.seal(ASSOCIATED, PLAINTEXT, iv) == iv + PLAINTEXT + icv


def test_counter_mode_starts_from_one():
    """RFC 3686, 4: the counter block is nonce | IV | 1."""
    key, iv = pattern(20), pattern(8, 40)
    ctr = protection(Encr.ENCR_AES_CTR, 128, Integ.AUTH_HMAC_SHA2_256_128, key, bytes(32))
    mode = modes.CTR(key[16:] + iv + (1).to_bytes(4, "big"))
    expected = Cipher(algorithms.AES(key[:16]), mode).encryptor().update(PLAINTEXT)

    assert ctr.seal(b"", PLAINTEXT, iv)[8:-16] == expected


@pytest.mark.parametrize("number", [Prf.PRF_AES128_XCBC, Prf.PRF_AES128_CMAC])
def test_a_prf_of_fixed_key_size_takes_half_of_it_from_each_nonce(number):
    """RFC 7296, 2.14: the first 64 bits of Ni and the first 64 bits of Nr."""
    assert skeyseed_key(number, pattern(32), pattern(24, 99)) == pattern(8) + pattern(8, 99)


def test_a_prf_of_any_key_size_takes_the_whole_nonces():
    nonces = pattern(32), pattern(24, 99)

    assert skeyseed_key(Prf.PRF_HMAC_SHA2_256, *nonces) == b"".join(nonces)
