"""RSA, ECDSA and Ed25519 as AUTH payloads carry them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography_vectors import open_vector_file

from peers.reference.numbers import AuthMethod, HashAlgorithm
from peers.reference.signature_schemes import ECDSA, ED25519, RSA_PKCS1, RSA_PSS, Scheme
from vectors.loader import Case, Result, Value, Vectors
from vectors.primitives.responses import Block, blocks

HASHES = {
    "SHA1": HashAlgorithm.SHA1,
    "SHA256": HashAlgorithm.SHA2_256,
    "SHA384": HashAlgorithm.SHA2_384,
    "SHA512": HashAlgorithm.SHA2_512,
}
"""Those that method 14 has numbers for (RFC 7427, 7)."""

CURVE_BITS = {"P-256": 256, "P-384": 384, "P-521": 521}
LEGACY = {
    (256, HashAlgorithm.SHA2_256): AuthMethod.ECDSA_SHA_256_P256,
    (384, HashAlgorithm.SHA2_384): AuthMethod.ECDSA_SHA_384_P384,
    (521, HashAlgorithm.SHA2_512): AuthMethod.ECDSA_SHA_512_P521,
}
"""Methods that name curve and hash (RFC 4754)."""


def _digital(scheme: Scheme, signature: bytes) -> dict[str, Value]:
    return {
        "method": int(AuthMethod.DIGITAL_SIGNATURE),
        "identifier": scheme.identifier().hex(),
        "signature": signature.hex(),
    }


def _rsa(file: str, scheme: Callable[[HashAlgorithm, Block], Scheme]) -> tuple[Case, ...]:
    def cases() -> Iterator[Case]:
        for block in blocks(file, "SHAALG", "S", "RESULT"):
            algorithm = HASHES.get(block["SHAALG"])
            if algorithm is None:
                continue
            values: dict[str, Value] = {
                **_digital(scheme(algorithm, block), bytes.fromhex(block["S"])),
                "modulus": block["N"],
                "exponent": block["E"],
                "message": block["MSG"],
            }
            yield block.case(values, "valid" if block.passes else "invalid")

    return tuple(cases())


def read_pkcs1() -> Vectors:
    """Read RSASSA-PKCS1-v1_5, with padding that is wrong as well."""
    cases = _rsa(
        "asymmetric/RSA/FIPS_186-2/SigVer15_186-3.rsp",
        lambda algorithm, _: RSA_PKCS1[algorithm],
    )
    return Vectors("RSASSA-PKCS1-v1_5", "signature", "NIST CAVP, SigVer15", "", cases)


def read_pss() -> Vectors:
    """Read RSASSA-PSS."""

    def scheme(algorithm: HashAlgorithm, block: Block) -> Scheme:
        return replace(RSA_PSS[algorithm], salt=len(block["SALTVAL"]) // 2)

    cases = _rsa("asymmetric/RSA/FIPS_186-2/SigVerPSS_186-3.rsp", scheme)
    return Vectors("RSASSA-PSS", "signature", "NIST CAVP, SigVerPSS", "", cases)


def _ecdsa() -> Iterator[Case]:
    fields = ("MSG", "QX", "QY", "R", "S", "RESULT")
    for block in blocks("asymmetric/ECDSA/FIPS_186-3/SigVer.rsp", *fields):
        curve, _, digest = block.section.partition(",")
        algorithm = HASHES.get(digest.replace("-", ""))
        if curve not in CURVE_BITS or algorithm is None:
            continue
        bits = CURVE_BITS[curve]
        size = (bits + 7) // 8
        r, s = block.number_of("R"), block.number_of("S")
        told: dict[str, Value] = {
            "order_bits": bits,
            "public": "".join(f"{block.number_of(name):0{2 * size}x}" for name in ("QX", "QY")),
            "message": block["MSG"],
        }
        encoded = _digital(ECDSA[algorithm], encode_dss_signature(r, s))
        result: Result = "valid" if block.passes else "invalid"
        yield block.case({**told, **encoded}, result)
        if (bits, algorithm) in LEGACY:
            plain = f"{r:0{2 * size}x}{s:0{2 * size}x}"
            method = int(LEGACY[bits, algorithm])
            yield block.case({**told, "method": method, "signature": plain}, result, "plain")


def read_ecdsa() -> Vectors:
    """Read ECDSA by method 14, and by the methods that name curve and hash."""
    return Vectors("ECDSA", "signature", "NIST CAVP, SigVer", "", tuple(_ecdsa()))


def _ed25519() -> Iterator[Case]:
    file = "asymmetric/Ed25519/sign.input"
    with open_vector_file(file, "r") as lines:
        for number, line in enumerate(lines, 1):
            private, public, message, signed = line.strip().split(":")[:4]
            values: dict[str, Value] = {
                **_digital(ED25519, bytes.fromhex(signed)[:64]),
                "private": private[:64],
                "public": public,
                "message": message,
            }
            yield Block(file, number, "", {}).case(values)


def read_ed25519() -> Vectors:
    """Read Ed25519."""
    return Vectors("Ed25519", "signature", "ed25519.cr.yp.to, sign.input", "", tuple(_ed25519()))


SUBJECTS: Mapping[str, Callable[[], Vectors]] = {
    "rsa-pkcs1": read_pkcs1,
    "rsa-pss": read_pss,
    "ecdsa": read_ecdsa,
    "ed25519": read_ed25519,
}
