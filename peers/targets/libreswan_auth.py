"""Authentication as Libreswan has it: identities, settings of a side, and the secrets file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509 import load_der_x509_certificate

from peers.reference.connection import Connection
from peers.reference.credentials import (
    ByEap,
    Credential,
    EapTls,
    Md5,
    Mschapv2,
    Null,
    Ppk,
    Psk,
    Signature,
    certified,
)
from peers.reference.errors import ScriptError
from peers.reference.identity import Identity
from peers.reference.numbers import HashAlgorithm, IdType
from peers.reference.signature_schemes import ECDSA, RSA, RSA_PSS, Scheme
from peers.reference.signatures import private_key
from peers.targets.keywords import hexadecimal

IDENTITIES: Mapping[IdType, Callable[[Identity], str]] = {
    IdType.ID_FQDN: lambda identity: f"@{identity}",
    IdType.ID_RFC822_ADDR: str,
    IdType.ID_IPV4_ADDR: str,
    IdType.ID_IPV6_ADDR: str,
    IdType.ID_KEY_ID: lambda identity: f"@#{identity.data.hex()}",
    IdType.ID_NULL: lambda identity: "%null",
}


DATABASE = "sql:/var/lib/ipsec/nss"
PASSWORD = "lab"
"""Of a file that exists for a moment, in a container of ours."""

AUTHBY: Mapping[Scheme, str] = {
    RSA[HashAlgorithm.SHA1]: "rsa-sha1",
    RSA_PSS[HashAlgorithm.SHA2_256]: "rsa-sha2_256",
    RSA_PSS[HashAlgorithm.SHA2_384]: "rsa-sha2_384",
    RSA_PSS[HashAlgorithm.SHA2_512]: "rsa-sha2_512",
    ECDSA[HashAlgorithm.SHA2_256]: "ecdsa-sha2_256",
    ECDSA[HashAlgorithm.SHA2_384]: "ecdsa-sha2_384",
    ECDSA[HashAlgorithm.SHA2_512]: "ecdsa-sha2_512",
}
"""What there is a word for: RSASSA-PSS and ECDSA in method 14, and method 1 with SHA-1."""


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
            if credential.scheme not in AUTHBY:
                raise ScriptError(f"Libreswan has no word for {credential.scheme}")
            return AUTHBY[credential.scheme]
        case EapTls() | ByEap():
            return "eaponly"
        case Mschapv2() | Md5():
            raise ScriptError("Libreswan has EAP-TLS, and no other method of EAP")


def _eap_settings(connection: Connection) -> dict[str, str]:
    """Allow EAP on both sides where one has it: pluto looks at its own."""
    both = (connection.local_credential, connection.remote_credential)
    if not any(isinstance(each, EapTls) for each in both):
        return {}
    return {"leftautheap": "tls", "rightautheap": "tls"}


def _certified(connection: Connection) -> tuple[Signature | None, Signature | None]:
    """Give what pluto signs with, and what it verifies by, as signature or within TLS."""
    ours, theirs = certified(connection.local_credential, connection.remote_credential)
    return next(iter(ours), None), next(iter(theirs), None)


def settings(connection: Connection) -> dict[str, str]:
    """Give the settings of a ``conn`` that are about authentication."""
    left, right = _method(connection.local_credential), _method(connection.remote_credential)
    both = {"leftauth": left.partition("-")[0], "rightauth": right.partition("-")[0]}
    settings = {
        **({"authby": left} if left == right != "eaponly" else both),
        **_eap_settings(connection),
        "leftid": identity_text(connection.local_identity),
        "rightid": identity_text(connection.remote_identity),
    }
    ours, theirs = _certified(connection)
    if ours is not None:
        authorities = "all" if len(ours.chain) > 2 else "issuer"
        settings |= {"leftcert": connection.name, "leftsendcert": "always", "sendca": authorities}
    if theirs is not None:
        settings |= {"rightrsasigkey": "%cert", "rightca": "%any"}
    return settings | _ppk_settings(connection)


def _ppk_settings(connection: Connection) -> dict[str, str]:
    if not connection.ppks:
        return {}
    names = ",".join(_ppk_name(ppk) for ppk in connection.ppks)
    return {"ppk": "insist" if connection.ppk_required else "yes", "ppk-ids": f'"{names}"'}


def _ppk_name(ppk: Ppk) -> str:
    if not ppk.name.isascii() or not ppk.name.decode().replace("-", "").isalnum():
        raise ScriptError(f"Libreswan takes words for PPK_IDs, not {ppk.name!r}")
    return ppk.name.decode()


def _secret_text(secret: bytes) -> str:
    """Write a secret as it would be typed, or what cannot be typed in hexadecimal digits."""
    text = secret.decode("latin-1")
    typed = text.isascii() and text.isprintable() and '"' not in text
    return f'"{text}"' if typed else hexadecimal(secret)


def ipsec_secrets(connection: Connection) -> str:
    """Write the lines of the secrets file."""
    ends = f"{identity_text(connection.local_identity)} {identity_text(connection.remote_identity)}"
    credentials = (connection.local_credential, connection.remote_credential)
    keys = dict.fromkeys(each.secret for each in credentials if isinstance(each, Psk))
    lines = [f"{ends} : PSK {_secret_text(secret)}\n" for secret in keys]
    for ppk in connection.ppks:
        secret = hexadecimal(ppk.secret)
        lines.append(f'{ends} : PPKS "{_ppk_name(ppk)}" {secret}\n')
    return "".join(lines)


def imports(connection: Connection, folder: str) -> str:
    """Write the script of sh that puts keys and certificates into pluto's NSS database."""
    ours, theirs = _certified(connection)
    lines: list[str] = []
    if theirs is not None:
        if theirs.crls:
            raise ScriptError("pluto notices no CRL that comes into its database while it runs")
        for number, anchor in enumerate(theirs.anchors):
            file = f"{folder}/{connection.name}.ca{number}"
            lines += [
                f"echo {b64encode(anchor).decode()} | base64 -d >{file}",
                f"certutil -A -d {DATABASE} -n {connection.name}-ca{number} -t CT,, -i {file}",
            ]
    if ours is not None:
        file = f"{folder}/{connection.name}.p12"
        lines += [
            f"echo {b64encode(pkcs12(connection.name, ours)).decode()} | base64 -d >{file}",
            f"pk12util -i {file} -d {DATABASE} -W {PASSWORD} -K ''",
        ]
    return " &&\n".join(lines)


def removal(connection: Connection) -> str:
    """Write the script of sh that takes our key and certificate out of the database again."""
    ours, theirs = _certified(connection)
    lines: list[str] = []
    if ours is not None:
        lines.append(f"certutil -F -d {DATABASE} -n {connection.name} || true")
    if theirs is not None:
        lines += [
            f"certutil -D -d {DATABASE} -n {connection.name}-ca{number} || true"
            for number, _ in enumerate(theirs.anchors)
        ]
    return "\n".join(lines)


def pkcs12(name: str, credential: Signature) -> bytes:
    """Pack a key with its chain as PKCS#12, under a friendly name."""
    chain = [load_der_x509_certificate(each) for each in credential.chain]
    key = private_key(credential.key)
    protection = BestAvailableEncryption(PASSWORD.encode())
    return serialize_key_and_certificates(name.encode(), key, chain[0], chain[1:], protection)
