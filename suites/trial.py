"""One try of the matrix: an IKE SA and its Child SA are made and rekeyed, with an echo each time.

The exchanges are the same whatever is tried. Where several key exchanges were agreed on, what
follows CREATE_CHILD_SA is done too (RFC 9370, 2.2.4).
"""

from __future__ import annotations

from peers.peer import Peer
from peers.reference.message import Message
from peers.reference.numbers import ExchangeType
from peers.reference.rules import seen_in
from peers.targets.bound import BoundTarget

CREATE_CHILD_SA = ExchangeType.CREATE_CHILD_SA


def lead(peer: Peer) -> None:
    """Do the try as initiator: the target responds to everything."""
    peer.establish()
    assert peer.echo(), "the first Child SA carries no traffic"
    lead_child_rekey(peer)
    _lead_ike_rekey(peer)
    peer.exchange(peer.informational())


def lead_child_rekey(peer: Peer) -> None:
    """Rekey the Child SA, close the old one, and send an echo through the new one."""
    old = peer.child
    request = peer.rekey_child_sa()
    take_up = peer.follow_up_child if _several(peer) else peer.take_up_child
    take_up(request, peer.exchange(request))
    peer.close_child(old)
    assert peer.echo(), "the Child SA that was rekeyed carries no traffic"


def _lead_ike_rekey(peer: Peer) -> None:
    before = peer.ike
    new, request = peer.rekey_ike()
    take_up = peer.follow_up_ike if _several(peer) else peer.take_up_ike
    take_up(new, request, peer.exchange(request))
    peer.close_ike(before)
    assert peer.echo(), "the Child SA carries no traffic after its IKE SA was rekeyed"


def follow(peer: Peer, target: BoundTarget) -> None:
    """Do the try as responder: the target is told to begin everything."""
    target.initiate()
    peer.accept()
    peer.settle()
    assert peer.echo(), "the first Child SA carries no traffic"
    follow_child_rekey(peer, target)
    _follow_ike_rekey(peer, target)


def follow_child_rekey(peer: Peer, target: BoundTarget) -> None:
    """Have the target rekey the Child SA, and send an echo through the new one."""
    target.rekey_child()
    request = peer.hear_request(CREATE_CHILD_SA)
    peer.answer(request, peer.grant_child(request))
    if _several(peer):
        peer.accept_followups()
    peer.settle()
    assert peer.echo(), "the Child SA that was rekeyed carries no traffic"


def _follow_ike_rekey(peer: Peer, target: BoundTarget) -> None:
    target.rekey_ike()
    request = peer.hear_request(CREATE_CHILD_SA)
    if _several(peer):
        peer.answer(request, peer.grant_ike_in_series(request))
        peer.accept_followups()
    else:
        peer.grant_ike(request)
    peer.settle()
    assert peer.echo(), "the Child SA carries no traffic after its IKE SA was rekeyed"


def heard(peer: Peer) -> list[Message]:
    """Give the target's messages of a try, in order."""
    return [seen.message for seen in seen_in(peer.events) if seen.heard and seen.message]


def _several(peer: Peer) -> bool:
    """Say whether the IKE SA is one of several key exchanges; then so is its Child SA."""
    return bool(peer.ike.suite and peer.ike.suite.additional)
