"""ESP packets and an IKE message: RFC 3602 (cases 5 to 8) and RFC 7634."""

from __future__ import annotations

from collections.abc import Iterator

from peers.reference.numbers import Encr
from vectors.extract.files import VectorFile, case
from vectors.extract.text import Text, record, split
from vectors.loader import Value


def rfc3602(text: Text) -> Iterator[VectorFile]:
    """Packets without ICV, two in transport and two in tunnel mode."""
    cases = []
    label = (
        r"(Key|SPI/Seq #|SPI|Sequence number|IV|IP header \(|Data|Padding|Next header|IP header|"
        r"Encrypted Data)[^:]*: *"
    )
    for number, lines in split(text.section("4"), r"Case #(\d):")[4:]:
        found = record(lines, label)
        next_header = found.octets("Next header")[0]
        tunnel = next_header == 4
        inner, outer = found.octets("IP header ("), found.octets("IP header")
        payload = found.octets("Data")
        packet = b"".join(map(found.octets, ("SPI/Seq #", "IV", "Encrypted Data")))
        values: dict[str, Value] = {
            "encr": Encr.ENCR_AES_CBC.value,
            "key_bits": 128,
            "key": found.hex("Key"),
            "spi": found.text("SPI").zfill(8),
            "sequence": found.number("Sequence number"),
            "extended": False,
            "iv": found.hex("IV"),
            "next_header": next_header,
            "payload": (inner + payload if tunnel else payload).hex(),
            "padding": found.hex("Padding"),
            "packet": packet.hex(),
            "original": (inner + payload).hex(),
            "outer": outer.hex(),
        }
        flags = ["TUNNEL" if tunnel else "TRANSPORT"]
        cases.append(case(f"case-{number}", "4", found.page, values, flags=flags))
    yield VectorFile(
        "rfc3602-esp",
        "ESP packets with AES-CBC and no integrity",
        "esp",
        3602,
        "4",
        cases,
        "The packets have no ICV. The outer IP header is that of the RFC, which counts the octets"
        " of the ESP packet.",
    )


def rfc7634(text: Text) -> Iterator[VectorFile]:
    """One ESP packet in tunnel mode and one IKE message, under the same key, salt and IV."""
    label = r"(KEYMAT|Source Packet|Plaintext|ESP packet|The IKE Message|AAD)\b[^:]*:$"
    esp, ike = record(text.section("A"), label), record(text.section("B"), label)
    packet, source = esp.octets("ESP packet"), esp.octets("Source Packet")
    plaintext, message = esp.octets("Plaintext"), ike.octets("The IKE Message")
    algorithm = {
        "encr": Encr.ENCR_CHACHA20_POLY1305.value,
        "key_bits": None,
        "key": esp.hex("KEYMAT"),
    }
    values = {
        **algorithm,
        "spi": packet[20:24].hex(),
        "sequence": int.from_bytes(packet[24:28], "big"),
        "extended": False,
        "iv": packet[28:36].hex(),
        "next_header": plaintext[-1],
        "payload": source.hex(),
        "padding": plaintext[len(source) : -2].hex(),
        "packet": packet[20:].hex(),
        "original": source.hex(),
        "outer": packet[:20].hex(),
    }
    comment = "Tunnel mode; page 11 has the packet."
    yield VectorFile(
        "rfc7634-esp",
        "ESP packet with ChaCha20-Poly1305",
        "esp",
        7634,
        "A",
        [case("appendix-A", "A", esp.page, values, comment=comment, flags=["TUNNEL"])],
    )
    values = {
        **algorithm,
        "iv": message[32:40].hex(),
        "associated": ike.hex("AAD"),
        "plaintext": ike.hex("Plaintext"),
        "message": message.hex(),
    }
    comment = "INFORMATIONAL request, message ID 9, N(SET_WINDOW_SIZE, 10)."
    yield VectorFile(
        "rfc7634-ike",
        "IKEv2 message with ChaCha20-Poly1305",
        "ike-message",
        7634,
        "B",
        [case("appendix-B", "B", ike.page, values, comment=comment)],
    )
