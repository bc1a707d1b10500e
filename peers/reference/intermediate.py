"""IKE_INTERMEDIATE, both roles (RFC 9242), and the key exchanges that it carries (RFC 9370, 2.2).

The exchanges stand between IKE_SA_INIT and IKE_AUTH. Each is protected and authenticated with the
keys from before it; one with a KE payload makes new keys for what follows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from peers.reference.errors import PeerError, ScriptError
from peers.reference.key_exchange import KeyExchange, key_exchange, respond
from peers.reference.keys import IkeKeys
from peers.reference.message import Message
from peers.reference.numbers import ExchangeType, KeyExchangeMethod, NotifyType
from peers.reference.payloads import KE, Notify, Payload

if TYPE_CHECKING:
    from peers.reference.decisions_key_exchanges import KeyExchangeDecisions
    from peers.reference.sa import IkeSa


MOST_EXCHANGES = 16
"""That many are taken before IKE_AUTH: whoever starts them is not authenticated (RFC 9242, 5)."""


@dataclass(slots=True)
class Intermediate:
    """The IKE_INTERMEDIATE exchanges of an IKE SA that is being made.

    ``left`` are the key exchange methods that are still to come, in order. ``of_initiator`` and
    ``of_responder`` are IntAuth_i and IntAuth_r of the exchanges so far (RFC 9242, 3.3.2), whose
    keys ``generations`` holds by Message ID: a request may come again. ``exchange`` is the
    initiator's half of a key exchange under way, ``shared`` its secret once there is one.
    """

    left: tuple[KeyExchangeMethod, ...] = ()
    of_initiator: bytes = b""
    of_responder: bytes = b""
    generations: dict[int, IkeKeys] = field(default_factory=dict)
    exchange: KeyExchange | None = None
    shared: bytes = b""
    auth_id: int = 1

    def int_auth(self) -> bytes:
        """Give what AUTH covers besides: IntAuth, empty when no exchange took place."""
        if not self.generations:
            return b""
        return self.of_initiator + self.of_responder + self.auth_id.to_bytes(4, "big")


# IKE_SA_INIT: agreeing on it.


def announcement(sa: IkeSa) -> tuple[Notify, ...]:
    """Say in IKE_SA_INIT that we take the exchange: a responder if the initiator does too (3.1)."""
    said = sa.connection.takes_intermediate if sa.initiator else sa.intermediate is not None
    return (Notify(NotifyType.INTERMEDIATE_EXCHANGE_SUPPORTED),) if said else ()


def is_announced(message: Message) -> bool:
    """Say whether the other side takes the exchange; data that may be in the notify is ignored."""
    return NotifyType.INTERMEDIATE_EXCHANGE_SUPPORTED in message.notifies


def note(sa: IkeSa, message: Message, additional: tuple[KeyExchangeMethod, ...]) -> None:
    """Take up what the other side's IKE_SA_INIT message says; ``additional`` was chosen.

    PeerError when there are additional key exchanges and no exchange to do them in (RFC 9370,
    2.2.1).
    """
    agreed = sa.connection.takes_intermediate and is_announced(message)
    if additional and not agreed:
        raise PeerError("additional key exchanges were chosen, and no IKE_INTERMEDIATE exchange")
    sa.intermediate = Intermediate(additional) if agreed else None


# The exchanges themselves.


def of(sa: IkeSa) -> Intermediate:
    """Give the state of an IKE SA's exchanges; PeerError where they were not agreed on."""
    if sa.intermediate is None:
        raise PeerError("IKE_INTERMEDIATE was not agreed on, or is over")
    return sa.intermediate


def request(sa: IkeSa, *payloads: Payload) -> Message:
    """Build the next request: HDR, SK {KEi(n)}, or with ``payloads`` alone if no KE is left."""
    rounds = of(sa)
    if not rounds.left:
        return sa.request(ExchangeType.IKE_INTERMEDIATE, *payloads)
    rounds.exchange = key_exchange(rounds.left[0], sa.random)
    public = KE(rounds.exchange.method, rounds.exchange.public)
    return sa.request(ExchangeType.IKE_INTERMEDIATE, public, *payloads)


def answer(decide: KeyExchangeDecisions, sa: IkeSa, asked: Message) -> tuple[Payload, ...]:
    """Build the payloads of a response: KEr(n), if a key exchange is left.

    PeerError when KEi(n) is missing, or of another method than the one whose turn it is.
    """
    rounds = of(sa)
    if len(rounds.generations) >= MOST_EXCHANGES:
        raise PeerError(f"more than {MOST_EXCHANGES} IKE_INTERMEDIATE exchanges")
    if not rounds.left:
        return ()
    method, theirs = rounds.left[0], asked.get(KE)
    if not decide.is_its_turn(theirs.group, method):
        raise PeerError(f"KE payload of {theirs.group} where it is the turn of {method!s}")
    ours = respond(KeyExchangeMethod(theirs.group), theirs.data, sa.random)
    rounds.shared = ours.shared
    return (KE(theirs.group, ours.public),)


def hear(decide: KeyExchangeDecisions, sa: IkeSa, response: Message) -> None:
    """Take up KEr(n), if a key exchange is under way; PeerError when it is not what is due."""
    rounds = of(sa)
    if not is_granted(response):
        raise PeerError(f"the exchange was refused: {response}")
    if rounds.exchange is None:
        return
    theirs = response.get(KE)
    if not decide.is_its_turn(theirs.group, rounds.exchange.method):
        raise PeerError(f"KE payload of {theirs.group} in answer to {rounds.exchange.method!s}")
    rounds.shared = rounds.exchange.shared(theirs.data)


def is_granted(response: Message) -> bool:
    """Say whether a message is the response that completes an exchange: it reports no error."""
    errors = [each for each in response.notifies if each < NotifyType.INITIAL_CONTACT]
    return response.exchange == ExchangeType.IKE_INTERMEDIATE and not errors


def complete(decide: KeyExchangeDecisions, sa: IkeSa, asked: Message, response: Message) -> None:
    """Close an exchange once its response is made or heard: IntAuth, and new keys after a KE."""
    rounds, keys = of(sa), sa.established_keys()
    rounds.of_initiator = decide.int_auth(keys.prf, keys.sk_pi, rounds.of_initiator, asked)
    rounds.of_responder = decide.int_auth(keys.prf, keys.sk_pr, rounds.of_responder, response)
    rounds.generations[asked.message_id] = keys
    rounds.auth_id = decide.auth_id(asked.message_id + 1)
    if not rounds.shared:
        return
    if sa.suite is None:
        raise ScriptError(f"{sa} has no suite yet")
    sa.keys = decide.next_keys(keys, sa.suite, rounds.shared, sa.nonces())
    rounds.left, rounds.exchange, rounds.shared = rounds.left[1:], None, b""
