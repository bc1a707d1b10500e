"""The vector files: their shape, and that none is left unused."""

import json
from pathlib import Path

import jsonschema
import pytest

from vectors import loader

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
def test_file_is_used_by_a_test(name):
    here = Path(__file__)
    texts = [path.read_text() for path in here.parent.glob("test_*.py") if path != here]

    assert any(f'load("{name}")' in text for text in texts)


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
