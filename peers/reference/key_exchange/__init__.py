"""Every key exchange method behind one interface, looked up by its IANA number.

Both halves make every recipient's test of RFC 6989, also where that RFC only recommends it, and
refuse two things that are left open: a zero result of Curve25519 or Curve448 (RFC 7748, 6) and
coordinates that are not reduced modulo p.
"""

from __future__ import annotations

from collections.abc import Mapping

from peers.reference.errors import ScriptError
from peers.reference.key_exchange import ecp, ml_kem, modp, montgomery
from peers.reference.key_exchange.interface import KeyExchange, Method, Random, Response
from peers.reference.numbers import KeyExchangeMethod

__all__ = [
    "KeyExchange",
    "METHODS",
    "Method",
    "Random",
    "Response",
    "check_method",
    "key_exchange",
    "respond",
]

METHODS: Mapping[KeyExchangeMethod, Method] = {
    **modp.GROUPS,
    **ecp.GROUPS,
    **montgomery.GROUPS,
    **ml_kem.METHODS,
}


def key_exchange(method: KeyExchangeMethod, random: Random) -> KeyExchange:
    """Begin a key exchange as initiator; ScriptError for a method that we do not have."""
    return check_method(method).initiate(random)


def respond(method: KeyExchangeMethod, peer_public: bytes, random: Random) -> Response:
    """Answer a key exchange as responder: our Key Exchange Data, and the shared secret.

    ``peer_public`` is the initiator's Key Exchange Data; PeerError when it must not be used,
    ScriptError for a method that we do not have.
    """
    return check_method(method).respond(peer_public, random)


def check_method(method: KeyExchangeMethod) -> Method:
    """Look a method up; ScriptError for one that we do not have."""
    if method not in METHODS:
        raise ScriptError(f"{method!r} is not implemented")
    return METHODS[method]
