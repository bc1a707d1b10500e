"""Making and replacing Child SAs, both roles, whatever crosses it (RFC 7296, 1.3, 2.8, 2.25)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from peers.reference import child as child_sa
from peers.reference.child import ChildSa, ChildSeed, ChildTerms
from peers.reference.connection import ChildPolicy, Mode
from peers.reference.errors import PeerError
from peers.reference.followup_exchanges import is_busy
from peers.reference.key_exchange import key_exchange, respond
from peers.reference.message import Message
from peers.reference.nat import Localized
from peers.reference.negotiation import Suite, narrow, offered_groups, selectors, within
from peers.reference.numbers import ExchangeType, KeyExchangeMethod, NotifyType, ProtocolId
from peers.reference.payloads import (
    KE,
    SA,
    Delete,
    Nonce,
    Notify,
    Payload,
    Proposal,
    TrafficSelector,
    TSi,
    TSr,
)
from peers.reference.purposes import Asked, Busy, ChildWish, IkeWish, Nonces, Rival
from peers.reference.refusal import Refusal
from peers.reference.session import Later, Session, Wanted
from peers.reference.states import ChildEvent, State

if TYPE_CHECKING:
    from peers.reference.endpoint import Endpoint

Payloads = tuple[Payload, ...]
Ranges = tuple[TrafficSelector, ...]

MAX_RETRIES = 3
"""A request is repeated that often because the other side asks for it to be otherwise."""

PATIENCE = 180.0
"""Seconds of TEMPORARY_FAILURE after which the IKE SA is out of sync and is closed (2.25)."""


class ChildExchanges:
    """Asks for Child SAs, grants them, and settles what comes of both at once."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._decide = endpoint.decide

    # We ask.

    def create(self, session: Session, policy: ChildPolicy) -> None:
        """Ask for one more Child SA (1.3.1)."""
        self._ask(session, ChildWish(policy, self._endpoint.random(child_sa.SPI_SIZE)))

    def rekey(self, session: Session, name: str = "") -> None:
        """Ask for a Child SA that replaces the newest one of that policy, or of any (1.3.3)."""
        old = newest(session.sa.children, name)
        if old is None:
            self._endpoint.say("no Child SA to rekey")
            return
        spi = self._endpoint.random(child_sa.SPI_SIZE)
        self._ask(session, ChildWish(policy_of(session, old), spi, replaced=old))

    def _ask(
        self, session: Session, wish: ChildWish, group: KeyExchangeMethod | None = None
    ) -> None:
        offer = child_sa.offer(wish.policy, wish.spi, with_key_exchange=True)
        middle: Payloads = (Nonce(self._endpoint.random(32)),)
        method = child_sa.first_group(wish.policy) if group is None else group
        if method != KeyExchangeMethod.NONE:
            wish.exchange = key_exchange(method, self._endpoint.random)
            middle = (*middle, KE(method, wish.exchange.public))
        payloads = child_sa.before_selectors(offer, *middle)
        if wish.replaced is not None:
            old = self._decide.rekeyed_spi(wish.replaced)
            payloads = (Notify(NotifyType.REKEY_SA, b"", ProtocolId.ESP, old), *payloads)
        request = session.sa.request(ExchangeType.CREATE_CHILD_SA, *payloads)
        self._endpoint.request(session, request, wish)

    def hear(self, session: Session, wish: ChildWish, request: Message, response: Message) -> None:
        """Take up the response to a request for a Child SA."""
        if not response.has(SA, TSi, TSr, Nonce) or self._decide.unknown_error(response):
            self._refused(session, wish, request, response)
            return
        session.putting_off = None
        nonces = request.get(Nonce).data, response.get(Nonce).data
        methods = Suite.of(child_sa.check_grant(request, response)).additional
        if not methods:
            self._take_rekey(session, wish, request, response, nonces)
        elif wish.contender is not None and self._decide.loses(nonces, wish.contender):
            # Nothing is made yet, so there is nothing to delete (RFC 9370, 2.2.4).
            self._endpoint.say("a simultaneous rekey of the Child SA wins")
        else:
            self._endpoint.followups.begin(session, wish, methods, request, response)

    def finish(self, session: Session, wish: ChildWish) -> None:
        """Make the Child SA whose key exchanges are all done (RFC 9370, 2.2.4)."""
        assert wish.granted is not None
        request, response = wish.granted
        nonces = request.get(Nonce).data, response.get(Nonce).data
        self._take_rekey(session, wish, request, response, nonces)

    def _take_rekey(
        self, session: Session, wish: ChildWish, request: Message, response: Message, nonces: Nonces
    ) -> None:
        made = self.take(session, wish, request, response, nonces)
        if made is not None and wish.replaced is not None:
            self._settle(session, wish, made, nonces)

    def take(
        self, session: Session, wish: ChildWish, request: Message, response: Message, nonces: Nonces
    ) -> ChildSa | None:
        """Add the Child SA that a response grants; None when it is not what we can use."""
        sa = session.sa
        chosen = child_sa.check_grant(request, response, self._decide.check_choice)
        asked = request.get(TSi).ranges, request.get(TSr).ranges
        mode = self._decide.mode(wish.policy, response)
        seen = self._seen(session, response, mode)
        granted = seen.tsi, seen.tsr
        fits = all(map(self._decide.grant_fits, granted, asked))
        if not fits or mode is None:
            # What was granted is not what we can use: the Child SA is deleted (1.3.1, 2.9).
            delete = Delete(ProtocolId.ESP, (wish.spi,))
            self._endpoint.request(session, sa.request(ExchangeType.INFORMATIONAL, delete))
            return None
        shared = child_sa.shared_secret(chosen, wish.exchange, response)
        terms = ChildTerms(
            True,
            chosen,
            wish.spi,
            chosen.spi,
            mode,
            *granted,
            accepts_tfc=wish.policy.accepts_tfc,
            peer_accepts_tfc=child_sa.takes_tfc(response),
            original=seen.original,
        )
        more = self._decide.further_secrets(wish.series.secrets) if wish.series else b""
        seed = ChildSeed(sa.established_keys(), nonces, shared, more)
        made = self._add(session, wish.policy, terms, seed)
        made.move(ChildEvent.MAKE)
        return made

    def _add(
        self, session: Session, policy: ChildPolicy, terms: ChildTerms, seed: ChildSeed
    ) -> ChildSa:
        made = self._decide.child(terms, session.sa.connection, seed)
        made.name = policy.name
        session.sa.children.append(made)
        self._endpoint.lifetimes.begin_child(session, made)
        return made

    def _settle(self, session: Session, wish: ChildWish, made: ChildSa, nonces: Nonces) -> None:
        """Close what a rekey leaves over: the old Child SA, or ours if a rival wins (2.8.1)."""
        assert wish.replaced is not None
        if wish.rival is not None and self._decide.loses(nonces, wish.rival.nonces):
            self._endpoint.say("a simultaneous rekey of the Child SA wins")
            self._next(session, made)
        else:
            self._next(session, wish.replaced)

    def _next(self, session: Session, child: ChildSa) -> None:
        """Close a Child SA as soon as the window lets us."""
        session.waiting.insert(0, Wanted(lambda here: self._endpoint.closures.delete(here, child)))

    # We ask and are refused.

    def _refused(
        self, session: Session, wish: ChildWish, request: Message, response: Message
    ) -> None:
        self._endpoint.say(f"no Child SA: {response}")
        if not self._decide.outlives(response):
            self._endpoint.close(session, "a Child SA was refused")
            return
        notifies = response.notifies
        still_wanted = wish.replaced is None or (
            wish.replaced in session.sa.children and wish.rival is None
        )
        if not still_wanted:
            # The other side has replaced or closed it meanwhile: nothing is left to do (2.8.1).
            return
        if NotifyType.TEMPORARY_FAILURE in notifies:
            self.put_off(session, lambda here: self._again(here, wish))
        elif NotifyType.CHILD_SA_NOT_FOUND in notifies and wish.replaced is not None:
            self._endpoint.closures.forget(session, (wish.replaced,))
            if self._decide.starts_over():
                session.waiting.insert(0, Wanted(lambda here: self.create(here, wish.policy)))
        elif wish.retries < MAX_RETRIES:
            wish.retries += 1
            self._retry(session, wish, request, response)

    def start_again(self, session: Session, wish: ChildWish) -> None:
        """Ask anew for what the other side has lost, unless that is no longer wanted."""
        if wish.replaced is None or wish.replaced in session.sa.children:
            spi = self._endpoint.random(child_sa.SPI_SIZE)
            retries = wish.retries + 1
            self._ask(session, ChildWish(wish.policy, spi, wish.replaced, retries=retries))

    def _again(self, session: Session, wish: ChildWish) -> None:
        if wish.replaced is None:
            self.create(session, wish.policy)
        elif wish.replaced in session.sa.children:
            spi = self._endpoint.random(child_sa.SPI_SIZE)
            self._ask(session, ChildWish(wish.policy, spi, replaced=wish.replaced))

    def put_off(
        self, session: Session, start: Callable[[Session], None], alone: bool = False
    ) -> None:
        """Try again later; close the IKE SA when that has been the answer for too long (2.25)."""
        now = self._endpoint.now
        if session.putting_off is None:
            session.putting_off = now
        if now - session.putting_off >= PATIENCE:
            self._endpoint.close(session, "the peer puts everything off")
            return
        wanted = Wanted(start, alone)
        # Both sides may have put each other off: without jitter they would meet again.
        due = now + self._decide.put_off() * (1 + self._endpoint.random(1)[0] / 256)
        session.later += (Later(due, lambda here: here.waiting.append(wanted)),)

    def _retry(
        self, session: Session, wish: ChildWish, request: Message, response: Message
    ) -> None:
        group = response.find_notify(NotifyType.INVALID_KE_PAYLOAD)
        if group is not None:
            number = int.from_bytes(group.data, "big")
            if len(group.data) == 2 and self._decide.follows_group(request, number):
                self._ask(session, wish, KeyExchangeMethod(number))
        elif NotifyType.SINGLE_PAIR_REQUIRED in response.notifies:
            policy = wish.policy
            wish.policy = replace(
                policy,
                local_selectors=_one_host(selectors(policy.local_selectors)),
                remote_selectors=_one_host(selectors(policy.remote_selectors)),
            )
            self._ask(session, wish)

    # The other side asks.

    def answer(self, session: Session, request: Message) -> Payloads:
        """Grant a CREATE_CHILD_SA request for a Child SA, or raise the `Refusal` of it."""
        old = self._named(session, request)
        self._wait_if_busy(session, old)
        most = session.sa.connection.most_children
        if old is None and most is not None and len(session.sa.children) >= most:
            raise Refusal(Notify(NotifyType.NO_ADDITIONAL_SAS))
        nonce = self._endpoint.random(32)
        nonces = (request.get(Nonce).data, nonce)
        policy, chosen = self._choose(session, request, old, with_key_exchange=True)
        shared, ke = self._exchange(request, chosen)
        terms, payloads = self._grant(session, request, policy, chosen)

        def make(more: bytes) -> None:
            seed = ChildSeed(session.sa.established_keys(), nonces, shared, more)
            self._take_place(session, self._add(session, policy, terms, seed), old, nonces)

        link = self._endpoint.followups.expect(session, Suite.of(chosen).additional, make)
        for wish in session.under_way(ChildWish):
            if link and old is not None and wish.replaced is old:
                wish.contender = nonces
        return (*child_sa.before_selectors(payloads, Nonce(nonce), *ke), *link)

    def _take_place(
        self, session: Session, made: ChildSa, old: ChildSa | None, nonces: Nonces
    ) -> None:
        made.move(ChildEvent.MAKE if old is None else ChildEvent.MAKE_SUCCESSOR)
        if old is None:
            return
        made.replaces = old
        for wish in session.under_way(ChildWish):
            if wish.replaced is old:
                wish.rival = Rival(made, nonces)

    def answer_first(self, session: Session, request: Message) -> Payloads:
        """Grant the Child SA of IKE_AUTH, which has no nonces and no key exchange of its own."""
        policy, chosen = self._choose(session, request, None, with_key_exchange=False)
        terms, payloads = self._grant(session, request, policy, chosen)
        seed = ChildSeed(session.sa.established_keys(), session.sa.nonces())
        self._add(session, policy, terms, seed).move(ChildEvent.MAKE)
        return payloads

    def _named(self, session: Session, request: Message) -> ChildSa | None:
        """Find the Child SA that a request rekeys, by the SPI of traffic towards its sender."""
        notify = request.find_notify(NotifyType.REKEY_SA)
        if notify is None:
            return None
        for child in session.sa.children:
            if child.outbound.spi == notify.spi:
                return child
        raise Refusal(
            Notify(NotifyType.CHILD_SA_NOT_FOUND, b"", ProtocolId(notify.protocol), notify.spi)
        )

    def _wait_if_busy(self, session: Session, old: ChildSa | None) -> None:
        busy = set()
        if session.under_way(IkeWish):
            busy.add(Busy.REKEYING_IKE)
        if session.sa.state is not State.ESTABLISHED:
            busy.add(Busy.CLOSING_IKE)
        if old is not None and session.is_closing(old):
            busy.add(Busy.CLOSING_THAT_CHILD)
        asked = Asked.CREATE_CHILD if old is None else Asked.REKEY_CHILD
        if is_busy(session, ChildWish, old):
            busy.add(Busy.EXCHANGING_KEYS)
        if self._decide.has_to_wait(asked, busy):
            raise Refusal(Notify(NotifyType.TEMPORARY_FAILURE))

    def _choose(
        self, session: Session, request: Message, old: ChildSa | None, *, with_key_exchange: bool
    ) -> tuple[ChildPolicy, Proposal]:
        """Settle which policy a request is for, and the proposal; the old one's if it rekeys."""
        policies = session.sa.connection.children
        if old is not None:
            policies = (policy_of(session, old),)
        agreed = []
        for policy in policies:
            window = session.sa.connection.replay_window
            acceptable = self._decide.with_numbers_for(policy.esp_proposals, window)
            if not with_key_exchange:
                acceptable = child_sa.without_key_exchange(acceptable)
            chosen = self._decide.choose(request.get(SA), acceptable)
            mode = self._decide.mode(policy, request)
            if chosen is not None and mode is not None and len(chosen.spi) == child_sa.SPI_SIZE:
                agreed.append((policy, chosen))
        if not agreed:
            raise Refusal(Notify(NotifyType.NO_PROPOSAL_CHOSEN))
        for policy, chosen in agreed:
            if all(self._narrowed(self._asked(session, request, policy), policy)):
                return policy, chosen
        raise Refusal(Notify(NotifyType.TS_UNACCEPTABLE))

    def _seen(self, session: Session, message: Message, mode: Mode | None) -> Localized:
        """Give the selectors of a message with the addresses that we see (2.23.1)."""
        tsi, tsr = message.get(TSi).ranges, message.get(TSr).ranges
        if mode is Mode.TRANSPORT:
            return self._decide.localize(session.sa, tsi, tsr)
        return Localized(tsi, tsr)

    def _asked(self, session: Session, request: Message, policy: ChildPolicy) -> Localized:
        tsi, tsr = request.get(TSi).ranges, request.get(TSr).ranges
        if self._decide.mode(policy, request) is not Mode.TRANSPORT:
            return Localized(tsi, tsr)
        try:
            return self._decide.localize(session.sa, tsi, tsr)
        except PeerError as problem:
            self._endpoint.say(str(problem))
            raise Refusal(Notify(NotifyType.TS_UNACCEPTABLE)) from problem

    def _narrowed(self, asked: Localized, policy: ChildPolicy) -> tuple[Ranges, Ranges]:
        """Give the local and the remote selectors that a policy allows of what is asked (2.9)."""
        local = self._decide.narrow(asked.tsr, selectors(policy.local_selectors))
        remote = self._decide.narrow(asked.tsi, selectors(policy.remote_selectors))
        return local, remote

    def _exchange(self, request: Message, chosen: Proposal) -> tuple[bytes, Payloads]:
        """Give g^ir and the KE payload of our response, both empty when none was chosen (1.3.1)."""
        method, theirs = Suite.of(chosen).ke, request.find(KE)
        if method is None:
            if theirs is not None and not offered_groups(request.get(SA)):
                # A KE payload is of a group that is offered (3.4).
                raise Refusal(Notify(NotifyType.NO_PROPOSAL_CHOSEN))
            return b"", ()
        if theirs is None or self._decide.minds_group(theirs.group, method):
            raise Refusal(self._decide.wrong_group(method))
        ours = respond(method, theirs.data, self._endpoint.random)
        return ours.shared, (KE(method, ours.public),)

    def _grant(
        self,
        session: Session,
        request: Message,
        policy: ChildPolicy,
        chosen: Proposal,
    ) -> tuple[ChildTerms, Payloads]:
        asked = self._asked(session, request, policy)
        local, remote = self._narrowed(asked, policy)
        more: Payloads = ()
        if self._decide.wants_single_pair(policy, asked.tsr, local):
            local, remote = _only_pair(asked, local, remote)
        elif not (within(asked.tsr, local) and within(asked.tsi, remote)):
            more = self._hint(session, request, policy)
        mode = self._decide.mode(policy, request)
        assert mode is not None
        spi = self._endpoint.random(child_sa.SPI_SIZE)
        terms = ChildTerms(
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
        return terms, (*child_sa.answer(terms), *more)

    def _hint(self, session: Session, request: Message, policy: ChildPolicy) -> Payloads:
        """Say so where another policy allows some of what this one leaves out (2.9)."""
        others = (each for each in session.sa.connection.children if each.name != policy.name)
        for other in others:
            if all(self._narrowed(self._asked(session, request, other), other)):
                return (Notify(NotifyType.ADDITIONAL_TS_POSSIBLE),)
        return ()


def newest(children: Sequence[ChildSa], name: str = "") -> ChildSa | None:
    """Give the Child SA that was made last, of one policy or of any."""
    named = [child for child in children if name in ("", child.name)]
    return named[-1] if named else None


def policy_of(session: Session, child: ChildSa) -> ChildPolicy:
    """Give the policy that a Child SA was made by."""
    policies = session.sa.connection.children
    return next((each for each in policies if each.name == child.name), policies[0])


def _one_host(allowed: Ranges) -> Ranges:
    """Give the selector of the first host, with the protocol and the ports of its selector."""
    host = child_sa.first_host(allowed)
    return (replace(allowed[0], start_address=host, end_address=host),)


def _only_pair(asked: Localized, local: Ranges, remote: Ranges) -> tuple[Ranges, Ranges]:
    """Narrow to the pair that the first selectors name; a `Refusal` when they name none (2.9)."""
    firsts = asked.tsr[0], asked.tsi[0]
    if any(first.start_address != first.end_address for first in firsts):
        raise Refusal(Notify(NotifyType.SINGLE_PAIR_REQUIRED))
    pair = narrow(firsts[:1], local), narrow(firsts[1:], remote)
    if not all(pair):
        raise Refusal(Notify(NotifyType.TS_UNACCEPTABLE))
    return pair
