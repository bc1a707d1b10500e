"""The endpoint that moves, or whose peer does (RFC 4555)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from peers.reference import mobike
from peers.reference.events import Endpoint as At
from peers.reference.events import IPAddress
from peers.reference.message import Message
from peers.reference.mobike import COOKIE2_SIZE, Way
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import Notify, Payload
from peers.reference.purposes import AddressUpdate, RouteCheck
from peers.reference.refusal import Refusal
from peers.reference.session import Session, Wanted

if TYPE_CHECKING:
    from peers.reference.endpoint import Endpoint

MOST_UPDATES = 4
"""How often an update is asked for that a NAT is said to have changed (3.9)."""


class Movements:
    """Moves IKE SAs and their Child SAs to other addresses."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._decide = endpoint.decide

    def hear_support(self, session: Session, message: Message) -> None:
        """Use MOBIKE from IKE_AUTH on where both sides want it (3.2)."""
        if self._decide.supports_mobike(message):
            mobike.note(session.sa, message)

    # The other side moves, and decides where to.

    def refuse_changed(self, session: Session, request: Message) -> None:
        """Refuse a first IKE_AUTH request that forbids NATs and met one (3.9)."""
        local, remote = session.way
        if session.sa.connection.mobike and not self._decide.allows_way(request, remote, local):
            raise Refusal(Notify(NotifyType.UNEXPECTED_NAT_DETECTED))

    def answer(self, session: Session, request: Message) -> tuple[Payload, ...]:
        """Answer what an INFORMATIONAL request says of addresses (3.5 to 3.9)."""
        sa = session.sa
        if sa.mobility is None:
            return ()
        local, remote = session.way
        if not self._decide.allows_way(request, remote, local):
            unexpected = Notify(NotifyType.UNEXPECTED_NAT_DETECTED)
            return (unexpected, *mobike.copied_cookie(request))
        listed = mobike.addresses_in(request)
        if self._decide.moves(sa, request):
            if not self._decide.accepts_way(sa, session.way):
                refused = Notify(NotifyType.UNACCEPTABLE_ADDRESSES)
                return (refused, *mobike.copied_cookie(request))
            self._follow(session, request)
        if listed is not None:
            sa.mobility.addresses = listed
        return self._decide.answer_to_mobility(sa, request, session.way)

    def _follow(self, session: Session, request: Message) -> None:
        sa = session.sa
        assert sa.mobility is not None
        before = (sa.local, sa.remote), self._decide.encapsulates(sa)
        sa.local, sa.remote = session.way
        if NotifyType.NAT_DETECTION_SOURCE_IP in request.notifies:
            sa.nat = self._decide.detects(request, sa.remote, sa.local)
        self._endpoint.say(f"{sa} is moved: between {sa.local} and {sa.remote} now")
        if not self._decide.checks_route(sa):
            sa.mobility.esp = None
            return
        if self._decide.waits_for_check(sa):
            sa.mobility.esp = sa.mobility.esp or before
        session.waiting.append(Wanted(self._check))

    def _check(self, session: Session) -> None:
        """Ask with a cookie whether the other side hears us where it says that it is (3.7)."""
        sa = session.sa
        cookie = Notify(NotifyType.COOKIE2, self._endpoint.random(COOKIE2_SIZE))
        request = sa.request(ExchangeType.INFORMATIONAL, cookie)
        self._endpoint.request(session, request, RouteCheck((sa.local, sa.remote)))

    def hear_check(self, session: Session, check: RouteCheck) -> None:
        """Let ESP go the way that was checked, unless there is another one by now (3.7)."""
        sa = session.sa
        if sa.mobility is not None and check.way == (sa.local, sa.remote):
            sa.mobility.esp = None

    # We move, and decide where to.

    def move(self, session: Session, local: IPAddress | None, remote: IPAddress | None) -> None:
        """Go on between other addresses, and tell the other side (3.5)."""
        sa = session.sa
        if sa.mobility is None or not sa.mobility.decides:
            self._endpoint.say(f"{sa} cannot be moved by us")
            return
        before = sa.local, sa.remote
        encapsulated = self._decide.encapsulates(sa)
        sa.local, sa.remote = _at(sa.local, local), _at(sa.remote, remote)
        if remote is not None:
            # That there is a way to the new address is not known before the response.
            sa.mobility.esp = sa.mobility.esp or (before, encapsulated)
        if self._decide.tells_of_move():
            self._ask(session, before, 1)

    def _ask(self, session: Session, before: Way, attempt: int) -> None:
        def ask(here: Session) -> None:
            sa = here.sa
            payloads = mobike.update(sa, self._endpoint.random(COOKIE2_SIZE))
            purpose = AddressUpdate((sa.local, sa.remote), before, attempt)
            request = sa.request(ExchangeType.INFORMATIONAL, *payloads)
            self._endpoint.request(here, request, purpose)

        session.waiting.append(Wanted(ask))

    def hear_update(self, session: Session, made: AddressUpdate, response: Message) -> None:
        """Take up the response to an update of ours (3.5); one that is outdated says nothing."""
        sa = session.sa
        if sa.mobility is None or made.way != (sa.local, sa.remote):
            return
        kinds = response.notifies
        if NotifyType.UNEXPECTED_NAT_DETECTED in kinds and made.attempt < MOST_UPDATES:
            self._ask(session, made.before, made.attempt + 1)
        elif {NotifyType.UNEXPECTED_NAT_DETECTED, NotifyType.UNACCEPTABLE_ADDRESSES} & set(kinds):
            self._endpoint.say(f"the peer does not take {sa.local} and {sa.remote}")
            sa.local, sa.remote = made.before
            sa.mobility.esp = None
        else:
            if NotifyType.NAT_DETECTION_SOURCE_IP in kinds:
                sa.nat = self._decide.detects(response, sa.remote, sa.local)
            sa.mobility.esp = None

    def hear_cookie(self, request: Message, response: Message) -> str:
        """Say why a response ends the IKE SA, if it does: its COOKIE2 is not ours (3.7)."""
        return "" if self._decide.cookie_comes_back(request, response) else "COOKIE2 is another one"

    def liveness(self, session: Session) -> tuple[Payload, ...]:
        """Give what a liveness check asks besides: whether a NAT has changed its mapping (3.8)."""
        sa = session.sa
        if sa.mobility is None or not sa.mobility.decides or not sa.nat.ours:
            return ()
        return mobike.probe(sa)

    def hear_liveness(self, session: Session, response: Message) -> None:
        """Update the addresses when the other side sees another one of us than before (3.8)."""
        sa = session.sa
        seen = response.find_notify(NotifyType.NAT_DETECTION_DESTINATION_IP)
        if sa.mobility is None or not sa.mobility.decides or seen is None:
            return
        if sa.nat.seen != seen.data:
            self._endpoint.say(f"a NAT has another mapping for {sa}")
            self._ask(session, (sa.local, sa.remote), 1)


def _at(end: At, address: IPAddress | None) -> At:
    return end if address is None else replace(end, address=address)
