"""The closed catalogue of planted faults: ways for the embedded endpoint to be wrong.

Each is a subclass of `Decisions` that takes one decision wrongly; its docstring says how in one
sentence. ``bug`` is the number of the bug from the field that it reproduces, where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from peers.reference import ip
from peers.reference.child import USE_TRANSPORT_MODE, ChildSa, ChildTerms, first_host
from peers.reference.connection import Connection, Mode
from peers.reference.decisions import Decisions, MessageId
from peers.reference.errors import IntegrityFailure, PeerError, ScriptError
from peers.reference.esp import EspPacket, InboundSa, ReplayWindow
from peers.reference.initial import offered_groups, with_cookie
from peers.reference.keys import IkeKeys
from peers.reference.message import Header, Message
from peers.reference.numbers import (
    ExchangeType,
    KeyExchangeMethod,
    NotifyType,
    ProtocolId,
    TransformType,
)
from peers.reference.payloads import (
    AUTH,
    KE,
    SA,
    Delete,
    Nonce,
    Notify,
    Payload,
    Proposal,
    TrafficSelector,
    Transform,
    Unknown,
    VendorID,
)
from peers.reference.sa import IkeSa

CATALOGUE: dict[str, type[Decisions]] = {}

FUNDAMENTAL: set[str] = set()
"""Faults that break what many tests stand on: they turn more tests red than those that name them."""


def fault(name: str, *, fundamental: bool = False) -> Callable[[type[Decisions]], type[Decisions]]:
    """Enter a fault into the catalogue."""

    def enter(cls: type[Decisions]) -> type[Decisions]:
        CATALOGUE[name] = cls
        if fundamental:
            FUNDAMENTAL.add(name)
        return cls

    return enter


def find(name: str) -> type[Decisions]:
    """Look a fault up; ScriptError names those that there are."""
    try:
        return CATALOGUE[name]
    except KeyError:
        known = ", ".join(sorted(CATALOGUE))
        raise ScriptError(f"no fault is called {name!r}; there are {known}") from None


# The header (RFC 7296, 3.1 and 2.5).


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


# Unknown payloads (RFC 7296, 2.5).


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


# Cookies (RFC 7296, 2.6).


@fault("accepts-any-cookie")
class AcceptsAnyCookie(Decisions):
    """Any cookie at all is taken for the right one."""

    def cookie_is_right(self, cookie: bytes, expected: bytes) -> bool:
        return True


@fault("refuses-its-own-cookie")
class RefusesItsOwnCookie(Decisions):
    """The cookie that comes back is never taken for the right one."""

    def cookie_is_right(self, cookie: bytes, expected: bytes) -> bool:
        return False


@fault("sends-over-long-cookie")
class SendsOverLongCookie(Decisions):
    """The cookie is 65 octets long."""

    def edit(self, message: Message) -> Message:
        cookie = message.find_notify(NotifyType.COOKIE)
        if cookie is None or not message.response:
            return message
        return replace(message, payloads=(replace(cookie, data=cookie.data.ljust(65, b"x")),))

    def cookie_is_right(self, cookie: bytes, expected: bytes) -> bool:
        return cookie == expected.ljust(65, b"x")


@fault("sends-responder-spi-with-cookie")
class SendsResponderSpiWithCookie(Decisions):
    """The response that asks for a cookie carries a responder SPI."""

    def edit(self, message: Message) -> Message:
        challenge = message.response and message.find_notify(NotifyType.COOKIE)
        return replace(message, spi_r=b"\x01" * 8) if challenge else message


@fault("returns-cookie-last")
class ReturnsCookieLast(Decisions):
    """The retry carries the cookie behind the other payloads."""

    def retry_with_cookie(self, sa: IkeSa, request: Message, cookie: bytes) -> Message:
        first, *rest = with_cookie(request, cookie).payloads
        return replace(request, payloads=(*rest, first))


@fault("draws-new-nonce-for-cookie-retry")
class DrawsNewNonceForCookieRetry(Decisions):
    """The retry with a cookie carries another nonce than the first request."""

    def retry_with_cookie(self, sa: IkeSa, request: Message, cookie: bytes) -> Message:
        sa.nonce = sa.random(32)
        return with_cookie(request.replacing(Nonce(sa.nonce)), cookie)


# Negotiation (RFC 7296, 1.2, 1.3 and 2.7).


@fault("swaps-octets-of-group-asked-for")
class SwapsOctetsOfGroupAskedFor(Decisions):
    """INVALID_KE_PAYLOAD names the group in little-endian order."""

    def wrong_group(self, group: KeyExchangeMethod) -> Notify:
        return Notify(NotifyType.INVALID_KE_PAYLOAD, group.to_bytes(2, "little"))


@fault("refuses-wrong-group-outright")
class RefusesWrongGroupOutright(Decisions):
    """NO_PROPOSAL_CHOSEN answers a KE payload of the wrong group (F18)."""

    def wrong_group(self, group: KeyExchangeMethod) -> Notify:
        return Notify(NotifyType.NO_PROPOSAL_CHOSEN)


@fault("retries-with-same-group")
class RetriesWithSameGroup(Decisions):
    """INVALID_KE_PAYLOAD makes the initiator repeat its request as it was."""

    def retry_with_group(self, sa: IkeSa, request: Message, group: KeyExchangeMethod) -> Message:
        return request


@fault("narrows-offer-on-retry")
class NarrowsOfferOnRetry(Decisions):
    """The retry with another group offers that group alone."""

    def retry_with_group(self, sa: IkeSa, request: Message, group: KeyExchangeMethod) -> Message:
        retry = super().retry_with_group(sa, request, group)
        offer = tuple(_with_only(proposal, group) for proposal in retry.get(SA).proposals)
        return retry.replacing(SA(offer))


def _with_only(proposal: Proposal, group: KeyExchangeMethod) -> Proposal:
    kept = (t for t in proposal.transforms if t.type != TransformType.KE or t.id == group)
    return replace(proposal, transforms=tuple(kept))


@fault("follows-any-group")
class FollowsAnyGroup(Decisions):
    """INVALID_KE_PAYLOAD is obeyed though it names a group that was not offered."""

    def follows_group(self, request: Message, group: int) -> bool:
        return True

    def retry_with_group(self, sa: IkeSa, request: Message, group: KeyExchangeMethod) -> Message:
        if super().follows_group(request, group):
            return super().retry_with_group(sa, request, group)
        return request.replacing(KE(group, sa.random(256)))


@fault("chooses-what-it-does-not-allow")
class ChoosesWhatItDoesNotAllow(Decisions):
    """An offer with nothing acceptable in it is granted all the same."""

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        chosen = super().choose(offered, acceptable)
        return chosen or super().choose(offered, offered.proposals)


@fault("always-chooses-number-one")
class AlwaysChoosesNumberOne(Decisions):
    """The chosen proposal carries number 1 whichever it was."""

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        chosen = super().choose(offered, acceptable)
        return chosen and replace(chosen, number=1)


@fault("chooses-two-ciphers")
class ChoosesTwoCiphers(Decisions):
    """The response lists every acceptable cipher of the chosen proposal where there are two."""

    def edit(self, message: Message) -> Message:
        if self._ciphers and message.response and message.exchange == ExchangeType.IKE_SA_INIT:
            chosen = message.get(SA).proposals[0]
            return message.replacing(
                SA((replace(chosen, transforms=(*chosen.transforms, *self._ciphers)),))
            )
        return message

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        chosen = super().choose(offered, acceptable)
        if chosen is not None and any(t.type == TransformType.PRF for t in chosen.transforms):
            theirs = next(p for p in offered.proposals if p.number == chosen.number)
            ciphers = theirs.of(TransformType.ENCR)
            self._ciphers = tuple(t for t in ciphers if t not in chosen.transforms)
        return chosen

    _ciphers: tuple[Transform, ...] = ()


@fault("drops-key-length")
class DropsKeyLength(Decisions):
    """A cipher that was offered with several key lengths is sent back without any."""

    _ambiguous = False

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        ciphers = [t.id for p in offered.proposals for t in p.of(TransformType.ENCR)]
        self._ambiguous = len(set(ciphers)) < len(ciphers)
        return super().choose(offered, acceptable)

    def edit(self, message: Message) -> Message:
        if not self._ambiguous or message.protected or not message.has(SA):
            return message
        chosen = message.get(SA).proposals[0]
        bare = tuple(replace(transform, attributes=()) for transform in chosen.transforms)
        return message.replacing(SA((replace(chosen, transforms=bare),)))


@fault("offers-in-reverse-order")
class OffersInReverseOrder(Decisions):
    """The initiator lists its proposals from the least to the most preferred."""

    def edit(self, message: Message) -> Message:
        if message.response or message.exchange != ExchangeType.IKE_SA_INIT:
            return message
        turned = enumerate(reversed(message.get(SA).proposals), 1)
        return message.replacing(SA(tuple(replace(p, number=number) for number, p in turned)))


@fault("numbers-proposals-from-zero")
class NumbersProposalsFromZero(Decisions):
    """The initiator numbers its proposals from 0 where there are several."""

    def edit(self, message: Message) -> Message:
        if message.response or message.exchange != ExchangeType.IKE_SA_INIT:
            return message
        offered = message.get(SA).proposals
        if len(offered) < 2:
            return message
        return message.replacing(SA(tuple(replace(p, number=p.number - 1) for p in offered)))


@fault("uses-ungranted-transport-mode")
class UsesUngrantedTransportMode(Decisions):
    """The initiator goes on in transport mode though the response does not grant it."""

    def mode(self, connection: Connection, request: Message) -> Mode | None:
        return connection.mode if request.response else super().mode(connection, request)


@fault("grants-transport-mode-unasked")
class GrantsTransportModeUnasked(Decisions):
    """The response to a request for tunnel mode carries USE_TRANSPORT_MODE."""

    def edit(self, message: Message) -> Message:
        grants = message.response and message.exchange == ExchangeType.IKE_AUTH
        return message + USE_TRANSPORT_MODE if grants and self._asked_for_tunnel else message

    def mode(self, connection: Connection, request: Message) -> Mode | None:
        mode = super().mode(connection, request)
        self._asked_for_tunnel = mode is Mode.TUNNEL
        return mode

    _asked_for_tunnel = False


@fault("refuses-second-proposal")
class RefusesSecondProposal(Decisions):
    """Only the first proposal of an offer for a Child SA is looked at."""

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        if offered.proposals and offered.proposals[0].protocol == ProtocolId.ESP:
            offered = SA(offered.proposals[:1])
        return super().choose(offered, acceptable)


@fault("wants-first-offered-group")
class WantsFirstOfferedGroup(Decisions):
    """A KE payload is refused unless it is of the first group of the offer."""

    _first = 0

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        self._first = next(iter(offered_groups(offered)), KeyExchangeMethod.NONE)
        return super().choose(offered, acceptable)

    def minds_group(self, got: int, chosen: KeyExchangeMethod) -> bool:
        return got != self._first or super().minds_group(got, chosen)


@fault("grants-transport-mode-silently")
class GrantsTransportModeSilently(Decisions):
    """A request for transport mode is granted without USE_TRANSPORT_MODE in the response."""

    def edit(self, message: Message) -> Message:
        if not message.response:
            return message
        kept = tuple(payload for payload in message.payloads if payload != USE_TRANSPORT_MODE)
        return replace(message, payloads=kept)


@fault("does-not-ask-for-transport-mode")
class DoesNotAskForTransportMode(Decisions):
    """The initiator leaves USE_TRANSPORT_MODE out of its request."""

    def edit(self, message: Message) -> Message:
        if message.response:
            return message
        kept = tuple(payload for payload in message.payloads if payload != USE_TRANSPORT_MODE)
        return replace(message, payloads=kept)


@fault("closes-ike-sa-without-child")
class ClosesIkeSaWithoutChild(Decisions):
    """An IKE SA is given up when the Child SA asked for in IKE_AUTH is refused."""

    def keeps_ike_sa_without_child(self) -> bool:
        return False


@fault("closes-ike-sa-after-refused-child")
class ClosesIkeSaAfterRefusedChild(Decisions):
    """An IKE SA is given up when CREATE_CHILD_SA does not agree on a Child SA."""

    def keeps_ike_sa_after_refusal(self, request: Message) -> bool:
        return request.exchange != ExchangeType.CREATE_CHILD_SA


@fault("narrows-to-one-host")
class NarrowsToOneHost(Decisions):
    """An offer that the configuration allows whole is narrowed to its first address."""

    def narrow(
        self, offered: Sequence[TrafficSelector], allowed: Sequence[TrafficSelector]
    ) -> tuple[TrafficSelector, ...]:
        return tuple(
            replace(entry, start_address=first_host([entry]), end_address=first_host([entry]))
            for entry in super().narrow(offered, allowed)
        )


@fault("does-not-narrow")
class DoesNotNarrow(Decisions):
    """Selectors wider than the configuration are granted as they were asked for."""

    def narrow(
        self, offered: Sequence[TrafficSelector], allowed: Sequence[TrafficSelector]
    ) -> tuple[TrafficSelector, ...]:
        return tuple(offered) if super().narrow(offered, allowed) else ()


@fault("calls-selectors-a-proposal")
class CallsSelectorsAProposal(Decisions):
    """Unacceptable selectors are answered with NO_PROPOSAL_CHOSEN."""

    def edit(self, message: Message) -> Message:
        refusal = message.find_notify(NotifyType.TS_UNACCEPTABLE)
        if refusal is None:
            return message
        return message.without(Notify) + Notify(NotifyType.NO_PROPOSAL_CHOSEN)


# Keys and authentication (RFC 7296, 2.15 to 2.17).


@fault("swaps-child-keys", fundamental=True)
class SwapsChildKeys(Decisions):
    """The keys of the two directions of a Child SA are exchanged."""

    def child(
        self,
        terms: ChildTerms,
        connection: Connection,
        keys: IkeKeys,
        nonces: tuple[bytes, bytes],
        shared: bytes = b"",
    ) -> ChildSa:
        child = super().child(terms, connection, keys, nonces, shared)
        inbound, outbound = child.inbound, child.outbound
        inbound.protection, outbound.protection = outbound.protection, inbound.protection
        return child


@fault("derives-later-child-from-first-nonces")
class DerivesLaterChildFromFirstNonces(Decisions):
    """A Child SA of CREATE_CHILD_SA takes its keys from the nonces of the first Child SA."""

    _first: tuple[bytes, bytes] | None = None

    def child(
        self,
        terms: ChildTerms,
        connection: Connection,
        keys: IkeKeys,
        nonces: tuple[bytes, bytes],
        shared: bytes = b"",
    ) -> ChildSa:
        self._first = self._first or nonces
        return super().child(terms, connection, keys, self._first, shared)


@fault("accepts-any-auth")
class AcceptsAnyAuth(Decisions):
    """The AUTH payload is not compared with what is expected (F57)."""

    def authentic(self, auth: AUTH, expected: bytes) -> bool:
        return True


@fault("refuses-auth-with-invalid-syntax")
class RefusesAuthWithInvalidSyntax(Decisions):
    """A wrong AUTH payload is answered with INVALID_SYNTAX."""

    def authentication_refusal(self) -> tuple[Payload, ...]:
        return (Notify(NotifyType.INVALID_SYNTAX),)


@fault("keeps-ike-sa-after-wrong-auth")
class KeepsIkeSaAfterWrongAuth(Decisions):
    """An IKE SA is kept although the other side failed to authenticate."""

    def keeps_unauthenticated(self) -> bool:
        return True


@fault("takes-any-identity")
class TakesAnyIdentity(Decisions):
    """The shared secret of one identity authenticates every other one."""

    def knows_identity(self, identity: bytes, expected: bytes) -> bool:
        return True


# Message IDs and retransmission (RFC 7296, 2.1 to 2.4).


@fault("draws-new-nonce-for-repeated-response")
class DrawsNewNonceForRepeatedResponse(Decisions):
    """A repeated IKE_SA_INIT request gets a response with another nonce."""

    def repeat_response(self, sa: IkeSa, response: bytes, message: Message) -> bytes:
        if message.protected or not message.has(Nonce):
            return response
        return message.replacing(Nonce(sa.random(32))).encode()


@fault("reseals-repeated-response")
class ResealsRepeatedResponse(Decisions):
    """A repeated request gets its response encrypted anew, with another IV."""

    def repeat_response(self, sa: IkeSa, response: bytes, message: Message) -> bytes:
        return sa.encode(message) if message.protected else response


@fault("reseals-repeated-request")
class ResealsRepeatedRequest(Decisions):
    """A request is retransmitted encrypted anew, with another IV."""

    def repeat_request(self, sa: IkeSa, octets: bytes, message: Message) -> bytes:
        return sa.encode(message)


@fault("answers-any-message-id")
class AnswersAnyMessageId(Decisions):
    """A request is answered whatever its Message ID is (F66)."""

    def place(self, message_id: int, expected: int) -> MessageId:
        place = super().place(message_id, expected)
        return MessageId.NEXT if place is MessageId.OUTSIDE else place


@fault("never-retransmits")
class NeverRetransmits(Decisions):
    """A request of ours is sent once, and waits for its response for ever."""

    def retransmits(self) -> bool:
        return False


@fault("refuses-ninth-message")
class RefusesNinthMessage(Decisions):
    """Requests are answered up to Message ID 7 and no further."""

    def place(self, message_id: int, expected: int) -> MessageId:
        return MessageId.OUTSIDE if message_id == 8 else super().place(message_id, expected)


@fault("believes-unprotected-notify")
class BelievesUnprotectedNotify(Decisions):
    """An INVALID_IKE_SPI that anybody can send in the clear ends the IKE SA."""

    def believes(self, message: Message) -> bool:
        return NotifyType.INVALID_IKE_SPI in message.notifies


@fault("closes-ike-sa-on-forgery")
class ClosesIkeSaOnForgery(Decisions):
    """A message that fails its integrity check closes the IKE SA."""

    def survives_forgery(self) -> bool:
        return False


# Informational exchanges (RFC 7296, 1.4).


@fault("answers-liveness-with-vendor-id")
class AnswersLivenessWithVendorId(Decisions):
    """The response to an empty INFORMATIONAL request is not empty."""

    def informational_answer(self, request: Message) -> tuple[Payload, ...]:
        return () if request.payloads else (VendorID(b"alive"),)


@fault("fills-its-liveness-checks")
class FillsItsLivenessChecks(Decisions):
    """A liveness check of ours carries a payload."""

    def edit(self, message: Message) -> Message:
        informational = message.exchange == ExchangeType.INFORMATIONAL
        if informational and not message.response and not message.payloads:
            return message + VendorID(b"alive?")
        return message


@fault("answers-delete-with-peers-spi")
class AnswersDeleteWithPeersSpi(Decisions):
    """The answer to a Delete repeats the SPIs instead of naming those of the other direction."""

    def delete_answer(self, closed: Sequence[ChildSa]) -> tuple[Payload, ...]:
        return tuple(
            replace(payload, spis=tuple(child.outbound.spi for child in closed))
            for payload in super().delete_answer(closed)
            if isinstance(payload, Delete)
        )


@fault("keeps-deleted-child")
class KeepsDeletedChild(Decisions):
    """A Child SA that was deleted goes on to carry traffic."""

    def forgets_child(self) -> bool:
        return False


@fault("keeps-deleted-ike-sa")
class KeepsDeletedIkeSa(Decisions):
    """An IKE SA that was deleted goes on to answer."""

    def deletes_ike_sa(self, message: Message) -> bool:
        return False


@fault("answers-ike-delete-with-delete")
class AnswersIkeDeleteWithDelete(Decisions):
    """The response to a Delete of the IKE SA repeats the Delete payload."""

    def informational_answer(self, request: Message) -> tuple[Payload, ...]:
        return request.all(Delete) if self.deletes_ike_sa(request) else ()


@fault("deletes-child-by-peers-spi")
class DeletesChildByPeersSpi(Decisions):
    """A Delete of ours names the SPI of traffic towards the peer."""

    def own_delete_spi(self, child: ChildSa) -> bytes:
        return child.outbound.spi


@fault("deletes-ike-sa-with-spi")
class DeletesIkeSaWithSpi(Decisions):
    """A Delete of the IKE SA carries its SPI, which the header has already."""

    def edit(self, message: Message) -> Message:
        if message.response or not self.deletes_ike_sa(message):
            return message
        return message.replacing(replace(message.get(Delete), spis=(message.spi_i,)))


# ESP (RFC 4303; RFC 4301, 5.2).


@fault("starts-esp-at-zero")
class StartsEspAtZero(Decisions):
    """The first ESP packet of an SA has sequence number 0."""

    def seal_esp(self, child: ChildSa, inner: ip.IpPacket, iv: bytes) -> bytes:
        child.outbound.sequence += 1
        return child.seal(inner, iv, sequence=child.outbound.sequence - 1)


@fault("pads-esp-with-zeros")
class PadsEspWithZeros(Decisions):
    """The padding of ESP packets is zeros instead of 1, 2, 3, ..."""

    def seal_esp(self, child: ChildSa, inner: ip.IpPacket, iv: bytes) -> bytes:
        return child.seal(inner, iv, padding=lambda size: bytes(size))


@fault("counts-esp-by-two")
class CountsEspByTwo(Decisions):
    """The sequence number of ESP packets rises by two."""

    def seal_esp(self, child: ChildSa, inner: ip.IpPacket, iv: bytes) -> bytes:
        octets = super().seal_esp(child, inner, iv)
        child.outbound.sequence += 1
        return octets


@fault("checks-no-icv")
class ChecksNoIcv(Decisions):
    """An ESP packet in which one bit was changed is delivered as if it were whole."""

    def open_esp(self, child: ChildSa, octets: bytes) -> EspPacket:
        try:
            return super().open_esp(child, octets)
        except IntegrityFailure:
            return self._mended(child, octets)

    def _mended(self, child: ChildSa, octets: bytes) -> EspPacket:
        for at in range(4, len(octets)):
            for bit in range(8):
                changed = bytearray(octets)
                changed[at] ^= 1 << bit
                try:
                    return super().open_esp(child, bytes(changed))
                except PeerError:
                    continue
        raise IntegrityFailure("more than one bit was changed")


@fault("compares-esp-icv-short")
class ComparesEspIcvShort(Decisions):
    """The last octet of an ESP packet's ICV is not compared."""

    def open_esp(self, child: ChildSa, octets: bytes) -> EspPacket:
        for last in range(256):
            try:
                return super().open_esp(child, octets[:-1] + bytes([last]))
            except IntegrityFailure:
                continue
        raise IntegrityFailure("the ICV is wrong before its last octet")


