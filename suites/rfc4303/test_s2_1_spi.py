"""RFC 4303, 2.1 and 5: the SPI of what a target sends, and an SA that would protect nothing."""

from dataclasses import replace

import pytest

from peers.reference import nat
from peers.reference.errors import PeerError
from peers.reference.events import Transmission
from peers.reference.negotiation import encr, esp_proposal, integ
from peers.reference.numbers import Encr, Integ, NotifyType
from peers.reference.payloads import SA
from suites.judge import differs, esp_alone, requirement, turned_red_by, twin_of
from suites.terms import DEFAULT, HMAC_SHA2_256_128, Suite, configured

NO_SPI = bytes(4)
NULL = encr(Encr.ENCR_NULL)
WITHOUT_ENCRYPTION = configured(Suite(DEFAULT.ike, (esp_proposal(NULL, HMAC_SHA2_256_128),)))


@esp_alone
@pytest.mark.looks_back
@requirement("rfc4303-2.1-spi-zero-not-sent")
@turned_red_by("sends-esp-of-spi-zero")
def test_no_packet_has_spi_zero(established, earlier):
    """
    peer                                        target
    ESP {echo request}                  -->
                                        <--     ESP(an SPI other than 0) {echo reply}
    """
    established.echo()

    records = [*(record.events for record in earlier), established.events]
    spis = [spi for events in records for spi in _spis(events)]
    assert spis, "no ESP packet was heard"
    assert NO_SPI not in spis, f"{spis.count(NO_SPI)} of {len(spis)} ESP packets have SPI 0"


def _spis(events):
    """Give the SPIs of the ESP packets that the target sent, of those that nobody knows too."""
    for event in events:
        if isinstance(event, Transmission) and not event.sent:
            try:
                kind, octets = nat.demultiplex(event.packet)
            except PeerError:
                continue  # No packet of IPsec: other tests say so.
            if kind is nat.Kind.ESP:
                yield octets[:4]


@WITHOUT_ENCRYPTION
@requirement("rfc4303-5-not-both-null")
@turned_red_by("grants-child-without-protection")
def test_child_sa_without_encryption_and_integrity_is_refused(established):
    """
    peer                                        target (Child SA: ENCR_NULL, HMAC-SHA2-256-128)
    HDR, SK {SA(ENCR_NULL, no integrity), Ni, TSi, TSr} -->
                                        <--     HDR, SK {N(NO_PROPOSAL_CHOSEN)}
    """
    response = established.exchange(_asking(established, integ(Integ.NONE)))

    assert not response.has(SA), f"a Child SA that protects nothing was granted: {response}"
    if NotifyType.NO_PROPOSAL_CHOSEN not in response.notifies:
        differs(f"refused otherwise: {response}")


@WITHOUT_ENCRYPTION
@twin_of(test_child_sa_without_encryption_and_integrity_is_refused)
@requirement("rfc4303-5-not-both-null")
@turned_red_by("derives-later-child-from-first-nonces")
def test_the_same_child_sa_with_integrity_is_granted(established):
    """
    peer                                        target (Child SA: ENCR_NULL, HMAC-SHA2-256-128)
    HDR, SK {SA(ENCR_NULL, HMAC-SHA2-256-128), Ni, TSi, TSr} -->
                                        <--     HDR, SK {SA, Nr, TSi, TSr}
    ESP of the new SA {echo request}    -->
                                        <--     ESP {echo reply}
    """
    request = _asking(established, HMAC_SHA2_256_128)
    response = established.exchange(request)

    assert response.has(SA), f"no Child SA is granted: {response}"
    made = established.take_up_child(request, response)
    with established.using(made):
        assert established.echo(), "the new Child SA carries no traffic"


def _asking(peer, integrity):
    request = peer.rekey_child_sa()
    [proposal] = request.get(SA).proposals
    [offer] = [esp_proposal(NULL, integrity)]
    return request.replacing(SA((replace(offer, spi=proposal.spi),)))
