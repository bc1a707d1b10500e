"""Both ends of an ESP SA, for the self-tests of ESP."""

from ipaddress import ip_address

import pytest

from peers.reference.crypto import key_sizes, protection
from peers.reference.esp import InboundSa, OutboundSa, ReplayWindow
from peers.reference.ip import echo_request
from peers.reference.numbers import Encr, Integ, IpProtocol

SPI = b"\xc0\xff\xee\x01"
CBC = (Encr.ENCR_AES_CBC, 128, Integ.AUTH_HMAC_SHA2_256_128)
GCM = (Encr.ENCR_AES_GCM_16, 256, None)
CHACHA = (Encr.ENCR_CHACHA20_POLY1305, None, None)
NULL = (Encr.ENCR_NULL, None, Integ.AUTH_HMAC_SHA2_256_128)
SUITES = pytest.mark.parametrize("suite", [CBC, GCM, CHACHA, NULL], ids=lambda suite: str(suite[0]))
INNER = echo_request(ip_address("10.1.0.1"), ip_address("10.2.0.1"), 7, 1, b"ping").encode()


def make(suite):
    encryption, integrity = key_sizes(*suite)
    return protection(*suite, bytes(range(encryption)), bytes(range(100, 100 + integrity)))


def pair(suite, *, size=64, extended=False):
    """Both ends of one SA."""
    return (
        OutboundSa(SPI, make(suite), extended=extended),
        InboundSa(SPI, make(suite), ReplayWindow(size), extended=extended),
    )


def seal(sa, payload=INNER, next_header=IpProtocol.IPV4, **more):
    return sa.seal(next_header, payload, bytes(sa.protection.iv_size), **more)
