"""Hypothesis strategies for everything that the codec can hold, and messages to start from."""

from __future__ import annotations

from ipaddress import ip_address

from hypothesis import settings
from hypothesis import strategies as st

from peers.reference.message import Message
from peers.reference.numbers import (
    AttributeType,
    AuthMethod,
    CertEncoding,
    ConfigAttributeType,
    ConfigType,
    Encr,
    Esn,
    ExchangeType,
    IdType,
    Integ,
    IpProtocol,
    KeyExchangeMethod,
    NotifyType,
    OpenEnum,
    PayloadType,
    Prf,
    ProtocolId,
    TrafficSelectorType,
    TransformType,
)
from peers.reference.payloads import (
    AUTH,
    CERT,
    CERTREQ,
    CP,
    EAP,
    KE,
    SA,
    SK,
    SKF,
    Attribute,
    ConfigAttribute,
    Delete,
    IDi,
    IDr,
    Nonce,
    Notify,
    Payload,
    Proposal,
    TrafficSelector,
    Transform,
    TSi,
    TSr,
    Unknown,
    UnknownSelector,
    VendorID,
)

# A busy machine is no finding, so no example has a deadline.
settings.register_profile("codec", deadline=None, max_examples=100)
settings.load_profile("codec")

OCTET = st.integers(0, 0xFF)
TWO_OCTETS = st.integers(0, 0xFFFF)
DATA = st.binary(max_size=40)


def numbers(enumeration: type[OpenEnum], octets: int) -> st.SearchStrategy[OpenEnum]:
    """Any number that fits, known or not."""
    known = st.sampled_from(list(enumeration))
    return known | st.integers(0, (1 << 8 * octets) - 1).map(enumeration)


HEADER = {"critical": st.booleans(), "reserved_bits": st.integers(0, 0x7F)}
THREE_OCTETS = {"reserved": st.integers(0, 0xFFFFFF)}

ATTRIBUTES = st.builds(
    Attribute, st.integers(0, 0x7FFF).map(AttributeType), TWO_OCTETS | st.binary(max_size=8)
)


@st.composite
def transforms(draw: st.DrawFn) -> Transform:
    kind = draw(numbers(TransformType, 1))
    names = {
        TransformType.ENCR: Encr,
        TransformType.PRF: Prf,
        TransformType.INTEG: Integ,
        TransformType.KE: KeyExchangeMethod,
        TransformType.ESN: Esn,
    }
    number = draw(numbers(names[kind], 2) if kind in names else TWO_OCTETS)
    attributes = draw(st.lists(ATTRIBUTES, max_size=2).map(tuple))
    return Transform(kind, number, attributes, reserved=draw(OCTET), reserved_2=draw(OCTET))


PROPOSALS = st.builds(
    Proposal,
    OCTET,
    numbers(ProtocolId, 1),
    st.lists(transforms(), max_size=3).map(tuple),
    st.binary(max_size=8),
    reserved=OCTET,
)

RANGES = st.one_of(
    *(
        st.builds(
            TrafficSelector,
            st.just(kind),
            numbers(IpProtocol, 1),
            TWO_OCTETS,
            TWO_OCTETS,
            st.ip_addresses(v=version),
            st.ip_addresses(v=version),
        )
        for kind, version in (
            (TrafficSelectorType.TS_IPV4_ADDR_RANGE, 4),
            (TrafficSelectorType.TS_IPV6_ADDR_RANGE, 6),
        )
    )
)
UNKNOWN_SELECTORS = st.builds(
    UnknownSelector,
    OCTET.filter(lambda number: number not in (7, 8)).map(TrafficSelectorType),
    OCTET,
    DATA,
)
SELECTORS = st.lists(RANGES | UNKNOWN_SELECTORS, max_size=3).map(tuple)

CONFIG_ATTRIBUTES = st.builds(
    ConfigAttribute,
    st.integers(0, 0x7FFF).map(ConfigAttributeType),
    st.binary(max_size=20),
    st.booleans(),
)


