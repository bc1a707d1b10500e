"""Figures: class bodies that list the fields of an RFC's figure, compiled to read and write octets.

A field is annotated with a kind::

    group: U16[KeyExchangeMethod]
    reserved: Reserved16 = field(default=0, kw_only=True)
    data: Rest

Payloads, proposals and transforms begin alike: what follows (1 octet), flags (1), length (2). Then
come the fixed part (numbers, sizes, counts) and the variable part (octets, items), each in the
order of the fields. Lengths, sizes and counts are derived from the values, so they cannot be wrong.
``compile_figure`` makes two functions of the fields, once per class, by writing their source from
the templates of the kinds, as ``dataclasses`` does: a message is to take microseconds.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Annotated, Any, Protocol, TypeVar, dataclass_transform, get_type_hints

from peers.reference.errors import MalformedMessage, ScriptError
from peers.reference.numbers import OpenEnum

T = TypeVar("T")


class Item(Protocol):
    """Something that stands in a list inside a payload: an attribute, a traffic selector."""

    def write_item(self) -> bytes:
        """Write the item."""


ItemReader = Callable[[bytes, int, int], tuple[Any, int]]
"""Reads one item that starts at an offset and ends at or before another; gives it and its end."""


@dataclass(frozen=True)
class Kind:
    """How a field stands in a figure: templates in which ``@`` is the name of the field.

    ``codes`` are the ``struct`` codes of its share of the fixed part, ``numbers`` the names which
    that share is unpacked to, ``pack`` the expressions it is packed from, ``tail`` the expression
    of its share of the variable part. ``following`` and ``flags`` are the expressions of the first
    and of (its share of) the second octet. ``value`` is the expression of its value on reading; it
    may use ``number`` (by which the payload was announced), ``following``, ``flags``, ``octets``,
    ``at`` (where the variable part goes on) and ``end``. ``helper`` makes, of the annotated type,
    the object that the templates call ``@_helper``.
    """

    codes: str = ""
    numbers: str = ""
    pack: str = ""
    tail: str = ""
    following: str = ""
    flags: str = ""
    value: str = "@"
    helper: Callable[[Any], Any] = field(default=lambda annotation: annotation)


class Members(dict[int, Any]):
    """Numbers to members of an enumeration, the unknown ones too: faster than calling it."""

    def __init__(self, enumeration: type[OpenEnum]) -> None:
        super().__init__({int(member): member for member in enumeration})
        self._enumeration = enumeration

    def __missing__(self, number: int) -> Any:
        return self._enumeration(number)


def _reader(items: Any) -> ItemReader:
    """Find what reads the items of an annotated tuple; of a union, the first class does."""
    item = items.__args__[0]
    reader: ItemReader = getattr(item, "__args__", (item,))[0].read_item
    return reader


def _figure(items: Any) -> Any:
    return items.__args__[0]


CriticalBit = Annotated[bool, Kind(flags="self.@ << 7", value="flags > 0x7F")]
ReservedBits = Annotated[int, Kind(flags="self.@", value="flags & 0x7F")]
SecondOctet = Annotated[int, Kind(flags="self.@", value="flags")]
FirstOctet = Annotated[T, Kind(following="self.@", value="@_helper[following]", helper=Members)]
Announced = Annotated[T, Kind(value="@_helper[number]", helper=Members)]
"""Stands in what comes before: the type of an unknown payload."""

U8 = Annotated[T, Kind("B", "@", "self.@", value="@_helper[@]", helper=Members)]
U16 = Annotated[T, Kind("H", "@", "self.@", value="@_helper[@]", helper=Members)]
Number8 = Annotated[int, Kind("B", "@", "self.@")]
Number16 = Annotated[int, Kind("H", "@", "self.@")]
Reserved8 = Number8
Reserved16 = Number16
Reserved24 = Annotated[
    int, Kind("BH", "@_high, @", "self.@ >> 16, self.@ & 0xFFFF", value="@_high << 16 | @")
]

Rest = Annotated[bytes, Kind(tail="self.@", value="octets[at:end]")]
"""All octets that are left."""

Sized8 = Annotated[
    bytes,
    Kind("B", "@_size", "len(self.@)", "self.@", value="octets[at:(at := skip(at, end, @_size))]"),
]
"""Octets whose number stands in one octet of the fixed part."""

SpiList = Annotated[
    tuple[bytes, ...],
    Kind(
        "BH",
        "@_size, @_count",
        "common_size(self.@, self.empty_spi_size), len(self.@)",
        "b''.join(self.@)",
        value="split(octets, at, end, @_size, @_count)",
    ),
]
"""SPIs of one size; the size and their number stand in the fixed part (RFC 7296, 3.11)."""

EmptySpiSize = Annotated[int, Kind(value="0 if spis_count else spis_size")]
"""The size that stands there when there are no ``spis``: the field ``empty_spi_size``."""

Items = Annotated[
    tuple[T, ...],
    Kind(
        tail="(write_items(self.@) if self.@ else b'')",
        value="read_items(@_helper, octets, at, end) if at < end else ()",
        helper=_reader,
    ),
]
"""Items up to the end; mostly there are none."""

Counted8 = Annotated[
    tuple[T, ...],
    Kind(
        "B",
        "@_count",
        "len(self.@)",
        "write_items(self.@)",
        value="counted(@_count, read_items(@_helper, octets, at, end), at)",
        helper=_reader,
    ),
]
"""Items up to the end, whose number stands in one octet of the fixed part."""

Chain = Annotated[
    tuple[T, ...],
    Kind(
        tail="write_chain(self.@)",
        value="read_chain(@_helper, octets, at, end)",
        helper=_figure,
    ),
]
"""Figures up to the end, whose first octets say whether another one follows."""

CountedChain8 = Annotated[
    tuple[T, ...],
    Kind(
        "B",
        "@_count",
        "len(self.@)",
        "write_chain(self.@)",
        value="counted(@_count, read_chain(@_helper, octets, at, end), at)",
        helper=_figure,
    ),
]
"""A chain whose number of figures stands in one octet of the fixed part."""


def skip(at: int, end: int, size: int) -> int:
    """Give the offset ``size`` octets on; MalformedMessage when that lies beyond ``end``."""
    if at + size > end:
        raise MalformedMessage(at, f"{size} octets announced, {end - at} are left")
    return at + size


def split(octets: bytes, at: int, end: int, size: int, count: int) -> tuple[bytes, ...]:
    """Split all octets that are left into ``count`` pieces of ``size`` octets."""
    if at + size * count != end:
        raise MalformedMessage(at, f"{count} SPIs of {size} octets announced, {end - at} are left")
    return tuple(octets[at + size * i : at + size * (i + 1)] for i in range(count))


def common_size(pieces: Sequence[bytes], of_none: int) -> int:
    """Give the size of pieces that must all have the same, and ``of_none`` if there are none."""
    sizes = {len(piece) for piece in pieces} or {of_none}
    if len(sizes) > 1:
        raise ScriptError(f"SPIs of different sizes in one list: {sorted(sizes)} octets")
    return sizes.pop()


def read_items(read: ItemReader, octets: bytes, at: int, end: int) -> tuple[Any, ...]:
    """Read items until ``end`` is reached exactly."""
    items = []
    while at < end:
        item, at = read(octets, at, end)
        items.append(item)
    return tuple(items)


def write_items(items: Sequence[Item]) -> bytes:
    """Write items one after the other."""
    return b"".join([item.write_item() for item in items])


def read_chain(figure: Any, octets: bytes, at: int, end: int) -> tuple[Any, ...]:
    """Read figures until ``end``; all but the last begin with the number ``figure.MORE``."""
    read, more = figure.read, figure.MORE
    found = []
    while at < end:
        value, last, stop = read(octets, at, end)
        due = 0 if stop == end else more
        if last != due:
            raise MalformedMessage(at, f"{figure.__name__} begins with {last}, {due} is due")
        found.append(value)
        at = stop
    return tuple(found)


def write_chain(figures: Sequence[Any]) -> bytes:
    """Write figures one after the other, and say in the first octet of each what follows."""
    written = [each.write(each.MORE) for each in figures[:-1]]
    written += [each.write(0) for each in figures[-1:]]
    return b"".join(written)


def counted(count: int, items: tuple[Any, ...], at: int) -> tuple[Any, ...]:
    """Check the announced number of the items that start at ``at``."""
    if len(items) != count:
        raise MalformedMessage(at, f"{count} announced, {len(items)} found")
    return items


def bad_length(name: str, at: int, end: int, size: int, length: int) -> MalformedMessage:
    """Say what is wrong with a structure that needs ``size`` octets and claims ``length``."""
    if end - at < size:
        return MalformedMessage(at, f"{name} of {end - at} octets, it has at least {size}")
    if length < size:
        return MalformedMessage(at + 2, f"{name} Length {length}, it is at least {size}")
    return MalformedMessage(at + 2, f"{name} Length {length}, {end - at} octets are left")


_FIGURE = """
def read(octets, at, end, number=0):
    if end - at < {size}:
        raise bad_length({name!r}, at, end, {size}, 0)
    following, flags, length, {numbers} = unpack(octets, at)
    if not {size} <= length <= end - at:
        raise bad_length({name!r}, at, end, {size}, length)
    end = at + length
    at += {size}
    self = new(thawed)
    {assignments}
    self.__class__ = cls
    return self, following, end

