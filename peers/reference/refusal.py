"""How a handler of requests says that it refuses one."""

from __future__ import annotations

from peers.reference.payloads import Notify


class Refusal(Exception):
    """A request is answered by one notify instead of what it asked for."""

    def __init__(self, notify: Notify) -> None:
        super().__init__(str(notify))
        self.notify = notify
