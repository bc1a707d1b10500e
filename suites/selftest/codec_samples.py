"""The same examples each time: messages with every payload there is, and inner packets for ESP."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from ipaddress import ip_address
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from peers.reference.ip import echo_request
from peers.reference.message import Message
from peers.reference.numbers import IpProtocol
from suites.selftest.codec_strategies import (
    EVERY,
    IKE_AUTH,
    IKE_SA_INIT,
    INFORMATIONAL,
    messages,
)

T = TypeVar("T")

BY_HAND = (
    IKE_SA_INIT,
    replace(IKE_AUTH, protected=False),
    replace(INFORMATIONAL, protected=False),
)
"""Messages as they are sent, the protected ones as if they were not."""

V4 = echo_request(ip_address("10.1.0.1"), ip_address("10.2.0.1"), 7, 1, bytes(range(24))).encode()
V6 = echo_request(ip_address("fd01::1"), ip_address("fd02::1"), 7, 1, bytes(range(8))).encode()
INNER = (
    (IpProtocol.IPV4, V4),
    (IpProtocol.IPV6, V6),
    (IpProtocol.IPV4, V4 + bytes(30)),
    (IpProtocol.NO_NEXT_HEADER, b"a dummy packet"),
    (IpProtocol.ICMP, V4[20:]),
)
"""What ESP carries: the Next Header and octets; the third has TFC padding, the fourth is one."""


def sample(strategy: st.SearchStrategy[T], count: int) -> tuple[T, ...]:
    """Draw examples of a strategy, the same ones in every run."""
    drawn: list[T] = []

    @settings(
        derandomize=True,
        database=None,
        max_examples=count,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(example: T) -> None:
        drawn.append(example)

    collect()
    return tuple(drawn)


@cache
def messages_of_each_kind(count: int) -> tuple[Message, ...]:
    """Give the messages written by hand, and up to ``count`` with each class of payload."""
    drawn = (sample(messages(strategy.map(lambda p: (p,))), count) for strategy in EVERY.values())
    return BY_HAND + tuple(message for each in drawn for message in each)
