"""Lines of Wireshark's tables ``ikev2_decryption_table`` and ``esp_sa`` (Wireshark 4.0 and later).

Wireshark 4.0 and 4.4 have no ChaCha20-Poly1305, neither in IKE nor in ESP, and complain about
lines with a name that they do not know. Such lines are comments; a Wireshark that knows the name
in ``esp_sa`` reads the line without its "# ".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from peers.reference.errors import ScriptError
from peers.reference.events import IPAddress
from peers.reference.keys import ChildKeys, IkeKeys, SaKeys
from peers.reference.numbers import Encr, Integ

_Number = TypeVar("_Number")

ANY = "*"
"""What ``esp_sa`` takes for every address."""

_IKE_ENCR: Mapping[Encr, str] = {
    Encr.ENCR_NULL: "NULL [RFC2410]",
    Encr.ENCR_AES_CBC: "AES-CBC-{bits} [RFC3602]",
    Encr.ENCR_AES_GCM_8: "AES-GCM-{bits} with 8 octet ICV [RFC5282]",
    Encr.ENCR_AES_GCM_12: "AES-GCM-{bits} with 12 octet ICV [RFC5282]",
    Encr.ENCR_AES_GCM_16: "AES-GCM-{bits} with 16 octet ICV [RFC5282]",
    Encr.ENCR_CHACHA20_POLY1305: "ChaCha20 with Poly1305 [RFC7634]",
}
_IKE_INTEG: Mapping[Integ | None, str] = {
    None: "NONE [RFC4306]",
    Integ.AUTH_HMAC_SHA1_96: "HMAC_SHA1_96 [RFC2404]",
    Integ.AUTH_HMAC_SHA2_256_128: "HMAC_SHA2_256_128 [RFC4868]",
    Integ.AUTH_HMAC_SHA2_384_192: "HMAC_SHA2_384_192 [RFC4868]",
    Integ.AUTH_HMAC_SHA2_512_256: "HMAC_SHA2_512_256 [RFC4868]",
}
_ESP_ENCR: Mapping[Encr, str] = {
    Encr.ENCR_NULL: "NULL",
    Encr.ENCR_AES_CBC: "AES-CBC [RFC3602]",
    Encr.ENCR_AES_GCM_8: "AES-GCM with 8 octet ICV [RFC4106]",
    Encr.ENCR_AES_GCM_12: "AES-GCM with 12 octet ICV [RFC4106]",
    Encr.ENCR_AES_GCM_16: "AES-GCM with 16 octet ICV [RFC4106]",
    Encr.ENCR_CHACHA20_POLY1305: "ChaCha20 with Poly1305 [RFC7634]",
}
_ESP_INTEG: Mapping[Integ | None, str] = {
    None: "NULL",
    Integ.AUTH_HMAC_SHA1_96: "HMAC-SHA-1-96 [RFC2404]",
    Integ.AUTH_HMAC_SHA2_256_128: "HMAC-SHA-256-128 [RFC4868]",
    Integ.AUTH_HMAC_SHA2_384_192: "HMAC-SHA-384-192 [RFC4868]",
    Integ.AUTH_HMAC_SHA2_512_256: "HMAC-SHA-512-256 [RFC4868]",
}
_UNREADABLE = frozenset({Encr.ENCR_CHACHA20_POLY1305})


def ikev2_decryption_line(keys: IkeKeys) -> str:
    """Give the line of an IKE SA; a comment when Wireshark cannot read its cipher.

    Raises ScriptError for an algorithm without a name in Wireshark.
    """
    encr = _name(_IKE_ENCR, keys.encr).format(bits=keys.key_bits)
    line = (
        f'{keys.spi_i.hex()},{keys.spi_r.hex()},{keys.sk_ei.hex()},{keys.sk_er.hex()},"{encr}",'
        f'{keys.sk_ai.hex()},{keys.sk_ar.hex()},"{_name(_IKE_INTEG, keys.integ)}"'
    )
    return _readable(keys.encr, line)


def esp_sa_lines(
    keys: ChildKeys, initiator: IPAddress | None = None, responder: IPAddress | None = None
) -> tuple[str, ...]:
    """Give the lines of both directions of a Child SA; comments when Wireshark cannot read them.

    The addresses are the outer ones of those who began and answered the exchange. Without them
    the lines are for any address, of both IP versions. Extended sequence numbers do not show.
    Raises ScriptError for an algorithm without a name in Wireshark.
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
    columns = (
        *route,
        f"0x{spi.hex()}",
        _name(_ESP_ENCR, keys.encr),
        _key(sa.encryption),
        _name(_ESP_INTEG, keys.integ),
        _key(sa.integrity),
    )
    return _readable(keys.encr, ",".join(f'"{column}"' for column in columns))


def _key(octets: bytes) -> str:
    return f"0x{octets.hex()}" if octets else ""


def _readable(encr: Encr, line: str) -> str:
    return f"# {line}" if encr in _UNREADABLE else line


def _name(names: Mapping[_Number, str], number: _Number) -> str:
    try:
        return names[number]
    except KeyError:
        raise ScriptError(f"Wireshark has no name for {number!r}") from None
