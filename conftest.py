"""ikeproof's command-line options and verdict hooks for pytest."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from peers.lab.errors import SetupError
from peers.reference.errors import ScriptError
from reports.judgement import judge
from reports.verdicts import Outcome, Verdict
from suites import core
from suites.session import Session, Settings, marked
from suites.shards import OneShard, looks_back
from suites.stash import CASE, ERROR, SESSION, STARTED

pytest_plugins = ["suites.fixtures", "suites.revocation"]


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
