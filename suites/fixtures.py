"""The fixtures of conformance tests: a target, a peer, and the connection between both."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from peers.link import Link
from peers.nat import Nat
from peers.peer import Peer
from peers.reference.by_hand import draw_keys
from peers.reference.connection import Connection, Mode
from peers.reference.errors import Inconclusive
from peers.reference.nat import Claim
from peers.stations import Station
from peers.targets.base import Capability
from peers.targets.bound import BoundTarget, key_by_hand
from reports.evidence import Record
from reports.judgement import Unsupported
from suites import methods, terms
from suites.stash import CASE, ERROR, MORE_CONFIGURATION, SESSION

# The terms of a connection, which tests override by parametrization.


@pytest.fixture
def family() -> int:
    """IP version of peer and target."""
    return 4


@pytest.fixture
def mode() -> Mode:
    """Mode of the Child SA."""
    return Mode.TUNNEL


@pytest.fixture
def inner_family(family: int) -> int:
    """IP version of what goes through the tunnel."""
    return family


@pytest.fixture
def suite() -> terms.Suite:
    """Proposals of IKE SA and Child SA."""
    return terms.DEFAULT


@pytest.fixture
def method() -> methods.Method:
    """How both sides authenticate."""
    return methods.psk


@pytest.fixture
def replay_window() -> int:
    """Replay window of the target, in packets."""
    return 64


@pytest.fixture
def liveness_delay() -> float:
    """Seconds of silence after which the target checks liveness; 0 means never."""
    return 0.0


@pytest.fixture
def esp_terms() -> dict[str, Any]:
    """What else a connection says of ESP: fields of `Connection`, as the target has them."""
    return {}


@pytest.fixture
def arrange() -> terms.Arrangement:
    """Say what else the connection has: a function of it, as the target's side has it."""
    return lambda described: described


@pytest.fixture
def claims_nat() -> bool:
    """Say whether the target makes its NAT detection hash wrong on purpose."""
    return False


@pytest.fixture
def claim() -> Claim:
    """Say which NAT detection hashes the peer makes wrong on purpose."""
    return Claim.NOTHING


@pytest.fixture
def nat(station: Station, family: int) -> Nat:
    """Give the NAT that a peer `behind_nat` is behind; its first outside address is the peer's."""
    return Nat(station.link, station.addresses.of(family)[0])


@pytest.fixture
def behind_nat(request: pytest.FixtureRequest) -> bool:
    """Say whether the peer is behind `nat`: for a test that asks for it, it is."""
    return "nat" in request.fixturenames


@pytest.fixture
def station(request: pytest.FixtureRequest, target_spec: str) -> Station:
    """Give the test's target, the link to it, and fresh addresses."""
    bench = request.config.stash[SESSION]
    return bench.station(target_spec, _randomness(request, "target"))


def _randomness(request: pytest.FixtureRequest, whose: str) -> Any:
    """Give a source of octets: each of its own, lest both sides draw the same SPIs and nonces."""
    bench = request.config.stash[SESSION]
    return random.Random(f"{bench.settings.seed} {whose} {request.node.nodeid}").randbytes


@pytest.fixture
def connection(
    request: pytest.FixtureRequest,
    station: Station,
    family: int,
    inner_family: int,
    mode: Mode,
    suite: terms.Suite,
    method: methods.Method,
    replay_window: int,
    liveness_delay: float,
    esp_terms: dict[str, Any],
    arrange: terms.Arrangement,
    claims_nat: bool,
) -> Connection:
    """Describe the connection as the target is to have it."""
    _check_needs(request.node, station, {family, inner_family})
    drawn = _randomness(request, "connection")
    described = terms.connection(station, family, mode, suite, drawn, method, inner_family)
    chosen = {
        "replay_window": replay_window,
        "liveness_delay": liveness_delay,
        "claims_nat": claims_nat,
    }
    return arrange(replace(described, **{**chosen, **esp_terms}))


def _check_needs(node: pytest.Item, station: Station, families: set[int]) -> None:
    needed = {each for mark in node.iter_markers("needs") for each in mark.args}
    needed |= {Capability.IPV6} if 6 in families else set()
    needed |= set() if node.get_closest_marker("esp_alone") else {Capability.IKE}
    missing = needed - station.target.capabilities
    if missing:
        names = ", ".join(sorted(each.value for each in missing))
        raise Unsupported(f"declared and probed: the target lacks {names}")


@pytest.fixture
def lacking(station: Station, connection: Connection) -> str:
    """Tell which of the connection's algorithms the target lacks; empty when it has them all."""
    policies = [each.esp_proposals for each in connection.children]
    proposals = (*connection.ike_proposals, *(each for some in policies for each in some))
    return next(filter(None, map(station.target.lacks, proposals)), "")


