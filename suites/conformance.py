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
from suites.session import Settings
from suites.workers import judge

ROOT = Path(__file__).parent.parent

WORKERS = 4
"""On two cores: they wait for the daemons most of the time."""

ALONE = frozenset({"--subnet", "--mutants", "--shard", "--collect-only", "--co", "--help", "-h"})
"""Options that make one worker of it."""


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
    """Prepare, then judge by several workers or become pytest; 2 and one line for what is missing.

    One worker is enough for the embedded target, and all that can have a subnet of the user's.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--targets", default="strongswan libreswan")
    parser.add_argument("--suites", default="")
    parser.add_argument("--workers", type=int, default=WORKERS,
        help=f"how many judge a daemon side by side, at most (default: {WORKERS})")  # fmt: skip
    parser.add_argument("more", nargs="*", help="options for pytest")
    arguments = parser.parse_args()
    targets, suites = arguments.targets.split(), arguments.suites.split()
    os.chdir(ROOT)
    try:
        words = command(targets, suites, arguments.more)
        daemons = [target for target in targets if not embedded_name(target)[0]]
        if daemons:
            engine.ensure(lambda line: print(f"ikeproof: {line}", flush=True))  # noqa: T201
        if daemons and arguments.workers > 1 and not ALONE & set(_names(arguments.more)):
            settings, others = _settings(targets, words, arguments.more)
            return judge(settings, arguments.workers, [*suite_paths(suites), *others])
    except (SetupError, ScriptError) as error:
        print(f"ikeproof: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return os.execv(sys.executable, [sys.executable, "-m", *words])


def _names(words: Sequence[str]) -> list[str]:
    return [word.partition("=")[0] for word in words]


def _settings(
    targets: Sequence[str], words: Sequence[str], more: Sequence[str]
) -> tuple[Settings, list[str]]:
    """Read what concerns the whole run; give the options that are left for each worker."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seed", type=int)
    own, others = parser.parse_known_args(more)
    options = argparse.Namespace(
        target=list(targets),
        mutants=None,
        shard=None,
        evidence="failed",
        kernel="auto",
        subnet=None,
        out=own.out and own.out.resolve(),
        strict_should="--strict-should" in others,
        strict_silence=0.0,
        seed=own.seed,
    )
    return Settings.of(options, words[1:]), others


if __name__ == "__main__":
    sys.exit(main())
