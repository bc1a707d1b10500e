"""EAP as tests have it: who begins it by which method, and how a conversation is led."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from peers.ca import Flaw
from peers.peer import Peer
from peers.reference.authentication import shared_key_mic
from peers.reference.credentials import Mschapv2
from peers.reference.decisions_authentication import AuthenticationDecisions
from peers.reference.eap import EapPacket
from peers.reference.errors import AuthenticationFailure, ScriptError
from peers.reference.message import Message
from peers.reference.numbers import AuthMethod, EapCode, EapType, ExchangeType
from peers.reference.payloads import AUTH, CERT, EAP, SA, TSi, TSr
from peers.targets.base import Capability
from suites.methods import ByEapOf, md5, mschapv2, tls

MSCHAPV2 = pytest.param(
    ByEapOf(mschapv2), id="mschapv2", marks=pytest.mark.needs(Capability.EAP_MSCHAPV2)
)
TLS = pytest.param(ByEapOf(tls), id="tls", marks=pytest.mark.needs(Capability.EAP_TLS))
TARGETS_MSCHAPV2 = pytest.param(
    ByEapOf(mschapv2, by_target=True),
    id="mschapv2",
    marks=pytest.mark.needs(Capability.EAP_MSCHAPV2, Capability.EAP_INITIATOR),
)
TARGETS_TLS = pytest.param(
    ByEapOf(tls, by_target=True),
    id="tls",
    marks=pytest.mark.needs(Capability.EAP_TLS, Capability.EAP_INITIATOR),
)

TLS_OF_PEER = pytest.mark.parametrize("method", [TLS])
TLS_OF_TARGET = pytest.mark.parametrize("method", [TARGETS_TLS])


def _flawed(*flaws: Flaw) -> pytest.MarkDecorator:
    marks = pytest.mark.needs(Capability.EAP_TLS)
    params = [
        pytest.param(ByEapOf(tls, flaw=flaw), id=flaw.name.lower(), marks=marks) for flaw in flaws
    ]
    return pytest.mark.parametrize("method", params)


FLAWS_IN_TLS = _flawed(Flaw.EXPIRED, Flaw.UNKNOWN_CA)
"""Certificates of the peer that are not to be believed in TLS either."""

ANOTHERS_IN_TLS = _flawed(Flaw.ANOTHER_IDENTITY)
"""A certificate of the peer about somebody else."""

BY_PEER = pytest.mark.parametrize("method", [MSCHAPV2, TLS])
"""The peer initiates and authenticates by EAP, by each method."""

BY_TARGET = pytest.mark.parametrize("method", [TARGETS_MSCHAPV2, TARGETS_TLS])
"""The target initiates and authenticates by EAP, by each method."""

KEYLESS_OF_PEER = pytest.mark.parametrize(
    "method", [pytest.param(ByEapOf(md5), id="md5", marks=pytest.mark.needs(Capability.EAP_MD5))]
)
KEYLESS_OF_TARGET = pytest.mark.parametrize(
    "method",
    [
        pytest.param(
            ByEapOf(md5, by_target=True),
            id="md5",
            marks=pytest.mark.needs(Capability.EAP_MD5, Capability.EAP_INITIATOR),
        )
    ],
)
"""The method makes no key."""

PASSWORD_OF_PEER = pytest.mark.parametrize("method", [MSCHAPV2])
PASSWORD_OF_TARGET = pytest.mark.parametrize("method", [TARGETS_MSCHAPV2])


def _alone(
    make: Callable[..., object], method: Capability, *, by_target: bool
) -> pytest.MarkDecorator:
    needs = (method, Capability.EAP_INITIATOR) if by_target else (method,)
    by = ByEapOf(make, by_target=by_target, alone=True)  # type: ignore[arg-type]
    param = pytest.param(by, id="", marks=pytest.mark.needs(*needs))
    return pytest.mark.parametrize("method", [param])


TLS_OF_PEER_ALONE = _alone(tls, Capability.EAP_TLS, by_target=False)
TLS_OF_TARGET_ALONE = _alone(tls, Capability.EAP_TLS, by_target=True)
PASSWORD_OF_PEER_ALONE = _alone(mschapv2, Capability.EAP_MSCHAPV2, by_target=False)
PASSWORD_OF_TARGET_ALONE = _alone(mschapv2, Capability.EAP_MSCHAPV2, by_target=True)
"""The method is all that authenticates the responder (RFC 5998)."""


def packet_of(message: Message) -> EapPacket:
    """Read the EAP packet of a message."""
    return EapPacket.decode(message.get(EAP).data)


def until_over(peer: Peer, response: Message) -> Message:
    """Answer requests of the target until one of its responses asks for nothing more."""
    while response.has(EAP) and packet_of(response).code == EapCode.REQUEST:
        response = peer.exchange(peer.eap_request(response))
    return response


def until_over_or_alert(peer: Peer, response: Message) -> Message:
    """Do `until_over`; what TLS ends on our side is only acknowledged (RFC 5216, 2.1.3)."""
    while response.has(EAP) and packet_of(response).code == EapCode.REQUEST:
        asked = packet_of(response)
        try:
            request = peer.eap_request(response)
        except AuthenticationFailure:
            empty = EapPacket(EapCode.RESPONSE, asked.identifier, EapType.TLS, b"\0")
            return peer.exchange(peer.request(ExchangeType.IKE_AUTH, EAP(empty.encode())))
        response = peer.exchange(request)
    return response


def with_reserved_flags(request: Message) -> Message:
    """Set the reserved flags of an EAP-TLS packet (RFC 5216, 3.2)."""
    packet = packet_of(request)
    flagged = replace(packet, data=bytes([packet.data[0] | 0x1F]) + packet.data[1:])
    return request.replacing(EAP(flagged.encode()))


class Cutting(AuthenticationDecisions):
    """A peer that puts so many octets of TLS into a packet."""

    def __init__(self, size: int) -> None:
        self._size = size

    def tls_fragment_size(self) -> int:
        """Give that number."""
        return self._size


def grants(message: Message) -> bool:
    """Say whether a response makes a Child SA, or proves who sent it."""
    return message.has(AUTH) or bool({SA, TSi, TSr} & set(message.types))


def without_proof(message: Message) -> Message:
    """Leave out what the sender is authenticated by."""
    kept = tuple(each for each in message.payloads if not isinstance(each, (AUTH, CERT)))
    return replace(message, payloads=kept)


def with_wrong_password(peer: Peer) -> None:
    """Let the peer have another password than the target, before it says anything."""
    credential = peer.connection.local_credential
    if not isinstance(credential, Mschapv2):
        raise ScriptError("the peer has no password")
    wrong = replace(credential, password=credential.password[::-1] + "x")
    peer.connection = replace(peer.connection, local_credential=wrong)


def proof_by(peer: Peer, secret: bytes) -> AUTH:
    """Build the AUTH of the peer under a secret of its choice."""
    ours = peer.connection.local_identity.payload(of_initiator=peer.ike.initiator)
    return AUTH(AuthMethod.SHARED_KEY_MIC, shared_key_mic(peer.ike, ours, secret))


class NotMindingAnything(AuthenticationDecisions):
    """A peer that goes on in EAP whatever the target does; tests say what is wrong."""

    def allows_alone(self, *, mutual: bool) -> bool:
        """Take any method."""
        return True

    def needs_auth(self, *, eap_only: bool) -> bool:
        """Go on without AUTH."""
        return False

    def omits_auth(self, *, announced: bool) -> bool:
        """Leave AUTH out unasked."""
        return True


def _malformed() -> dict[str, bytes]:
    whole = EapPacket(EapCode.RESPONSE, 1, EapType.MSCHAPV2, b"\2\1\0\4").encode()
    return {
        "empty": b"",
        "three-octets": whole[:3],
        "length-too-long": whole[:3] + bytes([len(whole) + 1]) + whole[4:],
        "length-too-short": whole[:3] + bytes([len(whole) - 1]) + whole[4:],
        "without-type": bytes([EapCode.RESPONSE, 1, 0, 4]),
        "unknown-code": b"\x09" + whole[1:],
        "success-by-initiator": bytes([EapCode.SUCCESS, 1, 0, 4]),
        "method-cut-off": EapPacket(EapCode.RESPONSE, 1, EapType.MSCHAPV2, b"\2").encode(),
        "method-length-too-long": EapPacket(
            EapCode.RESPONSE, 1, EapType.MSCHAPV2, b"\2\1\xff\xff\x31" + bytes(49)
        ).encode(),
    }


MALFORMED = pytest.mark.parametrize("octets", _malformed().values(), ids=list(_malformed()))
"""What is no EAP response of the method."""


def hear_next(peer: Peer) -> Message:
    """Wait for the target's next IKE_AUTH request."""
    return peer.hear_request(ExchangeType.IKE_AUTH)


def false_proof(data: bytes) -> bytes:
    """Falsify a digit of the server's proof in an MS-CHAPv2 Success (RFC 2759, 5)."""
    digit = data.index(b"S=") + 2
    wrong = b"1" if data[digit : digit + 1] != b"1" else b"2"
    return data[:digit] + wrong + data[digit + 1 :]
