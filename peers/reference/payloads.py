"""The payloads of IKEv2 (RFC 7296, 3.2 to 3.16; RFC 7383, 2.5): each class body is its figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from ipaddress import ip_address

from peers.reference.chain import Payload, Unknown, count, payload, read_payloads, write_payloads
from peers.reference.numbers import (
    AuthMethod,
    CertEncoding,
    ConfigType,
    IdType,
    KeyExchangeMethod,
    NotifyType,
    PayloadType,
    ProtocolId,
)
from peers.reference.substructures import (
    Attribute,
    ConfigAttribute,
    Proposal,
    Selector,
    TrafficSelector,
    Transform,
    UnknownSelector,
)
from peers.reference.wire import (
    U8,
    U16,
    Chain,
    Counted8,
    EmptySpiSize,
    FirstOctet,
    Items,
    Number16,
    Reserved16,
    Reserved24,
    Rest,
    Sized8,
    SpiList,
    shared_fields,
)

__all__ = [
    "AUTH",
    "CERT",
    "CERTREQ",
    "CP",
    "EAP",
    "KE",
    "SA",
    "SK",
    "SKF",
    "Attribute",
    "ConfigAttribute",
    "Delete",
    "IDi",
    "IDr",
    "Nonce",
    "Notify",
    "Payload",
    "Proposal",
    "Selector",
    "TSi",
    "TSr",
    "TrafficSelector",
    "Transform",
    "Unknown",
    "UnknownSelector",
    "VendorID",
    "read_payloads",
    "write_payloads",
]


@payload(33)
class SA(Payload):
    """Security Association (RFC 7296, 3.3)."""

    proposals: Chain[Proposal]

    def details(self) -> list[str]:
        """Give the proposals with their transforms."""
        return ["; ".join(map(str, self.proposals))]


@payload(34)
class KE(Payload):
    """Key Exchange (RFC 7296, 3.4)."""

    group: U16[KeyExchangeMethod]
    reserved: Reserved16 = field(default=0, kw_only=True)
    data: Rest

    def details(self) -> list[str]:
        """Give the method and the size of the public value."""
        return [str(KeyExchangeMethod(self.group)), count(self.data)]


@shared_fields
class Identification(Payload):
    """What IDi and IDr have in common (RFC 7296, 3.5)."""

    __slots__ = ()

    id_type: U8[IdType]
    reserved: Reserved24 = field(default=0, kw_only=True)
    data: Rest

    def details(self) -> list[str]:
        """Give the identity as its type wants it shown."""
        return [f"{str(IdType(self.id_type)).removeprefix('ID_')} {self.identity()}"]

    def identity(self) -> str:
        """Give the identity as text: a name, an address, or hexadecimal digits."""
        text = self.data.decode("utf-8", "backslashreplace")
        if self.id_type in (IdType.ID_FQDN, IdType.ID_RFC822_ADDR, IdType.ID_KEY_ID):
            return text if text.isprintable() else f"0x{self.data.hex()}"
        if (self.id_type, len(self.data)) in ((IdType.ID_IPV4_ADDR, 4), (IdType.ID_IPV6_ADDR, 16)):
            return str(ip_address(self.data))
        return f"0x{self.data.hex()}"


@payload(35)
class IDi(Identification):
    """Identification of the initiator (RFC 7296, 3.5)."""


@payload(36)
class IDr(Identification):
    """Identification of the responder (RFC 7296, 3.5)."""


HASH_AND_URL = (CertEncoding.HASH_AND_URL_X509, CertEncoding.HASH_AND_URL_BUNDLE)


@shared_fields
class _Certificates(Payload):
    __slots__ = ()

    encoding: U8[CertEncoding]
    data: Rest

    def details(self) -> list[str]:
        """Give the encoding and the size."""
        return [str(CertEncoding(self.encoding)), count(self.data)]


@payload(37)
class CERT(_Certificates):
    """Certificate (RFC 7296, 3.6)."""

    def details(self) -> list[str]:
        """Give the encoding, and the size or the URL behind the hash."""
        url = self.data[20:].decode("latin-1")
        if self.encoding in HASH_AND_URL and url.isprintable():
            return [str(CertEncoding(self.encoding)), repr(url)]
        return _Certificates.details(self)


@payload(38)
class CERTREQ(_Certificates):
    """Certificate Request (RFC 7296, 3.7)."""


@payload(39)
class AUTH(Payload):
    """Authentication (RFC 7296, 3.8)."""

    method: U8[AuthMethod]
    reserved: Reserved24 = field(default=0, kw_only=True)
    data: Rest

    def details(self) -> list[str]:
        """Give the method and the size of the authentication data."""
        return [str(AuthMethod(self.method)), count(self.data)]


@payload(40)
class Nonce(Payload):
    """Nonce (RFC 7296, 3.9)."""

    data: Rest

    def details(self) -> list[str]:
        """Give the size."""
        return [count(self.data)]


def _group(data: bytes) -> str:
    return str(KeyExchangeMethod(int.from_bytes(data, "big")))


def _decimal(data: bytes) -> str:
    return str(int.from_bytes(data, "big"))


_NOTIFICATION_DATA: dict[tuple[NotifyType, int], Callable[[bytes], str]] = {
    (NotifyType.INVALID_KE_PAYLOAD, 2): _group,
    (NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD, 1): lambda data: str(PayloadType(data[0])),
    (NotifyType.INVALID_MAJOR_VERSION, 1): lambda data: f"major version {data[0]}",
    (NotifyType.INVALID_MESSAGE_ID, 4): _decimal,
    (NotifyType.SET_WINDOW_SIZE, 4): _decimal,
}
"""How notification data of a type and a size is shown; other data by its size."""


@payload(41, figure="protocol spi notify_type data")
class Notify(Payload):
    """Notify (RFC 7296, 3.10)."""

    notify_type: U16[NotifyType]
    data: Rest = b""
    protocol: U8[ProtocolId] = ProtocolId.NONE
    spi: Sized8 = b""

    def label(self) -> str:
        """Give the RFC's short name."""
        return "N"

    def details(self) -> list[str]:
        """Give the type, the SA it is about, and the data where its meaning is known."""
        details = [str(NotifyType(self.notify_type))]
        if self.spi or self.protocol:
            spi = f" 0x{self.spi.hex()}" if self.spi else ""
            details.append(f"{ProtocolId(self.protocol)}{spi}")
        if self.data:
            show = _NOTIFICATION_DATA.get((self.notify_type, len(self.data)), count)
            details.append(show(self.data))
        return details


