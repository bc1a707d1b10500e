"""Conversations for the self-tests of the reports: real messages, really protected, by hand."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

from peers.reference.crypto import Protection
from peers.reference.errors import MalformedMessage
from peers.reference.esp import EspPacket, OutboundSa
from peers.reference.events import (
    Carrier,
    ChildKeysDerived,
    Endpoint,
    Event,
    IkeKeysDerived,
    IPAddress,
    Packet,
    Remark,
    Transmission,
)
from peers.reference.faults import CriticalBit
from peers.reference.ip import IpPacket, echo_reply, echo_request
from peers.reference.keys import ChildKeys, IkeKeys, SaKeys
from peers.reference.message import Message
from peers.reference.numbers import (
    AttributeType,
    AuthMethod,
    Encr,
    Esn,
    ExchangeType,
    IdType,
    IpProtocol,
    KeyExchangeMethod,
    NotifyType,
    PayloadType,
    Prf,
    ProtocolId,
    TrafficSelectorType,
    TransformType,
)
from peers.reference.payloads import (
    AUTH,
    KE,
    SA,
    IDi,
    IDr,
    Nonce,
    Notify,
    Payload,
    TSi,
    TSr,
    Unknown,
)
from peers.reference.substructures import Attribute, Proposal, TrafficSelector, Transform

PEER, TARGET = ip_address("198.18.128.7"), ip_address("198.19.0.10")
PEER6, TARGET6 = ip_address("fd00:18::7"), ip_address("fd00:19::10")
INNER_PEER, INNER_TARGET = ip_address("10.1.0.1"), ip_address("10.2.0.1")
EVIL_IDENTITY = "<script>alert('\"pwned\" & more')</script>"
SPI_I, SPI_R = bytes.fromhex("8f1e02c4a9d37b60"), bytes.fromhex("3b7ad90c11e5f248")

_GCM_256 = Transform(
    TransformType.ENCR, Encr.ENCR_AES_GCM_16, (Attribute(AttributeType.KEY_LENGTH, 256),)
)
_IKE_TRANSFORMS = (
    _GCM_256,
    Transform(TransformType.PRF, Prf.PRF_HMAC_SHA2_256),
    Transform(TransformType.KE, KeyExchangeMethod.CURVE25519),
)

IKE_KEYS = IkeKeys(
    SPI_I,
    SPI_R,
    Encr.ENCR_AES_GCM_16,
    256,
    None,
    Prf.PRF_HMAC_SHA2_256,
    sk_d=bytes(32),
    sk_ai=b"",
    sk_ar=b"",
    sk_ei=bytes(range(36)),
    sk_er=bytes(range(40, 76)),
    sk_pi=bytes(32),
    sk_pr=bytes(32),
)
CHILD_KEYS = ChildKeys(
    ProtocolId.ESP,
    Encr.ENCR_AES_GCM_16,
    256,
    None,
    Esn.NO_ESN,
    initiator_spi=bytes.fromhex("c0ffee01"),
    responder_spi=bytes.fromhex("c7d10a44"),
    from_initiator=SaKeys(bytes(range(80, 116)), b""),
    from_responder=SaKeys(bytes(range(120, 156)), b""),
)


def _octets(count: int, start: int) -> bytes:
    return bytes((start + 37 * position) % 256 for position in range(count))


def ike_sa_init(*, response: bool = False) -> Message:
    """Make an IKE_SA_INIT message."""
    proposal = Proposal(1, ProtocolId.IKE, _IKE_TRANSFORMS)
    spi_r = SPI_R if response else bytes(8)
    payloads: tuple[Payload, ...] = (
        SA((proposal,)),
        KE(KeyExchangeMethod.CURVE25519, _octets(32, 5)),
        Nonce(_octets(32, 9)),
        Notify(NotifyType.NAT_DETECTION_SOURCE_IP, _octets(20, 13)),
        Notify(NotifyType.NAT_DETECTION_DESTINATION_IP, _octets(20, 17)),
    )
    return Message(SPI_I, spi_r, ExchangeType.IKE_SA_INIT, not response, response, 0, payloads)


def ike_auth(*, response: bool = False, identity: str = "peer-7.ikeproof.test") -> Message:
    """Make an IKE_AUTH message."""
    spi = CHILD_KEYS.responder_spi if response else CHILD_KEYS.initiator_spi
    esn = Transform(TransformType.ESN, Esn.NO_ESN)
    kind = IDr if response else IDi
    payloads: tuple[Payload, ...] = (
        kind(IdType.ID_FQDN, identity.encode()),
        AUTH(AuthMethod.SHARED_KEY_MIC, _octets(32, 21)),
        SA((Proposal(1, ProtocolId.ESP, (_GCM_256, esn), spi),)),
        TSi((_selector("10.1.0.0/24"),)),
        TSr((_selector("10.2.0.0/24"),)),
    )
    return Message(
        SPI_I,
        SPI_R,
        ExchangeType.IKE_AUTH,
        not response,
        response,
        1,
        payloads,
        protected=True,
    )


def _selector(network: str) -> TrafficSelector:
    addresses = ip_network(network)
    return TrafficSelector(
        TrafficSelectorType.TS_IPV4_ADDR_RANGE,
        IpProtocol.ANY,
        0,
        65535,
        addresses[0],
        addresses[-1],
    )


def transmission(
    time: float, sent: bool, octets: bytes, decoded: Any = None, **more: Any
) -> Transmission:
    """Make a packet between peer and target; ``carrier`` and ``six`` say which."""
    carrier: Carrier = more.pop("carrier", Carrier.UDP)
    peer, target = _ends(500 if carrier is Carrier.UDP else 0, six=more.pop("six", False))
    pair = (peer, target) if sent else (target, peer)
    return Transmission(time, sent, Packet(carrier, *pair, octets), decoded, **more)


def _ends(port: int, *, six: bool) -> tuple[Endpoint, Endpoint]:
    addresses: tuple[IPAddress, IPAddress] = (PEER6, TARGET6) if six else (PEER, TARGET)
    return Endpoint(addresses[0], port), Endpoint(addresses[1], port)


def said(time: float, message: Message) -> Transmission:
    """Make the packet of a message, from whoever sends it; our peer is the initiator."""
    protection: Protection = IKE_KEYS.initiator if message.initiator else IKE_KEYS.responder
    sealed = message.seal(protection, _octets(8, 25)) if message.protected else message.encode()
    fault = "; ".join(map(str, message.faults))
    return transmission(time, message.initiator, sealed, message, fault=fault)


def _echo(time: float, packet: IpPacket, sent: bool) -> Transmission:
    spi = CHILD_KEYS.responder_spi if sent else CHILD_KEYS.initiator_spi
    protection = CHILD_KEYS.to_responder() if sent else CHILD_KEYS.to_initiator()
    octets = OutboundSa(spi, protection).seal(IpProtocol.IPV4, packet.encode(), _octets(8, 29))
    decoded = EspPacket(spi, 1, IpProtocol.IPV4, packet.encode())
    return transmission(time, sent, octets, decoded, carrier=Carrier.ESP)


def exchange(start: float, identity: str = "target.ikeproof.test") -> list[Event]:
    """Make an IKE_SA_INIT, an IKE_AUTH and an echo through ESP."""
    request = echo_request(INNER_PEER, INNER_TARGET, 7, 1, b"ikeproof echo of the self-test")
    reply = echo_reply(request)
    assert reply is not None
    return [
        said(start + 0.0004, ike_sa_init()),
        said(start + 0.0031, ike_sa_init(response=True)),
        IkeKeysDerived(start + 0.0033, IKE_KEYS),
        said(start + 0.0039, ike_auth()),
        said(start + 0.0088, ike_auth(response=True, identity=identity)),
        ChildKeysDerived(start + 0.0090, CHILD_KEYS),
        Remark(start + 0.0092, "The Child SA stands. Its replay window is 64 packets wide."),
        _echo(start + 0.0095, request, sent=True),
        _echo(start + 0.0104, reply, sent=False),
    ]


def wrong_notify(start: float) -> list[Event]:
    """Make requests with deliberate errors that get the wrong answers."""
    unknown = ike_sa_init() + Unknown(PayloadType(200), _octets(16, 33))
    refusal = Message(
        SPI_I,
        SPI_R,
        ExchangeType.IKE_SA_INIT,
        False,
        True,
        0,
        (Notify(NotifyType.INVALID_SYNTAX),),
    )
    short = refusal.encode()[:19]
    return [
        Remark(start + 0.0002, "The payload of type 200 is unknown to everyone."),
        said(start + 0.0004, unknown.with_fault(CriticalBit(of=Unknown))),
        said(start + 0.0031, refusal),
        transmission(start + 0.0040, False, short, problem=_problem(short)),
        said(start + 0.0051, ike_auth(identity=EVIL_IDENTITY)),
    ]


def _problem(octets: bytes) -> str:
    try:
        Message.decode(octets)
    except MalformedMessage as problem:
        return str(problem)
    raise AssertionError("a message cut short was read")
