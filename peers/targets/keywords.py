"""Words for transforms: from a proposal of the codec to what a daemon's configuration says."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping

from peers.reference.connection import Connection
from peers.reference.errors import ScriptError
from peers.reference.numbers import Encr, Integ, TransformType
from peers.reference.payloads import Proposal, Transform

Words = Mapping[TransformType, Mapping[int, str]]
"""By transform type and ID; ``{bits}`` in a word stands for the key length."""

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")

AEADS = frozenset(
    {
        Encr.ENCR_AES_CCM_8,
        Encr.ENCR_AES_CCM_12,
        Encr.ENCR_AES_CCM_16,
        Encr.ENCR_AES_GCM_8,
        Encr.ENCR_AES_GCM_12,
        Encr.ENCR_AES_GCM_16,
        Encr.ENCR_CHACHA20_POLY1305,
    }
)


def word(words: Words, transform: Transform, daemon: str) -> str:
    """Give the daemon's word for a transform; ScriptError if it has none."""
    found = words.get(transform.type, {}).get(transform.id)
    if found is None:
        raise ScriptError(f"{daemon} has no word for {transform}")
    takes_length = "{bits}" in found
    if takes_length is not (transform.key_length is not None):
        must = "must" if takes_length else "cannot"
        raise ScriptError(f"{transform} {must} have a key length for {daemon}")
    return found.format(bits=transform.key_length)


def words_of(words: Words, proposal: Proposal, kind: TransformType, daemon: str) -> list[str]:
    """Give the words for a proposal's transforms of one type, in order; "no integrity" has none."""
    return [
        word(words, each, daemon)
        for each in proposal.of(kind)
        if not (kind == TransformType.INTEG and each.id == Integ.NONE)
    ]


def check_name(connection: Connection) -> str:
    """Give the connection's name, if configurations can carry it; else ScriptError."""
    if not NAME.fullmatch(connection.name):
        raise ScriptError(f"a connection cannot be named {connection.name!r}: {NAME.pattern}")
    return connection.name


def armoured(label: str, der: bytes) -> str:
    """Write DER as PEM (RFC 7468)."""
    text = b64encode(der).decode()
    lines = "".join(f"{text[at : at + 64]}\n" for at in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}-----END {label}-----\n"


def hexadecimal(psk: bytes) -> str:
    """Write a pre-shared key as both daemons read it."""
    return f"0x{psk.hex()}"


def check_children(connection: Connection, daemon: str) -> None:
    """Raise ScriptError for what the neutral description says and a daemon has no word for."""
    single = any(policy.single_pair for policy in connection.children)
    if single or connection.most_children is not None:
        raise ScriptError(f"{daemon} has no word for limits of Child SAs")
    if connection.window != 1 or connection.reports_message_ids:
        raise ScriptError(f"{daemon} has one window, of one request, and reports no Message IDs")
    names = [policy.name for policy in connection.children]
    if len(set(names)) < len(names) or not all(map(NAME.fullmatch, names)):
        raise ScriptError(f"Child SAs cannot be named {names}: {NAME.pattern}")


def check_policy(connection: Connection, name: str) -> str:
    """Give the name of a Child SA's policy, the first one's for no name; else ScriptError."""
    names = [policy.name for policy in connection.children]
    if name and name not in names:
        raise ScriptError(f"{connection.name} says nothing of a Child SA {name!r}")
    return name or names[0]
