"""The main job, as ``make conformance`` starts it: see that all is there, then run pytest."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from peers.lab import engine
from peers.lab.errors import SetupError
from peers.reference.errors import ScriptError
from peers.stations import check_spec, embedded_name

ROOT = Path(__file__).parent.parent


def all_suites() -> list[str]:
    """List the suites: every folder of ``suites/`` with tests in it, save our self-tests."""
    folders = (path for path in (ROOT / "suites").iterdir() if any(path.glob("test_*.py")))
    return sorted(folder.name for folder in folders if folder.name != "selftest")


def suite_paths(names: Sequence[str]) -> list[str]:
    """Give pytest's paths of suites by name, as in ``rfc7296`` or ``rfc7296/test_s2_06_cookies``.

    SetupError for a name that there is no suite of.
    """
    paths = []
    for name in names or all_suites():
        bare = name.removeprefix("suites/").removesuffix(".py").strip("/")
        path = ROOT / "suites" / bare
        path = path if path.is_dir() else path.with_suffix(".py")
        if not path.exists():
            raise SetupError(f"unknown suite {name!r}: there are {', '.join(all_suites())}")
        paths.append(str(path.relative_to(ROOT)))
    return paths


def command(targets: Sequence[str], suites: Sequence[str], more: Sequence[str]) -> list[str]:
    """Build pytest's command line; SetupError or ScriptError for what there is not."""
    for target in targets:
        check_spec(target)
    chosen = [word for target in targets for word in ("--target", target)]
    return ["pytest", "-q", *suite_paths(suites), *chosen, *more]


def main() -> int:
    """Prepare and become pytest; 2 and one line when something is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--targets", default="strongswan libreswan")
    parser.add_argument("--suites", default="")
    parser.add_argument("more", nargs="*", help="options for pytest")
    arguments = parser.parse_args()
    targets = arguments.targets.split()
    try:
        words = command(targets, arguments.suites.split(), arguments.more)
        if not all(embedded_name(target)[0] for target in targets):
            engine.ensure(lambda line: print(f"ikeproof: {line}", flush=True))  # noqa: T201
    except (SetupError, ScriptError) as error:
        print(f"ikeproof: {error}", file=sys.stderr)  # noqa: T201
        return 2
    os.chdir(ROOT)
    return os.execv(sys.executable, [sys.executable, "-m", *words])


if __name__ == "__main__":
    sys.exit(main())