def write(self, following):
    tail = {tail}
    return pack({following}, {flags}, {size} + len(tail), {pack}) + tail
"""

_CONSTRUCTOR = """
def construct({arguments}):
    self = new(thawed)
    {assignments}
    self.__class__ = cls
    return self
"""


def _space(cls: type) -> dict[str, Any]:
    """Give the names that generated source may use.

    The constructor of a frozen dataclass takes a microsecond, most of it to get past the frost. So
    a value is made of ``thawed``, a twin with the same slots that is not frozen, and then becomes
    one of the class.
    """
    thawed = type(cls.__name__, cls.__bases__, {"__slots__": cls.__dict__["__slots__"]})
    return {**globals(), "cls": cls, "thawed": thawed, "new": object.__new__}


def fast_constructor(cls: type[T]) -> Callable[..., T]:
    """Make a constructor of a frozen dataclass with slots: its fields, by position."""
    space = _space(cls)
    arguments, assignments = [], []
    for each in fields(cls):  # type: ignore[arg-type]
        optional = each.default is not MISSING
        arguments.append(f"{each.name}={each.name}_default" if optional else each.name)
        assignments.append(f"self.{each.name} = {each.name}")
        space[f"{each.name}_default"] = each.default
    source = _CONSTRUCTOR.format(
        arguments=", ".join(arguments), assignments="\n    ".join(assignments)
    )
    exec(source, space)
    construct: Callable[..., T] = space["construct"]
    return construct


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def shared_fields(cls: type[T]) -> type[T]:
    """Mark a base of figures, whose fields become fields of each; it has no values of its own."""
    return cls


def compile_figure(cls: type[T], name: str, order: Sequence[str] = ()) -> type[T]:
    """Make a class body a frozen dataclass with slots, and give it ``read`` and ``write``.

    ``read(octets, at, end, number)`` gives the value, its first octet (what follows) and the offset
    of its end, or raises MalformedMessage; ``write(following)`` gives octets. ``order`` is that of
    the fields in the figure, where it is not that of the constructor.
    """
    annotations = get_type_hints(cls, include_extras=True)
    cls.__annotations__ = annotations
    cls = dataclass(frozen=True, slots=True)(cls)
    kinds: list[tuple[str, Kind]] = []
    space = _space(cls)
    for field_name in sorted(annotations, key=[*order, *annotations].index):
        for kind in getattr(annotations[field_name], "__metadata__", ()):
            kinds.append((field_name, kind))
            space[f"{field_name}_helper"] = kind.helper(annotations[field_name].__origin__)

    def joined(separator: str, part: Callable[[Kind], str], empty: str = "") -> str:
        texts = (part(kind).replace("@", field_name) for field_name, kind in kinds)
        return separator.join(text for text in texts if text) or empty

    layout = struct.Struct(">BBH" + joined("", lambda kind: kind.codes))
    space |= {"unpack": layout.unpack_from, "pack": layout.pack}
    source = _FIGURE.format(
        name=name,
        size=layout.size,
        numbers=joined(", ", lambda kind: kind.numbers),
        assignments=joined("\n    ", lambda kind: f"self.@ = {kind.value}"),
        following=joined("", lambda kind: kind.following, empty="following"),
        flags=joined(" | ", lambda kind: kind.flags),
        pack=joined(", ", lambda kind: kind.pack),
        tail=joined(" + ", lambda kind: kind.tail, empty="b''"),
    )
    exec(source, space)
    cls.read = staticmethod(space["read"])  # type: ignore[attr-defined]
    cls.write = space["write"]  # type: ignore[attr-defined]
    return cls
