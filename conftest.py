"""ikeproof's command-line options, fixtures and verdict hooks for pytest."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from peers.lab.errors import SetupError
from peers.link import Link
from peers.nat import Nat
from peers.peer import Peer
from peers.reference.by_hand import draw_keys
from peers.reference.connection import Connection, Mode
from peers.reference.errors import Inconclusive, ScriptError
from peers.reference.nat import Claim
from peers.stations import Station
from peers.targets.base import Capability
from peers.targets.bound import BoundTarget, key_by_hand
from reports.evidence import Record
from reports.judgement import Unsupported, judge
from reports.recorder import Case
from reports.verdicts import Outcome, Verdict
from suites import core, methods, terms
from suites.session import Session, Settings, marked
from suites.shards import OneShard, looks_back

SESSION = pytest.StashKey[Session]()
CASE = pytest.StashKey[Case]()
STARTED = pytest.StashKey[float]()
MORE_CONFIGURATION = pytest.StashKey[str]()
"""What the target was told besides, for a second peer."""
ERROR = pytest.StashKey[tuple[BaseException, bool]]()
"""What ended a test, and whether that was in the test proper."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer our options in a group of their own."""
    group = parser.getgroup("ikeproof", "ikeproof: conformance of IKEv2 and ESP")
    add = group.addoption
    add("--target", action="append", default=[], metavar="NAME[@RELEASE]",
        help="strongswan, libreswan (with a Debian release: libreswan@bookworm), or reference, the "
        "embedded target (with a planted fault: reference!FAULT; libreswan!IMPAIRMENT is told to "
        "misbehave); may be repeated")  # fmt: skip
    add("--kernel", default="auto", metavar="auto|host|guest|built",
        help="whose ESP the daemons use: the host's, that of a guest kernel of Debian's, or of one "
        "that is built first and has ESP in TCP, too (default: auto)")  # fmt: skip
    add("--subnet", metavar="NETWORK", help="IPv4 network of the lab, at most a /22")
    add("--out", type=Path, metavar="FOLDER", help="folder of the run's report")
    add("--evidence", default="failed", metavar="failed|all",
        help="keep evidence for what does not plainly conform, or for every test")  # fmt: skip
    add("--strict-should", action="store_true", help="a SHOULD that is not followed fails the run")
    add("--strict-silence", type=float, default=0.0, metavar="SECONDS",
        help="wait that long, besides the fence, for an answer that must not come")  # fmt: skip
    add("--mutants", metavar="named|all",
        help="run the embedded target with each planted fault in turn, against the tests that "
        "name the fault, or against all")  # fmt: skip
    add("--shard", metavar="INDEX/COUNT",
        help="judge a part of the tests, and tell each result to who merges them")  # fmt: skip
    add("--seed", type=int, default=None, help="seed of everything that the peer draws")


def pytest_configure(config: pytest.Config) -> None:
    """Declare our marks and read our options."""
    for mark in (
        "requirement(*ids): the ledger rows that a test judges",
        "turned_red_by(*faults): the planted faults that a test must see",
        "twin_of(name): the refusal that a test is the accepted twin of",
        "needs(*capabilities): what a target must have",
        "esp_alone: a test that only needs a Child SA, which may be keyed by hand",
        "as_responder: the target initiates, the reference peer responds",
        "tries(subject, algorithm): the test's place in the report's matrix of algorithms",
        "looks_back: the test judges what earlier tests heard too, so it comes after them",
        "core: one of the tests that decide whether a daemon is usable (suites/core.py)",
    ):
        config.addinivalue_line("markers", mark)
    try:
        config.stash[SESSION] = Session(Settings.of(config.option, config.invocation_params.args))
    except (SetupError, ScriptError) as error:
        pytest.exit(str(error), returncode=2)
    if shard := config.stash[SESSION].settings.shard:
        config.pluginmanager.register(OneShard(shard))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each conformance test against each target."""
    if "target_spec" in metafunc.fixturenames:
        session = metafunc.config.stash[SESSION]
        named = marked(metafunc.definition, "turned_red_by")
        metafunc.parametrize("target_spec", session.specs_for(named), scope="session")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the core tier, and let tests that look back on the whole run come last."""
    for item in items:
        if "/".join(item.path.parts[-2:]) in core.MODULES:
            item.add_marker("core")
    items.sort(key=looks_back)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[None]:
    """Keep the lab open around the tests that need it; write the reports in any case."""
    bench = session.config.stash[SESSION]
    judged = [item for item in session.items if _spec(item)]
    if not judged or session.config.option.collectonly:
        return (yield)
    try:
        with bench.open(len(judged)):
            result = yield
    except SetupError as error:
        pytest.exit(str(error), returncode=2)
    finally:
        _finish(session, bench)
    return result


def _finish(session: pytest.Session, bench: Session) -> None:
    try:
        session.testsfailed += bench.finish()
    except SetupError as error:
        pytest.exit(str(error), returncode=2)


def _spec(item: pytest.Item) -> str:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("target_spec", "") if callspec else ""


# Fixtures: the terms of a connection, which tests override by parametrization.


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


# Verdicts.


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note what the test judges."""
    if not _spec(item):
        return
    bench = item.config.stash[SESSION]
    item.user_properties.append(("judged", True))
    item.stash[STARTED] = time.time()
    item.stash[CASE] = bench.case(item, _spec(item), _stable_id(item))
    bench.starts(item.stash[CASE])


def _stable_id(item: pytest.Item) -> str:
    spec = re.escape(_spec(item))
    return re.sub(rf"\[{spec}-|-{spec}(?=\])", lambda m: m[0][0] if m[0][0] == "[" else "",
                  re.sub(rf"\[{spec}\]$", "", item.nodeid))  # fmt: skip


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Turn how a test ended into a verdict, and the verdict into pytest's outcome."""
    report: Any = yield
    if CASE not in item.stash:
        return report
    error = call.excinfo.value if call.excinfo else None
    if error is not None:
        item.stash.setdefault(ERROR, (error, call.when == "call"))
    if call.when == "teardown":
        _settle(item, report)
    elif error is not None and not isinstance(error, KeyboardInterrupt):
        # The verdict follows at teardown, when the record is complete.
        report.longrepr = None
        report.outcome = "passed" if call.when == "call" else "skipped"
    return report


def _settle(item: pytest.Item, report: Any) -> None:
    bench = item.config.stash[SESSION]
    case = item.stash[CASE]
    error, in_test = item.stash.get(ERROR, (None, True))
    verdict, reason = judge(error, case.requirements, in_test=in_test)
    if case.daemon_died:
        verdict, reason = Verdict.DEVIATES, f"the daemon died during this test; {reason}"
    started = item.stash[STARTED]
    result = bench.ends(case, verdict, reason, started, time.time() - started)
    outcome = result.outcome(strict=bench.settings.strict)
    report.user_properties.append(("verdict", verdict.value))
    if outcome in (Outcome.FAILED, Outcome.ERROR):
        report.outcome, report.longrepr = "failed", f"{verdict.value}: {reason}"
    elif outcome is Outcome.SKIPPED:
        report.outcome = "skipped"
        where = item.location[0], item.location[1] or 0
        report.longrepr = (
            *where,
            f"{verdict.value}: {result.known.reason if result.known else reason}",
        )


def pytest_report_teststatus(report: Any) -> tuple[str, str, str] | None:
    """Show a verdict once for each test, by its name."""
    properties = dict(getattr(report, "user_properties", ()))
    if "judged" not in properties:
        return None
    if report.when != "teardown" or "verdict" not in properties:
        return "", "", ""
    return report.outcome, "", properties["verdict"].upper()
