"""Keying material against a second implementation, written from RFC 7296's formulas alone.

The second one uses ``hmac.new`` and nothing of ours; sizes are typed in from the RFCs.
"""

import hmac

import pytest

from peers.reference.errors import IntegrityFailure, ScriptError
from peers.reference.keys import (
    derive_child_keys,
    derive_ike_keys,
    derive_rekeyed_ike_keys,
    psk_auth,
    signed_octets,
)
from peers.reference.negotiation import Suite
from peers.reference.numbers import Encr, Esn, Integ, Prf, ProtocolId

NI, NR = bytes(range(1, 33)), bytes(range(64, 112))
SPI_I, SPI_R = b"initiatr", b"respondr"
SHARED = bytes(range(200, 232))

CBC_SHA1 = Suite(Encr.ENCR_AES_CBC, 256, Integ.AUTH_HMAC_SHA1_96, Prf.PRF_HMAC_SHA1, esn=Esn.NO_ESN)
CBC_SHA256 = Suite(
    Encr.ENCR_AES_CBC, 128, Integ.AUTH_HMAC_SHA2_256_128, Prf.PRF_HMAC_SHA2_256, esn=Esn.NO_ESN
)
GCM_SHA384 = Suite(Encr.ENCR_AES_GCM_16, 256, Integ.NONE, Prf.PRF_HMAC_SHA2_384, esn=Esn.ESN)
CHACHA_SHA512 = Suite(Encr.ENCR_CHACHA20_POLY1305, None, None, Prf.PRF_HMAC_SHA2_512)

# A suite, the hash of its PRF, and octets of SK_d, SK_a, SK_e (with salt) and SK_p.
ROWS = [
    (CBC_SHA1, "sha1", (20, 20, 32, 20)),
    (CBC_SHA256, "sha256", (32, 32, 16, 32)),
    (GCM_SHA384, "sha384", (48, 0, 36, 48)),
    (CHACHA_SHA512, "sha512", (64, 0, 36, 64)),
]
BY_SUITE = pytest.mark.parametrize(
    ("suite", "digest", "sizes"), ROWS, ids=[str(row[0].encr) + "-" + row[1] for row in ROWS]
)


def prf(digest, key, data):
    return hmac.new(key, data, digest).digest()


def prf_plus(digest, key, seed):
    """T1 | T2 | ... | T20 of RFC 7296, 2.13."""
    stream = previous = b""
    for number in range(1, 21):
        previous = prf(digest, key, previous + seed + bytes((number,)))
        stream += previous
    return stream


def cut(stream, *sizes):
    pieces = []
    for size in sizes:
        pieces.append(stream[:size])
        stream = stream[size:]
    return pieces


def seven_keys(digest, skeyseed, nonces, spis, sizes):
    """{SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr} of RFC 7296, 2.14."""
    d, a, e, p = sizes
    return cut(prf_plus(digest, skeyseed, nonces + spis), d, a, a, e, e, p, p)


def seven_of(keys):
    return [keys.sk_d, keys.sk_ai, keys.sk_ar, keys.sk_ei, keys.sk_er, keys.sk_pi, keys.sk_pr]


def initial(suite):
    return derive_ike_keys(suite, shared=SHARED, nonce_i=NI, nonce_r=NR, spi_i=SPI_I, spi_r=SPI_R)


@BY_SUITE
def test_keys_of_an_ike_sa(suite, digest, sizes):
    """SKEYSEED = prf(Ni | Nr, g^ir) (RFC 7296, 2.14)."""
    skeyseed = prf(digest, NI + NR, SHARED)

    keys = initial(suite)

    assert seven_of(keys) == seven_keys(digest, skeyseed, NI + NR, SPI_I + SPI_R, sizes)
    assert (keys.spi_i, keys.spi_r, keys.prf) == (SPI_I, SPI_R, suite.prf)
    assert (keys.encr, keys.key_bits) == (suite.encr, suite.key_bits)


