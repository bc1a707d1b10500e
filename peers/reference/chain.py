"""The generic payload header, and chains of payloads (RFC 7296, 3.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import ClassVar, TypeVar, dataclass_transform

from peers.reference.errors import MalformedMessage
from peers.reference.numbers import PayloadType
from peers.reference.wire import (
    Announced,
    CriticalBit,
    ReservedBits,
    Rest,
    compile_figure,
    shared_fields,
)


@shared_fields
class Payload:
    """What all payloads have: the generic payload header (RFC 7296, 3.2).

    ``reserved_bits`` are the low seven bits of its second octet.
    """

    __slots__ = ()

    critical: CriticalBit = field(default=False, kw_only=True)
    reserved_bits: ReservedBits = field(default=0, kw_only=True)

    NUMBER: ClassVar[PayloadType]
    read: ClassVar[Callable[[bytes, int, int, int], tuple[Payload, int, int]]]
    write: ClassVar[Callable[[Payload, int], bytes]]

    @property
    def type(self) -> PayloadType:
        """The number by which this payload is announced in what stands before it."""
        return self.NUMBER

    def body(self) -> bytes:
        """Give the octets after the generic payload header."""
        return self.write(0)[4:]

    def __str__(self) -> str:
        details = [*(["critical"] if self.critical else []), *self.details()]
        return f"{self.label()}({', '.join(details)})" if details else self.label()

    def label(self) -> str:
        """Give the payload's name in ladders."""
        return type(self).__name__

    def details(self) -> list[str]:
        """Give what stands in parentheses after the name."""
        return []


def count(octets: bytes) -> str:
    """Say how many octets there are."""
    return "1 octet" if len(octets) == 1 else f"{len(octets)} octets"


P = TypeVar("P", bound=Payload)
PAYLOADS: dict[int, type[Payload]] = {}
"""The class of each payload type that has one; 0 stands for those that have none."""

_READERS: dict[int, Callable[[bytes, int, int, int], tuple[Payload, int, int]]] = {}


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def payload(number: int, figure: str = "") -> Callable[[type[P]], type[P]]:
    """Make a payload of a class body: frozen, comparable, hashable, compiled.

    ``figure`` is the order of the fields in the figure, where it is not that of the constructor.
    """

    def decorate(cls: type[P]) -> type[P]:
        cls = compile_figure(cls, f"{cls.__name__} payload", figure.split())
        cls.NUMBER = PayloadType(number)
        PAYLOADS[number] = cls
        _READERS[number] = cls.read
        return cls

    return decorate


@payload(0)
class Unknown(Payload):
    """A payload of a type that has no class here; type 0 ends a message and cannot be read."""

    type: Announced[PayloadType] = field()
    data: Rest = b""

    def details(self) -> list[str]:
        """Give the type, by its name where it has one, and the size."""
        number = PayloadType(self.type)
        return [f"type {number if number.known else int(number)}", count(self.data)]


_LAST = (PayloadType.SK, PayloadType.SKF)


def read_payloads(first: int, octets: bytes, at: int) -> tuple[Payload, ...]:
    """Read the chain of payloads that starts with one of type ``first`` at ``at``.

    It must end where the octets end. An encrypted payload ends it: what its first octet announces
    stands inside it (RFC 7296, 3.2). Raises MalformedMessage.
    """
    payloads, end = [], len(octets)
    following = first
    while following:
        number = following
        read = _READERS.get(number, Unknown.read)
        value, following, at = read(octets, at, end, number)
        payloads.append(value)
        if number in _LAST:
            break
    if at != end:
        raise MalformedMessage(at, f"{end - at} octets after the last payload")
    return tuple(payloads)


def write_payloads(payloads: tuple[Payload, ...], following: int = 0) -> list[bytes]:
    """Write a chain of payloads, one string of octets each; ``following`` comes after them."""
    announced = [*(each.type for each in payloads[1:]), following]
    return [each.write(after) for each, after in zip(payloads, announced, strict=False)]
