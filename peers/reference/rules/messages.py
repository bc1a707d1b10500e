"""Rules about single messages (RFC 7296, 1 to 3): header, payloads, proposals, notifies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields
from ipaddress import IPv4Address
from typing import Any

from peers.reference.crypto import prf_size
from peers.reference.errors import ScriptError
from peers.reference.key_exchange.modp import GROUPS as MODP_GROUPS
from peers.reference.message import HEADER_SIZE, Message
from peers.reference.numbers import (
    AttributeType,
    CertEncoding,
    Encr,
    ExchangeType,
    IdType,
    Integ,
    IpProtocol,
    KeyExchangeMethod,
    NotifyType,
    PayloadType,
    Prf,
    ProtocolId,
    TransformType,
)
from peers.reference.payloads import (
    AUTH,
    CERT,
    CERTREQ,
    KE,
    SA,
    IDi,
    IDr,
    Nonce,
    Notify,
    Payload,
    Proposal,
    TrafficSelector,
    TSi,
    TSr,
)
from peers.reference.rules.registry import (
    Complaint,
    Seen,
    is_encrypted,
    of_conversation,
    of_message,
)

# The header (RFC 7296, 3.1) and what a message is made of (1.2, 3.2).

_IN_CLEAR = frozenset(
    {NotifyType.INVALID_IKE_SPI, NotifyType.INVALID_MAJOR_VERSION, NotifyType.INVALID_SPI}
)
"""Notifies of messages that belong to no IKE SA (RFC 7296, 1.5 and 2.21.4)."""

_CLEAR_EXCHANGES = frozenset({ExchangeType.IKE_SA_INIT, ExchangeType.IKE_SESSION_RESUME})


@of_message("rfc7296-1.2-subsequent-messages-encrypted")
def _is_encrypted(message: Message) -> Iterator[str]:
    outside = set(message.notifies) & _IN_CLEAR
    if message.exchange not in _CLEAR_EXCHANGES and not is_encrypted(message) and not outside:
        yield f"an {message.title} without an Encrypted payload"


@of_message("rfc7296-1.2-auth-exchange-shape")
def _makes_no_secret_in_ike_auth(message: Message) -> Iterator[str]:
    if message.exchange == ExchangeType.IKE_AUTH:
        yield from (
            f"a {p.label()} in IKE_AUTH" for p in _payloads(message) if isinstance(p, KE | Nonce)
        )


@of_message("rfc7296-3.1-version-sent")
def _has_version_2_0(message: Message) -> Iterator[str]:
    if (message.major, message.minor) != (2, 0):
        yield f"version {message.major}.{message.minor}"


@of_message("rfc7296-3.1-initiator-spi-not-zero")
def _has_initiator_spi(message: Message) -> Iterator[str]:
    one_way = NotifyType.INVALID_SPI in message.notifies
    if message.spi_i == bytes(8) and not message.response and not one_way:
        yield f"an {message.title} with an initiator SPI of zero"


@of_message("rfc7296-3.1-responder-spi-zero-in-first-message")
def _opens_without_responder_spi(message: Message) -> Iterator[str]:
    first = message.exchange == ExchangeType.IKE_SA_INIT and not message.response
    if first and message.spi_r != bytes(8):
        yield "an IKE_SA_INIT request with a responder SPI"


@of_message("rfc7296-3.1-response-flag")
def _flags_go_together(message: Message) -> Iterator[str]:
    # In IKE_SA_INIT the initiator sends requests only and the responder responses only.
    if message.exchange == ExchangeType.IKE_SA_INIT and message.initiator == message.response:
        yield f"an IKE_SA_INIT message with I {message.initiator:d} and R {message.response:d}"


@of_conversation("rfc7296-3.1-length-matches")
def _length_is_that_of_the_datagram(conversation: Sequence[Seen]) -> Iterator[Complaint]:
    for seen in conversation:
        if seen.heard and len(seen.octets) >= HEADER_SIZE:
            length = seen.header.length
            if length != len(seen.octets):
                yield Complaint(seen, "Length is not that of the message")


@of_conversation("rfc7296-3.2-next-payload-chain")
def _can_be_read(conversation: Sequence[Seen]) -> Iterator[Complaint]:
    for seen in conversation:
        whole = len(seen.octets) >= HEADER_SIZE and seen.header.length == len(seen.octets)
        if seen.heard and seen.message is None and whole:
            yield Complaint(seen, f"a malformed message: {seen.problem}")


# Reserved places and the critical bit (RFC 7296, 2.5 and 3.2).


@of_message("rfc7296-2.5-reserved-sent-as-zero")
def _reserved_is_zero(message: Message) -> Iterator[str]:
    if message.reserved_flags:
        yield "reserved flags in the header"
    for payload in _payloads(message):
        for name in _reserved_fields(payload):
            yield f"{type(payload).__name__}: {name} is not zero"


def _payloads(message: Message) -> tuple[Payload, ...]:
    return (*message.unprotected, *message.payloads)


def _reserved_fields(value: Any) -> Iterator[str]:
    for each in fields(value):
        content = getattr(value, each.name)
        if each.name.startswith("reserved") and content:
            yield f"{type(value).__name__}.{each.name}"
        elif isinstance(content, tuple):
            for item in content:
                if hasattr(item, "__dataclass_fields__"):
                    yield from _reserved_fields(item)


@of_message("rfc7296-2.5-critical-clear-in-responses")
def _no_critical_response(message: Message) -> Iterator[str]:
    if message.response:
        yield from (
            f"a critical {p.label()} in a response" for p in _payloads(message) if p.critical
        )


@of_message("rfc7296-3.2-known-payload-critical-clear")
def _no_critical_known(message: Message) -> Iterator[str]:
    known = range(PayloadType.SA, PayloadType.EAP + 1)
    for payload in _payloads(message):
        if payload.critical and payload.type in known:
            yield f"a critical {payload.label()}"


# The order of payloads (RFC 7296, 1.2, 1.3 and 2.5).

_ORDERS: dict[ExchangeType, tuple[type[Payload], ...]] = {
    ExchangeType.IKE_SA_INIT: (SA, KE, Nonce, CERTREQ),
    ExchangeType.IKE_AUTH: (IDi, CERT, CERTREQ, IDr, AUTH, SA, TSi, TSr),
    ExchangeType.CREATE_CHILD_SA: (SA, Nonce, KE, TSi, TSr),
}


@of_message("rfc7296-2.5-payload-order-sent")
def _is_in_order(message: Message) -> Iterator[str]:
    order = _ORDERS.get(message.exchange, ())
    if message.exchange == ExchangeType.IKE_AUTH and message.response:
        order = (IDr, CERT, AUTH, SA, TSi, TSr)
    places = [order.index(kind) for kind in message.types if kind in order]
    if places != sorted(places):
        shown = ", ".join(payload.label() for payload in message.payloads)
        yield f"{message.title} with the payloads {shown}"


# Proposals (RFC 7296, 2.7, 3.3).


def _proposals(message: Message) -> Iterator[tuple[Proposal, str]]:
    for offer in message.all(SA):
        for proposal in offer.proposals:
            yield proposal, f"{message.title}, proposal {proposal.number}"


@of_message("rfc7296-1.2-ike-auth-offer-without-group")
def _no_group_in_ike_auth(message: Message) -> Iterator[str]:
    if message.exchange == ExchangeType.IKE_AUTH:
        for proposal, where in _proposals(message):
            for transform in proposal.of(TransformType.KE):
                if transform.id != KeyExchangeMethod.NONE:
                    yield f"{where} has {transform}"


@of_message("rfc7296-2.7-single-suite-chosen")
def _chooses_one(message: Message) -> Iterator[str]:
    for chosen in message.all(SA) if message.response else ():
        if len(chosen.proposals) != 1:
            yield f"{message.title} with {len(chosen.proposals)} proposals"
        for proposal in chosen.proposals:
            kinds = Counter(transform.type for transform in proposal.transforms)
            for kind in (kind for kind, count in kinds.items() if count > 1):
                yield f"{message.title} chooses {kinds[kind]} transforms of type {kind!s}"


@of_message("rfc7296-3.3.1-proposal-numbers")
def _numbers_proposals(message: Message) -> Iterator[str]:
    for offer in message.all(SA) if not message.response else ():
        numbers = [proposal.number for proposal in offer.proposals]
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"{message.title} with proposals numbered {numbers}"


_COMBINED = frozenset(
    {
        *range(Encr.ENCR_AES_CCM_8, Encr.ENCR_NULL_AUTH_AES_GMAC + 1),
        *range(Encr.ENCR_CAMELLIA_CCM_8, Encr.ENCR_CHACHA20_POLY1305_IIV + 1),
    }
)


def _ciphers_are_combined(proposal: Proposal) -> set[bool]:
    return {transform.id in _COMBINED for transform in proposal.of(TransformType.ENCR)}


@of_message("rfc7296-3.3-aead-without-integrity")
def _no_integrity_beside_aead(message: Message) -> Iterator[str]:
    for proposal, where in _proposals(message):
        integrity = {transform.id for transform in proposal.of(TransformType.INTEG)}
        if _ciphers_are_combined(proposal) == {True} and integrity - {Integ.NONE}:
            yield f"{where} has combined-mode ciphers and an integrity algorithm"


@of_message("rfc7296-1.2-none-left-out")
def _leaves_none_out(message: Message) -> Iterator[str]:
    for proposal, where in _proposals(message) if not message.response else ():
        groups = {transform.id for transform in proposal.of(TransformType.KE)}
        integrity = {transform.id for transform in proposal.of(TransformType.INTEG)}
        if message.exchange == ExchangeType.IKE_AUTH and groups == {KeyExchangeMethod.NONE}:
            yield f"{where} has a group that is NONE"
        if _ciphers_are_combined(proposal) == {True} and integrity == {Integ.NONE}:
            yield f"{where} has combined-mode ciphers and integrity that is NONE"


@of_message("rfc7296-3.3.3-mandatory-types")
def _has_mandatory_types(message: Message) -> Iterator[str]:
    for proposal, where in _proposals(message):
        due = {TransformType.ENCR, TransformType.ESN}
        if proposal.protocol == ProtocolId.IKE:
            due = {TransformType.ENCR, TransformType.PRF, TransformType.KE}
            if False in _ciphers_are_combined(proposal):
                due.add(TransformType.INTEG)
        missing = due - {transform.type for transform in proposal.transforms}
        if missing and proposal.protocol in (ProtocolId.IKE, ProtocolId.ESP):
            yield f"{where} has no {', '.join(sorted(map(str, missing)))}"


@of_message("rfc7296-3.3-attribute-type-once")
def _has_an_attribute_once(message: Message) -> Iterator[str]:
    for proposal, where in _proposals(message):
        for transform in proposal.transforms:
            kinds = [attribute.type for attribute in transform.attributes]
            if len(kinds) != len(set(kinds)):
                yield f"{where}: {transform}"


@of_message("rfc7296-3.3.5-key-length-form")
def _key_length_is_a_number(message: Message) -> Iterator[str]:
    for proposal, where in _proposals(message):
        for transform in proposal.transforms:
            for attribute in transform.attributes:
                if attribute.type == AttributeType.KEY_LENGTH and not isinstance(
                    attribute.value, int
                ):
                    yield f"{where}: {transform}"


FIRST_FREE_SPI = 256
"""SPIs 1 to 255 are reserved, 0 is for local use (RFC 4303, 2.1)."""

_FIXED_KEYS = frozenset({Encr.ENCR_3DES, Encr.ENCR_NULL, Encr.ENCR_CHACHA20_POLY1305})


@of_message("rfc7296-3.3.5-no-key-length-on-fixed-key")
def _fixed_keys_have_no_length(message: Message) -> Iterator[str]:
    for proposal, where in _proposals(message):
        for transform in proposal.transforms:
            fixed = transform.type != TransformType.ENCR or transform.id in _FIXED_KEYS
            if fixed and transform.attributes:
                yield f"{where}: {transform}"


@of_message("rfc7296-3.3.1-spi-size-initial")
def _no_spi_at_first(message: Message) -> Iterator[str]:
    if message.exchange == ExchangeType.IKE_SA_INIT:
        for proposal, where in _proposals(message):
            if proposal.spi:
                yield f"{where} has an SPI of {len(proposal.spi)} octets"


@of_message("rfc7296-3.3.1-spi-size-child")
def _spis_have_their_size(message: Message) -> Iterator[str]:
    sizes = {ProtocolId.IKE: 8, ProtocolId.AH: 4, ProtocolId.ESP: 4}
    if message.exchange != ExchangeType.IKE_SA_INIT:
        for proposal, where in _proposals(message):
            if len(proposal.spi) != sizes.get(proposal.protocol, len(proposal.spi)):
                yield f"{where} has an SPI of {len(proposal.spi)} octets"


@of_message("rfc4303-2.1-spi-reserved-range")
def _esp_spis_are_not_reserved(message: Message) -> Iterator[str]:
    for proposal, where in _proposals(message):
        reserved = int.from_bytes(proposal.spi, "big") < FIRST_FREE_SPI
        if proposal.protocol == ProtocolId.ESP and proposal.spi and reserved:
            yield f"{where} has the SPI {proposal.spi.hex()}"


# Key exchange data, nonces (RFC 7296, 2.10, 3.4, 3.9).


@of_conversation("rfc7296-3.4-ke-of-the-first-group")
def _guesses_the_first_group(conversation: Sequence[Seen]) -> Iterator[Complaint]:
    named = False
    for seen in conversation:
        message = seen.message
        if message is None:
            continue
        if not seen.heard:
            named = named or NotifyType.INVALID_KE_PAYLOAD in message.notifies
        elif not message.response and not named and message.has(SA) and message.has(KE):
            groups = [t.id for t in message.get(SA).proposals[0].of(TransformType.KE)]
            if groups and message.get(KE).group != groups[0]:
                yield Complaint(seen, f"{message.title} with KE of another group than its first")


@of_message("rfc7296-3.4-modp-length")
def _modp_values_are_whole(message: Message) -> Iterator[str]:
    for payload in message.all(KE):
        group = MODP_GROUPS.get(KeyExchangeMethod(payload.group))
        if group is not None and len(payload.data) != group.size:
            yield f"{group.number.name} with {len(payload.data)} octets"


@of_message("rfc7296-3.9-nonce-size")
def _nonces_are_in_range(message: Message) -> Iterator[str]:
    for nonce in message.all(Nonce):
        if not 16 <= len(nonce.data) <= 256:
            yield f"a nonce of {len(nonce.data)} octets"


@of_message("rfc7296-2.10-nonce-size")
def _nonces_suit_the_prf(message: Message) -> Iterator[str]:
    sizes = [_prf_size(t.id) for p, _ in _proposals(message) for t in p.of(TransformType.PRF)]
    for nonce in message.all(Nonce):
        if 2 * len(nonce.data) < max(sizes, default=0):
            yield f"a nonce of {len(nonce.data)} octets for a PRF whose key has {max(sizes)}"


def _prf_size(number: int) -> int:
    """Give a PRF's preferred key size, 0 for one that we do not know."""
    try:
        return prf_size(Prf(number))
    except ScriptError:
        return 0