@st.composite
def deletes(draw: st.DrawFn) -> Delete:
    size = draw(OCTET)
    spis = tuple(draw(st.lists(st.binary(min_size=size, max_size=size), max_size=3)))
    header = {name: draw(strategy) for name, strategy in HEADER.items()}
    return Delete(
        draw(numbers(ProtocolId, 1)), spis, empty_spi_size=0 if spis else draw(OCTET), **header
    )


CLEAR: dict[type[Payload], st.SearchStrategy[Payload]] = {
    SA: st.builds(SA, st.lists(PROPOSALS, max_size=3).map(tuple), **HEADER),
    KE: st.builds(KE, numbers(KeyExchangeMethod, 2), DATA, reserved=TWO_OCTETS, **HEADER),
    IDi: st.builds(IDi, numbers(IdType, 1), DATA, **THREE_OCTETS, **HEADER),
    IDr: st.builds(IDr, numbers(IdType, 1), DATA, **THREE_OCTETS, **HEADER),
    CERT: st.builds(CERT, numbers(CertEncoding, 1), DATA, **HEADER),
    CERTREQ: st.builds(CERTREQ, numbers(CertEncoding, 1), DATA, **HEADER),
    AUTH: st.builds(AUTH, numbers(AuthMethod, 1), DATA, **THREE_OCTETS, **HEADER),
    Nonce: st.builds(Nonce, DATA, **HEADER),
    Notify: st.builds(
        Notify, numbers(NotifyType, 2), DATA, numbers(ProtocolId, 1), st.binary(max_size=8)
    ),
    Delete: deletes(),
    VendorID: st.builds(VendorID, DATA, **HEADER),
    TSi: st.builds(TSi, SELECTORS, **THREE_OCTETS, **HEADER),
    TSr: st.builds(TSr, SELECTORS, **THREE_OCTETS, **HEADER),
    CP: st.builds(
        CP,
        numbers(ConfigType, 1),
        st.lists(CONFIG_ATTRIBUTES, max_size=3).map(tuple),
        **THREE_OCTETS,
        **HEADER,
    ),
    EAP: st.builds(EAP, DATA, **HEADER),
    Unknown: st.builds(
        Unknown,
        st.sampled_from([1, 32, 49, 52, 54, 127, 128, 200, 255]).map(PayloadType),
        DATA,
        **HEADER,
    ),
}
ENCRYPTED: dict[type[Payload], st.SearchStrategy[Payload]] = {
    SK: st.builds(SK, numbers(PayloadType, 1), DATA, **HEADER),
    SKF: st.builds(SKF, numbers(PayloadType, 1), TWO_OCTETS, TWO_OCTETS, DATA, **HEADER),
}
EVERY = CLEAR | ENCRYPTED


@st.composite
def chains(draw: st.DrawFn) -> tuple[Payload, ...]:
    """Payloads as they can stand in an unprotected message: an encrypted one is the last."""
    payloads = draw(st.lists(st.one_of(*CLEAR.values()), max_size=5))
    return (*payloads, *draw(st.lists(st.one_of(*ENCRYPTED.values()), max_size=1)))


def messages(
    payloads: st.SearchStrategy[tuple[Payload, ...]], **others: st.SearchStrategy[object]
) -> st.SearchStrategy[Message]:
    """Messages with any header; ``others`` are further fields."""
    return st.builds(
        Message,
        st.binary(min_size=8, max_size=8),
        st.binary(min_size=8, max_size=8),
        numbers(ExchangeType, 1),
        initiator=st.booleans(),
        response=st.booleans(),
        message_id=st.integers(0, 0xFFFFFFFF),
        payloads=payloads,
        major=st.integers(0, 15),
        minor=st.integers(0, 15),
        higher_version=st.booleans(),
        reserved_flags=OCTET.map(lambda octet: octet & 0xC7),
        **others,
    )


# Representative messages, written by hand.

SPI_I, SPI_R = bytes(range(0xA0, 0xA8)), bytes(range(0xB0, 0xB8))


def transform(kind: TransformType, number: int, key_length: int | None = None) -> Transform:
    attributes = () if key_length is None else (Attribute(AttributeType.KEY_LENGTH, key_length),)
    return Transform(kind, number, attributes)


