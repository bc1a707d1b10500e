"""Building and parsing an IKE_SA_INIT request, against scapy."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from peers.reference.message import Message
from peers.reference.negotiation import encr, ike_proposal, integ, ke, prf
from peers.reference.numbers import Encr, ExchangeType, Integ, KeyExchangeMethod, NotifyType, Prf
from peers.reference.payloads import KE, SA, Nonce, Notify, Transform
from suites.bench.measure import Row, medians

SIZE = 240
"""Octets of the message that the goals are for."""

THREE = (
    encr(Encr.ENCR_AES_GCM_16, 256),
    prf(Prf.PRF_HMAC_SHA2_256),
    ke(KeyExchangeMethod.CURVE25519),
)
TWENTY_FOUR = (
    *(encr(Encr.ENCR_AES_GCM_16, bits) for bits in (128, 192, 256)),
    *(encr(Encr.ENCR_AES_CBC, bits) for bits in (128, 192, 256)),
    encr(Encr.ENCR_CHACHA20_POLY1305),
    *map(prf, (Prf.PRF_HMAC_SHA1, Prf.PRF_HMAC_SHA2_256, Prf.PRF_HMAC_SHA2_384)),
    *(integ(Integ(number)) for number in (2, 12, 13, 14)),
    *(ke(KeyExchangeMethod(number)) for number in (14, 15, 16, 17, 18, 19, 20, 21, 31, 32)),
)
GOALS = {"parse": 15.0, "build": 10.0}
"""Microseconds for the message with three transforms."""


def message(transforms: tuple[Transform, ...], cookie: int) -> Message:
    """Build a request as daemons send it, with a cookie of so many octets."""
    return Message(
        bytes(range(8)),
        bytes(8),
        ExchangeType.IKE_SA_INIT,
        initiator=True,
        response=False,
        message_id=0,
        payloads=(
            SA((ike_proposal(*transforms),)),
            KE(KeyExchangeMethod.CURVE25519, bytes(32)),
            Nonce(bytes(32)),
            Notify(NotifyType.NAT_DETECTION_SOURCE_IP, bytes(20)),
            Notify(NotifyType.NAT_DETECTION_DESTINATION_IP, bytes(20)),
            Notify(NotifyType.IKEV2_FRAGMENTATION_SUPPORTED),
            Notify(NotifyType.COOKIE, bytes(cookie)),
        ),
    )


def scapy_packet(ours: Message) -> object:
    """Build the same with scapy, from values: nothing is cached in it."""
    from scapy.contrib import ikev2

    proposal = ours.get(SA).proposals[0]
    last = None
    for transform in reversed(proposal.transforms):
        bits = transform.key_length
        key_length = {} if bits is None else {"length": 12, "key_length": bits}
        layer = ikev2.IKEv2_Transform(
            transform_type=int(transform.type), transform_id=int(transform.id), **key_length
        )
        last = layer if last is None else layer / last
    offer = ikev2.IKEv2_Proposal(proposal=1, proto=1, trans_nb=len(proposal.transforms), trans=last)
    packet = ikev2.IKEv2(init_SPI=ours.spi_i, exch_type=34, flags="Initiator")
    packet = packet / ikev2.IKEv2_SA(prop=offer) / ikev2.IKEv2_KE(group=31, ke=bytes(32))
    packet = packet / ikev2.IKEv2_Nonce(nonce=bytes(32))
    for notify in ours.all(Notify):
        packet = packet / ikev2.IKEv2_Notify(type=int(notify.notify_type), notify=notify.data)
    return packet


def rows() -> Iterator[Row]:
    """Measure both messages."""
    from scapy.contrib.ikev2 import IKEv2

    filling = SIZE - len(message(THREE, 0).encode())
    for transforms in (THREE, TWENTY_FOUR):
        ours = message(transforms, filling)
        octets, theirs = ours.encode(), scapy_packet(ours)
        assert bytes(theirs) == octets, "both build the same"
        what = f"IKE_SA_INIT, {len(octets)} octets, {len(transforms)} transforms"
        fast = medians({"parse": partial(Message.decode, octets), "build": ours.encode}, number=500)
        slow = medians(
            {"parse": partial(IKEv2, octets), "build": partial(bytes, theirs)}, number=5, rounds=9
        )
        for work, seconds in fast.items():
            goal = GOALS[work] if transforms is THREE else None
            yield Row(f"{work} {what}", "us", seconds * 1e6, "scapy", slow[work] * 1e6, goal)
