"""The decisions about post-quantum preshared keys, one method each: part of `Decisions`."""

from __future__ import annotations

from collections.abc import Sequence

from peers.reference.credentials import Ppk
from peers.reference.keys import IkeKeys, mix_ppk
from peers.reference.payloads import AUTH, Notify


class PpkDecisions:
    """The decisions about PPKs as RFC 8784, section 3, wants them."""

    def mixes_ppk(self, keys: IkeKeys, ppk: Ppk) -> IkeKeys:
        """Mix a PPK into SK_d, SK_pi and SK_pr of a new IKE SA."""
        return mix_ppk(keys, ppk.secret)

    def offers_way_out(self, *, required: bool) -> bool:
        """Say whether an initiator sends NO_PPK_AUTH: where the PPK is optional for it."""
        return not required

    def way_out(self, with_ppk: AUTH, without_ppk: AUTH) -> bytes:
        """Give the data of NO_PPK_AUTH: what AUTH would hold without the PPK."""
        return without_ppk.data

    def needs_ppk_identity(self) -> bool:
        """Say whether a responder insists on PPK_IDENTITY once both sides have said USE_PPK."""
        return True

    def finds_ppk(self, ppks: Sequence[Ppk], identity: bytes) -> Ppk | None:
        """Look up the PPK of that PPK_ID, the type octet in front."""
        return next((each for each in ppks if each.identity() == identity), None)

    def confirms_ppk(self, identity: Notify | None, ours: Ppk) -> bool:
        """Say whether a responder's PPK_IDENTITY confirms the PPK: what it holds is ignored."""
        return identity is not None

    def goes_on_without_ppk(self, *, required: bool) -> bool:
        """Say whether an IKE SA is made although no PPK will protect it: an optional one."""
        return not required