@payload(42)
class Delete(Payload):
    """Delete (RFC 7296, 3.11). SPIs are of one size; there are none for an IKE SA."""

    protocol: U8[ProtocolId]
    spis: SpiList = ()
    empty_spi_size: EmptySpiSize = field(default=0, kw_only=True)

    def label(self) -> str:
        """Give the RFC's short name."""
        return "D"

    def details(self) -> list[str]:
        """Give the protocol and the SPIs."""
        return [" ".join([str(ProtocolId(self.protocol)), *(f"0x{s.hex()}" for s in self.spis)])]


@payload(43)
class VendorID(Payload):
    """Vendor ID (RFC 7296, 3.12)."""

    data: Rest

    def label(self) -> str:
        """Give the RFC's short name."""
        return "V"

    def details(self) -> list[str]:
        """Give the constant: as text where it is some, else its first octets."""
        if self.data.isascii() and self.data.decode("ascii").isprintable():
            return [repr(self.data.decode("ascii"))]
        return [f"0x{self.data[:8].hex()}{'...' if len(self.data) > 8 else ''}"]


@shared_fields
class _TrafficSelectors(Payload):
    __slots__ = ()

    selectors: Counted8[TrafficSelector | UnknownSelector]
    reserved: Reserved24 = field(default=0, kw_only=True)

    @property
    def ranges(self) -> tuple[TrafficSelector, ...]:
        """Give the selectors of the types 7 and 8."""
        return tuple(each for each in self.selectors if isinstance(each, TrafficSelector))

    def details(self) -> list[str]:
        """Give the selectors."""
        return ["; ".join(map(str, self.selectors))]


@payload(44)
class TSi(_TrafficSelectors):
    """Traffic Selectors of the initiator's end (RFC 7296, 3.13)."""


@payload(45)
class TSr(_TrafficSelectors):
    """Traffic Selectors of the responder's end (RFC 7296, 3.13)."""


@payload(46)
class SK(Payload):
    """Encrypted (RFC 7296, 3.14): ``data`` is IV, ciphertext and ICV.

    ``first`` is the type of the first payload inside; the payload is the last of its message.
    """

    first: FirstOctet[PayloadType]
    data: Rest

    def details(self) -> list[str]:
        """Give the type of the first payload and the size of what is sealed."""
        return [f"first {PayloadType(self.first)}", count(self.data)]


@payload(47)
class CP(Payload):
    """Configuration (RFC 7296, 3.15)."""

    config_type: U8[ConfigType]
    reserved: Reserved24 = field(default=0, kw_only=True)
    attributes: Items[ConfigAttribute] = ()

    def details(self) -> list[str]:
        """Give the type and the attributes."""
        return [str(ConfigType(self.config_type)), *map(str, self.attributes)]


@payload(48)
class EAP(Payload):
    """Extensible Authentication Protocol (RFC 7296, 3.16): ``data`` is the EAP message."""

    data: Rest

    def details(self) -> list[str]:
        """Give the code, and the size."""
        codes = {1: "Request", 2: "Response", 3: "Success", 4: "Failure"}
        known = [codes[self.data[0]]] if self.data and self.data[0] in codes else []
        return [*known, count(self.data)]


@payload(53)
class SKF(Payload):
    """Encrypted Fragment (RFC 7383, 2.5): ``data`` is IV, ciphertext and ICV.

    ``first`` is the type of the first payload inside in the first fragment, and 0 in the others.
    """

    first: FirstOctet[PayloadType]
    fragment: Number16
    total: Number16
    data: Rest

    def details(self) -> list[str]:
        """Give which fragment it is, and its size."""
        return [f"{self.fragment} of {self.total}", count(self.data)]
