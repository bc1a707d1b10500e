"""Vectors through Libreswan's cavp, without it: its format, and that each wrong answer shows."""

from contextlib import contextmanager
from dataclasses import replace

import pytest
from docker.errors import APIError
from requests.exceptions import ReadTimeout

from peers.lab import program
from peers.lab.errors import SetupError
from suites.selftest.cavp_simulator import Simulator
from vectors import derivation, loader, primitives
from vectors.__main__ import main as command
from vectors.__main__ import through_runner
from vectors.checks import Disagreement
from vectors.judge import judge
from vectors.runners import agreement, libreswan, specs
from vectors.runners.cavp import (
    GCM,
    HMAC,
    SHA_CHAIN,
    Question,
    answers,
    gives,
    read,
    read_chain,
    refuses,
    write,
)
from vectors.runners.libreswan import Cavp
from vectors.runners.questions import NotTaken, questions

HMACS = [
    Question(HMAC, (("L", 20),), (("Tlen", "4"), ("Key", "0b0b"), ("Msg", "")), gives(Mac="01ab")),
    Question(HMAC, (("L", 20),), (("Tlen", "4"), ("Key", "4a65"), ("Msg", "77")), gives(Mac="02")),
    Question(HMAC, (("L", 32),), (("Tlen", "4"), ("Key", "4a65"), ("Msg", "77")), gives(Mac="03")),
]
ASKED = """[L = 20]

Count = 0
Tlen = 4
Key = 0b0b
Msg =\x20

Count = 1
Tlen = 4
Key = 4a65
Msg = 77

[L = 32]

Count = 2
Tlen = 4
Key = 4a65
Msg = 77

"""
ANSWERED = """[L = 20]\r
\r
Count = 0\r
Klen = 2\r
Tlen = 4\r
Key = 0b0b\r
Msg = \r
Mac = 01ab\r
\r
Count = 1\r
Klen = 2\r
Tlen = 4\r
Key = 4a65\r
Msg = 77\r
Mac = 02\r
\r
[L = 32]\r
\r
Count = 2\r
Klen = 2\r
Tlen = 4\r
Key = 4a65\r
Msg = 77\r
Mac = 03\r
\r
"""
DECRYPTED = """#  GCM Decrypt\r
[Taglen = 128]\r
\r
Count = 0\r
Tag = 72ac\r
PT = \r
\r
Count = 1\r
Tag = a2be\r
FAIL\r
\r
"""
CHAIN = """#  "SHA Monte"\r
[L = 20]\r
\r
Seed = dd4d\r
\r
COUNT = 0\r
MD = 11f5\r
\r
COUNT = 1\r
MD = 5c26\r
\r
"""


def test_questions_are_numbered_and_sections_told_once():
    assert write(HMACS).decode() == ASKED


def test_a_test_without_an_option_is_told_by_a_header():
    asked = [Question(SHA_CHAIN, (("L", 20),), (("Seed", "dd4d"),), gives(MD="11f55c26"))]

    assert write(asked) == b'#  "SHA Monte"\n[L = 20]\n\nSeed = dd4d\n\n'


def test_records_are_read():
    records = read(DECRYPTED.encode())

    assert records == [
        {"Count": "0", "Tag": "72ac", "PT": ""},
        {"Count": "1", "Tag": "a2be", "FAIL": ""},
    ]


def test_a_chain_is_one_record():
    assert read_chain(CHAIN.encode())[0]["MD"] == "11f55c26"
    assert read_chain(b"") == []


def test_right_answers_are_right():
    assert answers(HMACS, ANSWERED.encode(), "") == ["", "", ""]


WRONG = [
    ("Mac = 02", "Mac = 03", ["", "Mac: its 03, the vector's 02", ""]),
    ("Mac = 02", "FAIL", ["", "refused", ""]),
    ("Mac = 02", "Mac = ", ["", "Mac: its , the vector's 02", ""]),
    ("Mac = 02\r\n", "", ["", "Mac is not in the answer", ""]),
    ("Key = 0b0b", "Key = 0b", ["the paragraph in the answer's place is another one's", "", ""]),
    ("Count = 2", "Count = 3", ["", "", "the paragraph in the answer's place is another one's"]),
    (ANSWERED[ANSWERED.index("[L = 32]") :], "", ["", "", "no answer: it died"]),
    (ANSWERED, "", ["no answer: it died"] * 3),
    ("Mac = 03\r\n", "Mac = 03\r\n\r\nCount = 3\r\n", ["", "", "1 answers too many"]),
]


