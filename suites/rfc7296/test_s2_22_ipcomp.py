"""RFC 7296, 2.22: compression is used where it was proposed and accepted, and nowhere else."""

import pytest

from peers.reference.numbers import NotifyType
from peers.reference.payloads import SA, Notify
from suites.judge import as_responder, requirement, turned_red_by

DEFLATE, LZS = 2, 3


def _offers(peer, *algorithms):
    """Build IPCOMP_SUPPORTED for each: a CPI of ours, and the algorithm."""
    return [
        Notify(NotifyType.IPCOMP_SUPPORTED, peer.random(2) + bytes([each])) for each in algorithms
    ]


def _accepted(response):
    offers = response.all(Notify)
    return [each.data[2] for each in offers if each.notify_type == NotifyType.IPCOMP_SUPPORTED]


@requirement("rfc7296-2.22-only-proposed-compression")
@turned_red_by("accepts-compression-unasked")
def test_no_compression_is_accepted_that_nobody_proposed(peer):
    """
    peer                                        target
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    peer.open_ike_sa()
    response = peer.exchange(peer.ike_auth())

    assert response.has(SA), f"no Child SA: {response}"
    assert not _accepted(response), f"compression is accepted unasked: {response}"


@pytest.mark.parametrize(
    "algorithms", [(DEFLATE,), (LZS,), (DEFLATE, LZS)], ids=["deflate", "lzs", "both"]
)
@requirement("rfc7296-2.22-only-proposed-compression")
@turned_red_by("accepts-two-compressions")
def test_one_of_the_compressions_that_were_proposed_is_accepted_at_most(peer, algorithms):
    """
    peer                                        target
    HDR, SK {.., N(IPCOMP_SUPPORTED)+, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {.., [N(IPCOMP_SUPPORTED),] SAr2, TSi, TSr}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    for offer in _offers(peer, *algorithms):
        request += offer
    response = peer.exchange(request)

    assert response.has(SA), f"an offer of compression costs the Child SA: {response}"
    accepted = _accepted(response)
    assert len(accepted) <= 1, f"several are accepted: {accepted}"
    assert set(accepted) <= set(algorithms), f"{accepted} was not proposed"


@as_responder
@requirement("rfc7296-2.22-only-proposed-compression")
@turned_red_by("compresses-unasked")
def test_nothing_is_compressed_because_a_responder_accepts_what_was_not_proposed(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {.., SAi2, TSi, TSr}
    HDR, SK {.., N(IPCOMP_SUPPORTED, DEFLATE), SAr2, TSi, TSr} -->
    ESP {echo request, 1000 octets}     -->
                                        <--     ESP {echo reply, 1000 octets, as they are}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    assert not _accepted(request), "the target proposes compression of its own accord"
    [stray] = _offers(peer, DEFLATE)
    peer.answer(request, peer.ike_auth_response(request) + stray, "compression was not proposed")

    # Whoever will not have it may delete the Child SA, or the IKE SA: it has said so by the time
    # that it has answered twice.
    answers = [peer.is_answered(peer.informational()) for _ in range(2)]
    if all(answers) and peer.ike.children:
        assert peer.heard_echo(bytes(1000)), "no reply that can be read without IPComp"
