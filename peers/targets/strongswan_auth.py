"""Authentication as strongSwan has it: identities, and what each side's credential needs loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Union

from peers.reference.connection import Connection
from peers.reference.credentials import (
    ByEap,
    Credential,
    EapTls,
    Md5,
    Mschapv2,
    Ppk,
    Psk,
    Signature,
    certified,
)
from peers.reference.errors import ScriptError
from peers.reference.identity import Identity, fqdn, key_id
from peers.reference.numbers import AuthMethod, HashAlgorithm, IdType
from peers.reference.signature_schemes import KeyKind, Scheme
from peers.targets.keywords import hexadecimal

Octets = str | bytes
Section = Mapping[str, Union[Octets, Sequence[Octets], "Section"]]
"""A section of swanctl.conf, and of a vici message: settings, lists and sections.

Certificates stand in it as DER octets, which vici takes and a file names.
"""

PREFIXES: Mapping[IdType, str] = {
    IdType.ID_FQDN: "fqdn",
    IdType.ID_RFC822_ADDR: "email",
    IdType.ID_KEY_ID: "keyid",
    IdType.ID_DER_ASN1_DN: "asn1dn",
}

HASH_WORDS: Mapping[HashAlgorithm, str] = {
    HashAlgorithm.SHA1: "sha1",
    HashAlgorithm.SHA2_256: "sha256",
    HashAlgorithm.SHA2_384: "sha384",
    HashAlgorithm.SHA2_512: "sha512",
}


@dataclass(frozen=True, slots=True)
class Secret:
    """A shared secret: the kind, whose it is, and its octets."""

    kind: str
    owners: tuple[str, ...]
    octets: bytes


def identity_text(identity: Identity) -> str:
    """Write an identity with its type: ``fqdn:target.test``, ``keyid:#0102``.

    An address stands alone: behind ``ipv4:`` charon takes its letters for the octets.
    """
    if identity.type in (IdType.ID_IPV4_ADDR, IdType.ID_IPV6_ADDR):
        return str(identity)
    prefix = PREFIXES.get(identity.type)
    if prefix is None:
        raise ScriptError(f"strongSwan has no word for the identity {identity}")
    if identity.type in (IdType.ID_KEY_ID, IdType.ID_DER_ASN1_DN):
        return f"{prefix}:#{identity.data.hex()}"
    return f"{prefix}:{identity}"


def scheme_text(scheme: Scheme) -> str:
    """Write what is signed with: ``ike:rsa/pss-sha256``; the chain may be signed otherwise."""
    if scheme.kind in (KeyKind.ED25519, KeyKind.ED448):
        return f"ike:{scheme.kind.value.lower()}"
    if scheme.method != AuthMethod.DIGITAL_SIGNATURE:
        # charon goes by what the peer announces: nothing, then by the key.
        return "pubkey"
    word = "rsa/pss" if scheme.salt is not None else scheme.kind.value.lower()
    return f"ike:{word}-{HASH_WORDS[scheme.hash]}"


def local_side(connection: Connection) -> Section:
    """Give the section ``local``: how charon proves who it is."""
    identity, credential = connection.local_identity, connection.local_credential
    match credential:
        case ByEap():
            return _by_eap(identity, connection.remote_credential)
        case Psk():
            return {"auth": "psk", "id": identity_text(identity)}
        case Signature():
            return {
                "auth": scheme_text(credential.scheme),
                "id": identity_text(identity),
                "certs": [credential.chain[0]],
            }
        case Mschapv2() | Md5():
            return {"auth": _eap_word(credential), "id": identity_text(identity)}
        case EapTls(client):
            return {
                "auth": _eap_word(credential),
                "id": identity_text(identity),
                "certs": [client.chain[0]],
            }
    raise ScriptError(f"strongSwan has no {type(credential).__name__} authentication")


def _by_eap(identity: Identity, method: Credential) -> Section:
    """Give the section of a responder whom the initiator's EAP method authenticates alone."""
    section = {"auth": _eap_word(method), "id": identity_text(identity)}
    certs = {"certs": [method.server.chain[0]]} if isinstance(method, EapTls) else {}
    return {**section, **certs}


def _eap_word(method: Credential) -> str:
    match method:
        case Mschapv2():
            return "eap-mschapv2"
        case Md5():
            return "eap-md5"
        case EapTls():
            return "eap-tls"
    raise ScriptError(f"{type(method).__name__} is no EAP method")


def remote_side(connection: Connection) -> Section:
    """Give the section ``remote``: what charon wants as a proof."""
    identity, credential = connection.remote_identity, connection.remote_credential
    match credential:
        case ByEap():
            method = connection.local_credential
            return {"auth": _eap_word(method), "id": identity_text(identity)}
        case Psk():
            return {"auth": "psk", "id": identity_text(identity)}
        case Signature():
            strict = {"revocation": "strict"} if credential.revocation.strict else {}
            return {
                "auth": "pubkey",
                "id": identity_text(identity),
                "cacerts": list(credential.anchors),
                **strict,
            }
        case Mschapv2() | Md5() | EapTls():
            return {"auth": _eap_word(credential), "id": identity_text(identity)}
    raise ScriptError(f"strongSwan has no {type(credential).__name__} authentication")


