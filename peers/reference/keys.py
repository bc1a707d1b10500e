"""Keying material of IKE SAs and Child SAs, and the AUTH value of a PSK (RFC 7296, 2.13-2.18)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from peers.reference.crypto import (
    Protection,
    key_sizes,
    prf,
    prf_plus,
    prf_size,
    protection,
    skeyseed_key,
)
from peers.reference.errors import ScriptError
from peers.reference.numbers import Encr, Esn, Integ, Prf, ProtocolId

if TYPE_CHECKING:
    from peers.reference.negotiation import Suite

KEY_PAD = b"Key Pad for IKEv2"


@dataclass(frozen=True, slots=True)
class IkeKeys:
    """The seven keys of an IKE SA, with its SPIs and algorithms (RFC 7296, 2.14).

    SPIs are 8 octets each; ``sk_ei`` and ``sk_er`` end with the salt where there is one. Keys
    named ``i`` protect what the original initiator sends. Protections are made when they are asked
    for and not kept: an IKE SA seldom speaks.
    """

    spi_i: bytes
    spi_r: bytes
    encr: Encr
    key_bits: int | None
    integ: Integ | None
    prf: Prf
    sk_d: bytes
    sk_ai: bytes
    sk_ar: bytes
    sk_ei: bytes
    sk_er: bytes
    sk_pi: bytes
    sk_pr: bytes

    @property
    def initiator(self) -> Protection:
        """The protection of messages from the original initiator."""
        return protection(self.encr, self.key_bits, self.integ, self.sk_ei, self.sk_ai)

    @property
    def responder(self) -> Protection:
        """The protection of messages from the original responder."""
        return protection(self.encr, self.key_bits, self.integ, self.sk_er, self.sk_ar)


@dataclass(frozen=True, slots=True)
class SaKeys:
    """The keys of one ESP SA: the salt, where there is one, ends the encryption key."""

    encryption: bytes
    integrity: bytes


@dataclass(frozen=True, slots=True)
class ChildKeys:
    """The keys of a Child SA (RFC 7296, 2.17); "initiator" is the one of the exchange that made it.

    ``initiator_spi`` is the SPI that the initiator chose, so it stands in packets towards it;
    ``from_initiator`` are the keys of packets that the initiator sends, which carry
    ``responder_spi``. SPIs are 4 octets each.
    """

    protocol: ProtocolId
    encr: Encr
    key_bits: int | None
    integ: Integ | None
    esn: Esn
    initiator_spi: bytes
    responder_spi: bytes
    from_initiator: SaKeys
    from_responder: SaKeys

    def to_responder(self) -> Protection:
        """Make the protection of packets from the initiator to the responder."""
        return self._protection(self.from_initiator)

    def to_initiator(self) -> Protection:
        """Make the protection of packets from the responder to the initiator."""
        return self._protection(self.from_responder)

    def _protection(self, keys: SaKeys) -> Protection:
        return protection(self.encr, self.key_bits, self.integ, keys.encryption, keys.integrity)


def derive_ike_keys(
    suite: Suite,
    *,
    shared: bytes,
    nonce_i: bytes,
    nonce_r: bytes,
    spi_i: bytes,
    spi_r: bytes,
) -> IkeKeys:
    """Derive the keys of an initial IKE SA (RFC 7296, 2.14) from g^ir, nonces and SPIs."""
    number = _prf_of(suite)
    skeyseed = prf(number, skeyseed_key(number, nonce_i, nonce_r), shared)
    return _expand_ike_keys(suite, skeyseed, nonce_i + nonce_r, spi_i, spi_r)


def derive_rekeyed_ike_keys(
    old: IkeKeys,
    suite: Suite,
    *,
    shared: bytes,
    nonce_i: bytes,
    nonce_r: bytes,
    spi_i: bytes,
    spi_r: bytes,
    more: bytes = b"",
) -> IkeKeys:
    """Derive the keys of an IKE SA that replaces ``old`` (RFC 7296, 2.18).

    g^ir, nonces and SPIs are those of the CREATE_CHILD_SA exchange, whose initiator becomes the
    new SA's. The old SA's PRF makes SKEYSEED, the new one's PRF everything else. ``more`` are the
    secrets of further key exchanges, joined (RFC 9370, 2.2.4).
    """
    skeyseed = prf(old.prf, old.sk_d, shared + nonce_i + nonce_r + more)
    return _expand_ike_keys(suite, skeyseed, nonce_i + nonce_r, spi_i, spi_r)


def derive_resumed_ike_keys(
    sk_d: bytes, suite: Suite, *, nonce_i: bytes, nonce_r: bytes, spi_i: bytes, spi_r: bytes
) -> IkeKeys:
    """Derive the keys of an IKE SA that a ticket brought back from the old SK_d (RFC 5723, 5.1)."""
    skeyseed = prf(_prf_of(suite), sk_d, b"Resumption" + nonce_i + nonce_r)
    return _expand_ike_keys(suite, skeyseed, nonce_i + nonce_r, spi_i, spi_r)


def mix_ppk(keys: IkeKeys, ppk: bytes) -> IkeKeys:
    """Mix a post-quantum preshared key into SK_d, SK_pi and SK_pr (RFC 8784, 3)."""
    return replace(
        keys,
        sk_d=prf_plus(keys.prf, ppk, keys.sk_d, len(keys.sk_d)),
        sk_pi=prf_plus(keys.prf, ppk, keys.sk_pi, len(keys.sk_pi)),
        sk_pr=prf_plus(keys.prf, ppk, keys.sk_pr, len(keys.sk_pr)),
    )


def derive_child_keys(
    ike: IkeKeys,
    suite: Suite,
    *,
    initiator_spi: bytes,
    responder_spi: bytes,
    nonce_i: bytes,
    nonce_r: bytes,
    shared: bytes = b"",
    more: bytes = b"",
    protocol: ProtocolId = ProtocolId.ESP,
) -> ChildKeys:
    """Derive the keys of a Child SA (RFC 7296, 2.17).

    Nonces are those of the exchange that makes it; ``shared`` is g^ir of a key exchange in
    CREATE_CHILD_SA, empty without one, and ``more`` the secrets of further ones, joined (RFC 9370).
    """
    sizes = key_sizes(suite.encr, suite.key_bits, suite.integ)
    keymat = prf_plus(ike.prf, ike.sk_d, shared + nonce_i + nonce_r + more, 2 * sum(sizes))
    parts = _cut(keymat, *sizes, *sizes)
    return ChildKeys(
        protocol,
        suite.encr,
        suite.key_bits,
        suite.integ or None,
        suite.esn if suite.esn is not None else Esn.NO_ESN,
        initiator_spi,
        responder_spi,
        SaKeys(next(parts), next(parts)),
        SaKeys(next(parts), next(parts)),
    )


def signed_octets(message: bytes, nonce: bytes, number: Prf, sk_p: bytes, id_body: bytes) -> bytes:
    """Build InitiatorSignedOctets or ResponderSignedOctets (RFC 7296, 2.15).

    ``message`` is the signer's own IKE_SA_INIT message, the latest one that it sent, from its
    first SPI on; ``nonce`` is the other side's; ``sk_p`` is SK_pi or SK_pr, the signer's;
    ``id_body`` is the signer's identification payload without its generic header.
    """
    return message + nonce + prf(number, sk_p, id_body)


def psk_auth(number: Prf, psk: bytes, octets: bytes) -> bytes:
    """Compute the AUTH data of a shared key over the signed octets (RFC 7296, 2.15)."""
    return prf(number, prf(number, psk, KEY_PAD), octets)


def _prf_of(suite: Suite) -> Prf:
    if suite.prf is None:
        raise ScriptError("an IKE SA needs a PRF (RFC 7296, 3.3.3)")
    return suite.prf


def _expand_ike_keys(
    suite: Suite, skeyseed: bytes, nonces: bytes, spi_i: bytes, spi_r: bytes
) -> IkeKeys:
    number = _prf_of(suite)
    secret = prf_size(number)
    encryption, integrity = key_sizes(suite.encr, suite.key_bits, suite.integ)
    sizes = (secret, integrity, integrity, encryption, encryption, secret, secret)
    stream = prf_plus(number, skeyseed, nonces + spi_i + spi_r, sum(sizes))
    integ = suite.integ or None
    return IkeKeys(spi_i, spi_r, suite.encr, suite.key_bits, integ, number, *_cut(stream, *sizes))


def _cut(octets: bytes, *sizes: int) -> Iterator[bytes]:
    start = 0
    for size in sizes:
        yield octets[start : start + size]
        start += size
