"""What scapy and tshark are known to read otherwise than they should, each with its reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from reports.second_decoder.fields import Fields, Value

SCAPY, TSHARK = "scapy", "tshark"


@dataclass(frozen=True, slots=True)
class Known:
    """Fields that a decoder reads wrongly, or with ``hidden`` does not show at all.

    ``path`` is a pattern for the whole path. ``when`` says of a message, as we read it, and of the
    path's first component whether the reason holds there.
    """

    decoder: str
    path: str
    reason: str
    when: Callable[[Fields, str], bool] = lambda ours, payload: True
    hidden: bool = False

    def explains(self, decoder: str, path: str, ours: Fields, theirs: Value | None) -> bool:
        """Say whether this is why ``decoder`` reads ``theirs`` at ``path``."""
        return (
            self.decoder == decoder
            and (theirs is None or not self.hidden)
            and re.fullmatch(self.path, path) is not None
            and self.when(ours, path.partition(".")[0])
        )


def _of_another_version(ours: Fields, payload: str) -> bool:
    return ours.get("major", 2) != 2


def _nothing_to_dissect(ours: Fields, payload: str) -> bool:
    """Say whether an ESP packet holds nothing that Wireshark has a dissector for."""
    return ours.get("next_header") in (59, 253) or ours.get("payload") == b""


KNOWN: tuple[Known, ...] = (
    Known(TSHARK, r"sk\.padding", "it shows the padding of SK without its value", hidden=True),
    Known(
        TSHARK,
        r"next_header|pad_length|padding|payload",
        "it takes off ESP's trailer only when it has a dissector for what is inside",
        _nothing_to_dissect,
        hidden=True,
    ),
    Known(
        SCAPY,
        r"sk\..*",
        "it has no decryption for IKE and is given the plaintext, so it reads no padding",
        hidden=True,
    ),
    Known(
        SCAPY,
        r".*",
        "it reads a message of a lower major version as ISAKMP (RFC 2408)",
        lambda ours, payload: ours.get("major", 2) in (0, 1),
        hidden=True,
    ),
    Known(
        TSHARK,
        r".*",
        "it reads a message of another major version by the figures of ISAKMP (RFC 2408)",
        _of_another_version,
    ),
)


def explanation(decoder: str, path: str, ours: Fields, theirs: Value | None) -> Known | None:
    """Find the reason for which ``decoder`` reads ``theirs`` at ``path``, if one is known."""
    return next((each for each in KNOWN if each.explains(decoder, path, ours, theirs)), None)
