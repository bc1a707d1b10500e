"""Sealing and opening ESP packets, against the cipher alone and against scapy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from peers.reference.crypto import protection
from peers.reference.esp import InboundSa, OutboundSa, ReplayWindow
from peers.reference.numbers import Encr, IpProtocol
from suites.bench.measure import Row, medians

KEY = bytes(range(36))
"""An AES-256 key and the salt."""
SPI = bytes.fromhex("c0ffee01")
IV = bytes(8)
LIMIT = 2.0
"""A packet sealed and opened may take that many times what the cipher takes."""


def ip_packet(size: int) -> bytes:
    """Build an IPv4 packet of ``size`` octets with protocol 253 (RFC 3692)."""
    from scapy.layers.inet import IP

    return bytes(IP(src="10.1.0.1", dst="10.2.0.1", proto=253) / bytes(size - 20))


def ours(packet: bytes) -> Callable[[], object]:
    """Seal and open one packet after the other, with a replay window."""
    outbound = OutboundSa(SPI, protection(Encr.ENCR_AES_GCM_16, 256, None, KEY, b""))
    inbound = InboundSa(
        SPI, protection(Encr.ENCR_AES_GCM_16, 256, None, KEY, b""), ReplayWindow(64)
    )
    assert inbound.open(outbound.seal(IpProtocol.IPV4, packet, IV)).payload == packet
    return lambda: inbound.open(outbound.seal(IpProtocol.IPV4, packet, IV))


def cipher(packet: bytes) -> Callable[[], object]:
    """Encrypt and decrypt as many octets, and nothing else."""
    sending, receiving = AESGCM(KEY[:32]), AESGCM(KEY[:32])
    nonce, header, plaintext = bytes(12), bytes(8), packet + bytes(-(len(packet) + 2) % 4 + 2)
    return lambda: receiving.decrypt(nonce, sending.encrypt(nonce, plaintext, header), header)


def scapy(packet: bytes) -> Callable[[], object]:
    """Let scapy encapsulate and decapsulate the packet in tunnel mode."""
    from scapy.layers.inet import IP
    from scapy.layers.ipsec import ESP, SecurityAssociation

    outer = IP(src="198.18.0.1", dst="198.18.0.2")
    sa = SecurityAssociation(
        ESP, spi=0xC0FFEE01, crypt_algo="AES-GCM", crypt_key=KEY, tunnel_header=outer
    )
    inner, numbers = IP(packet), count(1)
    return lambda: sa.decrypt(IP(bytes(sa.encrypt(inner, seq_num=next(numbers)))))


def rows() -> Iterator[Row]:
    """Measure packets of 64 and of 1400 octets."""
    for size in (64, 1400):
        packet = ip_packet(size)
        fast = medians({"ours": ours(packet), "cipher": cipher(packet)}, number=2000, rounds=25)
        slow = medians({"scapy": scapy(packet)}, number=10, rounds=9)
        what = f"ESP seal and open, {size} octets ({1 / fast['ours']:.0f} a second)"
        us = fast["ours"] * 1e6
        yield Row(what, "us", us, "AESGCM alone", fast["cipher"] * 1e6, LIMIT, limits_ratio=True)
        yield Row(f"the same, {size} octets", "us", us, "scapy", slow["scapy"] * 1e6)
