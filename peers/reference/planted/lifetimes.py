"""Planted faults: lifetimes of SAs (RFC 7296, 2.8)."""

from __future__ import annotations

from peers.reference.decisions import Decisions
from peers.reference.planted.catalogue import fault


@fault("uses-expired-sas")
class UsesExpiredSas(Decisions):
    """An SA whose lifetime is over is used on as if nothing were."""

    def minds_lifetimes(self) -> bool:
        return False


@fault("lets-child-sas-expire")
class LetsChildSasExpire(Decisions):
    """A Child SA that is to be rekeyed is closed when its lifetime is over, and not replaced."""

    def rekeys_in_time(self) -> bool:
        return False
