"""The terms that tests negotiate: suites by name, and the connection made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import ip_network

import pytest

from peers.reference.connection import AddressPool, Connection, IPNetwork, Mode
from peers.reference.events import IPAddress
from peers.reference.identity import fqdn
from peers.reference.negotiation import encr, esn, esp_proposal, ike_proposal, integ, ke, prf
from peers.reference.numbers import Encr, Esn, Integ, KeyExchangeMethod, Prf
from peers.reference.payloads import Proposal, TrafficSelector
from peers.reference.sa import Random
from peers.stations import Station
from peers.targets.base import Capability
from suites.methods import Method, credentials, psk

AES_GCM_128 = encr(Encr.ENCR_AES_GCM_16, 128)
AES_GCM_256 = encr(Encr.ENCR_AES_GCM_16, 256)
AES_CBC_256 = encr(Encr.ENCR_AES_CBC, 256)
CHACHA20_POLY1305 = encr(Encr.ENCR_CHACHA20_POLY1305)
HMAC_SHA2_256_128 = integ(Integ.AUTH_HMAC_SHA2_256_128)
PRF_HMAC_SHA2_256 = prf(Prf.PRF_HMAC_SHA2_256)
MODP_2048 = ke(KeyExchangeMethod.MODP_2048)
ECP_256 = ke(KeyExchangeMethod.ECP_256)
CURVE25519 = ke(KeyExchangeMethod.CURVE25519)

Arrangement = Callable[[Connection], Connection]


@dataclass(frozen=True, slots=True)
class Suite:
    """What the target is configured with for the IKE SA and for its Child SAs."""

    ike: tuple[Proposal, ...]
    esp: tuple[Proposal, ...]


def ike(*transforms: object) -> Proposal:
    """Build an IKE proposal; the PRF is HMAC-SHA2-256 everywhere."""
    return ike_proposal(*transforms, PRF_HMAC_SHA2_256)  # type: ignore[arg-type]


DEFAULT = Suite((ike(AES_GCM_256, CURVE25519),), (esp_proposal(AES_GCM_256),))
CBC = Suite(
    (ike(AES_CBC_256, HMAC_SHA2_256_128, MODP_2048),),
    (esp_proposal(AES_CBC_256, HMAC_SHA2_256_128),),
)
CHACHA = Suite((ike(CHACHA20_POLY1305, ECP_256),), (esp_proposal(CHACHA20_POLY1305),))

FAMILIES = pytest.mark.parametrize("family", [4, 6], ids=["ipv4", "ipv6"])
SUITES = pytest.mark.parametrize(
    "suite",
    [
        pytest.param(DEFAULT, id="aes-gcm-256-curve25519"),
        pytest.param(CBC, id="aes-cbc-256-sha2-256-modp2048"),
        pytest.param(
            CHACHA,
            id="chacha20-poly1305-ecp256",
            marks=pytest.mark.needs(Capability.CHACHA20_POLY1305),
        ),
    ],
)
ESN = (
    Suite((ike(AES_GCM_256, CURVE25519),), (esp_proposal(AES_GCM_256, esn(Esn.ESN)),)),
    Suite(
        (ike(AES_CBC_256, HMAC_SHA2_256_128, MODP_2048),),
        (esp_proposal(AES_CBC_256, HMAC_SHA2_256_128, esn(Esn.ESN)),),
    ),
)
"""Extended sequence numbers and no others, with a combined mode and with separate algorithms."""

EXTENDED = pytest.mark.parametrize("suite", ESN, ids=["aes-gcm-256-esn", "aes-cbc-sha2-256-esn"])
TRANSPORT = pytest.mark.parametrize("mode", [Mode.TRANSPORT], ids=["transport"])


def configured(suite: Suite) -> pytest.MarkDecorator:
    """Configure the target with a suite of the test's own."""
    return pytest.mark.parametrize("suite", [pytest.param(suite, id="")])


