"""Planted faults: keys and authentication (RFC 7296, 2.15 to 2.17)."""

from __future__ import annotations

from dataclasses import replace

from peers.reference.child import ChildSa, ChildSeed, ChildTerms
from peers.reference.connection import Connection
from peers.reference.decisions import Decisions
from peers.reference.identity import Identity
from peers.reference.keys import derive_ike_keys
from peers.reference.message import Message
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import AUTH, KE, SA, Notify, Payload, Proposal, TSi
from peers.reference.planted.catalogue import fault
from peers.reference.sa import IkeSa


@fault("swaps-child-keys", fundamental=True)
class SwapsChildKeys(Decisions):
    """The keys of the two directions of a Child SA are exchanged."""

    def child(self, terms: ChildTerms, connection: Connection, seed: ChildSeed) -> ChildSa:
        child = super().child(terms, connection, seed)
        inbound, outbound = child.inbound, child.outbound
        inbound.protection, outbound.protection = outbound.protection, inbound.protection
        return child


@fault("derives-later-child-from-first-nonces")
class DerivesLaterChildFromFirstNonces(Decisions):
    """A Child SA of CREATE_CHILD_SA takes its keys from the nonces of the first Child SA."""

    _first: tuple[bytes, bytes] | None = None

    def child(self, terms: ChildTerms, connection: Connection, seed: ChildSeed) -> ChildSa:
        self._first = self._first or seed.nonces
        return super().child(terms, connection, replace(seed, nonces=self._first))


@fault("rekeys-ike-sa-without-old-key")
class RekeysIkeSaWithoutOldKey(Decisions):
    """The keys of a rekeyed IKE SA are derived as if it were a first one, without SK_d."""

    def rekey(
        self, old: IkeSa, request: Message, chosen: Proposal
    ) -> tuple[IkeSa, tuple[Payload, ...]]:
        new, payloads = super().rekey(old, request, chosen)
        self._derive(new)
        return new, payloads

    def hear_rekey(self, old: IkeSa, new: IkeSa, request: Message, response: Message) -> None:
        super().hear_rekey(old, new, request, response)
        self._derive(new)

    def _derive(self, new: IkeSa) -> None:
        assert new.suite is not None
        nonce_i, nonce_r = new.nonces()
        new.keys = derive_ike_keys(
            new.suite,
            shared=new.shared,
            nonce_i=nonce_i,
            nonce_r=nonce_r,
            spi_i=new.spi_i,
            spi_r=new.spi_r,
        )


@fault("numbers-rekeyed-ike-sa-on")
class NumbersRekeyedIkeSaOn(Decisions):
    """A rekeyed IKE SA goes on with the Message IDs of the old one."""

    def rekey(
        self, old: IkeSa, request: Message, chosen: Proposal
    ) -> tuple[IkeSa, tuple[Payload, ...]]:
        new, payloads = super().rekey(old, request, chosen)
        new.expected_request_id = old.expected_request_id
        return new, payloads


@fault("rekeys-ike-sa-without-ke")
class RekeysIkeSaWithoutKe(Decisions):
    """A request of ours to rekey the IKE SA has no KE payload."""

    def edit(self, message: Message) -> Message:
        ours = message.exchange == ExchangeType.CREATE_CHILD_SA and not message.response
        return message if message.has(TSi) or not ours else message.without(KE)


@fault("names-rekeyed-child-by-peers-spi")
class NamesRekeyedChildByPeersSpi(Decisions):
    """REKEY_SA names the SPI of traffic towards the peer."""

    def rekeyed_spi(self, child: ChildSa) -> bytes:
        return child.outbound.spi


@fault("repeats-spi-of-rekeyed-child")
class RepeatsSpiOfRekeyedChild(Decisions):
    """The answer to a Child SA rekey offers the SPI of the old Child SA again."""

    def edit(self, message: Message) -> Message:
        rekeyed = message.response and message.exchange == ExchangeType.CREATE_CHILD_SA
        if not rekeyed or not self._old or not message.has(TSi):
            return message
        chosen = message.get(SA).proposals[0]
        return message.replacing(SA((replace(chosen, spi=self._old),)))

    def child(self, terms: ChildTerms, connection: Connection, seed: ChildSeed) -> ChildSa:
        self._old = self._old or terms.spi
        return super().child(terms, connection, seed)

    _old = b""


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

    def knows_identity(self, identity: Identity, expected: Identity) -> bool:
        return True
