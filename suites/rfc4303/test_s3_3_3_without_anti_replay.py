"""RFC 4303, 3.3.3: extended sequence numbers are not for a receiver without anti-replay."""

import pytest

from peers.reference.negotiation import esn, esp_proposal
from peers.reference.numbers import Esn, NotifyType, TransformType
from peers.reference.payloads import SA
from suites.judge import differs, requirement, turned_red_by, twin_of
from suites.terms import AES_GCM_256, DEFAULT, Suite, configured

pytestmark = configured(
    Suite(DEFAULT.ike, (esp_proposal(AES_GCM_256, esn(Esn.ESN), esn(Esn.NO_ESN)),))
)


def _chosen(response):
    """Give the kind of numbers that was chosen; None where there is no Child SA.

    Where charon 6.1.0 finds too late that its kernel wants a window, the refusal has SA beside.
    """
    if not response.has(SA) or NotifyType.NO_PROPOSAL_CHOSEN in response.notifies:
        return None
    [proposal] = response.get(SA).proposals
    [chosen] = proposal.of(TransformType.ESN)
    return chosen.id


@pytest.mark.parametrize("replay_window", [0], ids=["w0"])
@requirement("rfc4303-3.3.3-no-extended-numbers-without-anti-replay")
@turned_red_by("agrees-to-extended-numbers-without-anti-replay")
def test_receiver_without_anti_replay_does_not_agree_to_extended_numbers(peer):
    """
    peer                                        target (either kind of numbers, replay window 0)
    HDR, SK {.., SAi2(ESN, no ESN), ..} -->
                                        <--     HDR, SK {.., SAr2(no ESN), ..}, or no Child SA
    PREVENTS: high halves that nobody infers, and an SA that ends at number 2^32 (F70).
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    response = peer.exchange(request)

    if _chosen(response) == Esn.ESN:
        differs("extended numbers are agreed to with a replay window of 0")
    if _chosen(response) == Esn.NO_ESN:
        peer.take_up(request, response)
        assert peer.echo(), "the Child SA carries no traffic"


@twin_of(test_receiver_without_anti_replay_does_not_agree_to_extended_numbers)
@requirement("rfc4303-2.2.1-extended-numbers-implemented")
@turned_red_by("knows-no-extended-numbers")
def test_receiver_with_anti_replay_agrees_to_extended_numbers(peer):
    """
    peer                                        target (either kind of numbers, replay window 64)
    HDR, SK {.., SAi2(ESN, no ESN), ..} -->
                                        <--     HDR, SK {.., SAr2, ..}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    response = peer.exchange(request)

    assert _chosen(response) is not None, f"no Child SA: {response}"
    peer.take_up(request, response)
    assert peer.echo(), "the Child SA carries no traffic"
