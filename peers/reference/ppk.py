"""Post-quantum preshared keys in the initial exchanges (RFC 8784): who says what, and when.

Keys are mixed once, when an IKE SA is made; a rekeyed one has its share by SK_d (RFC 8784, 3).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from peers.reference.credentials import Null, Ppk
from peers.reference.errors import AuthenticationFailure
from peers.reference.message import Message
from peers.reference.numbers import NotifyType
from peers.reference.payloads import AUTH, Notify
from peers.reference.sa import IkeSa

if TYPE_CHECKING:
    from peers.reference.decisions_ppk import PpkDecisions


def announcement(sa: IkeSa) -> tuple[Notify, ...]:
    """Build USE_PPK for an IKE_SA_INIT message of ours: a responder answers one with it."""
    said = sa.initiator or sa.peer_uses_ppk
    return (Notify(NotifyType.USE_PPK),) if said and sa.connection.ppks else ()


def note(sa: IkeSa, message: Message) -> None:
    """Take up whether the other side's IKE_SA_INIT message has USE_PPK."""
    sa.peer_uses_ppk = NotifyType.USE_PPK in message.notifies


def is_required(sa: IkeSa) -> bool:
    """Say whether the IKE SA may only be made with a PPK.

    With NULL authentication the PPK is all that authenticates, once both speak of it (5.2.3).
    """
    both = (sa.connection.local_credential, sa.connection.remote_credential)
    alone = sa.peer_uses_ppk and any(isinstance(each, Null) for each in both)
    return sa.connection.ppk_required or bool(alone and sa.connection.ppks)


def refuses_response(decide: PpkDecisions, sa: IkeSa) -> bool:
    """Say whether an initiator gives up after IKE_SA_INIT: no USE_PPK, which is required."""
    speaks = sa.peer_uses_ppk and bool(sa.connection.ppks)
    return not speaks and not decide.goes_on_without_ppk(required=is_required(sa))


def select(decide: PpkDecisions, sa: IkeSa) -> None:
    """Mix the initiator's PPK into the keys, if both sides have said USE_PPK."""
    if sa.peer_uses_ppk and sa.connection.ppks:
        _mix(decide, sa, sa.connection.ppks[0])


def _mix(decide: PpkDecisions, sa: IkeSa, ppk: Ppk) -> None:
    sa.ppk, sa.keys_without_ppk = ppk, sa.keys_without_ppk or sa.established_keys()
    sa.keys = decide.mixes_ppk(sa.keys_without_ppk, ppk)


@contextmanager
def left_out(sa: IkeSa) -> Iterator[None]:
    """Have the keys be meanwhile as they would be without the PPK that is mixed into them."""
    mixed = sa.keys
    sa.keys = sa.keys_without_ppk or mixed
    try:
        yield
    finally:
        sa.keys = mixed


def identity(sa: IkeSa) -> tuple[Notify, ...]:
    """Build PPK_IDENTITY for the message with our AUTH: which PPK, or as responder that it is."""
    if sa.ppk is None:
        return ()
    return (Notify(NotifyType.PPK_IDENTITY, sa.ppk.identity() if sa.initiator else b""),)


def hear_request(decide: PpkDecisions, sa: IkeSa, request: Message) -> AUTH:
    """Settle as responder whether a PPK is used; give the AUTH payload that is to be verified.

    That is the one in the message, or NO_PPK_AUTH with its method. AuthenticationFailure where the
    initiator cannot be authenticated (RFC 8784, 3, Table 1).
    """
    auth = request.get(AUTH)
    if not (sa.peer_uses_ppk and sa.connection.ppks):
        if not decide.goes_on_without_ppk(required=is_required(sa)):
            raise AuthenticationFailure("the initiator uses no PPK, which is required")
        return auth
    named = request.find_notify(NotifyType.PPK_IDENTITY)
    if named is None:
        if decide.needs_ppk_identity():
            raise AuthenticationFailure("both sides said USE_PPK, and no PPK_IDENTITY came")
        return auth
    ppk = decide.finds_ppk(sa.connection.ppks, named.data)
    if ppk is not None:
        _mix(decide, sa, ppk)
        return auth
    fallback = request.find_notify(NotifyType.NO_PPK_AUTH)
    if fallback is None or not decide.goes_on_without_ppk(required=is_required(sa)):
        raise AuthenticationFailure(f"no PPK has the identity {named.data.hex()}")
    return AUTH(auth.method, fallback.data)


def hear_response(decide: PpkDecisions, sa: IkeSa, response: Message) -> AUTH:
    """Settle as initiator whether the PPK is used: a PPK_IDENTITY says so, whatever is in it.

    AuthenticationFailure when the responder does without one that is required.
    """
    if sa.ppk is not None and not decide.confirms_ppk(
        response.find_notify(NotifyType.PPK_IDENTITY), sa.ppk
    ):
        if not decide.goes_on_without_ppk(required=is_required(sa)):
            raise AuthenticationFailure("the responder does without the PPK, which is required")
        sa.ppk, sa.keys = None, sa.keys_without_ppk
    return response.get(AUTH)