@BY_SUITE
@pytest.mark.parametrize(("old", "old_digest"), [row[:2] for row in ROWS], ids=lambda row: "")
def test_keys_of_a_rekeyed_ike_sa(suite, digest, sizes, old, old_digest):
    """SKEYSEED = prf(SK_d (old), g^ir (new) | Ni | Nr) with the old SA's PRF (RFC 7296, 2.18)."""
    old_keys = initial(old)
    skeyseed = prf(old_digest, old_keys.sk_d, b"new secret" + b"new Ni" + b"new Nr")

    keys = derive_rekeyed_ike_keys(
        old_keys,
        suite,
        shared=b"new secret",
        nonce_i=b"new Ni",
        nonce_r=b"new Nr",
        spi_i=b"newspi_i",
        spi_r=b"newspi_r",
    )

    assert seven_of(keys) == seven_keys(
        digest, skeyseed, b"new Ninew Nr", b"newspi_inewspi_r", sizes
    )


@BY_SUITE
@pytest.mark.parametrize(("esp", "_", "esp_sizes"), ROWS, ids=lambda row: "")
@pytest.mark.parametrize("shared", [b"", b"new secret"], ids=["nonces", "key exchange"])
def test_keys_of_a_child_sa(suite, digest, sizes, esp, _, esp_sizes, shared):
    """KEYMAT = prf+(SK_d, [g^ir] | Ni | Nr), initiator to responder first (RFC 7296, 2.17)."""
    ike = initial(suite)
    _, integrity, encryption, _ = esp_sizes

    keys = derive_child_keys(
        ike,
        esp,
        initiator_spi=b"spii",
        responder_spi=b"spir",
        nonce_i=NI,
        nonce_r=NR,
        shared=shared,
    )

    assert [
        keys.from_initiator.encryption,
        keys.from_initiator.integrity,
        keys.from_responder.encryption,
        keys.from_responder.integrity,
    ] == cut(
        prf_plus(digest, ike.sk_d, shared + NI + NR), encryption, integrity, encryption, integrity
    )
    assert (keys.protocol, keys.initiator_spi, keys.responder_spi) == (
        ProtocolId.ESP,
        b"spii",
        b"spir",
    )
    assert keys.esn == (esp.esn if esp.esn is not None else Esn.NO_ESN)


@BY_SUITE
def test_auth_of_a_shared_key(suite, digest, sizes):
    """AUTH = prf(prf(Shared Secret, "Key Pad for IKEv2"), SignedOctets) (RFC 7296, 2.15)."""
    keys = initial(suite)
    octets = b"RealMessage1" + NR + prf(digest, keys.sk_pi, b"RestOfInitIDPayload")

    assert signed_octets(b"RealMessage1", NR, suite.prf, keys.sk_pi, b"RestOfInitIDPayload") == (
        octets
    )
    assert psk_auth(suite.prf, b"secret", octets) == prf(
        digest, prf(digest, b"secret", b"Key Pad for IKEv2"), octets
    )


@BY_SUITE
def test_each_direction_of_an_ike_sa_has_its_keys(suite, digest, sizes):
    """Messages of the original initiator are under SK_ei and SK_ai (RFC 7296, 2.14)."""
    keys = initial(suite)
    iv, text = bytes(keys.initiator.iv_size), bytes(16)
    swapped = derive_ike_keys(
        suite, shared=SHARED, nonce_i=NI, nonce_r=NR, spi_i=SPI_I, spi_r=SPI_R
    )

    sealed = keys.initiator.seal(b"", text, iv)

    assert swapped.initiator.open(b"", sealed) == text
    with pytest.raises(IntegrityFailure):
        swapped.responder.open(b"", sealed)


def test_each_direction_of_a_child_sa_has_its_keys():
    keys = derive_child_keys(
        initial(CBC_SHA256),
        CBC_SHA256,
        initiator_spi=b"spii",
        responder_spi=b"spir",
        nonce_i=NI,
        nonce_r=NR,
    )
    towards_responder = keys.to_responder().seal(b"", bytes(16), bytes(16))

    assert keys.to_responder().open(b"", towards_responder) == bytes(16)
    with pytest.raises(IntegrityFailure):
        keys.to_initiator().open(b"", towards_responder)


def test_keys_hold_no_cipher_objects():
    """Ten thousand idle SAs cost their keys, and not a cipher's context each."""
    keys = initial(GCM_SHA384)

    assert keys.initiator is not keys.initiator
    assert keys == initial(GCM_SHA384)


def test_suite_without_prf_is_our_error():
    with pytest.raises(ScriptError, match="needs a PRF"):
        initial(Suite(Encr.ENCR_AES_GCM_16, 128))
