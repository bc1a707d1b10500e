"""Libreswan's ``cavp`` in a container of its image, and what it says to our vectors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from docker import DockerClient

from peers.lab.errors import SetupError
from peers.lab.program import Ended, run_once
from peers.reference.crypto import protection
from peers.reference.numbers import Encr
from vectors import loader, primitives
from vectors.judge import Verdict
from vectors.loader import Case, Vectors
from vectors.primitives import hashes
from vectors.runners import agreement
from vectors.runners.cavp import SHA_CHAIN, TAKEN, Question, answers, write
from vectors.runners.questions import NotTaken, questions
from vectors.spoiled import spoiled

ANY_ICV_SIZE = (
    "takes an ICV of another size than the algorithm's if its octets begin the whole tag: the "
    "AES-GCM of Libreswan 4 goes by the size it is handed, which is the algorithm's in pluto; 5.2 "
    "compares both"
)
"""A known deviation; upstream: "crypto: check that AEAD tag_size is as expected"."""

CAVP = "/usr/libexec/ipsec/cavp"
FILE = "questions"


class Cavp:
    """The runner of one image. SetupError when that has none."""

    def __init__(self, client: DockerClient, image: str) -> None:
        self._client = client
        self._image = image
        done = self._run("dpkg-query", "-W", "--showformat=${Version}", "libreswan")
        if done.status:
            raise SetupError(f"{image} does not tell its version of Libreswan: {done.errors}")
        version = done.output.decode().partition("-")[0]
        self.name = f"cavp of Libreswan {version}"
        self._major = int(version.partition(".")[0])

    def ask(self, asked: Sequence[Question]) -> list[str]:
        """Say what is wrong with the answer to each question of one test, nothing if all is right.

        A chain of hashes ends the program: each is asked for alone.
        """
        if asked[0].test is SHA_CHAIN and len(asked) > 1:
            return [wrong for question in asked for wrong in self.ask([question])]
        done = self._run(CAVP, *asked[0].test.options, f"/{FILE}", file=write(asked))
        last = done.errors.splitlines()[-1:] or ["it printed no error"]
        return answers(asked, done.output, f"cavp ended with status {done.status}: {last[0]}")

    def deviation(self, case: Case) -> str:
        """Say in which way this version is known to get a case wrong, nothing if in none."""
        return ANY_ICV_SIZE if self._major < 5 and _begins_whole_tag(case) else ""

    def _run(self, *command: str, file: bytes = b"") -> Ended:
        return run_once(self._client, self._image, command, {FILE: file})


def _begins_whole_tag(case: Case) -> bool:
    """Say whether a spoiled ICV has another size, which NSS has too, and right octets.

    The first 4, 8 or 12 octets of one always do, and one of 16 octets less one; one of 12 and a
    zero does where the tag goes on so. NSS has none of 0, 7, 9, 11 or 17 octets.
    """
    if case.result != "invalid":
        return False
    if case.id.endswith(("-icv-of-4", "-icv-of-8", "-icv-of-12")):
        return True
    if case.id.endswith("-octet-less"):
        return case.values["encr"] == Encr.ENCR_AES_GCM_16
    if not case.id.endswith("-octet-more") or case.values["encr"] != Encr.ENCR_AES_GCM_12:
        return False
    bits = case.optional_number("key_bits")
    suite = protection(Encr.ENCR_AES_GCM_16, bits, None, case.octets("key"), b"")
    sealed = suite.seal(case.octets("associated"), case.octets("plaintext"), case.octets("iv"))
    return sealed[-suite.icv_size :].startswith(case.octets("icv"))


def verdicts(runner: Cavp) -> Iterator[Verdict]:
    """Put every vector file and every subject of primitives to a runner, and what it can hash."""
    own = (hashes.read_digests(), hashes.read_chains())
    for vectors in chain(map(loader.load, loader.names()), primitives.subjects(), own):
        yield verdict(vectors, runner)


def verdict(vectors: Vectors, runner: Cavp) -> Verdict:
    """Judge what a runner says to one subject; what it cannot be asked is counted by the reason."""
    found = Verdict(vectors.subject, vectors.source, runner.name)
    asked: list[tuple[Case, list[Question]]] = []
    for case in vectors.cases:
        for kind, each in _with_spoiled(vectors.kind, case):
            try:
                asked.append((each, list(questions(kind, each))))
            except NotTaken as reason:
                found.left_out[str(reason)] = found.left_out.get(str(reason), 0) + 1
                if each is case:
                    break
    _judge(asked, runner, found)
    return found


def agreement_of(runner: Cavp) -> Verdict:
    """Compare the key derivation of a runner with the reference peer's."""
    found = Verdict(agreement.SUBJECT, "none: two implementations", runner.name)
    _judge([(case, [agreement.question(case)]) for case in agreement.inputs()], runner, found)
    return found


def _with_spoiled(kind: str, case: Case) -> Iterable[tuple[str, Case]]:
    return chain([(kind, case)], spoiled(kind, case))


def _judge(asked: Sequence[tuple[Case, list[Question]]], runner: Cavp, found: Verdict) -> None:
    if not asked:
        return
    wrongs = iter(runner.ask([question for _, several in asked for question in several]))
    for case, several in asked:
        wrong = [text for text in (next(wrongs) for _ in several) if text]
        found.counts[case.result] += 1
        known = runner.deviation(case)
        if known and wrong == [TAKEN]:
            found.deviating[known] = found.deviating.get(known, 0) + 1
        elif known and not wrong:
            found.disagreements.append(f"{case}: refused, so what is known is gone: it {known}")
        else:
            found.disagreements += [f"{case}: {text}" for text in wrong[:1]]
