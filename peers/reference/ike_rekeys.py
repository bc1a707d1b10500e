"""Replacing an IKE SA, both roles, whatever crosses it (RFC 7296, 1.3.2, 2.8.2 and 2.25.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peers.reference import rekey
from peers.reference.child_exchanges import MAX_RETRIES
from peers.reference.followup_exchanges import is_busy
from peers.reference.message import Message
from peers.reference.negotiation import Suite
from peers.reference.numbers import ExchangeType, KeyExchangeMethod, NotifyType, ProtocolId
from peers.reference.payloads import KE, SA, Delete, Nonce, Notify, Payload
from peers.reference.purposes import Asked, Busy, ChildEnd, ChildWish, IkeWish
from peers.reference.refusal import Refusal
from peers.reference.sa import IkeSa
from peers.reference.session import Later, Session
from peers.reference.states import Event, State

if TYPE_CHECKING:
    from peers.reference.endpoint import Endpoint

LINGER = 60.0
"""Seconds that an IKE SA waits for the other side to delete what it has to."""


class IkeRekeys:
    """Asks for the successor of an IKE SA, grants it, and settles what comes of both at once."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._decide = endpoint.decide

    def rekey(self, session: Session) -> None:
        """Ask for an IKE SA that replaces this one."""
        successor, request = rekey.request(session.sa)
        self._endpoint.request(session, request, IkeWish(successor))

    def delete(self, session: Session) -> None:
        """Ask to delete an IKE SA with all of its Child SAs (1.4.1)."""
        if not self._decide.announces_ike_delete():
            self._endpoint.close(session, "deleted by us, silently")
            return
        session.sa.move(Event.SEND_DELETE)
        request = session.sa.request(ExchangeType.INFORMATIONAL, Delete(ProtocolId.IKE))
        self._endpoint.request(session, request)

    def hear(self, session: Session, wish: IkeWish, request: Message, response: Message) -> None:
        """Take up the response to a request for a successor."""
        if not response.has(SA, Nonce, KE) or self._decide.unknown_error(response):
            self._refused(session, wish, request, response)
            return
        session.putting_off = None
        new = wish.successor
        self._decide.hear_rekey(session.sa, new, request, response)
        methods = new.suite.additional if new.suite else ()
        if not methods:
            self._adopt(session, wish)
        elif wish.contender is not None and self._decide.loses(new.nonces(), wish.contender):
            # Nothing is made yet, so there is nothing to delete (RFC 9370, 2.2.4).
            self._endpoint.say("a simultaneous rekey of the IKE SA wins")
        else:
            self._endpoint.followups.begin(session, wish, methods, request, response)

    def finish(self, session: Session, wish: IkeWish) -> None:
        """Adopt the successor whose key exchanges are all done (RFC 9370, 2.2.4)."""
        assert wish.series is not None
        more = self._decide.further_secrets(wish.series.secrets)
        rekey.complete(session.sa, wish.successor, more)
        self._adopt(session, wish)

    def start_again(self, session: Session, wish: IkeWish) -> None:
        """Ask anew for a successor that the other side has lost."""
        successor, request = rekey.request(session.sa)
        self._endpoint.request(session, request, IkeWish(successor, wish.retries + 1))

    def _adopt(self, session: Session, wish: IkeWish) -> None:
        new, rival = wish.successor, wish.rival
        if rival is not None and self._decide.loses(new.nonces(), rival.nonces()):
            self._endpoint.say("a simultaneous rekey of the IKE SA wins")
            self._inherit(session, rival)
            redundant = Session(new, heard=self._endpoint.now)
            self._endpoint.sessions.append(redundant)
            self.delete(redundant)
            return
        self._let_live(new)
        self._hand_over(session, new)
        if self._decide.opens_connection_for(new):
            new.local, new.remote = self._endpoint.streams.open(
                new.local.address, new.remote.address
            )
        if rival is not None:
            # It shared the Child SAs; the side that made it is to delete it.
            rival.children = []
            self._await_delete(self._endpoint.session_of(rival))
        self._endpoint.say(f"rekeyed {session.sa} to {new}")
        self.delete(session)

    def _refused(
        self, session: Session, wish: IkeWish, request: Message, response: Message
    ) -> None:
        self._endpoint.say(f"the IKE SA is not rekeyed: {response}")
        if wish.rival is not None:
            self._inherit(session, wish.rival)
            return
        group = response.find_notify(NotifyType.INVALID_KE_PAYLOAD)
        if NotifyType.TEMPORARY_FAILURE in response.notifies:
            self._endpoint.children.put_off(session, self.rekey, alone=True)
        elif group is not None and len(group.data) == 2 and wish.retries < MAX_RETRIES:
            number = int.from_bytes(group.data, "big")
            if self._decide.follows_group(request, number):
                successor, again = rekey.request(session.sa, KeyExchangeMethod(number))
                self._endpoint.request(session, again, IkeWish(successor, wish.retries + 1))

    def _inherit(self, session: Session, heir: IkeSa) -> None:
        """Let the successor that the other side asked for take over; it deletes the old one."""
        self._hand_over(session, heir)
        self._endpoint.say(f"rekeyed {session.sa} to {heir}")
        self._await_delete(session)

    def _hand_over(self, session: Session, heir: IkeSa) -> None:
        """Give the Child SAs, and what we still want to do, to the new IKE SA (2.8)."""
        rekey.succeed(session.sa, heir)
        if not self._decide.inherits_mobility():
            heir.mobility = None
        successor = self._endpoint.session_of(heir)
        successor.waiting.extend(session.waiting)
        successor.later += session.later
        successor.window = self._decide.window_of_successor(session.window)
        session.waiting.clear()
        session.later = ()

    def _await_delete(self, session: Session) -> None:
        session.sa.move(Event.BE_REPLACED)
        due = self._endpoint.now + LINGER
        session.later += (Later(due, lambda here: self._endpoint.close(here, "replaced")),)

    def answer(self, session: Session, request: Message) -> tuple[Payload, ...]:
        """Grant a request for a successor, or raise the `Refusal` of it."""
        self._wait_if_busy(session)
        chosen = self._decide.choose(request.get(SA), session.sa.connection.ike_proposals)
        wanted = Suite.of(chosen).ke if chosen else None
        if chosen is None or wanted is None:
            raise Refusal(Notify(NotifyType.NO_PROPOSAL_CHOSEN))
        if self._decide.minds_group(request.get(KE).group, wanted):
            raise Refusal(self._decide.wrong_group(wanted))
        new, payloads = self._decide.rekey(session.sa, request, chosen)

        def make(more: bytes) -> None:
            if more:
                rekey.complete(session.sa, new, more)
            self._let_in(session, new)

        link = self._endpoint.followups.expect(session, Suite.of(chosen).additional, make)
        for wish in session.under_way(IkeWish):
            wish.contender = new.nonces() if link else None
        return (*payloads, *link)

    def _let_in(self, session: Session, new: IkeSa) -> None:
        """Have the successor that the other side asked for be there."""
        self._let_live(new)
        wishes = session.under_way(IkeWish)
        if wishes:
            # Which of the two is the heir is known when ours is answered; till then they share.
            wishes[0].rival = new
            new.children = session.sa.children
        else:
            self._inherit(session, new)

    def _let_live(self, new: IkeSa) -> None:
        session = Session(new, heard=self._endpoint.now)
        self._endpoint.sessions.append(session)
        self._endpoint.lifetimes.begin_ike(session)

    def _wait_if_busy(self, session: Session) -> None:
        busy = set()
        if session.under_way(ChildWish):
            busy.add(Busy.CREATING_CHILD)
        if session.under_way(ChildEnd):
            busy.add(Busy.CLOSING_CHILD)
        has_rival = any(wish.rival is not None for wish in session.under_way(IkeWish))
        if is_busy(session, IkeWish):
            busy.add(Busy.EXCHANGING_KEYS)
        if session.awaited:
            busy.add(Busy.CREATING_CHILD)
        if session.sa.state is not State.ESTABLISHED or has_rival:
            busy.add(Busy.CLOSING_IKE)
        if self._decide.has_to_wait(Asked.REKEY_IKE, busy):
            raise Refusal(Notify(NotifyType.TEMPORARY_FAILURE))

    def closes(self, session: Session) -> None:
        """Settle rekeys that an IKE SA has a part in which is about to be closed (2.8.2).

        The successor that the other side asked for is the heir when it closes the old one: it
        does not know of our request. One that it closes itself has lost.
        """
        for wish in session.under_way(IkeWish):
            if wish.rival is not None:
                self._hand_over(session, wish.rival)
        for other in self._endpoint.sessions:
            for wish in other.under_way(IkeWish):
                if wish.rival is session.sa:
                    wish.rival = None
