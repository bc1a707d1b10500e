"""Write the vector files anew from the texts, or check that they are what the texts give."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from vectors.extract import aes_mac, authentication, ciphers, esp, exchanges, groups, hmac
from vectors.extract.files import VectorFile
from vectors.extract.text import NotFound, Text
from vectors.loader import FOLDER

PACKAGED = Path("/usr/share/doc/RFC/links")
"""Where the texts are once `make rfc-texts` has installed them."""

EXTRACTORS: Sequence[tuple[int, Callable[[Text], Iterator[VectorFile]]]] = (
    (2202, hmac.rfc2202),
    (2410, ciphers.rfc2410),
    (2759, authentication.rfc2759),
    (3526, groups.rfc3526),
    (3566, aes_mac.rfc3566),
    (3602, ciphers.rfc3602),
    (3602, esp.rfc3602),
    (3686, ciphers.rfc3686),
    (4231, hmac.rfc4231),
    (4434, aes_mac.rfc4434),
    (4494, aes_mac.rfc4494),
    (4615, aes_mac.rfc4615),
    (4754, authentication.rfc4754),
    (4868, hmac.rfc4868),
    (5114, exchanges.rfc5114),
    (5903, groups.rfc5903),
    (5903, exchanges.rfc5903),
    (5996, groups.rfc5996),
    (6932, exchanges.rfc6932),
    (7427, authentication.rfc7427),
    (7634, esp.rfc7634),
    (7748, exchanges.rfc7748),
    (8031, exchanges.rfc8031),
    (8032, authentication.rfc8032),
    (8439, ciphers.rfc8439),
)


def extract(texts: Path) -> Iterator[VectorFile]:
    """Give every file; NotFound for a text that is missing or unlike what was expected."""
    for number, extractor in EXTRACTORS:
        yield from extractor(Text.read(texts, number))


def differing(texts: Path) -> Iterator[Path]:
    """Give the vector files that are not, octet for octet, what the texts give."""
    for file in extract(texts):
        path = FOLDER / f"{file.name}.json"
        if not path.exists() or path.read_text(encoding="utf-8") != file.render():
            yield path


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check; the exit status is 1 for a difference, 2 for a text that is missing."""
    parser = argparse.ArgumentParser(prog="python -m vectors.extract", description=__doc__)
    parser.add_argument(
        "--texts", type=Path, default=PACKAGED, help=f"folder of rfcNNNN.txt[.gz] ({PACKAGED})"
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    try:
        differences = list(differing(options.texts))
        if not options.check:
            for file in extract(options.texts):
                path = FOLDER / f"{file.name}.json"
                path.write_text(file.render(), encoding="utf-8")
    except NotFound as error:
        sys.stderr.write(f"ikeproof: {error}\n")
        return 2
    for path in differences:
        state = "differs from the texts" if options.check else "written"
        sys.stderr.write(f"ikeproof: {path.name} {state}\n")
    return 1 if options.check and differences else 0


if __name__ == "__main__":
    sys.exit(main())