# Notifies (RFC 7296, 2.22 and 3.10).


@of_message("rfc7296-3.10-protocol-zero-without-spi")
def _no_protocol_without_spi(message: Message) -> Iterator[str]:
    for notify in message.all(Notify):
        if not notify.spi and notify.protocol:
            yield f"N({notify.notify_type}) without an SPI has protocol {notify.protocol!s}"


@of_message("rfc7296-3.10-ike-notify-without-spi")
def _no_spi_of_the_ike_sa(message: Message) -> Iterator[str]:
    for notify in message.all(Notify):
        if notify.spi and notify.protocol not in (ProtocolId.AH, ProtocolId.ESP):
            yield f"N({notify.notify_type}) has an SPI of {len(notify.spi)} octets"


_OF_CHILD_SAS = frozenset(
    {NotifyType.REKEY_SA, NotifyType.CHILD_SA_NOT_FOUND, NotifyType.INVALID_SELECTORS}
)
"""The notifies that have the SPI of a Child SA (RFC 7296, 3.10)."""


@of_message("rfc7296-3.10-child-notify-names-protocol")
def _names_protocol_of_child(message: Message) -> Iterator[str]:
    for notify in message.all(Notify):
        ours = notify.notify_type in _OF_CHILD_SAS
        if ours and notify.spi and notify.protocol not in (ProtocolId.AH, ProtocolId.ESP):
            yield f"N({notify.notify_type}) has protocol {notify.protocol!s}"