@pytest.mark.parametrize(("old", "new", "wrong"), WRONG)
def test_wrong_answers_are_wrong(old, new, wrong):
    """The twin: the same output with one thing wrong."""
    assert answers(HMACS, ANSWERED.replace(old, new).encode(), "it died") == wrong


def test_what_must_be_refused_and_is_not():
    asked = [
        Question(GCM, (("Taglen", 128),), (("Tag", tag),), refuses) for tag in ("72ac", "a2be")
    ]

    assert answers(asked, DECRYPTED.encode(), "") == ["taken, though invalid", ""]
    unjudged = DECRYPTED.replace("FAIL\r\n", "").encode()
    assert answers(asked, unjudged, "")[1] == "neither taken nor refused"


@pytest.fixture
def cavp(monkeypatch):
    """Make a runner of a simulator."""

    def make(**settings):
        monkeypatch.setattr(libreswan, "run_once", Simulator(**settings))
        return Cavp(None, "ikeproof/libreswan:trixie")

    return make


EVERY_ANSWER = ("Mac", "PT", "FAIL", "MD", "SKEYSEED", "DKM")
TAKEN = {
    "draft-mcgrew-gcm-test-01, 4",
    "NIST CAVP and ACVP, IKEv2",
    "RFC 2202, 2 and 3",
    "RFC 4231, 4",
    "RFC 4868, 2.7.1",
    "RFC 4868, 2.7.2",
    "NIST CAVP, GCMVS",
    "NIST CAVP, SHAVS",
}


def test_all_that_can_be_asked_agrees(cavp):
    """Nothing is dropped in silence: what is not judged is counted, with the reason."""
    runner = cavp()
    found = list(libreswan.verdicts(runner))

    judged = [verdict for verdict in found if sum(verdict.counts.values())]
    assert {verdict.source for verdict in judged} == TAKEN
    assert [verdict.disagreements for verdict in judged] == [[]] * len(judged)
    assert sum(verdict.counts["valid"] for verdict in judged) == 2535
    assert sum(verdict.counts["invalid"] for verdict in judged) == 13568
    assert all(verdict.left_out for verdict in found if verdict not in judged)
    assert {verdict.through for verdict in found} == {"cavp of Libreswan 5.2"}


def test_every_wrong_answer_shows(cavp):
    """The twin: every answer of the same run is wrong, and each case of each subject says so."""
    found = list(libreswan.verdicts(cavp(wrong=EVERY_ANSWER)))

    for verdict in found:
        count = sum(verdict.counts.values())
        assert len(verdict.disagreements) == count
        assert (verdict.text == f"{count} disagree") == bool(count)


def test_a_runner_that_dies_is_a_disagreement(cavp):
    found = libreswan.verdict(loader.load("rfc4868-prf"), cavp(status=134, cut=1200))

    assert 0 < len(found.disagreements) < len(loader.load("rfc4868-prf").cases)
    assert found.disagreements[-1].endswith("no answer: cavp ended with status 134: the last line")


def test_a_known_deviation_is_told(cavp):
    """Libreswan 4 takes ICVs of other sizes: expected of it, and of no other version."""
    vectors = loader.load("mcgrew-gcm-esp")

    found = libreswan.verdict(vectors, cavp(version=b"4.10-2", any_size=True))
    assert found.disagreements == []
    assert found.deviating == {libreswan.ANY_ICV_SIZE: 4 * len(vectors.cases)}
    assert found.text == "agrees, 64 known to deviate, 128 left out"

    gone = libreswan.verdict(vectors, cavp(version=b"4.10-2"))
    assert [text.partition(": ")[2][:7] for text in gone.disagreements] == ["refused"] * 64

    new = libreswan.verdict(vectors, cavp(any_size=True))
    assert len(new.disagreements) == 64
    assert new.disagreements[0] == "case-1-octet-less: taken, though invalid"


