"""AES, Camellia, 3DES, ChaCha20-Poly1305 and AES-CMAC as the peer has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from peers.reference.numbers import Encr, Prf
from vectors.loader import Case, Result, Vectors
from vectors.primitives.responses import Block, blocks

KEY_SIZES = (128, 192, 256)
AES_CBC = tuple(
    f"ciphers/AES/CBC/CBC{test}{bits}.rsp"
    for test in ("GFSbox", "KeySbox", "MMT", "VarKey", "VarTxt")
    for bits in KEY_SIZES
)
ONE_KEY = tuple(
    f"ciphers/3DES/CBC/TCBC{test}.rsp"
    for test in ("invperm", "permop", "subtab", "varkey", "vartext")
)
"""Tests of 3DES with one key three times, which is DES."""

THREE_KEYS = tuple(f"ciphers/3DES/CBC/TCBCMMT{number}.rsp" for number in (1, 2, 3))

GCM = {64: Encr.ENCR_AES_GCM_8, 96: Encr.ENCR_AES_GCM_12, 128: Encr.ENCR_AES_GCM_16}
"""By bits of the ICV."""

CCM_TAG = 16
"""Octets; files with nonces of eleven octets have no other."""


def _of_files(
    files: tuple[str, ...], fields: tuple[str, ...], cases: Callable[[Block], Iterator[Case]]
) -> tuple[Case, ...]:
    return tuple(case for file in files for block in blocks(file, *fields) for case in cases(block))


def _sealed(
    block: Block,
    encr: Encr,
    bits: int | None,
    key: bytes,
    nonce: bytes,
    texts: tuple[str, str],
    *,
    associated: str = "",
    icv: str = "",
    result: Result = "valid",
) -> Case:
    """Make a case of a cipher: ``texts`` are the plain and the sealed one in hexadecimal."""
    return block.case(
        {
            "encr": int(encr),
            "key_bits": bits,
            "key": key.hex(),
            "iv": nonce.hex(),
            "associated": associated,
            "plaintext": texts[0],
            "ciphertext": texts[1],
            "icv": icv,
        },
        result,
    )


def _cbc(subject: str, source: str, encr: Encr, files: tuple[str, ...]) -> Callable[[], Vectors]:
    def cases(block: Block) -> Iterator[Case]:
        octets = bytes.fromhex(_key(encr, block))
        bits = None if encr in (Encr.ENCR_DES, Encr.ENCR_3DES) else 8 * len(octets)
        texts = (block["PLAINTEXT"], block["CIPHERTEXT"])
        yield _sealed(block, encr, bits, octets, bytes.fromhex(block["IV"]), texts)

    def read() -> Vectors:
        fields = ("IV", "PLAINTEXT", "CIPHERTEXT")
        return Vectors(subject, "cipher", source, "", _of_files(files, fields, cases))

    return read


def _key(encr: Encr, block: Block) -> str:
    if "KEYS" in block.fields:
        return (1 if encr is Encr.ENCR_DES else 3) * block["KEYS"]
    if encr is Encr.ENCR_3DES:
        return block["KEY1"] + block["KEY2"] + block["KEY3"]
    return block["KEY"]


def _gcm(block: Block) -> Iterator[Case]:
    """AES-GCM: a nonce of twelve octets, the first four of which end the key (RFC 4106, 8.1)."""
    bits = int(block["TAGLEN"])
    if block["IVLEN"] != "96" or bits not in GCM:
        return
    nonce = bytes.fromhex(block["IV"])
    yield _sealed(
        block,
        GCM[bits],
        int(block["KEYLEN"]),
        bytes.fromhex(block["KEY"]) + nonce[:4],
        nonce[4:],
        (block.fields.get("PT", ""), block["CT"]),
        associated=block["AAD"],
        icv=block["TAG"],
        result="invalid" if "FAIL" in block.fields else "valid",
    )


def read_gcm() -> Vectors:
    """Read AES-GCM with ICVs of 8, 12 and 16 octets."""
    files = tuple(f"ciphers/AES/GCM/gcmDecrypt{bits}.rsp" for bits in KEY_SIZES)
    cases = _of_files(files, ("KEY", "IV", "CT", "TAG"), _gcm)
    return Vectors("AES-GCM", "cipher", "NIST CAVP, GCMVS", "", cases)


def _ccm(block: Block) -> Iterator[Case]:
    """AES-CCM: a nonce of eleven octets, the first three of which end the key (RFC 4309, 7.1)."""
    if block["NLEN"] != "11":
        return
    key, nonce = bytes.fromhex(block["KEY"]), bytes.fromhex(block["NONCE"])
    text, icv = block["CT"][: -2 * CCM_TAG], block["CT"][-2 * CCM_TAG :]
    yield _sealed(
        block,
        Encr.ENCR_AES_CCM_16,
        8 * len(key),
        key + nonce[:3],
        nonce[3:],
        (block["PAYLOAD"], text),
        associated=block["ADATA"],
        icv=icv,
    )


def read_ccm() -> Vectors:
    """Read AES-CCM with an ICV of 16 octets."""
    files = tuple(f"ciphers/AES/CCM/VNT{bits}.rsp" for bits in KEY_SIZES)
    cases = _of_files(files, ("NONCE", "ADATA", "PAYLOAD", "CT"), _ccm)
    return Vectors("AES-CCM", "cipher", "NIST CAVP, CCMVS", "", cases)


def _chacha(block: Block) -> Iterator[Case]:
    nonce = bytes.fromhex(block["IV"])
    if len(nonce) != 12:
        return
    yield _sealed(
        block,
        Encr.ENCR_CHACHA20_POLY1305,
        None,
        bytes.fromhex(block["KEY"]) + nonce[:4],
        nonce[4:],
        (block["PLAINTEXT"], block["CIPHERTEXT"]),
        associated=block["AAD"],
        icv=block["TAG"],
        result="invalid" if "RESULT" in block.fields else "valid",
    )


def read_chacha() -> Vectors:
    """Read ChaCha20-Poly1305."""
    fields = ("KEY", "IV", "TAG", "CIPHERTEXT")
    cases = _of_files(("ciphers/ChaCha20Poly1305/openssl.txt",), fields, _chacha)
    return Vectors("ChaCha20-Poly1305", "cipher", "OpenSSL, evpciph.txt", "", cases)


def _cmac(block: Block) -> Iterator[Case]:
    yield block.case(
        {
            "prf": int(Prf.PRF_AES128_CMAC),
            "key": block["KEY"],
            "data": block["MESSAGE"],
            "output": block["OUTPUT"],
        }
    )


def read_cmac() -> Vectors:
    """Read AES-CMAC with keys of 128 bits."""
    cases = _of_files(("CMAC/nist-800-38b-aes128.txt",), ("KEY", "MESSAGE", "OUTPUT"), _cmac)
    return Vectors("PRF AES-CMAC", "prf", "NIST SP 800-38B, D.1", "", cases)


SUBJECTS: Mapping[str, Callable[[], Vectors]] = {
    "aes-cbc": _cbc("AES-CBC", "NIST CAVP, AESAVS", Encr.ENCR_AES_CBC, AES_CBC),
    "aes-gcm": read_gcm,
    "aes-ccm": read_ccm,
    "camellia-cbc": _cbc(
        "Camellia-CBC",
        "OpenSSL, evpciph.txt",
        Encr.ENCR_CAMELLIA_CBC,
        ("ciphers/Camellia/camellia-cbc.txt",),
    ),
    "3des-cbc": _cbc("3DES-CBC", "NIST CAVP, TMOVS", Encr.ENCR_3DES, ONE_KEY + THREE_KEYS),
    "des-cbc": _cbc("DES-CBC", "NIST CAVP, TMOVS", Encr.ENCR_DES, ONE_KEY),
    "chacha20-poly1305": read_chacha,
    "aes-cmac": read_cmac,
}
