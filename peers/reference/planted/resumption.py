"""Planted faults: tickets (RFC 5723)."""

from __future__ import annotations

from dataclasses import replace

from peers.reference.decisions import Decisions
from peers.reference.keys import psk_auth
from peers.reference.message import Message
from peers.reference.nat import is_detection
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import IDi, IDr, Nonce, Notify
from peers.reference.planted.catalogue import fault
from peers.reference.resumption import Ticket
from peers.reference.sa import IkeSa


@fault("ignores-ticket-request")
class IgnoresTicketRequest(Decisions):
    """A request for a ticket is answered as if it had none."""

    def answer_to_ticket_request(self, ticket: Ticket) -> Notify | None:
        return None


@fault("grants-ticket-without-lifetime")
class GrantsTicketWithoutLifetime(Decisions):
    """A ticket's lifetime is zero seconds."""

    def answer_to_ticket_request(self, ticket: Ticket) -> Notify | None:
        return replace(ticket, lifetime=0).granted()


@fault("takes-changed-ticket")
class TakesChangedTicket(Decisions):
    """Of a ticket only the first half is looked at."""

    def finds_ticket(self, known: bytes, presented: bytes) -> bool:
        half = len(known) // 2
        return known[:half] == presented[:half]


@fault("takes-used-ticket")
class TakesUsedTicket(Decisions):
    """A ticket brings an IKE SA back as often as it is presented."""

    def takes_ticket(self, *, expired: bool, used: bool) -> bool:
        return not expired


@fault("refuses-each-ticket")
class RefusesEachTicket(Decisions):
    """No ticket is taken."""

    def takes_ticket(self, *, expired: bool, used: bool) -> bool:
        return False


@fault("refuses-ticket-by-no-proposal-chosen")
class RefusesTicketByNoProposalChosen(Decisions):
    """A ticket that is not taken is answered by NO_PROPOSAL_CHOSEN."""

    def ticket_refusal(self) -> Notify:
        return Notify(NotifyType.NO_PROPOSAL_CHOSEN)


@fault("proves-resumption-with-key-pad")
class ProvesResumptionWithKeyPad(Decisions):
    """AUTH of a resumed IKE SA is made as with a preshared key."""

    def resumption_mic(self, sa: IkeSa, identification: IDi | IDr, octets: bytes) -> bytes:
        keys = sa.established_keys()
        key = keys.sk_pi if isinstance(identification, IDi) else keys.sk_pr
        return psk_auth(keys.prf, key, octets)


@fault("keeps-what-was-resumed")
class KeepsWhatWasResumed(Decisions):
    """The old IKE SA lives on beside the one that its ticket made."""

    def ends_what_was_resumed(self) -> bool:
        return False


@fault("detects-no-nat-when-resuming")
class DetectsNoNatWhenResuming(Decisions):
    """The response to a ticket has no NAT detection payloads."""

    def edit(self, message: Message) -> Message:
        resumes = message.exchange == ExchangeType.IKE_SESSION_RESUME
        if not (resumes and message.response and message.has(Nonce)):
            return message
        return replace(message, payloads=(message.get(Nonce),))


@fault("sends-certificate-when-resuming")
class SendsCertificateWhenResuming(Decisions):
    """AUTH of a resumed IKE SA comes with a certificate."""

    def sends_chain(self, *, resumed: bool) -> bool:
        return True


# As client.


@fault("presents-ticket-with-its-lifetime")
class PresentsTicketWithItsLifetime(Decisions):
    """The ticket goes back as it came: with the four octets of its lifetime in front."""

    def presented(self, ticket: Ticket) -> Ticket:
        return replace(ticket, octets=ticket.granted().data)


@fault("presents-expired-ticket")
class PresentsExpiredTicket(Decisions):
    """A ticket is presented although its lifetime is over."""

    def is_over(self, expires: float, now: float) -> bool:
        return False


@fault("presents-ticket-twice")
class PresentsTicketTwice(Decisions):
    """A ticket is presented again after it made an IKE SA."""

    def uses_ticket_once(self) -> bool:
        return False


@fault("keeps-ticket-of-deleted-ike-sa")
class KeepsTicketOfDeletedIkeSa(Decisions):
    """The ticket of an IKE SA that the gateway has deleted is presented."""

    def drops_ticket_with_ike_sa(self) -> bool:
        return False


@fault("suspends-with-a-delete")
class SuspendsWithADelete(Decisions):
    """An IKE SA is deleted when it is interrupted, and its ticket presented all the same."""

    def deletes_what_it_suspends(self) -> bool:
        return True

    def drops_ticket_with_ike_sa(self) -> bool:
        return False


@fault("gives-up-when-its-ticket-is-refused")
class GivesUpWhenItsTicketIsRefused(Decisions):
    """TICKET_NACK ends the attempt."""

    def starts_over_without_ticket(self) -> bool:
        return False


@fault("resumes-without-nat-detection")
class ResumesWithoutNatDetection(Decisions):
    """The request that presents a ticket has no NAT detection payloads."""

    def edit(self, message: Message) -> Message:
        if message.exchange != ExchangeType.IKE_SESSION_RESUME or message.response:
            return message
        kept = (each for each in message.payloads if not is_detection(each))
        return replace(message, payloads=tuple(kept))
