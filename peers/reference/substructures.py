"""What stands inside payloads: proposals, transforms, selectors, attributes (RFC 7296, 3.3-3.15).

Attributes and selectors read themselves with ``read_item`` and write with ``write_item``; proposals
and transforms are figures.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated, ClassVar, Self, TypeVar, cast, dataclass_transform

from peers.reference.errors import MalformedMessage, ScriptError
from peers.reference.events import IPAddress
from peers.reference.numbers import (
    AttributeType,
    ConfigAttributeType,
    Encr,
    Esn,
    Integ,
    IpProtocol,
    KeyExchangeMethod,
    Prf,
    ProtocolId,
    TrafficSelectorType,
    TransformType,
)
from peers.reference.wire import (
    U8,
    CountedChain8,
    FirstOctet,
    Items,
    Kind,
    Members,
    Number8,
    Reserved8,
    Rest,
    SecondOctet,
    Sized8,
    compile_figure,
    fast_constructor,
    shared_fields,
    skip,
)

_HEAD = struct.Struct(">HH")
_ATTRIBUTE_TYPES = Members(AttributeType)
_CONFIG_ATTRIBUTE_TYPES = Members(ConfigAttributeType)


@dataclass(frozen=True, slots=True)
class Attribute:
    """A transform attribute (RFC 7296, 3.3.5).

    A value that is a number takes the TV form (AF 1, two octets), octets take the TLV form (AF 0).
    ``type`` is a member of ``AttributeType`` when read.
    """

    type: int
    value: int | bytes

    def __str__(self) -> str:
        value = self.value if isinstance(self.value, int) else f"0x{self.value.hex()}"
        return f"{AttributeType(self.type)} {value}"

    @staticmethod
    def read_item(octets: bytes, at: int, end: int) -> tuple[Attribute, int]:
        """Read the attribute at ``at``."""
        value_at = skip(at, end, 4)
        first, second = _HEAD.unpack_from(octets, at)
        if first > 0x7FFF:
            return _attribute(_ATTRIBUTE_TYPES[first & 0x7FFF], second), value_at
        stop = skip(value_at, end, second)
        return _attribute(_ATTRIBUTE_TYPES[first], octets[value_at:stop]), stop

    def write_item(self) -> bytes:
        """Write the attribute."""
        if isinstance(self.value, int):
            return _HEAD.pack(self.type | 0x8000, self.value)
        return _HEAD.pack(self.type, len(self.value)) + self.value


_attribute = fast_constructor(Attribute)


@dataclass(frozen=True, slots=True)
class ConfigAttribute:
    """A configuration attribute (RFC 7296, 3.15.1). ``reserved`` is the R bit."""

    type: ConfigAttributeType
    value: bytes = b""
    reserved: bool = False

    def __str__(self) -> str:
        name = str(ConfigAttributeType(self.type))
        if not self.value:
            return name
        if name.startswith("INTERNAL_IP") and len(self.value) in (4, 16):
            return f"{name} {ip_address(self.value)}"
        if name.startswith("INTERNAL_IP") and len(self.value) == 17:
            return f"{name} {ip_address(self.value[:16])}/{self.value[16]}"
        return f"{name} 0x{self.value.hex()}"

    @staticmethod
    def read_item(octets: bytes, at: int, end: int) -> tuple[ConfigAttribute, int]:
        """Read the attribute at ``at``."""
        value_at = skip(at, end, 4)
        first, size = _HEAD.unpack_from(octets, at)
        stop = skip(value_at, end, size)
        number = _CONFIG_ATTRIBUTE_TYPES[first & 0x7FFF]
        return ConfigAttribute(number, octets[value_at:stop], first > 0x7FFF), stop

    def write_item(self) -> bytes:
        """Write the attribute."""
        return _HEAD.pack(self.reserved << 15 | self.type, len(self.value)) + self.value


@shared_fields
class _Substructure:
    """A proposal or a transform: both begin with an octet that is ``MORE``, or 0 in the last."""

    __slots__ = ()

    reserved: SecondOctet = field(default=0, kw_only=True)

    MORE: ClassVar[int]


T = TypeVar("T")
S = TypeVar("S", bound=_Substructure)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def _substructure(figure: str = "") -> Callable[[type[S]], type[S]]:
    def decorate(cls: type[S]) -> type[S]:
        return compile_figure(cls, cls.__name__, figure.split())

    return decorate


_KEY_EXCHANGES = Members(KeyExchangeMethod)
_TRANSFORM_IDS: dict[int, Members] = {
    TransformType.ENCR: Members(Encr),
    TransformType.PRF: Members(Prf),
    TransformType.INTEG: Members(Integ),
    TransformType.KE: _KEY_EXCHANGES,
    TransformType.ESN: Members(Esn),
    **dict.fromkeys(range(TransformType.ADDKE1, TransformType.ADDKE7 + 1), _KEY_EXCHANGES),
}


def transform_id(kind: int, number: int) -> int:
    """Name a Transform ID by its Transform Type (RFC 7296, 3.3.2); of others it stays a number."""
    members = _TRANSFORM_IDS.get(kind)
    return number if members is None else cast(int, members[number])


_TransformId = Annotated[
    int, Kind("H", "@", "self.@", value="@_helper(type, @)", helper=lambda _: transform_id)
]


@_substructure()
class Transform(_Substructure):
    """Transform Substructure (RFC 7296, 3.3.2). ``id`` is a member of the type's enumeration."""

    type: U8[TransformType]
    reserved_2: Reserved8 = field(default=0, kw_only=True)
    id: _TransformId
    attributes: Items[Attribute] = ()

    MORE: ClassVar[int] = 3

    @property
    def key_length(self) -> int | None:
        """Key Length in bits, None when there is no such attribute in TV form."""
        for attribute in self.attributes:
            if attribute.type == AttributeType.KEY_LENGTH and isinstance(attribute.value, int):
                return attribute.value
        return None

    def __str__(self) -> str:
        name = str(transform_id(self.type, self.id)).removeprefix("ENCR_")
        if self.type not in _TRANSFORM_IDS or name == "NONE":
            name = f"{TransformType(self.type)} {name}"
        if len(self.attributes) == 1 and self.key_length is not None:
            return f"{name}_{self.key_length}"
        return " ".join([name, *(f"[{attribute}]" for attribute in self.attributes)])


