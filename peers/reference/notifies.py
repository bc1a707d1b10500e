"""What the endpoint does about each notify of RFC 7296, 3.10.1, when it hears it.

Acted on: it changes what we do. Ignored: it is read, logged where it answers a request of ours, and
changes nothing; the reason says why that is right. Notifies of other RFCs have their own modules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from peers.reference.numbers import NotifyType as N


@dataclass(frozen=True, slots=True)
class Treatment:
    """Whether a notify is acted on, and how; or why it is not."""

    acted_on: bool
    reason: str


def _acts(reason: str) -> Treatment:
    return Treatment(True, reason)


def _ignores(reason: str) -> Treatment:
    return Treatment(False, reason)


TREATMENTS: Mapping[N, Treatment] = {
    # Errors.
    N.UNSUPPORTED_CRITICAL_PAYLOAD: _acts("right after IKE_AUTH it ends the IKE SA (2.21.2)"),
    N.INVALID_IKE_SPI: _ignores("unprotected: anybody can send it; liveness is checked (2.4)"),
    N.INVALID_MAJOR_VERSION: _ignores("unprotected, and we speak no other version (2.5)"),
    N.INVALID_SYNTAX: _acts("right after IKE_AUTH it ends the IKE SA (2.21.2)"),
    N.INVALID_MESSAGE_ID: _ignores("our requests stay in the peer's window; a report is no more"),
    N.INVALID_SPI: _ignores("only a hint, and may be forged: liveness is checked (1.5)"),
    N.NO_PROPOSAL_CHOSEN: _ignores("the attempt is over; the IKE SA stays (1.3.1)"),
    N.INVALID_KE_PAYLOAD: _acts("we ask again with that group, if we offered it (1.2, 1.3)"),
    N.AUTHENTICATION_FAILED: _acts("ends the IKE SA, in IKE_AUTH and right after it (2.21.2)"),
    N.SINGLE_PAIR_REQUIRED: _acts("we ask again for the first pair of hosts (2.9)"),
    N.NO_ADDITIONAL_SAS: _ignores("the attempt is over; what there is stays (1.3)"),
    N.INTERNAL_ADDRESS_FAILURE: _ignores("the IKE SA stays without a Child SA (3.15.4)"),
    N.FAILED_CP_REQUIRED: _ignores("the IKE SA stays; asking at once again changes nothing (2.19)"),
    N.TS_UNACCEPTABLE: _ignores("the attempt is over; the IKE SA stays (2.9)"),
    N.INVALID_SELECTORS: _ignores("a report about a packet; the SA would be no better (3.10.1)"),
    N.TEMPORARY_FAILURE: _acts("we ask again later, and give up after minutes of it (2.25)"),
    N.CHILD_SA_NOT_FOUND: _acts("we drop the Child SA and make a new one (2.25)"),
    # Status.
    N.INITIAL_CONTACT: _acts("in IKE_AUTH it ends other IKE SAs with that peer (2.4)"),
    N.SET_WINDOW_SIZE: _acts("that many requests of ours may be under way (2.3)"),
    N.ADDITIONAL_TS_POSSIBLE: _ignores("a hint; a policy of our own asks for the rest (2.9)"),
    N.IPCOMP_SUPPORTED: _ignores("we do not compress: nothing is answered to the offer (2.22)"),
    N.NAT_DETECTION_SOURCE_IP: _acts("tells whether the peer is behind a NAT (2.23)"),
    N.NAT_DETECTION_DESTINATION_IP: _acts("tells whether we are behind a NAT (2.23)"),
    N.COOKIE: _acts("the request is repeated with it; our own is checked (2.6)"),
    N.USE_TRANSPORT_MODE: _acts("settles the mode of the Child SA (1.3.1)"),
    N.HTTP_CERT_LOOKUP_SUPPORTED: _acts("published certificates go by hash and URL (3.6)"),
    N.REKEY_SA: _acts("names the Child SA that is replaced (1.3.3)"),
    N.ESP_TFC_PADDING_NOT_SUPPORTED: _acts("we send no TFC padding to who refuses it (1.3.1)"),
    N.NON_FIRST_FRAGMENTS_ALSO: _ignores("not answered: fragments stay out of that SA (1.3.1)"),
}
"""In the order of the RFC: errors, then status."""
