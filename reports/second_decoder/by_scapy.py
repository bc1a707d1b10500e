"""scapy's reading of a message (``contrib.ikev2``) as the neutral list of fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Any

from peers.reference.numbers import Encr, Integ
from reports.second_decoder.fields import Fields, Pairs
from reports.second_decoder.keys import Key


def read(octets: bytes) -> Fields:
    """Read a message as it is on the wire; what scapy leaves as raw octets is named ``load``."""
    from scapy.contrib.ikev2 import IKEv2

    header, *payloads = _layers(IKEv2(octets))
    if type(header) is not IKEv2:
        return {}
    fields: Fields = {
        "spi_i": header.init_SPI,
        "spi_r": header.resp_SPI,
        "next_payload": header.next_payload,
        "major": header.version >> 4,
        "minor": header.version & 15,
        "exchange": header.exch_type,
        "initiator": int(header.flags) >> 3 & 1,
        "higher_version": int(header.flags) >> 4 & 1,
        "response": int(header.flags) >> 5 & 1,
        "message_id": header.id,
        "length": header.length,
    }
    fields.update(_chain("payload", header.next_payload, payloads))
    return fields


def read_inside(first: int, plaintext: bytes) -> Fields:
    """Read what an SK payload held: payloads of which the first has type ``first``, and padding."""
    from scapy.contrib.ikev2 import IKEv2

    end = len(plaintext) - 1 - plaintext[-1]
    _, *payloads = _layers(IKEv2(bytes(IKEv2(next_payload=first)) + plaintext[:end]))
    return dict(_chain("inner", first, payloads))


def _chain(name: str, kind: int, payloads: list[Any]) -> Pairs:
    for index, payload in enumerate(payloads):
        for field, value in _payload(kind, payload):
            yield f"{name}[{index}].{field}", value
        kind = getattr(payload, "next_payload", 0)


def _layers(packet: Any) -> Iterator[Any]:
    while packet is not None and packet.name != "NoPayload":
        yield packet
        packet = packet.payload


def _payload(kind: int, payload: Any) -> Pairs:
    yield "type", kind
    if not hasattr(payload, "length"):
        yield "load", bytes(payload)
        return
    yield "next_payload", payload.next_payload
    yield "critical", int(payload.flags) >> 7
    yield "reserved_bits", int(payload.flags) & 0x7F
    yield "length", payload.length
    yield from _BODIES.get(type(payload).__name__, _load)(payload)


def _load(payload: Any) -> Pairs:
    yield "data", payload.load


def _sa(payload: Any) -> Pairs:
    for index, proposal in enumerate(_layers(payload.prop)):
        prefix = f"proposal[{index}]."
        if not hasattr(proposal, "proposal"):
            yield f"{prefix}load", bytes(proposal)
            continue
        yield f"{prefix}next_payload", proposal.next_payload
        yield f"{prefix}reserved", int(proposal.flags)
        yield f"{prefix}length", proposal.length
        yield f"{prefix}number", proposal.proposal
        yield f"{prefix}protocol", proposal.proto
        yield f"{prefix}spi_size", proposal.SPIsize
        yield f"{prefix}transforms", proposal.trans_nb
        yield f"{prefix}spi", proposal.SPI
        for number, transform in enumerate(_layers(proposal.trans)):
            for name, value in _transform(transform):
                yield f"{prefix}transform[{number}].{name}", value


def _transform(transform: Any) -> Pairs:
    if not hasattr(transform, "transform_type"):
        yield "load", bytes(transform)
        return
    yield "next_payload", transform.next_payload
    yield "reserved", int(transform.flags)
    yield "length", transform.length
    yield "type", transform.transform_type
    yield "reserved_2", transform.res2
    yield "id", transform.transform_id
    if transform.length > 8:
        # The field holds all four octets of an attribute in TV form.
        raw = transform.getfieldval("key_length")
        yield "attribute[0].type", raw >> 16 & 0x7FFF
        yield "attribute[0].format", raw >> 31
        yield "attribute[0].value", (raw & 0xFFFF).to_bytes(2, "big")


def _ke(payload: Any) -> Pairs:
    yield "group", payload.group
    yield "reserved", payload.res2
    yield "data", payload.ke


def _id(payload: Any) -> Pairs:
    yield "id_type", payload.IDtype
    yield "reserved", payload.res2
    yield "data", _octets(payload.ID)


def _octets(value: Any) -> bytes:
    """Undo what scapy does to addresses: it shows them as text."""
    return ip_address(value).packed if isinstance(value, str) else bytes(value)


def _cert(payload: Any) -> Pairs:
    yield "encoding", payload.cert_encoding
    data = payload.cert_data
    yield "data", data if isinstance(data, bytes) else bytes(data)


def _certreq(payload: Any) -> Pairs:
    yield "encoding", payload.cert_encoding
    yield "data", payload.cert_authority


def _auth(payload: Any) -> Pairs:
    yield "method", payload.auth_type
    yield "reserved", payload.res2
    yield "data", payload.load


def _nonce(payload: Any) -> Pairs:
    yield "data", payload.nonce


def _notify(payload: Any) -> Pairs:
    yield "protocol", payload.proto
    yield "spi_size", payload.SPIsize
    yield "notify_type", payload.type
    yield "spi", payload.SPI
    if payload.notify is not None:
        yield "data", payload.notify
        return
    ident = _octets(payload.gw_id)
    nonce = payload.nonce or b""
    yield "data", bytes([payload.gw_id_type, payload.gw_id_len]) + ident + nonce


def _delete(payload: Any) -> Pairs:
    yield "protocol", payload.proto
    yield "spi_size", payload.SPIsize
    yield "spi_count", payload.SPInum
    for index, spi in enumerate(payload.SPI):
        yield f"spi[{index}]", spi


def _vendor(payload: Any) -> Pairs:
    yield "data", payload.vendorID


def _selectors(payload: Any) -> Pairs:
    yield "count", payload.number_of_TSs
    yield "reserved", payload.res2
    for index, selector in enumerate(payload.traffic_selector):
        for name, value in _selector(selector):
            yield f"selector[{index}].{name}", value


def _selector(selector: Any) -> Pairs:
    if not hasattr(selector, "TS_type"):
        yield "load", bytes(selector)
        return
    yield "type", selector.TS_type
    yield "length", selector.length
    yield "ip_protocol", selector.IP_protocol_ID
    version = {7: "v4", 8: "v6"}.get(selector.TS_type)
    if version is None:
        yield "data", bytes(selector)[4:]
        return
    yield "start_port", selector.start_port
    yield "end_port", selector.end_port
    yield "start_address", _octets(getattr(selector, f"starting_address_{version}"))
    yield "end_address", _octets(getattr(selector, f"ending_address_{version}"))


def _configuration(payload: Any) -> Pairs:
    yield "config_type", payload.CFGType
    yield "reserved", payload.res2
    for index, attribute in enumerate(payload.attributes):
        prefix = f"attribute[{index}]."
        if not hasattr(attribute, "type"):
            yield f"{prefix}load", bytes(attribute)
            continue
        yield f"{prefix}reserved", attribute.type >> 15
        yield f"{prefix}type", attribute.type & 0x7FFF
        yield f"{prefix}length", attribute.length
        yield f"{prefix}value", _octets(attribute.value)


def _fragment(payload: Any) -> Pairs:
    yield "fragment", payload.frag_number
    yield "total", payload.frag_total
    yield "data", payload.load


_BODIES: dict[str, Callable[[Any], Pairs]] = {
    "IKEv2_SA": _sa,
    "IKEv2_KE": _ke,
    "IKEv2_IDi": _id,
    "IKEv2_IDr": _id,
    "IKEv2_CERT": _cert,
    "IKEv2_CERTREQ": _certreq,
    "IKEv2_AUTH": _auth,
    "IKEv2_Nonce": _nonce,
    "IKEv2_Notify": _notify,
    "IKEv2_Delete": _delete,
    "IKEv2_VendorID": _vendor,
    "IKEv2_TSi": _selectors,
    "IKEv2_TSr": _selectors,
    "IKEv2_CP": _configuration,
    "IKEv2_Encrypted_Fragment": _fragment,
}


# ESP.

_ENCR: dict[Encr, tuple[str, int | None]] = {
    Encr.ENCR_3DES: ("3DES", None),
    Encr.ENCR_NULL: ("NULL", None),
    Encr.ENCR_AES_CBC: ("AES-CBC", None),
    Encr.ENCR_AES_CTR: ("AES-CTR", None),
    Encr.ENCR_AES_CCM_8: ("AES-CCM", 8),
    Encr.ENCR_AES_CCM_12: ("AES-CCM", 12),
    Encr.ENCR_AES_CCM_16: ("AES-CCM", 16),
    Encr.ENCR_AES_GCM_16: ("AES-GCM", 16),
    Encr.ENCR_NULL_AUTH_AES_GMAC: ("AES-NULL-GMAC", 16),
    Encr.ENCR_CHACHA20_POLY1305: ("CHACHA20-POLY1305", 16),
}
"""scapy's name, and the size of the ICV of a combined mode in octets.

