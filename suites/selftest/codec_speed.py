"""Measure the codec: ``python -m suites.selftest.codec_speed`` prints microseconds per message.

The goal is at most 15 to parse and 10 to build an IKE_SA_INIT request of 240 octets.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from timeit import repeat

from peers.reference.message import Message
from peers.reference.numbers import KeyExchangeMethod, NotifyType, TransformType
from peers.reference.payloads import KE, SA, Nonce, Notify
from suites.selftest.codec_strategies import IKE_PROPOSALS, IKE_SA_INIT, transform

PROPOSAL = replace(
    IKE_PROPOSALS[0],
    transforms=(
        *IKE_PROPOSALS[0].transforms,
        transform(TransformType.KE, KeyExchangeMethod.MODP_2048),
    ),
)
MESSAGE = replace(
    IKE_SA_INIT,
    payloads=(
        SA((PROPOSAL,)),
        KE(KeyExchangeMethod.CURVE25519, bytes(32)),
        Nonce(bytes(32)),
        Notify(NotifyType.NAT_DETECTION_SOURCE_IP, bytes(20)),
        Notify(NotifyType.NAT_DETECTION_DESTINATION_IP, bytes(20)),
        Notify(NotifyType.IKEV2_FRAGMENTATION_SUPPORTED),
        Notify(NotifyType.COOKIE, bytes(16)),
    ),
)


def microseconds(action: Callable[[], object]) -> float:
    """Give the least time of many runs: what the machine's other work adds is no property of it."""
    return min(repeat(action, number=200, repeat=500)) / 200 * 1e6


def main() -> None:
    """Print the figures."""
    octets = MESSAGE.encode()
    parse, build = microseconds(lambda: Message.decode(octets)), microseconds(MESSAGE.encode)
    sys.stdout.write(f"{len(octets)} octets: parse {parse:.1f} us, build {build:.1f} us\n")


if __name__ == "__main__":
    main()
