"""Who is wrong: our script, the peer, or the lab."""


class IkeproofError(Exception):
    """Base of every error that ikeproof raises on purpose."""


class ScriptError(IkeproofError):
    """We are wrong: a test asked the reference peer for something that makes no sense."""


class PeerError(IkeproofError):
    """The other side is wrong: what it sent, or failed to send, breaks the protocol."""


class Inconclusive(IkeproofError):
    """The lab is wrong: nothing can be said about the other side."""


class MalformedMessage(PeerError):
    """Octets that are no well-formed IKE message.

    ``offset`` counts octets from the start of what was being read.
    """

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"octet {offset}: {reason}")
        self.offset = offset
        self.reason = reason


class MalformedPlaintext(MalformedMessage):
    """A protected message that passed its integrity check and holds no well-formed payloads."""


class InvalidPublicValue(PeerError):
    """Key exchange data that fails its recipient's test (RFC 6989, 2)."""


class AuthenticationFailure(PeerError):
    """The other side did not prove that it is who it should be (RFC 7296, 2.15)."""


class IntegrityFailure(PeerError):
    """An integrity check value (IKE or ESP) that does not verify."""


class Replayed(PeerError):
    """An ESP sequence number that the replay window refuses (RFC 4303, 3.4.3)."""


class NoAnswer(PeerError):
    """A request that was retransmitted and never answered, by a peer that is known to be alive."""
