"""One IKE SA that stays half open in charon, so that charon keeps asking for cookies."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from peers.lab.machine import Machine
from peers.reference.message import Message
from peers.reference.numbers import (
    AttributeType,
    Encr,
    ExchangeType,
    KeyExchangeMethod,
    Prf,
    ProtocolId,
    TransformType,
)
from peers.reference.payloads import KE, SA, Attribute, Nonce, Proposal, Transform

NAME = "cookie-holder"
SPI = b"holdopen"
PORT = 4504

YOUNG = 11.0
"""Seconds after which charon's comparison of a cookie's time no longer wraps."""

OLD = 100_000.0
"""Seconds of a clock that hardly ever shows the trouble."""

Request = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


def hold_half_open(machine: Machine, request: Request) -> None:
    """Send charon an IKE_SA_INIT request from the target's own inner address, and no more.

    ``request`` sends a vici command. Returns when charon has the half-open SA.
    """
    place = machine.place
    inner = place.behind4[1]
    request(
        "load-conn",
        {
            NAME: {
                "version": "2",
                "local_addrs": [str(place.ipv4)],
                "remote_addrs": [str(inner)],
                "proposals": ["aes256gcm16-prfsha256-x25519"],
                "local": {"auth": "psk", "id": NAME},
                "remote": {"auth": "psk", "id": NAME},
            }
        },
    )
    octets = "".join(f"\\{octet:03o}" for octet in ike_sa_init().encode())
    machine.run(f"printf '{octets}' | socat -u - UDP4-SENDTO:{place.ipv4}:500,bind={inner}:{PORT}")
    machine.until(lambda: _half_open(request) > 0, "charon does not take an IKE_SA_INIT request")
    if _is_clock_young(machine):
        # charon takes none of its own cookies until its clock has gone on for ten seconds.
        start = time.monotonic()
        machine.until(lambda: time.monotonic() - start > YOUNG, "impossible", 2 * YOUNG)


def ike_sa_init() -> Message:
    """Give a request that charon answers; nobody will read what it answers."""
    key_length = (Attribute(AttributeType.KEY_LENGTH, 256),)
    transforms = (
        Transform(TransformType.ENCR, Encr.ENCR_AES_GCM_16, key_length),
        Transform(TransformType.PRF, Prf.PRF_HMAC_SHA2_256),
        Transform(TransformType.KE, KeyExchangeMethod.CURVE25519),
    )
    return Message(
        spi_i=SPI,
        spi_r=bytes(8),
        exchange=ExchangeType.IKE_SA_INIT,
        initiator=True,
        response=False,
        message_id=0,
        payloads=(
            SA((Proposal(1, ProtocolId.IKE, transforms),)),
            KE(KeyExchangeMethod.CURVE25519, bytes([9]) + bytes(31)),
            Nonce(bytes(range(32))),
        ),
    )


def _is_clock_young(machine: Machine) -> bool:
    """Say whether charon's monotonic clock is near its beginning (see docker/strongswan/daemon)."""
    shifted, _ = machine.attempt(
        "read start process </run/ikeproof && grep -q 1000000 /proc/$process/timens_offsets"
    )
    if shifted == 0:
        return False
    return float(machine.run("cat /proc/uptime").split()[0]) < OLD


def _half_open(request: Request) -> int:
    return int(request("stats", {})["ikesas"]["half-open"])
