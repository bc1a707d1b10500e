"""What of a proposal the reference peer can do; what it cannot is refused when configured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from peers.reference.crypto import key_sizes, prf_size
from peers.reference.errors import ScriptError
from peers.reference.key_exchange import check_method
from peers.reference.numbers import (
    Encr,
    Esn,
    Integ,
    KeyExchangeMethod,
    Prf,
    TransformType,
)
from peers.reference.payloads import Proposal, Transform


def _check_method(transform: Transform) -> None:
    if transform.id != KeyExchangeMethod.NONE:
        check_method(KeyExchangeMethod(transform.id))


def _check_esn(transform: Transform) -> None:
    if transform.id != Esn.NO_ESN:
        raise ScriptError("extended sequence numbers are not implemented in Child SAs")


_CHECKS: Mapping[int, Callable[[Transform], object]] = {
    TransformType.ENCR: lambda t: key_sizes(Encr(t.id), t.key_length, None),
    TransformType.PRF: lambda t: prf_size(Prf(t.id)),
    TransformType.INTEG: lambda t: key_sizes(Encr.ENCR_NULL, None, Integ(t.id)),
    TransformType.KE: _check_method,
    TransformType.ESN: _check_esn,
}


def check_implemented(proposals: Iterable[Proposal]) -> None:
    """Raise ScriptError for the first transform that the reference peer does not implement."""
    for proposal in proposals:
        for transform in proposal.transforms:
            check = _CHECKS.get(transform.type)
            if check is None:
                raise ScriptError(f"{transform} is not implemented")
            check(transform)
