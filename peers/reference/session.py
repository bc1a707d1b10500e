"""An IKE SA with what an endpoint keeps beside it: the outstanding request, the last response."""

from __future__ import annotations

from dataclasses import dataclass

from peers.reference.message import Message
from peers.reference.payloads import Payload
from peers.reference.sa import IkeSa


@dataclass(slots=True)
class Pending:
    """A request of ours that waits for its response until ``due`` (seconds)."""

    message: Message
    octets: bytes
    due: float
    attempts: int = 0


@dataclass(slots=True)
class Session:
    """An IKE SA of the endpoint.

    ``response`` holds the octets that answered ``answered``; ``heard`` is when the peer was last
    heard under the SA's protection, in seconds. ``successor`` is the IKE SA that we asked for.
    """

    sa: IkeSa
    answered: Message | None = None
    response: bytes = b""
    pending: Pending | None = None
    child_spi: bytes = b""
    closing: str = ""
    successor: IkeSa | None = None
    heard: float = 0.0
    first_request: tuple[Payload, ...] = ()
