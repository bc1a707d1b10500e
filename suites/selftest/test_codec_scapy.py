"""Scapy as a second decoder: it reads in our octets what we put into them.

Where scapy's ``contrib.ikev2`` (2.8.0) reads well-formed octets wrongly, the test says so under
"scapy's own bugs" and expects the wrong answer, so that a mended scapy turns it red.
"""

import pytest
from scapy.contrib import ikev2 as scapy_ikev2

from peers.reference.message import Message
from peers.reference.numbers import (
    AuthMethod,
    ConfigAttributeType,
    ConfigType,
    ExchangeType,
    NotifyType,
    PayloadType,
    ProtocolId,
    TrafficSelectorType,
)
from peers.reference.payloads import (
    KE,
    SK,
    SKF,
    ConfigAttribute,
    Delete,
    Nonce,
    Notify,
    TSi,
    UnknownSelector,
    write_payloads,
)
from suites.selftest.codec_strategies import (
    ESP_PROPOSAL,
    IKE_AUTH,
    IKE_SA_INIT,
    INFORMATIONAL,
    SPI_I,
    SPI_R,
    V4,
    V6,
)


def chain(packet):
    """List a packet's layers; scapy nests them."""
    while packet and packet.name not in ("NoPayload", "Raw", "Padding"):
        yield packet
        packet = packet.payload


def inner(message):
    """Let scapy read the payloads of a message as if they were not protected."""
    first = scapy_ikev2._IKEv2_Packet
    octets = b"".join(write_payloads(message.payloads))
    header = scapy_ikev2.IKEv2(next_payload=int(message.payloads[0].type))
    del first
    return list(chain(scapy_ikev2.IKEv2(bytes(header)[:28] + octets)))[1:]
