"""ESP traffic of the scripted peer: echoes through a Child SA, good and bad packets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

from peers.conversation import Conversation, Heard, HeardEsp
from peers.reference import child as child_sa
from peers.reference import ip
from peers.reference.child import ChildSa
from peers.reference.errors import PeerError
from peers.reference.esp import EspPacket, InboundSa
from peers.reference.sa import Random

ECHO_PATIENCE = (1.0, 2.0, 4.0)
"""Seconds that an echo request waits for its reply before another one is sent."""

IDENTIFIER = 0x1EE7
"""ICMP identifier of every echo request of ours."""


class Traffic(ABC):
    """What a peer does with its newest Child SA (RFC 4303)."""

    def __init__(self, talk: Conversation, random: Random) -> None:
        self._talk = talk
        self.random = random
        self._echoes = 0

    @property
    @abstractmethod
    def child(self) -> ChildSa:
        """The newest Child SA."""

    def echo_request(self) -> ip.IpPacket:
        """Build an echo request to the host behind the target, unlike all others of this peer."""
        self._echoes += 1
        terms = self.child.terms
        source = child_sa.first_host(terms.local_selectors)
        destination = child_sa.first_host(terms.remote_selectors)
        return child_sa.echo(source, destination, IDENTIFIER, self._echoes)

    def seal(self, inner: ip.IpPacket, *, sequence: int | None = None) -> bytes:
        """Put a packet into ESP; ``sequence`` overrides the next number."""
        iv = self.random(self.child.outbound.protection.iv_size)
        return self.child.seal(inner, iv, sequence=sequence)

    def say_esp(self, octets: bytes, fault: str = "") -> None:
        """Send an ESP packet; ``fault`` says in the evidence what is wrong with it."""
        self._talk.say_esp(octets, self._own(octets), fault)

    def _own(self, octets: bytes) -> EspPacket | None:
        """Read a packet of ours back for the record; None when it is wrong on purpose."""
        outbound = self.child.outbound
        try:
            return InboundSa(outbound.spi, outbound.protection, None).open(octets)
        except PeerError:
            return None

    def echo(self) -> bool:
        """Send an echo request through the Child SA and say whether its reply comes back."""
        for patience in ECHO_PATIENCE:
            request = self.echo_request()
            self.say_esp(self.seal(request))
            if self._reply(request, patience):
                return True
        return False

    def _reply(self, request: ip.IpPacket, timeout: float) -> bool:
        return self._talk.hear(lambda heard: _replies(heard, request), timeout) is not None

    def delivered(self, request: ip.IpPacket, octets: bytes, fault: str = "") -> bool:
        """Send an ESP packet that holds ``request`` and say whether the target delivered it.

        Both answers are proved: by its reply, or by the reply to a later echo request that came
        alone. PeerError when neither comes.
        """
        self.say_esp(octets, fault)
        self._talk.remark("fence: a good echo request must be answered")
        if not self.echo():
            raise PeerError("the Child SA carries no more traffic")
        return self._reply(request, 0.0)

    def _answer_echo(self, heard: HeardEsp) -> bool:
        """Reply to an echo request of the target, as its kernel would."""
        reply = ip.echo_reply(heard.inner)
        if reply is None:
            return False
        self.say_esp(self.seal(reply))
        return True


def _replies(heard: Heard, request: ip.IpPacket) -> bool:
    if not isinstance(heard, HeardEsp):
        return False
    asked, got = ip.Echo.find(request), ip.Echo.find(heard.inner)
    ends = (heard.inner.destination, heard.inner.source)
    return (
        asked is not None
        and got == replace(asked, request=False)
        and ends
        == (
            request.source,
            request.destination,
        )
    )
