"""Planted faults: identities and the secrets that prove them (RFC 7296, 2.15 and 3.5)."""

from __future__ import annotations

from dataclasses import replace

from peers.reference.credentials import Credential, Psk
from peers.reference.decisions import Decisions
from peers.reference.identity import Identity
from peers.reference.message import Message
from peers.reference.numbers import ExchangeType, IdType
from peers.reference.payloads import AUTH, Identification, IDi, IDr
from peers.reference.planted.catalogue import fault


@fault("knows-host-names-only")
class KnowsHostNamesOnly(Decisions):
    """An identity of another type than ID_FQDN is nobody's."""

    def knows_identity(self, identity: Identity, expected: Identity) -> bool:
        return identity.type == IdType.ID_FQDN and super().knows_identity(identity, expected)


@fault("sends-every-identity-as-key-id", fundamental=True)
class SendsEveryIdentityAsKeyId(Decisions):
    """The octets of an identity are sent as ID_KEY_ID, whatever they are."""

    def edit(self, message: Message) -> Message:
        if message.exchange != ExchangeType.IKE_AUTH:
            return message
        payloads = (
            replace(each, id_type=IdType.ID_KEY_ID) if isinstance(each, Identification) else each
            for each in message.payloads
        )
        return replace(message, payloads=tuple(payloads))


@fault("cuts-secrets-at-32-octets")
class CutsSecretsAt32Octets(Decisions):
    """Of a shared secret the first 32 octets count."""

    def proved_by(self, auth: AUTH, credential: Credential) -> Credential:
        known = super().proved_by(auth, credential)
        return Psk(known.secret[:32]) if isinstance(known, Psk) else known


@fault("ends-secrets-at-zero")
class EndsSecretsAtZero(Decisions):
    """A shared secret ends before its first zero octet, as strings do in C."""

    def proved_by(self, auth: AUTH, credential: Credential) -> Credential:
        known = super().proved_by(auth, credential)
        return Psk(known.secret.partition(b"\0")[0]) if isinstance(known, Psk) else known


@fault("looks-for-its-peer-in-idr", fundamental=True)
class LooksForItsPeerInIdr(Decisions):
    """A request is dropped unless its IDr is the initiator's own identity (F58)."""

    def objection(self, message: Message) -> str:
        asked, asking = message.find(IDr), message.find(IDi)
        if asked is not None and asking is not None and asked.data != asking.data:
            return f"IDr is {asked}"
        return super().objection(message)
