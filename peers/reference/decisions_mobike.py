"""Decisions about addresses that change (RFC 4555)."""

from __future__ import annotations

from peers.reference import mobike
from peers.reference.events import Endpoint
from peers.reference.message import Message
from peers.reference.mobike import Way
from peers.reference.numbers import NotifyType
from peers.reference.payloads import Notify
from peers.reference.sa import IkeSa


class MobikeDecisions:
    """The part of `Decisions` that is about MOBIKE."""

    def supports_mobike(self, message: Message) -> bool:
        """Say whether an IKE_AUTH message announces MOBIKE, whatever octets are in it (4.2.1)."""
        return NotifyType.MOBIKE_SUPPORTED in message.notifies

    def moves(self, sa: IkeSa, request: Message) -> bool:
        """Say whether a request has us use the way that it came: only the initiator's (3.5)."""
        asked = NotifyType.UPDATE_SA_ADDRESSES in request.notifies
        return asked and sa.mobility is not None and not sa.mobility.decides

    def accepts_way(self, sa: IkeSa, way: Way) -> bool:
        """Say whether local policy takes a pair of addresses: any pair (3.5)."""
        return True

    def allows_way(self, request: Message, source: Endpoint, destination: Endpoint) -> bool:
        """Say whether a request came unchanged, where it forbids NATs (3.9)."""
        return mobike.is_as_sent(request, source, destination)

    def checks_route(self, sa: IkeSa) -> bool:
        """Say whether we find out that the other side hears us at a new address (3.7)."""
        return True

    def waits_for_check(self, sa: IkeSa) -> bool:
        """Say whether ESP goes the old way until that is known (3.7)."""
        return True

    def cookie_comes_back(self, request: Message, response: Message) -> bool:
        """Say whether the COOKIE2 of a response is ours; if not, the IKE SA ends (3.7)."""
        return mobike.returns_cookie(request, response)

    def answer_to_mobility(self, sa: IkeSa, request: Message, way: Way) -> tuple[Notify, ...]:
        """Give what every INFORMATIONAL response repeats: NAT detection, COOKIE2 (3.7, 3.8)."""
        return (*mobike.probe_answer(sa, request, way), *mobike.copied_cookie(request))

    def tells_of_move(self) -> bool:
        """Say whether an initiator that moves tells the other side: it has to (3.5)."""
        return True

    def inherits_mobility(self) -> bool:
        """Say whether MOBIKE goes on in the IKE SA that a rekey makes (1.3)."""
        return True
