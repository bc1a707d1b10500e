"""Decisions about IKE fragmentation (RFC 7383)."""

from __future__ import annotations

from peers.reference.fragment import Fragment
from peers.reference.fragments import Reassembly
from peers.reference.message import Message
from peers.reference.sa import IkeSa


class FragmentDecisions:
    """The part of `Decisions` that is about fragments."""

    def datagrams(self, sa: IkeSa, message: Message) -> tuple[bytes, ...]:
        """Write a message of ours, in fragments where it is too large and the peer takes them."""
        return sa.datagrams(message)

    def takes_fragments(self, sa: IkeSa) -> bool:
        """Say whether fragments are taken: only where both sides said that they can (2.3)."""
        return sa.fragments

    def reassembly(self) -> Reassembly:
        """Make what keeps the fragments of one side: not more than 64 KB of a message (5)."""
        return Reassembly()

    def ends_beyond_the_limit(self) -> bool:
        """Say whether fragments of more than is kept of a message end the IKE SA: they do (5)."""
        return True

    def reassemble(self, kept: Reassembly, part: Message) -> Message | None:
        """Take a fragment; give the whole message when it is complete (2.6)."""
        return kept.take(part)

    def spoils_fragments(self) -> bool:
        """Say whether a fragment that does not verify takes others along: never (2.6)."""
        return False

    def asks_on(self) -> bool:
        """Say whether a request is sent again after some fragments of its response: it is (2.6)."""
        return True

    def takes_whole(self, kept: Reassembly, message: Message) -> bool:
        """Say whether a message is taken in one piece though fragments of it are kept."""
        return True

    def repeats_response_for(self, fragment: Fragment) -> bool:
        """Say whether a repeated fragment has the response sent again: the first one (2.6.1)."""
        return fragment.number == 1
