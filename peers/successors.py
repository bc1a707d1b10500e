"""How the scripted peer replaces its IKE SA, in both roles (RFC 7296, 1.3.2, 2.8.2 and 2.18)."""

from __future__ import annotations

from peers.exchanging import Exchanging
from peers.reference import rekey
from peers.reference.message import Message
from peers.reference.numbers import ExchangeType, KeyExchangeMethod, ProtocolId
from peers.reference.payloads import Delete
from peers.reference.sa import IkeSa


class Successors(Exchanging):
    """What a peer does to replace its IKE SA.

    Each side may ask for a successor at the same time: ``agree_ike`` and ``answer_ike`` make one
    each, and the script says with ``follow_ike`` which of them is the heir.
    """

    def rekey_ike(
        self, group: KeyExchangeMethod | None = None, nonce: bytes = b""
    ) -> tuple[IkeSa, Message]:
        """Build a request to rekey the IKE SA, and the IKE SA that may come of it (1.3.2).

        ``group`` is that of KEi, by default the first that is offered; ``nonce`` is Ni.
        """
        return rekey.request(self.ike, group, nonce)

    def take_up_ike(self, new: IkeSa, request: Message, response: Message) -> None:
        """Go on with the IKE SA that replaces ours; its Child SAs move along (2.8)."""
        self.agree_ike(new, request, response)
        self.follow_ike(new)

    def grant_ike(self, request: Message) -> Message:
        """Grant the target's rekey of the IKE SA, and go on with the new one once it is said."""
        new, response = self.answer_ike(request)
        self.follow_ike(new)
        return response

    def agree_ike(self, new: IkeSa, request: Message, response: Message) -> None:
        """Take up the response to our request, and stay on the old IKE SA."""
        rekey.hear(self.ike, new, request, response)
        self._add_ike(new)

    def answer_ike(self, request: Message, nonce: bytes = b"") -> tuple[IkeSa, Message]:
        """Grant the target's rekey of the IKE SA, with that Nr, and stay on the old one."""
        new, payloads = rekey.answer(self.ike, request, self.choose(request), nonce)
        response = self.reply(request, *payloads)
        self.answer(request, response)
        self._add_ike(new)
        return new, response

    def follow_ike(self, new: IkeSa) -> None:
        """Go on with a successor of our IKE SA, and its Child SAs with it."""
        rekey.succeed(self.ike, new)
        self._ike = new

    def close_ike(self, sa: IkeSa) -> Message:
        """Have the target delete an IKE SA, and close its Child SAs (1.4.1); give the response."""
        response = self.exchange_on(
            sa, sa.request(ExchangeType.INFORMATIONAL, Delete(ProtocolId.IKE))
        )
        sa.children.clear()
        return response

    def _add_ike(self, new: IkeSa) -> None:
        self._talk.sas.append(new)
        self._keys_derived(new)
