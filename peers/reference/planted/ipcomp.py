"""Planted faults: compression that nobody agreed to (RFC 7296, 2.22; RFC 3173)."""

from __future__ import annotations

import zlib
from dataclasses import replace

from peers.reference import ip
from peers.reference.child import ChildSa
from peers.reference.decisions import Decisions
from peers.reference.message import Message
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import Notify
from peers.reference.planted.catalogue import fault

IPCOMP = 108
CPI = b"\x12\x34"
DEFLATE, LZS = b"\x02", b"\x03"


@fault("accepts-compression-unasked")
class AcceptsCompressionUnasked(Decisions):
    """Our response for the first Child SA accepts DEFLATE, whatever the request had."""

    def edit(self, message: Message) -> Message:
        if message.exchange != ExchangeType.IKE_AUTH or not message.response:
            return message
        return message + Notify(NotifyType.IPCOMP_SUPPORTED, CPI + DEFLATE)


@fault("accepts-two-compressions")
class AcceptsTwoCompressions(AcceptsCompressionUnasked):
    """Our response for the first Child SA accepts two algorithms."""

    def edit(self, message: Message) -> Message:
        edited = super().edit(message)
        if edited is message:
            return message
        return edited + Notify(NotifyType.IPCOMP_SUPPORTED, CPI + LZS)


@fault("compresses-unasked", fundamental=True)
class CompressesUnasked(Decisions):
    """What we send through a Child SA is compressed, though nobody agreed to that."""

    def seal_esp(self, child: ChildSa, inner: ip.IpPacket, iv: bytes) -> bytes:
        compressor = zlib.compressobj(wbits=-15)
        data = compressor.compress(inner.payload) + compressor.flush()
        payload = bytes([inner.protocol, 0]) + CPI + data
        return super().seal_esp(child, replace(inner, protocol=IPCOMP, payload=payload), iv)
