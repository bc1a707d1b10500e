"""Several workers: who judges what, and how their parts become one run."""

import argparse

import pytest

from peers.lab.errors import SetupError
from reports.ledger import load_ledger
from reports.merge import Part, merge
from reports.model import EvidenceFile, FileKind, Run
from reports.recorder import Occasion
from reports.verdicts import Verdict
from suites.conformance import _settings
from suites.selftest.reports_sample import START, TARGETS, result
from suites.session import LEDGER, Settings
from suites.shards import RECORD_SEPARATOR, Shard, Told, read_told
from suites.workers import judge, worth_having


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "a/b", "1/0", "-1/2", "1/2/3"])
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(SetupError, match="--shard"):
        Shard.parse(text)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_shards_have_each_test_once_and_what_is_shared_each(count):
    items = list(range(50))
    parts = [Shard.parse(f"{i}/{count}").of(items, lambda n: n >= 45) for i in range(1, count + 1)]

    own = [each for part in parts for each in part if each < 45]
    assert sorted(own) == items[:45]
    assert all(part[-5:] == items[45:] for part in parts)
    sizes = {len(part) for part in parts}
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(("tests", "workers"), [(0, 1), (1, 1), (150, 1), (151, 2), (640, 5)])
def test_few_tests_want_few_workers(tests, workers):
    assert worth_having(tests) == workers


def test_what_a_worker_tells_is_read_again():
    told = Told(kind="ends", result=result(1, "strongswan", Verdict.DEVIATES, "why\nso"))

    assert read_told(f"{RECORD_SEPARATOR}{told.model_dump_json()}\n") == told


@pytest.mark.parametrize(
    "line", ["", "ikeproof: ready", "\x1e", "\x1e{}", '\x1e{"kind": "other"}', '{"kind": "total"}']
)
def test_other_lines_are_none(line):
    assert read_told(line) is None


# Merging.

OCCASION = Occasion("run", START, "make conformance", "0.1.0", 7, False, {})


def _part(folder, number, *results):
    folder = folder / f"part-{number}"
    folder.mkdir()
    run = Run(
        id="x",
        started=START,
        finished=START,
        command="",
        version="",
        seed=1,
        targets=TARGETS[:1],
        results=results,
    )
    return Part(run, folder)


def _case(number, verdict=Verdict.CONFORMS, **more):
    fields = {"id": f"suites/t.py::test[{number}]", "requirements": (), "files": ()} | more
    return result(number, TARGETS[0].name, verdict, "why", **fields)


def _merged(tmp_path, *parts):
    return merge([parts], OCCASION, load_ledger(LEDGER), tmp_path / "run")


def test_results_come_in_the_order_of_the_whole(tmp_path):
    parts = [
        _part(tmp_path, 1, _case(0), _case(3), _case(6)),
        _part(tmp_path, 2, _case(1), _case(4)),
        _part(tmp_path, 3, _case(2), _case(5)),
    ]

    run = _merged(tmp_path, *parts)

    assert [each.id for each in run.results] == [f"suites/t.py::test[{n}]" for n in range(7)]
    assert Run.load(tmp_path / "run" / "results.json").results == run.results
    assert (tmp_path / "run" / "index.html").exists()


def test_of_what_every_part_has_the_worst_counts(tmp_path):
    parts = [
        _part(tmp_path, 1, _case(0), _case(9)),
        _part(tmp_path, 2, _case(1), _case(9, Verdict.DEVIATES)),
        _part(tmp_path, 3, _case(9, Verdict.DIFFERS)),
    ]

    run = _merged(tmp_path, *parts)

    assert [each.verdict for each in run.results] == [
        Verdict.CONFORMS,
        Verdict.CONFORMS,
        Verdict.DEVIATES,
    ]


def test_evidence_moves_to_the_run(tmp_path):
    file = EvidenceFile(kind=FileKind.MESSAGES, path="evidence/t/a/messages.txt")
    part = _part(tmp_path, 1, _case(0, Verdict.DEVIATES, files=(file,)))
    place = part.folder / file.path
    place.parent.mkdir(parents=True)
    place.write_text("said and heard")

    run = _merged(tmp_path, part)

    assert (tmp_path / "run" / file.path).read_text() == "said and heard"
    assert run.results[0].files == (file,)


# Whole runs, of the embedded target: one worker each.


def _judge(tmp_path, *targets, suite="suites/rfc7296/test_s2_05_versions.py", words=()):
    options = argparse.Namespace(
        target=list(targets),
        mutants=None,
        shard=None,
        evidence="failed",
        kernel="auto",
        subnet=None,
        out=tmp_path / "out",
        strict_should=False,
        strict_silence=0.0,
        seed=7,
    )
    return judge(Settings.of(options, ["pytest"]), 1, [suite, *words])


def test_workers_make_one_report(tmp_path, capsys):
    code = _judge(tmp_path, "reference", "reference!refuses-unknown-payloads")

    run = Run.load(tmp_path / "out" / "results.json")
    names = [target.name for target in run.targets]
    assert names == ["reference", "reference!refuses-unknown-payloads"]
    assert {each.verdict for each in run.of_target(names[0])} == {Verdict.CONFORMS}
    assert Verdict.DEVIATES in {each.verdict for each in run.of_target(names[1])}
    assert code == 1, "a finding of one worker fails the run"
    assert run.seed == 7
    assert not (tmp_path / "out" / "workers").exists()
    assert "report: " in capsys.readouterr().out


def test_good_parts_make_a_good_run(tmp_path):
    assert _judge(tmp_path, "reference") == 0


def test_a_worker_that_cannot_start_says_why(tmp_path, capsys):
    assert _judge(tmp_path, "reference", words=["--no-such-option"]) != 0

    assert "--no-such-option" in capsys.readouterr().err


def test_options_of_the_whole_run_are_not_the_workers(tmp_path):
    more = ["--out", str(tmp_path), "-k", "cookie", "--seed=3", "--strict-should"]

    settings, others = _settings(["reference"], ["pytest", *more], more)

    assert (settings.folder, settings.seed, settings.strict) == (tmp_path, 3, True)
    assert others == ["-k", "cookie", "--strict-should"]
