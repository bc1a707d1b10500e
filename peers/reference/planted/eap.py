"""Planted faults: EAP (RFC 7296, 2.16 and 3.16; RFC 3748; RFC 5998)."""

from __future__ import annotations

from dataclasses import replace

from peers.reference.certificates import Objection
from peers.reference.decisions import Decisions
from peers.reference.eap import EapPacket
from peers.reference.keys import IkeKeys
from peers.reference.message import Message
from peers.reference.numbers import CertEncoding, EapCode, EapType, NotifyType
from peers.reference.payloads import AUTH, CERT, EAP, IDr, Notify, Payload, TSi
from peers.reference.planted.catalogue import fault
from peers.reference.traffic_selectors import traffic_selector


def _asks(message: Message) -> bool:
    """Say whether that is the first response of EAP."""
    return message.response and message.has(IDr, EAP)


def _without(message: Message, kind: type[Payload]) -> Message:
    kept = tuple(each for each in message.payloads if not isinstance(each, kind))
    return replace(message, payloads=kept)


@fault("omits-auth-before-eap")
class OmitsAuthBeforeEap(Decisions):
    """The first response of EAP has no AUTH, though a certificate is configured."""

    def edit(self, message: Message) -> Message:
        return _without(message, AUTH) if _asks(message) else message


@fault("grants-child-before-eap")
class GrantsChildBeforeEap(Decisions):
    """The first response of EAP already has a Traffic Selector payload."""

    def edit(self, message: Message) -> Message:
        if not _asks(message):
            return message
        return replace(
            message,
            payloads=(*message.payloads, TSi((traffic_selector("10.0.0.0/8"),))),
        )


@fault("proves-eap-by-sk-p")
class ProvesEapBySkP(Decisions):
    """AUTH after EAP is computed with SK_pi or SK_pr, although the method made a key."""

    def eap_secret(self, msk: bytes | None, keys: IkeKeys, *, of_initiator: bool) -> bytes:
        return keys.sk_pi if of_initiator else keys.sk_pr


@fault("proves-keyless-eap-by-nothing")
class ProvesKeylessEapByNothing(Decisions):
    """AUTH after an EAP method that makes no key is computed with an empty one."""

    def eap_secret(self, msk: bytes | None, keys: IkeKeys, *, of_initiator: bool) -> bytes:
        return msk or b""


@fault("says-eap-success-with-type")
class SaysEapSuccessWithType(Decisions):
    """EAP Success has a type after its four octets."""

    def edit(self, message: Message) -> Message:
        eap = message.find(EAP)
        if eap is None or eap.data[:1] != bytes([EapCode.SUCCESS]):
            return message
        longer = eap.data[:2] + b"\0\5" + bytes([EapType.MSCHAPV2])
        return message.replacing(EAP(longer))


@fault("takes-any-password")
class TakesAnyPassword(Decisions):
    """The response to a challenge is not compared with what it should be."""

    def accepts_response(self, expected: bytes, response: bytes) -> bool:
        return True


@fault("refuses-password-without-eap-failure")
class RefusesPasswordWithoutEapFailure(Decisions):
    """Where EAP Failure is due, AUTHENTICATION_FAILED comes instead."""

    def edit(self, message: Message) -> Message:
        eap = message.find(EAP)
        if eap is None or eap.data[:1] != bytes([EapCode.FAILURE]):
            return message
        return replace(message, payloads=(Notify(NotifyType.AUTHENTICATION_FAILED),))


@fault("goes-on-after-eap-failure")
class GoesOnAfterEapFailure(Decisions):
    """An IKE SA lives on after EAP Failure, and AUTH is expected next."""

    def goes_on_after_eap(self, *, succeeded: bool) -> bool:
        return True


@fault("believes-responder-without-auth")
class BelievesResponderWithoutAuth(Decisions):
    """A responder without AUTH is believed in EAP, whatever is configured."""

    def needs_auth(self, *, eap_only: bool) -> bool:
        return False

    def allows_alone(self, *, mutual: bool) -> bool:
        return True


