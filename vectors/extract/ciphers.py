"""Ciphers: RFC 2410, RFC 3602 (its blocks), RFC 3686 and RFC 8439."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from peers.reference.numbers import Encr
from vectors.extract.files import Content, VectorFile, case
from vectors.extract.text import Line, NotFound, Record, Text, record, records, split
from vectors.loader import Value


def rfc2410(text: Text) -> Iterator[VectorFile]:
    """The NULL cipher; case 1 prints seven and a half octets and says that they are eight."""
    cases = []
    label = r"(test_case|data_len|data|NULL_data)\s*="
    for found in records(text.section("2.5"), label, "test_case"):
        number = found.number("test_case")
        plain, sealed = (_padded(found.text(name)) for name in ("data", "NULL_data"))
        comment, flags = "", []
        if number == 1:
            comment = (
                "The RFC prints 15 digits for its 8 octets; the missing one is taken to be a zero"
                " in front. Any reading will do, for the cipher changes nothing."
            )
            flags = ["ERRATUM"]
        values = _cipher(Encr.ENCR_NULL, None, b"", b"", plain, sealed)
        cases.append(
            case(f"case-{number}", "2.5", found.page, values, comment=comment, flags=flags)
        )
    yield VectorFile("rfc2410-null", "NULL cipher", "cipher", 2410, "2.5", cases)


def _padded(value: str) -> bytes:
    if value.startswith('"'):
        return value.strip('"').encode("ascii")
    digits = value.removeprefix("0x")
    return bytes.fromhex(digits.zfill(len(digits) + len(digits) % 2))


def rfc3602(text: Text) -> Iterator[VectorFile]:
    """AES-CBC, cases 1 to 4; the others are ESP packets."""
    cases = []
    label = r"(Key|IV|Plaintext|Ciphertext)\s*: "
    for name, lines in split(text.section("4"), r"Case #(\d):")[:4]:
        found = record(lines, label)
        values = _cipher(
            Encr.ENCR_AES_CBC,
            128,
            found.octets("Key"),
            found.octets("IV"),
            found.octets("Plaintext"),
            found.octets("Ciphertext"),
        )
        cases.append(case(f"case-{name}", "4", found.page, values))
    yield VectorFile("rfc3602-aes-cbc", "AES-CBC", "cipher", 3602, "4", cases)


def rfc3686(text: Text) -> Iterator[VectorFile]:
    """AES-CTR with its nonce, which is the salt at the key's end, and IV."""
    cases = []
    label = r"(AES Key|AES-CTR IV|Nonce|Plaintext|Ciphertext|Counter Block|Key Stream)\b[^:]*:"
    for name, lines in split(text.section("6"), r"Test Vector #(\d):"):
        found = record(_without(lines, "Plaintext String"), label)
        key = found.octets("AES Key")
        values = _cipher(
            Encr.ENCR_AES_CTR,
            8 * len(key),
            key + found.octets("Nonce"),
            found.octets("AES-CTR IV"),
            found.octets("Plaintext"),
            found.octets("Ciphertext"),
        )
        cases.append(case(f"vector-{name}", "6", found.page, values))
    yield VectorFile("rfc3686-aes-ctr", "AES-CTR", "cipher", 3686, "6", cases)


_UNREACHABLE = (
    "Poly1305 alone (2.5.2, A.3) and key streams with a block counter of 0 (A.1, A.2) are not"
    " carried: no interface of the peer gives a key stream below 1, or a tag of a chosen text."
)


def rfc8439(text: Text) -> Iterator[VectorFile]:
    """The AEAD; key streams and one-time keys as far as the AEAD shows them."""
    aead = r"(Plaintext|AAD|Key|The ChaCha20 Key|IV|32-bit fixed-common part|Ciphertext|The nonce"
    aead += r"|The AAD|Received Tag|Tag):*$"
    first, second = (record(text.section(number), aead) for number in ("2.8.2", "A.5"))
    cases = [
        _aead("2.8.2", first, first.octets("32-bit fixed-common part") + first.octets("IV")),
        _aead("A.5", second, second.octets("The nonce")),
    ]
    yield VectorFile(
        "rfc8439-aead",
        "ChaCha20-Poly1305",
        "cipher",
        8439,
        "2.8.2 and A.5",
        cases,
        "The first 4 octets of the nonce are the salt of RFC 7634, 2, at the key's end.",
    )
    yield VectorFile(
        "rfc8439-chacha20",
        "ChaCha20 key streams under ChaCha20-Poly1305",
        "key-stream",
        8439,
        "2.3.2, 2.4.2, A.1 and A.2",
        [*_streams(text)],
        f"plaintext is encrypted from the block of that counter on. {_UNREACHABLE}",
    )
    yield VectorFile(
        "rfc8439-poly1305-key",
        "Poly1305 one-time keys under ChaCha20-Poly1305",
        "one-time-key",
        8439,
        "2.6.2 and A.4",
        [*_one_time_keys(text)],
    )


