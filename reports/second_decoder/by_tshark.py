"""tshark's reading of a capture as neutral lists of fields, one a frame, in one run of tshark."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import IO

from peers.reference.errors import Inconclusive
from peers.reference.numbers import PayloadType
from reports.second_decoder.fields import Fields, Pairs

_SKF = str(int(PayloadType.SKF))
_TOO_LONG = "field length invalid!"
_NUMBERS = {
    "isakmp.nextpayload": "next_payload",
    "isakmp.mjver": "major",
    "isakmp.mnver": "minor",
    "isakmp.exchangetype": "exchange",
    "isakmp.flag_i": "initiator",
    "isakmp.flag_v": "higher_version",
    "isakmp.flag_r": "response",
    "isakmp.messageid": "message_id",
    "isakmp.length": "length",
    "isakmp.criticalpayload": "critical",
    "isakmp.reserved7": "reserved_bits",
    "isakmp.payloadlength": "length",
    "isakmp.reserved": "reserved",
    "isakmp.prop.number": "number",
    "isakmp.prop.protoid": "protocol",
    "isakmp.prop.transforms": "transforms",
    "isakmp.spisize": "spi_size",
    "isakmp.spinum": "spi_count",
    "isakmp.tf.type": "type",
    "isakmp.key_exchange.dh_group": "group",
    "isakmp.id.type": "id_type",
    "isakmp.cert.encoding": "encoding",
    "isakmp.certreq.type": "encoding",
    "isakmp.auth.method": "method",
    "isakmp.notify.protoid": "protocol",
    "isakmp.notify.msgtype": "notify_type",
    "isakmp.delete.protoid": "protocol",
    "isakmp.cfg.type": "config_type",
    "isakmp.frag.number": "fragment",
    "isakmp.frag.total": "total",
    "isakmp.ts.number": "count",
    "isakmp.ts.type": "type",
    "isakmp.ts.protoid": "ip_protocol",
    "isakmp.ts.selector_length": "length",
    "isakmp.ts.start_port": "start_port",
    "isakmp.ts.end_port": "end_port",
    "isakmp.cfg.attr.format": "reserved",
    "isakmp.cfg.attr.length": "length",
    "isakmp.ike2.attr.format": "format",
    **{f"isakmp.tf.id.{kind}": "id" for kind in ("encr", "prf", "integ", "dh", "esn")},
    "isakmp.tf.id": "id",
}
_OCTETS = {
    "isakmp.ispi": "spi_i",
    "isakmp.rspi": "spi_r",
    "isakmp.spi": "spi",
    "isakmp.key_exchange.data": "data",
    "isakmp.id.data": "data",
    "isakmp.auth.data": "data",
    "isakmp.nonce": "data",
    "isakmp.notify.data": "data",
    "isakmp.vid_bytes": "data",
    "isakmp.datapayload": "data",
    "isakmp.gspm.data": "data",
    "isakmp.cfg.attr.value": "value",
    "isakmp.ike2.attr.value": "value",
    **{f"isakmp.ts.{end}_ipv{v}": f"{end}_address" for end in ("start", "end") for v in (4, 6)},
}
_SIZES = {"isakmp.cfg.attr.type": 0x7FFF, "isakmp.ike2.attr.type": 0x7FFF}
"""Numbers that share their octets with a bit in front."""


def available() -> bool:
    """Say whether tshark is installed."""
    return shutil.which("tshark") is not None


def version() -> str:
    """Give the version, as in ``4.0.17``."""
    done = subprocess.run(["tshark", "--version"], capture_output=True, text=True, check=True)
    return done.stdout.split()[2]


def read(capture: Path, profile: Path | None = None) -> dict[int, Fields]:
    """Read a capture with a profile's keys; give the fields of each frame that is IKE or ESP.

    Frames count from 1, as tshark counts them. Raises Inconclusive when tshark ends with an error.
    """
    environment = dict(os.environ)
    if profile is not None:
        environment["WIRESHARK_CONFIG_DIR"] = str(profile)
    # Fragments are compared one by one, so nothing is to be put together.
    command = ["tshark", "-r", str(capture), "-T", "pdml", "-n"]
    command += ["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]
    found: dict[int, Fields] = {}
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=said) as running,
    ):
        try:
            for number, packet in enumerate(_packets(running.stdout), 1):
                if fields := _frame(packet):
                    found[number] = fields
            complete = running.wait() == 0
        except ET.ParseError:
            complete = False
        if not complete:
            said.seek(0)
            raise Inconclusive(f"tshark: {said.read().decode(errors='replace').strip()[-500:]}")
    return found


def _packets(pdml: IO[bytes] | None) -> Iterator[ET.Element]:
    """Give one packet after the other; what was read is forgotten."""
    for _, element in ET.iterparse(pdml or BytesIO()):
        if element.tag == "packet":
            yield element
            element.clear()


def _frame(packet: ET.Element) -> Fields:
    for proto in packet.iter("proto"):
        if proto.get("name") == "isakmp":
            return _message(proto)
        if proto.get("name") == "esp":
            return _esp(proto)
    return {}


def _message(proto: ET.Element) -> Fields:
    fields = dict(_plain(proto))
    for element in _named(proto, "isakmp.version", "isakmp.flags"):
        fields.update(_plain(element))
    fields.update(_chain("payload", proto))
    for element in proto.iter("field"):
        if element.get("name") == "isakmp.enc.contained":
            fields.update(_chain("inner", element))
        elif element.get("name") == "isakmp.enc.pad_length":
            fields["sk.pad_length"] = _number(element)
        elif element.get("name") == "isakmp.typepayload" and element.get("show") == _SKF:
            # The payloads of the whole message stand below its last fragment.
            fields.update(_chain("inner", element))
    return fields


def _chain(name: str, parent: ET.Element) -> Pairs:
    for index, payload in enumerate(_named(parent, "isakmp.typepayload")):
        for field_name, value in _payload(payload):
            yield f"{name}[{index}].{field_name}", value


def _payload(payload: ET.Element) -> Pairs:
    kind = int(payload.get("show", "0"))
    yield "type", kind
    octets = _hex(payload)
    yield from _plain(payload, octets)
    yield from _NESTED.get(kind, _nothing)(payload, octets)


def _plain(parent: ET.Element, octets: bytes = b"") -> Pairs:
    """Give the fields that stand directly below; ``octets`` are those of ``parent``."""
    seen: set[str] = set()
    for element in parent:
        name = element.get("name", "")
        if name in _NUMBERS:
            neutral = _NUMBERS[name]
            yield f"{neutral}_2" if neutral in seen else neutral, _number(element)
            seen.add(neutral)
        elif name in _SIZES:
            yield name.rpartition(".")[2], _number(element) & _SIZES[name]
        elif name in _OCTETS:
            yield _OCTETS[name], _octets(element, parent, octets)


def _hex(element: ET.Element) -> bytes:
    """Give an element's octets; none where tshark says that its length is beyond the message."""
    value = element.get("value", "")
    return b"" if value == _TOO_LONG else bytes.fromhex(value)


