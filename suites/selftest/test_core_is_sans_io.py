"""The reference peer touches no socket, clock, randomness, file, thread, Docker, pytest or scapy.

What it needs of the world comes in as octets, ``now`` and ``random``. This reads the source of each
file of ``peers/reference``; the last test proves that it sees each kind of trespass.
"""

import ast
import sys
from pathlib import Path

import pytest

from peers import reference

CORE = sorted(Path(reference.__file__).parent.rglob("*.py"))

# The standard library, as far as it reaches out of the process or is different in each run.
FORBIDDEN = frozenset(
    [
        "asyncio",
        "concurrent",
        "ctypes",
        "datetime",
        "fcntl",
        "getpass",
        "glob",
        "http",
        "importlib",
        "io",
        "logging",
        "mmap",
        "multiprocessing",
        "os",
        "pathlib",
        "platform",
        "queue",
        "random",
        "sched",
        "secrets",
        "select",
        "selectors",
        "shutil",
        "signal",
        "socket",
        "socketserver",
        "ssl",
        "subprocess",
        "sys",
        "syslog",
        "tempfile",
        "threading",
        "time",
        "urllib",
        "uuid",
        "zoneinfo",
    ]
)
# OpenSSL (pyOpenSSL) speaks TLS over octets in memory; it draws its own randomness there.
THIRD_PARTY = frozenset({"Cryptodome", "OpenSSL", "cryptography", "gmpy2", "kyber_py"})
CALLS = frozenset({"open", "print", "input", "breakpoint", "__import__", "eval"})


def imported(tree: ast.AST) -> list[str]:
    """List the modules that a source imports, wherever in it."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append("." * node.level + (node.module or ""))
            if node.module == "peers":
                names += [f"peers.{alias.name}" for alias in node.names]
    return names


def may_import(module: str) -> bool:
    """Say whether the core may import a module, by its dotted name."""
    package = module.partition(".")[0]
    if package == "peers":
        return module == "peers" or f"{module}.".startswith("peers.reference.")
    if package in sys.stdlib_module_names:
        return package not in FORBIDDEN
    return package in THIRD_PARTY


def trespasses(source: str) -> list[str]:
    """List what a source does that the core must not."""
    tree = ast.parse(source)
    found = [f"imports {name}" for name in imported(tree) if not may_import(name)]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in CALLS:
            found.append(f"calls {node.func.id}")
        # Key generation of the cryptography package draws its own randomness.
        if isinstance(node.func, ast.Attribute) and node.func.attr.startswith("generate"):
            found.append(f"calls {node.func.attr}")
    return found


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.name)
def test_the_core_does_no_io(path):
    assert trespasses(path.read_text("utf-8")) == []


def test_the_core_was_found():
    assert {"message.py", "wire.py", "endpoint.py", "protection.py"} <= {path.name for path in CORE}


TRESPASSES = [
    *(f"import {module}" for module in sorted(FORBIDDEN & sys.stdlib_module_names)),
    "import socket as s",
    "import os.path",
    "from time import monotonic",
    "from concurrent.futures import Executor",
    "def late():\n    import random",
    "if TYPE_CHECKING:\n    import docker",
    "import pytest",
    "from scapy.all import IP",
    "import numpy",
    "from peers.link import Link",
    "from peers import lab",
    "import peers.targets.base",
    "from peers.reference_else import x",
    "from .. import link",
    "import reports",
    "from suites.judge import judge",
    "open('/etc/ipsec.conf')",
    "print('hello')",
    "__import__('socket')",
    "key = X25519PrivateKey.generate()",
    "key = parameters.generate_private_key()",
]


@pytest.mark.parametrize("source", TRESPASSES)
def test_each_trespass_is_seen(source):
    assert len(trespasses(source)) >= 1


INNOCENT = [
    "import struct",
    "from ipaddress import ip_address",
    "from cryptography.hazmat.primitives.ciphers.aead import AESGCM",
    "import gmpy2",
    "from peers.reference.wire import Kind",
    "from peers.reference import ip",
    "from peers import reference",
    "iv = random(8)",
    "due = now + 2.0",
]


@pytest.mark.parametrize("source", INNOCENT)
def test_what_the_core_may_do(source):
    assert trespasses(source) == []