def test_a_tag_that_goes_on_with_zeros_is_known_too(cavp):
    """The whole tag of this one has a zero after its first 12 octets; its neighbours' have not."""
    vectors = primitives.SUBJECTS["aes-gcm"]()
    names = [f"gcmdecrypt192-{number}" for number in range(1850, 1860)]
    chosen = replace(vectors, cases=tuple(case for case in vectors.cases if case.id in names))

    found = libreswan.verdict(chosen, cavp(version=b"4.10-2", any_size=True))

    cut = 2 * sum(case.result == "valid" for case in chosen.cases)  # To 4 and to 8 octets.
    assert found.disagreements == []
    assert found.deviating == {libreswan.ANY_ICV_SIZE: cut + 1}


OUTPUTS = ["SKEYSEED", "DKM", "DKM(Child SA)", "DKM(Child SA D-H)", "SKEYSEED(Rekey)"]


@pytest.fixture
def few_inputs(monkeypatch):
    monkeypatch.setattr(agreement, "NONCES", agreement.NONCES[:2])
    monkeypatch.setattr(agreement, "SECRETS", agreement.SECRETS[:1])


@pytest.mark.parametrize("wrong", OUTPUTS)
def test_key_derivations_that_differ(cavp, few_inputs, wrong):
    found = libreswan.agreement_of(cavp(wrong=(wrong,)))

    assert len(found.disagreements) == sum(found.counts.values()) == 8


def test_key_derivations_that_agree(cavp):
    found = libreswan.agreement_of(cavp())

    assert found.disagreements == []
    assert found.counts["valid"] == 224
    assert found.source == "none: two implementations"


@pytest.mark.parametrize(
    "name", ["derive_ike_keys", "derive_child_keys", "derive_rekeyed_ike_keys"]
)
@pytest.mark.parametrize("case", loader.load("nist-ikev2-kdf").cases, ids=str)
def test_nonces_in_the_wrong_order_are_a_disagreement(monkeypatch, name, case):
    """Each interface that SAs get their keys from is judged, not the PRF alone."""
    right = getattr(derivation, name)

    def wrong(*positional, nonce_i, nonce_r, **named):
        return right(*positional, nonce_i=nonce_r, nonce_r=nonce_i, **named)

    monkeypatch.setattr(derivation, name, wrong)

    with pytest.raises(Disagreement, match="keys"):
        judge("key-derivation", case)


def test_too_little_material_is_a_disagreement():
    case = loader.load("nist-ikev2-kdf").cases[0]
    short = {
        name: case.octets(name)[:40].hex()
        for name in ("ike_keymat", "child_keymat", "new_child_keymat")
    }

    with pytest.raises(Disagreement, match="too little keying material"):
        judge("key-derivation", replace(case, values={**case.values, **short}))


def test_what_cannot_be_asked_says_why():
    case = loader.load("rfc4868-integrity").cases[0]

    with pytest.raises(NotTaken, match="verifies none"):
        list(questions("integrity", replace(case, result="invalid")))
    with pytest.raises(NotTaken, match="no other cipher"):
        list(questions("esp", loader.load("rfc7634-esp").cases[0]))


def test_report_names_what_is_left_out(cavp):
    runner = cavp()
    found = [libreswan.verdict(loader.load(n), runner) for n in ("rfc2202-prf", "rfc3602-aes-cbc")]
    lines = list(through_runner(found, libreswan.agreement_of(runner)))[1:]

    assert "left out of HMAC-MD5 and HMAC-SHA-1 as PRFs (RFC 2202, 2 and 3): 7; it has" in lines[0]
    assert "which has AES-GCM, no other cipher: AES-CBC (RFC 3602, 4; 4)" in lines[1]
    assert "no vectors, two implementations" in lines[2]
    assert len(lines) == 3


def test_report_names_what_is_known(cavp):
    runner = cavp(version=b"4.10-2", any_size=True)
    found = [libreswan.verdict(loader.load("mcgrew-gcm-esp"), runner)]
    lines = list(through_runner(found, libreswan.agreement_of(runner)))[1:]

    assert lines[0].endswith(": 128; it decrypts, and looks at no trailer of ESP")
    assert lines[1].startswith("known of ESP packets with AES-GCM")
    assert lines[1].endswith(f": 64; it {libreswan.ANY_ICV_SIZE}")