def arranged(arrangement: Arrangement, *needs: Capability) -> pytest.MarkDecorator:
    """Describe the connection further, as the target's side has it."""
    marks = pytest.mark.needs(*needs) if needs else ()
    return pytest.mark.parametrize("arrange", [pytest.param(arrangement, id="", marks=marks)])


def two_child_sas(described: Connection) -> Connection:
    """Halve the network behind the peer: a Child SA for each half, ``second`` the upper one."""
    [network] = described.remote_selectors
    assert not isinstance(network, TrafficSelector)
    lower, upper = network.subnets()
    first = replace(described, remote_selectors=(lower,))
    second = replace(first.children[0], name="second", remote_selectors=(upper,))
    return replace(first, more=(second,))


def gives_an_address(described: Connection) -> Connection:
    """Have the target assign an address of the network behind the peer."""
    [network] = described.remote_selectors
    assert not isinstance(network, TrafficSelector)
    return replace(described, gives=AddressPool((network,)))


def tells_a_dns_server(described: Connection) -> Connection:
    """Have the target assign an address, and tell a DNS server behind it."""
    [network], [behind] = described.remote_selectors, described.local_selectors
    assert not isinstance(network, TrafficSelector)
    assert not isinstance(behind, TrafficSelector)
    return replace(described, gives=AddressPool((network,), (behind[53],)))


def asks_for_an_address(described: Connection) -> Connection:
    """Have the target ask for an address: it is given that of the host behind it."""
    [behind] = described.local_selectors
    assert not isinstance(behind, TrafficSelector)
    host = ip_network(behind[1])
    return replace(described, local_selectors=(host,), takes=AddressPool((host,)))


def lets_the_peer_move(described: Connection) -> Connection:
    """Have the target use MOBIKE as responder: its peer may come from anywhere."""
    return replace(described, mobike=True, from_anywhere=True)


def may_move(described: Connection) -> Connection:
    """Have the target use MOBIKE as initiator."""
    return replace(described, mobike=True)


def of_neighbour(
    described: Connection, station: Station, outside: IPAddress, random: Random
) -> Connection:
    """Describe what the target has for a second peer: of its own name, behind the same network.

    Its address is ``outside``, and what it authenticates by is of its own, too.
    """
    name = f"{described.name}b"
    identity = fqdn(f"{name}.peer.test")
    ours, theirs = credentials(psk, described.local_identity, identity, random, station.link.now())
    moved = replace(
        described,
        name=name,
        remote=outside,
        remote_identity=identity,
        local_credential=ours,
        remote_credential=theirs,
    )
    if described.mode is Mode.TRANSPORT:
        return replace(moved, remote_selectors=(ip_network(str(outside)),))
    return moved


def connection(
    station: Station,
    family: int,
    mode: Mode,
    suite: Suite,
    random: Random,
    method: Method = psk,
    inner_family: int = 0,
) -> Connection:
    """Describe the connection between a station's target and its peer, as the target's side.

    The networks behind both are of ``inner_family``, by default of the same as outside.
    """
    ours = next(a for a in station.target.addresses() if a.version == family)
    theirs = station.addresses.ipv4 if family == 4 else station.addresses.ipv6
    if mode is Mode.TRANSPORT:
        local: IPNetwork = ip_network(str(ours))
        remote: IPNetwork = ip_network(str(theirs))
    else:
        local = station.target.network_behind(inner_family or family)
        remote = station.network_behind_peer(inner_family or family)
    name = f"t{station.addresses.index}"
    local_identity, remote_identity = fqdn("target.test"), fqdn(f"{name}.peer.test")
    local_credential, remote_credential = credentials(
        method, local_identity, remote_identity, random, station.link.now()
    )
    return Connection(
        name=name,
        local=ours,
        remote=theirs,
        local_identity=local_identity,
        remote_identity=remote_identity,
        local_credential=local_credential,
        remote_credential=remote_credential,
        ike_proposals=suite.ike,
        esp_proposals=suite.esp,
        local_selectors=(local,),
        remote_selectors=(remote,),
        mode=mode,
    )
