"""The pytest session: exit codes, verdicts, deviations, interruption, evidence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

# What a run imports on its way is forgotten after it, and would be imported anew by the next.
import scapy.layers.inet6  # noqa: F401

import reports.recorder
import reports.writers
from reports.ledger import Level, load_ledger
from suites.session import LEDGER, ROOT

pytest_plugins = ["pytester"]

ROWS = load_ledger(LEDGER).values()
MUST = next(row.id for row in ROWS if row.level is Level.MUST)
SHOULD = next(row.id for row in ROWS if row.level is Level.SHOULD)

PREAMBLE = f"""
import os, signal
from reports.judgement import Unsupported
from peers.reference.errors import Inconclusive, PeerError
from suites.judge import differs, requirement
MUST, SHOULD = {MUST!r}, {SHOULD!r}
"""

CONFORMS = """
@requirement(MUST)
def test_conforms(peer):
    peer.establish()
"""

QUICK = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
"""Hypothesis would be imported anew for each run."""

FIRST_LINES = 3
"""Lines that an error may take: one for us, the others pytest's own."""


class Run:
    """A finished run of pytest in this process, with its results by the test's name."""

    def __init__(self, result, folder: Path) -> None:
        self.code = int(result.ret)
        self.folder = folder
        self.text = "\n".join([*result.outlines, *result.errlines])
        path = folder / "results.json"
        data = json.loads(path.read_text()) if path.is_file() else {"results": []}
        self.results = {
            each["id"].rpartition("::")[2].removeprefix("test_"): each for each in data["results"]
        }

    def verdicts(self) -> dict[str, str]:
        return {name: each["verdict"] for name, each in self.results.items()}


@pytest.fixture
def run(pytester, request, tmp_path):
    """Run pytest with our conftest on tests given as text."""
    conftest = ROOT / "conftest.py"
    plugins = request.config.pluginmanager.get_plugins()
    ours = next(p for p in plugins if Path(getattr(p, "__file__", "") or "") == conftest)
    folder = tmp_path / "report"

    def go(source: str, *options: str, out: Path = folder) -> Run:
        pytester.makepyfile(test_it=PREAMBLE + source)
        arguments = (*QUICK, f"--out={out}", *options)
        result = pytester.runpytest_inprocess(*arguments, plugins=[ours], no_reraise_ctrlc=True)
        return Run(result, out)

    return go


