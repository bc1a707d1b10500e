"""The page: nothing of a peer's is ever markup, every link leads somewhere, nothing calls out."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

from reports.html import render
from reports.model import Run
from reports.pages import page
from reports.verdicts import Verdict
from suites.selftest.reports_sample import (
    CASES,
    EVIL,
    TARGETS,
    requirement,
    result,
    sample_run,
    with_deviations,
)


class Reader(HTMLParser):
    """Collects tags with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.data.append(data)

    def values(self, attribute: str) -> list[str]:
        return [attributes[attribute] for _, attributes in self.tags if attribute in attributes]

    @property
    def text(self) -> str:
        return "".join(self.data)


def evil_run() -> Run:
    """Make a run in which every text that the other side chooses is an attack."""
    outcome = result(1, "strongswan", Verdict.DEVIATES, EVIL, title=EVIL, expected=EVIL)
    target = TARGETS[0].model_copy(update={"version": EVIL, "kernel": EVIL, "notes": (EVIL,)})
    row = requirement(1).model_copy(update={"statement": EVIL})
    values = {"targets": (target,), "results": (outcome,), "requirements": (row,), "command": EVIL}
    return with_deviations_of(sample_run(1).model_copy(update=values))


def with_deviations_of(run: Run) -> Run:
    stale = with_deviations(sample_run()).stale_deviations[0]
    return run.model_copy(update={"stale_deviations": (stale.model_copy(update={"reason": EVIL}),)})


def test_what_a_peer_chose_is_text_and_never_markup():
    plain, evil = Reader(render(sample_run(2))), Reader(render(evil_run()))

    assert [tag for tag, _ in evil.tags].count("script") == 1
    assert {name for _, attributes in evil.tags for name in attributes} <= {
        name for _, attributes in plain.tags for name in attributes
    } | {"open"}
    assert evil.text.count("<script>alert('\"pwned\" & more')</script>") >= 8


@pytest.mark.parametrize("tests", [1, 12, 60])
def test_every_link_leads_somewhere_and_ids_are_unique(tests):
    read = Reader(render(with_deviations(sample_run(tests) if tests > 1 else sample_run(2))))
    ids, links = read.values("id"), read.values("href")

    assert len(ids) == len(set(ids))
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert all(re.match(r"#|https?://|evidence/", link) for link in links)


def test_the_page_asks_no_network_for_anything():
    read = Reader(render(with_deviations(sample_run())))
    loading = {"src", "srcset", "data", "action", "background", "poster", "style"}

    assert not loading & {name for _, attributes in read.tags for name in attributes}
    assert {tag for tag, attributes in read.tags if "href" in attributes} == {"a", "use"}
    assert "url(" not in read.text
    assert "@import" not in read.text


def test_the_policy_allows_this_script_and_no_other():
    text = render(sample_run(1))
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    (policy,) = (value for value in Reader(text).values("content") if "default-src" in value)

    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")


@pytest.mark.parametrize(("verdict", "reason"), CASES)
def test_each_verdict_renders_with_its_word_reason_and_replay(verdict, reason):
    outcome = result(3, "strongswan", verdict, reason)
    update = {"results": (outcome,), "requirements": (requirement(3),)}
    run = sample_run(1).model_copy(update=update)

    read = Reader(render(run))

    needs_a_reader = [attributes for tag, attributes in read.tags if tag == "details"]
    assert f"1 {verdict.value}" in read.text or verdict.value in read.text
    assert reason in read.text
    assert run.replay(outcome) in read.text
    opened = any("open" in attributes for attributes in needs_a_reader)
    assert opened is (verdict in (Verdict.DEVIATES, Verdict.DIFFERS, Verdict.INCONCLUSIVE))


def test_a_run_without_results_renders():
    empty = sample_run(0)

    assert "Nothing needs attention" in render(empty)


TITLES = [
    (["strongSwan 6.0.1", "5.2"], "strongSwan 6.0.1 and libreswan 5.2"),
    (["6.0.1"], "strongswan 6.0.1"),
    (["1", "2", "3", "4"], "strongswan, libreswan, strongswan and libreswan"),
]


@pytest.mark.parametrize(("versions", "title"), TITLES)
def test_the_title_names_the_targets(versions, title):
    targets = tuple(
        TARGETS[number % 2].model_copy(update={"version": version})
        for number, version in enumerate(versions)
    )

    assert page(sample_run(0, targets)).title == title