@fault("delivers-replayed-esp")
class DeliversReplayedEsp(Decisions):
    """An ESP packet is delivered as often as it arrives."""

    def open_esp(self, child: ChildSa, octets: bytes) -> EspPacket:
        return _without_window(child).open(octets)


def _without_window(child: ChildSa) -> InboundSa:
    return InboundSa(child.inbound.spi, child.inbound.protection, None)


@fault("window-one-packet-too-wide")
class WindowOnePacketTooWide(Decisions):
    """The replay window reaches one packet further to the left than configured."""

    def replay_window(self, connection: Connection) -> ReplayWindow:
        return ReplayWindow(connection.replay_window + 1)


@fault("window-one-packet-too-narrow")
class WindowOnePacketTooNarrow(Decisions):
    """The replay window ends one packet before its left edge."""

    def replay_window(self, connection: Connection) -> ReplayWindow:
        return ReplayWindow(connection.replay_window - 1)


@fault("moves-window-before-icv")
class MovesWindowBeforeIcv(Decisions):
    """A packet moves the replay window before its integrity has been checked."""

    def open_esp(self, child: ChildSa, octets: bytes) -> EspPacket:
        sequence = int.from_bytes(octets[4:8], "big")
        window = child.inbound.window
        assert window is not None
        window.check(sequence)
        window.advance(sequence)
        return _without_window(child).open(octets)


@fault("looks-no-spi-up")
class LooksNoSpiUp(Decisions):
    """An ESP packet with an unknown SPI is given to the newest Child SA."""

    def esp_child(self, children: Sequence[ChildSa], spi: bytes) -> ChildSa | None:
        return super().esp_child(children, spi) or (children[-1] if children else None)

    def open_esp(self, child: ChildSa, octets: bytes) -> EspPacket:
        if octets[:4] == child.inbound.spi:
            return super().open_esp(child, octets)
        stray = InboundSa(octets[:4], child.inbound.protection, None)
        return stray.open(octets)


@fault("ignores-selectors-of-inbound-packets")
class IgnoresSelectorsOfInboundPackets(Decisions):
    """An inner packet is delivered whatever its addresses are."""

    def admits(self, child: ChildSa, inner: ip.IpPacket) -> bool:
        return True


@fault("admits-first-host-only")
class AdmitsFirstHostOnly(Decisions):
    """Only the first host of a network of the selectors is allowed to speak."""

    def admits(self, child: ChildSa, inner: ip.IpPacket) -> bool:
        return inner.source == first_host(child.terms.remote_selectors)
