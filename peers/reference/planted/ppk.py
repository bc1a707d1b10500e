"""Planted faults: post-quantum preshared keys (RFC 8784)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from peers.reference.credentials import Ppk
from peers.reference.decisions import Decisions
from peers.reference.keys import IkeKeys, mix_ppk
from peers.reference.message import Message
from peers.reference.numbers import NotifyType
from peers.reference.payloads import AUTH, Notify, Payload, Proposal
from peers.reference.planted.catalogue import fault
from peers.reference.sa import IkeSa


def _without(message: Message, kind: NotifyType) -> Message:
    kept = tuple(
        each
        for each in message.payloads
        if not (isinstance(each, Notify) and each.notify_type == kind)
    )
    return replace(message, payloads=kept)


@fault("keeps-its-ppk-to-itself")
class KeepsItsPpkToItself(Decisions):
    """USE_PPK is neither said nor answered, although there is a PPK."""

    def edit(self, message: Message) -> Message:
        return _without(message, NotifyType.USE_PPK)


@fault("says-use-ppk-with-data")
class SaysUsePpkWithData(Decisions):
    """USE_PPK holds an octet of data."""

    def edit(self, message: Message) -> Message:
        if message.find_notify(NotifyType.USE_PPK) is None:
            return message
        return message.replacing(Notify(NotifyType.USE_PPK, b"\1"))


@fault("says-use-ppk-unasked")
class SaysUsePpkUnasked(Decisions):
    """A response to IKE_SA_INIT has USE_PPK although the request had none."""

    def edit(self, message: Message) -> Message:
        first = message.response and message.message_id == 0 and not message.protected
        if not first or message.find_notify(NotifyType.USE_PPK) is not None:
            return message
        return replace(message, payloads=(*message.payloads, Notify(NotifyType.USE_PPK)))


@fault("loses-use-ppk-with-cookie")
class LosesUsePpkWithCookie(Decisions):
    """A first request that is repeated with a cookie no longer has USE_PPK."""

    def edit(self, message: Message) -> Message:
        if message.find_notify(NotifyType.COOKIE) is None:
            return message
        return _without(message, NotifyType.USE_PPK)


@fault("goes-on-without-required-ppk")
class GoesOnWithoutRequiredPpk(Decisions):
    """A PPK that is required is taken for optional, in both roles."""

    def goes_on_without_ppk(self, *, required: bool) -> bool:
        return True


@fault("gives-up-without-ppk")
class GivesUpWithoutPpk(Decisions):
    """A PPK that is optional is taken for required, in both roles."""

    def goes_on_without_ppk(self, *, required: bool) -> bool:
        return False


@fault("mixes-ppk-by-one-prf")
class MixesPpkByOnePrf(Decisions):
    """The PPK is mixed with the key as text and the old key as key."""

    def mixes_ppk(self, keys: IkeKeys, ppk: Ppk) -> IkeKeys:
        return mix_ppk(
            replace(keys, sk_d=ppk.secret, sk_pi=ppk.secret, sk_pr=ppk.secret), keys.sk_d
        )


@fault("mixes-ppk-into-auth-alone")
class MixesPpkIntoAuthAlone(Decisions):
    """The PPK is mixed into SK_pi and SK_pr, but not into SK_d."""

    def mixes_ppk(self, keys: IkeKeys, ppk: Ppk) -> IkeKeys:
        return replace(super().mixes_ppk(keys, ppk), sk_d=keys.sk_d)


@fault("mixes-ppk-into-nothing")
class MixesPpkIntoNothing(Decisions):
    """PPKs are spoken of, and the keys stay as they are."""

    def mixes_ppk(self, keys: IkeKeys, ppk: Ppk) -> IkeKeys:
        return keys


@fault("takes-ppk-of-any-name")
class TakesPpkOfAnyName(Decisions):
    """Any PPK_ID is taken for that of the first PPK."""

    def finds_ppk(self, ppks: Sequence[Ppk], identity: bytes) -> Ppk | None:
        return ppks[0]


@fault("does-not-need-ppk-identity")
class DoesNotNeedPpkIdentity(Decisions):
    """An initiator that said USE_PPK and names no PPK is authenticated without one."""

    def needs_ppk_identity(self) -> bool:
        return False


@fault("mixes-ppk-again-on-rekey")
class MixesPpkAgainOnRekey(Decisions):
    """The PPK is mixed into the keys of a rekeyed IKE SA too."""

    def rekey(
        self, old: IkeSa, request: Message, chosen: Proposal
    ) -> tuple[IkeSa, tuple[Payload, ...]]:
        new, payloads = super().rekey(old, request, chosen)
        self._mix_again(old, new)
        return new, payloads

    def hear_rekey(self, old: IkeSa, new: IkeSa, request: Message, response: Message) -> None:
        super().hear_rekey(old, new, request, response)
        self._mix_again(old, new)

    def _mix_again(self, old: IkeSa, new: IkeSa) -> None:
        if old.ppk is not None:
            new.keys = self.mixes_ppk(new.established_keys(), old.ppk)


@fault("offers-no-way-out-of-ppk")
class OffersNoWayOutOfPpk(Decisions):
    """There is no NO_PPK_AUTH, although the PPK is optional."""

    def offers_way_out(self, *, required: bool) -> bool:
        return False


@fault("says-in-no-ppk-auth-what-auth-says")
class SaysInNoPpkAuthWhatAuthSays(Decisions):
    """NO_PPK_AUTH holds what AUTH holds, which is computed with the PPK."""

    def way_out(self, with_ppk: AUTH, without_ppk: AUTH) -> bytes:
        return with_ppk.data


@fault("confirms-ppk-by-name")
class ConfirmsPpkByName(Decisions):
    """The PPK_IDENTITY of a response holds the PPK_ID."""

    def edit(self, message: Message) -> Message:
        if not message.response or message.find_notify(NotifyType.PPK_IDENTITY) is None:
            return message
        return message.replacing(Notify(NotifyType.PPK_IDENTITY, b"\2ikeproof-ppk"))


@fault("confirms-every-ppk")
class ConfirmsEveryPpk(Decisions):
    """A response has PPK_IDENTITY although the PPK is not known, and not used."""

    def edit(self, message: Message) -> Message:
        done = message.response and message.has(AUTH)
        if not done or message.find_notify(NotifyType.PPK_IDENTITY) is not None:
            return message
        return replace(message, payloads=(*message.payloads, Notify(NotifyType.PPK_IDENTITY)))


@fault("does-not-confirm-ppk")
class DoesNotConfirmPpk(Decisions):
    """A response has no PPK_IDENTITY although the PPK is used."""

    def edit(self, message: Message) -> Message:
        return _without(message, NotifyType.PPK_IDENTITY) if message.response else message


@fault("minds-name-of-confirmed-ppk")
class MindsNameOfConfirmedPpk(Decisions):
    """A PPK_IDENTITY with data confirms only the PPK of that PPK_ID."""

    def confirms_ppk(self, identity: Notify | None, ours: Ppk) -> bool:
        return identity is not None and identity.data in (b"", ours.identity())


@fault("names-ppk-without-type")
class NamesPpkWithoutType(Decisions):
    """PPK_IDENTITY holds the PPK_ID without its type octet."""

    def edit(self, message: Message) -> Message:
        named = message.find_notify(NotifyType.PPK_IDENTITY)
        if named is None or message.response:
            return message
        return message.replacing(replace(named, data=named.data[1:]))