@pytest.fixture
def peer(
    request: pytest.FixtureRequest,
    station: Station,
    connection: Connection,
    claim: Claim,
    behind_nat: bool,
    lacking: str,
) -> Iterator[Peer]:
    """Give the reference peer, with the target configured for it."""
    settings = request.config.stash[SESSION].settings
    link: Link = station.link
    ours = replace(connection.mirrored(), claims_nat=False)
    if behind_nat:
        link = request.getfixturevalue("nat")
        ours = link.inside(ours)
    drawn = _randomness(request, "peer")
    peer = Peer(link, ours, drawn, strict_silence=settings.strict_silence)
    peer.claim = claim
    peer.until_done = lambda: station.target.sas(connection)
    if lacking:
        raise Unsupported(f"declared and probed: {lacking}")
    start = station.link.now()
    configuration = _configure(station, connection)
    try:
        yield peer
    finally:
        if request.config.stash[SESSION].is_open:
            try:
                _record(request.node, station, peer, start, configuration)
            finally:
                _forget(request.node, station, connection)
                peer.hang_up()


@pytest.fixture
def behind_one_nat() -> bool:
    """Say whether `neighbour` is behind the same NAT as the peer."""
    return False


@pytest.fixture
def neighbours_nat(station: Station, family: int, nat: Nat, behind_one_nat: bool) -> Nat:
    """Give the NAT that `neighbour` is behind: the peer's, or one with another address."""
    return nat.beside() if behind_one_nat else Nat(station.link, station.addresses.of(family)[1])


@pytest.fixture
def neighbour(
    request: pytest.FixtureRequest,
    station: Station,
    connection: Connection,
    peer: Peer,
    neighbours_nat: Nat,
) -> Iterator[Peer]:
    """Give a second peer, behind a NAT, that the target has a connection for besides.

    Both write the same record.
    """
    drawn = _randomness(request, "neighbour")
    theirs = terms.of_neighbour(connection, station, neighbours_nat.outside, drawn)
    ours = neighbours_nat.inside(theirs.mirrored())
    silence = request.config.stash[SESSION].settings.strict_silence
    second = Peer(neighbours_nat, ours, drawn, strict_silence=silence, events=peer.events)
    request.node.stash[MORE_CONFIGURATION] = _configure(station, theirs)
    try:
        yield second
    finally:
        if request.config.stash[SESSION].is_open:
            _forget(request.node, station, theirs)


def _configure(station: Station, connection: Connection) -> str:
    """Load the connection, into a new daemon where the last test ended the old one."""
    try:
        return station.target.configure(connection)
    except Inconclusive:
        if station.target.reachable() and station.target.alive():
            raise
        station.target.restart()
        return station.target.configure(connection)


def _record(
    node: pytest.Item, station: Station, peer: Peer, start: float, configuration: str
) -> None:
    """Keep what a test leaves behind, and see whether its target is still alive.

    How the daemon ended is in the log by then, and is kept with the rest.
    """
    case = node.stash[CASE]
    case.log = station.target.log
    try:
        if ERROR in node.stash and _bring_back(station):
            case.daemon_died = True
    finally:
        case.record = Record(
            case.title,
            case.target,
            start,
            station.link.now(),
            tuple(peer.events),
            configuration + node.stash.get(MORE_CONFIGURATION, ""),
            peer_addresses=frozenset(station.addresses.of(peer.connection.local.version)),
        )
        node.config.stash[SESSION].records.setdefault(case.target, []).append(case.record)


def _bring_back(station: Station) -> bool:
    """Start again what does not answer any more, and say whether that is the daemon."""
    reachable = station.target.reachable()
    if reachable and station.target.alive():
        return False
    station.target.restart()
    return reachable


def _forget(node: pytest.Item, station: Station, connection: Connection) -> None:
    """Unload the connection; a daemon that is found dead then ended because of the test."""
    try:
        station.target.forget(connection)
    except Inconclusive:
        if station.target.reachable() and station.target.alive():
            raise
        case = node.stash[CASE]
        if _bring_back(station):
            case.daemon_died = True
        if case.record is not None:
            case.record = replace(case.record, end=station.link.now())


@pytest.fixture
def target(station: Station, connection: Connection) -> BoundTarget:
    """Give the target as this test sees it."""
    return BoundTarget(station.target, connection)


@pytest.fixture
def established(peer: Peer, target: BoundTarget) -> Peer:
    """Give a peer that has set up an IKE SA with a Child SA, as initiator.

    Where the target has no IKE, the Child SA is keyed by hand.
    """
    if Capability.IKE in target.capabilities:
        peer.establish()
    else:
        key_by_hand(peer, target, draw_keys(peer.connection.esp_proposals[0], peer.random))
    return peer


@pytest.fixture
def accepted(peer: Peer, target: BoundTarget) -> Peer:
    """Give a peer with which the target has set up an IKE SA with a Child SA."""
    target.initiate()
    peer.accept()
    peer.settle()
    return peer


@pytest.fixture
def administrative(request: pytest.FixtureRequest) -> Any:
    """Record what was seen where the RFC leaves the choice to local policy."""
    return request.node.stash[CASE].administrative.append


@pytest.fixture
def observed(request: pytest.FixtureRequest) -> Any:
    """Record what was seen beside a rule that held."""
    return request.node.stash[CASE].observed.append


@pytest.fixture
def earlier(request: pytest.FixtureRequest, target_spec: str) -> list[Record]:
    """Give the records of the tests that were run with this target before."""
    return request.config.stash[SESSION].records.get(target_spec, [])
