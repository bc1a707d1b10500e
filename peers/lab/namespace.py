"""Make sockets inside another network namespace, while the process stays outside."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from peers.lab.errors import SetupError

Made = TypeVar("Made")

CLONE_NEWNET = 0x40000000


def within(namespace: Path | None, make: Callable[[], Made]) -> Made:
    """Call ``make`` in a network namespace and give what it makes; sockets keep the namespace.

    A namespace belongs to a thread: a short-lived one joins it and ends, so that the caller never
    leaves its own. None is the caller's namespace. Joining one takes root.
    """
    if namespace is None:
        return make()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="namespace") as thread:
        return thread.submit(_join_and, namespace, make).result()


def _join_and(namespace: Path, make: Callable[[], Made]) -> Made:
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(descriptor, CLONE_NEWNET) != 0:
            reason = os.strerror(ctypes.get_errno())
            raise SetupError(
                f"cannot join the network namespace {namespace} ({reason}): run as root"
            )
    finally:
        os.close(descriptor)
    return make()
