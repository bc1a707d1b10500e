"""ML-KEM (FIPS 203) as a key exchange method: draft-ietf-ipsecme-ikev2-mlkem.

The initiator sends an encapsulation key, the responder a ciphertext. kyber-py takes its random
octets d, z and m as an argument; `cryptography` draws m itself and has no ML-KEM-512, so it only
serves as the second implementation in our self-tests.
"""

from __future__ import annotations

from collections.abc import Mapping

from kyber_py.ml_kem.default_parameters import DEFAULT_PARAMETERS  # type: ignore[import-untyped]
from kyber_py.ml_kem.ml_kem import ML_KEM  # type: ignore[import-untyped]

from peers.reference.errors import PeerError
from peers.reference.key_exchange.interface import (
    KeyExchange,
    Method,
    Random,
    Response,
    check_size,
)
from peers.reference.numbers import KeyExchangeMethod


class MlKem(Method):
    """A parameter set; sizes are octets of FIPS 203, 8, table 3."""

    def __init__(
        self, number: KeyExchangeMethod, parameters: str, key_size: int, ciphertext_size: int
    ) -> None:
        self.number = number
        self.key_size = key_size
        self.ciphertext_size = ciphertext_size
        self._parameters = DEFAULT_PARAMETERS[parameters]

    def initiate(self, random: Random) -> KeyExchange:
        """Generate a key pair from the seeds d and z."""
        return _Decapsulation(self, self.drawing(random))

    def respond(self, peer_public: bytes, random: Random) -> Response:
        """Check an encapsulation key (FIPS 203, 7.2) and encapsulate a secret made of m."""
        check_size(self.number, peer_public, self.key_size)
        try:
            shared, ciphertext = self.drawing(random).encaps(peer_public)
        except ValueError:
            raise PeerError(
                f"{self.number.name}: the encapsulation key has a coefficient that is not reduced"
                " modulo q (FIPS 203, 7.2)"
            ) from None
        return Response(ciphertext, shared)

    def drawing(self, random: Random) -> ML_KEM:
        """Make the algorithms, with that source of random octets."""
        algorithms = ML_KEM(self._parameters)
        algorithms.random_bytes = random
        return algorithms


class _Decapsulation(KeyExchange):
    def __init__(self, method: MlKem, algorithms: ML_KEM) -> None:
        self.method = method.number
        self._ciphertext_size = method.ciphertext_size
        self._algorithms = algorithms
        self.public, self._private = algorithms.keygen()

    def shared(self, peer_public: bytes) -> bytes:
        """Decapsulate; a wrong ciphertext of the right size gives a secret that nobody shares."""
        check_size(self.method, peer_public, self._ciphertext_size)
        secret: bytes = self._algorithms.decaps(self._private, peer_public)
        return secret


_512, _768, _1024 = (
    KeyExchangeMethod.ML_KEM_512,
    KeyExchangeMethod.ML_KEM_768,
    KeyExchangeMethod.ML_KEM_1024,
)

METHODS: Mapping[KeyExchangeMethod, MlKem] = {
    _512: MlKem(_512, "ML512", 800, 768),
    _768: MlKem(_768, "ML768", 1184, 1088),
    _1024: MlKem(_1024, "ML1024", 1568, 1568),
}
