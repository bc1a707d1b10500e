"""A Wireshark profile that decrypts a test's capture: key tables, preferences, how to open it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from peers.reference.events import ChildKeysDerived, Event, IkeKeysDerived
from peers.reference.keytables import esp_sa_lines, ikev2_decryption_line
from reports.model import FileKind

_Keys = TypeVar("_Keys")

FOLDER = "wireshark"
IKE_TABLE = "ikev2_decryption_table"
ESP_TABLE = "esp_sa"
PREFERENCES = """\
esp.enable_encryption_decode: TRUE
esp.enable_authentication_check: TRUE
esp.enable_null_encryption_decode_heuristic: TRUE
"""
HOW_TO_OPEN = f"""\
Open the capture with the keys of this test, in this folder (Wireshark or tshark 4.0 or later):

    WIRESHARK_CONFIG_DIR="$PWD/{FOLDER}" wireshark capture.pcapng
    WIRESHARK_CONFIG_DIR="$PWD/{FOLDER}" tshark -V -r capture.pcapng

Or copy {IKE_TABLE} and {ESP_TABLE} into the folder of a profile of yours
(Help, About, Folders, Personal configuration) and enable ESP decryption in its preferences.

ChaCha20-Poly1305 is not decrypted by Wireshark up to 4.4: read messages.txt, where it is in clear.
"""


def write_profile(folder: Path, events: Sequence[Event]) -> list[tuple[FileKind, Path]]:
    """Write the profile into ``folder``; give the tables that have a line, each with its kind."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "preferences").write_text(PREFERENCES, encoding="utf-8")
    tables = [
        (FileKind.IKE_KEYS, folder / IKE_TABLE, ike_table(events)),
        (FileKind.ESP_KEYS, folder / ESP_TABLE, esp_table(events)),
    ]
    for _, path, text in tables:
        path.write_text(text, encoding="utf-8")
    return [(kind, path) for kind, path, text in tables if text]


def ike_table(events: Sequence[Event]) -> str:
    """Give the lines of ``ikev2_decryption_table`` for every IKE SA of the events."""
    keys = [event.keys for event in events if isinstance(event, IkeKeysDerived)]
    return _lines(lambda each: (ikev2_decryption_line(each),), keys)


def esp_table(events: Sequence[Event]) -> str:
    """Give the lines of ``esp_sa`` for both directions of every Child SA of the events."""
    keys = [event.keys for event in events if isinstance(event, ChildKeysDerived)]
    return _lines(esp_sa_lines, keys)


def _lines(make: Callable[[_Keys], Iterable[str]], keys: Iterable[_Keys]) -> str:
    """Join lines, each once."""
    lines = [line for each in keys for line in make(each)]
    return "".join(f"{line}\n" for line in dict.fromkeys(lines))
