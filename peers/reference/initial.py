"""The initial exchanges, both roles: IKE_SA_INIT and IKE_AUTH (RFC 7296, 1.2)."""

from __future__ import annotations

from dataclasses import replace

from peers.reference import authentication, intermediate, ppk
from peers.reference.decisions_authentication import AuthenticationDecisions
from peers.reference.errors import PeerError
from peers.reference.key_exchange import key_exchange, respond
from peers.reference.keys import derive_ike_keys
from peers.reference.message import Message
from peers.reference.nat import detection_payloads
from peers.reference.negotiation import (
    ChoiceCheck,
    Suite,
    check_choice,
    numbered,
    offered_groups,
)
from peers.reference.numbers import (
    ExchangeType,
    KeyExchangeMethod,
    NotifyType,
)
from peers.reference.payloads import (
    KE,
    SA,
    Nonce,
    Notify,
    Payload,
    Proposal,
)
from peers.reference.sa import NO_SPI, IkeSa


def ike_sa_init(sa: IkeSa, group: KeyExchangeMethod | None = None) -> Message:
    """Build the first request: HDR, SAi1, KEi, Ni, and NAT detection (2.23).

    ``group`` is that of KEi, by default the first that is offered.
    """
    offer = SA(numbered(sa.connection.ike_proposals))
    sa.key_exchange = key_exchange(group or offered_groups(offer)[0], sa.random)
    return sa.request(
        ExchangeType.IKE_SA_INIT,
        offer,
        KE(sa.key_exchange.method, sa.key_exchange.public),
        Nonce(sa.nonce),
        *detection_payloads((sa.spi_i, sa.spi_r), sa.local, sa.remote, sa.claim),
        *authentication.announcements(sa),
        *intermediate.announcement(sa),
        *_fragmentation(sa),
    )


def _fragmentation(sa: IkeSa) -> tuple[Notify, ...]:
    """Say that we take fragments: the responder only where the initiator does (RFC 7383, 2.3)."""
    agreed = sa.initiator or sa.fragments
    if not sa.connection.fragment_size or not agreed:
        return ()
    return (Notify(NotifyType.IKEV2_FRAGMENTATION_SUPPORTED),)


def _note_fragmentation(sa: IkeSa, message: Message) -> None:
    announced = NotifyType.IKEV2_FRAGMENTATION_SUPPORTED in message.notifies
    sa.fragments = announced and sa.connection.fragment_size > 0


def with_cookie(request: Message, cookie: bytes) -> Message:
    """Repeat an IKE_SA_INIT request with the cookie in front, the rest unchanged (2.6)."""
    bare = tuple(
        payload
        for payload in request.payloads
        if not (isinstance(payload, Notify) and payload.notify_type == NotifyType.COOKIE)
    )
    return replace(request, payloads=(Notify(NotifyType.COOKIE, cookie), *bare))


def with_group(sa: IkeSa, request: Message, group: KeyExchangeMethod) -> Message:
    """Repeat an IKE_SA_INIT request with a KEi of the group asked for, the rest unchanged (1.2)."""
    sa.key_exchange = key_exchange(group, sa.random)
    return request.replacing(KE(sa.key_exchange.method, sa.key_exchange.public))


def answer_ike_sa_init(
    sa: IkeSa, request: Message, chosen: Proposal, decide: AuthenticationDecisions | None = None
) -> Message:
    """Build the response that grants ``chosen``, and derive the keys."""
    method = KeyExchangeMethod(request.get(KE).group)
    exchange = respond(method, request.get(KE).data, sa.random)
    authentication.note(sa, request)
    intermediate.note(sa, request, Suite.of(chosen).additional)
    _note_fragmentation(sa, request)
    response = request.reply(
        SA((chosen,)),
        KE(method, exchange.public),
        Nonce(sa.nonce),
        *detection_payloads((sa.spi_i, sa.spi_r), sa.local, sa.remote, sa.claim),
        *authentication.announcements(sa, decide),
        *intermediate.announcement(sa),
        *_fragmentation(sa),
    )
    agree(sa, exchange.shared, request.get(Nonce).data, chosen)
    return replace(response, spi_r=sa.spi_r)


def hear_ike_sa_init(
    sa: IkeSa, request: Message, response: Message, check: ChoiceCheck = check_choice
) -> None:
    """Take up the response to our IKE_SA_INIT request: check the choice, derive the keys.

    PeerError when the choice is none of what was offered (2.7), or when the response makes no IKE
    SA; then nothing has changed.
    """
    if response.spi_r == NO_SPI:
        raise PeerError("the responder's SPI is zero in a response that grants an IKE SA")
    chosen = response.get(SA).proposals
    if len(chosen) != 1:
        raise PeerError(f"{len(chosen)} proposals in a response: exactly one is to be chosen")
    check(request.get(SA), chosen[0])
    if response.get(KE).group != request.get(KE).group:
        raise PeerError("KEr is of another group than KEi")
    authentication.note(sa, response)
    intermediate.note(sa, response, Suite.of(chosen[0]).additional)
    _note_fragmentation(sa, response)
    assert sa.key_exchange is not None
    shared, nonce = sa.key_exchange.shared(response.get(KE).data), response.get(Nonce).data
    sa.spi_r = response.spi_r
    agree(sa, shared, nonce, chosen[0])


def agree(sa: IkeSa, shared: bytes, peer_nonce: bytes, chosen: Proposal) -> None:
    """Derive the keys of the IKE SA from g^ir and both sides' nonces (2.14)."""
    sa.shared = shared
    sa.peer_nonce = peer_nonce
    sa.suite = Suite.of(chosen)
    nonce_i, nonce_r = sa.nonces()
    sa.keys = derive_ike_keys(
        sa.suite,
        shared=shared,
        nonce_i=nonce_i,
        nonce_r=nonce_r,
        spi_i=sa.spi_i,
        spi_r=sa.spi_r,
    )


def ike_auth(
    sa: IkeSa, child: tuple[Payload, ...], decide: AuthenticationDecisions | None = None
) -> Message:
    """Build the IKE_AUTH request: HDR, SK {IDi, [CERT,] [CERTREQ,] IDr, AUTH, child, [PPK]}."""
    decide = decide or AuthenticationDecisions()
    ppk.select(decide, sa)
    mine, *proof = authentication.own_payloads(decide, sa)
    theirs = sa.connection.remote_identity.payload(of_initiator=False)
    *before, auth = proof
    named = authentication.ppk_payloads(decide, sa)
    return sa.request(ExchangeType.IKE_AUTH, mine, *before, theirs, auth, *child, *named)
