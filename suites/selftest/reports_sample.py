"""A hand-made run that looks like a real one, for the self-tests of the reports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from reports.evidence import Record, ladder
from reports.ledger import Requirement
from reports.model import (
    EvidenceFile,
    FileKind,
    KnownDeviation,
    Run,
    StaleDeviation,
    Target,
    TestResult,
)
from reports.verdicts import Verdict
from suites.selftest.reports_events import EVIL_IDENTITY, exchange, wrong_notify

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
EVIL = f"{EVIL_IDENTITY}\x1b[31m\u202e"

TARGETS = (
    Target(
        name="strongswan",
        spec="strongswan@trixie",
        version="strongSwan 6.0.1-6+deb13u2",
        kernel="guest 6.12.41 (User-Mode Linux)",
        image="ikeproof/strongswan:trixie-5f3c9a1b2d",
        notes=("replay window 32 packets by default, set to 64 here",),
    ),
    Target(
        name="libreswan",
        spec="libreswan@trixie",
        version="Libreswan 5.2-2.3",
        kernel="guest 6.12.41 (User-Mode Linux)",
        image="ikeproof/libreswan:trixie-0c77e1b9aa",
    ),
)

_ROWS = (
    "2.1|retransmission-identical-response|MUST|responder|A retransmitted request is answered "
    "with an octet for octet identical response.",
    "2.3|request-outside-window-not-answered|MUST NOT|responder|A request whose message ID lies "
    "outside the window is neither processed nor answered as a new request.",
    "2.5|unknown-critical-rejected|MUST|either|A message with an unknown payload whose critical "
    "bit is set is rejected whole; the answer names the payload's type.",
    "2.5|unknown-noncritical-ignored|MUST|either|An unknown payload whose critical bit is clear "
    "is skipped, and the rest of the message is processed.",
    "2.5|higher-minor-version-accepted|MUST|either|A message with a higher minor version is "
    "processed; the minor version is ignored.",
    "2.6|cookie-returned-first|MUST|initiator|After a COOKIE notification the request is repeated "
    "with that cookie as its first payload and all others unchanged.",
    "2.7|first-match-of-proposals|MUST|responder|One proposal is chosen whole; nothing of the "
    "others is mixed in.",
    "2.9|selectors-narrowed|SHOULD|responder|Selectors are narrowed to a subset that the policy "
    "allows, when one exists.",
    "2.21.2|authentication-failed-notified|SHOULD|responder|A failed authentication is answered "
    "with AUTHENTICATION_FAILED inside the protected IKE_AUTH response.",
    "2.23|natd-both-notifications-sent|SHOULD|either|Both NAT detection notifications stand in "
    "IKE_SA_INIT where UDP encapsulation is supported.",
    "3.1|reserved-flags-ignored|MUST|receiver|Flag bits that are not defined are ignored.",
    "3.3.6|invalid-ke-names-group|MUST|responder|INVALID_KE_PAYLOAD names a group of the "
    "initiator's own proposal.",
)


def requirement(index: int) -> Requirement:
    """Make a ledger row of the sample; beyond the written ones they are numbered variants."""
    section, name, level, role, statement = _ROWS[index % len(_ROWS)].split("|")
    name += f"-{index // len(_ROWS)}" if index >= len(_ROWS) else ""
    return Requirement.model_validate(
        {
            "id": f"rfc7296-{section}-{name}",
            "rfc": 7296,
            "section": section,
            "level": level,
            "role": role,
            "statement": statement,
            "judged": "wire",
        }
    )


_EXPECTED = """\
peer                                        target
HDR, SAi1, KEi, Ni, X(critical)     -->
                                    <--     HDR, N(UNSUPPORTED_CRITICAL_PAYLOAD, X)
