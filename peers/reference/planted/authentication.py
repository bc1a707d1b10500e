"""Planted faults: keys and authentication (RFC 7296, 2.15 to 2.17)."""

from __future__ import annotations

from peers.reference.child import ChildSa, ChildTerms
from peers.reference.connection import Connection
from peers.reference.decisions import Decisions
from peers.reference.keys import IkeKeys
from peers.reference.numbers import (
    NotifyType,
)
from peers.reference.payloads import (
    AUTH,
    Notify,
    Payload,
)
from peers.reference.planted.catalogue import fault


@fault("swaps-child-keys", fundamental=True)
class SwapsChildKeys(Decisions):
    """The keys of the two directions of a Child SA are exchanged."""

    def child(
        self,
        terms: ChildTerms,
        connection: Connection,
        keys: IkeKeys,
        nonces: tuple[bytes, bytes],
        shared: bytes = b"",
    ) -> ChildSa:
        child = super().child(terms, connection, keys, nonces, shared)
        inbound, outbound = child.inbound, child.outbound
        inbound.protection, outbound.protection = outbound.protection, inbound.protection
        return child


@fault("derives-later-child-from-first-nonces")
class DerivesLaterChildFromFirstNonces(Decisions):
    """A Child SA of CREATE_CHILD_SA takes its keys from the nonces of the first Child SA."""

    _first: tuple[bytes, bytes] | None = None

    def child(
        self,
        terms: ChildTerms,
        connection: Connection,
        keys: IkeKeys,
        nonces: tuple[bytes, bytes],
        shared: bytes = b"",
    ) -> ChildSa:
        self._first = self._first or nonces
        return super().child(terms, connection, keys, self._first, shared)


@fault("accepts-any-auth")
class AcceptsAnyAuth(Decisions):
    """The AUTH payload is not compared with what is expected (F57)."""

    def authentic(self, auth: AUTH, expected: bytes) -> bool:
        return True


@fault("refuses-auth-with-invalid-syntax")
class RefusesAuthWithInvalidSyntax(Decisions):
    """A wrong AUTH payload is answered with INVALID_SYNTAX."""

    def authentication_refusal(self) -> tuple[Payload, ...]:
        return (Notify(NotifyType.INVALID_SYNTAX),)


@fault("keeps-ike-sa-after-wrong-auth")
class KeepsIkeSaAfterWrongAuth(Decisions):
    """An IKE SA is kept although the other side failed to authenticate."""

    def keeps_unauthenticated(self) -> bool:
        return True


@fault("takes-any-identity")
class TakesAnyIdentity(Decisions):
    """The shared secret of one identity authenticates every other one."""

    def knows_identity(self, identity: bytes, expected: bytes) -> bool:
        return True
