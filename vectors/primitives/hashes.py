"""SHA-1 and SHA-2, for runners: the reference peer has no interface that is a bare hash."""

from __future__ import annotations

from collections.abc import Iterator

from peers.reference.numbers import HashAlgorithm
from vectors.loader import Case, Vectors
from vectors.primitives.responses import Block, blocks

FILES = {
    HashAlgorithm.SHA1: "hashes/SHA1/SHA1",
    HashAlgorithm.SHA2_256: "hashes/SHA2/SHA256",
    HashAlgorithm.SHA2_384: "hashes/SHA2/SHA384",
    HashAlgorithm.SHA2_512: "hashes/SHA2/SHA512",
}
"""What the names of each hash's files begin with."""

SOURCE = "NIST CAVP, SHAVS"


def read_digests() -> Vectors:
    """Read messages and their digests; a message of no bits is printed as one octet of zeros."""
    cases = (
        _digest(number, block)
        for number, stem in FILES.items()
        for length in ("Short", "Long")
        for block in blocks(f"{stem}{length}Msg.rsp", "LEN", "MSG", "MD")
    )
    return Vectors("SHA-1, SHA-2", "hash", SOURCE, "", tuple(cases))


def _digest(number: HashAlgorithm, block: Block) -> Case:
    octets = int(block["LEN"]) // 8
    return block.case(
        {"hash": int(number), "data": block["MSG"][: 2 * octets], "output": block["MD"]}
    )


def read_chains() -> Vectors:
    """Read chains of 100,000 hashes; ``output`` has a hundred digests of each, joined."""
    return Vectors("SHA-1, SHA-2: chains of hashes", "hash-chain", SOURCE, "", tuple(_chains()))


def _chains() -> Iterator[Case]:
    for number, stem in FILES.items():
        file = f"{stem}Monte.rsp"
        [seed] = blocks(file, "SEED")
        digests = "".join(block["MD"] for block in blocks(file, "COUNT", "MD"))
        yield seed.case({"hash": int(number), "seed": seed["SEED"], "output": digests})
