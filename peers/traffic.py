"""ESP traffic of the scripted peer: echoes through a Child SA, good and bad packets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace

from peers.conversation import Conversation, Heard, HeardEsp, HeardInTheClear
from peers.reference import child as child_sa
from peers.reference import ip, tcp
from peers.reference.child import ChildSa
from peers.reference.connection import Mode
from peers.reference.errors import PeerError
from peers.reference.esp import EspPacket, InboundSa, NumbersSeen
from peers.reference.esp_faults import Draft, EspFault
from peers.reference.ip_fragments import Fragments, split
from peers.reference.nat import clear_packet, esp_packet, floated
from peers.reference.numbers import IpProtocol
from peers.reference.sa import IkeSa, Random

ECHO_PATIENCE = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Seconds that an echo request waits for its reply before another one is sent."""

ECHO_DATA = bytes(range(56))

IDENTIFIER = 0x1EE7
"""ICMP identifier of every echo request of ours."""

CLIENT_PORT, DISCARD_PORT = 40000, 9
"""TCP ports of our segments; no host of the lab has the service discard (RFC 863)."""


class Traffic(ABC):
    """What a peer does with its newest Child SA (RFC 4303)."""

    def __init__(self, talk: Conversation, random: Random) -> None:
        self._talk = talk
        self.random = random
        self._echoes = 0

    @property
    @abstractmethod
    def ike(self) -> IkeSa:
        """The IKE SA that the script works with."""

    @property
    @abstractmethod
    def child(self) -> ChildSa:
        """The newest Child SA."""

    @abstractmethod
    def fence(self) -> None:
        """Prove that the target is alive; Inconclusive when it is not."""

    def echo_request(self, data: bytes = ECHO_DATA) -> ip.IpPacket:
        """Build an echo request to the host behind the target, unlike all others of this peer."""
        self._echoes += 1
        terms = self.child.terms
        source = child_sa.first_host(terms.local_selectors)
        destination = child_sa.first_host(terms.remote_selectors)
        return ip.echo_request(source, destination, IDENTIFIER, self._echoes, data)

    def seal(
        self,
        inner: ip.IpPacket,
        *,
        sequence: int | None = None,
        fault: EspFault | None = None,
        padding: bytes | None = None,
        tfc: bytes | None = None,
    ) -> bytes:
        """Put a packet into ESP; ``sequence`` overrides the next number.

        ``padding`` and ``tfc`` are other octets of padding and TFC padding than the usual ones.
        """
        iv = self.random(self.child.outbound.protection.iv_size)
        if fault is not None:
            return fault.seal(self._draft(inner, iv, sequence))
        fill = (lambda size: padding) if padding is not None else None
        return self.child.seal(inner, iv, sequence=sequence, padding=fill, tfc=tfc)

    def _draft(self, inner: ip.IpPacket, iv: bytes, sequence: int | None) -> Draft:
        sa = self.child.outbound
        if sequence is None:
            sa.sequence += 1
            sequence = sa.sequence
        return Draft.of(sa, *self.child.payload(inner), iv, sequence)

    def dummy(self, size: int = 64) -> bytes:
        """Build a dummy packet of so many octets: Next Header 59 (RFC 4303, 2.6)."""
        sa = self.child.outbound
        return sa.seal(IpProtocol.NO_NEXT_HEADER, bytes(size), self.random(sa.protection.iv_size))

    def say_esp(self, octets: bytes, fault: str = "", *, traffic_class: int = 0) -> None:
        """Send an ESP packet; ``fault`` says in the evidence what is wrong with it.

        ``traffic_class`` is that of the outer header.
        """
        sa = None if self.child in self._talk.keyed else self.ike
        self._talk.say_esp(octets, self._own(octets), sa, fault, traffic_class)

    def _own(self, octets: bytes) -> EspPacket | None:
        """Read a packet of ours back for the record; None when it is wrong on purpose."""
        outbound = self.child.outbound
        window = NumbersSeen() if outbound.extended else None
        if window is not None:
            window.advance(outbound.sequence)
        sa = InboundSa(outbound.spi, outbound.protection, window, extended=outbound.extended)
        try:
            return sa.open(octets)
        except PeerError:
            return None

    def echo(self) -> bool:
        """Send an echo request through the Child SA and say whether its reply comes back."""
        return self._echo(ECHO_DATA) is not None

    def heard_echo(self, data: bytes = ECHO_DATA) -> HeardEsp:
        """Send an echo request with that data; give the ESP packet of its reply."""
        reply = self._echo(data)
        if reply is None:
            raise PeerError("an echo request through the Child SA is not answered")
        return reply

    def _echo(self, data: bytes) -> HeardEsp | None:
        for patience in ECHO_PATIENCE:
            request = self.echo_request(data)
            self.say_esp(self.seal(request))
            reply = self._reply(request, patience)
            if reply is not None:
                return reply
        # No reply counts against the Child SA only if the target itself is there.
        self.fence()
        return None

    def _reply(self, request: ip.IpPacket, timeout: float) -> HeardEsp | None:
        heard = self._talk.hear(lambda heard: _replies(heard, request), timeout)
        return heard if isinstance(heard, HeardEsp) else None

    def delivered(self, request: ip.IpPacket, octets: bytes, fault: str = "") -> bool:
        """Send an ESP packet that holds ``request`` and say whether the target delivered it.

        Both answers are proved: by its reply, or by the reply to a later echo request that came
        alone. PeerError when neither comes.
        """
        return self.delivered_among([(request, octets)], fault)[0]

    def delivered_among(
        self, packets: Sequence[tuple[ip.IpPacket, bytes]], fault: str = ""
    ) -> list[bool]:
        """Do `delivered` for several packets, sent one after the other with no other in between."""
        for _, octets in packets:
            self.say_esp(octets, fault)
        self._talk.remark("fence: a good echo request must be answered")
        if not self.echo():
            raise PeerError("the Child SA carries no more traffic")
        return [self._reply(request, 0.0) is not None for request, _ in packets]

    def is_replied(self, request: ip.IpPacket) -> bool:
        """Say whether an echo request was replied to, on a Child SA that may carry nothing."""
        self.fence()
        return self._reply(request, ECHO_PATIENCE[0]) is not None

    def passes_in_the_clear(self, request: ip.IpPacket) -> bool:
        """Send an echo request without ESP and say whether it is replied to, in ESP or without.

        Both answers are proved, as those of `delivered` are.
        """
        self._talk.addresses.add(request.source)
        self._talk.send(clear_packet(request), request, "without ESP")
        self._talk.remark("fence: a good echo request must be answered")
        if not self.echo():
            raise PeerError("the Child SA carries no more traffic")
        return self._talk.hear(lambda heard: _replies(heard, request), 0.0) is not None

    def split(self, request: ip.IpPacket, size: int) -> tuple[ip.IpPacket, ...]:
        """Split an inner packet of ours into fragments of ``size`` octets of payload."""
        return split(replace(request, identification=self._echoes), size)

    def is_replied_whole(self, request: ip.IpPacket, timeout: float = 2.0) -> bool:
        """Say whether an echo request is replied to, be it in fragments inside ESP."""
        fragments, deadline = Fragments(), self._talk.link.now() + timeout
        if self._makes_whole(fragments, request, deadline):
            return True
        # A target that paused has taken all that came before the fence, and said what it says.
        self.fence()
        return self._makes_whole(fragments, request, self._talk.link.now())

    def _makes_whole(self, fragments: Fragments, request: ip.IpPacket, deadline: float) -> bool:
        while True:
            left = max(0.0, deadline - self._talk.link.now())
            heard = self._talk.hear(lambda each: isinstance(each, HeardEsp), left)
            if not isinstance(heard, HeardEsp):
                return False
            whole = fragments.whole(heard.inner)
            if whole is not None and _replies(replace(heard, inner=whole), request):
                return True

    def syn(self) -> ip.IpPacket:
        """Build a TCP segment to a port of the host behind the target that nobody listens on."""
        ends = self.echo_request()
        return tcp.Segment(CLIENT_PORT, DISCARD_PORT, self._echoes, 0, tcp.SYN).between(
            ends.source, ends.destination
        )

    def is_refused(self, syn: ip.IpPacket, wrong: str = "") -> bool:
        """Send a TCP segment and say whether a reset answers it: the target's stack has taken it.

        Both answers are proved, as those of `delivered` are.
        """
        self.say_esp(self.seal(syn), wrong)
        self._talk.remark("fence: a good echo request must be answered")
        if not self.echo():
            raise PeerError("the Child SA carries no more traffic")
        return self._talk.hear(lambda heard: _refuses(heard, syn), 0.0) is not None

    def has_reply_of(self, request: ip.IpPacket) -> bool:
        """Say whether the reply to an echo request came here, whichever peer has sent it.

        Its addresses do not count: in transport mode our end has its own.
        """
        self.fence()
        return self._talk.hear(lambda heard: _echoes(heard, request), 0.0) is not None

    def delivered_with(self, fault: EspFault) -> bool:
        """Send an echo request with a fault and say whether the target delivered it."""
        request = self.echo_request()
        return self.delivered(request, self.seal(request, fault=fault), str(fault))

    def delivered_in_udp(self, request: ip.IpPacket) -> bool:
        """Send an echo request as ESP in UDP, whatever was detected; say whether it is answered."""
        return self._delivered_as(request, encapsulated=True)

    def delivered_plain(self, request: ip.IpPacket) -> bool:
        """Send an echo request as ESP without UDP, whatever was detected; say if it is answered."""
        return self._delivered_as(request, encapsulated=False)

    def _delivered_as(self, request: ip.IpPacket, *, encapsulated: bool) -> bool:
        octets = self.seal(request)
        source, destination = floated(self.ike.local), floated(self.ike.remote)
        packet = esp_packet(source, destination, octets, encapsulated=encapsulated)
        self._talk.send(packet, self._own(octets))
        self._talk.remark("fence: an echo request in the other form must be answered")
        if not self.echo():
            raise PeerError("the Child SA carries no more traffic")
        return self._reply(request, 0.0) is not None

    def skip_to(self, sequence: int) -> None:
        """Let the next packet of ours carry this sequence number."""
        self.child.outbound.sequence = sequence - 1

    def expect_number(self, sequence: int) -> None:
        """Let the high half of the target's extended numbers be inferred near this one."""
        if self.child.inbound.window is not None:
            self.child.inbound.window.top = sequence

    def hear_esp(self, timeout: float = 15.0) -> HeardEsp:
        """Wait ``timeout`` seconds for an ESP packet of the target; PeerError when none comes."""
        heard = self._talk.hear(lambda each: isinstance(each, HeardEsp), timeout)
        if not isinstance(heard, HeardEsp):
            self.heard_echo()
            raise PeerError("no ESP packet from the target, though its Child SA answers echoes")
        self._answer_echo(heard)
        return heard

    def _answer_echo(self, heard: HeardEsp) -> bool:
        """Reply to an echo request of the target, as its kernel would."""
        reply = ip.echo_reply(heard.inner)
        if reply is None:
            return False
        iv = self.random(heard.child.outbound.protection.iv_size)
        self.say_esp(heard.child.seal(reply, iv))
        return True


def _replies(heard: Heard, request: ip.IpPacket) -> bool:
    ends = request.source, request.destination
    return (
        isinstance(heard, (HeardEsp, HeardInTheClear))
        and _echoes(heard, request)
        and (heard.inner.destination, heard.inner.source) == ends
    )


def _refuses(heard: Heard, syn: ip.IpPacket) -> bool:
    refusal = tcp.refusal(syn)
    if not isinstance(heard, HeardEsp) or refusal is None:
        return False
    # In transport mode the target's checksum covers addresses that we do not have.
    sound = heard.child.terms.mode is Mode.TRANSPORT or tcp.is_sound(heard.inner)
    return sound and tcp.Segment.find(heard.inner) == tcp.Segment.find(refusal)


def _echoes(heard: Heard, request: ip.IpPacket) -> bool:
    if not isinstance(heard, (HeardEsp, HeardInTheClear)):
        return False
    asked, got = ip.Echo.find(request), ip.Echo.find(heard.inner)
    return asked is not None and got == replace(asked, request=False)
