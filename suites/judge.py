"""How a test says what it judges: requirement, role, the faults that turn it red, and verdicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import pytest

from peers.targets.base import Capability
from reports.judgement import Differs

Test = TypeVar("Test", bound=Callable[..., Any])


def requirement(*ids: str) -> pytest.MarkDecorator:
    """Name the ledger rows that a test judges; the first decides between deviates and differs."""
    return pytest.mark.requirement(*ids)


def turned_red_by(*faults: str) -> pytest.MarkDecorator:
    """Name the planted faults of the embedded target that this test must see."""
    return pytest.mark.turned_red_by(*faults)


def twin_of(test: Callable[..., Any]) -> pytest.MarkDecorator:
    """Say that a test differs in one respect from another, whose refusal it shows to be meant."""
    return pytest.mark.twin_of(test.__name__)


def needs(*capabilities: Capability) -> pytest.MarkDecorator:
    """Name what a target must have; without it the verdict is unsupported."""
    return pytest.mark.needs(*capabilities)


def tries(subject: str, algorithm: str = "") -> pytest.MarkDecorator:
    """Give a test its place in the report's matrix: the subject, and the row in it.

    Without a row of its own it is that of the test's parameters.
    """
    return pytest.mark.tries(subject, algorithm)


esp_alone = pytest.mark.esp_alone
"""Mark tests that need no IKE but for their Child SA: those of a target that is keyed by hand."""


def as_responder(test: Test) -> Test:
    """Mark a test in which the target initiates and the reference peer responds."""
    marked: Test = pytest.mark.as_responder(test)
    return marked


def differs(reason: str) -> NoReturn:
    """End a test with the verdict that the target does otherwise than it should."""
    raise Differs(reason)
