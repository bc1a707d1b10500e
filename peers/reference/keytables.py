"""Lines of Wireshark's tables ``ikev2_decryption_table`` and ``esp_sa`` (Wireshark 4.0 and later).

Wireshark 4.0 and 4.4 have no ChaCha20-Poly1305 and no Camellia, no AES-XCBC and AES-CMAC in IKE, no
AES-CCM, GMAC and implicit IVs in ESP, and complain about lines with a name that they do not know.
Such lines are comments; a Wireshark that knows the name reads the line without its "# ".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from peers.reference.events import IPAddress
from peers.reference.keys import ChildKeys, IkeKeys, SaKeys
from peers.reference.numbers import Encr, Integ

_Number = TypeVar("_Number", Encr, Integ)

ANY = "*"
"""What ``esp_sa`` takes for every address."""

IKE_ENCR: Mapping[Encr, str] = {
    Encr.ENCR_3DES: "3DES [RFC2451]",
    Encr.ENCR_NULL: "NULL [RFC2410]",
    Encr.ENCR_AES_CBC: "AES-CBC-{bits} [RFC3602]",
    Encr.ENCR_AES_CTR: "AES-CTR-{bits} [RFC5930]",
    Encr.ENCR_AES_CCM_8: "AES-CCM-{bits} with 8 octet ICV [RFC5282]",
    Encr.ENCR_AES_CCM_12: "AES-CCM-{bits} with 12 octet ICV [RFC5282]",
    Encr.ENCR_AES_CCM_16: "AES-CCM-{bits} with 16 octet ICV [RFC5282]",
    Encr.ENCR_AES_GCM_8: "AES-GCM-{bits} with 8 octet ICV [RFC5282]",
    Encr.ENCR_AES_GCM_12: "AES-GCM-{bits} with 12 octet ICV [RFC5282]",
    Encr.ENCR_AES_GCM_16: "AES-GCM-{bits} with 16 octet ICV [RFC5282]",
}
IKE_INTEG: Mapping[Integ, str] = {
    Integ.NONE: "NONE [RFC4306]",
    Integ.AUTH_HMAC_MD5_96: "HMAC_MD5_96 [RFC2403]",
    Integ.AUTH_HMAC_SHA1_96: "HMAC_SHA1_96 [RFC2404]",
    Integ.AUTH_HMAC_SHA2_256_128: "HMAC_SHA2_256_128 [RFC4868]",
    Integ.AUTH_HMAC_SHA2_384_192: "HMAC_SHA2_384_192 [RFC4868]",
    Integ.AUTH_HMAC_SHA2_512_256: "HMAC_SHA2_512_256 [RFC4868]",
}
ESP_ENCR: Mapping[Encr, str] = {
    Encr.ENCR_3DES: "TripleDES-CBC [RFC2451]",
    Encr.ENCR_NULL: "NULL",
    Encr.ENCR_AES_CBC: "AES-CBC [RFC3602]",
    Encr.ENCR_AES_CTR: "AES-CTR [RFC3686]",
    Encr.ENCR_AES_GCM_8: "AES-GCM with 8 octet ICV [RFC4106]",
    Encr.ENCR_AES_GCM_12: "AES-GCM with 12 octet ICV [RFC4106]",
    Encr.ENCR_AES_GCM_16: "AES-GCM with 16 octet ICV [RFC4106]",
}
_UNCHECKED = "ANY 96 bit authentication [no checking]"
ESP_INTEG: Mapping[Integ, str] = {
    Integ.NONE: "NULL",
    Integ.AUTH_HMAC_MD5_96: "HMAC-MD5-96 [RFC2403]",
    Integ.AUTH_HMAC_SHA1_96: "HMAC-SHA-1-96 [RFC2404]",
    Integ.AUTH_AES_XCBC_96: _UNCHECKED,
    Integ.AUTH_AES_CMAC_96: _UNCHECKED,
    Integ.AUTH_HMAC_SHA2_256_128: "HMAC-SHA-256-128 [RFC4868]",
    Integ.AUTH_HMAC_SHA2_384_192: "HMAC-SHA-384-192 [RFC4868]",
    Integ.AUTH_HMAC_SHA2_512_256: "HMAC-SHA-512-256 [RFC4868]",
}
NEWER: Mapping[Encr, str] = {Encr.ENCR_CHACHA20_POLY1305: "ChaCha20 with Poly1305 [RFC7634]"}
"""Names that only later versions know."""


def ikev2_decryption_line(keys: IkeKeys) -> str:
    """Give the line of an IKE SA; a comment when Wireshark cannot read its algorithms."""
    integ = keys.integ or Integ.NONE
    encr = _name(IKE_ENCR, keys.encr).format(bits=keys.key_bits)
    line = (
        f'{keys.spi_i.hex()},{keys.spi_r.hex()},{keys.sk_ei.hex()},{keys.sk_er.hex()},"{encr}",'
        f'{keys.sk_ai.hex()},{keys.sk_ar.hex()},"{_name(IKE_INTEG, integ)}"'
    )
    return line if keys.encr in IKE_ENCR and integ in IKE_INTEG else f"# {line}"


def esp_sa_lines(
    keys: ChildKeys, initiator: IPAddress | None = None, responder: IPAddress | None = None
) -> tuple[str, ...]:
    """Give the lines of both directions of a Child SA; comments when Wireshark cannot read them.

    The addresses are the outer ones of those who began and answered the exchange. Without them
    the lines are for any address, of both IP versions. Extended sequence numbers do not show.
    """
    if initiator is not None and responder is not None:
        sides = [(f"IPv{initiator.version}", str(initiator), str(responder))]
    else:
        sides = [("IPv4", ANY, ANY), ("IPv6", ANY, ANY)]
    return tuple(
        line
        for version, first, second in sides
        for line in (
            _esp_line(keys, (version, first, second), keys.responder_spi, keys.from_initiator),
            _esp_line(keys, (version, second, first), keys.initiator_spi, keys.from_responder),
        )
    )


def _esp_line(keys: ChildKeys, route: tuple[str, str, str], spi: bytes, sa: SaKeys) -> str:
    integ = keys.integ or Integ.NONE
    columns = (
        *route,
        f"0x{spi.hex()}",
        _name(ESP_ENCR, keys.encr),
        _key(sa.encryption),
        _name(ESP_INTEG, integ),
        _key(sa.integrity),
    )
    line = ",".join(f'"{column}"' for column in columns)
    return line if keys.encr in ESP_ENCR and integ in ESP_INTEG else f"# {line}"


def _key(octets: bytes) -> str:
    return f"0x{octets.hex()}" if octets else ""


def _name(names: Mapping[_Number, str], number: _Number) -> str:
    """Give Wireshark's name; in a comment that of a later version, or the registry's."""
    later = NEWER.get(number) if isinstance(number, Encr) else None
    return names.get(number, later or str(number))
