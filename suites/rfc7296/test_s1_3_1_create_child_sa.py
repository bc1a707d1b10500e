"""RFC 7296, 1.3.1: one more Child SA under an IKE SA."""

from peers.reference.negotiation import encr, esp_proposal
from peers.reference.numbers import Encr, NotifyType
from peers.reference.payloads import SA, Nonce, TSi, TSr
from suites.judge import requirement, turned_red_by, twin_of


@requirement("rfc7296-1.3.1-failed-child-keeps-ike-sa")
@turned_red_by("closes-ike-sa-after-refused-child")
def test_refused_second_child_sa_leaves_everything_as_it_was(established):
    """
    peer                                        target
    HDR, SK {SAi(unknown cipher), Ni, TSi, TSr} -->
                                        <--     HDR, SK {N(NO_PROPOSAL_CHOSEN)}
    HDR, SK {}                          -->
                                        <--     HDR, SK {}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    request = established.create_child_sa()
    spi = request.get(SA).proposals[0].spi
    unknown = esp_proposal(encr(Encr(1023), 256))
    offer = SA((type(unknown)(1, unknown.protocol, unknown.transforms, spi),))

    response = established.exchange(request.replacing(offer))

    assert NotifyType.NO_PROPOSAL_CHOSEN in response.notifies
    assert established.exchange(established.informational()).payloads == (), "the IKE SA is gone"
    assert established.echo(), "the first Child SA is gone"


@twin_of(test_refused_second_child_sa_leaves_everything_as_it_was)
@requirement("rfc7296-2.17-child-of-ike-auth-uses-init-nonces")
@turned_red_by("derives-later-child-from-first-nonces", "swaps-child-keys")
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
