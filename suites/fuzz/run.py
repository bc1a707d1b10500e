"""One fuzzer: ``python -m suites.fuzz.run HARNESS [libFuzzer's options]``; `__main__` starts it."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["peers.reference"]):
    from peers.reference import chain, payloads, substructures
    from suites.fuzz.harnesses import HARNESSES


def instrument_figures() -> None:
    """Let the fuzzer see the readers of figures too, whose source is made at run time."""
    for read in chain._READERS.values():
        atheris.instrument_func(read)
    for figure in (payloads.Unknown, substructures.Proposal, substructures.Transform):
        atheris.instrument_func(figure.read)
    atheris.instrument_func(substructures.UnknownSelector.read)


def main() -> None:
    """Fuzz until an option of libFuzzer's ends it."""
    name, *options = sys.argv[1:]
    instrument_figures()
    atheris.Setup([sys.argv[0], *options], HARNESSES[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