def secrets(connection: Connection) -> list[Secret]:
    """List the shared secrets that a connection needs."""
    both = (identity_text(connection.local_identity), identity_text(connection.remote_identity))
    credentials = (connection.local_credential, connection.remote_credential)
    keys = dict.fromkeys(each.secret for each in credentials if isinstance(each, Psk))
    shared = [Secret("ike", both, secret) for secret in keys]
    users = dict.fromkeys(each for each in credentials if isinstance(each, Mschapv2 | Md5))
    shared += [Secret("eap", (each.user.decode(),), each.password.encode()) for each in users]
    return shared + [Secret("ppk", (_ppk_text(ppk),), ppk.secret) for ppk in connection.ppks]


def ppk_settings(connection: Connection) -> dict[str, str]:
    """Give the settings of a connection that say which PPK is used, and whether it has to be."""
    if not connection.ppks:
        return {}
    return {
        "ppk_id": _ppk_text(connection.ppks[0]),
        "ppk_required": "yes" if connection.ppk_required else "no",
    }


def _ppk_text(ppk: Ppk) -> str:
    """Write a PPK_ID: charon takes a word that it hears for a domain name."""
    if not ppk.name.isascii() or not ppk.name.decode().replace("-", "").isalnum():
        return identity_text(key_id(ppk.name))
    return identity_text(fqdn(ppk.name.decode()))


def _certified(connection: Connection) -> tuple[tuple[Signature, ...], tuple[Signature, ...]]:
    return certified(connection.local_credential, connection.remote_credential)


def key(connection: Connection) -> bytes | None:
    """Give charon's private key (PKCS#8 DER), if it signs; it has one for a connection."""
    ours, _ = _certified(connection)
    return ours[0].key if ours else None


def certificates(connection: Connection) -> list[dict[str, Octets]]:
    """List the messages ``load-cert`` that a connection needs: CAs, ours and the peer's, CRLs."""
    ours, theirs = _certified(connection)
    authorities = [each for one in ours for each in one.chain[1:]]
    authorities += [each for one in theirs for each in one.anchors]
    crls = [each for one in theirs for each in one.crls]
    messages: list[dict[str, Octets]] = []
    messages += [{"type": "X509", "flag": "CA", "data": each} for each in authorities]
    messages += [{"type": "X509_CRL", "data": each} for each in crls]
    responders = [each for one in theirs for each in one.revocation.responders]
    messages += [{"type": "X509", "flag": "NONE", "data": each} for each in responders]
    return messages


def certificates_of(connection: Connection) -> list[bytes]:
    """List the certificates that a connection's files are to hold."""
    ours, theirs = _certified(connection)
    return [
        *(each for one in ours for each in one.chain),
        *(each for one in theirs for each in (*one.anchors, *one.revocation.responders)),
    ]


def authorities(connection: Connection) -> dict[str, Section]:
    """Write the sections of CAs: where our certificates are published, and who tells of them."""
    ours, _ = _certified(connection)
    sections: dict[str, Section] = {}
    for one in ours:
        for number, issuer in enumerate((*one.chain[1:], *one.anchors)):
            section: dict[str, Octets | Sequence[Octets] | Section] = {"cacert": issuer}
            if one.published:
                section["cert_uri_base"] = one.published.base
            if one.responder and number == 0:
                section["ocsp_uris"] = [one.responder.url]
            if len(section) > 1:
                sections[f"{connection.name}-ca{number}"] = section
    return sections


def ocsp_settings(connection: Connection) -> dict[str, str]:
    """Give the setting of a connection that has charon ask for OCSP responses, and send its own."""
    _, theirs = _certified(connection)
    return {"ocsp": "both"} if any(one.revocation.asks for one in theirs) else {}


def looks_up(connection: Connection) -> bool:
    """Say whether the peer's certificates are published, for charon to look them up."""
    _, theirs = _certified(connection)
    return any(one.published for one in theirs)


def secrets_section(connection: Connection) -> Section:
    """Write the secrets as swanctl.conf has them."""
    shared: dict[str, Section] = {
        f"{secret.kind}-{connection.name}-{number}": {
            **{f"id-{place}": owner for place, owner in enumerate(secret.owners, 1)},
            "secret": hexadecimal(secret.octets),
        }
        for number, secret in enumerate(secrets(connection), 1)
    }
    if key(connection) is not None:
        shared[f"private-{connection.name}"] = {"file": f"{connection.name}.key"}
    return shared
