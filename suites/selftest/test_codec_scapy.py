"""Scapy as a second decoder: it reads in our octets what we put into them.

What ``contrib.ikev2`` of scapy 2.8.0 itself reads wrongly in well-formed octets is listed in
``WRONG_IN_SCAPY`` with its reason, and expected: a mended scapy turns that test red.
"""

from dataclasses import replace

import pytest
from scapy.contrib import ikev2 as scapy

from peers.reference.message import Message
from peers.reference.numbers import PayloadType, TransformType
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
    Delete,
    IDi,
    IDr,
    Nonce,
    Notify,
    Proposal,
    TrafficSelector,
    Transform,
    TSi,
    TSr,
    Unknown,
    UnknownSelector,
    VendorID,
)
from suites.selftest.codec_strategies import (
    IKE_AUTH,
    IKE_PROPOSALS,
    IKE_SA_INIT,
    INFORMATIONAL,
    V4,
)

FRAGMENT = replace(IKE_SA_INIT, payloads=(SKF(PayloadType.IDI, 2, 5, b"sealed", critical=True),))
ENCRYPTED = replace(IKE_SA_INIT, payloads=(SK(PayloadType.IDI, b"sealed"),))
MESSAGES = {
    "IKE_SA_INIT": IKE_SA_INIT,
    "IKE_AUTH, as if not protected": replace(IKE_AUTH, protected=False),
    "INFORMATIONAL, as if not protected": replace(INFORMATIONAL, protected=False),
    "SK": ENCRYPTED,
    "SKF": FRAGMENT,
}


def layers(packet):
    """List what scapy nests: a packet, its payload, the payload of that, and so on."""
    while packet.name != "NoPayload":
        yield packet
        packet = packet.payload


# Our value of each class, by the names of scapy's fields.
FIELDS = {
    SA: lambda p: {},
    KE: lambda p: {"group": p.group, "ke": p.data},
    IDi: lambda p: {"IDtype": p.id_type, "ID": p.data},
    IDr: lambda p: {"IDtype": p.id_type, "ID": p.identity()},
    CERT: lambda p: {"cert_encoding": p.encoding},
    CERTREQ: lambda p: {"cert_encoding": p.encoding, "cert_authority": p.data},
    AUTH: lambda p: {"auth_type": p.method, "load": p.data},
    Nonce: lambda p: {"nonce": p.data},
    Notify: lambda p: {
        "type": p.notify_type,
        "proto": p.protocol,
        "SPIsize": len(p.spi),
        "SPI": p.spi,
        "notify": p.data,
    },
    Delete: lambda p: {
        "proto": p.protocol,
        "SPIsize": len(p.spis[0]) if p.spis else 0,
        "SPInum": len(p.spis),
        "SPI": list(p.spis),
    },
    VendorID: lambda p: {"vendorID": p.data},
    TSi: lambda p: {"number_of_TSs": len(p.selectors)},
    TSr: lambda p: {"number_of_TSs": len(p.selectors)},
    SK: lambda p: {"load": p.data},
    SKF: lambda p: {"frag_number": p.fragment, "frag_total": p.total, "load": p.data},
    CP: lambda p: {"CFGType": p.config_type},
    EAP: lambda p: {"load": p.data},
    Unknown: lambda p: {"load": p.data},
}


def read_by_scapy(message):
    header, *payloads = layers(scapy.IKEv2(message.encode()))
    return header, payloads


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_scapy_reads_the_header(message):
    header, _ = read_by_scapy(message)

    assert (header.init_SPI, header.resp_SPI) == (message.spi_i, message.spi_r)
    assert (header.version, header.exch_type) == (0x20, message.exchange)
    assert bool(header.flags.Initiator) == message.initiator
    assert bool(header.flags.Response) == message.response
    assert (header.id, header.length) == (message.message_id, len(message.encode()))


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_scapy_reads_each_payload(message):
    header, payloads = read_by_scapy(message)
    announced = [header.next_payload, *(payload.next_payload for payload in payloads[:-1])]

    assert announced == [payload.type for payload in message.payloads]
    for ours, theirs in zip(message.payloads, payloads, strict=True):
        expected = FIELDS[type(ours)](ours)
        assert {name: getattr(theirs, name) for name in expected} == expected
        assert theirs.length == len(ours.body()) + 4
        assert bool(theirs.flags & 0x80) == ours.critical


def read_transforms(proposal):
    return [
        (each.transform_type, each.transform_id, getattr(each, "key_length", None))
        for each in layers(proposal.trans)
    ]


