"""Planted faults: unknown payloads (RFC 7296, 2.5)."""

from __future__ import annotations

from peers.reference.decisions import Decisions
from peers.reference.message import Message
from peers.reference.numbers import Encr, TransformType
from peers.reference.payloads import (
    SA,
    Nonce,
    Notify,
    Payload,
    Unknown,
)
from peers.reference.planted.catalogue import fault

PRIVATE_USE = 40960
"""Status notifies from this number on are for private use (RFC 7296, 3.10.1)."""


@fault("reads-critical-bit-in-the-wrong-place")
class ReadsCriticalBitInTheWrongPlace(Decisions):
    """The critical bit is looked for in the lowest bit of its octet (F60)."""

    def unsupported_critical(self, message: Message) -> Unknown | None:
        if message.response:
            return super().unsupported_critical(message)
        unknown = (payload for payload in message.payloads if isinstance(payload, Unknown))
        return next((payload for payload in unknown if payload.reserved_bits & 0x01), None)


@fault("refuses-unknown-payloads")
class RefusesUnknownPayloads(Decisions):
    """An unknown payload is refused though its critical bit is clear."""

    def refused_unknown(self, message: Message) -> Unknown | None:
        return next((payload for payload in message.payloads if isinstance(payload, Unknown)), None)


@fault("refuses-unknown-payloads-in-responses")
class RefusesUnknownPayloadsInResponses(Decisions):
    """An unknown payload in a response is refused though its critical bit is clear."""

    def unsupported_critical(self, message: Message) -> Unknown | None:
        if message.response:
            return next((p for p in message.payloads if isinstance(p, Unknown)), None)
        return super().unsupported_critical(message)


@fault("refuses-known-critical-payloads")
class RefusesKnownCriticalPayloads(Decisions):
    """The critical bit is minded on payloads that every implementation knows."""

    def minds_reserved(self, message: Message) -> bool:
        return any(p.critical and not isinstance(p, Unknown) for p in message.payloads)


@fault("repeats-nonce-payload")
class RepeatsNoncePayload(Decisions):
    """The IKE_SA_INIT response to the smallest initiator SPI carries its nonce twice."""

    def edit(self, message: Message) -> Message:
        if message.response and message.spi_i == (1).to_bytes(8, "big") and message.has(Nonce):
            return message + message.get(Nonce)
        return message


@fault("ignores-critical-bit-in-responses")
class IgnoresCriticalBitInResponses(Decisions):
    """An unknown critical payload in an IKE_SA_INIT response is skipped."""

    def unsupported_critical(self, message: Message) -> Unknown | None:
        return None if message.response else super().unsupported_critical(message)


@fault("takes-critical-bit-for-contents")
class TakesCriticalBitForContents(Decisions):
    """The critical bit of a payload is minded when something inside it is unknown."""

    def minds_reserved(self, message: Message) -> bool:
        return any(
            payload.critical and (_is_strange_notify(payload) or _has_strange_cipher(payload))
            for payload in message.payloads
        )


def _is_strange_notify(payload: Payload) -> bool:
    return isinstance(payload, Notify) and payload.notify_type >= PRIVATE_USE


def _has_strange_cipher(payload: Payload) -> bool:
    return isinstance(payload, SA) and any(
        each.type == TransformType.ENCR and each.id > max(Encr)
        for proposal in payload.proposals
        for each in proposal.transforms
    )
