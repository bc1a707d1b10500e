"""Authentication: RFC 2759, RFC 4754, RFC 7427 and RFC 8032."""

from __future__ import annotations

import re
from collections.abc import Iterator

from peers.reference.numbers import AuthMethod, HashAlgorithm
from vectors.extract.files import Content, VectorFile, case
from vectors.extract.text import NotFound, Record, Text, record, split
from vectors.loader import Value

_ECDSA = {
    "8.1": AuthMethod.ECDSA_SHA_256_P256,
    "8.2": AuthMethod.ECDSA_SHA_384_P384,
    "8.3": AuthMethod.ECDSA_SHA_512_P521,
}
_DIGESTS = {
    "sha1": HashAlgorithm.SHA1,
    "sha256": HashAlgorithm.SHA2_256,
    "sha384": HashAlgorithm.SHA2_384,
    "sha512": HashAlgorithm.SHA2_512,
}
_EDDSA = {"7.1": "Ed25519", "7.2": "Ed25519", "7.3": "Ed25519", "7.4": "Ed448", "7.5": "Ed448"}
_IDENTIFIERS = {"Ed25519": "300506032b6570", "Ed448": "300506032b6571"}


def rfc2759(text: Text) -> Iterator[VectorFile]:
    """The hashes of MS-CHAPv2, as EAP-MSCHAPv2 uses them."""
    names = {
        "user": "UserName",
        "password": "Password",
        "authenticator_challenge": "AuthenticatorChallenge",
        "peer_challenge": "PeerChallenge",
        "challenge": "Challenge",
        "password_hash": "PasswordHash",
        "nt_response": "Response",
        "password_hash_hash": "PasswordHashHash",
    }
    label = r"[\w-]+[ -](?:octet|256-char|256-unicode-char) (?:NT-)?(\w+):$"
    lines = text.section("9.2")
    found = record(lines, label)
    values: dict[str, Value] = {name: found.hex(printed) for name, printed in names.items()}
    answer = next(line.text for line in lines if line.text.startswith('"S='))
    values["authenticator_response"] = answer.strip('"').encode("ascii").hex()
    yield VectorFile(
        "rfc2759-mschapv2",
        "MS-CHAPv2 responses",
        "mschapv2",
        2759,
        "9.2",
        [case("section-9-2", "9.2", found.page, values)],
        "The password is in UTF-16, its low octets first; the authenticator's response in ASCII.",
    )


def rfc4754(text: Text) -> Iterator[VectorFile]:
    """One signature for each of methods 9 to 11, with the AUTH payload that it makes."""
    cases = []
    label = r"(gwx|gwy|r|s|payload would be as follows)[:.]$"
    for section, method in _ECDSA.items():
        lines = text.section(section)
        found = record(lines, rf"(?:payload, then the )?{label}")
        payload = found.octets("payload would be as follows")
        # The method stands in the second of the four octets that begin the payload's body.
        if payload[4:8] != bytes([0, method, 0, 0]):
            raise NotFound(f"RFC 4754, {section}: a payload that begins {payload[:8].hex()}")
        payload = payload[:4] + bytes([method, 0, 0, 0]) + payload[8:]
        values: dict[str, Value] = {
            "method": method.value,
            "identifier": "",
            "public": found.hex("gwx") + found.hex("gwy"),
            "message": b"abc".hex(),
            "signature": found.hex("r") + found.hex("s"),
            "payload": payload.hex(),
        }
        comment = (
            f"The RFC prints 00{method.value:02x}0000 where the payload's body begins; by RFC 7296,"
            f" 3.8, the method comes first: {method.value:02x}000000. Seen by decoding the payload."
        )
        cases.append(
            case(
                f"method-{method.value}",
                section,
                found.page,
                values,
                comment=comment,
                flags=["ERRATUM"],
            )
        )
    yield VectorFile(
        "rfc4754-ecdsa",
        "ECDSA signatures of authentication methods 9 to 11",
        "signature",
        4754,
        "8",
        cases,
    )


def rfc7427(text: Text) -> Iterator[VectorFile]:
    """The AlgorithmIdentifiers; those of DSA may be refused."""
    cases = []
    for section, lines in split(text.section("A"), r"(A\.\d\.\d)\."):
        name = lines[0].text.split(maxsplit=1)[1]
        found = record(lines, r"(Length) = \d+$")
        digits = [
            re.sub(r"^[0-9a-f]{4}: ", "", line.text)
            for line in lines
            if re.match(r"[0-9a-f]{4}: [0-9a-f]{2}", line.text)
        ]
        values: dict[str, Value] = {
            "identifier": bytes.fromhex("".join(digits)).hex(),
            **_scheme(name),
        }
        comment, dsa = "", name.startswith("dsa")
        if dsa:
            comment = "Nobody has to know DSA; ours refuses it."
        cases.append(
            case(
                section.replace(".", "-"),
                section,
                found.page,
                values,
                comment=comment,
                result="acceptable" if dsa else "valid",
            )
        )
    yield VectorFile(
        "rfc7427-identifiers",
        "AlgorithmIdentifiers of digital signatures",
        "algorithm-identifier",
        7427,
        "A",
        cases,
        "hash is the number of the hash algorithm, salt the octets of RSASSA-PSS's salt.",
    )


def _scheme(name: str) -> dict[str, int | None]:
    if name.startswith("RSASSA-PSS"):
        sha256 = name.endswith("SHA-256")
        digest = HashAlgorithm.SHA2_256 if sha256 else HashAlgorithm.SHA1
        return {"hash": digest.value, "salt": 32 if sha256 else 20}
    digest = next(number for part, number in _DIGESTS.items() if part in name)
    return {"hash": digest.value, "salt": None}


def rfc8032(text: Text) -> Iterator[VectorFile]:
    """Ed25519 and Ed448; RFC 8420 wants neither a context nor the prehash variants."""
    cases = []
    label = r"(SECRET KEY|PUBLIC KEY|MESSAGE|CONTEXT|SIGNATURE)[^:]*:$"
    for section, algorithm in _EDDSA.items():
        for name, lines in split(text.section(section), r"-----(.+)"):
            found = record(lines, label)
            cases.append(_eddsa(section, algorithm, name, found))
    yield VectorFile(
        "rfc8032-eddsa",
        "Ed25519 and Ed448 signatures",
        "signature",
        8032,
        "7",
        cases,
        "IKE's signatures are those without context and prehash (RFC 8420, 2): the others must not"
        " verify as such.",
    )


def _eddsa(section: str, algorithm: str, name: str, found: Record) -> Content:
    plain = section in ("7.1", "7.4") and "CONTEXT" not in found.values
    values: dict[str, Value] = {
        "method": AuthMethod.DIGITAL_SIGNATURE.value,
        "identifier": _IDENTIFIERS[algorithm],
        "private": found.hex("SECRET KEY"),
        "public": found.hex("PUBLIC KEY"),
        "message": found.hex("MESSAGE"),
        "signature": found.hex("SIGNATURE"),
    }
    return case(
        f"{section.replace('.', '-')}-{'-'.join(re.findall(r'[A-Za-z0-9]+', name))}",
        section,
        found.page,
        values,
        comment="" if plain else "A signature with context or prehash.",
        result="valid" if plain else "invalid",
        flags=[] if plain else ["OTHER_VARIANT"],
    )
