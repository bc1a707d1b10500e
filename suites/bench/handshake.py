"""IKE_SA_INIT and IKE_AUTH of two endpoints in memory, against the primitives that they need."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from hashlib import sha1
from hmac import compare_digest, digest

import gmpy2  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from peers.reference.key_exchange.modp import GROUPS
from peers.reference.negotiation import ke
from peers.reference.numbers import KeyExchangeMethod
from suites.bench.measure import Row, medians
from suites.selftest.wires import Wire, connection
from suites.terms import AES_GCM_256, DEFAULT, Suite, ike

LIMIT = 1.8
"""A handshake may take that many times what its primitives take."""


class Handshake:
    """The same two endpoints over and over, which forget what they set up."""

    def __init__(self, method: KeyExchangeMethod) -> None:
        self._wire = Wire(connection(Suite((ike(AES_GCM_256, ke(method)),), DEFAULT.esp)))
        self._wire.establish()
        self._sealed = [len(packet.octets) for packet in self._wire.sent[2:]]
        assert self._wire.up(), "what is measured works"
        self._forget()

    def sizes(self) -> tuple[int, int]:
        """Give the octets of the IKE_AUTH request and response."""
        request, response = self._sealed
        return request, response

    def run(self) -> None:
        """Set up an IKE SA and a Child SA on both sides."""
        self._wire.establish()
        self._forget()

    def _forget(self) -> None:
        self._wire.sent.clear()
        for endpoint in self._wire.both:
            endpoint.sessions.clear()
            endpoint.log.clear()


class Primitives:
    """What both sides must compute: key exchange, HMAC-SHA2-256 and AES-GCM-256, keyed once each.

    For each side: a key pair, a shared secret, SKEYSEED and six blocks of prf+, three PRFs for its
    own AUTH and three for the other's, three blocks of KEYMAT, one IKE_AUTH message sealed and
    one opened, and the hashes of NAT detection, two made and two checked.
    """

    def __init__(self, secrets: Callable[[], list[bytes]], sealed: tuple[int, int]) -> None:
        self._secrets = secrets
        self._sealed = [bytes(size) for size in sealed]

    def run(self) -> None:
        """Compute all of it once."""
        for shared in self._secrets():
            self._one_side(shared)

    def _one_side(self, shared: bytes) -> None:
        seed = digest(bytes(64), shared, "sha256")
        for _ in range(6):
            block = digest(seed, bytes(32 + 64 + 16 + 1), "sha256")
        for _ in range(2):
            signed = bytes(240) + digest(block, bytes(12), "sha256")
            auth = digest(digest(bytes(16), bytes(17), "sha256"), signed, "sha256")
            compare_digest(auth, block)
        for _ in range(3):
            digest(block, bytes(32 + 64 + 1), "sha256")
        for _ in range(4):
            sha1(bytes(22)).digest()
        sending, receiving = AESGCM(block), AESGCM(block)
        message = sending.encrypt(bytes(12), self._sealed[0], bytes(32))
        receiving.decrypt(bytes(12), message, bytes(32))


def x25519() -> list[bytes]:
    """Make two key pairs, and the shared secret on each side."""
    private = [X25519PrivateKey.from_private_bytes(os.urandom(32)) for _ in range(2)]
    public = [each.public_key().public_bytes_raw() for each in private]
    return [
        private[side].exchange(X25519PublicKey.from_public_bytes(public[1 - side]))
        for side in (0, 1)
    ]


def modp_2048() -> list[bytes]:
    """Do the same with group 14 and exponents of 256 bits."""
    prime = GROUPS[KeyExchangeMethod.MODP_2048].prime
    private = [int.from_bytes(os.urandom(32), "big") for _ in range(2)]
    public = [gmpy2.powmod(2, each, prime) for each in private]
    shared = [gmpy2.powmod(public[1 - side], private[side], prime) for side in (0, 1)]
    return [int(each).to_bytes(256, "big") for each in shared]


METHODS = {KeyExchangeMethod.CURVE25519: x25519, KeyExchangeMethod.MODP_2048: modp_2048}


def rows() -> Iterator[Row]:
    """Measure handshakes with each method, and what they are made of."""
    for method, secrets in METHODS.items():
        handshake = Handshake(method)
        primitives = Primitives(secrets, handshake.sizes())
        times = medians({"ours": handshake.run, "theirs": primitives.run}, number=20, rounds=25)
        yield Row(
            f"handshake, both sides, {method.name} ({1 / times['ours']:.0f} a second)",
            "us",
            times["ours"] * 1e6,
            "its primitives",
            times["theirs"] * 1e6,
            LIMIT,
            limits_ratio=True,
        )