IKE_PROPOSALS = (
    Proposal(
        1,
        ProtocolId.IKE,
        (
            transform(TransformType.ENCR, Encr.ENCR_AES_GCM_16, 256),
            transform(TransformType.PRF, Prf.PRF_HMAC_SHA2_256),
            transform(TransformType.KE, KeyExchangeMethod.CURVE25519),
        ),
    ),
    Proposal(
        2,
        ProtocolId.IKE,
        (
            transform(TransformType.ENCR, Encr.ENCR_AES_CBC, 128),
            transform(TransformType.PRF, Prf.PRF_HMAC_SHA2_256),
            transform(TransformType.INTEG, Integ.AUTH_HMAC_SHA2_256_128),
            transform(TransformType.KE, KeyExchangeMethod.MODP_2048),
        ),
    ),
)
ESP_PROPOSAL = Proposal(
    1,
    ProtocolId.ESP,
    (
        transform(TransformType.ENCR, Encr.ENCR_AES_GCM_16, 128),
        transform(TransformType.ESN, Esn.NO_ESN),
    ),
    bytes.fromhex("c0ffee01"),
)

IKE_SA_INIT = Message(
    SPI_I,
    bytes(8),
    ExchangeType.IKE_SA_INIT,
    initiator=True,
    response=False,
    message_id=0,
    payloads=(
        SA(IKE_PROPOSALS),
        KE(KeyExchangeMethod.CURVE25519, bytes(range(32))),
        Nonce(bytes(range(32, 64))),
        Notify(NotifyType.COOKIE, b"a cookie of 20 octet"),
        Notify(NotifyType.NAT_DETECTION_SOURCE_IP, bytes(range(20))),
        VendorID(b"ikeproof"),
        Unknown(PayloadType(200), b"unknown"),
    ),
)


def selector(kind: TrafficSelectorType, start: str, end: str) -> TrafficSelector:
    return TrafficSelector(kind, IpProtocol.ANY, 0, 65535, ip_address(start), ip_address(end))


V4 = selector(TrafficSelectorType.TS_IPV4_ADDR_RANGE, "198.18.0.0", "198.18.0.255")
V6 = selector(TrafficSelectorType.TS_IPV6_ADDR_RANGE, "2001:db8::", "2001:db8::ffff")

IKE_AUTH = Message(
    SPI_I,
    SPI_R,
    ExchangeType.IKE_AUTH,
    initiator=True,
    response=False,
    message_id=1,
    payloads=(
        IDi(IdType.ID_FQDN, b"peer.test"),
        IDr(IdType.ID_IPV4_ADDR, bytes([198, 18, 0, 1])),
        AUTH(AuthMethod.SHARED_KEY_MIC, bytes(range(32))),
        CERTREQ(CertEncoding.X509_SIGNATURE, bytes(20)),
        CP(
            ConfigType.CFG_REQUEST,
            (
                ConfigAttribute(ConfigAttributeType.INTERNAL_IP4_ADDRESS),
                ConfigAttribute(ConfigAttributeType.INTERNAL_IP4_DNS, bytes([198, 18, 0, 53])),
            ),
        ),
        SA((ESP_PROPOSAL,)),
        TSi((V4, V6)),
        TSr((V4,)),
    ),
    protected=True,
)

INFORMATIONAL = Message(
    SPI_I,
    SPI_R,
    ExchangeType.INFORMATIONAL,
    initiator=False,
    response=False,
    message_id=7,
    payloads=(
        Delete(ProtocolId.ESP, (bytes.fromhex("c0ffee01"), bytes.fromhex("c0ffee02"))),
        Delete(ProtocolId.IKE),
        Notify(NotifyType.INVALID_SELECTORS, b"ip", ProtocolId.ESP, bytes.fromhex("c0ffee01")),
        EAP(bytes([1, 1, 0, 5, 1])),
        CERT(CertEncoding.X509_SIGNATURE, b"\x30\x00"),
    ),
    protected=True,
)
