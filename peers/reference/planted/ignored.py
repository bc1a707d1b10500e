"""Planted faults: what is to be ignored, and what is not (RFC 7296, 3.8 to 3.14)."""

from __future__ import annotations

from peers.reference.decisions import Decisions
from peers.reference.faults import HeaderLength, Padding, TrailingOctets
from peers.reference.message import Message
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import AUTH, KE, IDi, IDr, Notify, TSi, TSr, VendorID
from peers.reference.planted.catalogue import fault


@fault("minds-reserved-octets-of-ke")
class MindsReservedOctetsOfKe(Decisions):
    """A message whose KE payload has reserved octets set is dropped."""

    def minds_reserved(self, message: Message) -> bool:
        return any(each.reserved for each in message.all(KE))


@fault("minds-reserved-octets-of-auth")
class MindsReservedOctetsOfAuth(Decisions):
    """A message whose AUTH payload has reserved octets set is dropped."""

    def minds_reserved(self, message: Message) -> bool:
        return any(each.reserved for each in message.all(AUTH))


@fault("minds-reserved-octets-of-identities")
class MindsReservedOctetsOfIdentities(Decisions):
    """A message whose IDi or IDr payload has reserved octets set is dropped."""

    def minds_reserved(self, message: Message) -> bool:
        return any(each.reserved for each in (*message.all(IDi), *message.all(IDr)))


@fault("minds-reserved-octets-of-selectors")
class MindsReservedOctetsOfSelectors(Decisions):
    """A message whose TSi or TSr payload has reserved octets set is dropped."""

    def minds_reserved(self, message: Message) -> bool:
        return any(each.reserved for each in (*message.all(TSi), *message.all(TSr)))


@fault("refuses-unknown-vendor-ids")
class RefusesUnknownVendorIds(Decisions):
    """A message with a Vendor ID that says nothing to us is dropped."""

    def minds_reserved(self, message: Message) -> bool:
        return message.has(VendorID)


@fault("minds-protocol-of-notifies")
class MindsProtocolOfNotifies(Decisions):
    """A message with a notify that has a protocol and no SPI is dropped."""

    def minds_reserved(self, message: Message) -> bool:
        return any(each.protocol and not each.spi for each in message.all(Notify))


def _unknown(message: Message, numbers: range) -> bool:
    kinds = (NotifyType(number) for number in message.notifies if number in numbers)
    return any(not kind.known for kind in kinds)


@fault("refuses-unknown-statuses")
class RefusesUnknownStatuses(Decisions):
    """A message with a status notify that is not known is dropped."""

    def minds_reserved(self, message: Message) -> bool:
        return _unknown(message, range(16384, 65536))


@fault("obeys-unknown-errors-in-requests")
class ObeysUnknownErrorsInRequests(Decisions):
    """A request with an error notify that is not known is dropped."""

    def minds_reserved(self, message: Message) -> bool:
        return not message.response and _unknown(message, range(16384))


@fault("ignores-unknown-errors-in-responses")
class IgnoresUnknownErrorsInResponses(Decisions):
    """A response counts as a success although it has an error notify that is not known."""

    def unknown_error(self, response: Message) -> Notify | None:
        return None


@fault("wants-least-padding")
class WantsLeastPadding(Decisions):
    """A message with more padding than alignment needs is dropped."""

    def minds_reserved(self, message: Message) -> bool:
        return len(message.padding) >= 16


@fault("minds-contents-of-padding")
class MindsContentsOfPadding(Decisions):
    """A message whose padding is not zeros is dropped."""

    def minds_reserved(self, message: Message) -> bool:
        return any(message.padding)


@fault("minds-value-of-iv")
class MindsValueOfIv(Decisions):
    """A message whose IV is sixteen equal octets is dropped."""

    def minds_reserved(self, message: Message) -> bool:
        envelope = message.envelope
        return envelope is not None and len(set(envelope.data[:16])) == 1


@fault("pads-by-a-block-too-many")
class PadsByABlockTooMany(Decisions):
    """Responses to liveness checks are padded by 31 octets where 15 do."""

    def edit(self, message: Message) -> Message:
        bare = message.exchange == ExchangeType.INFORMATIONAL and not message.payloads
        return message.with_fault(Padding(bytes(31))) if bare and message.response else message


@fault("puts-octets-behind-sk", fundamental=True)
class PutsOctetsBehindSk(Decisions):
    """Responses to liveness checks have four octets behind the Encrypted payload."""

    def edit(self, message: Message) -> Message:
        if message.exchange != ExchangeType.INFORMATIONAL or not message.response:
            return message
        return message.with_fault(HeaderLength(by=4)).with_fault(TrailingOctets(bytes(4)))
