"""Planted faults: the header (RFC 7296, 3.1 and 2.5)."""

from __future__ import annotations

from dataclasses import replace

from peers.reference.decisions import Decisions
from peers.reference.message import Header, Message
from peers.reference.numbers import (
    ExchangeType,
)
from peers.reference.payloads import (
    Notify,
)
from peers.reference.planted.catalogue import fault


@fault("refuses-higher-minor-version")
class RefusesHigherMinorVersion(Decisions):
    """A message of version 2.1 is dropped, though only the major number counts."""

    def speaks(self, header: Header) -> bool:
        return (header.major, header.minor) == (2, 0)


@fault("accepts-higher-major-version")
class AcceptsHigherMajorVersion(Decisions):
    """A message of version 3.0 is processed as if it were 2.0 (F61)."""

    def speaks(self, header: Header) -> bool:
        return True


@fault("silent-on-higher-major-version")
class SilentOnHigherMajorVersion(Decisions):
    """A message of version 3.0 is dropped without INVALID_MAJOR_VERSION (F61)."""

    def version_refusal(self, header: Header) -> Notify | None:
        return None


@fault("ignores-header-length")
class IgnoresHeaderLength(Decisions):
    """The Length field of the header is not compared with the datagram's size."""

    def length_fits(self, header: Header, octets: bytes) -> bool:
        return True

    def read(self, octets: bytes) -> Message:
        return Message.decode(octets[:24] + len(octets).to_bytes(4, "big") + octets[28:])


@fault("answers-stray-responses")
class AnswersStrayResponses(Decisions):
    """A response that no request of ours waits for is answered as if it were a request."""

    def answers_stray_response(self) -> bool:
        return True


@fault("accepts-zero-initiator-spi")
class AcceptsZeroInitiatorSpi(Decisions):
    """An IKE_SA_INIT request whose initiator SPI is zero opens an IKE SA."""

    def opens_ike_sa(self, header: Header) -> bool:
        return header.exchange == ExchangeType.IKE_SA_INIT


@fault("takes-any-exchange-for-ike-sa-init")
class TakesAnyExchangeForIkeSaInit(Decisions):
    """A first message opens an IKE SA whatever its exchange type is."""

    def knows_exchange(self, header: Header) -> bool:
        return True

    def opens_ike_sa(self, header: Header) -> bool:
        return any(header.spi_i)


@fault("minds-reserved-flags")
class MindsReservedFlags(Decisions):
    """A message with reserved bits set in the header's flags is dropped."""

    def minds_reserved(self, message: Message) -> bool:
        return message.reserved_flags != 0


@fault("minds-version-flag")
class MindsVersionFlag(Decisions):
    """A message with the Version flag set is dropped."""

    def minds_reserved(self, message: Message) -> bool:
        return message.higher_version


@fault("minds-reserved-payload-bits")
class MindsReservedPayloadBits(Decisions):
    """A message with reserved bits set in a generic payload header is dropped."""

    def minds_reserved(self, message: Message) -> bool:
        return any(payload.reserved_bits for payload in message.payloads)


@fault("sends-reserved-flags")
class SendsReservedFlags(Decisions):
    """Requests of ours that open an IKE SA have a reserved bit set in the header's flags."""

    def edit(self, message: Message) -> Message:
        first = message.exchange == ExchangeType.IKE_SA_INIT and not message.response
        return replace(message, reserved_flags=0x01) if first else message


@fault("drops-messages-of-1280-octets")
class DropsMessagesOf1280Octets(Decisions):
    """A message of 1280 octets is taken for one that is too long."""

    def length_fits(self, header: Header, octets: bytes) -> bool:
        return len(octets) != 1280 and super().length_fits(header, octets)


@fault("drops-messages-of-3000-octets")
class DropsMessagesOf3000Octets(Decisions):
    """A message of 3000 octets is taken for one that is too long."""

    def length_fits(self, header: Header, octets: bytes) -> bool:
        return len(octets) != 3000 and super().length_fits(header, octets)
