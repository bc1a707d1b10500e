"""IKE SAs that a ticket brings back (RFC 5723): IKE_SESSION_RESUME, and what was kept for it.

The exchange stands where IKE_SA_INIT would; what a side knows of the old IKE SA takes the place of
SA and KE, and AUTH is made with SK_pi and SK_pr.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from peers.reference.crypto import prf
from peers.reference.errors import MalformedMessage, PeerError
from peers.reference.keys import derive_resumed_ike_keys
from peers.reference.message import Message
from peers.reference.nat import detection_payloads
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import IDi, IDr, Nonce, Notify

if TYPE_CHECKING:
    from peers.reference.negotiation import Suite
    from peers.reference.sa import IkeSa

REQUEST = Notify(NotifyType.TICKET_REQUEST)
ACK = Notify(NotifyType.TICKET_ACK)
NACK = Notify(NotifyType.TICKET_NACK)
LIFETIME_SIZE = 4


@dataclass(frozen=True, slots=True)
class Ticket:
    """What TICKET_LT_OPAQUE says (7.1); ``lifetime`` in seconds."""

    octets: bytes
    lifetime: int

    def granted(self) -> Notify:
        """Write the notify that grants it."""
        lifetime = self.lifetime.to_bytes(LIFETIME_SIZE, "big")
        return Notify(NotifyType.TICKET_LT_OPAQUE, lifetime + self.octets)

    def presented(self) -> Notify:
        """Write the notify that presents it (7.2)."""
        return Notify(NotifyType.TICKET_OPAQUE, self.octets)

    @classmethod
    def of(cls, message: Message) -> Ticket | None:
        """Read the ticket that a message grants, None where it has none."""
        notify = message.find_notify(NotifyType.TICKET_LT_OPAQUE)
        if notify is None:
            return None
        if len(notify.data) < LIFETIME_SIZE:
            raise MalformedMessage(0, f"TICKET_LT_OPAQUE of {len(notify.data)} octets")
        lifetime = int.from_bytes(notify.data[:LIFETIME_SIZE], "big")
        return cls(notify.data[LIFETIME_SIZE:], lifetime)


@dataclass(frozen=True, slots=True)
class Suspended:
    """What is kept of an IKE SA besides its ticket (5); who is who stands in the connection."""

    suite: Suite
    sk_d: bytes

    @classmethod
    def of(cls, sa: IkeSa) -> Suspended:
        """Take it from an established IKE SA."""
        assert sa.suite is not None
        return cls(sa.suite, sa.established_keys().sk_d)


def ike_session_resume(sa: IkeSa, ticket: Ticket) -> Message:
    """Build the request that presents a ticket: HDR, Ni, N(TICKET_OPAQUE), N+ (4.3.2)."""
    return sa.request(
        ExchangeType.IKE_SESSION_RESUME,
        Nonce(sa.nonce),
        ticket.presented(),
        *detection_payloads((sa.spi_i, sa.spi_r), sa.local, sa.remote, sa.claim),
    )


def hear_response(sa: IkeSa, kept: Suspended, response: Message) -> None:
    """Take up the response to our request; PeerError when it makes no IKE SA."""
    if not response.has(Nonce):
        raise PeerError(f"the ticket is not taken: {response}")
    if response.spi_r == bytes(8):
        raise PeerError("the responder's SPI is zero in a response that resumes an IKE SA")
    sa.spi_r = response.spi_r
    resume(sa, kept, response.get(Nonce).data)


def answer(sa: IkeSa, request: Message, kept: Suspended) -> Message:
    """Build the response that takes a ticket, HDR, Nr, N+, and derive the keys (4.3.2)."""
    resume(sa, kept, request.get(Nonce).data)
    seen = detection_payloads((sa.spi_i, sa.spi_r), sa.local, sa.remote, sa.claim)
    return replace(request.reply(Nonce(sa.nonce), *seen), spi_r=sa.spi_r)


def resume(sa: IkeSa, kept: Suspended, peer_nonce: bytes) -> None:
    """Derive the keys from what was kept and both sides' nonces (5.1)."""
    sa.peer_nonce, sa.suite, sa.resumed = peer_nonce, kept.suite, True
    nonce_i, nonce_r = sa.nonces()
    sa.keys = derive_resumed_ike_keys(
        kept.sk_d,
        kept.suite,
        nonce_i=nonce_i,
        nonce_r=nonce_r,
        spi_i=sa.spi_i,
        spi_r=sa.spi_r,
    )


def mic(sa: IkeSa, identification: IDi | IDr, octets: bytes) -> bytes:
    """Compute AUTH data of a resumed IKE SA: prf(SK_px, octets), without a key pad (4.3.3)."""
    keys = sa.established_keys()
    return prf(keys.prf, keys.sk_pi if isinstance(identification, IDi) else keys.sk_pr, octets)


class ResumptionDecisions:
    """The part of `Decisions` that is about tickets."""

    def answer_to_ticket_request(self, ticket: Ticket) -> Notify | None:
        """Answer a request for a ticket: by one, TICKET_ACK or TICKET_NACK (4.1)."""
        return ticket.granted()

    def finds_ticket(self, known: bytes, presented: bytes) -> bool:
        """Say whether that ticket is the one presented, all of it (9.2)."""
        return known == presented

    def takes_ticket(self, *, expired: bool, used: bool) -> bool:
        """Say whether a ticket is taken that we know: only once, and in its time (4.3.1)."""
        return not expired and not used

    def ticket_refusal(self) -> Notify:
        """Give the answer, in clear, to a ticket that is not taken (4.3.2)."""
        return NACK

    def sends_chain(self, *, resumed: bool) -> bool:
        """Say whether our certificates go with our AUTH: not when we resume (4.3.3)."""
        return not resumed

    def resumption_mic(self, sa: IkeSa, identification: IDi | IDr, octets: bytes) -> bytes:
        """Give our AUTH data under a resumed IKE SA (4.3.3)."""
        return mic(sa, identification, octets)

    def ends_what_was_resumed(self) -> bool:
        """Say whether the IKE SA of a ticket is dropped without a word once it is back (4.3.4)."""
        return True

    # As client.

    def uses_ticket_once(self) -> bool:
        """Say whether a ticket is gone once an IKE SA was made of it (4.3.1)."""
        return True

    def is_over(self, expires: float, now: float) -> bool:
        """Say whether a ticket is presented no more (4.3.1)."""
        return expires <= now

    def presented(self, ticket: Ticket) -> Ticket:
        """Give the ticket to present: as it was granted, without its lifetime (7.2)."""
        return ticket

    def drops_ticket_with_ike_sa(self) -> bool:
        """Say whether a ticket goes when its IKE SA is closed (6.2)."""
        return True

    def deletes_what_it_suspends(self) -> bool:
        """Say whether the gateway hears a Delete when a session is interrupted: never (6.2)."""
        return False

    def starts_over_without_ticket(self) -> bool:
        """Say whether the initial exchanges are done when a ticket is refused (4.3.2)."""
        return True
