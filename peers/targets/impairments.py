"""What pluto can be told to do wrong: impairments that break a requirement on the wire.

``libreswan!NAME`` is a target that is impaired so, a second witness beside our planted faults: a
daemon of somebody else that misbehaves, and tests that must see it. Libreswan 5.2 lists all of its
impairments with ``ipsec whack --impair help``; what only IKEv1, the log or a debugger sees of them
is left out, and what RFC 7296 allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["IMPAIRMENTS", "NOTHING", "Impairment"]


@dataclass(frozen=True, slots=True)
class Impairment:
    """``words`` are whack's; ``breaks`` names the clauses and what is wrong in our words."""

    words: tuple[str, ...]
    breaks: str


NOTHING = Impairment((), "")


def _one(word: str, breaks: str) -> Impairment:
    return Impairment((word,), breaks)


IMPAIRMENTS: Mapping[str, Impairment] = {
    "reserved-header-flag": _one(
        "send-bogus-isakmp-flag", "RFC 7296, 3.1: a reserved flag is set in the header"
    ),
    "reserved-payload-bit": _one(
        "send-bogus-payload-flag", "RFC 7296, 3.2: a reserved bit of payload headers is set"
    ),
    "reserved-in-proposals": _one(
        "send-nonzero-reserved", "RFC 7296, 3.3: reserved fields of proposals are not zero"
    ),
    "reserved-in-id": _one(
        "send-nonzero-reserved-id", "RFC 7296, 3.5: reserved fields of ID payloads are not zero"
    ),
    "minor-version": _one("minor-version-bump", "RFC 7296, 3.1: the minor version is not zero"),
    "major-version": _one("major-version-bump", "RFC 7296, 3.1: the major version is not two"),
    "exchange-type-of-ike-auth": _one(
        "bad-ike-auth-xchg", "RFC 7296, 2.2 and 3.1: a response of another exchange type"
    ),
    "everything-twice": _one(
        "jacob-two-two", "RFC 7296, 2.1: a response is sent again that nobody asked for again"
    ),
    "no-deletes": _one("send-no-delete", "RFC 7296, 1.4.1: SAs go without a Delete payload"),
    "no-retransmission": _one(
        "suppress-retransmits", "RFC 7296, 2.1: a request without a response is not sent again"
    ),
    "corrupt-sk": _one("corrupt-encrypted", "RFC 7296, 3.14: the ICV does not fit"),
    "no-ke": _one("ke-payload:omit", "RFC 7296, 1.2: KE is missing"),
    "empty-ke": _one("ke-payload:empty", "RFC 7296, 3.4: KE without a value"),
    "zero-ke": _one("ke-payload:0", "RFC 7296, 3.4; RFC 6989, 2: a value that is none"),
    "ike-key-length-left-out": _one(
        "ike-key-length-attribute:omit", "RFC 7296, 3.3.5: AES without Key Length"
    ),
    "ike-key-length-twice": _one(
        "ike-key-length-attribute:duplicate", "RFC 7296, 3.3.5: Key Length twice"
    ),
    "ike-key-length-zero": _one(
        "ike-key-length-attribute:0", "RFC 7296, 3.3.5: Key Length 0 is chosen or offered"
    ),
    "esp-key-length-left-out": _one(
        "child-key-length-attribute:omit", "RFC 7296, 3.3.5: AES without Key Length"
    ),
    "esp-key-length-twice": _one(
        "child-key-length-attribute:duplicate", "RFC 7296, 3.3.5: Key Length twice"
    ),
    "esp-key-length-zero": _one(
        "child-key-length-attribute:0", "RFC 7296, 3.3.5: Key Length 0 is chosen or offered"
    ),
    "no-ke-in-proposals": _one(
        "v2-proposal-dh:omit", "RFC 7296, 3.3.3: an IKE proposal without a key exchange method"
    ),
    "no-child-in-ike-auth": _one(
        "omit-v2-ike-auth-child", "RFC 7296, 1.2: IKE_AUTH without SA, TSi and TSr"
    ),
    "wrong-cookie": _one("send-bogus-dcookie", "RFC 7296, 2.6: another cookie is returned"),
    "wider-selectors-on-rekey": _one(
        "rekey-respond-supernet", "RFC 7296, 2.9: selectors beyond those that were proposed"
    ),
    "zero-spi-i": _one("ike-initiator-spi:0", "RFC 7296, 3.1: the initiator's SPI is zero"),
    "zero-spi-r": _one("ike-responder-spi:0", "RFC 7296, 3.1: the responder's SPI is zero"),
    "another-auth-method": _one(
        "force-v2-auth-method:NULL", "RFC 7296, 2.15: AUTH by a method that was not agreed"
    ),
    "no-ike-auth": _one("send-no-ikev2-auth", "RFC 7296, 1.2: IKE_SA_INIT is not followed up"),
    "critical-unknown-payload": Impairment(
        ("add-unknown-v2-payload-to:IKE_SA_INIT", "unknown-v2-payload-critical"),
        "RFC 7296, 2.5: a payload that its receiver must refuse",
    ),
    "critical-unknown-payload-in-sk": Impairment(
        ("add-unknown-v2-payload-to-sk:IKE_AUTH", "unknown-v2-payload-critical"),
        "RFC 7296, 2.5: a payload that its receiver must refuse",
    ),
}
"""Impairments of Libreswan 5.2 by name."""
