"""The keys that lie beside a capture, read back from Wireshark's tables."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from peers.reference.crypto import Protection, key_sizes, protection
from peers.reference.errors import ScriptError
from peers.reference.keytables import ESP_ENCR, ESP_INTEG, IKE_ENCR, IKE_INTEG, NEWER
from peers.reference.numbers import Encr, Integ

NO_ALGORITHM, NOT_THE_LAST_KEY = "no such algorithm", "not the last key of its IKE SA"
_BITS = (None, 128, 192, 256)


@dataclass(frozen=True, slots=True)
class Key:
    """The keys of one direction.

    Where Wireshark has one name for several integrity algorithms, ``integs`` are all of them.
    ``unreadable`` says why Wireshark decrypts nothing with these keys; it is empty where it does.
    """

    encr: Encr
    integs: tuple[Integ, ...]
    encryption: bytes
    integrity: bytes
    unreadable: str = ""

    def candidates(self) -> Iterator[tuple[Key, Protection]]:
        """Give for each of ``integs`` the key with it alone, and its protection.

        ScriptError for keys of sizes that the algorithms do not have.
        """
        for integ in self.integs:
            bits = self._bits(integ)
            made = protection(self.encr, bits, integ or None, self.encryption, self.integrity)
            yield replace(self, integs=(integ,)), made

    def _bits(self, integ: Integ) -> int | None:
        """Find the key length that the size of the key comes from."""
        for bits in _BITS:
            try:
                if key_sizes(self.encr, bits, integ or None)[0] == len(self.encryption):
                    return bits
            except ScriptError:
                continue
        raise ScriptError(f"{len(self.encryption)} octets are no key of {self.encr}")


class Keys:
    """The keys of IKE SAs by SPIs and sender (whether it is the initiator), of ESP SAs by SPI.

    An IKE SA with further key exchanges has several, one after the other (RFC 9370, 2.2.2), of
    which Wireshark uses the last line alone.
    """

    def __init__(self, ike: Iterable[str], esp: Iterable[str]) -> None:
        self.ike: dict[tuple[bytes, bytes, bool], list[Key]] = {}
        self.esp: dict[bytes, Key] = {}
        for line in ike:
            self._add_ike(line)
        for line in esp:
            self._add_esp(line)

    def _add_ike(self, line: str) -> None:
        *spis, ei, er, encr, ai, ar, integ = _columns(line)
        spi_i, spi_r = map(bytes.fromhex, spis)
        for initiator, encryption, integrity in ((True, ei, ai), (False, er, ar)):
            key = Key(
                _IKE_ENCR_NAMES[encr],
                _IKE_INTEG_NAMES[integ],
                bytes.fromhex(encryption),
                bytes.fromhex(integrity),
                _unreadable(line),
            )
            earlier = self.ike.get((spi_i, spi_r, initiator), [])
            unused = [replace(each, unreadable=NOT_THE_LAST_KEY) for each in earlier]
            self.ike[spi_i, spi_r, initiator] = [*unused, key]

    def _add_esp(self, line: str) -> None:
        *_, spi, encr, encryption, integ, integrity = _columns(line)
        self.esp[_octets(spi)] = Key(
            _ESP_ENCR_NAMES[encr],
            _ESP_INTEG_NAMES[integ],
            _octets(encryption),
            _octets(integrity),
            _unreadable(line),
        )


def _unreadable(line: str) -> str:
    """Give the reason that a line is a comment: Wireshark has no name for an algorithm in it."""
    return NO_ALGORITHM if line.startswith("#") else ""


def _columns(line: str) -> list[str]:
    return next(csv.reader([line.removeprefix("# ")]))


def _octets(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _encr_names(names: Mapping[Encr, str]) -> dict[str, Encr]:
    return {
        names.get(number, NEWER.get(number, str(number))).format(bits=bits): number
        for number in Encr
        for bits in _BITS
    }


def _integ_names(names: Mapping[Integ, str]) -> dict[str, tuple[Integ, ...]]:
    found: dict[str, tuple[Integ, ...]] = {}
    for number in Integ:
        name = names.get(number, str(number))
        found[name] = (*found.get(name, ()), number)
    return found


_IKE_ENCR_NAMES, _ESP_ENCR_NAMES = _encr_names(IKE_ENCR), _encr_names(ESP_ENCR)
_IKE_INTEG_NAMES, _ESP_INTEG_NAMES = _integ_names(IKE_INTEG), _integ_names(ESP_INTEG)
