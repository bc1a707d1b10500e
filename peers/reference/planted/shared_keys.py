"""Planted faults: what AUTH of a shared secret is computed over, and how (RFC 7296, 2.15)."""

from __future__ import annotations

from dataclasses import replace

from peers.reference.authentication import octets_to_sign, shared_key_mic
from peers.reference.crypto import prf
from peers.reference.decisions import Decisions
from peers.reference.keys import KEY_PAD, signed_octets
from peers.reference.message import Message
from peers.reference.numbers import KeyExchangeMethod
from peers.reference.payloads import AUTH, IDi, IDr
from peers.reference.planted.catalogue import fault
from peers.reference.sa import IkeSa


@fault("ends-key-pad-with-zero", fundamental=True)
class EndsKeyPadWithZero(Decisions):
    """The Key Pad is taken with the zero octet that ends it in C."""

    def proof_by_secret(self, sa: IkeSa, mine: IDi | IDr, secret: bytes, auth: AUTH) -> AUTH:
        number = sa.established_keys().prf
        key = prf(number, secret, KEY_PAD + bytes(1))
        return replace(auth, data=prf(number, key, octets_to_sign(sa, mine)))


@fault("signs-identity-with-its-header", fundamental=True)
class SignsIdentityWithItsHeader(Decisions):
    """AUTH covers the generic header of the identification payload too."""

    def proof_by_secret(self, sa: IkeSa, mine: IDi | IDr, secret: bytes, auth: AUTH) -> AUTH:
        keys, of_initiator = sa.established_keys(), isinstance(mine, IDi)
        nonce_i, nonce_r = sa.nonces()
        octets = signed_octets(
            sa.request_octets if of_initiator else sa.response_octets,
            nonce_r if of_initiator else nonce_i,
            keys.prf,
            keys.sk_pi if of_initiator else keys.sk_pr,
            mine.write(0),
        )
        return replace(auth, data=prf(keys.prf, prf(keys.prf, secret, KEY_PAD), octets))


@fault("signs-first-of-its-requests", fundamental=True)
class SignsFirstOfItsRequests(Decisions):
    """AUTH covers the first IKE_SA_INIT request, although it was sent again with changes."""

    _first = b""

    def retry_with_cookie(self, sa: IkeSa, request: Message, cookie: bytes) -> Message:
        self._first = self._first or sa.request_octets
        return super().retry_with_cookie(sa, request, cookie)

    def retry_with_group(self, sa: IkeSa, request: Message, group: KeyExchangeMethod) -> Message:
        self._first = self._first or sa.request_octets
        return super().retry_with_group(sa, request, group)

    def proof_by_secret(self, sa: IkeSa, mine: IDi | IDr, secret: bytes, auth: AUTH) -> AUTH:
        if not self._first:
            return auth
        latest, sa.request_octets = sa.request_octets, self._first
        wrong = replace(auth, data=shared_key_mic(sa, mine, secret))
        sa.request_octets = latest
        return wrong


@fault("authenticates-identity-without-its-reserved")
class AuthenticatesIdentityWithoutItsReserved(Decisions):
    """AUTH is expected over an identity whose reserved octets are zero, as written anew."""

    def identity_as_signed(self, theirs: IDi | IDr) -> IDi | IDr:
        return replace(theirs, reserved=0)