@pytest.mark.parametrize("message", [IKE_SA_INIT, IKE_AUTH], ids=lambda message: message.title)
def test_scapy_reads_proposals_and_transforms(message):
    _, payloads = read_by_scapy(replace(message, protected=False))
    (theirs,) = (payload for payload in payloads if isinstance(payload, scapy.IKEv2_SA))
    found = list(layers(theirs.prop))

    for proposal, read in zip(message.get(SA).proposals, found, strict=True):
        assert (read.proposal, read.proto, read.SPI) == (
            proposal.number,
            proposal.protocol,
            proposal.spi,
        )
        assert (read.SPIsize, read.trans_nb) == (len(proposal.spi), len(proposal.transforms))
        assert read_transforms(read) == [(t.type, t.id, t.key_length) for t in proposal.transforms]


@pytest.mark.parametrize("kind", [TSi, TSr], ids=lambda kind: kind.__name__)
def test_scapy_reads_selectors(kind):
    _, payloads = read_by_scapy(replace(IKE_AUTH, protected=False))
    index = IKE_AUTH.types.index(kind)

    for ours, read in zip(
        IKE_AUTH.get(kind).selectors, payloads[index].traffic_selector, strict=True
    ):
        version = f"v{ours.start_address.version}"
        assert (read.TS_type, read.IP_protocol_ID) == (ours.type, ours.ip_protocol)
        assert (read.start_port, read.end_port) == (ours.start_port, ours.end_port)
        assert getattr(read, f"starting_address_{version}") == str(ours.start_address)
        assert getattr(read, f"ending_address_{version}") == str(ours.end_address)


def test_scapy_reads_configuration_attributes():
    _, payloads = read_by_scapy(replace(IKE_AUTH, protected=False))
    read = payloads[IKE_AUTH.types.index(CP)].attributes

    assert [(each.type, each.value) for each in read] == [(1, b""), (3, "198.18.0.53")]


def sa_init(*payloads):
    return replace(IKE_SA_INIT, payloads=payloads)


PRF = IKE_PROPOSALS[0].transforms[1]


def transform_after(*attributes):
    """Give scapy's idea of the transform that comes after one with these attributes."""
    transforms = (Transform(TransformType.ENCR, 12, attributes), PRF)
    _, (read,) = read_by_scapy(sa_init(SA((Proposal(1, 1, transforms),))))
    return bytes(read.prop.trans.payload)


def types_of_selectors(*selectors):
    _, (read,) = read_by_scapy(sa_init(TSi(selectors)))
    return [getattr(each, "TS_type", None) for each in read.traffic_selector]


KEY_LENGTH = Attribute(14, 256)

# What scapy gets wrong, how it is asked, and the right answer.
WRONG_IN_SCAPY = {
    "it knows no attribute in TLV form": (
        lambda: transform_after(Attribute(14, b"\x01\x00")),
        PRF.write(0),
    ),
    "it knows no second attribute": (
        lambda: transform_after(KEY_LENGTH, Attribute(700, 1)),
        PRF.write(0),
    ),
    "it reads no selector of an unknown type that has under 16 octets": (
        lambda: types_of_selectors(UnknownSelector(200, 0, b"\1\2\3\4")),
        [200],
    ),
    "a selector of an unknown type swallows all that come after it": (
        lambda: types_of_selectors(UnknownSelector(200, 0, b"\1\2\3\4" * 4), V4),
        [200, 7],
    ),
    "it reads a message of a lower major version as ISAKMP": (
        lambda: type(scapy.IKEv2(replace(IKE_SA_INIT, major=1).encode())).__name__,
        "IKEv2",
    ),
}


@pytest.mark.parametrize(("read", "right"), WRONG_IN_SCAPY.values(), ids=WRONG_IN_SCAPY)
def test_where_scapy_is_wrong(read, right):
    assert read() != right


def test_what_is_asked_of_scapy_can_be_answered():
    assert transform_after(KEY_LENGTH) == PRF.write(0)
    assert types_of_selectors(V4, V4) == [7, 7]


def test_we_read_what_scapy_reads_wrongly():
    transform = Transform(TransformType.ENCR, 12, (KEY_LENGTH, Attribute(700, b"\x01\x00")))
    message = sa_init(
        SA((Proposal(1, 1, (transform, transform)),)),
        TSi((UnknownSelector(200, 0, b"\1\2\3\4"), V4)),
    )

    read = Message.decode(message.encode())
    assert read.get(SA).proposals[0].transforms == (transform, transform)
    assert [type(each) for each in read.get(TSi).selectors] == [UnknownSelector, TrafficSelector]