@fault("believes-early-eap-success")
class BelievesEarlyEapSuccess(Decisions):
    """EAP Success is believed before the method is done."""

    def believes_success(self, *, done: bool) -> bool:
        return True


@fault("believes-any-eap-server")
class BelievesAnyEapServer(Decisions):
    """The server's proof that it knows the password is not looked at."""

    def knows_password(self, expected: bytes, proof: bytes) -> bool:
        return True


@fault("answers-eap-by-another-identifier")
class AnswersEapByAnotherIdentifier(Decisions):
    """The identifier of an EAP response is one more than that of the request."""

    def eap_identifier(self, of_request: int) -> int:
        return (of_request + 1) % 256


@fault("answers-unknown-eap-type-in-kind")
class AnswersUnknownEapTypeInKind(Decisions):
    """A request of an unknown type is answered by that type, with nothing in it."""

    def answer_to_unknown_type(self, kind: int, ours: EapType) -> tuple[int, bytes]:
        return kind, b""


@fault("asks-for-identity-by-eap")
class AsksForIdentityByEap(Decisions):
    """The first EAP request asks for the identity."""

    def edit(self, message: Message) -> Message:
        if not _asks(message):
            return message
        asked = EapPacket(EapCode.REQUEST, 1, EapType.IDENTITY)
        return message.replacing(EAP(asked.encode()))


@fault("omits-auth-unasked")
class OmitsAuthUnasked(Decisions):
    """A responder leaves AUTH out although the initiator did not ask for EAP alone."""

    def omits_auth(self, *, announced: bool) -> bool:
        return True


@fault("sends-certificate-with-eap-alone")
class SendsCertificateWithEapAlone(Decisions):
    """A responder that EAP alone authenticates sends a certificate before it."""

    def edit(self, message: Message) -> Message:
        if not _asks(message) or message.has(AUTH):
            return message
        identification, *rest = message.payloads
        return replace(
            message, payloads=(identification, CERT(CertEncoding.X509_SIGNATURE, b"0\0"), *rest)
        )


@fault("announces-eap-only-with-data")
class AnnouncesEapOnlyWithData(Decisions):
    """EAP_ONLY_AUTHENTICATION holds an octet of data."""

    def edit(self, message: Message) -> Message:
        if message.find_notify(NotifyType.EAP_ONLY_AUTHENTICATION) is None:
            return message
        return message.replacing(Notify(NotifyType.EAP_ONLY_AUTHENTICATION, b"\1"))


@fault("allows-any-eap-method-alone")
class AllowsAnyEapMethodAlone(Decisions):
    """Any EAP method may be all that authenticates the responder."""

    def allows_alone(self, *, mutual: bool) -> bool:
        return True


@fault("takes-last-tls-fragment")
class TakesLastTlsFragment(Decisions):
    """Of several fragments of TLS the last one is taken for the whole."""

    def joins(self, before: bytes, fragment: bytes) -> bytes:
        return fragment


@fault("minds-reserved-flags-of-eap-tls")
class MindsReservedFlagsOfEapTls(Decisions):
    """An EAP-TLS packet with reserved flags is refused."""

    def minds_reserved_flags(self, flags: int) -> bool:
        return flags & 0x1F != 0


@fault("overlooks-every-objection-in-tls")
class OverlooksEveryObjectionInTls(Decisions):
    """Whatever speaks against a certificate in TLS, it is believed."""

    def overlooks_in_tls(self, objection: Objection) -> bool:
        return True


@fault("counts-eap-length-with-its-payload", fundamental=True)
class CountsEapLengthWithItsPayload(Decisions):
    """The length of an EAP message is that of its payload, four octets too many."""

    def edit(self, message: Message) -> Message:
        if not message.response or not message.has(EAP):
            return message
        data = message.get(EAP).data
        length = len(data) + 4
        return message.replacing(EAP(data[:2] + length.to_bytes(2, "big") + data[4:]))
