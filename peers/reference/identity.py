"""Identities as values: what IDi and IDr carry (RFC 7296, 3.5; RFC 7619, 2.2)."""

from __future__ import annotations

from dataclasses import dataclass

from peers.reference.events import IPAddress
from peers.reference.numbers import IdType
from peers.reference.payloads import Identification, IDi, IDr


@dataclass(frozen=True, slots=True)
class Identity:
    """An identity: its type, and its octets as the identification payload carries them."""

    type: IdType
    data: bytes

    def __str__(self) -> str:
        return IDi(self.type, self.data).identity() if self.data else str(IdType(self.type))

    @classmethod
    def of(cls, payload: Identification) -> Identity:
        """Read the identity out of IDi or IDr."""
        return cls(IdType(payload.id_type), payload.data)

    def payload(self, *, of_initiator: bool) -> IDi | IDr:
        """Build the identification payload."""
        make = IDi if of_initiator else IDr
        return make(self.type, self.data)


NULL_IDENTITY = Identity(IdType.ID_NULL, b"")
"""Says nothing about who it is (RFC 7619, 2.2)."""


def fqdn(name: str) -> Identity:
    """Name a host by its fully qualified domain name."""
    return Identity(IdType.ID_FQDN, name.encode())


def rfc822(address: str) -> Identity:
    """Name somebody by a mail address."""
    return Identity(IdType.ID_RFC822_ADDR, address.encode())


def address(ip: IPAddress) -> Identity:
    """Name a host by its IPv4 or IPv6 address."""
    return Identity(IdType.ID_IPV4_ADDR if ip.version == 4 else IdType.ID_IPV6_ADDR, ip.packed)


def distinguished_name(der: bytes) -> Identity:
    """Name the subject of a certificate by the DER octets of its Name (X.501)."""
    return Identity(IdType.ID_DER_ASN1_DN, der)


def key_id(octets: bytes) -> Identity:
    """Name somebody by octets that only the two sides understand."""
    return Identity(IdType.ID_KEY_ID, octets)
