"""What a message says, as one flat list that every decoder can be made to give.

A field has a path, as in ``payload[1].proposal[0].transform[2].id``, and a value: a number, or
octets. Paths use the names of RFC 7296, section 3; ``inner`` are the payloads inside SK,
``sk`` is its padding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from peers.reference.esp import EspPacket
from peers.reference.message import HEADER_SIZE, Message
from peers.reference.payloads import (
    AUTH,
    CERT,
    CERTREQ,
    CP,
    EAP,
    KE,
    SA,
    SK,
    SKF,
    Delete,
    IDi,
    IDr,
    Nonce,
    Notify,
    Payload,
    TSi,
    TSr,
    Unknown,
    VendorID,
)
from peers.reference.substructures import TrafficSelector

Value = int | bytes
Fields = dict[str, Value]
Pairs = Iterator[tuple[str, Value]]


def of_message(message: Message) -> Fields:
    """Give the fields of a message as we read it, the payloads inside SK too."""
    outer = message.unprotected if message.protected else message.payloads
    chain: tuple[Payload, ...] = outer
    if message.envelope is not None:
        chain = (*outer, message.envelope)
    fields = dict(_header(message, chain))
    fields.update(_chain("payload", chain))
    if message.protected:
        fields.update(_chain("inner", message.payloads))
        fields["sk.pad_length"], fields["sk.padding"] = len(message.padding), message.padding
    return fields


def of_esp(packet: EspPacket) -> Fields:
    """Give the fields of an ESP packet in clear."""
    return {
        "spi": packet.spi,
        "sequence": packet.sequence & 0xFFFFFFFF,
        "next_header": int(packet.next_header),
        "pad_length": len(packet.padding),
        "padding": packet.padding,
        "payload": packet.payload + packet.tfc,
    }


def _header(message: Message, chain: Sequence[Payload]) -> Pairs:
    yield "spi_i", message.spi_i
    yield "spi_r", message.spi_r
    yield "next_payload", int(chain[0].type) if chain else 0
    yield "major", message.major
    yield "minor", message.minor
    yield "exchange", int(message.exchange)
    yield "initiator", int(message.initiator)
    yield "response", int(message.response)
    yield "higher_version", int(message.higher_version)
    yield "message_id", message.message_id
    yield "length", HEADER_SIZE + sum(4 + len(each.body()) for each in chain)


def _chain(name: str, chain: Sequence[Payload]) -> Pairs:
    for index, payload in enumerate(chain):
        prefix = f"{name}[{index}]."
        following = int(chain[index + 1].type) if index + 1 < len(chain) else 0
        yield f"{prefix}type", int(payload.type)
        yield f"{prefix}next_payload", int(getattr(payload, "first", following))
        yield f"{prefix}critical", int(payload.critical)
        yield f"{prefix}reserved_bits", payload.reserved_bits
        yield f"{prefix}length", 4 + len(payload.body())
        for field_name, value in _BODIES[type(payload)](payload):
            yield prefix + field_name, value


def _data(payload: Any) -> Pairs:
    yield "data", payload.data


def _sa(payload: Any) -> Pairs:
    for index, proposal in enumerate(payload.proposals):
        prefix = f"proposal[{index}]."
        last = index + 1 == len(payload.proposals)
        yield f"{prefix}next_payload", 0 if last else proposal.MORE
        yield f"{prefix}reserved", proposal.reserved
        yield f"{prefix}length", len(proposal.write(0))
        yield f"{prefix}number", proposal.number
        yield f"{prefix}protocol", int(proposal.protocol)
        yield f"{prefix}spi_size", len(proposal.spi)
        yield f"{prefix}transforms", len(proposal.transforms)
        yield f"{prefix}spi", proposal.spi
        for number, transform in enumerate(proposal.transforms):
            last = number + 1 == len(proposal.transforms)
            for name, value in _transform(transform, last):
                yield f"{prefix}transform[{number}].{name}", value


def _transform(transform: Any, last: bool) -> Pairs:
    yield "next_payload", 0 if last else transform.MORE
    yield "reserved", transform.reserved
    yield "length", len(transform.write(0))
    yield "type", int(transform.type)
    yield "reserved_2", transform.reserved_2
    yield "id", int(transform.id)
    for index, attribute in enumerate(transform.attributes):
        short = isinstance(attribute.value, int)
        octets = attribute.value.to_bytes(2, "big") if short else attribute.value
        yield f"attribute[{index}].type", int(attribute.type)
        yield f"attribute[{index}].format", int(short)
        yield f"attribute[{index}].value", octets


def _ke(payload: KE) -> Pairs:
    yield "group", int(payload.group)
    yield "reserved", payload.reserved
    yield "data", payload.data


def _id(payload: IDi | IDr) -> Pairs:
    yield "id_type", int(payload.id_type)
    yield "reserved", payload.reserved
    yield "data", payload.data


def _certificate(payload: CERT | CERTREQ) -> Pairs:
    yield "encoding", int(payload.encoding)
    yield "data", payload.data


def _auth(payload: AUTH) -> Pairs:
    yield "method", int(payload.method)
    yield "reserved", payload.reserved
    yield "data", payload.data


def _notify(payload: Notify) -> Pairs:
    yield "protocol", int(payload.protocol)
    yield "spi_size", len(payload.spi)
    yield "notify_type", int(payload.notify_type)
    yield "spi", payload.spi
    yield "data", payload.data


def _delete(payload: Delete) -> Pairs:
    yield "protocol", int(payload.protocol)
    yield "spi_size", len(payload.spis[0]) if payload.spis else payload.empty_spi_size
    yield "spi_count", len(payload.spis)
    for index, spi in enumerate(payload.spis):
        yield f"spi[{index}]", spi


def _selectors(payload: TSi | TSr) -> Pairs:
    yield "count", len(payload.selectors)
    yield "reserved", payload.reserved
    for index, selector in enumerate(payload.selectors):
        prefix = f"selector[{index}]."
        yield f"{prefix}type", int(selector.type)
        yield f"{prefix}length", len(selector.write_item())
        if isinstance(selector, TrafficSelector):
            yield f"{prefix}ip_protocol", int(selector.ip_protocol)
            yield f"{prefix}start_port", selector.start_port
            yield f"{prefix}end_port", selector.end_port
            yield f"{prefix}start_address", selector.start_address.packed
            yield f"{prefix}end_address", selector.end_address.packed
        else:
            yield f"{prefix}ip_protocol", selector.second_octet
            yield f"{prefix}data", selector.data


def _configuration(payload: CP) -> Pairs:
    yield "config_type", int(payload.config_type)
    yield "reserved", payload.reserved
    for index, attribute in enumerate(payload.attributes):
        prefix = f"attribute[{index}]."
        yield f"{prefix}reserved", int(attribute.reserved)
        yield f"{prefix}type", int(attribute.type)
        yield f"{prefix}length", len(attribute.value)
        yield f"{prefix}value", attribute.value


def _fragment(payload: SKF) -> Pairs:
    yield "fragment", payload.fragment
    yield "total", payload.total
    yield "data", payload.data


_BODIES: dict[type[Payload], Callable[[Any], Pairs]] = {
    SA: _sa,
    KE: _ke,
    IDi: _id,
    IDr: _id,
    CERT: _certificate,
    CERTREQ: _certificate,
    AUTH: _auth,
    Nonce: _data,
    Notify: _notify,
    Delete: _delete,
    VendorID: _data,
    TSi: _selectors,
    TSr: _selectors,
    SK: _data,
    CP: _configuration,
    EAP: _data,
    SKF: _fragment,
    Unknown: _data,
}
"""A new payload class needs a line here; a self-test says so."""

PAYLOADS = frozenset(_BODIES)
