"""Planted faults: what is wrong with messages of ours whatever they are about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import ClassVar, TypeVar

from peers.reference.decisions import Decisions
from peers.reference.faults import (
    HeaderLength,
    InitiatorFlag,
    ReservedFields,
    ResponseFlag,
    UnannouncedOctets,
)
from peers.reference.message import Message
from peers.reference.numbers import (
    AttributeType,
    CertEncoding,
    ExchangeType,
    Integ,
    KeyExchangeMethod,
    NotifyType,
    ProtocolId,
    TransformType,
)
from peers.reference.payloads import (
    AUTH,
    CERTREQ,
    KE,
    SA,
    Attribute,
    IDi,
    IDr,
    Nonce,
    Notify,
    Payload,
    Proposal,
    Transform,
    TSi,
)
from peers.reference.planted.catalogue import fault


class Edits(Decisions):
    """Changes messages of ours of one exchange: requests, responses, or both."""

    EXCHANGE: ClassVar[ExchangeType] = ExchangeType.IKE_SA_INIT
    RESPONSE: ClassVar[bool | None] = None

    def edit(self, message: Message) -> Message:
        """Change a message that is meant."""
        meant = message.exchange == self.EXCHANGE and self.RESPONSE in (None, message.response)
        return self.change(message) if meant else message

    def change(self, message: Message) -> Message:
        """Make the error."""
        return message


P = TypeVar("P", bound=Payload)


def _each(message: Message, kind: type[P], change: Callable[[P], Payload]) -> Message:
    payloads = (change(each) if isinstance(each, kind) else each for each in message.payloads)
    return replace(message, payloads=tuple(payloads))


class EditsProposals(Edits):
    """Changes each proposal of the messages that are meant."""

    def change(self, message: Message) -> Message:
        """Change the proposals."""
        return _each(message, SA, lambda sa: SA(tuple(map(self.proposal, sa.proposals))))

    def proposal(self, proposal: Proposal) -> Proposal:
        """Make the error in a proposal."""
        return proposal


class EditsCiphers(EditsProposals):
    """Changes the attributes of each cipher."""

    def proposal(self, proposal: Proposal) -> Proposal:
        """Change the ciphers."""
        return replace(proposal, transforms=tuple(map(self._cipher, proposal.transforms)))

    def _cipher(self, transform: Transform) -> Transform:
        if transform.type != TransformType.ENCR:
            return transform
        return replace(transform, attributes=self.attributes(transform.attributes))

    def attributes(self, attributes: tuple[Attribute, ...]) -> tuple[Attribute, ...]:
        """Make the error in the attributes."""
        return attributes


def _with(proposal: Proposal, transform: Transform) -> Proposal:
    return replace(proposal, transforms=(*proposal.transforms, transform))


# The header and the message as a whole.


@fault("answers-liveness-in-clear")
class AnswersLivenessInClear(Edits):
    """The response to an INFORMATIONAL request has no Encrypted payload."""

    EXCHANGE, RESPONSE = ExchangeType.INFORMATIONAL, True

    def change(self, message: Message) -> Message:
        return replace(message, protected=False)


@fault("asks-in-clear")
class AsksInClear(Edits):
    """A CREATE_CHILD_SA request has no Encrypted payload."""

    EXCHANGE, RESPONSE = ExchangeType.CREATE_CHILD_SA, False

    def change(self, message: Message) -> Message:
        return replace(message, protected=False)


@fault("sends-minor-version-1")
class SendsMinorVersion1(Edits):
    """Our IKE_SA_INIT messages have minor version 1."""

    def change(self, message: Message) -> Message:
        return replace(message, minor=1)


@fault("opens-with-responder-spi")
class OpensWithResponderSpi(Edits):
    """Our first message has a responder SPI."""

    RESPONSE = False

    def change(self, message: Message) -> Message:
        return replace(message, spi_r=b"too soon")


@fault("opens-with-zero-spi")
class OpensWithZeroSpi(Edits):
    """Our first message has an initiator SPI of zero."""

    RESPONSE = False

    def change(self, message: Message) -> Message:
        return replace(message, spi_i=bytes(8))


@fault("clears-its-response-flag")
class ClearsItsResponseFlag(Edits):
    """Our IKE_SA_INIT messages have the other Response flag."""

    def change(self, message: Message) -> Message:
        return message.with_fault(ResponseFlag())


@fault("inverts-its-initiator-flag")
class InvertsItsInitiatorFlag(Edits):
    """Our messages of CREATE_CHILD_SA have the other side's Initiator flag."""

    EXCHANGE = ExchangeType.CREATE_CHILD_SA

    def change(self, message: Message) -> Message:
        return message.with_fault(InitiatorFlag())


@fault("counts-four-octets-too-many")
class CountsFourOctetsTooMany(Edits):
    """The Length of our IKE_SA_INIT messages is four more than they have."""

    def change(self, message: Message) -> Message:
        return message.with_fault(HeaderLength(by=4))


