"""Decisions about IKE_INTERMEDIATE and several key exchanges (RFC 9242, RFC 9370)."""

from __future__ import annotations

from dataclasses import replace

from peers.reference import intermediate
from peers.reference.additional import has_additional
from peers.reference.connection import Connection
from peers.reference.crypto import prf
from peers.reference.keys import IkeKeys, derive_rekeyed_ike_keys
from peers.reference.message import Message
from peers.reference.negotiation import Suite, check_choice
from peers.reference.numbers import KeyExchangeMethod, Prf
from peers.reference.payloads import SA, Proposal
from peers.reference.sa import IkeSa


class KeyExchangeDecisions:
    """The part of `Decisions` that is about key exchanges after the first one."""

    def usable_offer(self, request: Message, connection: Connection) -> SA:
        """Give the offer of IKE_SA_INIT that may be chosen from.

        Without IKE_INTERMEDIATE additional key exchanges are transforms of unknown types: the
        proposals that have them are passed over (RFC 9370, 2.2.1).
        """
        offer = request.get(SA)
        if connection.takes_intermediate and intermediate.is_announced(request):
            return offer
        kept = tuple(each for each in offer.proposals if not has_additional(each))
        return replace(offer, proposals=kept)

    def check_choice(self, offer: SA, chosen: Proposal) -> None:
        """Check what a responder chose; PeerError, also for a method chosen twice (2.2.1)."""
        check_choice(offer, chosen)

    def in_order(self, methods: tuple[KeyExchangeMethod, ...]) -> tuple[KeyExchangeMethod, ...]:
        """Order the additional key exchanges: as their transform types are (RFC 9370, 2.2.1)."""
        return methods

    def takes_intermediate(self, sa: IkeSa) -> bool:
        """Say whether an IKE_INTERMEDIATE request is taken: where both said so (RFC 9242, 3.1)."""
        return sa.intermediate is not None

    def is_its_turn(self, sent: int, due: KeyExchangeMethod) -> bool:
        """Say whether a KE payload is of the method whose turn it is (RFC 9370, 2.2.2)."""
        return sent == due

    def may_authenticate(self, sa: IkeSa) -> bool:
        """Say whether IKE_AUTH may come: all key exchanges are done (RFC 9242, 3.2)."""
        return sa.intermediate is None or not sa.intermediate.left

    def int_auth(self, number: Prf, sk_p: bytes, before: bytes, message: Message) -> bytes:
        """Compute IntAuth_i or IntAuth_r after one more message of that side (RFC 9242, 3.3.2)."""
        return prf(number, sk_p, before + message.unsealed())

    def auth_id(self, message_id: int) -> int:
        """Give IKE_AUTH_MID: the Message ID of the first IKE_AUTH request (RFC 9242, 3.3.2)."""
        return message_id

    def next_keys(
        self, keys: IkeKeys, suite: Suite, shared: bytes, nonces: tuple[bytes, bytes]
    ) -> IkeKeys:
        """Derive the keys after an additional key exchange (RFC 9370, 2.2.2).

        SKEYSEED(n) is made as that of a rekey, of SK_d(n-1) and the nonces of IKE_SA_INIT.
        """
        nonce_i, nonce_r = nonces
        return derive_rekeyed_ike_keys(
            keys,
            suite,
            shared=shared,
            nonce_i=nonce_i,
            nonce_r=nonce_r,
            spi_i=keys.spi_i,
            spi_r=keys.spi_r,
        )