@of_message("rfc7296-2.22-ipcomp-only-beside-sa")
def _compression_is_negotiated_with_sas(message: Message) -> Iterator[str]:
    if NotifyType.IPCOMP_SUPPORTED in message.notifies and not message.has(SA):
        yield f"{message.title} with N(IPCOMP_SUPPORTED) and no SA payload"


# Identities and certificates (RFC 7296, 3.5 to 3.7).

_TERMINATORS = b"\0\r\n"


@of_message("rfc7296-3.5-no-terminator")
def _names_have_no_terminator(message: Message) -> Iterator[str]:
    for identity in (*message.all(IDi), *message.all(IDr)):
        is_name = identity.id_type in (IdType.ID_FQDN, IdType.ID_RFC822_ADDR)
        if is_name and set(identity.data) & set(_TERMINATORS):
            yield f"{identity.label()} with a terminator: {identity.data!r}"


_REQUESTED = frozenset(
    {
        CertEncoding.X509_SIGNATURE,
        CertEncoding.HASH_AND_URL_X509,
        CertEncoding.HASH_AND_URL_BUNDLE,
        CertEncoding.OCSP_CONTENT,
        CertEncoding.RAW_PUBLIC_KEY,
    }
)
"""What CERTREQ may ask for (RFC 7296, 3.7; RFC 4806, 3; RFC 7670, 3)."""