def _aead(section: str, found: Record, nonce: bytes) -> Content:
    def either(label: str, other: str) -> bytes:
        return found.octets(label if label in found.values else other)

    # A.5 starts from the ciphertext and tag, and ends with the plaintext.
    tag = either("Tag", "Received Tag")
    values = _cipher(
        Encr.ENCR_CHACHA20_POLY1305,
        None,
        either("Key", "The ChaCha20 Key") + nonce[:4],
        nonce[4:],
        found.octets("Plaintext"),
        found.octets("Ciphertext"),
        either("AAD", "The AAD"),
        tag,
    )
    return case(f"section-{section.replace('.', '-')}", section, found.page, values)


def _streams(text: Text) -> Iterator[Content]:
    label = r"(Key|Nonce|Block Counter|Initial Block Counter|Keystream|Plaintext|Ciphertext)\b:?\s*"
    for section in ("A.1", "A.2"):
        for name, lines in split(text.section(section), r"Test Vector #(\d):"):
            found = record(lines, label)
            counter = found.values.get("Block Counter") or found.text("Initial Block Counter")
            if int(counter.lstrip("= ")) == 0:
                continue
            sealed = found.octets("Keystream" if section == "A.1" else "Ciphertext")
            plain = bytes(len(sealed)) if section == "A.1" else found.octets("Plaintext")
            yield case(
                f"{section.replace('.', '-')}-{name}",
                section,
                found.page,
                {
                    "key": found.hex("Key"),
                    "nonce": found.hex("Nonce"),
                    "counter": int(counter.lstrip("= ")),
                    "plaintext": plain.hex(),
                    "ciphertext": sealed.hex(),
                },
            )
    yield from _streams_of_the_text(text)


def _streams_of_the_text(text: Text) -> Iterator[Content]:
    """2.3.2 and 2.4.2 give key and nonce within sentences; both count from 1."""
    for section, stream in (("2.3.2", "Serialized Block"), ("2.4.2", "Ciphertext Sunscreen")):
        lines = text.section(section)
        found = record(lines, rf"(o  Nonce =|{stream}|Plaintext Sunscreen)[: ]*")
        words = " ".join(line.text for line in lines)
        key = re.search(r"Key = ((?:[0-9a-f]{2}[: ]*){32})", words)
        if not key:
            raise NotFound(f"RFC 8439, {section}: no key")
        sealed = found.octets(stream)
        plain = bytes(64) if section == "2.3.2" else found.octets("Plaintext Sunscreen")
        yield case(
            f"section-{section.replace('.', '-')}",
            section,
            found.page,
            {
                "key": re.sub("[: ]", "", key[1]),
                "nonce": found.text("o  Nonce =").strip("().").replace(":", ""),
                "counter": 1,
                "plaintext": plain.hex(),
                "ciphertext": sealed.hex(),
            },
        )


def _one_time_keys(text: Text) -> Iterator[Content]:
    label = r"(Key|Nonce|Output bytes|The ChaCha20 Key|The nonce|Poly1305 one-time key):*$"
    found = record(text.section("2.6.2"), label)
    names = ("Key", "Nonce", "Output bytes")
    yield _one_time_key("section-2-6-2", "2.6.2", found, names)
    for name, lines in split(text.section("A.4"), r"Test Vector #(\d):"):
        found = record(lines, label)
        names = ("The ChaCha20 Key", "The nonce", "Poly1305 one-time key")
        yield _one_time_key(f"A-4-{name}", "A.4", found, names)


def _one_time_key(name: str, section: str, found: Record, labels: tuple[str, ...]) -> Content:
    key, nonce, output = (found.hex(label) for label in labels)
    return case(name, section, found.page, {"key": key, "nonce": nonce, "output": output})


def _cipher(
    encr: Encr,
    bits: int | None,
    key: bytes,
    iv: bytes,
    plaintext: bytes,
    ciphertext: bytes,
    associated: bytes = b"",
    icv: bytes = b"",
) -> dict[str, Value]:
    return {
        "encr": encr.value,
        "key_bits": bits,
        "key": key.hex(),
        "associated": associated.hex(),
        "iv": iv.hex(),
        "plaintext": plaintext.hex(),
        "ciphertext": ciphertext.hex(),
        "icv": icv.hex(),
    }


def _without(lines: Sequence[Line], prefix: str) -> Iterator[Line]:
    return (line for line in lines if not line.text.startswith(prefix))