def _number(element: ET.Element) -> int:
    return int(element.get("value") or "0", 16)


def _octets(element: ET.Element, parent: ET.Element, octets: bytes) -> bytes:
    """Give a field's octets; one without a value of its own says where it stands in its parent."""
    if value := _hex(element):
        return value
    # The parent itself is shown in a wrong place where it stands in fragments put together.
    first = next(_named(parent, "isakmp.nextpayload"), parent)
    start = int(element.get("pos", "0")) - int(first.get("pos", "0"))
    return octets[start : start + int(element.get("size", "0"))]


def _named(parent: ET.Element, *names: str) -> Iterator[ET.Element]:
    return (element for element in parent if element.get("name") in names)


def _sa(payload: ET.Element, octets: bytes) -> Pairs:
    for index, proposal in enumerate(_named(payload, "isakmp.typepayload")):
        prefix = f"proposal[{index}]."
        yield f"{prefix}spi", b""
        for name, value in _plain(proposal):
            yield prefix + name, value
        for number, transform in enumerate(_named(proposal, "isakmp.typepayload")):
            inside = f"{prefix}transform[{number}]."
            for name, value in _plain(transform):
                yield inside + name, value
            yield from _attributes(inside, transform, "isakmp.ike2.attr")


def _attributes(prefix: str, parent: ET.Element, kind: str) -> Pairs:
    for index, attribute in enumerate(_named(parent, kind)):
        yield f"{prefix}attribute[{index}].value", b""
        for name, value in _plain(attribute):
            yield f"{prefix}attribute[{index}].{name}", value


def _configuration(payload: ET.Element, octets: bytes) -> Pairs:
    yield from _attributes("", payload, "isakmp.cfg.attr")


def _selectors(payload: ET.Element, octets: bytes) -> Pairs:
    for index, selector in enumerate(_named(payload, "isakmp.ts.data")):
        for name, value in _plain(selector):
            yield f"selector[{index}].{name}", value


def _delete(payload: ET.Element, octets: bytes) -> Pairs:
    for index, spi in enumerate(_named(payload, "isakmp.delete.spi")):
        yield f"spi[{index}]", _hex(spi)


def _empty_data(payload: ET.Element, octets: bytes) -> Pairs:
    """tshark shows no field for no octets."""
    if not any(element.get("name") in _OCTETS for element in payload):
        yield "data", b""


def _notify(payload: ET.Element, octets: bytes) -> Pairs:
    names = {element.get("name") for element in payload}
    for name, neutral in (("isakmp.notify.data", "data"), ("isakmp.spi", "spi")):
        if name not in names:
            yield neutral, b""


def _certreq(payload: ET.Element, octets: bytes) -> Pairs:
    """tshark shows each hash of an authority on its own."""
    hashes = _named(payload, "isakmp.ike.certreq.authority")
    yield "data", b"".join(_hex(each) for each in hashes)


def _whole(payload: ET.Element, octets: bytes) -> Pairs:
    yield "data", octets[4:]


def _certificate(payload: ET.Element, octets: bytes) -> Pairs:
    yield "data", octets[5:]


def _fragment(payload: ET.Element, octets: bytes) -> Pairs:
    yield "data", octets[8:]


def _nothing(payload: ET.Element, octets: bytes) -> Pairs:
    return _empty_data(payload, octets)


_NESTED: dict[int, Callable[[ET.Element, bytes], Pairs]] = {
    33: _sa,
    37: _certificate,
    38: _certreq,
    41: _notify,
    42: _delete,
    44: _selectors,
    45: _selectors,
    46: _whole,
    47: _configuration,
    48: _whole,
    53: _fragment,
}


def _esp(proto: ET.Element) -> Fields:
    fields: Fields = {}
    for element in proto.iter("field"):
        name, value = element.get("name"), element.get("value", "")
        if name == "esp.spi":
            fields["spi"] = bytes.fromhex(value)
        elif name == "esp.sequence":
            fields["sequence"] = int(value, 16)
        elif name == "esp.pad_len":
            fields["pad_length"] = int(value, 16)
            fields.setdefault("padding", b"")
        elif name == "esp.protocol":
            fields["next_header"] = int(value, 16)
        elif name == "esp.contained_data":
            fields["payload"] = bytes.fromhex(value)
        elif name == "esp.pad":
            fields["padding"] = bytes.fromhex(value)
    return fields
