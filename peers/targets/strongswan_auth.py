"""Authentication as strongSwan has it: identities, and what each side's credential needs loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Union

from peers.reference.connection import Connection
from peers.reference.credentials import Credential, Psk
from peers.reference.errors import ScriptError
from peers.reference.identity import Identity
from peers.reference.numbers import IdType
from peers.targets.keywords import hexadecimal

Section = Mapping[str, Union[str, Sequence[str], "Section"]]
"""A section of swanctl.conf, and of a vici message: settings, lists and sections."""

PREFIXES: Mapping[IdType, str] = {
    IdType.ID_FQDN: "fqdn",
    IdType.ID_RFC822_ADDR: "email",
    IdType.ID_IPV4_ADDR: "ipv4",
    IdType.ID_IPV6_ADDR: "ipv6",
    IdType.ID_KEY_ID: "keyid",
    IdType.ID_DER_ASN1_DN: "asn1dn",
}


@dataclass(frozen=True, slots=True)
class Secret:
    """A shared secret: the kind, whose it is, and its octets."""

    kind: str
    owners: tuple[str, ...]
    octets: bytes


def identity_text(identity: Identity) -> str:
    """Write an identity with its type: ``fqdn:target.test``, ``keyid:#0102``."""
    prefix = PREFIXES.get(identity.type)
    if prefix is None:
        raise ScriptError(f"strongSwan has no word for the identity {identity}")
    if identity.type in (IdType.ID_KEY_ID, IdType.ID_DER_ASN1_DN):
        return f"{prefix}:#{identity.data.hex()}"
    return f"{prefix}:{identity}"


def side(identity: Identity, credential: Credential) -> Section:
    """Give the section ``local`` or ``remote``."""
    match credential:
        case Psk():
            return {"auth": "psk", "id": identity_text(identity)}
    raise ScriptError(f"strongSwan has no {type(credential).__name__} authentication")


def secrets(connection: Connection) -> list[Secret]:
    """List the shared secrets that a connection needs."""
    both = (identity_text(connection.local_identity), identity_text(connection.remote_identity))
    credentials = (connection.local_credential, connection.remote_credential)
    keys = dict.fromkeys(each.secret for each in credentials if isinstance(each, Psk))
    return [Secret("ike", both, secret) for secret in keys]


def secrets_section(connection: Connection) -> Section:
    """Write the secrets as swanctl.conf has them."""
    return {
        f"{secret.kind}-{connection.name}-{number}": {
            **{f"id-{place}": owner for place, owner in enumerate(secret.owners, 1)},
            "secret": hexadecimal(secret.octets),
        }
        for number, secret in enumerate(secrets(connection), 1)
    }
