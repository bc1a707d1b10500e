"""Proposals and a connection for the self-tests of the lab."""

from ipaddress import ip_address, ip_network

from peers.reference.connection import Connection
from peers.reference.credentials import Psk
from peers.reference.identity import fqdn
from peers.reference.numbers import (
    AttributeType,
    Encr,
    Esn,
    Integ,
    KeyExchangeMethod,
    Prf,
    ProtocolId,
    TransformType,
)
from peers.reference.payloads import Attribute, Proposal, Transform


def encr(identifier: Encr, bits: int | None = None) -> Transform:
    attributes = () if bits is None else (Attribute(AttributeType.KEY_LENGTH, bits),)
    return Transform(TransformType.ENCR, identifier, attributes)


def prf(identifier: Prf) -> Transform:
    return Transform(TransformType.PRF, identifier)


def integ(identifier: Integ) -> Transform:
    return Transform(TransformType.INTEG, identifier)


def ke(identifier: KeyExchangeMethod) -> Transform:
    return Transform(TransformType.KE, identifier)


def esn(identifier: Esn) -> Transform:
    return Transform(TransformType.ESN, identifier)


def ike(*transforms: Transform) -> Proposal:
    return Proposal(1, ProtocolId.IKE, transforms)


def esp(*transforms: Transform) -> Proposal:
    return Proposal(1, ProtocolId.ESP, transforms)


GCM_256 = encr(Encr.ENCR_AES_GCM_16, 256)
CBC_128 = encr(Encr.ENCR_AES_CBC, 128)
CHACHA = encr(Encr.ENCR_CHACHA20_POLY1305)
SHA2 = prf(Prf.PRF_HMAC_SHA2_256)
SHA2_MAC = integ(Integ.AUTH_HMAC_SHA2_256_128)
X25519 = ke(KeyExchangeMethod.CURVE25519)
MODP = ke(KeyExchangeMethod.MODP_2048)
ECP = ke(KeyExchangeMethod.ECP_256)
NO_ESN = esn(Esn.NO_ESN)

CONNECTION = Connection(
    name="site-a",
    local=ip_address("198.18.0.16"),
    remote=ip_address("198.18.32.1"),
    local_identity=fqdn("target.test"),
    remote_identity=fqdn("peer.test"),
    local_credential=Psk(b"not a secret"),
    remote_credential=Psk(b"not a secret"),
    ike_proposals=(ike(GCM_256, SHA2, X25519), ike(CBC_128, SHA2, SHA2_MAC, MODP)),
    esp_proposals=(esp(CBC_128, SHA2_MAC, NO_ESN), esp(GCM_256, NO_ESN)),
    local_selectors=(ip_network("10.1.0.0/24"),),
    remote_selectors=(ip_network("10.128.0.0/24"),),
)
