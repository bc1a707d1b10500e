"""DSCP and ECN of the scripted peer: echoes whose inner and outer headers are marked (RFC 6040)."""

from __future__ import annotations

from dataclasses import replace

from peers.conversation import HeardEsp
from peers.reference.errors import PeerError
from peers.traffic import Traffic


class Marking(Traffic):
    """What a peer marks, and what comes back of it.

    A host replies with the traffic class that a request reached it with (RFC 1349, 5.1), so that
    the reply tells how the request left the tunnel.
    """

    def marked_echo(self, inner: int, outer: int) -> HeardEsp | None:
        """Send an echo request with these traffic classes; give its reply.

        None when it was dropped: a later echo request is answered then. PeerError when that is
        not answered either.
        """
        request = replace(self.echo_request(), traffic_class=inner)
        self._talk.remark(f"traffic class {inner:#04x} inside, {outer:#04x} outside")
        self.say_esp(self.seal(request), traffic_class=outer)
        self._talk.remark("fence: an echo request without marks must be answered")
        if not self.echo():
            raise PeerError("the Child SA carries no more traffic")
        return self._reply(request, 0.0)
