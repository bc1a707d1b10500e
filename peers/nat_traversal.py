"""NAT traversal of the scripted peer: what it detects, and the way that it takes then."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

from peers.conversation import Conversation, HeardKeepalive
from peers.reference.errors import NoAnswer
from peers.reference.events import Keepalive, Packet
from peers.reference.message import Message
from peers.reference.nat import detect, floated, goes_on_port_4500, is_detection, keepalive_packet
from peers.reference.sa import IkeSa


class NatTraversal(ABC):
    """What a peer does about NATs (RFC 7296, 2.23; RFC 3948).

    Unless it ``traverses_nats``, it detects none, and says nothing for others to detect one.
    """

    traverses_nats: bool = True
    _talk: Conversation

    @property
    @abstractmethod
    def ike(self) -> IkeSa:
        """The IKE SA that the script works with."""

    @abstractmethod
    def fence(self) -> None:
        """Prove that the target is alive; Inconclusive when it is not."""

    def _traverse_nat(self, response: Message) -> None:
        """Detect a NAT from the response to IKE_SA_INIT, and go on on port 4500 then."""
        sa = self.ike
        if not self.traverses_nats:
            return
        sa.nat = detect(response, sa.remote, sa.local)
        if goes_on_port_4500(sa):
            self.go_on_port_4500()

    def _tell_of_nats(self, request: Message) -> Message:
        """Leave NAT detection out of an IKE_SA_INIT request where we do not take part in it."""
        if self.traverses_nats:
            return request
        kept = tuple(each for each in request.payloads if not is_detection(each))
        return replace(request, payloads=kept)

    def go_on_port_4500(self) -> None:
        """Use port 4500 from now on, with a NAT or without one (RFC 7296, 2.23)."""
        sa = self.ike
        sa.local, sa.remote = floated(sa.local), floated(sa.remote)

    def _follow_path(self, sa: IkeSa, packet: Packet) -> None:
        """Answer where the target spoke from last: it may have gone on on port 4500.

        With MOBIKE it says so when it moves (RFC 4555, 3.8).
        """
        if sa.mobility is None:
            sa.local, sa.remote = packet.destination, packet.source

    # Keepalives (RFC 3948, 2.3 and 4).

    def say_keepalive(self) -> None:
        """Send a NAT-keepalive on the way of the IKE SA."""
        self._talk.send(keepalive_packet(self.ike.local, self.ike.remote), Keepalive())

    def hear_keepalive(self, timeout: float) -> Packet:
        """Wait for a NAT-keepalive of the target; NoAnswer when none comes though it is alive."""
        heard = self._talk.hear(lambda each: isinstance(each, HeardKeepalive), timeout)
        if not isinstance(heard, HeardKeepalive):
            self.fence()
            raise NoAnswer(f"no NAT-keepalive within {timeout:g} s, though the target is alive")
        return heard.packet
