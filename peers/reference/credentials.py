"""How one side of a connection proves its identity.

A credential describes that side's proof whole: who owns it takes the secret part, who verifies it
takes what a verifier has. Each side of a connection has a credential of its own (RFC 7296, 2.15:
the methods need not be the same in both directions).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Psk:
    """A secret that both sides know (RFC 7296, 2.15)."""

    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Null:
    """No proof of who it is: AUTH only binds the messages to the keys (RFC 7619)."""


Credential = Psk | Null