AES-GCM is there with ICVs of 16 octets only: scapy 2.8 has it from `cryptography`, which knows no
others.
"""

_INTEG: dict[Integ, str] = {
    Integ.NONE: "NULL",
    Integ.AUTH_HMAC_MD5_96: "HMAC-MD5-96",
    Integ.AUTH_HMAC_SHA1_96: "HMAC-SHA1-96",
    Integ.AUTH_AES_CMAC_96: "AES-CMAC-96",
    Integ.AUTH_HMAC_SHA2_256_128: "SHA2-256-128",
    Integ.AUTH_HMAC_SHA2_384_192: "SHA2-384-192",
    Integ.AUTH_HMAC_SHA2_512_256: "SHA2-512-256",
}


def has_algorithms_of(key: Key) -> bool:
    """Say whether scapy knows the algorithms of an ESP key."""
    return key.encr in _ENCR and key.integs[0] in _INTEG


def read_esp(octets: bytes) -> Fields:
    """Read what is in clear of an ESP packet."""
    from scapy.layers.ipsec import ESP

    packet = ESP(octets)
    return {"spi": packet.spi.to_bytes(4, "big"), "sequence": packet.seq}


def open_esp(octets: bytes, key: Key, high: int | None) -> Fields:
    """Read an ESP packet with its key; ``high`` is the high half of an extended number.

    Gives what is in clear alone where scapy does not open it.
    """
    from scapy.layers import ipsec

    layer: Any = ipsec
    packet = layer.ESP(octets)
    name, icv_size = _ENCR[key.encr]
    sa = layer.SecurityAssociation(
        layer.ESP,
        packet.spi,
        crypt_algo=name,
        crypt_key=key.encryption,
        auth_algo=_INTEG[key.integs[0]],
        auth_key=key.integrity,
    )
    extended = {"esn_en": high is not None, "esn": high or 0}
    size = icv_size or sa.auth_algo.icv_size
    try:
        sa.auth_algo.verify(packet, sa.auth_key, **extended)
        plain = sa.crypt_algo.decrypt(sa, packet, sa.crypt_key, size, **extended)
    except (layer.IPSecIntegrityError, ValueError, IndexError):
        return read_esp(octets)
    return read_esp(octets) | {
        "next_header": plain.nh,
        "pad_length": plain.padlen,
        "padding": plain.padding,
        "payload": plain.data,
    }