PREVENTS: a mask error that reads the critical bit in the wrong place."""

CASES = (
    (Verdict.CONFORMS, ""),
    (
        Verdict.DEVIATES,
        "a rejected message must not also be accepted: expected N(UNSUPPORTED_CRITICAL_PAYLOAD) "
        "naming payload type 200, got N(INVALID_SYNTAX)",
    ),
    (
        Verdict.DIFFERS,
        "refused, as required, but with NO_PROPOSAL_CHOSEN in place of TS_UNACCEPTABLE",
    ),
    (Verdict.UNSUPPORTED, "declares no cookie challenge on demand; the probe confirms it"),
    (Verdict.ADMINISTRATIVE, "local policy: a responder may ignore the request; it answered"),
    (Verdict.INCONCLUSIVE, "the control interface did not answer within 5 s"),
)


def record(
    target: str = "strongswan", at: float = 0.0, verdict: Verdict = Verdict.DEVIATES
) -> Record:
    """Make what a test left behind that started ``at`` seconds into the run."""
    start = START.timestamp() + at
    plain = verdict in (Verdict.CONFORMS, Verdict.ADMINISTRATIVE, Verdict.DIFFERS)
    events = exchange(start) if plain else wrong_notify(start)
    if verdict is Verdict.UNSUPPORTED:
        events = []
    log = f"charon: 09[IKE] looking for peer configs matching {EVIL}\n"
    return Record(
        title="An unknown critical payload is rejected",
        target=target,
        start=start,
        end=start + 0.05,
        events=tuple(events),
        configuration="connections {\n  ikeproof-7 {\n    version = 2\n  }\n}\n",
        log=log,
    )


def _files(target: str, name: str) -> tuple[EvidenceFile, ...]:
    folder = f"evidence/{target}/{name}-0f3a#1"
    names = ("capture.pcapng", "README", "messages.txt", "configuration.txt", "target.log")
    kinds = ("capture", "how to open", "messages", "configuration", "target log")
    return tuple(
        EvidenceFile(kind=FileKind(kind), path=f"{folder}/{file}")
        for kind, file in zip(kinds, names, strict=True)
    )


def result(index: int, target: str, verdict: Verdict, reason: str, **changes: Any) -> TestResult:
    """Make the result of the sample's test number ``index``."""
    row = requirement(index)
    file = "suites/rfc7296/test_s" + row.section.replace(".", "_") + ".py"
    name = row.id.split("-", 2)[2]
    test = f"{file}::test_{name.replace('-', '_')}"
    kept = record(target, index * 0.2, verdict)
    values = {
        "id": test,
        "node_id": f"{test}[{target}]",
        "target": target,
        "title": name.replace("-", " ").capitalize(),
        "expected": _EXPECTED,
        "requirements": (row.id,),
        "verdict": verdict,
        "reason": reason,
        "started": START + timedelta(seconds=index * 0.2),
        "duration": 0.021 + index % 7 * 0.013,
        "role": "responder" if index % 3 == 2 else "initiator",
        "faults": ("CriticalBitIgnored", "CriticalPayloadTypeNotNamed") if index % 4 else (),
        "files": () if verdict is Verdict.CONFORMS else _files(target, name),
        "ladder": ladder(kept.events, kept.start, detail=verdict is not Verdict.CONFORMS),
    }
    return TestResult.model_validate(values | changes)


def sample_run(tests: int = 12, targets: tuple[Target, ...] = TARGETS) -> Run:
    """Make a run; its first six tests have one verdict each on the first target."""
    results = []
    for number, target in enumerate(targets):
        for index in range(tests):
            odd = index if number == 0 else index * 7 + number
            verdict, reason = CASES[odd % 6] if odd < 6 or odd % 19 == 1 else CASES[0]
            results.append(result(index, target.name, verdict, reason))
    return Run(
        id="2026-03-01T093000-strongswan-libreswan",
        started=START,
        finished=START + timedelta(seconds=97.4),
        command="make conformance TARGETS='strongswan libreswan'",
        version="0.1.0",
        seed=271828,
        host={"system": "Debian GNU/Linux 12", "kernel": "6.18.2", "Docker Engine": "20.10.24"},
        targets=targets,
        requirements=tuple(requirement(index) for index in range(tests)),
        results=tuple(results),
    )


def with_deviations(run: Run) -> Run:
    """Give the run a known deviation, at its second result, and a stale line."""
    known = KnownDeviation(
        reason="Answers INVALID_SYNTAX to every unknown critical payload.",
        link="https://example.org/issues/4711",
    )
    results = list(run.results)
    results[1] = results[1].model_copy(update={"known": known})
    line = StaleDeviation(
        target="libreswan",
        requirement="rfc7296-2.9-selectors-narrowed",
        reason="Refuses instead of narrowing.",
        link="https://example.org/issues/815",
        problem="not seen: none of its 2 tests went wrong",
    )
    return run.model_copy(update={"results": tuple(results), "stale_deviations": (line,)})
