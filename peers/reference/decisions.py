"""Every decision an IKEv2 endpoint takes about what it hears, one method each.

An `Endpoint` asks these; a planted fault (`planted.py`) is a subclass that takes one of them
wrongly. Each method says where the RFC lays the decision down.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from enum import Enum
from hmac import compare_digest

from peers.reference import ip, rekey
from peers.reference.child import ChildSa, ChildSeed, ChildTerms
from peers.reference.childless import ChildlessDecisions
from peers.reference.connection import ChildPolicy, Connection, Mode
from peers.reference.decisions_authentication import AuthenticationDecisions
from peers.reference.decisions_collisions import CollisionDecisions
from peers.reference.decisions_configuration import ConfigurationDecisions
from peers.reference.decisions_errors import ErrorDecisions
from peers.reference.decisions_exchanges import ExchangeDecisions
from peers.reference.decisions_fragments import FragmentDecisions
from peers.reference.decisions_key_exchanges import KeyExchangeDecisions
from peers.reference.decisions_mobike import MobikeDecisions
from peers.reference.decisions_nat import NatDecisions
from peers.reference.decisions_redirect import RedirectDecisions
from peers.reference.decisions_tcp import TcpDecisions
from peers.reference.decisions_traffic_class import TrafficClassDecisions
from peers.reference.esp import EspPacket, Recovery, ReplayWindow
from peers.reference.events import Carrier
from peers.reference.implemented import FORBIDDEN_FOR_IKE, IKE_BY_DEFAULT, without_extended
from peers.reference.initial import with_cookie, with_group
from peers.reference.ip_fragments import split
from peers.reference.message import Header, Message
from peers.reference.message_id_sync import MessageIdSyncDecisions
from peers.reference.negotiation import (
    choose,
    narrow,
    offered_groups,
    with_longer_keys,
    within,
)
from peers.reference.numbers import (
    ExchangeType,
    IpProtocol,
    KeyExchangeMethod,
    NotifyType,
    ProtocolId,
)
from peers.reference.payloads import (
    SA,
    Delete,
    Notify,
    Payload,
    Proposal,
    TrafficSelector,
    Transform,
    Unknown,
)
from peers.reference.sa import FIRST_EXCHANGES, NO_SPI, Datagrams, IkeSa

EXCHANGES = (
    ExchangeType.IKE_SA_INIT,
    ExchangeType.IKE_SESSION_RESUME,
    ExchangeType.IKE_INTERMEDIATE,
    ExchangeType.IKE_AUTH,
    ExchangeType.CREATE_CHILD_SA,
    ExchangeType.IKE_FOLLOWUP_KE,
    ExchangeType.INFORMATIONAL,
)


LARGEST_INNER = 1392
"""Octets of an inner packet's payload that leave room for ESP and UDP on an Ethernet."""


class MessageId(Enum):
    """How a request's Message ID stands to the window (RFC 7296, 2.3)."""

    NEXT = "within the window and new"
    REPEATED = "answered already"
    OUTSIDE = "outside the window"


