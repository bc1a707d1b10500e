"""The core tier: its modules exist, and it stays small."""

from __future__ import annotations

import subprocess
import sys

import pytest

from suites.core import MODULES
from suites.session import ROOT


@pytest.mark.parametrize("module", sorted(MODULES))
def test_module_of_the_core_tier_exists(module):
    assert (ROOT / "suites" / module).is_file()


def test_core_tier_is_about_120_cases_from_each_of_its_modules():
    folders = sorted({f"suites/{module.partition('/')[0]}" for module in MODULES})
    words = [
        "-m",
        "pytest",
        "--collect-only",
        "-q",
        "-m",
        "core",
        "--target",
        "reference",
        *folders,
    ]
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )

    cases = [line for line in done.stdout.splitlines() if "::" in line]
    assert 100 <= len(cases) <= 160
    assert {case.partition("::")[0].removeprefix("suites/") for case in cases} == MODULES
