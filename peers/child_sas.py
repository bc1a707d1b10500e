"""Child SAs of the scripted peer: asked for, granted, replaced, deleted (RFC 7296, 1.3 and 1.4)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from peers.exchanging import Exchanging
from peers.reference import child as child_sa
from peers.reference.by_hand import child_by_hand
from peers.reference.child import ChildSa, ChildSeed, ChildTerms
from peers.reference.connection import ChildPolicy, Mode
from peers.reference.errors import PeerError, ScriptError
from peers.reference.esp import observing
from peers.reference.events import ChildKeysDerived
from peers.reference.key_exchange import KeyExchange, key_exchange, respond
from peers.reference.keys import ChildKeys
from peers.reference.message import Message
from peers.reference.nat import Localized, localize
from peers.reference.negotiation import Suite, choose, narrow, selectors
from peers.reference.numbers import (
    ExchangeType,
    KeyExchangeMethod,
    NotifyType,
    ProtocolId,
    TransformType,
)
from peers.reference.payloads import (
    KE,
    SA,
    Delete,
    Nonce,
    Notify,
    Payload,
    Proposal,
    TSi,
    TSr,
)


class ChildSas(Exchanging):
    """What a peer does to make Child SAs and to end them."""

    _key_exchanges: dict[bytes, KeyExchange]
    """Our halves of key exchanges for Child SAs, by their public value."""

    # We ask.

    def create_child_sa(
        self, *before: Payload, name: str = "", group: KeyExchangeMethod | None = None
    ) -> Message:
        """Build a CREATE_CHILD_SA request for one more Child SA (RFC 7296, 1.3.1).

        ``name`` is that of its policy, by default the first. ``group`` is that of KEi, by default
        the first that the policy has; NONE leaves KEi out.
        """
        policy = self._policy(name)
        offer = child_sa.offer(policy, self.random(child_sa.SPI_SIZE), with_key_exchange=True)
        method = child_sa.first_group(policy) if group is None else group
        middle: tuple[Payload, ...] = (Nonce(self.random(32)),)
        if method != KeyExchangeMethod.NONE:
            exchange = key_exchange(method, self.random)
            self._key_exchanges[exchange.public] = exchange
            middle = (*middle, KE(method, exchange.public))
        payloads = child_sa.before_selectors(offer, *middle)
        return self.request(ExchangeType.CREATE_CHILD_SA, *before, *payloads)

    def rekey_child_sa(
        self,
        child: ChildSa | None = None,
        group: KeyExchangeMethod | None = None,
        nonce: bytes = b"",
    ) -> Message:
        """Build a request that replaces a Child SA, by default the one in use (1.3.3).

        ``nonce`` is Ni, drawn by default.
        """
        child = child or self.child
        request = self.create_child_sa(self.rekeys_child(child), name=child.name, group=group)
        return request.replacing(Nonce(nonce)) if nonce else request

    def rekeys_child(self, child: ChildSa | None = None) -> Notify:
        """Build the notify that names the Child SA to be rekeyed (RFC 7296, 1.3.3)."""
        spi = (child or self.child).inbound.spi
        return Notify(NotifyType.REKEY_SA, b"", ProtocolId.ESP, spi)

    def take_up_child(
        self, request: Message, response: Message, name: str = "", more: bytes = b""
    ) -> ChildSa:
        """Take up the Child SA that CREATE_CHILD_SA granted, with its key exchange if any.

        ``more`` are the secrets of key exchanges that followed, joined (RFC 9370).
        """
        terms = self._granted(request, response, request.get(SA).proposals[0].spi)
        ours = request.find(KE)
        exchange = self._key_exchanges.get(ours.data) if ours else None
        shared = child_sa.shared_secret(terms.proposal, exchange, response)
        nonces = request.get(Nonce).data, response.get(Nonce).data
        return self._add_child(terms, nonces, shared, self._name_of(request, name), more)

    def _granted(self, request: Message, response: Message, spi: bytes) -> ChildTerms:
        """Read the terms of a grant, with the addresses that we see (RFC 7296, 2.23.1)."""
        both = (request, response)
        if not all(NotifyType.USE_TRANSPORT_MODE in message.notifies for message in both):
            return child_sa.granted(request, response, spi)
        seen = localize(self.ike, response.get(TSi).ranges, response.get(TSr).ranges)
        response = response.replacing(TSi(seen.tsi)).replacing(TSr(seen.tsr))
        terms = child_sa.granted(request, response, spi)
        return replace(terms, original=seen.original)

    def _name_of(self, request: Message, name: str) -> str:
        """Give the policy's name of what a request asks for: that of the Child SA it replaces."""
        notify = request.find_notify(NotifyType.REKEY_SA)
        replaced = self.ike.child(notify.spi) if notify else None
        return replaced.name if replaced else name

    def deletion(self, *children: ChildSa) -> Message:
        """Build the request that closes Child SAs (RFC 7296, 1.4.1)."""
        spis = tuple(child.inbound.spi for child in children)
        return self.request(ExchangeType.INFORMATIONAL, Delete(ProtocolId.ESP, spis))

    def close_child(self, child: ChildSa) -> Message:
        """Have the target close a Child SA, and close our side of it; give the response."""
        response = self.exchange(self.deletion(child))
        self.forget_child(child)
        return response

    def forget_child(self, child: ChildSa) -> None:
        """Close our side of a Child SA, and say nothing of it."""
        self.ike.children.remove(child)

    # The target asks.

    def grant_child(self, request: Message, nonce: bytes = b"") -> Message:
        """Build the response that grants the target's CREATE_CHILD_SA, and take the Child SA up.

        ``nonce`` is our Nr, drawn by default. The Child SA is made once all key exchanges are done
        (`accept_followups`), if more than one was chosen (RFC 9370). Where its KE payload is not
        of the group that was chosen, the response is INVALID_KE_PAYLOAD and no Child SA is made.
        """
        policy, terms = self._terms(request, self._name_of(request, ""), with_key_exchange=True)
        method, theirs = Suite.of(terms.proposal).ke, request.find(KE)
        ours: tuple[Payload, ...] = ()
        shared = b""
        if method is not None:
            if theirs is None or theirs.group != method:
                return self.reply(request, wrong_group(method))
            exchange = respond(method, theirs.data, self.random)
            ours, shared = (KE(method, exchange.public),), exchange.shared
        nonce = nonce or self.random(32)
        make = partial(
            self._add_child, terms, (request.get(Nonce).data, nonce), shared, policy.name
        )
        link = self._expect_series(Suite.of(terms.proposal).additional, make)
        payloads = child_sa.before_selectors(child_sa.answer(terms), Nonce(nonce), *ours)
        return self.reply(request, *payloads, *link)

    def grant(self, request: Message) -> ChildTerms:
        """Settle the terms of the Child SA that the target asks for in IKE_AUTH."""
        return self._terms(request, "", with_key_exchange=False)[1]

    def _terms(
        self, request: Message, name: str, *, with_key_exchange: bool
    ) -> tuple[ChildPolicy, ChildTerms]:
        policies = [each for each in self.connection.children if name in ("", each.name)]
        chosen = None
        for policy in policies:
            proposals = policy.esp_proposals
            if not with_key_exchange:
                proposals = child_sa.without_key_exchange(proposals)
            # What fits the KE payload spares a refusal.
            chosen = choose(_of_its_group(request), proposals) or choose(request.get(SA), proposals)
            terms = self._narrowed(request, policy, chosen) if chosen else None
            if terms is not None:
                return policy, terms
        if chosen is None:
            raise PeerError(f"nothing in the offer that the target was configured with: {request}")
        raise PeerError(f"selectors other than those that were configured: {request}")

    def _narrowed(
        self, request: Message, policy: ChildPolicy, chosen: Proposal
    ) -> ChildTerms | None:
        transport = NotifyType.USE_TRANSPORT_MODE in request.notifies
        mode = Mode.TRANSPORT if transport else Mode.TUNNEL
        asked = Localized(request.get(TSi).ranges, request.get(TSr).ranges)
        if transport:
            asked = localize(self.ike, asked.tsi, asked.tsr)
        local = narrow(asked.tsr, selectors(policy.local_selectors))
        remote = narrow(asked.tsi, selectors(policy.remote_selectors))
        if not local or not remote:
            return None
        spi = self.random(child_sa.SPI_SIZE)
        return ChildTerms(
            False,
            chosen,
            spi,
            chosen.spi,
            mode,
            local,
            remote,
            accepts_tfc=policy.accepts_tfc,
            peer_accepts_tfc=child_sa.takes_tfc(request),
            original=asked.original,
        )

    def deleted(self, request: Message) -> tuple[Payload, ...]:
        """Close what a request's Delete payloads name; give the answer (RFC 7296, 1.4.1)."""
        spis = [
            spi
            for delete in request.all(Delete)
            if delete.protocol == ProtocolId.ESP
            for spi in delete.spis
        ]
        closed = [child for child in self.ike.children if child.outbound.spi in spis]
        for child in closed:
            self.ike.children.remove(child)
        if not closed:
            return ()
        return (Delete(ProtocolId.ESP, tuple(child.inbound.spi for child in closed)),)

    def _policy(self, name: str) -> ChildPolicy:
        policies = self.connection.children
        found = [each for each in policies if name in ("", each.name)]
        if not found:
            raise ScriptError(f"the connection says nothing of a Child SA {name!r}")
        return found[0]

    def take_keys(self, keys: ChildKeys) -> ChildSa:
        """Take up a Child SA that is keyed by hand; give the target's side of it."""
        ours = child_by_hand(self.connection, keys, initiator=True)
        ours.inbound = observing(ours.inbound)
        self._talk.keyed.append(ours)
        self.events.append(ChildKeysDerived(self._talk.link.now(), keys))
        return child_by_hand(self.connection.mirrored(), keys, initiator=False)

    def _add_child(
        self,
        terms: ChildTerms,
        nonces: tuple[bytes, bytes],
        shared: bytes = b"",
        name: str = "",
        more: bytes = b"",
    ) -> ChildSa:
        seed = ChildSeed(self.ike.established_keys(), nonces, shared, more)
        child = ChildSa.derive(terms, self.connection, seed)
        child.name = name or self.connection.name
        # Whether a packet that verifies should have been sent is judged by the test.
        child.inbound = observing(child.inbound)
        self.ike.children.append(child)
        self.events.append(ChildKeysDerived(self._talk.link.now(), child.keys))
        return child


def _of_its_group(request: Message) -> SA:
    """Give the offer without the groups that the request has no KE payload of."""
    sent = request.find(KE)
    group = sent.group if sent else KeyExchangeMethod.NONE
    return SA(
        tuple(
            replace(
                proposal,
                transforms=tuple(
                    each
                    for each in proposal.transforms
                    if each.type != TransformType.KE or each.id == group
                ),
            )
            for proposal in request.get(SA).proposals
        )
    )


def wrong_group(method: KeyExchangeMethod) -> Notify:
    """Build the notify that asks for another key exchange method (RFC 7296, 1.3)."""
    return Notify(NotifyType.INVALID_KE_PAYLOAD, int(method).to_bytes(2, "big"))
