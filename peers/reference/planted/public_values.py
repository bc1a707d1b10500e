"""Planted faults: the tests of public values (RFC 7296, 3.4; RFC 6989; RFC 8247, 2.4)."""

from __future__ import annotations

from peers.reference.decisions import Decisions
from peers.reference.errors import InvalidPublicValue
from peers.reference.key_exchange import METHODS, ecp, modp
from peers.reference.key_exchange.subgroups import SUBGROUPS
from peers.reference.message import Message
from peers.reference.numbers import KeyExchangeMethod
from peers.reference.payloads import KE
from peers.reference.planted.catalogue import fault

_SEVEN_TIMES_G = ecp.GROUPS[KeyExchangeMethod.ECP_256].curve.base_times(7)[0].to_bytes(32, "big")


@fault("takes-ke-of-any-length")
class TakesKeOfAnyLength(Decisions):
    """Key Exchange Data is cut or filled to the length of its group."""

    def with_usable_ke(self, message: Message) -> Message:
        theirs = message.find(KE)
        if theirs is None or theirs.group not in METHODS:
            return message
        size = len(METHODS[KeyExchangeMethod(theirs.group)].initiate(_sevens).public)
        data = theirs.data[:size].ljust(size, b"\1")
        return message.replacing(KE(theirs.group, data))


@fault("takes-any-public-value")
class TakesAnyPublicValue(Decisions):
    """A public value that fails its test is used all the same."""

    def with_usable_ke(self, message: Message) -> Message:
        theirs = message.find(KE)
        if theirs is None or theirs.group not in METHODS:
            return message
        if _passes(theirs):
            return message
        method = METHODS[KeyExchangeMethod(theirs.group)]
        return message.replacing(KE(theirs.group, method.initiate(_sevens).public))


@fault("takes-negative-public-values-for-positive-ones")
class TakesNegativePublicValuesForPositiveOnes(Decisions):
    """Of a public value -r, with r in the subgroup, r is used: neither is refused."""

    def with_usable_ke(self, message: Message) -> Message:
        theirs = message.find(KE)
        if theirs is None or theirs.group not in SUBGROUPS or _passes(theirs):
            return message
        negative = SUBGROUPS[KeyExchangeMethod(theirs.group)].prime - int.from_bytes(theirs.data)
        return message.replacing(KE(theirs.group, negative.to_bytes(len(theirs.data), "big")))


@fault("minds-small-public-values")
class MindsSmallPublicValues(Decisions):
    """A public value is refused that is a small number, or a small multiple of the generator."""

    def with_usable_ke(self, message: Message) -> Message:
        theirs = message.find(KE)
        if theirs is not None and theirs.data.startswith((bytes(100), _SEVEN_TIMES_G)):
            raise InvalidPublicValue("a small public value")
        return message


@fault("minds-small-powers-of-g")
class MindsSmallPowersOfG(Decisions):
    """A public value of a group with small subgroups is refused: a small power of the generator."""

    def with_usable_ke(self, message: Message) -> Message:
        theirs = message.find(KE)
        if theirs is not None and theirs.group in SUBGROUPS:
            group = modp.GROUPS[KeyExchangeMethod(theirs.group)]
            if theirs.data in map(group.power, range(1, 10)):
                raise InvalidPublicValue("a small power of the generator")
        return message


def _passes(theirs: KE) -> bool:
    try:
        METHODS[KeyExchangeMethod(theirs.group)].respond(theirs.data, _sevens)
    except InvalidPublicValue:
        return False
    return True


def _sevens(size: int) -> bytes:
    return b"\7" * size
