"""RFC 7383, 5: how much of a message in fragments is kept, and what follows beyond that."""

from dataclasses import replace

from peers.reference.numbers import PayloadType
from peers.reference.payloads import AUTH, Unknown
from suites.fragmentation import FRAGMENTED
from suites.judge import differs, requirement, turned_red_by

pytestmark = FRAGMENTED

BEYOND = [Unknown(PayloadType(200), bytes(33_000))] * 2
"""Payloads that nobody knows, of more than 64 KB together."""

FRAGMENTS = 60


def _enlarged(request):
    return replace(request, payloads=(*request.payloads, *BEYOND))


def _too_large(peer):
    """Send IKE_AUTH of more than 64 KB in fragments that are not split any more; give it small."""
    peer.open_ike_sa()
    request = peer.ike_auth()
    peer.say_fragments(peer.fragments(_enlarged(request), FRAGMENTS), "more than 64 KB")
    return request


@requirement("rfc7383-5-kept-octets-limited", "rfc7383-5-limit-not-above-64-kilobytes")
@turned_red_by("keeps-fragments-without-limit")
def test_more_than_64_kilobytes_are_not_kept(peer):
    """
    peer                                        target
    HDR, SKF(1 of 60) {..}, .. HDR, SKF(60 of 60) {..} -->    IKE_AUTH of 66 KB
                                                no HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    _too_large(peer)

    granted = [heard for heard in peer.reactions_so_far() if heard.has(AUTH)]
    if granted:
        differs(f"a message of more than 64 KB is kept, and processed: {granted[0]}")


@requirement("rfc7383-5-ike-sa-dropped-beyond-the-limit")
@turned_red_by("goes-on-after-too-many-fragments", "keeps-fragments-without-limit")
def test_ike_sa_is_dropped_beyond_the_limit(peer):
    """
    peer                                        target
    HDR, SKF(1 of 60) {..}, .. HDR, SKF(60 of 60) {..} -->    IKE_AUTH of 66 KB
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr} -->
                                                nothing: there is no such IKE SA any more
    """
    request = _too_large(peer)
    peer.reactions_so_far()

    if peer.is_answered(request):
        differs("the IKE SA goes on after fragments of more than 64 KB")
