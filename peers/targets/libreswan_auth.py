"""Authentication as Libreswan has it: identities, settings of a side, and the secrets file."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from peers.reference.connection import Connection
from peers.reference.credentials import Credential, Null, Psk, Signature
from peers.reference.errors import ScriptError
from peers.reference.identity import Identity
from peers.reference.numbers import IdType
from peers.targets.keywords import hexadecimal

IDENTITIES: Mapping[IdType, Callable[[Identity], str]] = {
    IdType.ID_FQDN: lambda identity: f"@{identity}",
    IdType.ID_RFC822_ADDR: str,
    IdType.ID_IPV4_ADDR: str,
    IdType.ID_IPV6_ADDR: str,
    IdType.ID_KEY_ID: lambda identity: f"@#{identity.data.hex()}",
    IdType.ID_NULL: lambda identity: "%null",
}


def identity_text(identity: Identity) -> str:
    """Write an identity: ``@target.test``, ``@#0102``; ScriptError for what there is no word of."""
    write = IDENTITIES.get(identity.type)
    if write is None:
        raise ScriptError(f"Libreswan has no word for the identity {identity}")
    return write(identity)


def _method(credential: Credential) -> str:
    match credential:
        case Psk():
            return "secret"
        case Null():
            return "null"
        case Signature():
            raise ScriptError("signatures are not implemented for Libreswan")


def settings(connection: Connection) -> dict[str, str]:
    """Give the settings of a ``conn`` that are about authentication."""
    left, right = _method(connection.local_credential), _method(connection.remote_credential)
    both = {"leftauth": left, "rightauth": right}
    return {
        **({"authby": left} if left == right else both),
        "leftid": identity_text(connection.local_identity),
        "rightid": identity_text(connection.remote_identity),
    }


def ipsec_secrets(connection: Connection) -> str:
    """Write the lines of the secrets file."""
    ends = f"{identity_text(connection.local_identity)} {identity_text(connection.remote_identity)}"
    credentials = (connection.local_credential, connection.remote_credential)
    keys = dict.fromkeys(each.secret for each in credentials if isinstance(each, Psk))
    return "".join(f"{ends} : PSK {hexadecimal(secret)}\n" for secret in keys)