@pytest.mark.parametrize(("wrong", "status"), [((), 0), (("Mac",), 1), (("SKEYSEED",), 1)])
def test_exit_status_is_that_of_the_runner_too(
    cavp, monkeypatch, few_inputs, capsys, wrong, status
):
    runner = cavp(wrong=wrong)

    @contextmanager
    def opened(wanted, say):
        yield [runner for _ in wanted]

    monkeypatch.setattr("vectors.__main__.runners", opened)
    monkeypatch.setattr("vectors.__main__.verdicts", list)
    monkeypatch.setattr(loader, "names", lambda: ("rfc4231-prf",))
    monkeypatch.setattr("vectors.primitives.subjects", lambda: iter(()))

    assert command(["--targets", "reference libreswan"]) == status
    assert "cavp of Libreswan 5.2" in capsys.readouterr().out


REFUSED = [
    ("openswan", "unknown target 'openswan': give one of reference, libreswan"),
    ("strongswan", "strongswan brings no runner of vectors along: give one of libreswan"),
    ("libreswan@potato", "unknown release 'potato'"),
    ("libreswan!no-ke", "'libreswan!no-ke': a runner of vectors cannot be impaired"),
]


@pytest.mark.parametrize(("target", "line"), REFUSED)
def test_what_there_is_not_is_one_line(capsys, target, line):
    assert command(["--targets", target]) == 2

    heard = capsys.readouterr()
    assert heard.out == ""
    assert heard.err.startswith(f"ikeproof: {line}")
    assert heard.err.count("\n") == 1


def test_no_engine_is_one_line(monkeypatch, capsys):
    def connect():
        raise SetupError("no Docker Engine is running here")

    monkeypatch.setattr("vectors.runners.connect", connect)

    assert command(["--targets", "libreswan"]) == 2
    assert capsys.readouterr().err == "ikeproof: no Docker Engine is running here\n"


def test_a_target_named_twice_is_asked_once():
    assert [spec.text for spec in specs(["libreswan", "reference", "libreswan"])] == ["libreswan"]


class Container:
    """A container as the Docker SDK has it, that does nothing."""

    def __init__(self, refusal=None, hangs=False):
        self.refusal = refusal
        self.hangs = hangs
        self.removed = False
        self.files = b""

    def create(self, image, **settings):
        self.settings = settings
        return self

    def put_archive(self, path, octets):
        self.files = octets

    def start(self):
        if self.refusal:
            raise self.refusal

    def wait(self, timeout):
        if self.hangs:
            raise ReadTimeout("read timed out")
        return {"StatusCode": 3}

    def logs(self, *, stdout, stderr):
        return b"out" if stdout else b"err\n"

    def remove(self, **_):
        self.removed = True


class Client:
    def __init__(self, container):
        self.containers = container


def test_a_program_runs_without_a_network_and_is_removed():
    container = Container()

    ended = program.run_once(Client(container), "image", ["cavp", "/file"], {"file": b"octets"})

    assert ended == program.Ended(3, b"out", "err")
    assert container.settings["network_mode"] == "none"
    assert container.settings["entrypoint"] == ["cavp", "/file"]
    assert b"octets" in container.files
    assert container.removed


def test_a_program_that_is_not_there_is_one_line():
    container = Container(APIError("500", explanation="no such file"))

    with pytest.raises(SetupError, match=r"cavp of image cannot be run: .*no such file") as caught:
        program.run_once(Client(container), "image", ["cavp"], {})

    assert "\n" not in str(caught.value)
    assert container.removed


def test_a_program_that_does_not_end_is_removed_and_one_line():
    container = Container(hangs=True)

    with pytest.raises(SetupError, match="did not end within 120 seconds") as caught:
        program.run_once(Client(container), "image", ["cavp"], {})

    assert "\n" not in str(caught.value)
    assert container.removed


def test_an_image_that_tells_no_version_is_refused(monkeypatch):
    monkeypatch.setattr(libreswan, "run_once", lambda *_: program.Ended(1, b"", "no such package"))

    with pytest.raises(SetupError, match="no such package"):
        Cavp(None, "image")