class Decisions(
    AuthenticationDecisions,
    ChildlessDecisions,
    CollisionDecisions,
    ConfigurationDecisions,
    ErrorDecisions,
    ExchangeDecisions,
    MessageIdSyncDecisions,
    MobikeDecisions,
    KeyExchangeDecisions,
    FragmentDecisions,
    NatDecisions,
    RedirectDecisions,
    TcpDecisions,
    TrafficClassDecisions,
):
    """The decisions as the RFCs want them."""

    def edit(self, message: Message) -> Message:
        """Have a last look at a message of ours before it is encoded."""
        return message

    # The header (RFC 7296, 2.5, 3.1 and 2.21.4).

    def speaks(self, header: Header) -> bool:
        """Say whether we speak this version: the major number decides (2.5)."""
        return header.major == 2

    def version_refusal(self, header: Header) -> Notify | None:
        """Build the answer to a request of a higher major version (2.5)."""
        if header.major < 2:
            return None
        return Notify(NotifyType.INVALID_MAJOR_VERSION, b"\x02")

    def length_fits(self, header: Header, octets: bytes) -> bool:
        """Say whether the Length field is that of the datagram (3.1)."""
        return header.length == len(octets)

    def read(self, octets: bytes) -> Message:
        """Read a first message; MalformedMessage when its octets make none."""
        return Message.decode(octets)

    def answers_stray_response(self) -> bool:
        """Say whether a response that nothing waits for is answered: never (2.21.4)."""
        return False

    def opens_ike_sa(self, header: Header) -> bool:
        """Say whether this may be a first message: its initiator SPI is not zero (3.1)."""
        starts = header.exchange in FIRST_EXCHANGES and header.initiator
        return starts and header.spi_i != NO_SPI

    def knows_exchange(self, header: Header) -> bool:
        """Say whether this is an exchange that we take part in (3.1)."""
        return header.exchange in EXCHANGES

    def minds_reserved(self, message: Message) -> bool:
        """Say whether set reserved bits make us refuse a message: never (2.5)."""
        return False

    def objection(self, message: Message) -> str:
        """Say why a message is dropped for what is to be ignored: for nothing (2.5)."""
        if self.minds_reserved(message):
            return "reserved bits are set"
        return "payloads in another order" if self.minds_order(message) else ""

    # Payloads that we do not know (RFC 7296, 2.5).

    def unsupported_critical(self, message: Message) -> Unknown | None:
        """Find an unknown payload whose critical bit is set."""
        return next((p for p in message.payloads if isinstance(p, Unknown) and p.critical), None)

    def refused_unknown(self, message: Message) -> Unknown | None:
        """Find an unknown payload that we refuse though it is not critical: none."""
        return None

    # Cookies (RFC 7296, 2.6).

    def cookie_is_right(self, cookie: bytes, expected: bytes) -> bool:
        """Compare the cookie that came back with the one we made."""
        return compare_digest(cookie, expected)

    def retry_with_cookie(self, sa: IkeSa, request: Message, cookie: bytes) -> Message:
        """Repeat our request with the cookie, everything else unchanged."""
        return with_cookie(request, cookie)

    # Negotiation (RFC 7296, 1.2, 2.7 and 2.9).

    def has_for_ike(self, transform: Transform) -> bool:
        """Say whether an IKE SA may be configured for that: not if it is forbidden (RFC 8247)."""
        return (transform.type, transform.id) not in FORBIDDEN_FOR_IKE

    def ike_by_default(self) -> tuple[Proposal, ...]:
        """Give the proposals of a connection that names none (RFC 8247, 2)."""
        return IKE_BY_DEFAULT

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        """Choose one proposal, or none; a longer key than ours is as good (RFC 7296, 3.3.5)."""
        return choose(offered, acceptable) or choose(
            offered, self.with_longer_keys(acceptable, offered)
        )

    def with_longer_keys(self, acceptable: Sequence[Proposal], offered: SA) -> tuple[Proposal, ...]:
        """Accept longer keys of the ciphers that are configured."""
        return with_longer_keys(acceptable, offered)

    def wrong_group(self, group: KeyExchangeMethod) -> Notify:
        """Ask for another key exchange method (1.2)."""
        return Notify(NotifyType.INVALID_KE_PAYLOAD, group.to_bytes(2, "big"))

    def minds_group(self, got: int, chosen: KeyExchangeMethod) -> bool:
        """Say whether the KE payload is of another group than the chosen one (1.2)."""
        return got != chosen

    def follows_group(self, request: Message, group: int) -> bool:
        """Say whether we retry with the group asked for: only if we offered it (1.2)."""
        return group in offered_groups(request.get(SA))

    def retry_with_group(self, sa: IkeSa, request: Message, group: KeyExchangeMethod) -> Message:
        """Repeat our request with that group, the full offer again (1.2)."""
        return with_group(sa, request, group)

    def narrow(
        self, offered: Sequence[TrafficSelector], allowed: Sequence[TrafficSelector]
    ) -> tuple[TrafficSelector, ...]:
        """Narrow selectors to what the configuration allows (2.9)."""
        return narrow(offered, allowed)

    def with_numbers_for(
        self, proposals: tuple[Proposal, ...], replay_window: int
    ) -> tuple[Proposal, ...]:
        """Say what is acceptable: no extended numbers without anti-replay (RFC 4303, 3.3.3)."""
        return proposals if replay_window else without_extended(proposals)

    def put_first(self, because_of: ip.IpPacket | None) -> ip.IpPacket | None:
        """Give the packet whose selectors come first: the one that we ask because of (2.9)."""
        return because_of

    def wants_single_pair(
        self,
        policy: ChildPolicy,
        asked: Sequence[TrafficSelector],
        narrowed: Sequence[TrafficSelector],
    ) -> bool:
        """Say whether a Child SA is for one pair of hosts only: as configured (2.9)."""
        return policy.single_pair

    def grant_fits(
        self, granted: Sequence[TrafficSelector], asked: Sequence[TrafficSelector]
    ) -> bool:
        """Say whether granted selectors lie within those that we asked for (2.9)."""
        return within(granted, asked)

    def mode(self, policy: ChildPolicy, request: Message) -> Mode | None:
        """Settle the mode of a Child SA; None when ours is not asked for (1.3.1)."""
        if policy.mode is Mode.TUNNEL:
            return Mode.TUNNEL
        return Mode.TRANSPORT if NotifyType.USE_TRANSPORT_MODE in request.notifies else None

    def child(self, terms: ChildTerms, connection: Connection, seed: ChildSeed) -> ChildSa:
        """Derive a Child SA (2.17)."""
        child = ChildSa.derive(terms, connection, seed)
        if child.inbound.window is not None:
            child.inbound.window = self.replay_window(connection)
        if child.inbound.extended:
            child.inbound.recovery = self.recovery()
        return child

    def replay_window(self, connection: Connection) -> ReplayWindow:
        """Make the replay window of a Child SA with anti-replay (RFC 4303, 3.4.3)."""
        return ReplayWindow(connection.replay_window)

    def recovery(self) -> Recovery | None:
        """Settle how the high half of extended numbers is found again (RFC 4303, A3)."""
        return Recovery()

    def rekey(
        self, old: IkeSa, request: Message, chosen: Proposal
    ) -> tuple[IkeSa, tuple[Payload, ...]]:
        """Make the IKE SA that replaces another one (2.18)."""
        return rekey.answer(old, request, chosen)

    def hear_rekey(self, old: IkeSa, new: IkeSa, request: Message, response: Message) -> None:
        """Take up the response that grants our rekey of the IKE SA, as `rekey.hear` does."""
        rekey.hear(old, new, request, response)

    def keeps_ike_sa_without_child(self) -> bool:
        """Say whether the IKE SA stays when its first Child SA is refused (1.3)."""
        return True

    def keeps_ike_sa_after_refusal(self, request: Message) -> bool:
        """Say whether the IKE SA stays when a request of it is refused (1.3)."""
        return True

    # Message IDs and retransmission (RFC 7296, 2.1 to 2.3).

    def place(
        self, message_id: int, expected: int, window: int = 1, taken: Collection[int] = ()
    ) -> MessageId:
        """Say how a request's Message ID stands to our window of requests.

        ``expected`` is the first that is missing; ``taken`` are later ones that came before it.
        """
        if message_id in taken or expected - window <= message_id < expected:
            return MessageId.REPEATED
        inside = expected <= message_id < expected + window
        return MessageId.NEXT if inside else MessageId.OUTSIDE

    def repeat_response(self, sa: IkeSa, response: Datagrams, message: Message) -> Datagrams:
        """Answer a retransmitted request: the same octets again."""
        return response

    def repeat_request(self, sa: IkeSa, request: Datagrams, message: Message) -> Datagrams:
        """Retransmit a request of ours: the same octets again."""
        return request

    def retransmits(self, sa: IkeSa) -> bool:
        """Say whether an unanswered request is sent again: always (2.1), but over TCP.

        What is sent over TCP arrives, or the connection is gone (RFC 9329, 6.2).
        """
        return sa.local.transport is not Carrier.TCP

    def believes(self, message: Message) -> bool:
        """Say whether an unprotected message ends the IKE SA: never (2.4)."""
        return False

    def survives_forgery(self) -> bool:
        """Say whether an IKE SA outlives a message that fails its integrity check (2.4)."""
        return True

    # Informational exchanges (RFC 7296, 1.4).

    def deletes_ike_sa(self, message: Message) -> bool:
        """Say whether a request deletes the IKE SA."""
        return any(delete.protocol == ProtocolId.IKE for delete in message.all(Delete))

    def deletes_child(self, sa: IkeSa, delete: Delete) -> tuple[ChildSa, ...]:
        """Find the Child SAs that a Delete payload closes: it names the sender's inbound SPIs."""
        return tuple(child for child in sa.children if child.outbound.spi in delete.spis)

    def delete_answer(self, closed: Sequence[ChildSa]) -> tuple[Payload, ...]:
        """Name our half of each pair that was closed (1.4.1)."""
        if not closed:
            return ()
        return (Delete(ProtocolId.ESP, tuple(child.inbound.spi for child in closed)),)

    def informational_answer(self, request: Message) -> tuple[Payload, ...]:
        """Answer a request that deletes no Child SA: with nothing (1.4)."""
        return ()

    def forgets_child(self) -> bool:
        """Say whether a deleted Child SA stops to carry traffic."""
        return True

    def rekeyed_spi(self, child: ChildSa) -> bytes:
        """Give the SPI by which REKEY_SA names a Child SA: that of traffic towards us (1.3.3)."""
        return child.inbound.spi

    def own_delete_spi(self, child: ChildSa) -> bytes:
        """Give the SPI by which we ask to delete a Child SA: that of traffic towards us (3.11)."""
        return child.inbound.spi

    # ESP (RFC 4303, 3.4; RFC 4301, 5.2).

    def esp_child(self, children: Sequence[ChildSa], spi: bytes) -> ChildSa | None:
        """Find the SA of an inbound ESP packet by its SPI alone (RFC 4303, 3.4.2)."""
        return next((child for child in children if child.inbound.spi == spi), None)

    def open_esp(self, child: ChildSa, octets: bytes) -> EspPacket:
        """Check the replay window and the ICV, and decrypt (RFC 4303, 3.4.3 and 3.4.4)."""
        return child.inbound.open(octets)

    def is_dummy(self, packet: EspPacket) -> bool:
        """Say whether a packet only hides how much is said: Next Header 59 (RFC 4303, 2.6)."""
        return packet.next_header == IpProtocol.NO_NEXT_HEADER

    def is_used_up(self, child: ChildSa) -> bool:
        """Say whether nothing more may be sent: the counter would cycle (RFC 4303, 3.3.3)."""
        return child.outbound.used_up

    def seal_esp(self, child: ChildSa, inner: ip.IpPacket, iv: bytes) -> bytes:
        """Put a packet of ours into ESP."""
        return child.seal(inner, iv)

    def parts_of(self, inner: ip.IpPacket, mode: Mode) -> Sequence[ip.IpPacket]:
        """Split what is too large for ESP; transport mode takes whole packets (RFC 4303, 3.3.4)."""
        if (
            mode is Mode.TRANSPORT
            or len(inner.payload) <= LARGEST_INNER
            or inner.source.version == 6
        ):
            return (inner,)
        return split(replace(inner, identification=ip.checksum(inner.payload)), LARGEST_INNER)

    def lets_clear_traffic_in(self) -> bool:
        """Say whether a packet passes that is not in ESP and should be (RFC 4301, 5.2)."""
        return False

    def admits(self, child: ChildSa, inner: ip.IpPacket) -> bool:
        """Match the inner packet to the SA's selectors (RFC 4301, 5.2)."""
        return child.covers(inner)