_SENT = _REQUESTED | {CertEncoding.CRL}
"""What CERT may hold: what 3.6 calls unspecified is not to be used (3)."""


@of_message("rfc7296-3.7-known-encodings-only")
def _encodings_are_specified(message: Message) -> Iterator[str]:
    for kind, specified in ((CERT, _SENT), (CERTREQ, _REQUESTED)):
        for payload in message.all(kind):
            if payload.encoding not in specified:
                yield f"{payload.label()} of encoding {payload.encoding!s}"


# Selectors (RFC 7296, 3.13).


@of_message("rfc7296-3.13-number-of-selectors")
def _has_selectors(message: Message) -> Iterator[str]:
    for payload in (*message.all(TSi), *message.all(TSr)):
        if not payload.selectors:
            yield f"{payload.label()} without a selector"


@of_message("rfc7296-3.13.1-all-ports")
def _has_all_ports_without_protocol(message: Message) -> Iterator[str]:
    for payload in (*message.all(TSi), *message.all(TSr)):
        for selector in payload.ranges:
            ports = selector.start_port, selector.end_port
            if selector.ip_protocol == IpProtocol.ANY and ports != (0, 65535):
                yield f"a selector of any protocol with the ports {_shown(selector)}"


def _shown(selector: TrafficSelector) -> str:
    version = 4 if isinstance(selector.start_address, IPv4Address) else 6
    return f"{selector.start_port}-{selector.end_port} (IPv{version})"
