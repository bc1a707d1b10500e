"""What of a proposal the reference peer can do; what it cannot is refused when configured."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from peers.reference.additional import ADDITIONAL
from peers.reference.crypto import is_for_ike, key_sizes, prf_size
from peers.reference.errors import ScriptError
from peers.reference.esp import MOST_PACKETS
from peers.reference.key_exchange import check_method
from peers.reference.negotiation import encr, ike_proposal, ke, prf
from peers.reference.numbers import (
    Encr,
    Esn,
    Integ,
    KeyExchangeMethod,
    Prf,
    ProtocolId,
    TransformType,
)
from peers.reference.payloads import Proposal, Transform

FORBIDDEN_FOR_IKE: Collection[tuple[int, int]] = frozenset(
    {
        (TransformType.ENCR, Encr.ENCR_DES),
        (TransformType.ENCR, Encr.ENCR_NULL),
        (TransformType.PRF, Prf.PRF_HMAC_MD5),
        (TransformType.INTEG, Integ.AUTH_HMAC_MD5_96),
        (TransformType.KE, KeyExchangeMethod.MODP_768),
        (TransformType.KE, KeyExchangeMethod.MODP_1024_S160),
    }
)
"""What is not to be implemented for IKE (RFC 8247, 2); here it is, to be offered and refused."""

IKE_BY_DEFAULT: tuple[Proposal, ...] = (
    ike_proposal(
        encr(Encr.ENCR_AES_GCM_16, 256),
        encr(Encr.ENCR_AES_GCM_16, 128),
        prf(Prf.PRF_HMAC_SHA2_256),
        prf(Prf.PRF_HMAC_SHA2_512),
        ke(KeyExchangeMethod.CURVE25519),
        ke(KeyExchangeMethod.ECP_256),
        ke(KeyExchangeMethod.MODP_2048),
    ),
)
"""What a connection has that names no proposals."""


def _check_method(transform: Transform) -> None:
    if transform.id != KeyExchangeMethod.NONE:
        check_method(KeyExchangeMethod(transform.id))


def _check_esn(transform: Transform) -> None:
    if transform.id not in (Esn.NO_ESN, Esn.ESN):
        raise ScriptError(f"{transform} is not implemented")


_CHECKS: Mapping[int, Callable[[Transform], object]] = {
    TransformType.ENCR: lambda t: key_sizes(Encr(t.id), t.key_length, None),
    TransformType.PRF: lambda t: prf_size(Prf(t.id)),
    TransformType.INTEG: lambda t: key_sizes(Encr.ENCR_NULL, None, Integ(t.id)),
    TransformType.KE: _check_method,
    TransformType.ESN: _check_esn,
    **dict.fromkeys(ADDITIONAL, _check_method),
}


def check_sequence_numbers(proposals: Iterable[Proposal], replay_window: int) -> None:
    """Raise ScriptError for extended numbers without or with too wide a replay window.

    A receiver infers their high half from the window (RFC 4303, A2). Without one it does not agree
    to them (3.3.3), so there have to be 32-bit numbers beside.
    """
    kinds = [{each.id for each in proposal.of(TransformType.ESN)} for proposal in proposals]
    extended = any(Esn.ESN in each for each in kinds)
    alone = any(each == {Esn.ESN} for each in kinds)
    if (alone and not replay_window) or (extended and replay_window > MOST_PACKETS):
        raise ScriptError(f"extended sequence numbers with a replay window of {replay_window}")


def without_extended(proposals: Iterable[Proposal]) -> tuple[Proposal, ...]:
    """Leave extended sequence numbers out of proposals."""
    return tuple(
        replace(proposal, transforms=tuple(t for t in proposal.transforms if not _is_extended(t)))
        for proposal in proposals
    )


def _is_extended(transform: Transform) -> bool:
    return transform.type == TransformType.ESN and transform.id == Esn.ESN


def check_implemented(proposals: Iterable[Proposal]) -> None:
    """Raise ScriptError for the first transform that the reference peer does not implement.

    A cipher that is defined for ESP only is none for an IKE SA.
    """
    for proposal in proposals:
        for transform in proposal.transforms:
            check = _CHECKS.get(transform.type)
            if check is None:
                raise ScriptError(f"{transform} is not implemented")
            check(transform)
            cipher = transform.type == TransformType.ENCR
            if (
                cipher
                and proposal.protocol == ProtocolId.IKE
                and not is_for_ike(Encr(transform.id))
            ):
                raise ScriptError(f"{transform} is not defined for an IKE SA")
