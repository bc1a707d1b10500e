"""A hand-made run that looks like a real one, for the self-tests of the reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

from peers.reference.events import Carrier, Endpoint, Event, Packet, Remark, Transmission
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

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
EVIL = "<script>alert('\"pwned\" & more')</script>\x1b[31m\u202e"

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


@dataclass(frozen=True)
class Decoded:
    """Something with the two texts of a decoded message."""

    line: str
    detail: str

    def __str__(self) -> str:
        return self.line

    def describe(self) -> str:
        """Give the full decode."""
        return self.detail


PEER, TARGET = ip_address("198.18.128.7"), ip_address("198.19.0.10")
PEER6, TARGET6 = ip_address("fd00:18::7"), ip_address("fd00:19::10")

_INIT = (
    "HDR(IKE_SA_INIT, request, ID 0), SA(1: AES_GCM_16_256, PRF_HMAC_SHA2_256, CURVE25519; "
    "2: AES_CBC_256, HMAC_SHA2_256_128, PRF_HMAC_SHA2_256, MODP_2048), KE(CURVE25519, 32 octets), "
    "Nonce(32 octets), N(NAT_DETECTION_SOURCE_IP, 20 octets), "
    "N(NAT_DETECTION_DESTINATION_IP, 20 octets)"
)
_DETAIL = """\
HDR
  initiator SPI      8f1e02c4a9d37b60
  responder SPI      0000000000000000
  next payload       SA (33)
  version            2.0
  exchange           IKE_SA_INIT (34)
  flags              initiator
  message ID         0
  length             {size}
SA
  proposal 1, IKE, 3 transforms
    ENCR  AES_GCM_16 (20), key length 256
    PRF   PRF_HMAC_SHA2_256 (5)
    KE    CURVE25519 (31)
KE
  group              CURVE25519 (31)
  data               6e1c03b0e3d9f1b44f0b4a9c9f0c7c5a0f4f6d7e3b1a29c8d7e6f5a4b3c2d1e0
Nonce
  data               a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90"""


def packet(
    time: float,
    *,
    sent: bool,
    line: str = _INIT,
    size: int = 240,
    carrier: Carrier = Carrier.UDP,
    six: bool = False,
    **more: Any,
) -> Transmission:
    """Make one packet between the sample's peer and target."""
    port = 500 if carrier is Carrier.UDP else 0
    ends = (PEER6, TARGET6) if six else (PEER, TARGET)
    peer, target = (Endpoint(address, port) for address in ends)
    octets = bytes((17 * position + size) % 256 for position in range(size))
    decoded: Any = Decoded(line, _DETAIL.format(size=size)) if line else None
    pair = (peer, target) if sent else (target, peer)
    return Transmission(time, sent, Packet(carrier, *pair, octets), decoded, **more)


_ANSWER = _INIT.replace("request", "response").replace(
    "; 2: AES_CBC_256, HMAC_SHA2_256_128, PRF_HMAC_SHA2_256, MODP_2048", ""
)


def exchange(start: float) -> list[Event]:
    """Make an IKE_SA_INIT, an IKE_AUTH and an echo through ESP."""
    auth = "HDR(IKE_AUTH, {}, ID 1), SK{{{}(FQDN {}), AUTH(SHARED_KEY_MIC, 32 octets), SA(1: {}), "
    auth += "TSi(10.1.0.0/24), TSr(10.2.0.0/24)}}"
    esp = "ESP(SPI {}, sequence 1), ICMP(echo {}, 10.{}.0.1 -> 10.{}.0.1)"
    child = "ESP c0ffee01, AES_GCM_16_256, NO_ESN"
    return [
        packet(start + 0.0004, sent=True),
        packet(start + 0.0031, sent=False, line=_ANSWER, size=232),
        packet(
            start + 0.0039,
            sent=True,
            line=auth.format("request", "IDi", "peer-7.ikeproof.test", child),
            size=276,
        ),
        packet(
            start + 0.0088,
            sent=False,
            line=auth.format("response", "IDr", "target.ikeproof.test", child),
            size=252,
        ),
        Remark(start + 0.0092, "The Child SA stands. Its replay window is 64 packets wide."),
        packet(
            start + 0.0095,
            sent=True,
            line=esp.format("c7d10a44", "request", 1, 2),
            size=120,
            carrier=Carrier.ESP,
        ),
        packet(
            start + 0.0104,
            sent=False,
            line=esp.format("c0ffee01", "reply", 2, 1),
            size=120,
            carrier=Carrier.ESP,
        ),
    ]


def wrong_notify(start: float) -> list[Event]:
    """Make a request with an unknown critical payload that gets the wrong answer."""
    faulty = _INIT + ", X(200, critical, 16 octets)"
    return [
        Remark(start + 0.0002, "The payload of type 200 is unknown to everyone."),
        packet(start + 0.0004, sent=True, line=faulty, fault="CriticalBit(of=Unknown)"),
        packet(
            start + 0.0031,
            sent=False,
            line="HDR(IKE_SA_INIT, response, ID 0), N(INVALID_SYNTAX)",
            size=36,
        ),
        packet(start + 0.0040, sent=False, line="", size=19, problem="octet 19: header cut short"),
        packet(start + 0.0051, sent=True, line=f"HDR(INFORMATIONAL), SK{{IDi(FQDN {EVIL})}}"),
    ]


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
