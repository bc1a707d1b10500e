"""The fuzzers' harnesses without a fuzzer: on seeds, on broken seeds, and on what was found."""

import random
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from peers.reference import esp, substructures
from suites.fuzz.__main__ import ROOT, Outcome, report
from suites.fuzz.harnesses import HARNESSES, seeds

REGRESSIONS = tomllib.loads((ROOT / "suites/fuzz/regressions.toml").read_text(encoding="utf-8"))
KNOWN = [(name, octets) for name, found in REGRESSIONS.items() for octets in found]
NAMES = pytest.mark.parametrize("name", HARNESSES)


def broken(octets: bytes, draw: random.Random) -> bytes:
    """Change an octet, cut the end off, or repeat a part."""
    at = draw.randrange(len(octets) + 1)
    kind = draw.randrange(3)
    if kind == 0 and at < len(octets):
        return octets[:at] + bytes([draw.randrange(256)]) + octets[at + 1 :]
    return octets[:at] if kind == 1 else octets[:at] + octets[at // 2 :]


def fails(name: str, octets: bytes) -> bool:
    try:
        HARNESSES[name](octets)
    except AssertionError:
        return True
    return False


@NAMES
def test_every_seed_is_survived_whole_and_broken(name):
    draw = random.Random(name)
    whole = seeds(name)

    for octets in whole:
        HARNESSES[name](octets)
    for octets in draw.choices(whole, k=400):
        HARNESSES[name](broken(octets, draw))


def test_what_a_fuzzer_found_is_survived():
    for name, octets in KNOWN:
        HARNESSES[name](bytes.fromhex(octets))


def test_regressions_name_harnesses_that_there_are():
    assert set(REGRESSIONS) == set(HARNESSES)


def test_a_reader_that_goes_too_far_is_found(monkeypatch):
    """The harness itself can fail: an attribute that ends beyond its payload."""
    monkeypatch.setattr(substructures, "skip", lambda at, end, size: at + size)
    draw = random.Random(1)

    some = draw.choices(seeds("decode"), k=20_000)
    assert any(fails("decode", broken(octets, draw)) for octets in some)


def test_a_window_that_forgets_is_found(monkeypatch):
    monkeypatch.setattr(esp.ReplayWindow, "advance", lambda window, sequence: None)

    with pytest.raises(AssertionError, match="taken twice"):
        HARNESSES["esp"](bytes([0, 0, 0, 1]) + b"dummy..." + b"\1\2" + bytes([2, 59]))


def test_a_crash_is_told_with_its_octets_and_how_to_replay_it():
    crash = Outcome("esp", 0, b"\xaa\xbb", "=== Uncaught Python exception: ===\nBoom", True)

    assert "Boom" in report(crash)
    assert "python -m suites.fuzz --replay esp aabb" in report(crash)
    assert report(Outcome("esp", 7, None, "", False)) == "esp: 7 inputs, nothing escaped"
    assert "ended with an error\nno atheris" in report(Outcome("esp", 0, None, "no atheris", True))


def test_an_input_can_be_replayed():
    command = [sys.executable, "-m", "suites.fuzz", "--replay", "decode", "00"]
    done = subprocess.run(command, cwd=Path(ROOT), capture_output=True, text=True, check=True)

    assert done.stdout == "survived\n"
