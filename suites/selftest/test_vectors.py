"""The vector files: their shape, and that none is left unused."""

import json
from dataclasses import replace

import jsonschema
import pytest

from vectors import loader, primitives
from vectors.__main__ import main as command
from vectors.checks import Disagreement
from vectors.judge import NotImplementedYet, judge, verdict
from vectors.spoiled import spoiled

VALIDATOR = jsonschema.Draft202012Validator(json.loads(loader.SCHEMA.read_text()))


def test_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(VALIDATOR.schema)


@pytest.mark.parametrize("name", loader.names())
def test_file_fits_the_schema(name):
    content = json.loads((loader.FOLDER / f"{name}.json").read_text())

    assert [error.message for error in VALIDATOR.iter_errors(content)] == []


def spoil_octets(case):
    name = next(name for name, value in case["values"].items() if isinstance(value, str))
    case["values"][name] += "0"


SPOILED = [
    (lambda case: case.pop("result"), "result is required"),
    (lambda case: case.update(result="good"), "a result outside the three"),
    (lambda case: case.update(flags=["NEW"]), "a flag nobody explained"),
    (lambda case: case["values"].update(more="00"), "a value its kind does not have"),
    (lambda case: case["values"].clear(), "no values"),
    (spoil_octets, "half an octet"),
]


@pytest.mark.parametrize("spoil", [row[0] for row in SPOILED], ids=[row[1] for row in SPOILED])
@pytest.mark.parametrize("name", loader.names())
def test_schema_refuses(name, spoil):
    """The twin: the same file with one thing wrong."""
    content = json.loads((loader.FOLDER / f"{name}.json").read_text())

    spoil(content["cases"][0])

    assert list(VALIDATOR.iter_errors(content))


@pytest.mark.parametrize("name", loader.names())
def test_identifiers_are_unique(name):
    identifiers = [case.id for case in loader.load(name).cases]

    assert len(identifiers) == len(set(identifiers))


@pytest.mark.parametrize("name", loader.names())
def test_peer_agrees(name):
    """`make vectors` for one file; algorithms that the peer does not have are left out."""
    found = verdict(loader.load(name))

    assert not found.disagreements
    assert sum(found.counts.values()) + len(found.missing) >= len(loader.load(name).cases)


VALID = [
    ("rfc3602-aes-cbc", "ciphertext"),
    ("rfc4868-prf", "output"),
    ("rfc4868-integrity", "output"),
    ("rfc3526-modp", "prime"),
    ("rfc5903-groups", "generator_y"),
    ("rfc5903-ecp", "shared"),
    ("rfc7748-functions", "output"),
    ("nist-aes-ccm", "ciphertext"),
    ("mcgrew-gmac-esp", "packet"),
    ("rfc7634-esp", "padding"),
    ("rfc7634-ike", "plaintext"),
    ("rfc8032-eddsa", "signature"),
    ("rfc4754-ecdsa", "payload"),
    ("rfc7427-identifiers", "identifier"),
    ("rfc8439-chacha20", "ciphertext"),
    ("rfc8439-poly1305-key", "output"),
    ("nist-ikev2-kdf", "skeyseed"),
    ("nist-ikev2-kdf", "ike_keymat"),
    ("nist-ikev2-kdf", "child_keymat"),
    ("nist-ikev2-kdf", "new_child_keymat"),
    ("nist-ikev2-kdf", "new_skeyseed"),
]


@pytest.mark.parametrize(("name", "value"), VALID, ids=["-".join(row) for row in VALID])
def test_wrong_value_is_a_disagreement(name, value):
    """The twin: with one bit of what it says changed, no vector agrees."""
    vectors = loader.load(name)
    case = vectors.cases[0]
    octets = case.octets(value)
    changed = {**case.values, value: (octets[:-1] + bytes([octets[-1] ^ 1])).hex()}

    with pytest.raises(Disagreement):
        judge(vectors.kind, replace(case, values=changed))


@pytest.mark.parametrize("name", ["rfc5903-ecp", "rfc4868-integrity", "rfc7634-esp"])
def test_valid_value_called_invalid_is_a_disagreement(name):
    vectors = loader.load(name)

    with pytest.raises(Disagreement, match="taken, though invalid"):
        judge(vectors.kind, replace(vectors.cases[0], result="invalid"))


def test_invalid_value_called_valid_is_a_disagreement():
    vectors = loader.load("public-values")
    case = next(case for case in vectors.cases if case.result == "invalid")

    with pytest.raises(Disagreement, match="refused"):
        judge(vectors.kind, replace(case, result="valid"))


@pytest.mark.parametrize("name", ["rfc5903-ecp", "rfc5114-groups", "rfc7748-exchanges"])
def test_every_exchange_is_spoiled(name):
    kinds = [kind for case in loader.load(name).cases for kind, _ in spoiled("key-exchange", case)]

    assert len(kinds) >= 7 * len(loader.load(name).cases)
    assert set(kinds) == {"public-value"}


def test_unknown_algorithm_is_missing_not_right():
    case = loader.load("rfc4868-prf").cases[0]

    with pytest.raises(NotImplementedYet):
        judge("prf", replace(case, values={**case.values, "prf": 250}))


def test_table_and_file(tmp_path, capsys):
    """The command's exit status is that of the verdicts; the file holds one for each subject."""
    path = tmp_path / "verdicts.json"

    assert command(["--json", str(path)]) == 0

    assert "0 disagree" in capsys.readouterr().out
    assert len(json.loads(path.read_text())) == len(loader.names()) + len(primitives.SUBJECTS)


def test_disagreement_is_the_exit_status(monkeypatch, capsys):
    """A peer whose PRF is wrong."""
    monkeypatch.setattr("vectors.checks.prf", lambda number, key, data: b"")

    assert command([]) == 1
    assert "disagree" in capsys.readouterr().out


def test_values_are_typed():
    case = loader.load("rfc7634-esp").cases[0]

    assert case.octets("spi") == bytes.fromhex("01020304")
    assert case.number("sequence") == 5
    assert case.optional_number("key_bits") is None
    with pytest.raises(TypeError, match="spi of appendix-A is no number"):
        case.number("spi")
    with pytest.raises(TypeError, match="sequence of appendix-A is no string"):
        case.octets("sequence")


def test_source_names_document_and_section():
    assert loader.load("rfc5903-ecp").source == "RFC 5903, 8"
    assert loader.load("mcgrew-gcm-esp").source == "draft-mcgrew-gcm-test-01, 4"