def test_evidence_links_are_quoted_paths():
    links = [link for link in Reader(render(sample_run())).values("href") if "evidence" in link]

    assert links
    assert all("#" not in link and "#" in unquote(link) for link in links)


def test_octets_are_kept_off_the_page_where_a_test_conforms():
    outcome = result(0, "strongswan", Verdict.CONFORMS, "")
    run = sample_run(1).model_copy(update={"results": (outcome,)})

    assert len(re.findall(r"^0000  ", render(run), re.MULTILINE)) == 0
    assert len(re.findall(r"0000  ", render(sample_run()))) > 10


def test_a_cell_shows_the_worst_verdict_first():
    kinds = (Verdict.CONFORMS, Verdict.DEVIATES, Verdict.CONFORMS, Verdict.DIFFERS)
    results = tuple(
        result(0, "strongswan", verdict, "why", id=f"suites/test_x.py::test_{number}")
        for number, verdict in enumerate(kinds)
    )
    run = sample_run(1).model_copy(update={"results": results})

    ((strongswan, libreswan),) = (row.cells for part in page(run).wall for row in part.rows)

    assert [(mark.verdict, mark.count) for mark in strongswan] == [
        (Verdict.DEVIATES, 1),
        (Verdict.DIFFERS, 1),
        (Verdict.CONFORMS, 2),
    ]
    assert strongswan[0].anchor == "test-x-py-test-1.0"
    assert libreswan == ()


def test_the_rarest_verdict_can_be_seen_in_the_bar():
    run = sample_run(12)
    many = tuple(
        result(0, "strongswan", Verdict.CONFORMS, "", id=f"suites/test_x.py::test_{number}")
        for number in range(500)
    )
    bad = run.results[1]
    (view, _) = page(run.model_copy(update={"results": (*many, bad)})).targets

    assert [part.verdict for part in view.bar] == [Verdict.CONFORMS, Verdict.DEVIATES]
    assert view.bar[1].width > 1
    assert sum(part.width for part in view.bar) == pytest.approx(100, abs=0.1)


def test_twins_are_linked_and_packets_from_other_ends_are_told():
    run = sample_run(2)
    first, second = run.results[:2]
    moved = second.ladder[-1].model_copy(update={"source": "198.18.128.7:4500"})
    second = second.model_copy(update={"ladder": (*second.ladder, moved), "twin_of": first.id})

    tests = page(run.model_copy(update={"results": (first, second)})).tests

    assert tests[1].twin is not None
    assert tests[1].twin.first == first
    ends = [step.ends for step in tests[1].results[0].steps]
    assert ends == ["", "", "", "", "", "198.18.128.7:4500 → 198.19.0.10:500"]


def test_the_matrix_has_a_cell_for_each_role_of_each_target():
    def tried(subject, algorithm, target, role, verdict):
        place = {"subject": subject, "algorithm": algorithm}
        name = f"suites/test_x.py::test_{role}[{algorithm}]"
        return result(0, target, verdict, "why", id=name, role=role, tried=place)

    results = (
        tried("PRF", "HMAC_MD5", "strongswan", "initiator", Verdict.DEVIATES),
        tried("PRF", "HMAC_MD5", "strongswan", "responder", Verdict.CONFORMS),
        tried("PRF", "HMAC_SHA1", "libreswan", "responder", Verdict.UNSUPPORTED),
        tried("Key exchange", "ECP_256", "libreswan", "initiator", Verdict.CONFORMS),
        result(0, "libreswan", Verdict.CONFORMS, ""),
    )
    run = sample_run(1).model_copy(update={"results": results})

    drawn = {
        (subject, row.algorithm): [[mark.verdict for mark in cell] for cell in row.cells]
        for subject, rows in page(run).matrix
        for row in rows
    }

    assert drawn == {
        ("PRF", "HMAC_MD5"): [[Verdict.DEVIATES], [Verdict.CONFORMS], [], []],
        ("PRF", "HMAC_SHA1"): [[], [], [], [Verdict.UNSUPPORTED]],
        ("Key exchange", "ECP_256"): [[], [], [Verdict.CONFORMS], []],
    }
    assert 'id="matrix"' in render(run)


def test_a_run_that_tried_no_algorithm_has_no_matrix():
    assert page(sample_run(3)).matrix == ()
    assert 'id="matrix"' not in render(sample_run(3))
