"""The vectors of primitives, read out of the package `cryptography-vectors`: nothing is copied.

What the peer cannot be asked is left out: nonces of another size than IKE and ESP have, curves and
hashes that IKE has no number for, and results that are about a comparison and not about the peer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from vectors.loader import Vectors
from vectors.primitives import ciphers, exchanges, signatures

SUBJECTS: Mapping[str, Callable[[], Vectors]] = {
    **ciphers.SUBJECTS,
    **exchanges.SUBJECTS,
    **signatures.SUBJECTS,
}
"""Each subject by a short name, read when it is asked for."""


def subjects() -> Iterator[Vectors]:
    """Read every subject."""
    return (read() for read in SUBJECTS.values())