# What was asked for and is not there.


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--target=openvpn"], "openvpn"),
        (["--target=strongswan@etch"], "etch"),
        (["--target=reference!makes-coffee"], "makes-coffee"),
        (["--evidence=some"], "some"),
        (["--kernel=mine"], "mine"),
        (["--mutants=few"], "few"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_what_there_is_not_ends_the_run_with_one_line(run, options, complaint):
    run = run(CONFORMS, *options)

    assert run.code == 2
    assert complaint in run.text
    assert "Traceback" not in run.text
    assert len([line for line in run.text.splitlines() if line.strip()]) <= FIRST_LINES, run.text


def test_a_folder_that_cannot_be_written_ends_the_run_with_one_line(run, tmp_path):
    (tmp_path / "file").write_text("not a folder")

    run = run(CONFORMS, out=tmp_path / "file" / "report")

    assert run.code == 2
    assert "--out" in run.text
    assert "Traceback" not in run.text


def test_an_unknown_requirement_ends_the_run(run):
    run = run('@requirement("rfc1-1-no-such-rule")\ndef test_it(peer): pass\n')

    assert run.code == 2
    assert "rfc1-1-no-such-rule" in run.text


# Verdicts.


def test_a_run_of_what_conforms_passes(run):
    run = run(CONFORMS)

    assert (run.code, run.verdicts()) == (0, {"conforms": "conforms"})


ENDS = """
@requirement(MUST)
def test_must(peer):
    assert False, "broken"

@requirement(SHOULD)
def test_should(peer):
    assert False, "not followed"

@requirement(MUST)
def test_theirs(peer):
    raise PeerError("nonsense")

@requirement(MUST)
def test_ours(peer):
    {}["missing"]

@requirement(MUST)
def test_lab(peer):
    raise Inconclusive("no link")

@requirement(MUST)
def test_unsupported(peer):
    raise Unsupported("no such feature")

@requirement(MUST)
def test_choice(peer, administrative):
    administrative("it prefers CBC")
"""


def test_each_ending_has_its_verdict(run):
    run = run(ENDS)

    assert run.verdicts() == {
        "must": "deviates",
        "should": "differs",
        "theirs": "deviates",
        "ours": "inconclusive",
        "lab": "inconclusive",
        "unsupported": "unsupported",
        "choice": "administrative",
    }
    assert run.code == 1


@pytest.mark.parametrize(
    ("body", "options", "code"),
    [
        ('    differs("otherwise")', [], 0),
        ('    differs("otherwise")', ["--strict-should"], 1),
        ('    raise Unsupported("lacks it")', ["--strict-should"], 0),
        ('    raise RuntimeError("ours")', [], 1),
        ('    assert False, "theirs"', [], 1),
    ],
    ids=["differs", "differs strictly", "unsupported", "unexpected", "deviates"],
)
def test_what_fails_a_run(run, body, options, code):
    assert run(f"@requirement(MUST)\ndef test_it(peer):\n{body}\n", *options).code == code


def test_an_unexpected_exception_is_told_with_its_kind(run):
    run = run('@requirement(MUST)\ndef test_it(peer):\n    {}["missing"]\n')

    assert run.verdicts() == {"it": "inconclusive"}
    assert "KeyError" in run.results["it"]["reason"]


def test_unsupported_is_skipped_for_pytest(run):
    run = run('@requirement(MUST)\ndef test_it(peer):\n    raise Unsupported("lacks it")\n')

    assert run.code == 0
    assert "UNSUPPORTED" in run.text.upper()


def test_a_fixture_that_fails_is_inconclusive_whatever_it_raised(run):
    run = run("""
import pytest
@pytest.fixture
def broken(peer):
    raise PeerError("not even that")

@requirement(MUST)
def test_it(broken):
    pass
""")

    assert (run.code, run.verdicts()) == (1, {"it": "inconclusive"})


# Known deviations.


@pytest.fixture
def known(monkeypatch, tmp_path):
    """Let the embedded target have a known deviation."""
    folder = tmp_path / "deviations"
    folder.mkdir()
    (folder / "reference.toml").write_text(f"""
[[deviation]]
requirement = "{MUST}"
reason = "it is like that"
link = "https://example.org/bug"
match = "broken"
test = "*test_known"
""")
    monkeypatch.setattr(reports.recorder, "DEVIATIONS", folder)


def a_test(body: str) -> str:
    return f"@requirement(MUST)\ndef test_known(peer):\n    {body}\n"


def test_a_known_deviation_does_not_fail_the_run(run, known):
    run = run(a_test('assert False, "broken"'))

    assert (run.code, run.verdicts()) == (0, {"known": "deviates"})


def test_a_known_deviation_that_fails_otherwise_fails_the_run(run, known):
    assert run(a_test('assert False, "something else"')).code == 1


def test_a_known_deviation_that_is_gone_fails_the_run(run, known):
    run = run(a_test("pass"))

    assert run.verdicts() == {"known": "conforms"}
    assert run.code == 1


# Interruption and evidence.


def test_an_interrupted_run_reports_what_was_judged(run):
    run = run("""
@requirement(MUST)
def test_first(peer):
    peer.establish()

@requirement(MUST)
def test_second(peer):
    peer.establish()
    # A shell's background job is started with Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.kill(os.getpid(), signal.SIGINT)

@requirement(MUST)
def test_third(peer):
    peer.establish()
""")

    assert run.code == 2
    assert run.verdicts().get("first") == "conforms"
    assert "third" not in run.verdicts()
    assert run.verdicts().get("second", "inconclusive") == "inconclusive", "half a test conforms"
    assert (run.folder / "index.html").is_file()


@pytest.mark.parametrize("kept", ["failed", "all"])
def test_evidence_is_kept_for_what_was_asked(run, kept):
    source = CONFORMS + a_test('peer.establish()\n    assert False, "broken"')

    run = run(source, f"--evidence={kept}")

    files = {name: bool(each["files"]) for name, each in run.results.items()}
    assert files == {"conforms": kept == "all", "known": True}
    for each in run.results.values():
        assert all((run.folder / file["path"]).is_file() for file in each["files"])


def test_the_same_seed_gives_the_same_conversation(run, tmp_path):
    texts = []
    for name in ("a", "b"):
        done = run(CONFORMS, "--seed=7", "--evidence=all", out=tmp_path / name)
        texts.append([step["summary"] for step in done.results["conforms"]["ladder"] or ()])

    assert texts[0] == texts[1] != []