@fault("leaves-octets-behind-the-chain")
class LeavesOctetsBehindTheChain(Edits):
    """Behind the last payload of our IKE_SA_INIT messages come octets that none announces."""

    def change(self, message: Message) -> Message:
        return message.with_fault(UnannouncedOctets(b"stray"))


@fault("answers-with-another-message-id")
class AnswersWithAnotherMessageId(Edits):
    """The Message ID of a response to INFORMATIONAL is far from that of its request."""

    EXCHANGE, RESPONSE = ExchangeType.INFORMATIONAL, True

    def change(self, message: Message) -> Message:
        return replace(message, message_id=message.message_id + 1000)


@fault("skips-message-ids")
class SkipsMessageIds(Edits):
    """A CREATE_CHILD_SA request has a Message ID that is not the next one."""

    EXCHANGE, RESPONSE = ExchangeType.CREATE_CHILD_SA, False

    def change(self, message: Message) -> Message:
        return replace(message, message_id=message.message_id + 5)


# Payloads.


@fault("sets-reserved-fields")
class SetsReservedFields(Edits):
    """The RESERVED fields of proposals and transforms are set in IKE_AUTH."""

    EXCHANGE = ExchangeType.IKE_AUTH

    def change(self, message: Message) -> Message:
        return message.with_fault(ReservedFields(SA)) if message.has(SA) else message


@fault("marks-nonces-critical")
class MarksNoncesCritical(Edits):
    """Nonce payloads have the critical bit."""

    def change(self, message: Message) -> Message:
        return _each(message, Nonce, lambda nonce: replace(nonce, critical=True))


@fault("sends-payloads-backwards")
class SendsPayloadsBackwards(Edits):
    """The payloads of IKE_AUTH stand in reverse order."""

    EXCHANGE = ExchangeType.IKE_AUTH

    def change(self, message: Message) -> Message:
        return replace(message, payloads=message.payloads[::-1])


@fault("cuts-its-modp-value")
class CutsItsModpValue(Edits):
    """A public value comes without its first octet, as if that were a zero to be dropped."""

    def change(self, message: Message) -> Message:
        return _each(message, KE, lambda ke: replace(ke, data=ke.data[1:]))


@fault("draws-short-nonces")
class DrawsShortNonces(Edits):
    """Our nonces have eight octets."""

    def change(self, message: Message) -> Message:
        return _each(message, Nonce, lambda nonce: Nonce(b"too few!"))


@fault("uses-one-nonce-for-all")
class UsesOneNonceForAll(Edits):
    """Every CREATE_CHILD_SA message of ours has the same nonce."""

    EXCHANGE = ExchangeType.CREATE_CHILD_SA

    def change(self, message: Message) -> Message:
        return _each(message, Nonce, lambda nonce: Nonce(bytes(32)))


@fault("names-ike-in-notifies")
class NamesIkeInNotifies(Edits):
    """A Notify about the IKE SA names the protocol IKE, though it has no SPI."""

    def change(self, message: Message) -> Message:
        return message + Notify(NotifyType.MOBIKE_SUPPORTED, protocol=ProtocolId.IKE)


@fault("puts-ike-spi-into-notifies")
class PutsIkeSpiIntoNotifies(Edits):
    """A Notify about the IKE SA carries its SPI."""

    def change(self, message: Message) -> Message:
        return message + Notify(NotifyType.MOBIKE_SUPPORTED, b"", ProtocolId.IKE, message.spi_i)


@fault("sends-ipcomp-without-an-offer")
class SendsIpcompWithoutAnOffer(Edits):
    """Our INFORMATIONAL messages advertise IPComp, though they negotiate nothing."""

    EXCHANGE = ExchangeType.INFORMATIONAL

    def change(self, message: Message) -> Message:
        return message + Notify(NotifyType.IPCOMP_SUPPORTED, b"\x12\x34\x02")


@fault("names-no-protocol-of-rekeyed-child-sas", fundamental=True)
class NamesNoProtocolOfRekeyedChildSas(Edits):
    """REKEY_SA has the SPI of the Child SA, and no protocol."""

    EXCHANGE, RESPONSE = ExchangeType.CREATE_CHILD_SA, False

    def change(self, message: Message) -> Message:
        return _each(message, Notify, self._without_protocol)

    def _without_protocol(self, notify: Notify) -> Notify:
        rekeys = notify.notify_type == NotifyType.REKEY_SA
        return replace(notify, protocol=ProtocolId.NONE) if rekeys else notify


@fault("ends-names-with-zero", fundamental=True)
class EndsNamesWithZero(Edits):
    """The names in our ID payloads are sent as C has them, with the zero behind."""

    EXCHANGE = ExchangeType.IKE_AUTH

    def change(self, message: Message) -> Message:
        for kind in (IDi, IDr):
            message = _each(message, kind, lambda each: replace(each, data=each.data + b"\0"))
        return message


@fault("requests-strange-certificates")
class RequestsStrangeCertificates(Edits):
    """We ask for certificates in a wrapping whose use nobody has specified."""

    def change(self, message: Message) -> Message:
        return message + CERTREQ(CertEncoding.PKCS7_WRAPPED_X509, b"")


