"""Rekeying an IKE SA with CREATE_CHILD_SA, both roles (RFC 7296, 1.3.2 and 2.18)."""

from __future__ import annotations

from peers.reference.errors import PeerError, ScriptError
from peers.reference.key_exchange import key_exchange, respond
from peers.reference.keys import IkeKeys, derive_rekeyed_ike_keys
from peers.reference.message import Message
from peers.reference.negotiation import Suite, check_choice, numbered, offered_groups
from peers.reference.numbers import ExchangeType, KeyExchangeMethod
from peers.reference.payloads import KE, SA, Nonce, Payload, Proposal
from peers.reference.sa import IkeSa
from peers.reference.states import Event


def request(
    old: IkeSa, group: KeyExchangeMethod | None = None, nonce: bytes = b""
) -> tuple[IkeSa, Message]:
    """Build the request HDR, SK {SA, Ni, KEi} and the IKE SA that may come of it.

    ``group`` is that of KEi, by default the first that is offered; ``nonce`` is Ni, drawn by
    default.
    """
    new = _successor(old, initiator=True)
    new.nonce = nonce or new.nonce
    offer = SA(numbered(old.connection.ike_proposals, new.spi_i))
    new.key_exchange = key_exchange(group or offered_groups(offer)[0], old.random)
    public = KE(new.key_exchange.method, new.key_exchange.public)
    return new, old.request(ExchangeType.CREATE_CHILD_SA, offer, Nonce(new.nonce), public)


def answer(
    old: IkeSa, asked: Message, chosen: Proposal, nonce: bytes = b""
) -> tuple[IkeSa, tuple[Payload, ...]]:
    """Grant a rekey: the new IKE SA, with its keys, and the payloads SA, Nr, KEr.

    ``nonce`` is Nr, drawn by default. PeerError when the request gives no SPI of 8 octets, or an
    invalid public value.
    """
    if len(chosen.spi) != 8:
        raise PeerError(f"the new initiator SPI has {len(chosen.spi)} octets")
    new = _successor(old, initiator=False, spi_i=chosen.spi)
    new.nonce = nonce or new.nonce
    method = KeyExchangeMethod(asked.get(KE).group)
    exchange = respond(method, asked.get(KE).data, old.random)
    _agree(old, new, exchange.shared, asked.get(Nonce).data, chosen)
    granted = Proposal(chosen.number, chosen.protocol, chosen.transforms, new.spi_r)
    payloads = (SA((granted,)), Nonce(new.nonce), KE(method, exchange.public))
    return new, payloads


def hear(old: IkeSa, new: IkeSa, asked: Message, response: Message) -> None:
    """Take up the response to our request; PeerError when it grants what was not offered."""
    chosen = response.get(SA).proposals
    if len(chosen) != 1:
        raise PeerError(f"{len(chosen)} proposals in a response: exactly one is to be chosen")
    check_choice(asked.get(SA), chosen[0])
    if len(chosen[0].spi) != 8:
        raise PeerError(f"the new responder SPI has {len(chosen[0].spi)} octets")
    new.spi_r = chosen[0].spi
    assert new.key_exchange is not None
    shared = new.key_exchange.shared(response.get(KE).data)
    _agree(old, new, shared, response.get(Nonce).data, chosen[0])


def complete(old: IkeSa, new: IkeSa, more: bytes) -> None:
    """Make the new keys of the secrets of further key exchanges too, joined (RFC 9370, 2.2.4)."""
    new.keys = _keys(old, new, more)


def succeed(old: IkeSa, new: IkeSa) -> None:
    """Let the new IKE SA inherit the Child SAs (2.8), and the path that they take."""
    new.children, old.children = old.children, []
    new.local, new.remote, new.nat, new.claim = old.local, old.remote, old.nat, old.claim
    new.mobility, new.original_initiator = old.mobility, old.original_initiator


def _successor(old: IkeSa, *, initiator: bool, spi_i: bytes = bytes(8)) -> IkeSa:
    new = IkeSa(
        old.connection,
        initiator=initiator,
        local=old.local,
        remote=old.remote,
        random=old.random,
        spi_i=spi_i,
    )
    new.assigned = old.assigned
    new.fragments = old.fragments
    return new


def _agree(old: IkeSa, new: IkeSa, shared: bytes, nonce: bytes, chosen: Proposal) -> None:
    new.shared = shared
    new.peer_nonce = nonce
    new.suite = Suite.of(chosen)
    new.keys = _keys(old, new)
    new.move(Event.REKEY)


def _keys(old: IkeSa, new: IkeSa, more: bytes = b"") -> IkeKeys:
    if new.suite is None:
        raise ScriptError(f"{new} has no suite yet")
    nonce_i, nonce_r = new.nonces()
    return derive_rekeyed_ike_keys(
        old.established_keys(),
        new.suite,
        shared=new.shared,
        nonce_i=nonce_i,
        nonce_r=nonce_r,
        spi_i=new.spi_i,
        spi_r=new.spi_r,
        more=more,
    )
