"""RFC 7296, 1.3.1: one more Child SA under an IKE SA."""

from dataclasses import replace

from peers.reference.negotiation import esp_proposal
from peers.reference.numbers import NotifyType
from peers.reference.payloads import SA, Nonce, TSi, TSr
from suites.judge import requirement, turned_red_by, twin_of
from suites.terms import AES_GCM_128


@requirement("rfc7296-1.3.1-failed-child-keeps-ike-sa")
@turned_red_by("closes-ike-sa-after-refused-child", "chooses-what-it-does-not-allow")
def test_refused_second_child_sa_leaves_everything_as_it_was(established):
    """
    peer                                        target
    HDR, SK {SAi(not configured), Ni, TSi, TSr} -->
                                        <--     HDR, SK {N(NO_PROPOSAL_CHOSEN)}
    HDR, SK {}                          -->
                                        <--     HDR, SK {}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    offer = SA((replace(esp_proposal(AES_GCM_128), spi=b"\1\2\3\4"),))

    response = established.exchange(established.create_child_sa().replacing(offer))

    assert NotifyType.NO_PROPOSAL_CHOSEN in response.notifies, f"refused otherwise: {response}"
    established.exchange(established.informational())
    assert established.echo(), "the first Child SA is gone"


@twin_of(test_refused_second_child_sa_leaves_everything_as_it_was)
@requirement("rfc7296-2.17-child-of-ike-auth-uses-init-nonces")
@turned_red_by(
    "derives-later-child-from-first-nonces", "swaps-child-keys", "repeats-spi-of-rekeyed-child"
)
def test_second_child_sa_carries_traffic_with_keys_of_its_own(established):
    """
    peer                                        target
    HDR, SK {SAi, Ni, TSi, TSr}         -->
                                        <--     HDR, SK {SAr, Nr, TSi, TSr}
    ESP of the new SA {echo request}    -->
                                        <--     ESP of a Child SA {echo reply}
    """
    request = established.create_child_sa()
    response = established.exchange(request)

    assert response.has(SA, Nonce, TSi, TSr), "a second Child SA was refused"
    established.take_up_child(request, response)
    assert established.echo(), "the second Child SA carries no traffic"
