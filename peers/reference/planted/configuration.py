"""Planted faults: Configuration payloads (RFC 7296, 2.19, 2.20 and 3.15)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from ipaddress import ip_address

from peers.reference.configuration import SUPPORTED, Assignment
from peers.reference.connection import AddressPool
from peers.reference.decisions import Decisions
from peers.reference.errors import PeerError
from peers.reference.events import IPAddress
from peers.reference.message import Message
from peers.reference.numbers import ConfigAttributeType, ConfigType, ExchangeType
from peers.reference.payloads import CP, ConfigAttribute
from peers.reference.planted.catalogue import fault


@fault("tells-another-address-than-it-selects")
class TellsAnotherAddressThanItSelects(Decisions):
    """The CFG_REPLY holds the address behind the one that the selectors are narrowed to."""

    def configuration_reply(
        self, pool: AddressPool | None, request: CP | None, addresses: Sequence[IPAddress]
    ) -> CP | None:
        others = [ip_address(int(each) + 1) for each in addresses]
        return super().configuration_reply(pool, request, others)


@fault("puts-configuration-behind-sa")
class PutsConfigurationBehindSa(Decisions):
    """The CP payload stands at the end of an IKE_AUTH message."""

    def edit(self, message: Message) -> Message:
        if message.exchange != ExchangeType.IKE_AUTH:
            return message
        return message.without(CP) + message.all(CP)


@fault("configures-unasked")
class ConfiguresUnasked(Decisions):
    """A CFG_REPLY comes with every Child SA of IKE_AUTH, asked for or not."""

    def configuration_reply(
        self, pool: AddressPool | None, request: CP | None, addresses: Sequence[IPAddress]
    ) -> CP | None:
        request = request or CP(ConfigType.CFG_REQUEST)
        return super().configuration_reply(pool, request, addresses)


@fault("grants-child-without-configuration")
class GrantsChildWithoutConfiguration(Decisions):
    """A Child SA is granted to who asks for no address, though one is required."""

    def requires_configuration(self, pool: AddressPool | None, request: CP | None) -> bool:
        return False


@fault("minds-unknown-attributes")
class MindsUnknownAttributes(Decisions):
    """A configuration attribute of unknown type makes the payload invalid."""

    def assign(
        self, pool: AddressPool, request: CP, taken: Collection[IPAddress]
    ) -> tuple[IPAddress, ...]:
        if any(each.type not in SUPPORTED for each in request.attributes):
            raise PeerError("an unknown configuration attribute")
        return super().assign(pool, request, taken)

    def is_enough(self, assignment: Assignment | None) -> bool:
        return super().is_enough(assignment) and not (assignment and assignment.strange)


@fault("ends-version-with-zero")
class EndsVersionWithZero(Decisions):
    """APPLICATION_VERSION is told as a string of C, with a zero behind it."""

    def application_version(self) -> bytes:
        return super().application_version() + bytes(1)


@fault("acknowledges-with-values")
class AcknowledgesWithValues(Decisions):
    """CFG_ACK repeats the attributes of CFG_SET with their values."""

    def accepted(self, settings: CP) -> tuple[ConfigAttribute, ...]:
        return settings.attributes


@fault("asks-for-no-address")
class AsksForNoAddress(Decisions):
    """An initiator that needs an address leaves it out of its CFG_REQUEST."""

    def edit(self, message: Message) -> Message:
        if message.response or not message.has(CP):
            return message
        return message.replacing(replace(message.get(CP), attributes=()))


@fault("assigns-to-rekeys-only-once")
class AssignsToRekeysOnlyOnce(Decisions):
    """A Configuration payload in CREATE_CHILD_SA makes the request invalid (F09)."""

    def configuration_reply(
        self, pool: AddressPool | None, request: CP | None, addresses: Sequence[IPAddress]
    ) -> CP | None:
        if request is not None and self._answered and addresses:
            raise PeerError("configuration was asked for already")
        self._answered = self._answered or request is not None
        return super().configuration_reply(pool, request, addresses)

    _answered = False


@fault("tells-dns-server-with-a-prefix-length")
class TellsDnsServerWithAPrefixLength(Decisions):
    """Every address in a CFG_REPLY is told with a prefix length behind it."""

    def configuration_reply(
        self, pool: AddressPool | None, request: CP | None, addresses: Sequence[IPAddress]
    ) -> CP | None:
        reply = super().configuration_reply(pool, request, addresses)
        if reply is None:
            return None
        return replace(reply, attributes=tuple(map(_with_prefix_length, reply.attributes)))


def _with_prefix_length(attribute: ConfigAttribute) -> ConfigAttribute:
    kinds = (ConfigAttributeType.INTERNAL_IP4_DNS, ConfigAttributeType.INTERNAL_IP6_DNS)
    if attribute.type not in kinds:
        return attribute
    return replace(attribute, value=attribute.value + bytes([8 * len(attribute.value)]))


MASK = ConfigAttribute(ConfigAttributeType.INTERNAL_IP4_NETMASK, bytes([255, 255, 255, 0]))


@fault("tells-two-netmasks")
class TellsTwoNetmasks(Decisions):
    """A CFG_REPLY has the netmask twice."""

    def configuration_reply(
        self, pool: AddressPool | None, request: CP | None, addresses: Sequence[IPAddress]
    ) -> CP | None:
        told = super().configuration_reply(pool, request, addresses)
        return told and replace(told, attributes=(*told.attributes, MASK, MASK))


@fault("asks-for-netmask-with-a-value")
class AsksForNetmaskWithAValue(Decisions):
    """A CFG_REQUEST of ours says which netmask we want."""

    def edit(self, message: Message) -> Message:
        if message.response or not message.has(CP):
            return message
        asked = message.get(CP)
        return message.replacing(replace(asked, attributes=(*asked.attributes, MASK)))
