"""Halves of key exchanges in MODP groups with small subgroups (RFC 5114; RFC 6989, 2.2).

The value -g^7 lies outside the subgroup: its order is 2q, so that whoever uses it tells by the
secret whether its private value is even.
"""

from peers.reference.key_exchange import modp
from peers.reference.key_exchange.interface import KeyExchange
from peers.reference.key_exchange.subgroups import SUBGROUPS
from peers.reference.numbers import KeyExchangeMethod

SEVEN = 7


class SeventhPower(KeyExchange):
    """The half of a key exchange that sends g^7."""

    def __init__(self, group: KeyExchangeMethod) -> None:
        self.method = group
        self.public = modp.GROUPS[group].power(SEVEN)

    def shared(self, peer_public: bytes) -> bytes:
        """Raise the other side's public value to seven."""
        return modp.GROUPS[self.method].power(SEVEN, int.from_bytes(peer_public, "big"))


class NegatedSeventhPower(SeventhPower):
    """The half that sends -g^7, and takes the other side's private value for even or odd."""

    def __init__(self, group: KeyExchangeMethod, *, even: bool) -> None:
        super().__init__(group)
        self.public = self._negative(self.public)
        self._even = even

    def shared(self, peer_public: bytes) -> bytes:
        """Give 1 or -1 times the power of seven."""
        power = super().shared(peer_public)
        return power if self._even else self._negative(power)

    def _negative(self, value: bytes) -> bytes:
        negative = SUBGROUPS[self.method].prime - int.from_bytes(value, "big")
        return negative.to_bytes(len(value), "big")
