"""What an extractor gives: the content of vector files, and how they are written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vectors.loader import Result, Value

TITLES = {
    2202: "Test Cases for HMAC-MD5 and HMAC-SHA-1",
    2409: "The Internet Key Exchange (IKE)",
    2410: "The NULL Encryption Algorithm and Its Use With IPsec",
    2759: "Microsoft PPP CHAP Extensions, Version 2",
    3526: "More Modular Exponential (MODP) Diffie-Hellman groups for Internet Key Exchange (IKE)",
    3566: "The AES-XCBC-MAC-96 Algorithm and Its Use With IPsec",
    3602: "The AES-CBC Cipher Algorithm and Its Use with IPsec",
    3686: "Using Advanced Encryption Standard (AES) Counter Mode With IPsec Encapsulating Security"
    " Payload (ESP)",
    4231: "Identifiers and Test Vectors for HMAC-SHA-224, HMAC-SHA-256, HMAC-SHA-384, and"
    " HMAC-SHA-512",
    4434: "The AES-XCBC-PRF-128 Algorithm for the Internet Key Exchange Protocol (IKE)",
    4494: "The AES-CMAC-96 Algorithm and Its Use with IPsec",
    4615: "The Advanced Encryption Standard-Cipher-based Message Authentication Code-Pseudo-Random"
    " Function-128 (AES-CMAC-PRF-128) Algorithm for the Internet Key Exchange Protocol (IKE)",
    4754: "IKE and IKEv2 Authentication Using the Elliptic Curve Digital Signature Algorithm"
    " (ECDSA)",
    4868: "Using HMAC-SHA-256, HMAC-SHA-384, and HMAC-SHA-512 with IPsec",
    5114: "Additional Diffie-Hellman Groups for Use with IETF Standards",
    5903: "Elliptic Curve Groups modulo a Prime (ECP Groups) for IKE and IKEv2",
    5996: "Internet Key Exchange Protocol Version 2 (IKEv2)",
    6932: "Brainpool Elliptic Curves for the Internet Key Exchange (IKE) Group Description"
    " Registry",
    7427: "Signature Authentication in the Internet Key Exchange Version 2 (IKEv2)",
    7634: "ChaCha20, Poly1305, and Their Use in the Internet Key Exchange Protocol (IKE) and IPsec",
    7748: "Elliptic Curves for Security",
    8031: "Curve25519 and Curve448 for the Internet Key Exchange Protocol Version 2 (IKEv2) Key"
    " Agreement",
    8032: "Edwards-Curve Digital Signature Algorithm (EdDSA)",
    8439: "ChaCha20 and Poly1305 for IETF Protocols",
}
"""The RFCs that vectors are taken from."""

Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class VectorFile:
    """One file; ``name`` is without ``.json``."""

    name: str
    subject: str
    kind: str
    rfc: int
    section: str
    cases: Sequence[Content]
    notes: str = ""

    def render(self) -> str:
        """Give the file's text."""
        content: Content = {
            "$schema": "schema.json",
            "subject": self.subject,
            "kind": self.kind,
            "source": {"rfc": self.rfc, "title": TITLES[self.rfc], "section": self.section},
        }
        if self.notes:
            content["notes"] = self.notes
        content["cases"] = list(self.cases)
        return json.dumps(content, indent=2) + "\n"


def case(
    identifier: str,
    section: str,
    page: int,
    values: Mapping[str, Value],
    *,
    comment: str = "",
    result: Result = "valid",
    flags: Sequence[str] = (),
) -> Content:
    """Give one case as it stands in a file; octets among the values are hexadecimal."""
    content: Content = {"id": identifier, "section": section, "page": page}
    if comment:
        content["comment"] = comment
    return {**content, "result": result, "flags": list(flags), "values": dict(values)}