@_substructure(figure="number protocol spi transforms")
class Proposal(_Substructure):
    """Proposal Substructure (RFC 7296, 3.3.1)."""

    number: Number8
    protocol: U8[ProtocolId]
    transforms: CountedChain8[Transform]
    spi: Sized8 = b""

    MORE: ClassVar[int] = 2

    def of(self, kind: TransformType) -> tuple[Transform, ...]:
        """Give the transforms of one type, in order."""
        return tuple(transform for transform in self.transforms if transform.type == kind)

    def __str__(self) -> str:
        parts = [f"{self.number}:"]
        if self.protocol != ProtocolId.IKE:
            parts.append(str(ProtocolId(self.protocol)))
        if self.spi:
            parts.append(f"0x{self.spi.hex()}")
        return " ".join([*parts, ", ".join(map(str, self.transforms)) or "no transforms"])


@dataclass_transform(frozen_default=True)
def _selector(cls: type[T]) -> type[T]:
    return compile_figure(cls, "Selector")


@_selector
class UnknownSelector:
    """A traffic selector of another type: all but type and length depends on it (3.13.1)."""

    type: FirstOctet[TrafficSelectorType]
    second_octet: SecondOctet
    data: Rest

    read: ClassVar[Callable[[bytes, int, int], tuple[Self, int, int]]]
    write: ClassVar[Callable[[Self, int], bytes]]

    def write_item(self) -> bytes:
        """Write the selector."""
        return self.write(0)

    def __str__(self) -> str:
        return f"{TrafficSelectorType(self.type)} {self.second_octet} 0x{self.data.hex()}"


_SELECTOR_HEAD = struct.Struct(">BBH")
_RANGES: dict[int, tuple[type[IPAddress], struct.Struct]] = {
    TrafficSelectorType.TS_IPV4_ADDR_RANGE: (IPv4Address, struct.Struct(">BBHHH4s4s")),
    TrafficSelectorType.TS_IPV6_ADDR_RANGE: (IPv6Address, struct.Struct(">BBHHH16s16s")),
}


@dataclass(frozen=True, slots=True)
class TrafficSelector:
    """A range of addresses and ports (RFC 7296, 3.13.1): type 7 for IPv4, type 8 for IPv6."""

    type: TrafficSelectorType
    ip_protocol: IpProtocol
    start_port: int
    end_port: int
    start_address: IPAddress
    end_address: IPAddress

    @classmethod
    def read_item(cls, octets: bytes, at: int, end: int) -> tuple[Selector, int]:
        """Read the selector at ``at``; one of another type is an ``UnknownSelector``."""
        skip(at, end, _SELECTOR_HEAD.size)
        kind, _, length = _SELECTOR_HEAD.unpack_from(octets, at)
        if kind not in _RANGES:
            unknown, _, stop = UnknownSelector.read(octets, at, end)
            return unknown, stop
        make, layout = _RANGES[kind]
        if length != layout.size:
            raise MalformedMessage(at + 2, f"Selector Length {length}, {layout.size} is due")
        skip(at, end, length)
        kind, protocol, _, start_port, end_port, start, stop = layout.unpack_from(octets, at)
        numbers = TrafficSelectorType(kind), IpProtocol(protocol), start_port, end_port
        return cls(*numbers, make(start), make(stop)), at + length

    def write_item(self) -> bytes:
        """Write the selector; ScriptError when its type is not that of its addresses."""
        make, layout = _RANGES.get(self.type, (None, _SELECTOR_HEAD))
        start, end = self.start_address, self.end_address
        if not make or not isinstance(start, make) or not isinstance(end, make):
            raise ScriptError(f"a selector of type {self.type} cannot hold {start} to {end}")
        ports = self.start_port, self.end_port
        return layout.pack(
            self.type, self.ip_protocol, layout.size, *ports, start.packed, end.packed
        )

    def __str__(self) -> str:
        parts = [self._addresses()]
        if self.ip_protocol != IpProtocol.ANY:
            parts.append(str(IpProtocol(self.ip_protocol)))
        if (self.start_port, self.end_port) != (0, 65535):
            parts.append(self._ports())
        return " ".join(parts)

    def _addresses(self) -> str:
        start, end = int(self.start_address), int(self.end_address)
        count, width = end - start + 1, self.start_address.max_prefixlen
        if count == 1:
            return str(self.start_address)
        if count > 0 and count & (count - 1) == 0 and start % count == 0:
            return f"{self.start_address}/{width + 1 - count.bit_length()}"
        return f"{self.start_address}-{self.end_address}"

    def _ports(self) -> str:
        if (self.start_port, self.end_port) == (65535, 0):
            return "port OPAQUE"
        if self.start_port == self.end_port:
            return f"port {self.start_port}"
        return f"ports {self.start_port}-{self.end_port}"


Selector = TrafficSelector | UnknownSelector
