"""Planted faults: tickets (RFC 5723)."""

from __future__ import annotations

from dataclasses import replace

from peers.reference.decisions import Decisions
from peers.reference.keys import psk_auth
from peers.reference.message import Message
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
