"""Which algorithms a target has: its adapter's words declare them, the target itself is asked.

A target's ``lacks`` names what it has no algorithm for in a proposal, so that a test of that
algorithm is unsupported before it has failed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache
from itertools import product

from peers.lab.machine import Machine
from peers.reference.additional import ADDITIONAL
from peers.reference.crypto import is_combined, key_sizes
from peers.reference.errors import ScriptError
from peers.reference.keys import SaKeys
from peers.reference.numbers import Encr, Integ, KeyExchangeMethod, TransformType
from peers.reference.payloads import Proposal, Transform
from peers.targets.xfrm import algorithm_words

Lacks = Callable[[Proposal], str]
"""Names what a proposal wants and a target does not have; empty when it has all."""


def kernel_lacks(machine: Machine) -> Lacks:
    """Give what asks the machine's kernel for the algorithms of an ESP proposal, each once."""

    @cache
    def refusal(encr: Encr, bits: int | None, integ: Integ | None) -> str:
        sizes = key_sizes(encr, bits, integ)
        keys = SaKeys(*map(bytes, sizes))
        try:
            words = algorithm_words(encr, integ, keys)
        except ScriptError as error:
            return str(error)
        ends = "src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1000"
        answer = machine.run(
            f"ip xfrm state add {ends} mode tunnel {words} 2>&1 && ip xfrm state delete {ends}"
            " || true"
        )
        return f"the kernel refuses {words.split()[1]}: {answer.strip()}" if answer.strip() else ""

    def lacks(proposal: Proposal) -> str:
        integrity = [Integ(each.id) or None for each in proposal.of(TransformType.INTEG)] or [None]
        for cipher, integ in product(proposal.of(TransformType.ENCR), integrity):
            encr = Encr(cipher.id)
            refused = refusal(encr, cipher.key_length, None if is_combined(encr) else integ)
            if refused:
                return refused
        return ""

    return lacks


CHARON_NAMES: Mapping[int, str] = {
    KeyExchangeMethod.MODP_1024_S160: "MODP_1024_160",
    KeyExchangeMethod.MODP_2048_S224: "MODP_2048_224",
    KeyExchangeMethod.MODP_2048_S256: "MODP_2048_256",
    KeyExchangeMethod.BRAINPOOL_P224R1: "ECP_224_BP",
    KeyExchangeMethod.BRAINPOOL_P256R1: "ECP_256_BP",
    KeyExchangeMethod.BRAINPOOL_P384R1: "ECP_384_BP",
    KeyExchangeMethod.BRAINPOOL_P512R1: "ECP_512_BP",
    KeyExchangeMethod.CURVE25519: "CURVE_25519",
    KeyExchangeMethod.CURVE448: "CURVE_448",
}
"""How charon calls a key exchange method where the registry has another name."""


def charon_name(transform: Transform) -> str:
    """Give the name that charon lists an algorithm by."""
    name = str(transform.id)
    if transform.type in (TransformType.KE, *ADDITIONAL):
        return CHARON_NAMES.get(transform.id, name)
    short = name.removeprefix("ENCR_").removeprefix("AUTH_")
    of_des = transform.type == TransformType.ENCR and transform.id in (
        Encr.ENCR_DES,
        Encr.ENCR_3DES,
    )
    return f"{short}_CBC" if of_des else short


def charon_lacks(names: Collection[str], proposal: Proposal) -> str:
    """Look the algorithms of an IKE proposal up among those that charon listed."""
    kinds = (
        TransformType.ENCR,
        TransformType.INTEG,
        TransformType.PRF,
        TransformType.KE,
        *ADDITIONAL,
    )
    missing = [
        str(each)
        for kind in kinds
        for each in proposal.of(kind)
        if each.id and charon_name(each) not in names
    ]
    return f"charon has no {', '.join(missing)}" if missing else ""
