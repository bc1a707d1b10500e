"""Planted faults: no algorithm at all; keys made in the wrong way (RFC 7296, 2.13 to 2.17)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from peers.reference.child import ChildSa, ChildSeed, ChildTerms
from peers.reference.connection import Connection
from peers.reference.decisions import Decisions
from peers.reference.keys import ChildKeys, SaKeys
from peers.reference.negotiation import encr, ike_proposal, integ, ke, prf
from peers.reference.numbers import Encr, Integ, KeyExchangeMethod, Prf
from peers.reference.payloads import SA
from peers.reference.planted.catalogue import fault
from peers.reference.substructures import Proposal, Transform

DISCOURAGED = (
    KeyExchangeMethod.MODP_1024,
    KeyExchangeMethod.MODP_1536,
    KeyExchangeMethod.MODP_2048_S224,
    KeyExchangeMethod.MODP_2048_S256,
)


@fault("has-nothing-of-an-offer", fundamental=True)
class HasNothingOfAnOffer(Decisions):
    """No proposal is chosen, though the target is configured for it."""

    def choose(self, offered: SA, acceptable: Sequence[Proposal]) -> Proposal | None:
        return None


@fault("has-what-is-forbidden")
class HasWhatIsForbidden(Decisions):
    """DES, NULL, MD5 and the groups 1 and 22 can be configured for IKE (RFC 8247)."""

    def has_for_ike(self, transform: Transform) -> bool:
        return True


@fault("has-discouraged-groups-by-default")
class HasDiscouragedGroupsByDefault(Decisions):
    """A connection that names no algorithms has the groups 2, 5, 23 and 24, too (RFC 8247, 2.4)."""

    def ike_by_default(self) -> tuple[Proposal, ...]:
        return tuple(
            replace(each, transforms=(*each.transforms, *map(ke, DISCOURAGED)))
            for each in super().ike_by_default()
        )


@fault("offers-old-integrity-algorithms-by-default")
class OffersOldIntegrityAlgorithmsByDefault(Decisions):
    """A connection that names no algorithms offers DES-MAC and KPDK-MD5, too (RFC 8247, 2.3)."""

    def ike_by_default(self) -> tuple[Proposal, ...]:
        old = ike_proposal(
            encr(Encr.ENCR_AES_CBC, 256),
            integ(Integ.AUTH_DES_MAC),
            integ(Integ.AUTH_KPDK_MD5),
            prf(Prf.PRF_HMAC_SHA2_256),
            ke(KeyExchangeMethod.MODP_2048),
        )
        return *super().ike_by_default(), old


class OtherKeys(Decisions):
    """Makes other keys for each Child SA."""

    def child(self, terms: ChildTerms, connection: Connection, seed: ChildSeed) -> ChildSa:
        """Derive it, and change its keys."""
        child = super().child(terms, connection, seed)
        keys = child.keys
        changed = replace(
            keys,
            from_initiator=self.changed(keys.from_initiator),
            from_responder=self.changed(keys.from_responder),
        )
        self._take(child, terms, changed)
        return child

    def changed(self, keys: SaKeys) -> SaKeys:
        """Make the error."""
        return keys

    def _take(self, child: ChildSa, terms: ChildTerms, keys: ChildKeys) -> None:
        ways = keys.to_responder(), keys.to_initiator()
        sending, receiving = ways if terms.initiator else ways[::-1]
        child.outbound.protection, child.inbound.protection = sending, receiving


@fault("takes-the-integrity-key-first")
class TakesTheIntegrityKeyFirst(OtherKeys):
    """The integrity key is taken from KEYMAT before the encryption key."""

    def changed(self, keys: SaKeys) -> SaKeys:
        material = keys.encryption + keys.integrity
        size = len(keys.integrity)
        return SaKeys(material[size:], material[:size])


@fault("makes-integrity-keys-of-32-octets")
class MakesIntegrityKeysOf32Octets(OtherKeys):
    """Every HMAC-SHA2 has a key of 32 octets, as HMAC-SHA2-256 does."""

    def changed(self, keys: SaKeys) -> SaKeys:
        size = len(keys.integrity)
        return replace(keys, integrity=keys.integrity[:32].ljust(size, b"\0"))


@fault("makes-child-keys-with-hmac-sha2-256")
class MakesChildKeysWithHmacSha2(Decisions):
    """KEYMAT comes of HMAC-SHA2-256, whatever PRF was negotiated."""

    def child(self, terms: ChildTerms, connection: Connection, seed: ChildSeed) -> ChildSa:
        keys = replace(seed.keys, prf=Prf.PRF_HMAC_SHA2_256)
        return super().child(terms, connection, replace(seed, keys=keys))


@fault("leaves-the-key-exchange-out-of-keymat")
class LeavesTheKeyExchangeOutOfKeymat(Decisions):
    """KEYMAT is made of the nonces alone, though there was a key exchange."""

    def child(self, terms: ChildTerms, connection: Connection, seed: ChildSeed) -> ChildSa:
        return super().child(terms, connection, replace(seed, shared=b""))