@fault("sends-no-selectors")
class SendsNoSelectors(Edits):
    """TSi of IKE_AUTH has no selector."""

    EXCHANGE = ExchangeType.IKE_AUTH

    def change(self, message: Message) -> Message:
        return _each(message, TSi, lambda ts: TSi(()))


@fault("limits-ports-of-any-protocol")
class LimitsPortsOfAnyProtocol(Edits):
    """A selector of any protocol has the port 0 only."""

    EXCHANGE = ExchangeType.IKE_AUTH

    def change(self, message: Message) -> Message:
        def limited(ts: TSi) -> TSi:
            return TSi(tuple(replace(each, end_port=0) for each in ts.ranges))

        return _each(message, TSi, limited)


# Proposals.


@fault("offers-a-group-in-ike-auth")
class OffersAGroupInIkeAuth(EditsProposals):
    """The offer for the first Child SA has a key exchange method (F27)."""

    EXCHANGE, RESPONSE = ExchangeType.IKE_AUTH, False

    def proposal(self, proposal: Proposal) -> Proposal:
        return _with(proposal, Transform(TransformType.KE, KeyExchangeMethod.MODP_2048))


@fault("offers-integrity-beside-aead")
class OffersIntegrityBesideAead(EditsProposals):
    """An integrity algorithm stands beside a combined-mode cipher."""

    def proposal(self, proposal: Proposal) -> Proposal:
        return _with(proposal, Transform(TransformType.INTEG, Integ.AUTH_HMAC_SHA2_256_128))


@fault("offers-none-for-integrity")
class OffersNoneForIntegrity(EditsProposals):
    """NONE stands as the only integrity algorithm beside a combined-mode cipher."""

    RESPONSE = False

    def proposal(self, proposal: Proposal) -> Proposal:
        return _with(proposal, Transform(TransformType.INTEG, Integ.NONE))


@fault("sends-ke-of-its-second-group")
class SendsKeOfItsSecondGroup(EditsProposals):
    """Another group stands in front of that which KE is of."""

    RESPONSE = False

    def proposal(self, proposal: Proposal) -> Proposal:
        first = Transform(TransformType.KE, KeyExchangeMethod.MODP_2048)
        return replace(proposal, transforms=(first, *proposal.transforms))


@fault("leaves-the-prf-out")
class LeavesThePrfOut(EditsProposals):
    """A proposal for an IKE SA has no PRF."""

    def proposal(self, proposal: Proposal) -> Proposal:
        kept = tuple(each for each in proposal.transforms if each.type != TransformType.PRF)
        return replace(proposal, transforms=kept)


@fault("puts-an-spi-into-the-first-offer")
class PutsAnSpiIntoTheFirstOffer(EditsProposals):
    """A proposal of IKE_SA_INIT has an SPI."""

    def proposal(self, proposal: Proposal) -> Proposal:
        return replace(proposal, spi=b"8 octets")


@fault("sends-esp-spi-of-eight-octets")
class SendsEspSpiOfEightOctets(EditsProposals):
    """The SPI of an ESP SA has eight octets."""

    EXCHANGE = ExchangeType.IKE_AUTH

    def proposal(self, proposal: Proposal) -> Proposal:
        return replace(proposal, spi=proposal.spi * 2)


@fault("allocates-reserved-spis")
class AllocatesReservedSpis(EditsProposals):
    """The SPI of an ESP SA is below 256."""

    EXCHANGE = ExchangeType.IKE_AUTH

    def proposal(self, proposal: Proposal) -> Proposal:
        return replace(proposal, spi=bytes(3) + proposal.spi[3:])


@fault("sends-key-length-twice")
class SendsKeyLengthTwice(EditsCiphers):
    """A cipher has two Key Length attributes."""

    def attributes(self, attributes: tuple[Attribute, ...]) -> tuple[Attribute, ...]:
        return attributes * 2


@fault("sends-key-length-as-octets")
class SendsKeyLengthAsOctets(EditsCiphers):
    """Key Length stands in the variable-length form."""

    def attributes(self, attributes: tuple[Attribute, ...]) -> tuple[Attribute, ...]:
        return (Attribute(AttributeType.KEY_LENGTH, b"\x01\x00"),)


@fault("gives-the-prf-a-key-length")
class GivesThePrfAKeyLength(EditsProposals):
    """A PRF carries a Key Length attribute."""

    def proposal(self, proposal: Proposal) -> Proposal:
        length = (Attribute(AttributeType.KEY_LENGTH, 256),)
        return replace(
            proposal,
            transforms=tuple(
                replace(each, attributes=length) if each.type == TransformType.PRF else each
                for each in proposal.transforms
            ),
        )


@fault("puts-a-nonce-into-ike-auth")
class PutsANonceIntoIkeAuth(Edits):
    """IKE_AUTH has a nonce, as the other exchanges that make a Child SA do (F67)."""

    EXCHANGE = ExchangeType.IKE_AUTH

    def change(self, message: Message) -> Message:
        proof = message.find(AUTH)
        return message if proof is None else message + Nonce(sha256(proof.data).digest())
