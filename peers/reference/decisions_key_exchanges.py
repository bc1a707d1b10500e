"""Decisions about IKE_INTERMEDIATE and several key exchanges (RFC 9242, RFC 9370)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from peers.reference import intermediate
from peers.reference.additional import has_additional
from peers.reference.connection import Connection
from peers.reference.crypto import prf
from peers.reference.followup import Series
from peers.reference.keys import IkeKeys, derive_rekeyed_ike_keys
from peers.reference.message import Message
from peers.reference.negotiation import Suite, check_choice
from peers.reference.numbers import KeyExchangeMethod, NotifyType, Prf
from peers.reference.payloads import SA, Notify, Proposal
from peers.reference.sa import IkeSa
from peers.reference.session import Awaited


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

    # IKE_FOLLOWUP_KE (RFC 9370, 2.2.4).

    def link(self, link: bytes) -> bytes:
        """Give the link for the next request of a series: the responder's, intact."""
        return link

    def link_notify(self, series: Series) -> Notify:
        """Build the notify that links the next exchange of a series to this one."""
        return series.notify()

    def finds_series(self, awaited: Mapping[bytes, Awaited], link: bytes) -> Awaited | None:
        """Find the series that a link was given for."""
        return awaited.get(link)

    def unknown_series(self) -> Notify:
        """Build the answer to an exchange of a series that we do not have."""
        return Notify(NotifyType.STATE_NOT_FOUND)

    def patience(self, seconds: float) -> float:
        """Give the seconds after which a series that does not go on is forgotten."""
        return seconds

    def cancels_series(self, response: Message) -> bool:
        """Say whether a response without a KE payload ends its series: always."""
        return True

    def starts_series_again(self, response: Message) -> bool:
        """Say whether a series that failed is started anew: one that the other side has lost."""
        return NotifyType.STATE_NOT_FOUND in response.notifies

    def further_secrets(self, secrets: bytes) -> bytes:
        """Give SK(1) to SK(n), as keys are made of them besides SK(0)."""
        return secrets

    # IntAuth and keys.

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
